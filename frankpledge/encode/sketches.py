"""Anchored sketches: what else a record holds, comparable only with a record that shares the anchor's value.

Each block hangs on one anchor key and is salted with bytes of that key's HMAC that are never published, so that two
blocks have something in common only where their anchors had the same value.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from frankpledge.encode.prf import U8, U64, BlockPrf, TokenHash
from matching.schema import KindSchema

SLOTS = 4
"""Most slots a sketch field may have."""


class SketchBlocks:
    """Makes the sketch blocks of one kind of subject."""

    def __init__(self, kind: KindSchema, hashes: TokenHash, prf: BlockPrf) -> None:
        self._fields, self._size, self._hashes, self._prf = kind.sketch, kind.block_size, hashes, prf

    def blocks(self, atoms: Mapping[str, str], salts: U64) -> tuple[int, bytes]:
        """The mask of fields observed, and one block for each salt in their order."""
        found = [self._hashes(atoms, part.token) for part in self._fields]
        observed = sum([1 << bit for bit, pieces in enumerate(found) if pieces])
        out = np.zeros((len(salts), self._size), np.uint8)
        if not observed:
            return observed, out.tobytes()
        held = [(part, pieces) for part, pieces in zip(self._fields, found, strict=True) if pieces]
        tags = [(part, pieces) for part, pieces in held if part.token.cut == "whole"]
        slots = [(part, pieces) for part, pieces in held if part.token.cut != "whole"]
        tokens = np.array([token for _, pieces in tags + slots for token in pieces], np.uint64)
        random = self._prf(salts, tokens)
        out[:, [part.offset for part, _ in tags]] = random[:, : len(tags), 0]
        if slots:
            minima = _minima(random[:, len(tags) :], [len(pieces) for _, pieces in slots])
            for at, (part, _) in enumerate(slots):
                out[:, part.offset : part.offset + part.size] = minima[:, at, : part.size]
        return observed, out.tobytes()


def _minima(random: U8, sizes: list[int]) -> U8:
    """Up to four slots of MinHash for runs of tokens, shape (salts, runs, 4).

    16 bits decide each minimum and 8 of them are kept, so that strangers' slots agree once in 256.
    """
    starts = np.cumsum([0, *sizes[:-1]])
    lanes = np.ascontiguousarray(random[:, :, : 2 * SLOTS]).view(np.uint16)
    return np.minimum.reduceat(lanes, starts, axis=1).astype(np.uint8)
