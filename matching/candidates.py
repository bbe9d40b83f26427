"""Candidates in memory: the pairs of two sets of encodings, or within one, that share any key."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from matching.columns import I64, U64, Columns

HOT_KEY_CAP = 500
"""Records that may share a key before it stops giving candidates: a value that common tells nobody apart."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Pairs (rows[p], others[p]), each once, in order; `capped` counts the hot keys left out."""

    rows: I64
    others: I64
    capped: int

    def __len__(self) -> int:
        """How many pairs."""
        return len(self.rows)


def _groups(column: U64) -> list[I64]:
    """Record numbers that share a value of the column, for every value held twice or more."""
    order = np.argsort(column, kind="stable")
    values = column[order]
    starts = np.flatnonzero(np.r_[True, values[1:] != values[:-1]])
    ends = np.r_[starts[1:], len(values)]
    return [order[s:e] for s, e in zip(starts, ends, strict=True) if e - s > 1 and values[s] != 0]


def _pairs(codes: list[I64], width: int, capped: int) -> Candidates:
    every = np.unique(np.concatenate(codes)) if codes else np.zeros(0, np.int64)
    return Candidates(every // width, every % width, capped)


def within(columns: Columns, *, cap: int = HOT_KEY_CAP) -> Candidates:
    """Pairs inside one set, the lower row first (de-duplication)."""
    width, codes, capped = len(columns), [], 0
    for at in range(columns.keys.shape[1]):
        for members in _groups(columns.keys[:, at]):
            if len(members) > cap:
                capped += 1
                continue
            sorted_members = np.sort(members)
            first, second = np.triu_indices(len(members), 1)
            codes.append(sorted_members[first] * width + sorted_members[second])
    return _pairs(codes, width, capped)


def between(left: Columns, right: Columns, *, cap: int = HOT_KEY_CAP) -> Candidates:
    """Pairs of a row of the left set with a row of the right set (linkage)."""
    width, codes, capped = len(right), [], 0
    for at in range(left.keys.shape[1]):
        for members in _groups(np.concatenate([left.keys[:, at], right.keys[:, at]])):
            ours, theirs = members[members < len(left)], members[members >= len(left)] - len(left)
            if len(theirs) > cap:
                capped += 1
                continue
            codes.append((ours[:, None] * width + theirs[None, :]).ravel())
    return _pairs([code for code in codes if len(code)], width, capped)
