"""Pairs weighed in company: what the records that seem one person say of each other together.

A pair by itself does not know that its two records agree with the same third one, or that one of them has a nearer
match which the other contradicts. Here records are gathered into clusters, the heaviest pair first, by the mean weight
of all pairs between two clusters (average linkage: Sokal and Michener 1958; with sparse pairs, Monath et al. 2021), and
every pair of a cluster takes the weight at which its two sides came together, whether it was a candidate or not.
Nothing here needs labels.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from matching.candidates import Candidates

STRONG_BITS = math.log2(0.99 / 0.01)
LEAST_BITS = math.log2(0.05 / 0.95)
"""Clusters grow while their mean weight is at least this: that of a pair which is just possible."""
HEAVIEST, LIGHTEST = 15.0, -20.0
"""Bits that one pair counts for in a mean, so that no single pair outweighs all others."""
COMPANY = 0.1
"""n pairs say more than one, but they share records: their mean counts n ** COMPANY times, and every doubling of n adds
so many bits."""
UNMET_PSEUDO_PAIRS, UNMET_REFERENCE = 256.0, 1 / 64
MOST_WEDGES = 200_000

_FLOAT = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Gathered:
    """Pairs weighed in company, the lower record first: all candidates, and those pairs that only clusters made.

    `weights` in bits (log2 odds).
    """

    pairs: Candidates
    weights: _FLOAT


def gather_clusters(records: int, pairs: Candidates, weights: _FLOAT) -> Gathered:
    """Weigh candidate pairs of so many records in company. Each pair comes once; `weights` are theirs alone."""
    unmet = unmet_bits(records, pairs, weights)
    least = max(LEAST_BITS, unmet + 0.5)
    bounded = np.clip(weights, LIGHTEST, HEAVIEST)
    near = _reachable(records, pairs, bounded >= least)
    linkage = _Linkage(pairs.rows[near].tolist(), pairs.others[near].tolist(), bounded[near].tolist(), unmet, least)
    made = np.array(list(linkage.merged()), np.float64).reshape(-1, 3)
    # Record numbers are far below 2 ** 53, so that they stand exactly in a float.
    low, high = made[:, :2].min(axis=1).astype(np.int64), made[:, :2].max(axis=1).astype(np.int64)
    alone = ~np.isin(pairs.rows * records + pairs.others, low * records + high)
    rows, others = np.concatenate([low, pairs.rows[alone]]), np.concatenate([high, pairs.others[alone]])
    told = np.concatenate([made[:, 2], np.minimum(weights[alone], least)])
    order = np.lexsort((others, rows))
    return Gathered(Candidates(rows[order], others[order], pairs.capped), told[order])


def unmet_bits(records: int, pairs: Candidates, weights: _FLOAT) -> float:
    """What a pair that never met weighs in a mean, in bits: how rarely two strong matches of one record never met.

    Where that happens often, as in poor data, having never met says little.
    """
    strong = weights >= STRONG_BITS
    friends: dict[int, set[int]] = {}
    for row, other in zip(pairs.rows[strong].tolist(), pairs.others[strong].tolist(), strict=True):
        friends.setdefault(row, set()).add(other)
        friends.setdefault(other, set()).add(row)
    wedges = _wedges(friends)
    numbers = np.fromiter((low * records + high for low, high in wedges), np.int64, len(wedges))
    unmet = int((~np.isin(numbers, pairs.rows * records + pairs.others)).sum())
    return math.log2((unmet + UNMET_PSEUDO_PAIRS * UNMET_REFERENCE) / (len(wedges) + UNMET_PSEUDO_PAIRS))


def _wedges(friends: dict[int, set[int]]) -> set[tuple[int, int]]:
    """The pairs of records, lower first, that are both strong matches of a third: at most some MOST_WEDGES of them."""
    ends: set[tuple[int, int]] = set()
    for at in np.random.default_rng(0).permutation(sorted(friends)).tolist():
        if len(ends) >= MOST_WEDGES:
            break
        ends.update(combinations(sorted(friends[at]), 2))
    return ends


def _reachable(records: int, pairs: Candidates, linked: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """The pairs whose two records hang together by linked pairs: no other can come into one cluster."""
    parent = list(range(records))

    def root(record: int) -> int:
        while parent[record] != record:
            parent[record] = parent[parent[record]]
            record = parent[record]
        return record

    for row, other in zip(pairs.rows[linked].tolist(), pairs.others[linked].tolist(), strict=True):
        parent[root(row)] = root(other)
    roots = np.fromiter(map(root, range(records)), np.int64, records)
    return np.flatnonzero(roots[pairs.rows] == roots[pairs.others])


class _Linkage:
    """Average linkage over sparse pairs: `near[a][b]` is the sum of the weights between two clusters, and of how many.

    A cluster is named by one of its records. Entries of the heap that tell of an older state of a cluster are skipped.
    """

    def __init__(
        self, rows: Sequence[int], others: Sequence[int], weights: Sequence[float], unmet: float, least: float
    ) -> None:
        self.unmet, self.least = unmet, least
        self.near: dict[int, dict[int, tuple[float, int]]] = {}
        for row, other, weight in zip(rows, others, weights, strict=True):
            self.near.setdefault(row, {})[other] = (weight, 1)
            self.near.setdefault(other, {})[row] = (weight, 1)
        self.members = {record: [record] for record in self.near}
        self.state = dict.fromkeys(self.near, 0)
        self.height = dict.fromkeys(self.near, math.inf)
        self.heap = [
            (-weight, row, other, 0, 0)
            for row, other, weight in zip(rows, others, weights, strict=True)
            if weight >= least
        ]
        heapq.heapify(self.heap)

    def merged(self) -> Iterator[tuple[int, int, float]]:
        """Each pair of records that came into one cluster, with the weight at which it did, never rising."""
        while self.heap:
            negative, one, other, *states = heapq.heappop(self.heap)
            if [self.state.get(one), self.state.get(other)] != states:
                continue
            height = min(-negative, self.height[one], self.height[other])
            yield from ((a, b, height) for a in self.members[one] for b in self.members[other])
            if len(self.near[one]) < len(self.near[other]):
                one, other = other, one
            self._join(one, other, height)

    def _join(self, one: int, other: int, height: float) -> None:
        self.members[one] = self.members[one] + self.members.pop(other)
        del self.state[other], self.height[other]
        self.state[one] += 1
        self.height[one] = height
        mine, theirs = self.near[one], self.near.pop(other)
        del mine[other], theirs[one]
        for third, (total, count) in theirs.items():
            before, times = mine.get(third, (0.0, 0))
            del self.near[third][other]
            mine[third] = self.near[third][one] = (before + total, times + count)
        self._offer(one, mine.items())

    def _offer(self, one: int, near: Iterable[tuple[int, tuple[float, int]]]) -> None:
        size = len(self.members[one])
        for third, (total, count) in near:
            pairs = size * len(self.members[third])
            mean = (total + (pairs - count) * self.unmet) / pairs
            weight = mean * pairs**COMPANY + COMPANY * math.log2(pairs)
            if weight >= self.least:
                heapq.heappush(self.heap, (-weight, one, third, self.state[one], self.state[third]))
