"""Learning from judged pairs: nearer to what people found, and no one of them moves it far."""

from __future__ import annotations

import numpy as np
import pytest

from matching.evaluation import judgement
from matching.model import DEFAULT_BANDS, KindModel
from matching.shipped import shipped_model
from matching.supervised import FARTHEST_BITS, MOST_OF_ONE, Judged, fit, probabilities, shares
from matching.types import Band
from tests.unit.matching.test_training import CHANCE, KIN, MATCH, NAMES, draw

POOL = 50_000
MOVED = MATCH | {"family name": (0.55, 0.05, 0.3, 0.1), "address": (0.15, 0.05, 0.05, 0.05, 0.1, 0.6)}
"""A market whose people move and are heard wrongly more often than the shipped model takes it."""


def judged(matches: int, kin: int, seed: int, *, lies: bool = False) -> Judged:
    """Pairs as people see them: those that the shipped model takes for possible, and what they are in truth."""
    random = np.random.default_rng(seed)
    levels = np.concatenate([draw(random, MOVED, matches), draw(random, KIN, kin), draw(random, CHANCE, kin)])
    same = np.arange(len(levels)) < matches
    everything = Judged(levels, np.full(len(levels), POOL), same ^ lies, np.ones(len(levels)))
    shown = probabilities(base(), "person", everything) >= DEFAULT_BANDS[Band.POSSIBLE]
    return Judged(levels[shown], everything.pool_sizes[shown], everything.same[shown], everything.weights[shown])


def base() -> KindModel:
    """The shipped model, of which the pairs here differ in every rate."""
    return shipped_model().kinds["person"]


def weighed(pairs: Judged, weight: float) -> Judged:
    """The pairs with another weight each."""
    return Judged(pairs.levels, pairs.pool_sizes, pairs.same, pairs.weights * weight)


def together(*parts: Judged) -> Judged:
    """Pairs of several sources as one."""
    columns = [(each.levels, each.pool_sizes, each.same, each.weights) for each in parts]
    return Judged(*(np.concatenate(each) for each in zip(*columns, strict=True)))


def loss(model: KindModel, pairs: Judged) -> float:
    """The log loss of a model on judged pairs."""
    return judgement(probabilities(model, "person", pairs), pairs.same, pairs.weights, DEFAULT_BANDS).log_loss


def test_what_people_found_is_said_better() -> None:
    """A model fitted to judged pairs says others of the same market better; u and h stay as they were."""
    model, others = fit(base(), "person", judged(600, 600, 1)), judged(400, 400, 2)
    assert loss(model, others) < 0.9 * loss(base(), others)
    for name in NAMES:
        assert (model.rates[name].u, model.rates[name].h) == (base().rates[name].u, base().rates[name].h)


def test_nothing_judged_changes_nothing() -> None:
    """Without a pair of any weight the model comes back as it was."""
    assert fit(base(), "person", weighed(judged(50, 50, 1), 0.0)) is base()


@pytest.mark.parametrize("count", [300, 30_000])
def test_no_source_has_more_than_its_share(count: int) -> None:
    """However many pairs one source judged, it has a third of the weight, and the honest ones keep theirs."""
    weights = np.array(shares([["a"]] * 100 + [["b"]] * 100 + [["c"]] * count))
    assert weights[200:].sum() == pytest.approx(MOST_OF_ONE * weights.sum())
    assert weights[:200].sum() == pytest.approx(200)
    assert sum(shares([["a"]] * 100 + [["b"]] * 100)) == pytest.approx(0.0, abs=1e-9)
    assert shares([["a", "b"], ["c"], ["d"], ["a", "b"]])[0] == pytest.approx(1.0)


def test_a_liar_moves_no_rate_beyond_its_share() -> None:
    """Who calls strangers the same a thousandfold moves each m by a third at most, as a hundred such calls do."""
    honest, lies = judged(300, 300, 1), judged(300, 300, 2, lies=True)
    alone = fit(base(), "person", honest)
    poisoned = []
    for times in (1, 50):
        wrong = together(*[lies] * times)
        weights = np.array(shares([["a"], ["b"]] * (len(honest) // 2) + [["liar"]] * len(wrong)))
        right = Judged(*(each[: len(weights) - len(wrong)] for each in _columns(honest)))
        poisoned.append(fit(base(), "person", together(right, weighed(wrong, float(weights[-1])))))
    for name in NAMES:
        moved = np.abs(np.array(poisoned[1].rates[name].m) - np.array(alone.rates[name].m))
        assert moved.max() <= MOST_OF_ONE
        np.testing.assert_allclose(poisoned[0].rates[name].m, poisoned[1].rates[name].m, atol=1e-6)
    least, most = 2**-FARTHEST_BITS, 2**FARTHEST_BITS
    assert least <= poisoned[1].matches_per_record / base().matches_per_record <= most * 1.01


def _columns(pairs: Judged) -> tuple[np.ndarray, ...]:
    return pairs.levels, pairs.pool_sizes, pairs.same, pairs.weights
