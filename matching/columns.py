"""Many encoded subjects of one kind as dense arrays, so that pairs are compared by the thousand."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from matching.schema import KindSchema
from matching.types import EncodedSubject

U8 = npt.NDArray[np.uint8]
U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Columns:
    """Dense arrays of subjects, one row each.

    `keys` (subjects, keys): first 64 bits of each key, 0 where absent; `blocks` (subjects, anchors, block size);
    `observed` (subjects,): bit masks of sketch fields; `names`: trading names, None where there is none.
    """

    keys: U64
    blocks: U8
    observed: U64
    names: tuple[str | None, ...]

    def __len__(self) -> int:
        """How many subjects."""
        return len(self.keys)


@functools.lru_cache(maxsize=8192)
def _set_bits(mask: int) -> npt.NDArray[np.intp]:
    """Positions of the set bits, lowest first."""
    return np.array([bit for bit in range(mask.bit_length()) if mask >> bit & 1], np.intp)


@functools.lru_cache(maxsize=8192)
def _anchor_rows(mask: int, anchor_mask: int) -> npt.NDArray[np.intp]:
    """Where the anchors of this mask stand among all anchors of the schema."""
    anchors = [bit for bit in range(anchor_mask.bit_length()) if anchor_mask >> bit & 1]
    return np.array([row for row, bit in enumerate(anchors) if mask >> bit & 1], np.intp)


def stack(subjects: Sequence[EncodedSubject], schema: KindSchema) -> Columns:
    """The subjects as columns; all must be of the kind that the schema is for."""
    count, size = len(subjects), schema.block_size
    keys = np.zeros((count, len(schema.keys)), np.uint64)
    blocks = np.zeros((count, schema.anchor_mask.bit_count() if size else 0, size), np.uint8)
    for row, subject in enumerate(subjects):
        keys[row, _set_bits(subject.mask)] = np.frombuffer(subject.keys, np.uint64)[::2]
        if subject.sketches:
            rows = _anchor_rows(subject.mask, schema.anchor_mask)
            blocks[row, rows] = np.frombuffer(subject.sketches, np.uint8).reshape(-1, size)
    observed = np.array([subject.observed for subject in subjects], np.uint64)
    return Columns(keys, blocks, observed, tuple(subject.name for subject in subjects))
