"""Candidates in memory: the pairs within one set of encodings that share any indexed key, or the likeliest of two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from matching.columns import I64, U64, Columns
from matching.schema import KindSchema

HOT_KEY_CAP = 50
"""Records that may share a key before it stops giving candidates: a value that common tells nobody apart."""
COMPOSITE_TIMES = 8
"""How many bands of equal rarity a composite or an identifier counts for."""
RAREST = 17.0
"""Bits that a key counts for which one record has; one less for each doubling."""

_FRACTION = 16
"""Rarity is counted in sixteenths of a bit, so that it fits beside a pair in one integer, which sorts fast."""
_RARITY_BITS = 12
_SUM_BITS = 19
"""For the rarities of all keys of a pair together: some hundred keys, an eighth of them counted eight times."""
_RECORDS_AT_ONCE = 25_000


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
    """One column of keys, absent ones left out: the different `keys`, rising, and the `rows` they stand in.

    The key at n stands in so many rows: `times[n]` of them, from `first[n]` on.
    """

    keys: U64
    first: I64
    times: I64
    rows: I64

    @classmethod
    def of(cls, column: U64) -> _Sorted:
        held = np.flatnonzero(column)
        order = held[np.argsort(column[held])]
        keys = column[order]
        first = _changes(keys)
        return cls(keys[first], first, np.diff(first, append=len(keys)), order)


def within(columns: Columns, bits: Sequence[int], *, cap: int = HOT_KEY_CAP) -> Candidates:
    """Pairs inside one set, the lower row first (de-duplication), found by some keys (`KindSchema.index_bits`).

    Two sets put one after the other are one set, whose pairs may cross.
    """
    width, codes, capped = len(columns).bit_length(), [], 0
    for at in bits:
        own = _Sorted.of(columns.keys[:, at])
        capped += int((own.times > cap).sum())
        # Each row of a key makes a pair with every one after it.
        last = np.repeat(own.first + np.where(own.times > cap, 0, own.times), own.times)
        following = np.arange(1, len(own.rows) + 1)
        times = np.maximum(0, last - following)
        one, other = np.repeat(own.rows, times), own.rows[_ranges(following, times)]
        codes.append(np.minimum(one, other) << width | np.maximum(one, other))
    return _pairs(codes, width, capped)


class Index:
    """A set to look up candidates in, the likeliest first: for sets so large that chance pairs outnumber all others.

    Those grow with both sets; with at most so many for each record looked up, pairs grow with that side alone.
    """

    def __init__(self, columns: Columns, schema: KindSchema, *, cap: int = HOT_KEY_CAP) -> None:
        self._bits, self._cap = len(columns).bit_length(), cap
        self._sorted = [(at, _Sorted.of(columns.keys[:, at])) for at in schema.index_bits]
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
            for at, theirs in self._sorted:
                ours = left.keys[start : start + _RECORDS_AT_ONCE, at]
                codes, sharing, hot = _joined(ours, theirs, self._bits, self._cap)
                packed.append(codes << _RARITY_BITS | self._rarity[at][sharing - 1])
                capped += hot
            kept.append(_weightiest(np.concatenate(packed), self._bits, most) + (start << self._bits))
        return _pairs(kept, self._bits, capped)


def _joined(ours: U64, theirs: _Sorted, bits: int, cap: int) -> tuple[I64, I64, int]:
    """The pairs that share a key, as row << bits | other; how many of the others hold it; how many keys were hot."""
    rows = np.flatnonzero(ours)
    if not len(theirs.keys) or not len(rows):
        return rows[:0], rows[:0], 0
    rows = rows[ours[rows].argsort()]  # what is looked up in rising order is near what was looked up before
    keys = ours[rows]
    at = np.minimum(theirs.keys.searchsorted(keys), len(theirs.keys) - 1)
    found = np.flatnonzero(theirs.keys[at] == keys)
    at, rows = at[found], rows[found]
    times, capped = theirs.times[at], 0
    if len(times) and times.max() > cap:
        hot = times > cap
        capped, times = len(np.unique(at[hot])), np.where(hot, 0, times)
    others = theirs.rows[_ranges(theirs.first[at], times)]
    return np.repeat(rows << bits, times) | others, np.repeat(times, times), capped


def _ranges(first: I64, times: I64) -> I64:
    """The numbers first[0], first[0] + 1, ... (times[0] of them), then those from first[1], and so on."""
    ends = np.cumsum(times)
    numbers: I64 = np.arange(ends[-1] if len(ends) else 0) + np.repeat(first - (ends - times), times)
    return numbers


def _changes(rising: U64 | I64) -> I64:
    """Where another value than before stands, the first place included."""
    return np.flatnonzero(np.concatenate([np.ones(min(1, len(rising)), np.bool_), rising[1:] != rising[:-1]]))


def _weightiest(packed: I64, bits: int, most: int) -> I64:
    """Of pairs packed with the rarity of one shared key, those of greatest sum, at most so many a row; in order."""
    packed.sort()
    codes = packed >> _RARITY_BITS
    starts = _changes(codes)
    if not len(starts):
        return codes
    sums = np.add.reduceat(packed & ((1 << _RARITY_BITS) - 1), starts)
    codes = codes[starts]
    # Row, what the sum lacks, other: one integer again, whose order is that of the pairs of each row.
    others, lacking = codes & ((1 << bits) - 1), (1 << _SUM_BITS) - 1 - sums
    ranked = np.sort((codes >> bits << _SUM_BITS | lacking) << bits | others)
    rows = ranked >> (bits + _SUM_BITS)
    first = _changes(rows)
    place = np.arange(len(rows)) - np.repeat(first, np.diff(first, append=len(rows)))
    kept = place < most
    return np.sort(rows[kept] << bits | ranked[kept] & ((1 << bits) - 1))


def _pairs(codes: list[I64], bits: int, capped: int) -> Candidates:
    every = np.unique(np.concatenate(codes)) if codes else np.zeros(0, np.int64)
    return Candidates(every >> bits, every & ((1 << bits) - 1), capped)
