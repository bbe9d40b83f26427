"""Learning from outcomes: planted ones are said better, held back ones are told apart, and one liar is outweighed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from matching.shipped import shipped_model
from matching.supervised import shares
from repository.services.learning import Outcomes, Pair, compare, is_held_back, learn
from repository.services.modelling import TooLittleError
from tests.unit.matching.test_supervised import POOL, judged

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
HONEST = ("mem_1", "mem_2", "mem_3", "mem_4")


def pairs(count: int, seed: int, members: Sequence[str] = HONEST, *, lies: bool = False) -> list[Pair]:
    """Outcomes that some members gave, in turn, of pairs that they were shown."""
    found = judged(count, count, seed, lies=lies)
    rows = zip(found.levels.tolist(), found.same.tolist(), strict=True)
    return [
        Pair("person", tuple(levels), POOL, same, (members[at % len(members)],))
        for at, (levels, same) in enumerate(rows)
    ]


def test_planted_outcomes_improve_what_is_held_back() -> None:
    """The model that learnt says the outcomes held back better than the one in use, and tells so."""
    base, found = shipped_model(), Outcomes(pairs(400, 1), pairs(200, 2), {"contradicted": 3})
    model = learn(base, found, NOW)
    comparison = compare(base, model, found.held_back)
    assert comparison.new.log_loss < 0.95 * comparison.old.log_loss
    assert not comparison.worse
    assert compare(model, base, found.held_back).worse
    told = comparison.as_dict()
    assert told["pairs"] == len(found.held_back)
    assert sum(each["pairs"] for each in told["moved"]) == sum(comparison.moved.values()) > 0
    assert (model.id, model.card["base"], model.card["remarks"]) == (
        "pool-20260302T090000",
        base.id,
        {"contradicted": 3},
    )


def test_a_liar_is_outweighed() -> None:
    """A member that judges ten times as much as all others, and the wrong way round, is no worse than one of three."""
    base, honest, held_back = shipped_model(), pairs(400, 1), pairs(200, 2)
    lies = pairs(400, 3, ["liar"], lies=True)
    once = learn(base, Outcomes(honest + lies * 2, held_back), NOW).kinds["person"]
    often = learn(base, Outcomes(honest + lies * 20, held_back), NOW).kinds["person"]
    for name, rates in once.rates.items():
        np.testing.assert_allclose(rates.m, often.rates[name].m, atol=1e-6)
    assert often.matches_per_record == pytest.approx(once.matches_per_record)
    # Nor does it decide which model is better: of what is held back it has a third of the weight.
    good = learn(base, Outcomes(honest, held_back), NOW)
    assert not compare(base, good, held_back).worse


def test_who_contradicts_deletes_nobodys_word() -> None:
    """A pair that two judge contrarily counts half each way: one member cannot veto what the others found."""
    both = [replace(each, part=0.5) for each in pairs(50, 1)]
    against = [replace(each, same=not each.same, members=("liar",), part=0.5) for each in pairs(50, 1)]
    weights = shares([each.members for each in both + against], [each.part for each in both + against])
    assert sum(weights[: len(both)]) == pytest.approx(len(both) / 2)
    assert sum(weights[len(both) :]) <= sum(weights) / 3 + 1e-9


@pytest.mark.parametrize("members", [HONEST[:1], HONEST[:2]])
def test_two_members_are_too_few(members: Sequence[str]) -> None:
    """With less than three members none can be outweighed, so that nothing is learnt."""
    with pytest.raises(TooLittleError, match="three members"):
        learn(shipped_model(), Outcomes(pairs(400, 1, members), pairs(200, 2, members)), NOW)


def test_some_records_are_held_back_for_ever() -> None:
    """Three in ten are held back, the same ones each time."""
    records = [f"fil_{number}" for number in range(1000)]
    assert 260 < sum(map(is_held_back, records)) < 340
    assert list(map(is_held_back, records)) == list(map(is_held_back, records))
