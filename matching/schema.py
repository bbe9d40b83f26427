"""The linkage schema: which composites of atoms become keys, and what may be compared once a key is shared.

A schema is a versioned JSON file, the contract between every member's encoder and the pool. Two records encoded
under one schema and one linkage key can be linked; nothing else about them can be compared. The file carries the
SHA-256 of its content, so that no copy of it is changed unnoticed.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal, cast

from matching.types import KINDS, Kind

DEFAULT_SCHEMA = "guarded/1"

Cut = Literal["whole", "bigrams"]
"""How an atom becomes tokens: itself, or its padded bigrams."""


class UnknownSchemaError(LookupError):
    """No linkage schema of that id or name is known here; the message says which are."""

    def __init__(self) -> None:
        super().__init__(f"unknown linkage schema: expected one of {', '.join(shipped_schemas())}")


class AlteredSchemaError(ValueError):
    """A linkage schema's content is not what its hash says."""

    def __init__(self) -> None:
        super().__init__("this linkage schema was altered: its sha256 is that of other content")


@dataclass(frozen=True, slots=True)
class TokenSpec:
    """An atom cut into tokens of a token space; equal spaces make tokens of different atoms comparable."""

    atom: str
    space: str
    cut: Cut


@dataclass(frozen=True, slots=True)
class KeySpec:
    """One key: a composite of atoms, or one MinHash band.

    `anchor` says that sketches may hang on it. Only by `indexed` ones are records found; what the others say is
    evidence on records that share one of those.
    """

    name: str
    of: tuple[str, ...]
    anchor: bool
    indexed: bool
    band: int | None = None


@dataclass(frozen=True, slots=True)
class BandSpec:
    """MinHash bands: `count` keys, each over `rows` min-hashes of the record's tokens (Broder 1997)."""

    count: int
    rows: int
    tokens: tuple[TokenSpec, ...]


@dataclass(frozen=True, slots=True)
class SketchField:
    """One field of the block hung on an anchor: a 1-byte tag of a whole value, or `size` slots of MinHash."""

    field: str
    token: TokenSpec
    number: int
    offset: int
    size: int


@dataclass(frozen=True, eq=False)
class KindSchema:
    """The keys and the sketch block of one kind of subject, and the least joint entropy of a key in bits.

    The floor protects people: an organisation's is lower, as its name is public.
    """

    keys: tuple[KeySpec, ...]
    bands: BandSpec | None
    sketch: tuple[SketchField, ...]
    entropy_floor: float

    @property
    def block_size(self) -> int:
        """Bytes of sketch that hang on one anchor."""
        return sum(part.size for part in self.sketch)

    @functools.cached_property
    def anchor_mask(self) -> int:
        """Bit i is set where key i is an anchor."""
        return sum(1 << i for i, key in enumerate(self.keys) if key.anchor)

    @functools.cached_property
    def anchor_bits(self) -> list[int]:
        """The bits of the keys that are anchors, rising."""
        return [bit for bit, key in enumerate(self.keys) if key.anchor]

    @functools.cached_property
    def index_mask(self) -> int:
        """Bit i is set where records are found by key i."""
        return sum(1 << i for i, key in enumerate(self.keys) if key.indexed)

    @functools.cached_property
    def index_bits(self) -> list[int]:
        """The bits of the keys by which records are found, rising."""
        return [bit for bit, key in enumerate(self.keys) if key.indexed]

    @functools.cached_property
    def band_bits(self) -> list[int]:
        """The bits of the keys that are MinHash bands, rising."""
        return [bit for bit, key in enumerate(self.keys) if key.band is not None]

    @functools.cached_property
    def key_bits(self) -> Mapping[str, int]:
        """The bit of each key by its name."""
        return {key.name: bit for bit, key in enumerate(self.keys)}

    @functools.cached_property
    def parts(self) -> Mapping[str, SketchField]:
        """The sketch fields by name."""
        return {part.field: part for part in self.sketch}


@dataclass(frozen=True, slots=True)
class LinkageSchema:
    """A whole schema: `id` such as "guarded/1", its version and SHA-256, kinds, and the entropy of each atom in bits.

    The entropies are those of the reference population.
    """

    id: str
    version: int
    sha256: str
    kinds: Mapping[Kind, KindSchema]
    atom_bits: Mapping[str, float]

    def keys(self, kind: Kind) -> tuple[KeySpec, ...]:
        """Every key a subject of this kind may have, in wire order."""
        return self.kinds[kind].keys

    def joint_bits(self, atoms: Iterable[str]) -> float:
        """Joint entropy of some atoms in bits, were they independent."""
        return sum(self.atom_bits[atom] for atom in atoms)


def _tokens(raw: Mapping[str, Any]) -> TokenSpec:
    return TokenSpec(raw["atom"], raw["space"], cast("Cut", raw["cut"]))


def _kind(raw: Mapping[str, Any], floor: float) -> KindSchema:
    keys = [KeySpec(k["name"], tuple(k["of"]), k["sketch"], k["indexed"]) for k in raw["keys"]]
    bands = None
    if "bands" in raw:
        spec = raw["bands"]
        bands = BandSpec(spec["count"], spec["rows"], tuple(_tokens(t) for t in spec["tokens"]))
        indexed = range(spec["indexed"])
        keys += [KeySpec(f"band{n:02d}", (), spec["sketch"], n in indexed, band=n) for n in range(bands.count)]
    sketch: list[SketchField] = []
    offset = 0
    for part in raw["sketch"]:
        sketch.append(SketchField(part["field"], _tokens(part), len(sketch), offset, part["bytes"]))
        offset += part["bytes"]
    return KindSchema(tuple(keys), bands, tuple(sketch), raw.get("entropy_floor_bits", floor))


def content_hash(raw: Mapping[str, Any]) -> str:
    """SHA-256 of a schema's JSON object but for its `sha256`: keys sorted, no spaces, ASCII only; hexadecimal."""
    content = {name: value for name, value in raw.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def parse_schema(raw: Mapping[str, Any]) -> LinkageSchema:
    """Build a schema from its JSON object; raises KeyError naming a missing entry, and AlteredSchemaError."""
    if raw["sha256"] != content_hash(raw):
        raise AlteredSchemaError
    kinds: dict[Kind, KindSchema] = {kind: _kind(raw["kinds"][kind], raw["entropy_floor_bits"]) for kind in KINDS}
    return LinkageSchema(raw["id"], raw["version"], raw["sha256"], kinds, raw["atom_bits"])


@functools.cache
def _shipped() -> Mapping[str, Mapping[str, Any]]:
    """Every shipped schema by its id, as its file has it: the default first, then by name, newer versions later."""
    files = (path for path in resources.files("matching.schemas").iterdir() if path.name.endswith(".json"))
    found = [json.loads(path.read_text("utf-8")) for path in files]
    found.sort(key=lambda raw: (raw["id"] != DEFAULT_SCHEMA, raw["id"].partition("/")[0], raw["version"]))
    return {raw["id"]: raw for raw in found}


def shipped_schemas() -> tuple[str, ...]:
    """The ids of the shipped schemas, the default first."""
    return tuple(_shipped())


def schema_id(name: str) -> str:
    """The id of a shipped schema by its id, or by its name alone: "broad" is the newest version of it.

    Raises UnknownSchemaError, which does not repeat the name.
    """
    found = [each for each in shipped_schemas() if name in (each, each.partition("/")[0])]
    if not found:
        raise UnknownSchemaError
    return found[-1]


@functools.cache
def load_schema(name: str = DEFAULT_SCHEMA) -> LinkageSchema:
    """The shipped schema of that id or name; raises UnknownSchemaError as `schema_id` does."""
    return parse_schema(_shipped()[schema_id(name)])
