"""Comparisons and their levels: each a closed list, from most to least agreement."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from matching.evidence import PairEvidence

NOT_OBSERVED = 0
"""Level 0 of every comparison: one side holds nothing, or no shared anchor opens it. Its weight is always zero."""

Levels = npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison.

    `levels[i]` is the word for level i + 1; `m` and `u` are reference probabilities of the levels
    among matches and among chance pairs, used where training has too little to go by. `compare` gives the level of
    each pair, shape (pairs,). `h` are the rates among members of one household, for kinds that have households.
    `sampled` says that u is measured on sampled chance pairs rather than fitted; `personal` that this is what sets
    members of a household apart.
    """

    name: str
    levels: tuple[str, ...]
    m: tuple[float, ...]
    u: tuple[float, ...]
    compare: Callable[[PairEvidence], Levels]
    h: tuple[float, ...] = ()
    sampled: bool = True
    personal: bool = False


@dataclass(frozen=True, slots=True)
class ComparisonSet:
    """All comparisons of one kind of subject.

    `chance_rate` is the reference share of a pool that a subject meets as a candidate by chance: for persons it is
    what MinHash bands bring in, for the others what a clerk's slip in a mark or a number does.
    """

    comparisons: tuple[Comparison, ...]
    chance_rate: float

    def levels(self, evidence: PairEvidence) -> Levels:
        """The level of each comparison, shape (pairs, comparisons)."""
        return np.stack([comparison.compare(evidence) for comparison in self.comparisons], axis=1)


def choose(count: int, rules: dict[int, npt.NDArray[np.bool_]]) -> Levels:
    """The level of each pair: the first rule that holds, in the order given; NOT_OBSERVED where none does."""
    out = np.full(count, NOT_OBSERVED, np.int8)
    for level, holds in reversed(rules.items()):
        out[holds] = level
    return out


def shared_key(name: str, *, m: float, u: float, h: float | None = None, key: str | None = None) -> Comparison:
    """A comparison that only knows whether a key is shared: same, or differs where both sides hold one."""

    def compare(evidence: PairEvidence) -> Levels:
        both, same = evidence.key(key or name)
        return 2 * both.view(np.int8) - same.view(np.int8)  # what is the same is on both sides

    kin = () if h is None else (h, 1 - h)
    return Comparison(name, ("same", "differs"), (m, 1 - m), (u, 1 - u), compare, kin)
