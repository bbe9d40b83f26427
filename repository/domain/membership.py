"""The life cycle of a membership: its clocks, what may be declared, and what a grant may give. Pure rules."""

from __future__ import annotations

import unicodedata
from calendar import monthrange
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from matching.vocabulary import LINES, RECORD_CLASSES
from repository.domain.errors import FieldError
from repository.domain.members import MemberStatus
from repository.domain.rulebook import RampRules, SubscriberRules
from repository.domain.standing import Grant, Ramp

SYSTEM = "system"
"""The actor of what happens by itself."""
COMMAND_LINE = "operator"
"""The actor of what was done on the operator's command line, where nobody in particular is logged in."""
MOST_PER_MONTH = 10_000_000
NOT_RESUMED = (
    "A membership that was withdrawn is not resumed: admit the member anew, under the same name and contributing first"
    f" (ramp {Ramp.CONTRIBUTE_FIRST.value}, R5)"
)


class CaseStatus(StrEnum):
    """Where an application or an appeal stands. Accepted and refused are of applications, the last two of appeals."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    UPHELD = "upheld"
    DISMISSED = "dismissed"


class LifeCycleError(ValueError):
    """What was asked does not fit the present state; the message says why, and holds nothing that was sent."""


class NotIndependentError(LifeCycleError):
    """R9: who wants to decide a case is part of it."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a member says it will file of a class of a line in a month, from a month on."""

    line: str
    record_class: str
    per_month: int
    month: date


@dataclass(frozen=True, slots=True)
class Applying:
    """What someone who asks to become a member says of itself (R9)."""

    name: str
    lines: tuple[str, ...]
    declared: Mapping[tuple[str, str], int]
    ramp: Ramp = Ramp.COVENANT
    covenant_until: date | None = None
    agreement_version: str | None = None
    agreement_signed_on: date | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an officer decides on a case; `rule` names the rule that a refusal rests on.

    `covenant_until` takes the place of the date that was applied for, which may be over by now.
    """

    granted: bool
    rule: str = "R9"
    covenant_until: date | None = None


@dataclass(frozen=True, slots=True)
class Start:
    """How a member starts (R5); `covenant_until` is None under contribute-first."""

    ramp: Ramp
    covenant_until: date | None


def months_later(day: date, months: int) -> date:
    """The same day some months later, or the last of that month where it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def overdue(due_on: date, status: CaseStatus, today: date) -> bool:
    """Whether a case is still open after the day it was due."""
    return status is CaseStatus.OPEN and today > due_on


def start(ramp: Ramp, covenant_until: date | None, today: date, rules: RampRules) -> Start:
    """R5: how a member admitted today starts; a covenant without a date gets the longest.

    Raises FieldError for a date under contribute-first, one that is over, or one later than the rulebook gives.
    """
    if ramp is Ramp.CONTRIBUTE_FIRST:
        if covenant_until is not None:
            raise FieldError("covenant_until", "nothing: a member that contributes first has no covenant date")
        return Start(ramp, None)
    longest = months_later(today, rules.covenant_months)
    if covenant_until is None:
        return Start(ramp, longest)
    if not today < covenant_until <= longest:
        raise FieldError("covenant_until", f"a date after today, {rules.covenant_months} months from now at most")
    return Start(ramp, covenant_until)


def declared_from(month: date, today: date) -> date:
    """R4: the first day that a declaration holds for: the month's first, or today within this month.

    Days that are over keep the declaration under which they were judged. Raises FieldError for a month that is over.
    """
    first = month.replace(day=1)
    if first < today.replace(day=1):
        raise FieldError("from", "this month or a later one: months that are over are not declared anew")
    return max(first, today)


def check_volume(line: str, record_class: str, per_month: int, lines: Collection[str]) -> None:
    """Raises FieldError unless a volume is of one of these lines, of a class, and within bounds."""
    if line not in lines:
        raise FieldError("line", "one of the member's lines of business")
    if record_class not in RECORD_CLASSES:
        raise FieldError("class", f"one of: {', '.join(RECORD_CLASSES)}")
    if not 0 <= per_month <= MOST_PER_MONTH:
        raise FieldError("per_month", f"a whole number from 0 to {MOST_PER_MONTH}")


def check_volumes(declared: Mapping[tuple[str, str], int], lines: Collection[str]) -> None:
    """The same for several; raises FieldError too where there is no line, or one that is none."""
    if not lines or not set(lines) <= set(LINES):
        raise FieldError("lines", f"one or more of: {', '.join(LINES)}")
    for (line, record_class), per_month in declared.items():
        try:
            check_volume(line, record_class, per_month, lines)
        except FieldError as error:
            raise FieldError("declared", f"as {error.field} {error.expected}") from None


def check_officer(officer_id: str, involved: Collection[str | None]) -> None:
    """R9: raises NotIndependentError for an officer who was part of what is to be decided."""
    if officer_id in involved:
        raise NotIndependentError("an officer decides who neither entered the case nor took the decision at issue (R9)")


def check_status_change(present: MemberStatus, wanted: MemberStatus) -> None:
    """Raises LifeCycleError for a way back from withdrawal; every other way is open."""
    if present is MemberStatus.WITHDRAWN and wanted is not MemberStatus.WITHDRAWN:
        raise LifeCycleError(NOT_RESUMED)


def same_name(name: str) -> str:
    """What two names of the same member have in common: not their case, width or spaces."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def check_name(status: MemberStatus | None, ramp: Ramp) -> None:
    """Raises LifeCycleError where nobody is admitted by the name of a member of this status; None is nobody's name.

    Who has withdrawn comes back contributing first: else a covenant that was missed would be followed by a new one.
    """
    if status is None or (status is MemberStatus.WITHDRAWN and ramp is Ramp.CONTRIBUTE_FIRST):
        return
    if status is MemberStatus.WITHDRAWN:
        raise LifeCycleError(f"a member of that name has withdrawn. {NOT_RESUMED}")
    raise LifeCycleError("a member of that name exists")


def check_grant(grant: Grant, today: date, rules: SubscriberRules) -> None:
    """R7: raises FieldError where a grant reaches beyond what the rulebook gives its class of subscriber."""
    if not grant.lines or not set(grant.lines) <= set(LINES):
        raise FieldError("lines", f"one or more of: {', '.join(LINES)}")
    if not grant.classes or not set(grant.classes) <= set(rules.classes):
        raise FieldError("classes", f"one or more of: {', '.join(rules.classes)}")
    if not grant.purposes or not set(grant.purposes) <= set(rules.purposes):
        raise FieldError("purposes", f"one or more of: {', '.join(rules.purposes)}")
    if not 1 <= grant.tier <= rules.tier:
        raise FieldError("tier", f"a tier from 1 to {rules.tier}")
    if not 1 <= grant.quota_per_day <= rules.quota_per_day:
        raise FieldError("quota_per_day", f"a number from 1 to {rules.quota_per_day}")
    if not today < grant.expires_on <= today + timedelta(days=rules.grant_days):
        raise FieldError("expires_on", f"a date after today, {rules.grant_days} days from now at most")
