"""What recurs: daily, weekly or monthly at a time of day in a zone, across its changes of the clock. Pure rules."""

from __future__ import annotations

import hashlib
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo, available_timezones

from repository.domain.errors import FieldError

SPREAD = timedelta(minutes=30)
"""Within which the members' rescreens begin after the time they name: each always as late as before."""
_AT = "a time of day, such as 02:30"
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Task(StrEnum):
    """What is done on a schedule."""

    RESCREEN = "rescreen"
    DIGEST = "digest"


class Every(StrEnum):
    """How often."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


@dataclass(frozen=True, slots=True)
class Schedule:
    """When something recurs; `weekday` from 0 for Monday, and `day` of the month, its last where it has none such."""

    every: Every
    at: time
    zone: str
    weekday: int | None = None
    day: int | None = None

    def after(self, instant: datetime) -> datetime:
        """The next time after an instant, in UTC.

        A time that the clocks of a day leave out is as much later; one that comes twice is the first.
        """
        zone = ZoneInfo(self.zone)
        today = instant.astimezone(zone).date() - timedelta(days=1)
        while True:
            found = datetime.combine(today, self.at, zone).astimezone(UTC)
            if found > instant and self._on(today):
                return found
            today += timedelta(days=1)

    def _on(self, today: date) -> bool:
        if self.every is Every.WEEKLY:
            return today.weekday() == self.weekday
        if self.every is Every.MONTHLY:
            return today.day == min(self.day or 1, monthrange(today.year, today.month)[1])
        return True

    def as_dict(self) -> dict[str, str | int]:
        """As JSON."""
        told: dict[str, str | int] = {"every": self.every.value, "at": self.at.isoformat("minutes"), "zone": self.zone}
        if self.weekday is not None:
            told["weekday"] = _DAYS[self.weekday]
        if self.day is not None:
            told["day"] = self.day
        return told


def schedule_from_json(body: Mapping[str, object], zone: str) -> Schedule:
    """A schedule as a member gives it; `zone` is the scheme's, where it names none. Raises FieldError."""
    words = [each.value for each in Every]
    if body.get("every") not in words:
        raise FieldError("every", f"one of: {', '.join(words)}")
    every, named = Every(str(body["every"])), body.get("zone", zone)
    if not isinstance(named, str) or named not in available_timezones():
        raise FieldError("zone", "a zone of the IANA time zone database, such as Europe/London")
    weekday, day = body.get("weekday"), body.get("day")
    if (weekday in _DAYS) != (every is Every.WEEKLY) or (weekday is not None and every is not Every.WEEKLY):
        raise FieldError("weekday", f"for a weekly one, and no other, one of: {', '.join(_DAYS)}")
    whole = isinstance(day, int) and not isinstance(day, bool) and 1 <= day <= 31
    if whole != (every is Every.MONTHLY) or (day is not None and every is not Every.MONTHLY):
        raise FieldError("day", "for a monthly one, and no other, a day from 1 to 31")
    return Schedule(
        every,
        _time(body.get("at")),
        named,
        _DAYS.index(str(weekday)) if weekday is not None else None,
        int(str(day)) if day is not None else None,
    )


def spread(member_id: str) -> timedelta:
    """How much later than it says a member's rescreen begins: so that not all begin at once."""
    drawn = int.from_bytes(hashlib.sha256(member_id.encode("ascii")).digest()[:4], "big")
    return timedelta(seconds=drawn % int(SPREAD.total_seconds()))


def _time(given: object) -> time:
    try:
        if isinstance(given, str) and len(given) == len("02:30"):
            return time.fromisoformat(given)
    except ValueError:
        pass
    raise FieldError("at", _AT)
