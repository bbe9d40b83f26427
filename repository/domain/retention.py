"""How long filings and screenings are kept: from which day, for how long, and never longer. Pure rules.

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

FOOTPRINT_DAYS = 365
"""The most that a rulebook keeps a screening and its encoding."""
FOOTPRINT_MONTHS = 12
"""After which nothing is left of a screening, also where work stands on it."""


class Basis(StrEnum):
    """Which day of a filing its time counts from."""

    QUOTE = "quote"
    POLICY_END = "policy_end"
    """As long as it lies ahead, or none is said, the day on which the policy was last said to be in force."""
    LAST_SAID = "last_said"
    CLOSURE = "closure"
    """As long as none is said, the notification."""
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
class Period:
    """So many calendar months, or so many days."""

    number: int
    unit: str = "months"

    def after(self, day: date) -> date:
        """The first day after a period that began on a day."""
        if self.unit == "months":
            return months_later(day, self.number)
        return date.fromordinal(min(day.toordinal() + self.number, date.max.toordinal()))

    def over(self, today: date) -> date:
        """The latest day from which the period is over today."""
        return over_until(today, self.number) if self.unit == "months" else today - timedelta(days=self.number)

    def is_within(self, other: Period) -> bool:
        """Whether it is never longer than another, whenever it begins."""
        if self.unit == other.unit:
            return self.number <= other.number
        return all(self.after(each) <= other.after(each) for each in _FOUR_YEARS)

    def __str__(self) -> str:
        return f"{self.number} {self.unit}"


_FOUR_YEARS = tuple(date(2027, 1, 1) + timedelta(days=each) for each in range(4 * 365 + 1))


@dataclass(frozen=True, slots=True)
class RetentionRules:
    """By a rulebook how long filings of a kind are kept from their basis, and the most of it, with renewals."""

    keep: Period
    cap: Period
    basis: Basis


@dataclass(frozen=True, slots=True)
class Longest:
    """What no rulebook exceeds, for a kind: the bases that there are, the months from them, whether it is renewed."""

    bases: tuple[Basis, ...]
    cap_months: int
    renewable: bool = False


LONGEST: Mapping[str, Longest] = MappingProxyType(
    {
        "quote": Longest((Basis.QUOTE,), 12),
        "policy": Longest((Basis.POLICY_END,), 72),
        # Of which it is not said whether it is a quote or a policy: the cap of a quote holds.
        "customer": Longest((Basis.LAST_SAID,), 12),
        "claim": Longest((Basis.CLOSURE, Basis.NOTIFICATION), 72),
        "suspected": Longest((Basis.FIRST_FILING,), 36, renewable=True),
        "proven": Longest((Basis.DECISION,), 72),
        "victim": Longest((Basis.FIRST_FILING,), 13),
        "protective": Longest((Basis.FIRST_FILING,), 24),
    }
)
"""By kind of filing: its class, but customers that are said to be a quote or a policy."""


def kind_of(record_class: str, customer_kind: str | None) -> str:
    """Which entry of the schedule a filing falls under."""
    return customer_kind or record_class


@dataclass(frozen=True, slots=True)
class Dates:
    """The days of a filing that its time may count from.

    `last_said` is when it was last filed, or named in a batch; `stated_on` the policy's end, the claim's closure or the
    decision that it says itself.
    """

    triggered_on: date
    first_filed_on: date
    last_said_on: date
    renewed_on: date | None = None
    stated_on: date | None = None


def kept_from(basis: Basis, dates: Dates) -> date:
    """The day that the time of a filing counts from.

    No new version moves it beyond the first filing, but where the time counts from what ends later: a policy, or a
    claim. A policy is in force for as long as its member goes on saying so, and no longer than up to its end.
    """
    if basis is Basis.POLICY_END:
        return min(dates.stated_on or dates.last_said_on, dates.last_said_on)
    if basis is Basis.CLOSURE and dates.stated_on is not None:
        return dates.stated_on
    if basis is Basis.LAST_SAID:
        return dates.last_said_on
    if basis is Basis.FIRST_FILING:
        return dates.first_filed_on
    decided = dates.stated_on if basis is Basis.DECISION else None
    return min(decided or dates.triggered_on, dates.first_filed_on)


def expires_on(kind: str, dates: Dates, rules: RetentionRules) -> date:
    """The first day on which a filing of a kind is not kept any more."""
    longest, start = LONGEST[kind], kept_from(rules.basis, dates)
    most = min(rules.cap.after(start), months_later(start, longest.cap_months))
    kept = rules.keep.after(start)
    if dates.renewed_on is not None and longest.renewable:
        kept = max(kept, rules.keep.after(dates.renewed_on))
    return min(kept, most)


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
