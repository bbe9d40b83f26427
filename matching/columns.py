"""Many encoded subjects of one kind as dense arrays, so that pairs are compared by the thousand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from matching import wire
from matching.schema import KindSchema
from matching.types import KEY_BYTES, EncodedSubject

U8 = npt.NDArray[np.uint8]
U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]
_WORD = 8


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

    `sketches` has, from each byte of what was packed on, as many as a block has; `places` (subjects, anchors) are the
    bytes where the blocks begin.
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


def stack(subjects: Sequence[EncodedSubject], schema: KindSchema) -> Columns:
    """The subjects as columns; all must be of the kind that the schema is for."""
    size = schema.block_size
    bits = _bits([each.mask for each in subjects], len(schema.keys))
    keys = np.zeros(bits.shape, np.uint64)
    keys[bits] = np.frombuffer(b"".join([each.keys for each in subjects]), np.uint64)[::2]
    held = bits[:, schema.anchor_bits if size else []]
    held &= np.array([bool(each.sketches) for each in subjects], np.bool_)[:, None]
    blocks = np.zeros((*held.shape, size), np.uint8)
    if size:
        blocks[held] = np.frombuffer(b"".join([each.sketches for each in subjects]), np.uint8).reshape(-1, size)
    observed = np.array([subject.observed for subject in subjects], np.uint64)
    return Columns(keys, blocks, observed, tuple(subject.name for subject in subjects))


def stack_packed(packed: Sequence[bytes], schema: KindSchema) -> Packed:
    """What `stack` gives of what `wire.unpack` reads, without an object for each: for candidates by the thousand."""
    size = schema.block_size
    content = b"".join([*packed, bytes(max(_WORD, size))])  # zeros last: the block of those that have none
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum([len(each) for each in packed], dtype=np.int64)])
    heads = np.ndarray((len(content) - wire.HEAD.itemsize + 1,), wire.HEAD, content, strides=(1,))[starts[:-1]]
    facts = starts[:-1] + wire.HEAD.itemsize
    keys = facts + heads["facts"]
    blocks = keys + heads["keys"]
    texts = [content[start:end] for start, end in zip(facts.tolist(), keys.tolist(), strict=True)]
    read = {text: wire.compared(text) for text in set(texts)}
    masks, observed, names = zip(*[read[text] for text in texts], strict=True) if texts else ((), (), ())
    bits = _bits(masks, len(schema.keys))
    held = bits.sum(axis=1)
    places = np.repeat(keys - KEY_BYTES * (np.cumsum(held) - held), held)
    first = np.zeros(bits.shape, np.uint64)
    words = np.ndarray((len(content) - _WORD + 1,), np.uint64, content, strides=(1,))
    first[bits] = words[places + KEY_BYTES * np.arange(len(places))]
    open_at = bits[:, schema.anchor_bits if size else []] & (heads["sketches"] > 0)[:, None]
    under = size * open_at.cumsum(axis=1, dtype=np.int32) + (blocks - size).astype(np.int32)[:, None]
    under[~open_at] = starts[-1]
    sketches = np.ndarray((len(content) - size + 1, size), np.uint8, content, strides=(1, 1))
    return Packed(first, sketches, under, np.array(observed, np.uint64), names)


def _bits(masks: Sequence[int], width: int) -> Bool:
    """Masks as rows of bits, lowest first."""
    size = (width + 7) // 8
    wide = np.frombuffer(b"".join([mask.to_bytes(size, "little") for mask in masks]), np.uint8)
    return np.unpackbits(wide.reshape(len(masks), size), axis=1, count=width, bitorder="little").view(np.bool_)
