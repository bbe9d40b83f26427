"""The life cycle's pure rules: clocks, ramps, declarations, grants, and who may decide."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repository.domain.errors import FieldError
from repository.domain.members import MemberStatus
from repository.domain.membership import (
    MOST_PER_MONTH,
    CaseStatus,
    LifeCycleError,
    NotIndependentError,
    check_grant,
    check_officer,
    check_status_change,
    check_volume,
    check_volumes,
    declared_from,
    months_later,
    overdue,
    start,
)
from repository.domain.rulebook import SubscriberClass
from repository.domain.standing import Grant, Ramp
from tests.support.rulebooks import DEFAULT_RULEBOOK

MONDAY = date(2026, 3, 2)
POLICE = DEFAULT_RULEBOOK.subscribers[SubscriberClass.LAW_ENFORCEMENT]
GRANT = Grant(("motor",), ("claim",), ("law_enforcement",), 3, 10, MONDAY + timedelta(days=30))


def test_months_end_where_they_end() -> None:
    """A month after the last of January is the last of February; years carry over."""
    assert months_later(date(2026, 1, 31), 1) == date(2026, 2, 28)
    assert months_later(date(2028, 2, 29), 12) == date(2029, 2, 28)
    assert months_later(date(2026, 12, 15), 1) == date(2027, 1, 15)


def test_only_open_cases_are_overdue() -> None:
    """On the due day a case is still in time, after it it is not; a decided one never is."""
    assert not overdue(MONDAY, CaseStatus.OPEN, MONDAY)
    assert overdue(MONDAY, CaseStatus.OPEN, MONDAY + timedelta(days=1))
    assert not overdue(MONDAY, CaseStatus.REFUSED, MONDAY + timedelta(days=90))


def test_a_covenant_is_dated_within_the_rulebook_s_months() -> None:
    """Without a date it is the longest; one that is over, today's, or one too late is refused."""
    rules = DEFAULT_RULEBOOK.ramp
    longest = date(2027, 3, 2)
    assert start(Ramp.COVENANT, None, MONDAY, rules).covenant_until == longest
    assert start(Ramp.COVENANT, longest, MONDAY, rules).covenant_until == longest
    for wrong in (MONDAY, date(2026, 3, 1), longest + timedelta(days=1)):
        with pytest.raises(FieldError, match="covenant_until"):
            start(Ramp.COVENANT, wrong, MONDAY, rules)


def test_who_contributes_first_has_no_covenant() -> None:
    """Contribute-first has no date, and takes none."""
    rules = DEFAULT_RULEBOOK.ramp
    assert start(Ramp.CONTRIBUTE_FIRST, None, MONDAY, rules).covenant_until is None
    with pytest.raises(FieldError, match="covenant_until"):
        start(Ramp.CONTRIBUTE_FIRST, date(2026, 6, 1), MONDAY, rules)


def test_a_declaration_changes_no_day_that_is_over() -> None:
    """One for this month holds from today, a later one's from its first day; a month that is over is refused."""
    today = date(2026, 3, 20)
    assert declared_from(date(2026, 3, 1), today) == today
    assert declared_from(date(2026, 4, 15), today) == date(2026, 4, 1)
    with pytest.raises(FieldError, match="from"):
        declared_from(date(2026, 2, 28), today)


@given(month=st.dates(date(2020, 1, 1), date(2030, 1, 1)), today=st.dates(date(2020, 1, 1), date(2030, 1, 1)))
def test_no_declaration_reaches_back(month: date, today: date) -> None:
    """Whatever month is declared, it holds from today at the earliest, or is refused."""
    try:
        since = declared_from(month, today)
    except FieldError:
        assert month < today
    else:
        assert since >= today
        assert (since.year, since.month) == (month.year, month.month)


@pytest.mark.parametrize(
    ("volume", "field"),
    [
        (("pet", "claim", 1), "line"),
        (("motor", "gossip", 1), "class"),
        (("motor", "claim", -1), "per_month"),
        (("motor", "claim", MOST_PER_MONTH + 1), "per_month"),
    ],
)
def test_volumes_are_checked(volume: tuple[str, str, int], field: str) -> None:
    """A volume is of an own line, of a class, and within bounds; the error names the field."""
    with pytest.raises(FieldError) as caught:
        check_volume(*volume, ["motor"])
    assert caught.value.field == field
    check_volume("motor", "claim", 0, ["motor"])


def test_a_line_that_is_none_is_refused() -> None:
    """Lines are of the vocabulary, and there is one at least."""
    for lines in ([], ["boats"]):
        with pytest.raises(FieldError, match="lines"):
            check_volumes({}, lines)
    with pytest.raises(FieldError, match="declared: expected as line one of"):
        check_volumes({("pet", "claim"): 1}, ["motor"])


def test_an_officer_is_independent() -> None:
    """Who entered a case or took the decision does not decide it; anyone else does."""
    check_officer("act_c", {"act_a", None})
    with pytest.raises(NotIndependentError):
        check_officer("act_a", {"act_a", None})


def test_nothing_leads_back_from_withdrawal() -> None:
    """Every other change of status is open."""
    for wanted in (MemberStatus.ACTIVE, MemberStatus.SUSPENDED):
        with pytest.raises(LifeCycleError):
            check_status_change(MemberStatus.WITHDRAWN, wanted)
        check_status_change(wanted, MemberStatus.WITHDRAWN)
    check_status_change(MemberStatus.SUSPENDED, MemberStatus.ACTIVE)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"lines": ()}, "lines"),
        ({"lines": ("boats",)}, "lines"),
        ({"classes": ("customer",)}, "classes"),
        ({"classes": ()}, "classes"),
        ({"purposes": ("new_business",)}, "purposes"),
        ({"tier": 4}, "tier"),
        ({"tier": 0}, "tier"),
        ({"quota_per_day": 51}, "quota_per_day"),
        ({"quota_per_day": 0}, "quota_per_day"),
        ({"expires_on": MONDAY}, "expires_on"),
        ({"expires_on": MONDAY + timedelta(days=366)}, "expires_on"),
    ],
)
def test_a_grant_stays_within_the_rulebook(change: dict[str, Any], field: str) -> None:
    """Each part of a grant is bounded by what the rulebook gives the class; it always has an end."""
    check_grant(GRANT, MONDAY, POLICE)
    with pytest.raises(FieldError) as caught:
        check_grant(replace(GRANT, **change), MONDAY, POLICE)
    assert caught.value.field == field
