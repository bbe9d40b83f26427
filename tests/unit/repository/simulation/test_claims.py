"""What the shipped rulebook is for, on generated markets: whom it leaves alone, and whom it stops."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from functools import cache

import numpy as np
import pytest

from repository.domain.ladder import Step
from repository.domain.rulebook import Rulebook
from repository.simulation.claims import HELD_WITHIN, check
from repository.simulation.market import Plan, generate
from repository.simulation.profiles import CAST, SMALL, Archetype, Profile
from repository.simulation.running import run
from repository.simulation.summary import Summary, summarise
from tests.support.rulebooks import DEFAULT_RULEBOOK

BEGIN = date(2026, 1, 1)
SEEDS = range(1, 11)
HONEST = tuple(each for each in CAST if each.archetype.value.startswith("honest"))
PEERS = tuple(each for each in HONEST if each.size is not SMALL)


def judged(profiles: Iterable[Profile], days: int, seed: int, rulebook: Rulebook, every: int) -> tuple[Summary, ...]:
    """What becomes of the members of one market."""
    rng = np.random.default_rng(seed)
    market = generate(Plan(tuple(profiles), days), rulebook, BEGIN, rng)
    return tuple(summarise(each, rulebook) for each in run(market, rulebook, rng, every=every))


def of(*groups: Archetype) -> tuple[Profile, ...]:
    """The members of the cast of these archetypes."""
    return tuple(each for each in CAST if each.archetype in groups)


@cache
def good_market(seed: int) -> tuple[Summary, ...]:
    """A year and a half of honest members, with one that has an outage, looked at each week."""
    members = HONEST + of(Archetype.NEWCOMER, Archetype.OUTAGE)
    return judged(members, 540, seed, DEFAULT_RULEBOOK, every=7)


@cache
def bad_market(seed: int, rulebook: Rulebook = DEFAULT_RULEBOOK) -> tuple[Summary, ...]:
    """Free riders, junk and a late giant among honest ones, for 135 days, looked at each third day."""
    members = PEERS + of(Archetype.FREE_RIDER, Archetype.JUNK, Archetype.LATE_GIANT)
    return judged(members, 135, seed, rulebook, every=3)


def rows(found: Iterable[Summary], group: Archetype) -> list[Summary]:
    """The rows of one archetype; there is at least one."""
    chosen = [row for row in found if row.group == group]
    assert chosen
    return chosen


@pytest.mark.parametrize("seed", SEEDS)
def test_an_honest_small_insurer_is_never_restricted(seed: int) -> None:
    """Nor does it lose tier 3 on claims once its ramp has brought it there."""
    for row in rows(good_market(seed), Archetype.HONEST_SMALL):
        assert (row.steps[Step.RESTRICTED], row.steps[Step.SUSPENDED]) == (0, 0), row
        assert (row.tiers["claim"], row.lost_claim_days) == (3, 0), row


@pytest.mark.parametrize("seed", SEEDS)
def test_other_honest_insurers_are_not_restricted_either(seed: int) -> None:
    """Large and mid-size ones, and those that come later by either ramp."""
    for group in (Archetype.HONEST_LARGE, Archetype.HONEST_MID, Archetype.NEWCOMER):
        for row in rows(good_market(seed), group):
            assert row.first_restricted is None, row
            assert min(row.tiers.values()) == 3, row


@pytest.mark.parametrize("seed", SEEDS)
def test_an_outage_is_recovered_from(seed: int) -> None:
    """Three weeks without filings have consequences, and end: good standing and every class at tier 3."""
    (row,) = rows(good_market(seed), Archetype.OUTAGE)
    assert row.steps[Step.WARNED] > 0, row
    assert (row.last_step, min(row.tiers.values())) == (Step.GOOD, 3), row


@pytest.mark.parametrize("seed", SEEDS)
def test_a_free_rider_gets_nothing(seed: int) -> None:
    """By either ramp, large or small: tier 1 at most within 90 days, and of suspected and proven cases on every day."""
    for row in rows(bad_market(seed), Archetype.FREE_RIDER):
        assert row.held_from is not None, row
        assert row.held_from <= HELD_WITHIN, row
        assert row.fraud_days == 0, row


@pytest.mark.parametrize("seed", SEEDS)
def test_junk_does_not_buy_access(seed: int) -> None:
    """Neither thin records nor full ones that nobody's records ever meet, unless that book is very small."""
    for row in rows(bad_market(seed), Archetype.JUNK):
        if row.label != f"{SMALL.name}, invented":
            assert row.held_from is not None, row
            assert row.held_from <= HELD_WITHIN, row


@pytest.mark.parametrize("seed", SEEDS)
def test_a_late_giant_is_warned_and_then_on_a_plan(seed: int) -> None:
    """It files everything, weeks late."""
    (row,) = rows(bad_market(seed), Archetype.LATE_GIANT)
    assert min(row.steps[Step.WARNED], row.steps[Step.PLAN]) > 0, row


def test_the_claims_are_checked_as_printed() -> None:
    """The table of the command says the same of one market as the tests above, with a number of members for each."""
    found = {each.claim: each for each in check(good_market(1) + bad_market(1))}
    assert len(found) == 9
    small = found.pop("An invented book of a few records a day is held at tier 1 at the end")
    assert small.members == 1
    assert all(each.holds and each.members > 0 for each in found.values()), found


def test_a_rulebook_that_lets_free_riders_in_is_found_out() -> None:
    """Had a class counted from its first record, one of each would do to see everything: the check tells so."""
    lax = replace(DEFAULT_RULEBOOK, digest="lax", level=replace(DEFAULT_RULEBOOK.level, counts_from=0.0))
    failed = [each.claim for each in check(judged(of(Archetype.FREE_RIDER), 100, 1, lax, every=2)) if not each.holds]
    assert failed == [
        f"A free rider is held at tier 1 within {HELD_WITHIN} days",
        "A free rider never sees more than tier 1 of suspected and proven cases",
    ]


def test_a_rulebook_that_beats_small_members_is_found_out() -> None:
    """With no tolerance for chance and no record spared, an honest small insurer does not get through two years."""
    standing = replace(DEFAULT_RULEBOOK.standing, tolerance=0.0, spared=0.0)
    strict = replace(DEFAULT_RULEBOOK, digest="strict", standing=standing)
    failed = [each.claim for each in check(judged(HONEST, 540, 1, strict, every=5)) if not each.holds]
    assert "An honest small insurer is never restricted" in failed
