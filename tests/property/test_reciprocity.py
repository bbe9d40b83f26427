"""Reciprocity for any contributions: giving more never shows less, and nothing is shown for nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from matching.vocabulary import LINES, RECORD_CLASSES
from repository.domain.members import Member, MemberStatus
from repository.domain.reciprocity import POINTER_TIER, Contribution, Inputs, entitlement, may_ask
from tests.support.rulebooks import DEFAULT_RULEBOOK

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
MEMBER = Member("mem_1", "Alpha", MemberStatus.ACTIVE, frozenset(LINES), NOW.date(), NOW.date())
CONTRIBUTIONS = st.lists(
    st.builds(
        Contribution,
        line=st.sampled_from(LINES),
        record_class=st.sampled_from(RECORD_CLASSES),
        accepted=st.integers(min_value=0, max_value=1_000_000),
        last_at=st.just(NOW),
    ),
    max_size=12,
)


@given(CONTRIBUTIONS, CONTRIBUTIONS)
def test_contributing_more_never_shows_less(before: list[Contribution], more: list[Contribution]) -> None:
    """For every line and class, the tier with more contributions is at least the tier before."""
    was, is_now = (entitlement(each, DEFAULT_RULEBOOK).tiers for each in (before, before + more))
    assert all(is_now[pair] >= tier for pair, tier in was.items())


@given(CONTRIBUTIONS)
def test_a_line_without_contributions_shows_nothing(contributions: list[Contribution]) -> None:
    """Tier 0 exactly in the lines where nothing was accepted, and there no screening either."""
    given_lines = {each.line for each in contributions if each.accepted}
    may = entitlement(contributions, DEFAULT_RULEBOOK)
    inputs = Inputs(MEMBER, tuple(contributions), NOW)
    for line in LINES:
        assert (max(may.tier(line, each) for each in RECORD_CLASSES) > 0) == (line in given_lines)
        assert may_ask(inputs, line, DEFAULT_RULEBOOK).allowed == (line in given_lines)


@given(CONTRIBUTIONS)
def test_standing_alone_never_gives_tier_four(contributions: list[Contribution]) -> None:
    """Detail is the contributor's to give."""
    assert max(entitlement(contributions, DEFAULT_RULEBOOK).tiers.values()) <= POINTER_TIER


@given(CONTRIBUTIONS, st.none() | st.dates(min_value=date(2020, 1, 1)), st.sampled_from(LINES))
def test_any_decision_can_be_replayed(contributions: list[Contribution], attested: date | None, line: str) -> None:
    """The same inputs, stored and read back, give the same decision."""
    member = Member("mem_1", "", MemberStatus.ACTIVE, frozenset(), NOW.date(), attested)
    inputs = Inputs(member, tuple(contributions), NOW)
    again = Inputs.from_dict(inputs.as_dict())
    assert again == inputs
    assert may_ask(again, line, DEFAULT_RULEBOOK) == may_ask(inputs, line, DEFAULT_RULEBOOK)
