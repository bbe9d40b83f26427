"""Training recovers what generated pairs were made with, without labels."""

from __future__ import annotations

import numpy as np
import pytest

from matching.comparisons import COMPARISONS
from matching.comparisons.base import Levels
from matching.model import from_json, reference_kind, to_json
from matching.shipped import shipped_model
from matching.training import M_FLOOR, TrainingPairs, train

COMPARED = COMPARISONS["person"].comparisons
NAMES = [comparison.name for comparison in COMPARED]


def draw(random: np.random.Generator, rates: dict[str, tuple[float, ...]], count: int) -> Levels:
    """Rows of levels drawn independently from the rates of some comparisons; the rest not observed."""
    levels = np.zeros((count, len(COMPARED)), np.int8)
    for name, chances in rates.items():
        levels[:, NAMES.index(name)] = random.choice(len(chances), count, p=chances) + 1
    return levels


MATCH = {
    "given name": (0.7, 0.1, 0.1, 0.08, 0.02),
    "family name": (0.85, 0.05, 0.05, 0.05),
    "date of birth": (0.89, 0.01, 0.05, 0.02, 0.01, 0.01, 0.01),
    "address": (0.6, 0.1, 0.05, 0.1, 0.05, 0.1),
}
KIN = {
    "given name": (0.01, 0.01, 0.08, 0.895, 0.005),
    "family name": (0.75, 0.02, 0.03, 0.2),
    "date of birth": (0.01, 0.002, 0.01, 0.05, 0.13, 0.797, 0.001),
    "address": (0.9, 0.03, 0.02, 0.02, 0.01, 0.02),
}
CHANCE = {
    "given name": (0.03, 0.005, 0.1, 0.864, 0.001),
    "family name": (0.04, 0.005, 0.1, 0.855),
    "date of birth": (0.0002, 0.001, 0.01, 0.02, 0.15, 0.8187, 0.0001),
    "address": (0.001, 0.01, 0.01, 0.005, 0.07, 0.904),
}
CHANCE["given name"] = tuple(np.array(CHANCE["given name"]) / sum(CHANCE["given name"]))


def made(matches: int, kin: int, strangers: int) -> TrainingPairs:
    """Pairs of the three sorts."""
    random = np.random.default_rng(7)
    levels = np.concatenate([draw(random, MATCH, matches), draw(random, KIN, kin), draw(random, CHANCE, strangers)])
    lone = np.r_[np.zeros(matches + kin, bool), np.ones(strangers, bool)]
    return TrainingPairs(levels, lone, records=4000, possible_pairs=8e6)


@pytest.mark.parametrize("kin", [0, 4000])
def test_em_recovers_the_rates(kin: int) -> None:
    """The m rates and the number of matches come out near the truth, with families among the pairs or without."""
    model = train(made(4000, kin, 60_000), "person").model
    assert model.matches_per_record == pytest.approx(1.0, rel=0.05)
    for name, rates in MATCH.items():
        assert np.abs(np.array(model.rates[name].m) - rates).max() < 0.02
    assert model.kin_per_record == pytest.approx(kin / 4000, abs=0.1)


def test_what_sets_a_household_apart_is_not_fitted() -> None:
    """Members of a household differ in given name and birthday whatever the pairs say; where they live is learnt."""
    model, before = train(made(4000, 4000, 60_000), "person").model, reference_kind("person")
    for name in ("given name", "date of birth"):
        assert model.rates[name].h == before.rates[name].h
    assert model.rates["address"].h != before.rates["address"].h


def test_without_matches_none_are_invented() -> None:
    """Chance pairs alone give next to no matches: EM does not collapse onto the commonest pattern."""
    model = train(made(0, 0, 60_000), "person").model
    assert model.matches_per_record < 0.05


def test_no_pairs_give_the_reference() -> None:
    """With nothing to train on, the reference rates come back."""
    empty = TrainingPairs(np.zeros((0, len(COMPARED)), np.int8), np.zeros(0, bool), 0, 0)
    assert train(empty, "person").model == reference_kind("person")


def test_no_level_becomes_impossible() -> None:
    """Rates never reach zero, so that no single observation decides alone."""
    model = train(made(4000, 0, 60_000), "person").model
    for rates in model.rates.values():
        assert min(rates.m) > M_FLOOR / 2
        assert min(rates.u) > 0


def test_model_file_round_trip() -> None:
    """Writing a model and reading it back gives the same model, and the shipped one has a card."""
    model = shipped_model()
    assert from_json(to_json(model)) == model
    assert {"data", "date", "figures", "method"} <= set(model.card)
