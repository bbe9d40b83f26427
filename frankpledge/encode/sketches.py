"""Anchored sketches: what else a record holds, comparable only with a record that shares the anchor's value.

Each block hangs on one anchor key and is salted with bytes of that key's HMAC that are never published, so that two
blocks have something in common only where their anchors had the same value.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
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

    def blocks(self, known: tuple[str, ...], records: Sequence[Mapping[str, str]], salts: U64) -> tuple[int, U8]:
        """The mask of fields observed in records that know the same atoms, and a block for each record and salt."""
        layout = self._layout(known)
        out = np.zeros((*salts.shape, self._size), np.uint8)
        if layout.observed and salts.size:
            hashes = b"".join([hashed(atoms[atom]) for atoms in records for atom, hashed in layout.tags])
            columns = [np.frombuffer(hashes, np.uint64).reshape(len(records), -1)]
            columns += [_hashes([hashed(atoms[atom]) for atoms in records]) for (atom, hashed), _ in layout.slots]
            random = self._prf(salts[:, None, :], np.concatenate(columns, axis=1)[:, :, None])
            start = len(layout.tags)
            out[:, :, layout.at] = random[:, :start, :, 0].transpose(0, 2, 1)
            for field, (_, where) in zip(columns[1:], layout.slots, strict=True):
                stop = start + field.shape[1]
                out[:, :, where] = _minima(random[:, start:stop])[:, :, : where.stop - where.start]
                start = stop
        return layout.observed, out

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


def _hashes(found: Sequence[bytes]) -> U64:
    """The token hashes of a field of some records, a row each; the first stands again where others have more.

    A token twice in a row changes no minimum, and rows of one length go through the processor together.
    """
    longest = max(map(len, found))
    rows = [each + each[:HASH_BYTES] * ((longest - len(each)) // HASH_BYTES) for each in found]
    return np.frombuffer(b"".join(rows), np.uint64).reshape(len(found), -1)


def _minima(random: U8) -> U8:
    """Slots of MinHash over some tokens, shape (records, salts, 8), of blocks (records, tokens, salts, 16).

    16 bits decide each minimum and 8 of them are kept, so that strangers' slots agree once in 256.
    """
    records, tokens, salts, _ = random.shape
    # Reductions of long rows: numpy takes several times as long for short ones.
    lanes = random.view(np.uint16).reshape(records, tokens, -1)
    slots: U8 = lanes.min(axis=1).astype(np.uint8).reshape(records, salts, -1)
    return slots
