"""The encoder of a linkage schema under one linkage key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np

from frankpledge.encode.bands import Bands
from frankpledge.encode.keys import KeyMaker
from frankpledge.encode.prf import BlockPrf
from frankpledge.encode.sketches import SketchBlocks
from frankpledge.encode.tokens import Atoms, Tokens
from matching.schema import LinkageSchema
from matching.types import KEY_BYTES, EncodedSubject, Kind

Item = tuple[Kind, str, Mapping[str, str]]
"""What to encode: kind, role, atoms."""
SUBJECTS_AT_ONCE = 512
"""Subjects whose blocks are made together: enough for long arrays, few enough for the processor's cache."""


class DerivesKeys(Protocol):
    """A linkage key: gives 32 secret bytes for each purpose, the same for every member of the scheme."""

    def derive(self, purpose: bytes) -> bytes:
        """The 32-byte subkey for this purpose."""
        ...


class Encoder:
    """Encodes subjects of every kind under one schema and one linkage key; many at once, for speed.

    With `organisation_names` the trading names of organisations go along in clear, to be compared letter by letter.
    A sole trader's may be a person's own name, so this is for the member to decide.
    """

    def __init__(self, schema: LinkageSchema, key: DerivesKeys, *, organisation_names: bool = False) -> None:
        self.schema = schema
        self._organisation_names = organisation_names
        self._kinds = {kind: _KindEncoder(schema, kind, key) for kind in schema.kinds}

    def subjects(self, items: Sequence[Item]) -> list[EncodedSubject | None]:
        """The encoded subjects in the order of the items; None where too little is known to make any key."""
        places: dict[Kind, list[int]] = {}
        for at, item in enumerate(items):
            places.setdefault(item[0], []).append(at)
        found: list[EncodedSubject | None] = [None] * len(items)
        for kind, members in places.items():
            named = kind == "organisation" and self._organisation_names
            for start in range(0, len(members), SUBJECTS_AT_ONCE):
                part = members[start : start + SUBJECTS_AT_ONCE]
                made = self._kinds[kind].subjects([items[at] for at in part], named=named)
                for at, subject in zip(part, made, strict=True):
                    found[at] = subject
        return found


class _KindEncoder:
    """Encodes subjects of one kind."""

    def __init__(self, schema: LinkageSchema, kind: Kind, key: DerivesKeys) -> None:
        def subkey(use: str) -> bytes:
            return key.derive(f"{schema.id}/{use}".encode())

        spec = schema.kinds[kind]
        self._kind: Kind = kind
        tokens = Tokens(subkey)
        self._values = BlockPrf(subkey("values"))
        self._keys = KeyMaker(schema, kind, subkey)
        self._bands = Bands(schema, spec, tokens, subkey) if spec.bands else None
        self._sketches = SketchBlocks(spec, tokens, subkey) if spec.sketch else None
        whole = [part.token.atom for part in spec.sketch if part.token.cut == "whole"]
        whole += [token.atom for token in (spec.bands.tokens if spec.bands else ()) if token.cut == "whole"]
        self._hashed = list(dict.fromkeys([*self._keys.atoms, *whole]))
        self._block_size = spec.block_size
        self._anchors = np.array(spec.anchor_bits, np.intp)

    def subjects(self, items: Sequence[Item], *, named: bool) -> Iterator[EncodedSubject | None]:
        """The subjects of some items of this kind, with their names if these may be told."""
        records = Atoms([atoms for _, _, atoms in items], self._values, self._hashed)
        minima, enough = self._bands.of(records) if self._bands is not None else (None, None)
        made = self._keys.of(records, minima, enough)
        anchors = made.present[:, self._anchors].sum(axis=1)
        observed, blocks = np.zeros(len(items), np.uint64), np.zeros((0, 0), np.uint8)
        if self._sketches is not None:
            observed, blocks = self._sketches.of(records, anchors, made.salts)
        keys, sketches = made.keys.tobytes(), blocks.tobytes()
        masks = np.packbits(made.present, axis=1, bitorder="little")
        key_ends = np.cumsum(made.present.sum(axis=1)) * KEY_BYTES
        block_ends = np.cumsum(anchors) * self._block_size
        start = first = 0
        for (_, role, atoms), mask, end, last, seen in zip(
            items, masks, key_ends.tolist(), block_ends.tolist(), np.where(anchors, observed, 0).tolist(), strict=True
        ):
            if end > start:
                bits = int.from_bytes(mask.tobytes(), "little")
                name = atoms.get("org_name") if named else None
                yield EncodedSubject(self._kind, role, bits, keys[start:end], seen, sketches[first:last], {}, name)
            else:
                yield None
            start, first = end, last
