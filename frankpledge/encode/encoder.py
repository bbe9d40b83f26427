"""The encoder of a linkage schema under one linkage key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np

from frankpledge.encode.bands import Bands
from frankpledge.encode.keys import Harden, KeyMaker, Keys
from frankpledge.encode.prf import U64, BlockPrf, Ints
from frankpledge.encode.sketches import SketchBlocks
from frankpledge.encode.tokens import Atoms, Tokens
from matching.schema import LinkageSchema
from matching.types import KEY_BYTES, EncodedSubject, Kind

Item = tuple[Kind, str, Mapping[str, str]]
"""What to encode: kind, role, atoms."""
SUBJECTS_AT_ONCE = 256
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

    def __init__(
        self,
        schema: LinkageSchema,
        key: DerivesKeys,
        *,
        organisation_names: bool = False,
        harden: Harden | None = None,
    ) -> None:
        self.schema = schema
        self._organisation_names = organisation_names
        self._kinds = {kind: _KindEncoder(schema, kind, key, harden) for kind in schema.kinds}

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

    def __init__(self, schema: LinkageSchema, kind: Kind, key: DerivesKeys, harden: Harden | None) -> None:
        def subkey(use: str) -> bytes:
            return key.derive(f"{schema.id}/{use}".encode())

        spec = schema.kinds[kind]
        self._kind: Kind = kind
        self._tokens, self._values = Tokens(subkey), BlockPrf(subkey("values"))
        self._keys = KeyMaker(schema, kind, subkey, harden)
        self._bands = Bands(schema, spec, self._tokens, subkey) if spec.bands else None
        self._sketches = SketchBlocks(spec, self._tokens, subkey) if spec.sketch else None
        banded, sketched = spec.bands.tokens if spec.bands else (), [part.token for part in spec.sketch]
        whole = [token.atom for token in (*banded, *sketched) if token.cut == "whole"]
        self._hashed = list(dict.fromkeys([*self._keys.atoms, *whole]))
        self._cut = [token for token in (*banded, *sketched) if token.cut != "whole"]
        self._cut_for_bands = sum(token.cut != "whole" for token in banded)
        self._anchors, self._block_size = np.array(spec.anchor_bits, np.intp), spec.block_size

    def subjects(self, items: Sequence[Item], *, named: bool) -> Iterator[EncodedSubject | None]:
        """The subjects of some items of this kind, with their names if these may be told."""
        records = Atoms([atoms for _, _, atoms in items], self._values, self._hashed)
        bigrams = self._tokens.bigrams(records, self._cut)
        minima = enough = None
        if self._bands is not None:
            minima, enough = self._bands.of(records, bigrams.part(slice(self._cut_for_bands)))
        keys = self._keys.of(records, minima, enough)
        anchors = keys.present[:, self._anchors].sum(axis=1)
        observed, blocks = np.zeros(len(items), np.uint64), np.zeros((0, 0), np.uint8)
        if self._sketches is not None:
            own = bigrams.part(slice(self._cut_for_bands, None))
            observed, blocks = self._sketches.of(records, own, anchors, keys.salts)
        made = self._cut_up(keys, np.where(anchors, observed, 0), blocks.tobytes(), anchors * self._block_size)
        for (_, role, atoms), (mask, own_keys, seen, sketches) in zip(items, made, strict=True):
            name = atoms.get("org_name") if named else None
            yield EncodedSubject(self._kind, role, mask, own_keys, seen, sketches, {}, name) if mask else None

    @staticmethod
    def _cut_up(keys: Keys, observed: U64, blocks: bytes, sizes: Ints) -> Iterator[tuple[int, bytes, int, bytes]]:
        """Mask, keys, fields observed and sketches of each record, from those of all."""
        own = keys.keys.tobytes()
        masks = np.packbits(keys.present, axis=1, bitorder="little")
        ends = np.cumsum(keys.present.sum(axis=1)) * KEY_BYTES
        start = first = 0
        for mask, end, last, seen in zip(
            masks, ends.tolist(), np.cumsum(sizes).tolist(), observed.tolist(), strict=True
        ):
            yield int.from_bytes(mask.tobytes(), "little"), own[start:end], seen, blocks[first:last]
            start, first = end, last
