"""Rules R1 and R2: examples from the rulebook's text."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from repository.domain.members import Member, MemberStatus
from repository.domain.reciprocity import Contribution, Inputs, entitlement, level, may_ask, may_see, window_start
from repository.domain.rulebook import Level
from tests.support.rulebooks import DEFAULT_RULEBOOK

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
TODAY = NOW.date()


def member(
    status: MemberStatus = MemberStatus.ACTIVE, signed: date | None = TODAY, attested: date | None = TODAY
) -> Member:
    """A member in good order unless said otherwise."""
    return Member("mem_1", "Alpha", status, frozenset({"motor"}), signed, attested)


def given(*classes: str, line: str = "motor", accepted: int = 1) -> tuple[Contribution, ...]:
    """Contributions of one line."""
    return tuple(Contribution(line, each, accepted, NOW) for each in classes)


def test_who_contributes_may_ask() -> None:
    """One accepted filing in the line is enough, and the figures say so."""
    decision = may_ask(Inputs(member(), given("customer"), NOW), "motor", DEFAULT_RULEBOOK)
    assert decision.allowed
    assert decision.figures == {"accepted_in_window": 1, "needed": 1, "window_days": 90, "line": "motor"}


def test_who_does_not_contribute_is_refused_with_a_remedy() -> None:
    """The refusal names the rule, the figures and what would change it."""
    decision = may_ask(Inputs(member(), (), NOW), "motor", DEFAULT_RULEBOOK)
    assert not decision.allowed
    assert decision.rule == "R2"
    assert decision.figures["accepted_in_window"] == 0
    assert "motor" in decision.remedy
    assert decision.rulebook == DEFAULT_RULEBOOK.version


def test_another_line_does_not_count() -> None:
    """Reciprocity is per line."""
    assert not may_ask(Inputs(member(), given("claim", line="home"), NOW), "motor", DEFAULT_RULEBOOK).allowed


@pytest.mark.parametrize(
    "lapsed",
    [
        member(status=MemberStatus.SUSPENDED),
        member(status=MemberStatus.WITHDRAWN),
        member(signed=None),
        member(attested=None),
        member(attested=TODAY - timedelta(days=366)),
    ],
)
def test_without_standing_membership_nothing_helps(lapsed: Member) -> None:
    """R1 comes first: contributions do not make up for it, for asking or for reading hits."""
    inputs = Inputs(lapsed, given("claim", "proven"), NOW)
    for decision in (may_ask(inputs, "motor", DEFAULT_RULEBOOK), may_see(inputs, DEFAULT_RULEBOOK)):
        assert not decision.allowed
        assert decision.rule == "R1"
        assert decision.remedy


@pytest.mark.parametrize(
    ("classes", "reached", "tiers"),
    [
        ((), Level.NOTHING, [0, 0, 0, 0, 0, 0]),
        (("customer",), Level.CUSTOMERS, [3, 2, 1, 1, 2, 2]),
        (("claim",), Level.CLAIMS, [3, 3, 3, 3, 3, 3]),
        (("claim", "suspected"), Level.FULL, [3, 3, 3, 3, 3, 3]),
        (("customer", "proven"), Level.CUSTOMERS, [3, 2, 1, 3, 2, 2]),
        (("suspected",), Level.MARKS, [1, 1, 3, 1, 1, 1]),
        (("victim",), Level.MARKS, [1, 1, 1, 1, 3, 1]),
    ],
)
def test_tiers_follow_contributions(classes: tuple[str, ...], reached: Level, tiers: list[int]) -> None:
    """R2's table: customers only see 1 on marks and 2 on claims; claims see 3; tier 4 is never given by standing."""
    may = entitlement(given(*classes), DEFAULT_RULEBOOK)
    assert level(classes) is reached
    order = ("customer", "claim", "suspected", "proven", "victim", "protective")
    assert [may.tier("motor", each) for each in order] == tiers


def test_a_line_without_contributions_stays_dark() -> None:
    """Claims in motor open nothing in home."""
    may = entitlement(given("claim", "proven"), DEFAULT_RULEBOOK)
    assert {may.tier("home", each) for each in ("customer", "claim", "suspected", "proven")} == {0}
    assert may.tier("no line", "claim") == 0


def test_a_decision_can_be_replayed() -> None:
    """What is stored of the inputs gives the same decision again."""
    for inputs in (Inputs(member(), given("claim"), NOW), Inputs(member(signed=None, attested=None), (), NOW)):
        again = Inputs.from_dict(inputs.as_dict())
        assert may_ask(again, "motor", DEFAULT_RULEBOOK) == may_ask(inputs, "motor", DEFAULT_RULEBOOK)
        assert entitlement(again.contributions, DEFAULT_RULEBOOK) == entitlement(inputs.contributions, DEFAULT_RULEBOOK)


def test_the_window_is_ninety_days() -> None:
    """Contributions count from ninety days back."""
    assert window_start(NOW, DEFAULT_RULEBOOK) == NOW - timedelta(days=90)
