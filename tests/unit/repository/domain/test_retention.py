"""How long what is filed is kept: every class, over the ends of months, leap days and all time zones."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.vocabulary import RECORD_CLASSES
from repository.domain.retention import LONGEST, Dates, expires_on, kept_from, months_later, over_until
from repository.domain.rulebook import RetentionRules

LEAP = date(2028, 2, 29)
DAYS = st.dates(date(1990, 1, 1), date(2120, 1, 1))


def test_every_class_has_a_cap() -> None:
    """Those of the scheme's rules."""
    caps = {name: each.cap_months for name, each in LONGEST.items()}
    assert caps.keys() == set(RECORD_CLASSES)
    assert caps == {"customer": 12, "claim": 72, "suspected": 36, "proven": 72, "victim": 13, "protective": 24}


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


@pytest.mark.parametrize(
    ("record_class", "start", "end"),
    [
        ("customer", date(2028, 5, 7), date(2029, 5, 7)),
        ("claim", date(2028, 2, 29), date(2034, 2, 28)),
        ("suspected", date(2028, 3, 1), date(2029, 3, 1)),
        ("proven", date(2028, 2, 29), date(2033, 2, 28)),
        ("victim", date(2028, 3, 1), date(2029, 4, 1)),
        ("protective", date(2028, 3, 1), date(2030, 3, 1)),
    ],
)
def test_each_class_counts_from_its_own_day(record_class: str, start: date, end: date) -> None:
    """Dated on a leap day, filed the day after, filed anew or named again later."""
    shipped = {"customer": 12, "claim": 72, "suspected": 12, "proven": 60, "victim": 13, "protective": 24}
    dates = Dates(LEAP, date(2028, 3, 1), date(2028, 5, 7))
    assert kept_from(record_class, dates) == start
    assert expires_on(record_class, dates, RetentionRules(shipped[record_class])) == end


@given(st.sampled_from(RECORD_CLASSES), DAYS, DAYS, DAYS, st.integers(1, 999))
def test_no_rulebook_and_no_renewal_goes_past_the_cap(
    record_class: str, triggered: date, filed: date, renewed: date, months: int
) -> None:
    """Whatever is said, and however often: the cap counts from the first filing, or earlier."""
    dates = Dates(triggered, filed, filed, renewed)
    end = expires_on(record_class, dates, RetentionRules(months))
    assert end <= months_later(kept_from(record_class, dates), LONGEST[record_class].cap_months)
    if record_class != "customer":
        assert end <= months_later(filed, LONGEST[record_class].cap_months)


def test_a_date_ahead_keeps_no_customer_longer() -> None:
    """Said today of a policy that begins in a year: kept for a year from today."""
    today = date(2027, 1, 31)
    dates = Dates(date(2028, 1, 31), today, today)
    assert kept_from("customer", dates) == today
    assert expires_on("customer", dates, RetentionRules(12)) == date(2028, 1, 31)


def test_a_suspicion_is_renewed_up_to_its_cap() -> None:
    """From the day of the renewal on for as long again, three years altogether; other classes are not."""
    first, rules = date(2027, 1, 31), RetentionRules(12)
    for renewed, end in (
        (None, date(2028, 1, 31)),
        (date(2027, 12, 1), date(2028, 12, 1)),
        (date(2029, 1, 15), date(2030, 1, 15)),
        (date(2029, 12, 1), date(2030, 1, 31)),
    ):
        assert expires_on("suspected", Dates(first, first, first, renewed), rules) == end
    assert expires_on("victim", Dates(first, first, first, date(2028, 1, 1)), RetentionRules(13)) == date(2028, 2, 29)
