"""How long what is filed is kept: every class, over the ends of months, leap days and all time zones."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.vocabulary import CUSTOMER_KINDS, RECORD_CLASSES
from repository.domain.retention import (
    LONGEST,
    Basis,
    Dates,
    Period,
    RetentionRules,
    expires_on,
    kept_from,
    kind_of,
    months_later,
    over_until,
)
from repository.services import rulebook_file

LEAP = date(2028, 2, 29)
DAYS = st.dates(date(1990, 1, 1), date(2120, 1, 1))
SHIPPED = rulebook_file.default().retention


def test_every_class_has_a_cap() -> None:
    """Those of the scheme's rules."""
    caps = {kind: each.cap_months for kind, each in LONGEST.items()}
    assert caps.keys() == {*RECORD_CLASSES, *CUSTOMER_KINDS}
    assert caps == {
        "quote": 12,
        "policy": 72,
        "customer": 12,
        "claim": 72,
        "suspected": 36,
        "proven": 72,
        "victim": 13,
        "protective": 24,
    }


@pytest.mark.parametrize(
    ("day", "months", "end"),
    [
        (LEAP, 12, date(2029, 2, 28)),
        (LEAP, 48, date(2032, 2, 29)),
        (LEAP, 13, date(2029, 3, 29)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2027, 1, 31), 1, date(2027, 2, 28)),
        (date(2027, 11, 30), 3, date(2028, 2, 29)),
        (date(2027, 12, 31), 12, date(2028, 12, 31)),
        (date(2027, 3, 31), -1, date(2027, 2, 28)),
        (date(9999, 6, 1), 12, date.max),
    ],
)
def test_months_are_those_of_the_calendar(day: date, months: int, end: date) -> None:
    """A day that a month has not is its last one: nothing is kept longer for it."""
    assert months_later(day, months) == end


@given(DAYS, st.integers(1, 72))
def test_the_days_whose_time_is_over_are_those_up_to_one(today: date, months: int) -> None:
    """What is asked of the database is what is worked out for one filing, on every day of any year."""
    last = over_until(today, months)
    assert months_later(last, months) <= today < months_later(last + timedelta(days=1), months)


@given(DAYS, st.integers(1, 400), st.sampled_from(("months", "days")))
def test_a_period_is_over_from_the_days_up_to_one(today: date, number: int, unit: str) -> None:
    """Of months as of days: from that day it is over today, and from the next it is not."""
    period = Period(number, unit)
    last = period.over(today)
    assert period.after(last) <= today < period.after(last + timedelta(days=1))


@pytest.mark.parametrize(
    ("period", "cap", "within"),
    [
        (Period(12), Period(12), True),
        (Period(13), Period(12), False),
        (Period(365, "days"), Period(12), True),
        (Period(366, "days"), Period(12), False),
        (Period(28, "days"), Period(1), True),
        (Period(29, "days"), Period(1), False),
        (Period(12), Period(366, "days"), True),
        (Period(12), Period(365, "days"), False),
    ],
)
def test_no_period_exceeds_its_cap_whenever_it_begins(period: Period, cap: Period, within: bool) -> None:
    """Months have 28 days or more, and years 365: days count as within months only if they always are."""
    assert period.is_within(cap) is within


@pytest.mark.parametrize(
    ("kind", "stated", "start", "end"),
    [
        ("quote", None, LEAP, date(2028, 5, 29)),
        ("policy", None, date(2028, 5, 7), date(2030, 5, 7)),
        ("policy", date(2031, 1, 1), date(2028, 5, 7), date(2030, 5, 7)),
        ("policy", date(2028, 5, 6), date(2028, 5, 6), date(2030, 5, 6)),
        ("policy", date(2026, 1, 1), date(2026, 1, 1), date(2028, 1, 1)),
        ("policy", LEAP, LEAP, date(2030, 2, 28)),
        ("customer", None, date(2028, 5, 7), date(2029, 5, 7)),
        ("claim", None, LEAP, date(2034, 2, 28)),
        ("claim", date(2028, 4, 30), date(2028, 4, 30), date(2034, 4, 30)),
        ("suspected", None, date(2028, 3, 1), date(2029, 3, 1)),
        ("proven", None, LEAP, date(2033, 2, 28)),
        ("proven", date(2027, 12, 31), date(2027, 12, 31), date(2032, 12, 31)),
        ("proven", date(2028, 5, 1), date(2028, 3, 1), date(2033, 3, 1)),
        ("victim", None, date(2028, 3, 1), date(2029, 4, 1)),
        ("protective", None, date(2028, 3, 1), date(2030, 3, 1)),
    ],
)
def test_each_kind_counts_from_its_own_day(kind: str, stated: date | None, start: date, end: date) -> None:
    """Dated on a leap day, filed the day after, filed anew or named again later, and what it says of its end."""
    rules = SHIPPED[kind]
    dates = Dates(LEAP, date(2028, 3, 1), date(2028, 5, 7), stated_on=stated)
    assert kept_from(rules.basis, dates) == start
    assert expires_on(kind, dates, rules) == end


def test_a_scheme_may_keep_claims_from_their_notification() -> None:
    """Whatever is said of the closure, which is later."""
    dates = Dates(LEAP, LEAP, LEAP, stated_on=date(2030, 1, 1))
    assert kept_from(Basis.NOTIFICATION, dates) == LEAP


@given(st.sampled_from(tuple(LONGEST)), DAYS, DAYS, DAYS, st.none() | DAYS, st.integers(1, 999))
def test_no_rulebook_and_no_renewal_goes_past_the_cap(  # noqa: PLR0917 - what hypothesis gives
    kind: str, triggered: date, filed: date, renewed: date, stated: date | None, months: int
) -> None:
    """Whatever is said, and however often: the cap counts from the basis; where nothing ends later, from the filing."""
    dates = Dates(triggered, filed, filed, renewed, stated)
    rules = RetentionRules(Period(months), Period(months), SHIPPED[kind].basis)
    end = expires_on(kind, dates, rules)
    assert end <= months_later(kept_from(rules.basis, dates), LONGEST[kind].cap_months)
    if stated is None or kind not in ("policy", "claim"):
        assert end <= months_later(filed, LONGEST[kind].cap_months)


def test_customers_are_of_the_kind_that_is_said() -> None:
    """Quote or policy; what says neither, and every other class, is of the kind of its class."""
    assert [kind_of("customer", each) for each in ("quote", "policy", None)] == ["quote", "policy", "customer"]
    assert kind_of("claim", None) == "claim"


def test_a_date_ahead_keeps_no_customer_longer() -> None:
    """Said today of a policy that begins in a year: kept for a year from today."""
    today = date(2027, 1, 31)
    dates = Dates(date(2028, 1, 31), today, today)
    assert kept_from(Basis.LAST_SAID, dates) == today
    assert expires_on("customer", dates, SHIPPED["customer"]) == date(2028, 1, 31)


def test_a_suspicion_is_renewed_up_to_its_cap() -> None:
    """From the day of the renewal on for as long again, three years altogether; other classes are not."""
    first = date(2027, 1, 31)
    for renewed, end in (
        (None, date(2028, 1, 31)),
        (date(2027, 12, 1), date(2028, 12, 1)),
        (date(2029, 1, 15), date(2030, 1, 15)),
        (date(2029, 12, 1), date(2030, 1, 31)),
    ):
        assert expires_on("suspected", Dates(first, first, first, renewed), SHIPPED["suspected"]) == end
    dates = Dates(first, first, first, date(2028, 1, 1))
    assert expires_on("victim", dates, SHIPPED["victim"]) == date(2028, 2, 29)


def test_a_scheme_may_renew_for_less_than_the_cap_of_the_law() -> None:
    """Its own cap ends it."""
    first, rules = date(2027, 1, 31), RetentionRules(Period(6), Period(18), Basis.FIRST_FILING)
    assert expires_on("suspected", Dates(first, first, first, date(2028, 7, 1)), rules) == date(2028, 7, 31)
