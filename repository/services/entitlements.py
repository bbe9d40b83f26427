"""The one way to others' data: what an actor may see and ask now, and the decision on it, stored.

Every read of what other members filed takes its tiers from `entitled` (or `decide`), which ask the rules and nothing
else; every decision is stored with what it was made from, so that it can be made again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from matching.vocabulary import LINES, RECORD_CLASSES
from repository import metrics
from repository.domain.asking import Request
from repository.domain.entitlement import Entitlement, entitle
from repository.domain.events import Event, EventKind
from repository.domain.members import Actor, Member, MemberStatus
from repository.domain.rulebook import NO_TIER, Rulebook, SubscriberClass
from repository.services import Services, reciprocity
from repository.services.assessment import Assessed
from repository.services.membership import note_steps
from repository.storage import decisions, events, standings, usage
from repository.storage.usage import Before, Usage

_PAIRS = tuple((line, record_class) for line in LINES for record_class in RECORD_CLASSES)

DEFAULT_PURPOSE = "investigation"
"""What others' records are read for where nothing else is said."""


@dataclass(frozen=True, slots=True)
class Granted:
    """A decision, `id` being its own, allowed or not, and what it was made from.

    `new_standing`: whether the standing may be yet to be stored, and its steps to be noted.
    """

    id: str
    actor: Actor
    member: Member
    request: Request
    entitlement: Entitlement
    assessed: Assessed
    rulebook: Rulebook
    now: datetime
    new_standing: bool


class RefusedError(Exception):
    """A rule of the scheme does not allow it; the decision says which, and is stored."""

    def __init__(self, granted: Granted) -> None:
        super().__init__(granted.entitlement.rule)
        self.granted = granted


def entitled(
    services: Services,
    connection: Connection,
    actor: Actor,
    member: Member,
    request: Request,
    *,
    read: Callable[[str, datetime], Before] | None = None,
    subjects: Callable[[], int] | None = None,
    keep: bool = True,
) -> Granted:
    """What a member's actor may see and ask now. Reads only; what was asked before is filled in here.

    `read` reads usage for a standing's id and the time, with whatever else. `subjects` counts how many were asked under
    one reference: after usage is read, so that whoever asks between the two is found by `counted`. `keep=False` in a
    transaction that has written to the member's ledger before.
    """
    now = services.clock()
    known, version = services.assessments.last(member.id)
    before = read(known, now) if read else usage.read(connection, member.id, known, now)
    assessed = services.assessments.of(connection, member, before.ledger_version, now.date(), keep=keep)
    rulebook = services.rulebooks.at(now)
    request = replace(request, used_today=before.usage.today, used_this_minute=before.usage.this_minute)
    if subjects is not None:
        request = replace(request, subjects=subjects())
    found = entitle(member, assessed.standing, request, rulebook, now, known=assessed.known)
    decision_id = reciprocity.new_id(services, "dec")
    # The same as the last one here may be another one than the last elsewhere, if the ledger has changed since.
    new = not (before.stored and (known, version) == (assessed.id, before.ledger_version))
    return Granted(decision_id, actor, member, request, found, assessed, rulebook, now, new)


def counting(connection: Connection, granted: Granted, subjects: Callable[[], int]) -> Callable[[], Granted]:
    """Count what is asked (R10). To be had: the decision, taken again where others of the member asked in between.

    `subjects` counts again how many were asked under one reference, as seen once nobody else counts. In the writing
    transaction that answers; where the decision is a refusal now, that transaction is to be undone.
    """
    request = granted.request
    asked_before = usage.add(connection, granted.member.id, request.asked, granted.now)

    def counted() -> Granted:
        before = asked_before()
        if before == Usage(request.used_today, request.used_this_minute):
            return granted
        now = replace(request, used_today=before.today, used_this_minute=before.this_minute, subjects=subjects())
        known, standing = granted.assessed.known, granted.assessed.standing
        found = entitle(granted.member, standing, now, granted.rulebook, granted.now, known=known)
        return replace(granted, request=now, entitlement=found)

    return counted


def remember(connection: Connection, granted: Granted) -> None:
    """Store a decision, and its standing where that is new: then the ladder's steps are noted, too (R6)."""
    member, assessed, found = granted.member, granted.assessed, granted.entitlement
    if granted.new_standing:
        standings.add(connection, assessed.id, member.id, assessed.body, at=granted.now)
        note_steps(connection, assessed.standing, granted.now)
    row = {
        "id": granted.id,
        "at": granted.now,
        "member_id": member.id,
        "actor_id": granted.actor.id,
        "action": granted.request.action,
        "allowed": found.allowed,
        "rule": found.rule,
        "rulebook": granted.rulebook.version,
        "figures": dict(found.figures),
        "request": granted.request.as_dict() | {"member": _facts(member)},
        "standing_id": assessed.id,
        "rulebook_digest": granted.rulebook.digest,
        "answer": answer_of(found),
    }
    decisions.add(connection, row)
    metrics.DECISIONS.labels("yes" if found.allowed else "no", found.rule).inc()


def decide(
    services: Services, actor: Actor, member: Member, request: Request, told: tuple[EventKind, EventKind]
) -> Granted:
    """Decide in a transaction of its own, with an event: the first of `told` for an allow, the second for a deny.

    Raises RefusedError for a deny.
    """
    with services.database.writing() as connection:
        granted = entitled(services, connection, actor, member, request)
        remember(connection, granted)
        allowed = granted.entitlement.allowed
        tell(services, connection, granted, told[0] if allowed else told[1])
    if not allowed:
        raise RefusedError(granted)
    return granted


def tell(
    services: Services,
    connection: Connection,
    granted: Granted,
    kind: EventKind,
    figures: Mapping[str, int] | None = None,
) -> None:
    """Append the event of a decision; of a refusal it says the rule and the purpose."""
    shown: dict[str, str | int | None] = dict(figures or {})
    if not granted.entitlement.allowed:
        shown |= {"rule": granted.entitlement.rule, "purpose": granted.request.purpose}
    event_id = reciprocity.new_id(services, "evt")
    event = Event(event_id, granted.now, kind, granted.actor.id, granted.member.id, granted.id, shown)
    events.append(connection, event)


def answer_of(found: Entitlement) -> dict[str, Any]:
    """What is stored of an answer: tiers, a digit for each line and class in the vocabulary's order, and the quota."""
    tiers = "".join([str(found.tiers.get(pair, NO_TIER)) for pair in _PAIRS])
    return {"tiers": tiers, "per_day": found.quota.per_day, "per_minute": found.quota.per_minute}


def _facts(member: Member) -> dict[str, Any]:
    """What a decision uses of a member, as JSON; the name is left out."""
    return {
        "status": member.status.value,
        "lines": sorted(member.lines),
        "agreement_signed_on": _iso(member.agreement_signed_on),
        "attested_on": _iso(member.attested_on),
        "subscriber": member.subscriber.value if member.subscriber else None,
    }


def member_of(member_id: str, facts: Mapping[str, Any]) -> Member:
    """The member of a stored decision as it was then; the name is not kept."""
    return Member(
        id=member_id,
        name="",
        status=MemberStatus(facts["status"]),
        lines=frozenset(facts["lines"]),
        agreement_signed_on=_day(facts["agreement_signed_on"]),
        attested_on=_day(facts["attested_on"]),
        subscriber=SubscriberClass(facts["subscriber"]) if facts["subscriber"] else None,
    )


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
