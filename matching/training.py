"""Training without labels and without plaintext: u from sampled chance pairs, m by expectation-maximisation.

Candidates that share one MinHash band and nothing else met by chance nearly always: a sample of them gives u (what
Winkler 2002 calls estimating u from random pairs), which then stays fixed, so that EM cannot collapse onto families
or towns. EM (Dempster, Laird and Rubin 1977) fits m and the share of matches among the candidates. Where the pairs
say too little, the reference rates of a comparison weigh in as pseudo-counts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from matching.comparisons import COMPARISONS, Comparison, Levels
from matching.model import KindModel, LevelRates, probability, reference_kind, weigh
from matching.types import Kind

M_PSEUDO_PAIRS = 10.0
U_PSEUDO_PAIRS = 50.0
FITTED_U_PSEUDO_PAIRS = 500.0
FIRST_SHARE = 0.02
MOST_ROUNDS = 100
SETTLED = 1e-5


@dataclass(frozen=True, slots=True)
class TrainingPairs:
    """Candidate pairs to train on.

    `levels` (pairs, comparisons); `lone` (pairs,): met in one band only; `records`:
    how many subjects were looked up; `possible_pairs`: how many pairs there are in all, met or not.
    """

    levels: Levels
    lone: npt.NDArray[np.bool_]
    records: float
    possible_pairs: float


@dataclass(frozen=True, slots=True)
class Trained:
    """A fitted model of one kind, with the match probability of each training pair and the rounds it took."""

    model: KindModel
    probabilities: npt.NDArray[np.float64]
    rounds: int


def _counts(levels: Levels, at: int, size: int, weights: npt.NDArray[np.float64] | None) -> npt.NDArray[np.float64]:
    """How often each level was observed, shape (size,); what was not observed does not count."""
    return np.bincount(levels[:, at], weights=weights, minlength=size + 1)[1:].astype(np.float64)


def _smoothed(counts: npt.NDArray[np.float64], reference: tuple[float, ...], strength: float) -> tuple[float, ...]:
    rates = counts + strength * np.array(reference)
    return tuple((rates / rates.sum()).tolist())


def sampled_u(pairs: TrainingPairs, comparison: Comparison, at: int) -> tuple[float, ...]:
    """The u of one comparison from the chance pairs; never rarer than the reference, which saw more pairs."""
    counts = _counts(pairs.levels[pairs.lone], at, len(comparison.levels), None)
    rates = np.maximum(_smoothed(counts, comparison.u, U_PSEUDO_PAIRS), comparison.u)
    return tuple((rates / rates.sum()).tolist())


def _refit(
    pairs: TrainingPairs, kind: Kind, model: KindModel, chance: npt.NDArray[np.float64]
) -> dict[str, LevelRates]:
    """The m-step: rates given each pair's probability of being a chance pair."""
    rates = {}
    for at, comparison in enumerate(COMPARISONS[kind].comparisons):
        size = len(comparison.levels)
        m = _smoothed(_counts(pairs.levels, at, size, 1.0 - chance), comparison.m, M_PSEUDO_PAIRS)
        u = model.rates[comparison.name].u
        if not comparison.sampled:
            u = _smoothed(_counts(pairs.levels, at, size, chance), comparison.u, FITTED_U_PSEUDO_PAIRS)
        rates[comparison.name] = LevelRates(m, u)
    return rates


def train(pairs: TrainingPairs, kind: Kind) -> Trained:
    """Fit a model to candidate pairs. With no pairs at all the reference model comes back."""
    reference = reference_kind(kind)
    if not len(pairs.levels):
        return Trained(reference, np.zeros(0), 0)
    rates = {
        comparison.name: LevelRates(
            comparison.m, sampled_u(pairs, comparison, at) if comparison.sampled else comparison.u
        )
        for at, comparison in enumerate(COMPARISONS[kind].comparisons)
    }
    share, chance, rounds = FIRST_SHARE, np.zeros(len(pairs.levels)), 0
    while rounds < MOST_ROUNDS:
        rounds += 1
        model = KindModel(rates, reference.matches_per_record, reference.chance_rate)
        weights = weigh(pairs.levels, kind, model).sum(axis=1) + np.log2(share / (1.0 - share))
        chance = 1.0 - probability(weights)
        rates = _refit(pairs, kind, model, chance)
        before, share = share, float(np.clip(1.0 - chance.mean(), 1e-9, 1 - 1e-9))
        if abs(share - before) < SETTLED * before:
            break
    matches = len(pairs.levels) * share
    fitted = KindModel(
        rates,
        matches_per_record=matches / pairs.records,
        chance_rate=max(len(pairs.levels) - matches, 1.0) / pairs.possible_pairs,
    )
    return Trained(fitted, 1.0 - chance, rounds)
