"""What two encodings show of each other: which keys they share, and what the sketches under those keys say.

Sketches are read only under keys that both records hold with the same value. What no shared anchor opens is not
observed, which is not the same as different.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from matching.columns import I64, U8, Bool, Columns, Packed
from matching.schema import KindSchema

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PairEvidence:
    """Evidence of some pairs.

    `shared` and `both` (pairs, keys): key equal, key present on both sides; `opened` (pairs,): anchors shared;
    `agreeing` (pairs, block size): under how many of them each sketch byte agrees; `crossed` (pairs, 2): under how many
    the left given name is the right family name, and the other way round; `fields` (pairs, sketch fields): held by both
    sides and opened by a shared anchor; `alike` (pairs, sketch fields): of those, where the first byte agrees under
    every shared anchor; `names`: trading names of both sides, none where
    all of a side have none.
    """

    schema: KindSchema
    shared: Bool
    both: Bool
    opened: Counts
    agreeing: Counts
    crossed: Counts
    fields: Bool
    alike: Bool
    names: tuple[tuple[str | None, str | None], ...]

    def __len__(self) -> int:
        """How many pairs."""
        return len(self.opened)

    def known(self, field: str) -> Bool:
        """Where a sketch field is held by both sides and opened by a shared anchor."""
        return self.fields[:, self.schema.parts[field].number]

    def same(self, field: str) -> Bool:
        """Where a whole-value tag agrees under every shared anchor."""
        return self.alike[:, self.schema.parts[field].number]

    def similarity(self, field: str) -> npt.NDArray[np.float64]:
        """Estimated Jaccard similarity of a field's bigrams, 0 to 1: the share of its MinHash slots that agree."""
        part = self.schema.parts[field]
        agreeing = self.agreeing[:, part.offset : part.offset + part.size].sum(axis=1)
        return np.where(self.known(field), agreeing / np.maximum(1, self.opened * part.size), 0.0)

    def key(self, name: str) -> tuple[Bool, Bool]:
        """Where this key is present on both sides, and where it is shared."""
        at = self.schema.key_bits[name]
        return self.both[:, at], self.shared[:, at]


def gather(left: Columns | Packed, right: Columns | Packed, rows: I64, others: I64, schema: KindSchema) -> PairEvidence:
    """Evidence of the pairs (left[rows[p]], right[others[p]]). Memory: some 2 kB a pair."""
    ours, theirs = left.keys[rows], right.keys[others]
    both = (ours != 0) & (theirs != 0)
    shared = both & (ours == theirs)
    open_at = shared[:, schema.anchor_bits]
    opened = open_at.sum(axis=1)
    # Of some seventy anchors a pair shares a few: only their blocks are read.
    pair, anchor = np.nonzero(open_at)
    agreeing, crossed = _agreement(
        left.under(rows[pair], anchor), right.under(others[pair], anchor), pair, len(rows), schema
    )
    held = (left.observed[rows] & right.observed[others])[:, None] >> np.arange(len(schema.sketch), dtype=np.uint64)
    fields: Bool = ((held & np.uint64(1)) == 1) & (opened > 0)[:, None]
    alike: Bool = fields & (agreeing[:, [part.offset for part in schema.sketch]] == opened[:, None])
    names: tuple[tuple[str | None, str | None], ...] = ((None, None),) * len(rows)
    if any(left.names) and any(right.names):
        names = tuple((left.names[i], right.names[j]) for i, j in zip(rows.tolist(), others.tolist(), strict=True))
    return PairEvidence(schema, shared, both, opened, agreeing, crossed, fields, alike, names)


def _agreement(ours: U8, theirs: U8, pair: I64, pairs: int, schema: KindSchema) -> tuple[Counts, Counts]:
    """`agreeing` and `crossed` of `PairEvidence`, from the blocks of shared anchors, those of one pair in a row."""
    agreeing, crossed = np.zeros((pairs, ours.shape[1]), np.int64), np.zeros((pairs, 2), np.int64)
    starts = np.flatnonzero(np.diff(pair, prepend=-1))
    if not len(starts):
        return agreeing, crossed
    agreeing[pair[starts]] = np.add.reduceat(ours == theirs, starts, axis=0, dtype=np.int64)
    if "given" in schema.parts and "family" in schema.parts:
        names = [schema.parts["given"].offset, schema.parts["family"].offset]
        swapped = ours[:, names] == theirs[:, names[::-1]]
        crossed[pair[starts]] = np.add.reduceat(swapped, starts, axis=0, dtype=np.int64)
    return agreeing, crossed
