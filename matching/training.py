"""Training without labels and without plaintext: u from sampled chance pairs, m by expectation-maximisation.

Three kinds of pairs are told apart: one person twice, two members of one household, and strangers. Without the second
every family would be drawn into the matches, as its members share a name, an address and a telephone.

Candidates that share one MinHash band and nothing else met by chance nearly always: a sample of them gives u (what
Winkler 2002 calls estimating u from random pairs), which then stays fixed, so that EM cannot collapse onto families
or towns. EM (Dempster, Laird and Rubin 1977) fits m and the share of matches among the candidates. Where the pairs
say too little, the reference rates of a comparison weigh in as pseudo-counts.

EM finds the nearest of several optima. So that its third class is the household and not some other crowd of pairs
that are alike, such as half of the matches of poor data, what sets members of a household apart (their given names
and birthdays) keeps its reference rates.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from matching.comparisons import COMPARISONS, Comparison, Levels
from matching.model import KindModel, LevelRates, kin_weights, reference_kind, weigh
from matching.types import Kind

M_PSEUDO_PAIRS = 10.0
M_FLOOR = 0.002
"""No level is rarer than this among matches: a record that has never yet been wrong will be."""
H_PSEUDO_PAIRS = 200.0
U_PSEUDO_PAIRS = 50.0
FITTED_U_PSEUDO_PAIRS = 500.0
FIRST_SHARE = 0.02
NO_SHARE = 1e-9
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
    """A fitted model of one kind, and the rounds of EM it took."""

    model: KindModel
    rounds: int


@dataclass(frozen=True, slots=True)
class _Patterns:
    """The distinct rows of levels and how often each stands among all pairs and among the chance pairs.

    Pairs by the million have patterns by the thousand: EM over patterns costs the same whatever the pool's size.
    """

    levels: Levels
    counts: npt.NDArray[np.float64]
    lone: npt.NDArray[np.float64]


def _patterns(pairs: TrainingPairs) -> _Patterns:
    rows = np.ascontiguousarray(pairs.levels).view(np.dtype((np.void, pairs.levels.shape[1]))).ravel()
    distinct, inverse, counts = np.unique(rows, return_inverse=True, return_counts=True)
    lone = np.bincount(inverse, weights=pairs.lone, minlength=len(distinct)).astype(np.float64)
    return _Patterns(distinct.view(np.int8).reshape(len(distinct), -1), counts.astype(np.float64), lone)


def _counts(levels: Levels, at: int, size: int, weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """How often each level was observed, shape (size,); what was not observed does not count."""
    return np.bincount(levels[:, at], weights=weights, minlength=size + 1)[1:].astype(np.float64)


def _smoothed(counts: npt.NDArray[np.float64], reference: tuple[float, ...], strength: float) -> tuple[float, ...]:
    rates = counts + strength * np.array(reference)
    return tuple((rates / rates.sum()).tolist())


def _floored(rates: tuple[float, ...]) -> tuple[float, ...]:
    raised = np.maximum(rates, M_FLOOR)
    return tuple((raised / raised.sum()).tolist())


def _sampled_u(patterns: _Patterns, comparison: Comparison, at: int) -> tuple[float, ...]:
    """The u of one comparison from the chance pairs; never rarer than the reference, which saw more pairs."""
    counts = _counts(patterns.levels, at, len(comparison.levels), patterns.lone)
    rates = np.maximum(_smoothed(counts, comparison.u, U_PSEUDO_PAIRS), comparison.u)
    return tuple((rates / rates.sum()).tolist())


def _m_step(
    patterns: _Patterns, kind: Kind, model: KindModel, classes: npt.NDArray[np.float64]
) -> dict[str, LevelRates]:
    """Rates given how probably each pair is a match, of one household, or met by chance (rows of `classes`)."""
    match, kin, chance = classes * patterns.counts
    rates = {}
    for at, comparison in enumerate(COMPARISONS[kind].comparisons):
        size = len(comparison.levels)
        m = _floored(_smoothed(_counts(patterns.levels, at, size, match), comparison.m, M_PSEUDO_PAIRS))
        u, h = model.rates[comparison.name].u, comparison.h
        if not comparison.sampled:
            u = _smoothed(_counts(patterns.levels, at, size, chance), comparison.u, FITTED_U_PSEUDO_PAIRS)
        if h and not comparison.personal:
            h = _smoothed(_counts(patterns.levels, at, size, kin), h, H_PSEUDO_PAIRS)
        rates[comparison.name] = LevelRates(m, u, h)
    return rates


def _e_step(
    patterns: _Patterns, kind: Kind, model: KindModel, shares: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """How probably pairs of each pattern are a match, of one household, or met by chance: shape (3, patterns)."""
    bits = np.zeros((3, len(patterns.levels)))
    bits[0] = weigh(patterns.levels, kind, model).sum(axis=1)
    if model.kin_per_record:
        bits[1] = kin_weights(patterns.levels, kind, model)
    bits += np.log2(shares)[:, None]
    odds = np.exp2(bits - bits.max(axis=0))
    classes: npt.NDArray[np.float64] = odds / odds.sum(axis=0)
    return classes


def train(pairs: TrainingPairs, kind: Kind) -> Trained:
    """Fit a model to candidate pairs. With no pairs at all the reference model comes back."""
    model = reference_kind(kind)
    if not len(pairs.levels):
        return Trained(model, 0)
    patterns = _patterns(pairs)
    rates = {
        comparison.name: LevelRates(
            comparison.m, _sampled_u(patterns, comparison, at) if comparison.sampled else comparison.u, comparison.h
        )
        for at, comparison in enumerate(COMPARISONS[kind].comparisons)
    }
    kin = FIRST_SHARE if model.kin_per_record else NO_SHARE
    shares = np.array([FIRST_SHARE, kin, 1.0 - FIRST_SHARE - kin])
    rounds = 0
    while rounds < MOST_ROUNDS:
        rounds += 1
        model = replace(model, rates=rates)
        classes = _e_step(patterns, kind, model, shares)
        rates = _m_step(patterns, kind, model, classes)
        before, shares = shares, np.maximum(classes @ patterns.counts / len(pairs.levels), NO_SHARE)
        if abs(shares[0] - before[0]) < SETTLED * before[0]:
            break
    return Trained(_fitted(pairs, rates, shares, kin=model.kin_per_record > 0), rounds)


def _fitted(
    pairs: TrainingPairs, rates: dict[str, LevelRates], shares: npt.NDArray[np.float64], *, kin: bool
) -> KindModel:
    counts = shares * len(pairs.levels)
    return KindModel(
        rates,
        matches_per_record=float(counts[0] / pairs.records),
        chance_rate=float(max(counts[2], 1.0) / pairs.possible_pairs),
        kin_per_record=float(counts[1] / pairs.records) if kin else 0.0,
    )
