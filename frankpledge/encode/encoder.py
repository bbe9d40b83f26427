"""The encoder of a linkage schema under one linkage key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from frankpledge.encode.bands import BandKeys
from frankpledge.encode.keys import CompositeKeys, Digests
from frankpledge.encode.prf import BlockPrf, TokenHashes
from frankpledge.encode.sketches import SketchBlocks
from frankpledge.encode.tokens import derived
from matching.schema import LinkageSchema
from matching.types import KINDS, EncodedSubject, Kind

Item = tuple[Kind, str, Mapping[str, str]]
"""What to encode: kind, role, atoms."""


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
        digests = [Digests() for _ in items]
        for (kind, _, _), known, digest in zip(items, atoms, digests, strict=True):
            self._composites[kind].add(known, digest)
        for kind, bands in self._bands.items():
            at = [number for number, item in enumerate(items) if item[0] == kind]
            bands.add([atoms[number] for number in at], [digests[number] for number in at])
        return [
            self._subject(kind, role, known, digest) if digest.found else None
            for (kind, role, _), known, digest in zip(items, atoms, digests, strict=True)
        ]

    def _subject(self, kind: Kind, role: str, atoms: Mapping[str, str], digests: Digests) -> EncodedSubject:
        mask, keys, salts = digests.split(self.schema.kinds[kind].anchor_mask)
        observed, sketches = 0, b""
        if kind in self._sketches and len(salts):
            observed, sketches = self._sketches[kind].blocks(atoms, salts)
        name = atoms.get("org_name") if kind == "organisation" and self._organisation_names else None
        return EncodedSubject(kind, role, mask, keys, observed, sketches, {}, name)
