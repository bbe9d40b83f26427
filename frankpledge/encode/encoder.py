"""The encoder of a linkage schema under one linkage key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np

from frankpledge.encode.bands import BandKeys
from frankpledge.encode.keys import CompositeKeys, joined, split
from frankpledge.encode.prf import BlockPrf, TokenHashes, tags
from frankpledge.encode.sketches import SketchBlocks
from frankpledge.encode.tokens import derived
from matching.schema import LinkageSchema
from matching.types import KINDS, EncodedSubject, Kind

Item = tuple[Kind, str, Mapping[str, str]]
"""What to encode: kind, role, atoms."""
SUBJECTS_AT_ONCE = 12
"""Subjects whose blocks are made together: few enough for these to stay in the processor's cache."""


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
        def subkey(use: str) -> bytes:
            return key.derive(f"{schema.id}/{use}".encode())

        self.schema = schema
        self._organisation_names = organisation_names
        hashes = TokenHashes(subkey("tokens"))
        band_prf, sketch_prf = BlockPrf(subkey("bands")), BlockPrf(subkey("sketches"))
        secret = subkey("keys")
        self._composites = {kind: CompositeKeys(schema, kind, secret) for kind in KINDS}
        self._bands = {
            kind: BandKeys(schema, spec, hashes, band_prf, secret) for kind, spec in schema.kinds.items() if spec.bands
        }
        self._sketches = {
            kind: SketchBlocks(spec, hashes, sketch_prf) for kind, spec in schema.kinds.items() if spec.sketch
        }

    def subjects(self, items: Sequence[Item]) -> list[EncodedSubject | None]:
        """The encoded subjects in the order of the items; None where too little is known to make any key."""
        atoms = [derived(values) for _, _, values in items]
        # Subjects of whom the same is known have the same keys and fields: they are encoded together, some at a time.
        alike: dict[tuple[Kind, tuple[str, ...]], list[int]] = {}
        for at, known in enumerate(atoms):
            alike.setdefault((items[at][0], tuple(known)), []).append(at)
        found: list[EncodedSubject | None] = [None] * len(items)
        for (kind, names), members in alike.items():
            for start in range(0, len(members), SUBJECTS_AT_ONCE):
                part = members[start : start + SUBJECTS_AT_ONCE]
                made = self._encode(kind, names, [atoms[at] for at in part], [items[at][1] for at in part])
                for at, subject in zip(part, made, strict=False):
                    found[at] = subject
        return found

    def _encode(
        self, kind: Kind, known: tuple[str, ...], records: Sequence[Mapping[str, str]], roles: Sequence[str]
    ) -> Iterator[EncodedSubject]:
        """The subjects of one kind of whom the same atoms are known; none where no key can be made of those."""
        bits, composites, macs = self._composites[kind].of(known)
        values = [joined(atoms, composites) for atoms in records]
        bands = self._bands.get(kind)
        if bands is not None and bands.enough(known):
            bits, macs = bits + bands.bits, macs + bands.macs
            values = [own + minima for own, minima in zip(values, bands.minima(records), strict=True)]
        if not bits:
            return
        found = [tag for own in values for tag in tags(macs, own)]
        mask, keys, salts = split(bits, self.schema.kinds[kind].anchor_mask, found)
        observed, sketches = 0, np.zeros((len(records), 0), np.uint8)
        if kind in self._sketches and salts.size:
            observed, sketches = self._sketches[kind].blocks(known, records, salts)
        named = kind == "organisation" and self._organisation_names
        for at, (role, atoms) in enumerate(zip(roles, records, strict=True)):
            name = atoms.get("org_name") if named else None
            yield EncodedSubject(kind, role, mask, keys[at].tobytes(), observed, sketches[at].tobytes(), {}, name)
