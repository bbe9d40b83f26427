"""How long filings and screenings are kept: from which day, for how many months, and never longer. Pure rules.

Days are those of UTC, months those of the calendar: of a day that a month has not, its last day is taken, so that
nothing is kept a day longer than it would be in a month that has it.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType

from repository.domain.rulebook import RetentionRules

FOOTPRINT_DAYS = 365
"""The most that a rulebook keeps a screening and its encoding."""
FOOTPRINT_MONTHS = 12
"""After which nothing is left of a screening, also where work stands on it."""


class Basis(StrEnum):
    """Which day of a filing its time counts from."""

    LAST_SAID = "last_said"
    NOTIFICATION = "notification"
    FIRST_FILING = "first_filing"
    DECISION = "decision"


class RenewalReason(StrEnum):
    """Why a suspicion is kept for longer. From a closed list: words of people would outlive the record."""

    INVESTIGATION_OPEN = "investigation_open"
    PROCEEDINGS_PENDING = "proceedings_pending"
    NEW_EVIDENCE = "new_evidence"


class RenewalError(ValueError):
    """A filing whose time is not renewed; the message says why."""


@dataclass(frozen=True, slots=True)
class Longest:
    """What no rulebook exceeds, for a class: the months from the basis, with renewals where there are any."""

    basis: Basis
    cap_months: int
    renewable: bool = False


LONGEST: Mapping[str, Longest] = MappingProxyType(
    {
        # As long as nothing tells a quote from a policy, the cap of a quote holds for both.
        "customer": Longest(Basis.LAST_SAID, 12),
        "claim": Longest(Basis.NOTIFICATION, 72),
        "suspected": Longest(Basis.FIRST_FILING, 36, renewable=True),
        "proven": Longest(Basis.DECISION, 72),
        "victim": Longest(Basis.FIRST_FILING, 13),
        "protective": Longest(Basis.FIRST_FILING, 24),
    }
)


@dataclass(frozen=True, slots=True)
class Dates:
    """The days of a filing that its time may count from; `last_said` is when it was last filed, or named in a batch."""

    triggered_on: date
    first_filed_on: date
    last_said_on: date
    renewed_on: date | None = None


def kept_from(record_class: str, dates: Dates) -> date:
    """The day that the time of a filing counts from.

    A day that its member says is never later than the first filing: no new version moves it on. But a customer is one
    for as long as it is said to be one, whatever day its policy begins on.
    """
    basis = LONGEST[record_class].basis
    if basis is Basis.LAST_SAID:
        return dates.last_said_on
    if basis is Basis.FIRST_FILING:
        return dates.first_filed_on
    return min(dates.triggered_on, dates.first_filed_on)


def expires_on(record_class: str, dates: Dates, rules: RetentionRules) -> date:
    """The first day on which a filing is not kept any more."""
    longest, start = LONGEST[record_class], kept_from(record_class, dates)
    keep = min(rules.keep_months, longest.cap_months)
    if dates.renewed_on is None or not longest.renewable:
        return months_later(start, keep)
    renewed = max(months_later(start, keep), months_later(dates.renewed_on, keep))
    return min(renewed, months_later(start, longest.cap_months))


def over_until(today: date, months: int) -> date:
    """The latest day from which a time of so many months is over today."""
    found = months_later(today, -months)
    while months_later(found + timedelta(days=1), months) <= today:
        found += timedelta(days=1)
    while months_later(found, months) > today:
        found -= timedelta(days=1)
    return found


def months_later(day: date, months: int) -> date:
    """The same day so many months later, or the last of that month where it has none; never past the calendar."""
    place = day.year * 12 + day.month - 1 + months
    year, month = divmod(place, 12)
    if year > date.max.year:
        return date.max
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
