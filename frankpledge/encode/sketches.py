"""Anchored sketches: what else a record holds, comparable only with a record that shares the anchor's value.

Each block hangs on one anchor key and is salted with bytes of that key's HMAC that are never published, so that two
blocks have something in common only where their anchors had the same value.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from frankpledge.encode.prf import U8, U64, BlockPrf, TokenHash
from matching.schema import KindSchema


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
        random = self._prf(salts, tokens[:, None])
        out[:, [part.offset for part, _ in tags]] = random[: len(tags), :, 0].T
        start = len(tags)
        for part, pieces in slots:
            stop = start + len(pieces)
            out[:, part.offset : part.offset + part.size] = _minima(random[start:stop])[:, : part.size]
            start = stop
        return observed, out.tobytes()


def _minima(random: U8) -> U8:
    """Slots of MinHash over some tokens, shape (salts, 8).

    16 bits decide each minimum and 8 of them are kept, so that strangers' slots agree once in 256.
    """
    # One reduction of long rows: numpy's reduceat over all fields at once takes ten times as long.
    lanes = random.reshape(len(random), -1).view(np.uint16)
    slots: U8 = lanes.min(axis=0).astype(np.uint8).reshape(random.shape[1], -1)
    return slots
