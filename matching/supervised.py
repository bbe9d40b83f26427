"""Learning from pairs that people judged: m by their counts, the priors by their odds. u and h stay as they are.

Who judges sees pairs of band possible and better only, so what is judged says nothing of how often strangers or members
of a household are alike (u, h), nor of matches that the model missed: the rates in use weigh in as pseudo-counts, so
that a level which no judged pair shows keeps its rate. How probable a match is among the pairs that are shown, people
do say: the two priors are moved until the probabilities agree with them.

No source of judgements has more than a third of the weight: whoever judges wrongly, by mistake or on purpose, moves no
more than that however much it judges.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from matching.comparisons import COMPARISONS, Levels
from matching.model import SMALLEST_POOL, TINY, KindModel, LevelRates, kin_weights, weigh
from matching.training import M_FLOOR
from matching.types import Kind

MOST_OF_ONE = 1 / 3
"""The largest share of the weight that one source has: two that agree outvote it."""
M_PSEUDO_PAIRS = 100.0
FARTHEST_BITS = 4.0
"""How far a prior is moved at most, and the spread of the pull back to where it was is half of that."""
_ROUNDS = 200
_STEPS = (1.0, 0.2, 0.05)

_FLOAT = npt.NDArray[np.float64]
_Loss = Callable[[tuple[float, float]], float]


@dataclass(frozen=True, slots=True)
class Judged:
    """Pairs of one kind that were judged, in rows: levels, size of the pool they were scored in, verdict, weight."""

    levels: Levels
    pool_sizes: npt.NDArray[np.int64]
    same: npt.NDArray[np.bool_]
    weights: _FLOAT

    def __len__(self) -> int:
        """How many pairs."""
        return len(self.same)


def shares(sources: Sequence[Sequence[str]], parts: Sequence[float] | None = None) -> list[float]:
    """What each judged pair weighs, given by whom it was judged: 1, or less where a source has judged very many.

    A pair of several sources is shared among them; `parts` are less than 1 of those that are there more than once.
    With fewer than three sources there is no weight that leaves each a third of it, and all weigh nothing.
    """
    counts: dict[str, float] = {}
    parts = parts or [1.0] * len(sources)
    for judges, part in zip(sources, parts, strict=True):
        for each in judges:
            counts[each] = counts.get(each, 0.0) + part / len(judges)
    most = max(counts.values(), default=0.0)
    if len(counts) * MOST_OF_ONE < 1:
        most = 0.0
    for _ in range(_ROUNDS):
        most = min(most, MOST_OF_ONE * sum(min(each, most) for each in counts.values()))
    factor = {each: min(1.0, most / count) for each, count in counts.items()}
    return [
        part * sum(factor[each] for each in judges) / len(judges) for judges, part in zip(sources, parts, strict=True)
    ]


def fit(base: KindModel, kind: Kind, judged: Judged) -> KindModel:
    """A model of one kind by what was judged, starting from the one in use, which comes back where nothing was."""
    if not judged.weights.sum():
        return base
    same = judged.same * judged.weights
    rates: dict[str, LevelRates] = {}
    for at, comparison in enumerate(COMPARISONS[kind].comparisons):
        own, size = base.rates[comparison.name], len(comparison.levels)
        counts = np.bincount(judged.levels[:, at], weights=same, minlength=size + 1)[1:]
        raised = np.maximum(counts + M_PSEUDO_PAIRS * np.array(own.m), M_FLOOR * (counts.sum() + M_PSEUDO_PAIRS))
        rates[comparison.name] = replace(own, m=tuple((raised / raised.sum()).tolist()))
    return _calibrated(replace(base, rates=rates), kind, judged)


def probabilities(model: KindModel, kind: Kind, judged: Judged) -> _FLOAT:
    """What a model says of judged pairs, each in the pool it was scored in."""
    match, kin = _odds(model, kind, judged)
    return _probability(match, kin)


def _odds(model: KindModel, kind: Kind, judged: Judged) -> tuple[_FLOAT, _FLOAT]:
    """Log2 odds over strangers of each pair: to be a match, to be of one household."""
    chance = np.log2(model.chance_rate * np.maximum(judged.pool_sizes, SMALLEST_POOL))
    match: _FLOAT = weigh(judged.levels, kind, model).sum(axis=1) + np.log2(model.matches_per_record) - chance
    if not model.kin_per_record:
        return match, np.full(len(judged), -np.inf)
    kin: _FLOAT = kin_weights(judged.levels, kind, model) + np.log2(max(model.kin_per_record, TINY)) - chance
    return match, kin


def _probability(match: _FLOAT, kin: _FLOAT) -> _FLOAT:
    bits = match - np.logaddexp2(0.0, kin)
    return 1.0 / (1.0 + np.exp2(-np.clip(bits, -60.0, 60.0)))


def _calibrated(model: KindModel, kind: Kind, judged: Judged) -> KindModel:
    """Move the priors of a match and of a household, no farther than the judged pairs pull them."""
    match, kin = _odds(model, kind, judged)

    def loss(moved: tuple[float, float]) -> float:
        said = np.clip(_probability(match + moved[0], kin + moved[1]), 1e-9, 1 - 1e-9)
        misses = -judged.weights @ np.where(judged.same, np.log(said), np.log1p(-said))
        return float(misses + 2.0 * (moved[0] ** 2 + moved[1] ** 2) / FARTHEST_BITS**2)

    best = (0.0, 0.0)
    for step in _STEPS:
        best = _least(loss, best, step, households=model.kin_per_record > 0)
    return replace(
        model,
        matches_per_record=model.matches_per_record * 2 ** best[0],
        kin_per_record=model.kin_per_record * 2 ** best[1],
    )


def _least(loss: _Loss, start: tuple[float, float], step: float, *, households: bool) -> tuple[float, float]:
    """Walk downhill on a grid until no neighbour is lower."""
    ways = [(1, 0), (-1, 0), (0, 1), (0, -1)] if households else [(1, 0), (-1, 0)]
    best, lowest = start, loss(start)
    while True:
        near = [(best[0] + step * by, best[1] + step * kin) for by, kin in ways]
        tried = {each: loss(each) for each in near if max(map(abs, each)) <= FARTHEST_BITS + 1e-9}
        least = min(tried, key=tried.__getitem__)
        if tried[least] >= lowest:
            return best
        best, lowest = least, tried[least]
