"""Candidates in memory: the pairs of two sets of encodings, or within one, that share any key."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from matching.columns import I64, U64, Columns
from matching.schema import KindSchema

HOT_KEY_CAP = 500
"""Records that may share a key before it stops giving candidates: a value that common tells nobody apart."""
COMPOSITE_TIMES = 8
"""How many bands of equal rarity a composite or an identifier counts for."""
RAREST = 17.0
"""Bits that a key counts for which one record has; one less for each doubling."""

_FRACTION = 16
"""Rarity is counted in sixteenths of a bit, so that it fits beside a pair in one integer, which sorts fast."""
_RARITY_BITS = 12
_RECORDS_AT_ONCE = 50_000


@dataclass(frozen=True, slots=True)
class Candidates:
    """Pairs (rows[p], others[p]), each once, in order; `capped` counts the hot keys left out."""

    rows: I64
    others: I64
    capped: int

    def __len__(self) -> int:
        """How many pairs."""
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class _Sorted:
    """One column of keys in rising order, and the rows they stand in; absent keys left out."""

    keys: U64
    rows: I64

    @classmethod
    def of(cls, column: U64) -> _Sorted:
        held = np.flatnonzero(column)
        order = held[np.argsort(column[held], kind="stable")]
        return cls(column[order], order)


def within(columns: Columns, *, cap: int = HOT_KEY_CAP) -> Candidates:
    """Pairs inside one set, the lower row first (de-duplication)."""
    width, codes, capped = len(columns), [], 0
    for at in range(columns.keys.shape[1]):
        own = _Sorted.of(columns.keys[:, at])
        last = np.searchsorted(own.keys, own.keys, "right")
        hot = last - np.searchsorted(own.keys, own.keys, "left") > cap
        capped += len(np.unique(own.keys[hot]))
        # Rows of one key stand rising, so each is the lower of a pair with every row after it.
        following = np.arange(1, len(last) + 1)
        times = np.where(hot, 0, last - following)
        codes.append(np.repeat(own.rows, times) * width + own.rows[_ranges(following, times)])
    return _pairs(codes, width, capped)


def between(left: Columns, right: Columns, *, cap: int = HOT_KEY_CAP) -> Candidates:
    """Pairs of a row of the left set with a row of the right set (linkage)."""
    width, codes, capped = len(right), [], 0
    for at in range(left.keys.shape[1]):
        ours, theirs = _Sorted.of(left.keys[:, at]), _Sorted.of(right.keys[:, at])
        code, _, hot = _joined(ours, theirs, width, cap)
        codes.append(code)
        capped += hot
    return _pairs(codes, width, capped)


class Index:
    """A set to look up candidates in, the likeliest first: for sets so large that chance pairs outnumber all others.

    Those grow with both sets; with at most so many for each record looked up, pairs grow with that side alone.
    """

    def __init__(self, columns: Columns, schema: KindSchema, *, cap: int = HOT_KEY_CAP) -> None:
        self._width, self._cap = len(columns), cap
        self._sorted = [_Sorted.of(columns.keys[:, at]) for at in range(columns.keys.shape[1])]
        bits = np.maximum(1.0, RAREST - np.log2(np.arange(1, cap + 1))) * _FRACTION
        self._rarity = [
            (bits * (1 if key.band is not None else COMPOSITE_TIMES)).astype(np.int64) for key in schema.keys
        ]

    def likeliest(self, left: Columns, most: int) -> Candidates:
        """For each row of the left set at most so many of this one: those with which it shares the rarest keys.

        Some records are looked up at a time, so that memory stays flat; a hot key counts in `capped` each time.
        """
        kept, capped = [np.zeros(0, np.int64)], 0
        for start in range(0, len(left), _RECORDS_AT_ONCE):
            packed = []
            for at, theirs in enumerate(self._sorted):
                ours = _Sorted.of(left.keys[start : start + _RECORDS_AT_ONCE, at])
                codes, sharing, hot = _joined(ours, theirs, self._width, self._cap)
                packed.append(codes << _RARITY_BITS | self._rarity[at][sharing - 1])
                capped += hot
            kept.append(_weightiest(np.concatenate(packed), self._width, most) + start * self._width)
        codes = np.concatenate(kept)
        return Candidates(codes // self._width, codes % self._width, capped)


def _joined(ours: _Sorted, theirs: _Sorted, width: int, cap: int) -> tuple[I64, I64, int]:
    """The pairs that share a key, as row * width + other; how many of the others hold it; how many keys were hot."""
    first = np.searchsorted(theirs.keys, ours.keys, "left")
    times = np.searchsorted(theirs.keys, ours.keys, "right") - first
    hot = times > cap
    capped = len(np.unique(ours.keys[hot]))
    times[hot] = 0
    others = theirs.rows[_ranges(first, times)]
    return np.repeat(ours.rows * width, times) + others, np.repeat(times, times), capped


def _ranges(first: I64, times: I64) -> I64:
    """The numbers first[0], first[0] + 1, ... (times[0] of them), then those from first[1], and so on."""
    ends = np.cumsum(times)
    numbers: I64 = np.arange(ends[-1] if len(ends) else 0) + np.repeat(first - (ends - times), times)
    return numbers


def _weightiest(packed: I64, width: int, most: int) -> I64:
    """Of pairs packed with the rarity of one shared key, those of greatest sum, at most so many a row; in order."""
    packed.sort()
    codes = packed >> _RARITY_BITS
    starts = np.flatnonzero(np.diff(codes, prepend=-1))
    if not len(starts):
        return codes
    sums = np.add.reduceat(packed & ((1 << _RARITY_BITS) - 1), starts)
    codes = codes[starts]
    rows = codes // width
    order = np.lexsort((codes, -sums, rows))
    place = np.arange(len(order)) - np.searchsorted(rows, rows, "left")
    return np.sort(codes[order[place < most]])


def _pairs(codes: list[I64], width: int, capped: int) -> Candidates:
    every = np.unique(np.concatenate(codes)) if codes else np.zeros(0, np.int64)
    return Candidates(every // width, every % width, capped)
