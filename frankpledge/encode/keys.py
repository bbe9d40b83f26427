"""Keys: composites of several atoms together, never one of low entropy, and bands of min-hashes.

Each is a CBC-MAC over fixed many blocks, from a secret start of its own; the last block goes through functions that
none of the others do (as in FCBC: Black and Rogaway 2000), one for the key and one for the salt of the sketches under
it, which is never published. In place of AES stands AES xor its input, so that whoever has the linkage key can neither
undo a key nor come from it to its salt.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from frankpledge.encode.prf import U64, BlockPrf, Bool, Derive, Ints, start
from frankpledge.encode.tokens import Atoms
from matching.schema import LinkageSchema
from matching.types import Kind

Harden = Callable[[U64], U64]
"""Puts other blocks in the place of the last ones, by a key that who encodes does not have (see `custodian`)."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of some records.

    `present` (records, keys of the schema) says which there are; `keys` (present, 2) are they, record by record and
    lowest bit first; `salts` are those of the anchors among them, in the same order.
    """

    present: Bool
    keys: U64
    salts: U64


class KeyMaker:
    """Makes the keys of one kind of subject."""

    def __init__(self, schema: LinkageSchema, kind: Kind, derive: Derive, harden: Harden | None = None) -> None:
        specs = schema.keys(kind)
        self._harden = harden
        self._chain, self._keys, self._salts = (BlockPrf(derive(use)) for use in ("chain", "keys", "salts"))
        self._starts = np.stack([start(derive, f"{kind}/{spec.name}") for spec in specs])
        self._anchors = np.array([spec.anchor for spec in specs], np.bool_)
        self._bands = np.array([bit for bit, spec in enumerate(specs) if spec.band is not None], np.intp)
        self.atoms = list(dict.fromkeys([atom for spec in specs for atom in spec.of]))
        # Composites of as many atoms are made together: their bits, and which atoms each joins.
        self._composites: list[tuple[Ints, Ints]] = []
        for size in sorted({len(spec.of) for spec in specs} - {0}):
            alike = [(bit, spec.of) for bit, spec in enumerate(specs) if len(spec.of) == size]
            joined = [[self.atoms.index(atom) for atom in of] for _, of in alike]
            self._composites.append((np.array([bit for bit, _ in alike], np.intp), np.array(joined, np.intp)))

    def of(self, records: Atoms, minima: U64 | None, enough: Bool | None) -> Keys:
        """The keys of some records, of bands where there is `enough`, of min-hashes of shape (records, bands, 2)."""
        present = np.zeros((len(records), len(self._starts)), np.bool_)
        last = np.empty((*present.shape, 2), np.uint64)
        values, known = records.hashes(self.atoms)
        for bits, joined in self._composites:
            whole: Bool = np.all(known[joined], axis=1)
            some = np.flatnonzero(np.any(whole, axis=1))
            present[:, bits[some]] = whole[some].T
            last[:, bits[some]] = self._chained(bits[some], joined[some], values).transpose(1, 0, 2)
        if minima is not None and enough is not None:
            present[:, self._bands] = enough[:, None]
            last[:, self._bands] = self._starts[self._bands] ^ minima
        row, bit = np.nonzero(present)
        blocks = last[row, bit] if self._harden is None else self._harden(last[row, bit])
        anchors = np.flatnonzero(self._anchors[bit])
        return Keys(present, self._keys.one_way(blocks), self._salts.one_way(blocks[anchors])[:, 0])

    def _chained(self, bits: Ints, joined: Ints, values: U64) -> U64:
        """What goes into the last function, (keys, records, 2), of keys that join as many atoms."""
        blocks = self._starts[bits][:, None] ^ values[joined[:, 0]]
        for at in range(1, joined.shape[1]):
            blocks = self._chain.one_way(blocks) ^ values[joined[:, at]]
        return blocks
