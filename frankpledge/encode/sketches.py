"""Anchored sketches: what else a record holds, comparable only with a record that shares the anchor's value.

Each block hangs on one anchor key and is salted with bytes of that key's HMAC that are never published, so that two
blocks have something in common only where their anchors had the same value.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from frankpledge.encode.keys import REMEMBERED_PATTERNS
from frankpledge.encode.prf import HASH_BYTES, U8, U64, BlockPrf, TokenHashes
from matching.schema import KindSchema

Hashed = tuple[str, Callable[[str], bytes]]
"""An atom, and what hashes its tokens."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """What a record with some atoms fills: the bytes of tags, the slices of slots, and the fields observed."""

    tags: tuple[Hashed, ...]
    at: npt.NDArray[np.intp]
    slots: tuple[tuple[Hashed, slice], ...]
    observed: int


class SketchBlocks:
    """Makes the sketch blocks of one kind of subject."""

    def __init__(self, kind: KindSchema, hashes: TokenHashes, prf: BlockPrf) -> None:
        self._size, self._prf = kind.block_size, prf
        self._fields = [(part, (part.token.atom, hashes.of(part.token))) for part in kind.sketch]
        self._layout = functools.lru_cache(maxsize=REMEMBERED_PATTERNS)(self._layout_of)

    def blocks(self, atoms: Mapping[str, str], salts: U64) -> tuple[int, bytes]:
        """The mask of fields observed, and one block for each salt in their order."""
        layout = self._layout(tuple(atoms))
        out = np.zeros((len(salts), self._size), np.uint8)
        if layout.observed:
            tokens = [hashes(atoms[atom]) for atom, hashes in layout.tags]
            grams = [hashes(atoms[atom]) for (atom, hashes), _ in layout.slots]
            random = self._prf(salts, np.frombuffer(b"".join(tokens + grams), np.uint64)[:, None])
            start = len(tokens)
            out[:, layout.at] = random[:start, :, 0].T
            for found, (_, where) in zip(grams, layout.slots, strict=True):
                stop = start + len(found) // HASH_BYTES
                out[:, where] = _minima(random[start:stop])[:, : where.stop - where.start]
                start = stop
        return layout.observed, out.tobytes()

    def _layout_of(self, known: tuple[str, ...]) -> _Layout:
        held = [(part, hashed) for part, hashed in self._fields if part.token.atom in known]
        tags = [(part, hashed) for part, hashed in held if part.token.cut == "whole"]
        slots = [(part, hashed) for part, hashed in held if part.token.cut != "whole"]
        return _Layout(
            tuple([hashed for _, hashed in tags]),
            np.array([part.offset for part, _ in tags], np.intp),
            tuple([(hashed, slice(part.offset, part.offset + part.size)) for part, hashed in slots]),
            sum([1 << part.number for part, _ in held]),
        )


def _minima(random: U8) -> U8:
    """Slots of MinHash over some tokens, shape (salts, 8).

    16 bits decide each minimum and 8 of them are kept, so that strangers' slots agree once in 256.
    """
    # One reduction of long rows: numpy's reduceat over all fields at once takes ten times as long.
    lanes = random.reshape(len(random), -1).view(np.uint16)
    slots: U8 = lanes.min(axis=0).astype(np.uint8).reshape(random.shape[1], -1)
    return slots
