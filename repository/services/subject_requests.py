"""What a person asks through a member: entered by one, vouched for by another, and then looked up, or filed, once.

The member that enters it gains nothing by it: no hit, no case, no count. What is found is told as a report, later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from matching.types import EncodedSubject
from repository.domain import subject_requests as rules
from repository.domain.alerts import AlertKind
from repository.domain.asking import SUBJECT, Request
from repository.domain.corrections import notice_from_json
from repository.domain.errors import FieldError
from repository.domain.events import EventKind
from repository.domain.filings import Filing, FilingFacts, refuse_unknown
from repository.domain.members import Actor, Member
from repository.domain.removal import WithdrawalReason
from repository.domain.subject_requests import (
    MOST_SUBJECTS,
    REGISTRATIONS,
    Part,
    RequestStatus,
    SubjectRequest,
    SubjectRequestError,
)
from repository.services import (
    Services,
    alerting,
    entitlements,
    intake,
    lifecycle,
    reciprocity,
    retention,
    subject_effects,
    withdrawal,
)
from repository.services import filing as filings
from repository.services.encodings import encoding
from repository.services.encodings import subject as subject_from_json
from repository.services.entitlements import Granted
from repository.services.hitmaking import Source
from repository.services.lifecycle import Act, What
from repository.services.planning import Numbered
from repository.services.subject_search import Found, seal, search, unseal
from repository.storage import dialect
from repository.storage import retention as kept
from repository.storage import subject_requests as stored
from repository.storage.operator import accepted

RULE = "SUBJECT"
PURPOSE = "subject_access"
FIELDS = frozenset(
    {
        *("kind", "reference", "identity_reference", "received_on", "ground", "notice", "line"),
        *("schema", "fingerprint", "subjects"),
    }
)
_KEPT_AFTER = timedelta(days=31)
_TOLD = (EventKind.SUBJECT_CHECKED, EventKind.SUBJECT_BARRED)


class TooManyError(Exception):
    """A member entered as many requests today as the rulebook lets it."""

    def __init__(self, per_day: int) -> None:
        super().__init__("too many requests today")
        self.per_day = per_day


def decide(services: Services, actor: Actor, member: Member) -> Granted:
    """Whether a member may act for persons, stored as every decision is. Raises RefusedError."""
    return entitlements.decide(services, actor, member, Request(SUBJECT, PURPOSE, None, asked=0), _TOLD)


def enter(services: Services, actor: Actor, member: Member, body: Mapping[str, object]) -> dict[str, Any]:
    """Enter a request: it as JSON. Raises FieldError, RefusedError, TooManyError."""
    refuse_unknown(body, FIELDS)
    granted = decide(services, actor, member)
    rulebook, now = granted.rulebook, granted.now
    calendar, today = rulebook.calendar, rulebook.calendar.day_of(now)
    asked = rules.asked_from_json(body, today)
    if asked.line is not None and asked.line not in member.lines:
        raise FieldError("line", "a line of the membership, in which it is registered")
    if asked.ground is None and body.get("notice") is not None:
        raise FieldError("notice", f"nothing, as the kind is {asked.kind}")
    notice = notice_from_json(body, rulebook.disputes)
    subjects = _subjects(services, body)
    with services.database.writing() as connection:
        fingerprint = encoding(body, services.schema, accepted(connection, now))
        since = calendar.end_of(today - timedelta(days=1))
        if stored.entered_since(connection, member.id, since) >= rulebook.subject_access.per_day:
            raise TooManyError(rulebook.subject_access.per_day)
        who = (reciprocity.new_id(services, "sbr"), member.id, actor.id)
        made = rules.entered(asked, who, calendar, rulebook.subject_access, now)
        more = {
            "decision_id": granted.id,
            "keep_until": now + timedelta(days=rulebook.subject_access.keep_days),
            "schema_id": services.schema.id,
            "fingerprint": fingerprint,
            "envelope": seal(services, made.id, subjects, notice),
        }
        stored.add(connection, made, more)
        tell(connection, Act(now, actor.id), EventKind.SUBJECT_ENTERED, made, decision=granted.id)
    return to_json(made, services)


def confirm(services: Services, actor: Actor, member: Member, request_id: str) -> dict[str, Any] | None:
    """Vouch for a request: what it is about is looked up, or filed, now, and its encodings go. None for no such one.

    Raises SubjectRequestError, and FieldError for what cannot be filed.
    """
    now = services.clock()
    act, rulebook = Act(now, actor.id), services.rulebooks.at(now)
    found = _search(services, member, request_id)
    with services.database.write() as session:
        connection = session.connection()
        dialect.lock_pool(connection)
        before = _own(connection, member, request_id)
        if before is None:
            return None
        after = rules.confirmed(before, actor.id, rulebook.calendar, rulebook.subject_access, now)
        held = _waiting(services, connection, before)
        more: dict[str, Any] = {"envelope": b""}
        if after.kind in REGISTRATIONS:
            source = Source(member, actor.id, None, now)
            filing_id, kept_until = _file(services, session, source, after, held)
            after, more["keep_until"] = replace(after, filing_id=filing_id), kept_until
            tell(connection, act, EventKind.SUBJECT_REGISTERED, after, filing=filing_id)
        else:
            _store(services, connection, act, after, (found, held.notice))
        stored.save(connection, after, more)
        tell(connection, act, EventKind.SUBJECT_CONFIRMED, after)
    return to_json(after, services)


def withdraw(services: Services, actor: Actor, member: Member, request_id: str) -> dict[str, Any] | None:
    """Take a request back, at the person's wish. None for no such one; raises SubjectRequestError."""
    now = services.clock()
    with services.database.writing() as connection:
        dialect.lock_pool(connection)
        before = _own(connection, member, request_id)
        if before is None:
            return None
        after = rules.withdrawn(before)
        act = Act(now, actor.id)
        for part in stored.parts_of(connection, request_id):
            subject_effects.lift(services, connection, act, part)
        gone = {"envelope": b"", "report": None, "report_sha256": None, "report_state": None}
        stored.save(connection, after, gone)
        tell(connection, act, EventKind.SUBJECT_WITHDRAWN, after)
    return to_json(after, services)


def end(services: Services, actor: Actor, member: Member, request_id: str) -> dict[str, Any] | None:
    """End a registration at the person's wish: its filing is taken out. None for no such one; again changes nothing.

    Raises SubjectRequestError for what is no registration, or none yet, and HeldError under a legal hold.
    """
    now = services.clock()
    with services.database.writing() as connection:
        dialect.lock_pool(connection)
        before = _own(connection, member, request_id)
        if before is None:
            return None
        if before.filing_id is None:
            raise SubjectRequestError("nothing was registered")
        after = before
        if before.ended_at is None:
            reason = WithdrawalReason.SUBJECT_ASKED
            withdrawal.take_out(services, connection, (actor, member), before.filing_id, reason)
            after = replace(before, ended_at=now)
            stored.save(connection, after)
            tell(connection, Act(now, actor.id), EventKind.SUBJECT_ENDED, after)
    return to_json(after, services)


def find(services: Services, member: Member, request_id: str) -> dict[str, Any] | None:
    """A request of a member as JSON, None when it has none of this id."""
    with services.database.reading() as connection:
        found = stored.one(connection, request_id)
    return None if found is None or found.member_id != member.id else to_json(found, services)


def listed(
    services: Services, member: Member, status: RequestStatus | None, *, before: str | None, limit: int
) -> tuple[list[dict[str, Any]], bool]:
    """A page of the requests that a member entered, latest first, and whether there are more."""
    word = None if status is None else status.value
    with services.database.reading() as connection:
        found = stored.page(connection, member.id, status=word, before=before, limit=limit + 1)
    return [to_json(each, services) for each in found[:limit]], len(found) > limit


def to_json(request: SubjectRequest, services: Services) -> dict[str, Any]:
    """A request as its member sees it. Nothing in it depends on what was found."""
    now = services.clock()
    return {
        "id": request.id,
        "kind": request.kind.value,
        "status": request.status.value,
        "reference": request.reference,
        "identity_reference": request.identity_reference,
        "ground": request.ground.value if request.ground else None,
        "line": request.line,
        "received_on": request.received_on.isoformat(),
        "due_on": request.due_on.isoformat(),
        "late": request.is_late(now),
        "entered_at": request.entered_at.isoformat(),
        "entered_by": request.entered_by,
        "confirmed_at": request.confirmed_at.isoformat() if request.confirmed_at else None,
        "confirmed_by": request.confirmed_by,
        "ready_on": request.ready_on.isoformat() if request.ready_on else None,
        "ready_at": request.ready_at.isoformat() if request.ready_at else None,
        "report_until": request.report_until.isoformat() if request.report_until else None,
        "told": request.told,
        "told_at": request.told_at.isoformat() if request.told_at else None,
        "filing": request.filing_id,
        "ended_at": request.ended_at.isoformat() if request.ended_at else None,
    }


def tell(
    connection: Connection, act: Act, kind: EventKind, request: SubjectRequest, **figures: str | int | None
) -> None:
    """Append the event of a step of a member's request: its kind, and never how much was found."""
    what = What(kind, RULE, request.member_id, request.id)
    lifecycle.tell(connection, act, what, request=request.kind.value, **figures)


def tell_contributor(
    connection: Connection, act: Act, kind: EventKind, part: Part, **figures: str | int | None
) -> None:
    """Append the event of a step about one record: it is its contributor's."""
    what = What(kind, RULE, part.contributor_id, part.id)
    lifecycle.tell(connection, act, what, filing=part.filing_id, request=part.request_id, **figures)


def _subjects(services: Services, body: Mapping[str, object]) -> tuple[EncodedSubject, ...]:
    raw = body.get("subjects")
    if not isinstance(raw, list) or not 0 < len(raw) <= MOST_SUBJECTS:
        raise FieldError("subjects", f"a list of 1 to {MOST_SUBJECTS} encodings of one person")
    found = tuple(subject_from_json(each, services.schema, f"subjects[{place}]") for place, each in enumerate(raw))
    for place, each in enumerate(found):
        if each.kind != "person":
            raise FieldError(f"subjects[{place}].kind", "person: these are rights of persons")
    return found


@dataclass(frozen=True, slots=True)
class _Waiting:
    """What lies sealed until a request is confirmed: encodings, what they are under, and the person's own words."""

    subjects: tuple[EncodedSubject, ...]
    schema_id: str
    fingerprint: str
    notice: str | None


def _waiting(services: Services, connection: Connection, request: SubjectRequest) -> _Waiting:
    row = stored.sealed(connection, request.member_id, request.id)
    assert row is not None  # noqa: S101 - it was read in the same transaction
    known = accepted(connection, services.clock())
    if row["fingerprint"] not in known.get(row["schema_id"], ()):
        raise SubjectRequestError("it was encoded under a linkage key that is over: withdraw it, and enter it anew")
    subjects, notice = unseal(services, request.id, row["envelope"])
    return _Waiting(subjects, row["schema_id"], row["fingerprint"], notice)


def _search(services: Services, member: Member, request_id: str) -> list[Found]:
    """What is held on a person, before anybody else has to wait for it; what is filed meanwhile is later."""
    with services.database.reading(long=True) as connection:
        request = stored.one(connection, request_id)
        if request is None or request.member_id != member.id or request.status is not RequestStatus.ENTERED:
            return []
        if request.kind in REGISTRATIONS:
            return []
        return search(services, connection, _waiting(services, connection, request).subjects)


def _store(
    services: Services,
    connection: Connection,
    act: Act,
    request: SubjectRequest,
    known: tuple[Sequence[Found], str | None],
) -> None:
    """Note what was found and is there still, and tell each contributor of each record that is about the person."""
    found, notice = known
    there = stored.there(connection, [each.filing.filing_id for each in found])
    parts = [_part(services, request, act, each) for each in found if each.filing.filing_id in there]
    stored.add_parts(connection, parts)
    for part in parts:
        if request.ground is not None:
            subject_effects.dispute(services, connection, act, request, (part, notice))
        tell_contributor(connection, act, EventKind.SUBJECT_FOUND, part, asks=request.kind.value)
        about = {"part": part.id}
        kind = AlertKind.SUBJECT_RECEIVED
        alerting.tell(services, connection, part.contributor_id, kind, about, dedupe=part.id, now=act.now)


def _part(services: Services, request: SubjectRequest, act: Act, found: Found) -> Part:
    filing = found.filing
    return Part(
        id=reciprocity.new_id(services, "sbp"),
        request_id=request.id,
        contributor_id=filing.member_id,
        filing_id=filing.filing_id,
        filing_version=filing.version,
        line=filing.line,
        record_class=filing.record_class,
        roles=found.roles,
        found_at=act.now,
    )


def _file(
    services: Services, session: Session, source: Source, request: SubjectRequest, held: _Waiting
) -> tuple[str, datetime]:
    """File a registration under the request's own id, which no other filing of the member has.

    The filing's id, and until when the request is kept: for as long as it may be ended, and a while after.
    """
    connection, accepts = session.connection(), filings.what_is_accepted(services, session, source.member)
    if request.line not in accepts.lines:
        raise SubjectRequestError("the line is no longer one of the membership's")
    facts = FilingFacts(
        schema_id=held.schema_id,
        fingerprint=held.fingerprint,
        reference=request.id,
        record_class=request.kind.value,
        line=str(request.line),
        triggered_on=accepts.today,
        claim=None,
    )
    taken = intake.take_in(services, connection, source, [Numbered(0, Filing(facts, held.subjects))])
    for _, _, error in taken.refused:
        raise error
    filings.tell(services, connection, source, taken.plans[0])
    filing_id = taken.plans[0].filing_id
    row = kept.one(connection, source.member.id, filing_id)
    assert row is not None  # noqa: S101 - it was filed in the same transaction
    over = date.fromisoformat(retention.of_filing(services, row)["expires_on"]) + _KEPT_AFTER
    return filing_id, datetime.combine(over, time(), UTC)


def _own(connection: Connection, member: Member, request_id: str) -> SubjectRequest | None:
    found = stored.one(connection, request_id, for_change=True)
    return found if found is not None and found.member_id == member.id else None
