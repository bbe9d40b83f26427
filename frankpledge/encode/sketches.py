"""Anchored sketches: what else a record holds, comparable only with a record that shares the anchor's value.

Each block hangs on one anchor key and is salted with bytes of that key's HMAC that are never published, so that two
blocks have something in common only where their anchors had the same value.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from frankpledge.encode.prf import U64, BlockPrf, TokenHash
from frankpledge.encode.tokens import tokens
from matching.schema import KindSchema


class SketchBlocks:
    """Makes the sketch blocks of one kind of subject."""

    def __init__(self, kind: KindSchema, hashes: TokenHash, prf: BlockPrf) -> None:
        self._fields, self._size, self._hashes, self._prf = kind.sketch, kind.block_size, hashes, prf

    def blocks(self, atoms: Mapping[str, str], salts: U64) -> tuple[int, bytes]:
        """The mask of fields observed, and one block for each salt in their order."""
        found = [tokens(atoms, part.token) for part in self._fields]
        observed = sum(1 << bit for bit, pieces in enumerate(found) if pieces)
        if not observed or not len(salts):
            return observed, bytes(self._size * len(salts))
        random = self._prf(salts, self._hashes([token for pieces in found for token in pieces]))
        lanes = random.view(np.uint16)
        out = np.zeros((len(salts), self._size), np.uint8)
        start = 0
        for part, pieces in zip(self._fields, found, strict=True):
            stop = start + len(pieces)
            if pieces and part.token.cut == "whole":
                out[:, part.offset] = random[:, start, 0]
            elif pieces:
                # 16 bits decide the minimum, 8 of them are kept: strangers' slots agree once in 256.
                minima = lanes[:, start:stop, : part.size].min(axis=1)
                out[:, part.offset : part.offset + part.size] = minima.astype(np.uint8)
            start = stop
        return observed, out.tobytes()
