"""Screenings that stand: until when, and how that ends. Pure rules.

A watch stands to the end of a day in the scheme's zone, and never past the time for which what was asked is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from repository.domain.calendar import Calendar
from repository.domain.errors import FieldError
from repository.domain.retention import FOOTPRINT_MONTHS, months_later
from repository.domain.rulebook import MonitoringRules


class StandsAs(StrEnum):
    """What a question stands for."""

    QUOTE = "quote"
    POLICY = "policy"


class EndReason(StrEnum):
    """How a watch ended: by its member, by its time, asked anew, or its rights or its linkage key are over."""

    MEMBER = "member"
    TIME = "time"
    RENEWED = "renewed"
    RIGHTS = "rights"
    KEY = "key"


class WatchError(ValueError):
    """What cannot be done to a watch as it is; the message says why."""


@dataclass(frozen=True, slots=True)
class Stands:
    """As what a question is to stand, and until the end of which day: that of the rulebook where none is said."""

    stands_as: StandsAs
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Watch:
    """A screening that stands, or stood. `number` is what the index of watches calls it."""

    id: str
    number: int
    member_id: str
    actor_id: str
    screening_id: str
    stands_as: StandsAs
    since: datetime
    until_on: date
    until: datetime
    ended_at: datetime | None = None
    end_reason: EndReason | None = None

    def stands(self, now: datetime) -> bool:
        """Whether it does at an instant."""
        return self.ended_at is None and now < self.until


def stands_from_json(given: object, field: str = "stands") -> Stands | None:
    """As what a question stands; None where it does not. Raises FieldError with paths under `field`."""
    if given is None:
        return None
    if not isinstance(given, Mapping) or not given.keys() <= {"as", "until"}:
        raise FieldError(field, "an object with `as` and, if wanted, `until`")
    words = [each.value for each in StandsAs]
    said = given.get("as")
    if said not in words:
        raise FieldError(f"{field}.as", f"one of: {', '.join(words)}")
    return Stands(StandsAs(said), _day(given.get("until"), f"{field}.until"))


def last_day(stands: Stands, now: datetime, rules: MonitoringRules, calendar: Calendar, field: str = "stands") -> date:
    """The last day on which a question asked now stands. Raises FieldError for one that the rulebook does not allow."""
    today = calendar.day_of(now)
    usual, most = {
        StandsAs.QUOTE: (rules.quote_days, rules.quote_most_days),
        StandsAs.POLICY: (rules.policy_days, rules.policy_most_days),
    }[stands.stands_as]
    longest = min(today + timedelta(days=most), kept_until(now).date() - timedelta(days=1))
    if stands.until is None:
        return min(today + timedelta(days=usual), longest)
    if not today <= stands.until <= longest:
        raise FieldError(f"{field}.until", f"a day from {today} to {longest}, as a {stands.stands_as.value}")
    return stands.until


def over_at(last: date, asked: datetime, calendar: Calendar) -> datetime:
    """When a watch is over whose last day this is."""
    return min(calendar.end_of(last), kept_until(asked))


def kept_until(asked: datetime) -> datetime:
    """When nothing is kept any more of what was asked."""
    return datetime.combine(months_later(asked.astimezone(UTC).date(), FOOTPRINT_MONTHS), time(), UTC)


def _day(given: object, field: str) -> date | None:
    if given is None:
        return None
    try:
        if isinstance(given, str):
            return date.fromisoformat(given)
    except ValueError:
        pass
    raise FieldError(field, "a date, such as 2027-03-31")
