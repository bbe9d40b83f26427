"""A request for others' data, and the first rule that refuses it, in words and figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from matching.vocabulary import RECORD_CLASSES
from repository.domain.assessment import LineStanding, Standing
from repository.domain.ladder import Step
from repository.domain.members import Member, Refusal, query_refusal
from repository.domain.ramp import missed_covenant
from repository.domain.rulebook import Rulebook
from repository.domain.terms import Grant, Ramp

SUBJECT = "subject"
"""The action of entering a person's own request and of reading its answer: no standing gives it, and none takes it."""

Figures = Mapping[str, str | int | float | None]


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: `asked` queries on top of the `used_today` (and `used_this_minute`) that the member asked before.

    `line` is None where no line is asked in (a list of hits, with `asked` at 0), `purpose` where none is needed.
    `subjects`: how many different ones were asked, with these, under one reference for this purpose; the most of any
    reference.
    """

    action: str
    purpose: str | None
    line: str | None
    used_today: int = 0
    used_this_minute: int = 0
    asked: int = 1
    subjects: int = 0

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Request:
        """From what `as_dict` gave."""
        return cls(**stored)


@dataclass(frozen=True, slots=True)
class Quota:
    """R10: queries a day and a minute, and how many of each were used before this request."""

    per_day: int
    used: int
    per_minute: int
    used_this_minute: int


def quota(member: Member, standing: Standing, request: Request, rulebook: Rulebook) -> Quota:
    """R10: what contributions give, at least the floor; a subscriber has what was granted."""
    rules = rulebook.quota
    per_day = max(rules.floor_per_day, int(rules.per_accepted * standing.accepted))
    if member.subscriber is not None:
        granted = standing.grant.quota_per_day if standing.grant else 0
        per_day = min(granted, rulebook.subscribers[member.subscriber].quota_per_day)
    return Quota(per_day, request.used_today, rules.burst_per_minute, request.used_this_minute)


def refusal(member: Member, standing: Standing, request: Request, rulebook: Rulebook, now: datetime) -> Refusal | None:
    """The first rule that refuses a request: R1, R7, the purpose, R5, R2, R6, R10. None when all allow it."""
    if request.action == SUBJECT:
        return _subject_refusal(member, standing, request, rulebook, now)
    refused = query_refusal(member, now.date(), rulebook.membership)
    if refused is None and member.subscriber is not None:
        refused = _grant_refusal(member, standing.grant, request, rulebook, now)
    refused = refused or _purpose_refusal(member, request, rulebook)
    if refused is None and member.subscriber is None and request.line is not None:
        line = standing.line(request.line)
        refused = (
            _ramp_refusal(standing, line, rulebook)
            or _floor_refusal(request.line, line, rulebook)
            or _ladder_refusal(line, rulebook)
        )
    return refused or _quota_refusal(quota(member, standing, request, rulebook), request)


def _subject_refusal(
    member: Member, standing: Standing, request: Request, rulebook: Rulebook, now: datetime
) -> Refusal | None:
    """A person's rights do not depend on what the member gives, owes or attested: only on who may act for persons."""
    if member.subscriber is not None:
        refused = _grant_refusal(member, standing.grant, request, rulebook, now)
        if refused is not None:
            return refused
    return _purpose_refusal(member, request, rulebook)


def figures(standing: Standing, request: Request, rulebook: Rulebook, allowance: Quota) -> Figures:
    """What an allowed request was allowed on."""
    told: dict[str, str | int | float | None] = {"line": request.line, "purpose": request.purpose}
    line = standing.line(request.line) if request.line is not None else None
    if line is not None:
        told |= _floor_figures(line, rulebook)
        told |= {"level": line.level.value, "score": line.score, "step": line.step.value}
    if request.asked:
        told |= {"asked": request.asked, "used_today": allowance.used, "per_day": allowance.per_day}
    return told


def _grant_refusal(
    member: Member, grant: Grant | None, request: Request, rulebook: Rulebook, now: datetime
) -> Refusal | None:
    assert member.subscriber is not None  # noqa: S101 # the caller asks for subscribers only
    rules = rulebook.subscribers[member.subscriber]
    told: dict[str, str | int | float | None] = {"subscriber": member.subscriber.value}
    if grant is None:
        remedy = "Apply to the operator of the scheme for a grant."
        return Refusal("R7", "There is no grant for this subscriber.", remedy, told | {"expires_on": None})
    if grant.expires_on <= now.date():
        remedy = "Apply to the operator of the scheme for another grant."
        return Refusal("R7", "The grant has expired.", remedy, told | {"expires_on": grant.expires_on.isoformat()})
    purposes = sorted(set(grant.purposes).intersection(rules.purposes))
    if request.purpose is not None and request.purpose not in purposes:
        remedy = f"Ask under a purpose of the grant: {', '.join(purposes) or 'it has none'}."
        return Refusal("R7", "The grant does not cover this purpose.", remedy, told | {"purpose": request.purpose})
    if request.line is not None and request.line not in grant.lines:
        remedy = f"Ask in a line of the grant: {', '.join(grant.lines) or 'it has none'}."
        return Refusal("R7", "The grant does not cover this line.", remedy, told | {"line": request.line})
    return None


def _purpose_refusal(member: Member, request: Request, rulebook: Rulebook) -> Refusal | None:
    if request.purpose is None:
        return None
    told: dict[str, str | int | float | None] = {"purpose": request.purpose}
    if member.subscriber is None and request.purpose not in rulebook.purposes.own:
        remedy = f"Ask under one of: {', '.join(rulebook.purposes.own) or 'none is open'}."
        return Refusal("PURPOSE", "This purpose is not one of contributing members.", remedy, told)
    closed = {
        each.record_class
        for each in rulebook.purposes.closed
        if (each.line, each.purpose) == (request.line, request.purpose)
    }
    if closed.issuperset(RECORD_CLASSES):
        detail = f"Nothing of line {request.line} is open to this purpose."
        return Refusal("PURPOSE", detail, "Ask under the purpose that the enquiry has, if it is open.", told)
    most, days = rulebook.quota.subjects_per_reference, rulebook.quota.reference_days
    if request.subjects > most:
        told |= {"subjects": request.subjects, "subjects_per_reference": most, "reference_days": days}
        detail = f"At most {most} different subjects are asked under one reference for a purpose in {days} days."
        return Refusal("PURPOSE", detail, "Ask about each under the reference of its own case, quote or claim.", told)
    return None


def _ramp_refusal(standing: Standing, line: LineStanding | None, rulebook: Rulebook) -> Refusal | None:
    if line is None:
        return None
    told: dict[str, str | int | float | None] = {"ramp": standing.ramp.value, "score": line.score}
    if standing.ramp is Ramp.CONTRIBUTE_FIRST:
        told |= {"may_ask_from": _iso(line.may_ask_from), "clean_days": rulebook.ramp.clean_days}
        if line.may_ask_from is None:
            remedy = "Load the back book, and have the operator record the date."
            return Refusal("R5", "This member contributes first, and its back book is not loaded.", remedy, told)
        if line.may_ask_from > standing.on:
            detail = f"This member contributes first: {rulebook.ramp.clean_days} days at target in a row are needed."
            remedy = f"Stay at target: line {line.line} may ask from {line.may_ask_from} on. {line.improve}"
            return Refusal("R5", detail, remedy, told)
    if missed_covenant(standing.ramp, standing.covenant_until, line.below_since, standing.on):
        told |= {"covenant_until": _iso(standing.covenant_until), "below_since": _iso(line.below_since)}
        detail = f"Full contribution was due on {standing.covenant_until}, and line {line.line} is below target."
        return Refusal("R5", detail, line.improve, told)
    return None


def _floor_refusal(name: str, line: LineStanding | None, rulebook: Rulebook) -> Refusal | None:
    told = _floor_figures(line, rulebook)
    needed, days = rulebook.window.accepted_to_ask, rulebook.window.days
    accepted = line.accepted if line else 0
    if accepted >= needed:
        return None
    detail = (
        f"Only those who contribute may ask: {accepted} filings of line {name} were accepted from this member "
        f"in the last {days} days."
    )
    records = "record" if needed == 1 else "records"
    remedy = f"File at least {needed} {records} of line {name}; it counts for {days} days."
    return Refusal("R2", detail, remedy, told)


def _floor_figures(line: LineStanding | None, rulebook: Rulebook) -> dict[str, str | int | float | None]:
    return {
        "accepted_in_window": line.accepted if line else 0,
        "needed": rulebook.window.accepted_to_ask,
        "window_days": rulebook.window.days,
    }


def _ladder_refusal(line: LineStanding | None, rulebook: Rulebook) -> Refusal | None:
    if line is None or line.step is not Step.SUSPENDED:
        return None
    told: dict[str, str | int | float | None] = {
        "step": line.step.value,
        "score": line.score,
        "below_since": _iso(line.below_since),
        "suspended_after_days": rulebook.ladder.suspended,
    }
    detail = f"Line {line.line} has been below target since {line.below_since}; it may file, correct and answer."
    return Refusal("R6", detail, line.improve, told)


def _quota_refusal(allowance: Quota, request: Request) -> Refusal | None:
    if request.asked <= 0:
        return None
    if allowance.used + request.asked > allowance.per_day:
        told = {"used_today": allowance.used, "asked": request.asked, "per_day": allowance.per_day}
        remedy = "Ask again tomorrow (UTC); the quota of a contributing member grows with what it files."
        return Refusal("R10", f"The day's quota is {allowance.per_day} queries.", remedy, {**told})
    if allowance.used_this_minute + request.asked > allowance.per_minute:
        told = {
            "used_this_minute": allowance.used_this_minute,
            "asked": request.asked,
            "per_minute": allowance.per_minute,
        }
        detail = f"At most {allowance.per_minute} queries are answered in a minute."
        remedy = "Wait a minute, and ask more slowly."
        if request.asked > allowance.per_minute:
            remedy = f"Ask at most {allowance.per_minute} queries at once."
        return Refusal("R10", detail, remedy, {**told})
    return None


def _iso(day: object) -> str | None:
    return None if day is None else str(day)
