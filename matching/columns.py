"""Many encoded subjects of one kind as dense arrays, so that pairs are compared by the thousand."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from matching.schema import KindSchema
from matching.types import EncodedSubject
from matching.wire import split

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

    def under(self, rows: I64, anchors: I64) -> U8:
        """The block of each (subject, anchor), zeros where there is none."""
        found: U8 = self.blocks[rows, anchors]
        return found


@dataclass(frozen=True, slots=True)
class Packed:
    """What `Columns` is, with the blocks that are there one after another: most are never read.

    `sketches` begins with a block of zeros; `places` (subjects, anchors): where each block is in it, 0 for none.
    """

    keys: U64
    sketches: U8
    places: npt.NDArray[np.int32]
    observed: U64
    names: tuple[str | None, ...]

    def __len__(self) -> int:
        """How many subjects."""
        return len(self.keys)

    def under(self, rows: I64, anchors: I64) -> U8:
        """The block of each (subject, anchor), zeros where there is none."""
        found: U8 = self.sketches[self.places[rows, anchors]]
        return found


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
    count, width, size = len(subjects), len(schema.keys), schema.block_size
    keys = np.zeros((count, width), np.uint64)
    anchors = schema.anchor_mask.bit_count() if size else 0
    blocks = np.zeros((count, anchors, size), np.uint8)
    if subjects:
        at = np.concatenate([_set_bits(each.mask) + row * width for row, each in enumerate(subjects)])
        keys.ravel()[at] = np.frombuffer(b"".join([each.keys for each in subjects]), np.uint64)[::2]
    sketched = [(row, each) for row, each in enumerate(subjects) if each.sketches]
    if sketched:
        at = np.concatenate([_anchor_rows(each.mask, schema.anchor_mask) + row * anchors for row, each in sketched])
        filled = np.frombuffer(b"".join([each.sketches for _, each in sketched]), np.uint8)
        blocks.reshape(-1, size)[at] = filled.reshape(-1, size)
    observed = np.array([subject.observed for subject in subjects], np.uint64)
    return Columns(keys, blocks, observed, tuple(subject.name for subject in subjects))


def stack_packed(packed: Sequence[bytes], schema: KindSchema) -> Packed:
    """What `stack` gives of what `wire.unpack` reads, without an object for each: for candidates by the thousand."""
    count, width, size = len(packed), len(schema.keys), schema.block_size
    masks, own, sketches, observed, names = [], [], [], [], []
    for each in packed:
        mask, seen, name, start, middle, end = split(each)
        masks.append(mask.ljust((width + 7) // 8, b"\0"))
        own.append(each[start:middle])
        sketches.append(each[middle:end])
        observed.append(seen)
        names.append(name)
    wide = np.frombuffer(b"".join(masks), np.uint8).reshape(count, (width + 7) // 8)
    bits = np.unpackbits(wide, axis=1, count=width, bitorder="little").view(np.bool_)
    keys = np.zeros((count, width), np.uint64)
    keys[bits] = np.frombuffer(b"".join(own), np.uint64)
    held = bits[:, schema.anchor_bits] if size else np.zeros((count, 0), np.bool_)
    held &= np.array(list(map(bool, sketches)), np.bool_)[:, None]
    places = held.cumsum(dtype=np.int32).reshape(held.shape) * held
    blocks = np.frombuffer(b"".join([bytes(size), *sketches]), np.uint8).reshape(-1, max(1, size))
    return Packed(keys, blocks, places, np.array(observed, np.uint64), tuple(names))
