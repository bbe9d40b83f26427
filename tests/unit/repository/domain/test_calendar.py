"""Working days: weekends, holidays, leap days, and where a day begins and ends in other zones."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repository.domain.calendar import Calendar, is_working, working_days_between, working_days_later

MONDAY = date(2026, 3, 2)
DAYS = st.dates(date(2000, 1, 1), date(2099, 12, 31))
ZONES = ("UTC", "Europe/London", "Pacific/Kiritimati", "Pacific/Pago_Pago", "America/New_York", "Asia/Kathmandu")


@st.composite
def with_holidays(draw: st.DrawFn) -> tuple[date, frozenset[date]]:
    """A day, and some holidays near it."""
    day = draw(DAYS)
    near = st.integers(-40, 80).map(lambda days: day + timedelta(days=days))
    return day, frozenset(draw(st.lists(near, max_size=12)))


@pytest.mark.parametrize(
    ("day", "count", "due"),
    [
        (MONDAY, 1, date(2026, 3, 3)),
        (MONDAY, 5, date(2026, 3, 9)),
        (date(2026, 3, 6), 1, date(2026, 3, 9)),
        (date(2026, 3, 7), 1, date(2026, 3, 9)),
        (date(2026, 3, 8), 10, date(2026, 3, 20)),
        (MONDAY, 0, MONDAY),
        (date(2028, 2, 28), 1, date(2028, 2, 29)),
        (date(2027, 2, 26), 1, date(2027, 3, 1)),
    ],
)
def test_clocks_run_on_working_days(day: date, count: int, due: date) -> None:
    """Saturdays and Sundays do not count, nor does the day itself; the 29th of February does where there is one."""
    assert working_days_later(day, count) == due


def test_holidays_do_not_count() -> None:
    """Five working days over Christmas end after both of its holidays and the new year's."""
    holidays = {date(2026, 12, 25), date(2026, 12, 28), date(2027, 1, 1)}
    assert working_days_later(date(2026, 12, 24), 5, holidays) == date(2027, 1, 5)
    assert working_days_later(date(2026, 12, 24), 5) == date(2026, 12, 31)


@given(with_holidays(), st.integers(1, 60))
def test_what_is_due_is_due_on_a_working_day_after_as_many(found: tuple[date, frozenset[date]], count: int) -> None:
    """The due day is a working day, exactly so many lie after the start up to it, and counting back agrees."""
    day, holidays = found
    due = working_days_later(day, count, holidays)
    assert is_working(due, holidays)
    between = (day + timedelta(days=step) for step in range(1, (due - day).days + 1))
    assert sum(is_working(each, holidays) for each in between) == count
    assert working_days_between(day, due, holidays) == count
    assert working_days_between(due, day, holidays) == -count


@given(with_holidays(), st.integers(0, 60))
def test_days_between_are_those_one_would_count(found: tuple[date, frozenset[date]], days: int) -> None:
    """Whole weeks at once come to the same as one day after the other."""
    first, holidays = found
    counted = sum(is_working(first + timedelta(days=each), holidays) for each in range(1, days + 1))
    assert working_days_between(first, first + timedelta(days=days), holidays) == counted


@given(DAYS, st.sampled_from(ZONES))
def test_a_day_ends_where_the_next_begins(day: date, zone: str) -> None:
    """In every zone the end of a day is the first instant of the next, whatever the clocks do in that night."""
    calendar = Calendar(zone)
    end = calendar.end_of(day)
    assert end.tzinfo is UTC
    assert calendar.day_of(end) == day + timedelta(days=1)
    assert calendar.day_of(end - timedelta(microseconds=1)) == day


def test_zones_differ_by_more_than_a_day() -> None:
    """The same instant is Monday in one scheme and Sunday in another; a summer's day in London ends an hour early."""
    at = datetime(2026, 3, 1, 10, 30, tzinfo=UTC)
    assert Calendar("Pacific/Kiritimati").day_of(at) == MONDAY
    assert Calendar("Pacific/Pago_Pago").day_of(at) == date(2026, 2, 28)
    assert Calendar("Europe/London").end_of(date(2026, 7, 1)) == datetime(2026, 7, 1, 23, tzinfo=UTC)
    assert Calendar("Europe/London").end_of(date(2026, 3, 28)) == datetime(2026, 3, 29, tzinfo=UTC)


def test_a_calendar_counts_without_its_holidays() -> None:
    """Its holidays are those that count."""
    calendar = Calendar("UTC", (date(2026, 3, 3),))
    assert calendar.later(MONDAY, 1) == date(2026, 3, 4)
    assert calendar.between(MONDAY, date(2026, 3, 4)) == 1
