"""What contributors do about their records when a person asks: say what must wait, and decide what they keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from repository.domain import subject_requests as rules
from repository.domain.events import EventKind
from repository.domain.filings import refuse_unknown
from repository.domain.members import Actor, Member
from repository.domain.removal import HeldError, WithdrawalReason
from repository.domain.subject_requests import Part, PartDecision, SubjectRequest, SubjectRequestError
from repository.services import Services, subject_effects, withdrawal
from repository.services.lifecycle import Act
from repository.services.subject_requests import tell_contributor
from repository.storage import dialect, disputes, exchange, retention
from repository.storage import subject_requests as stored

OPERATOR = "operator"
DEFERRAL_FIELDS = frozenset({"reason", "until"})
DECISION_FIELDS = frozenset({"decision", "reason", "note_reference"})


def defer(
    services: Services, actor: Actor, member: Member, part_id: str, body: Mapping[str, object]
) -> dict[str, Any] | None:
    """Put off telling of an own record, up to a day. None for no such part; raises FieldError, SubjectRequestError."""
    refuse_unknown(body, DEFERRAL_FIELDS)
    act = Act(services.clock(), actor.id)
    with services.database.writing() as connection:
        found = _of_contributor(connection, member, part_id)
        if found is None:
            return None
        after = _defer(services, connection, act, found, (body, actor.id))
        return to_json(services, connection, [after])[0]


def defer_for_pool(services: Services, part_id: str, body: Mapping[str, object], act: Act) -> bool:
    """The same by the operator, of whosever record; False for no such part."""
    with services.database.writing() as connection:
        part = stored.part(connection, part_id, for_change=True)
        if part is None:
            return False
        request = stored.named(connection, [part.request_id])[part.request_id]
        _defer(services, connection, act, (part, request), (body, OPERATOR))
    return True


def decide(
    services: Services, actor: Actor, member: Member, part_id: str, body: Mapping[str, object]
) -> dict[str, Any] | None:
    """Decide what becomes of an own record, at once. None for no such part.

    Raises FieldError, and SubjectRequestError for what is not to be decided, or is under a legal hold.
    """
    refuse_unknown(body, DECISION_FIELDS)
    act = Act(services.clock(), actor.id)
    with services.database.writing() as connection:
        dialect.lock_pool(connection)
        found = _of_contributor(connection, member, part_id)
        if found is None:
            return None
        before, request = found
        after = rules.decided(before, request, body, actor.id, act.now)
        after = _effect(services, connection, (actor, member), before, after)
        stored.save_part(connection, after)
        figures = {"decision": str(after.decision), "why": after.reason.value if after.reason else None}
        tell_contributor(connection, act, EventKind.SUBJECT_DECIDED, after, **figures)
        return to_json(services, connection, [after])[0]


def find(services: Services, member: Member, part_id: str) -> dict[str, Any] | None:
    """A part about a member's own record as JSON, None when it has none of this id."""
    with services.database.reading() as connection:
        part = stored.part(connection, part_id)
        if part is None or part.contributor_id != member.id:
            return None
        return to_json(services, connection, [part])[0]


def inbox(
    services: Services, member: Member, *, undecided: bool, before: str | None, limit: int
) -> tuple[list[dict[str, Any]], bool]:
    """A page of the parts about a member's own records as JSON, latest first, and whether there are more."""
    with services.database.reading() as connection:
        found = stored.inbox(connection, member.id, undecided=undecided, before=before, limit=limit + 1)
        return to_json(services, connection, found[:limit]), len(found) > limit


def to_json(services: Services, connection: Connection, parts: list[Part]) -> list[dict[str, Any]]:
    """Parts for their contributor: who asks through which member, about which own record, and until when to decide."""
    requests = stored.named(connection, {each.request_id for each in parts})
    names = exchange.names(connection, {each.member_id for each in requests.values()})
    references = disputes.references(connection, [each.filing_id for each in parts])
    return [_part_json(services, each, requests[each.request_id], (names, references)) for each in parts]


def _part_json(
    services: Services, part: Part, request: SubjectRequest, known: tuple[Mapping[str, str], Mapping[str, str]]
) -> dict[str, Any]:
    names, references = known
    overdue = rules.is_asked(part, request) and request.is_ready(services.clock())
    return {
        "id": part.id,
        "request": request.id,
        "kind": request.kind.value,
        "status": request.status.value,
        "ground": request.ground.value if request.ground else None,
        "member": request.member_id,
        "name": names[request.member_id],
        "filing": part.filing_id,
        "version": part.filing_version,
        "reference": references.get(part.filing_id),
        "line": part.line,
        "class": part.record_class,
        "found_at": part.found_at.isoformat(),
        "decide_by": request.ready_on.isoformat() if request.ready_on else None,
        "overdue": overdue,
        "decision": part.decision.value if part.decision else None,
        "reason": part.reason.value if part.reason else None,
        "decided_at": part.decided_at.isoformat() if part.decided_at else None,
        "note_reference": part.note_reference,
        "deferred_until": part.deferred_until.isoformat() if part.deferred_until else None,
        "deferral_reason": part.deferral_reason.value if part.deferral_reason else None,
        "deferred_by": _who(part),
        "restricted_at": part.restricted_at.isoformat() if part.restricted_at else None,
        "dispute": part.dispute_id,
    }


def _who(part: Part) -> str | None:
    if part.deferred_by is None:
        return None
    return OPERATOR if part.deferred_by == OPERATOR else "contributor"


def _defer(
    services: Services,
    connection: Connection,
    act: Act,
    found: tuple[Part, SubjectRequest],
    given: tuple[Mapping[str, object], str],
) -> Part:
    part, request = found
    rulebook = services.rulebooks.at(act.now)
    when = (rulebook.calendar, rulebook.subject_access.deferral_days, act.now)
    after = rules.deferred(part, request, given[0], given[1], when)
    stored.save_part(connection, after, {"released_at": None})
    figures = {"until": str(after.deferred_until), "why": str(after.deferral_reason), "by": _who(after)}
    tell_contributor(connection, act, EventKind.SUBJECT_DEFERRED, after, **figures)
    return after


def _effect(services: Services, connection: Connection, who: tuple[Actor, Member], before: Part, after: Part) -> Part:
    """What a decision does to the record."""
    if after.decision is PartDecision.ERASE:
        reason = WithdrawalReason.SUBJECT_ASKED
        try:
            withdrawal.take_out(services, connection, who, after.filing_id, reason)
        except HeldError:
            raise SubjectRequestError("the record is under a legal hold: refuse or restrict it") from None
        return after
    act = Act(services.clock(), who[0].id)
    if after.decision is PartDecision.CORRECT:
        row = retention.one(connection, who[1].id, after.filing_id)
        if row is None or row["version"] <= after.filing_version:
            raise SubjectRequestError("nothing was corrected: file the record anew first")
    if after.decision is PartDecision.RESTRICT:
        subject_effects.restrict(services, connection, act, after)
        return replace(after, restricted_at=before.restricted_at or act.now)
    subject_effects.lift(services, connection, act, after)
    return replace(after, restricted_at=None)


def _of_contributor(connection: Connection, member: Member, part_id: str) -> tuple[Part, SubjectRequest] | None:
    part = stored.part(connection, part_id, for_change=True)
    if part is None or part.contributor_id != member.id:
        return None
    request = stored.named(connection, [part.request_id])[part.request_id]
    return part, request
