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
from repository.simulation.claims import HELD_WITHIN, check, told
from repository.simulation.market import Plan, generate
from repository.simulation.profiles import CAST, SMALL, TINY, Archetype, Profile
from repository.simulation.running import run
from repository.simulation.summary import Summary, summarise
from tests.support.rulebooks import DEFAULT_RULEBOOK

BEGIN = date(2026, 1, 1)
SEEDS = range(1, 9)
HONEST = tuple(each for each in CAST if each.archetype.value.startswith("honest"))
PEERS = tuple(each for each in HONEST if each.size not in (SMALL, TINY))


def judged(profiles: Iterable[Profile], days: int, seed: int, rulebook: Rulebook, every: int) -> tuple[Summary, ...]:
    """What becomes of the members of one market."""
    rng = np.random.default_rng(seed)
    market = generate(Plan(tuple(profiles), days), rulebook, BEGIN, rng)
    return tuple(summarise(each, rulebook) for each in run(market, rulebook, rng, every=every))


def of(*groups: Archetype) -> tuple[Profile, ...]:
    """The members of the cast of these archetypes."""
    return tuple(each for each in CAST if each.archetype in groups)


def planted() -> tuple[Profile, ...]:
    """The invented books with real people in them."""
    return tuple(each for each in CAST if each.habits.planted)


@cache
def good_market(seed: int) -> tuple[Summary, ...]:
    """A year and a half of honest members, with one that has an outage, looked at each week."""
    members = HONEST + of(Archetype.NEWCOMER, Archetype.OUTAGE)
    return judged(members, 540, seed, DEFAULT_RULEBOOK, every=7)


@cache
def bad_market(seed: int) -> tuple[Summary, ...]:
    """Free riders, junk and a late giant among honest ones, for 135 days, looked at each third day."""
    members = PEERS + of(Archetype.FREE_RIDER, Archetype.JUNK, Archetype.LATE_GIANT)
    return judged([each for each in members if not each.habits.planted], 135, seed, DEFAULT_RULEBOOK, every=3)


def rows(found: Iterable[Summary], group: Archetype) -> list[Summary]:
    """The rows of one archetype; there is at least one."""
    chosen = [row for row in found if row.group == group]
    assert chosen
    return chosen


def failed(found: Iterable[Summary]) -> dict[str, tuple[str, ...]]:
    """The claims that do not hold of some members, and of which."""
    return {each.claim: each.failing for each in check(found) if not each.holds}


def unmatched(rulebook: Rulebook) -> Rulebook:
    """A rulebook that never asks whether anyone else meets a record."""
    standing = replace(rulebook.standing, corroboration_share=0.0)
    return replace(rulebook, digest="unmatched", level=replace(rulebook.level, met_from=0), standing=standing)


@pytest.mark.parametrize("seed", SEEDS)
def test_an_honest_small_insurer_is_never_restricted(seed: int) -> None:
    """Nor a tiny one; and none loses tier 3 on claims once it has it."""
    for group in (Archetype.HONEST_SMALL, Archetype.HONEST_TINY):
        for row in rows(good_market(seed), group):
            assert (row.steps[Step.RESTRICTED], row.steps[Step.SUSPENDED]) == (0, 0), row
            assert (row.tiers["claim"], row.lost_claim_days) == (3, 0), row


@pytest.mark.parametrize("seed", SEEDS)
def test_a_small_member_does_not_wait_long(seed: int) -> None:
    """Tier 3 on claims within 100 days with 30 customers a month, in an empty pool as in a full one."""
    found = [row for row in good_market(seed) if row.group == Archetype.HONEST_SMALL or row.label.startswith("small")]
    assert len(found) == 4
    for row in found:
        assert row.claims_from is not None, row
        assert row.claims_from <= 100, row


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
    """By either ramp, large, small or next to nothing: tier 1 at most within 90 days, on fraud after ten days."""
    for row in rows(bad_market(seed), Archetype.FREE_RIDER):
        assert row.held_from is not None, row
        assert row.held_from <= HELD_WITHIN, row
        assert row.fraud_until <= 10, row


@pytest.mark.parametrize("seed", SEEDS)
def test_junk_does_not_buy_access(seed: int) -> None:
    """Neither thin records nor full ones that nobody's records ever meet, however small the book: not for a day."""
    for row in rows(bad_market(seed), Archetype.JUNK):
        assert row.above_days == 0, row
        assert max(row.tiers.values()) <= 1, row


@pytest.mark.parametrize("seed", SEEDS)
def test_a_few_real_people_do_not_buy_access_for_long(seed: int) -> None:
    """Two a year in an invented book: no more is asked of a small book at first, and more and more as it grows."""
    found = rows(judged(PEERS + planted(), 400, seed, DEFAULT_RULEBOOK, every=8), Archetype.JUNK)
    assert len(found) == 2
    for row in found:
        assert row.held_from is not None, row


@pytest.mark.parametrize("seed", SEEDS)
def test_a_late_giant_is_warned_and_then_on_a_plan(seed: int) -> None:
    """It files everything, weeks late."""
    (row,) = rows(bad_market(seed), Archetype.LATE_GIANT)
    assert min(row.steps[Step.WARNED], row.steps[Step.PLAN]) > 0, row


def test_the_claims_are_checked_as_printed() -> None:
    """The table of the command says the same of one market as the tests above, with a number of members for each."""
    found = check(good_market(1) + bad_market(1))
    assert len({each.claim for each in found}) == len(found) == 15
    assert all(each.holds and each.members > 0 for each in found), found
    days = {each.claim: each.days for each in found if each.days}
    assert len(days["Junk never sees more than tier 1"]) == len(rows(bad_market(1), Archetype.JUNK))


def test_days_are_told_in_short() -> None:
    """The middle one and the last, and of how many there is none."""
    assert told([30, None, 40, 50]) == "40, at most 50, 1 never"
    assert told([7]) == "7, at most 7"
    assert (told([None]), told([])) == ("1 never", "")


def test_a_rulebook_that_lets_free_riders_in_is_found_out() -> None:
    """Had a class counted from its first record, one of each would do to see everything: the check tells so."""
    level = replace(DEFAULT_RULEBOOK.level, counts_from=0.0, met_from=0)
    lax = replace(DEFAULT_RULEBOOK, digest="lax", level=level)
    assert list(failed(judged(of(Archetype.FREE_RIDER), 100, 1, lax, every=2))) == [
        f"A free rider is at tier 1 or less within {HELD_WITHIN} days",
        "A free rider never sees more than tier 1 of suspected and proven cases after its first ten days",
    ]


def test_a_rulebook_that_looks_at_a_quarter_alone_lets_the_smallest_ride() -> None:
    """One record of the nine declared is within chance, where nothing asks whether it met anyone's."""
    level = replace(DEFAULT_RULEBOOK.level, counted_days=90, counts_tolerance=3.0)
    lax = unmatched(replace(DEFAULT_RULEBOOK, level=level))
    riders = tuple(each for each in of(Archetype.FREE_RIDER) if each.habits.one_in)
    failing = failed(judged(PEERS + riders, 135, 1, lax, every=3))
    assert (
        "free rider: claims only, one a quarter, covenant"
        in failing[f"A free rider is at tier 1 or less within {HELD_WITHIN} days"]
    )


def test_a_rulebook_that_asks_for_no_matches_lets_small_junk_in() -> None:
    """An invented book too small for its share to be compared sees everything, by either ramp."""
    books = [each for each in of(Archetype.JUNK) if not each.habits.genuine and not each.habits.planted]
    failing = failed(judged((*PEERS, *books), 100, 1, unmatched(DEFAULT_RULEBOOK), every=3))
    junk = set(failing["Junk never sees more than tier 1"])
    assert {"junk: small, invented", "junk: small, invented, contribute first", "junk: tiny, invented"} <= junk


def test_a_rulebook_that_beats_small_members_is_found_out() -> None:
    """With no tolerance for chance and no record spared, an honest small insurer does not get through two years."""
    standing = replace(DEFAULT_RULEBOOK.standing, tolerance=0.0, spared=0.0)
    strict = replace(DEFAULT_RULEBOOK, digest="strict", standing=standing)
    assert "An honest small insurer is never restricted" in failed(judged(HONEST, 540, 1, strict, every=5))
