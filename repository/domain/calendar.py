"""Working days of a scheme: Monday to Friday without its holidays, each beginning and ending at midnight in its zone.

Instants are aware and in UTC everywhere else; a day in the zone begins where the clocks there show midnight, or would
have if they had not been put forward over it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

_SATURDAY = 5
_DAY = timedelta(days=1)
_NO_DAYS: frozenset[date] = frozenset()


def is_working(day: date, holidays: Collection[date] = _NO_DAYS) -> bool:
    """Whether a day is a working day."""
    return day.weekday() < _SATURDAY and day not in holidays


def working_days_later(day: date, count: int, holidays: Collection[date] = _NO_DAYS) -> date:
    """The working day that many working days after a day; the day itself does not count."""
    while count > 0:
        day += _DAY
        count -= is_working(day, holidays)
    return day


def working_days_between(first: date, last: date, holidays: Collection[date] = _NO_DAYS) -> int:
    """How many working days lie after a day, up to another and with it; less than none where that is before it."""
    if last < first:
        return -working_days_between(last, first, holidays)
    weeks, rest = divmod((last - first).days, 7)
    over = sum(is_working(last - _DAY * back) for back in range(rest))
    return weeks * _SATURDAY + over - sum(first < each <= last and is_working(each) for each in set(holidays))


@dataclass(frozen=True, slots=True)
class Calendar:
    """The zone by which a scheme's days begin and end, and its holidays."""

    zone: str
    holidays: tuple[date, ...] = ()

    def day_of(self, at: datetime) -> date:
        """The day in the zone at an instant."""
        return at.astimezone(_zone(self.zone)).date()

    def end_of(self, day: date) -> datetime:
        """The first instant, in UTC, that is no longer of a day."""
        return datetime.combine(day + _DAY, time(), _zone(self.zone)).astimezone(UTC)

    def later(self, day: date, count: int) -> date:
        """The working day that many working days after a day."""
        return working_days_later(day, count, self.holidays)

    def between(self, first: date, last: date) -> int:
        """How many working days lie after a day, up to another and with it."""
        return working_days_between(first, last, self.holidays)


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
