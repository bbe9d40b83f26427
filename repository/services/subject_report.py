"""What a person is told: what is held, by whom, who looked at it, when and why, until when; and what was decided.

A report is made when it is first read, and stays as it was, byte for byte, until there is something else to tell: a
deferral that ended, a decision. What is deferred is not in it, and nothing in it depends on what is deferred.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from sqlalchemy import Connection, RowMapping

from repository.domain import subject_requests as rules
from repository.domain.events import EventKind
from repository.domain.members import Actor, Member
from repository.domain.rulebook import CLASS_TIER, SubjectAccessRules
from repository.domain.subject_requests import (
    DECIDED,
    REGISTRATIONS,
    Part,
    RequestKind,
    RequestStatus,
    SubjectRequest,
    SubjectRequestError,
)
from repository.domain.viewings import Reader, Via, Viewing
from repository.services import Services, retention
from repository.services.lifecycle import Act
from repository.services.subject_requests import PURPOSE, decide, tell
from repository.storage import deletions, dialect, disputes, exchange, filings, viewings
from repository.storage import retention as kept
from repository.storage import subject_requests as stored
from repository.storage.sealing import named_context

SOMEBODY = "a member"
"""Who is meant where the rulebook names no members."""
RIGHTS = (
    ("access", "Ask again, through any member of the scheme. Nobody may make you pay for it."),
    ("rectification", "Say through any member what is wrong: the record is flagged at once, and its holder answers."),
    ("erasure", "Ask through any member that a record be erased: its holder decides, and says why where it does not."),
    ("restriction", "Ask through any member that a record be restricted while what you say of it is looked into."),
    ("objection", "Object to the use of a record, with your reasons, by the same way as rectification."),
    ("protection", "Register through any member as a victim, or for protection; it ends whenever you wish."),
    ("complaint", "Complain to the supervisory authority for data protection, or go to court."),
)
WITHHELD = (
    "The law lets some things wait, or stay untold: what would hinder the prevention of crime or proceedings, is"
    " privileged, or concerns others. A report is the same whether there is such a thing or not. If something could"
    " wait only, you are told once it no longer may."
)


@dataclass(frozen=True, slots=True)
class Report:
    """A report as it was made: its bytes, and their SHA-256 in hex."""

    content: bytes
    sha256: str


def read(services: Services, actor: Actor, member: Member, request_id: str) -> Report | None:
    """The report of a member's request, as JSON. None for no such request.

    Raises RefusedError, and SubjectRequestError before it may be read and after it is kept no longer.
    """
    with services.database.reading() as connection:
        found = stored.one(connection, request_id)
    if found is None or found.member_id != member.id:
        return None
    granted = decide(services, actor, member)
    with services.database.writing() as connection:
        dialect.lock_pool(connection)  # as who takes a record out has it before it forgets a report
        request = stored.one(connection, request_id, for_change=True)
        assert request is not None  # noqa: S101 - requests are removed after years
        _check(services, request)
        parts = rules.told(stored.parts_of(connection, request_id), granted.now)
        state = _state(connection, request, parts)
        before = stored.sealed(connection, member.id, request_id)
        if before is not None and before["report"] is not None and before["report_state"] == state:
            content = services.sealer.unseal(named_context(request_id), before["report"])
            _note_viewings(services, connection, (actor, member), parts)
            return Report(content, before["report_sha256"])
        return _make(services, connection, (actor, member, granted.id), (request, parts, state))


def _check(services: Services, request: SubjectRequest) -> None:
    now = services.clock()
    if request.status is not RequestStatus.CONFIRMED:
        raise SubjectRequestError(f"the request is {request.status}: there is nothing to tell")
    if request.kind in REGISTRATIONS:
        return
    if not request.is_ready(now):
        raise SubjectRequestError(f"contributors may still answer: it may be read after {request.ready_on}")
    if request.report_until is not None and now >= request.report_until:
        raise SubjectRequestError("the report is kept no longer: ask again")


def _state(connection: Connection, request: SubjectRequest, parts: Collection[Part]) -> str:
    """What a report is made of, but what changes with the day: another state makes another report.

    So it is with a record that was changed, flagged or taken out meanwhile.
    """
    found = [[p.id, p.decision, p.reason, p.restricted_at is not None, _dispute(connection, p)] for p in parts]
    held = [_now(connection, each.contributor_id, each.filing_id) for each in parts]
    own = None if request.filing_id is None else _now(connection, request.member_id, request.filing_id)
    return hashlib.sha256(orjson.dumps([request.ended_at, found, held, own])).hexdigest()


def _now(connection: Connection, member_id: str, filing_id: str) -> list[Any] | None:
    """The version of a filing, its flag and the day up to which it was renewed; None where it is gone."""
    row = kept.one(connection, member_id, filing_id)
    return None if row is None else [row["version"], row["flag"], row["renewed_on"]]


def _make(
    services: Services,
    connection: Connection,
    who: tuple[Actor, Member, str],
    about: tuple[SubjectRequest, Sequence[Part], str],
) -> Report:
    actor, member, decision_id = who
    request, parts, state = about
    now = services.clock()
    after = replace(request, told=request.told + 1, told_at=now)
    records = _records(services, connection, request, parts)
    content = orjson.dumps(_document(services, connection, after, records))
    made = Report(content, hashlib.sha256(content).hexdigest())
    sealed = services.sealer.seal(named_context(request.id), content)
    more = {"report": sealed, "report_sha256": made.sha256, "report_state": state}
    stored.save(connection, after, more)
    for each in parts:
        stored.note_part(connection, each.id, "told_at", now)
    _note_viewings(services, connection, (actor, member), parts)
    tell(connection, Act(now, actor.id), EventKind.SUBJECT_TOLD, after, version=after.told, decision=decision_id)
    return made


def _note_viewings(
    services: Services, connection: Connection, who: tuple[Actor, Member], parts: Sequence[Part]
) -> None:
    """Remember that the member was shown the records of others in a report, each day on which it reads it."""
    actor, member = who
    reader = Reader(member.id, actor.id, PURPOSE, Via.REPORT, services.clock())
    shown = []
    for each in parts:
        row = None if each.contributor_id == member.id else kept.one(connection, each.contributor_id, each.filing_id)
        if row is not None:
            shown.append(reader.saw(each.filing_id, row["version"], CLASS_TIER))
    viewings.note(connection, shown)


def _document(
    services: Services, connection: Connection, request: SubjectRequest, records: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    rulebook, now = services.rulebook, services.clock()
    names = exchange.names(connection, [request.member_id])
    untold = sorted(rulebook.subject_access.untold_purposes)
    return {
        "request": request.id,
        "kind": request.kind.value,
        "member": names[request.member_id],
        "reference": request.reference,
        "received_on": request.received_on.isoformat(),
        "due_on": request.due_on.isoformat(),
        "made_on": rulebook.calendar.day_of(now).isoformat(),
        "version": request.told,
        "rulebook": rulebook.version,
        "records": list(records),
        "registration": _registration(services, connection, request) if request.kind in REGISTRATIONS else None,
        "untold_purposes": untold,
        "withheld": WITHHELD,
        "rights": [{"right": right, "how": how} for right, how in RIGHTS],
    }


def _records(
    services: Services, connection: Connection, request: SubjectRequest, parts: Sequence[Part]
) -> list[dict[str, Any]]:
    """Each record as the person is told of it, by class and day."""
    access = services.rulebook.subject_access
    looked = viewings.of_filings(connection, [each.filing_id for each in parts])
    members = {each.contributor_id for each in parts} | {each.reader.member_id for each in looked}
    names = exchange.names(connection, members) if access.name_members else {}
    found = []
    for part in parts:
        of_it = [each for each in looked if each.filing_id == part.filing_id]
        record = _held(services, connection, part) | {
            "held_by": names.get(part.contributor_id, SOMEBODY),
            "looked_at": _looks(of_it, names, access),
            "deferred": _deferral(part),
        }
        if request.kind in DECIDED:
            record["decision"] = _decision(part)
        if request.kind is RequestKind.DISPUTE:
            record["dispute"] = _dispute(connection, part)
        found.append(record)
    return sorted(found, key=lambda each: (each["class"], each["line"], each["date"] or "", each["record"]))


def _held(services: Services, connection: Connection, part: Part) -> dict[str, Any]:
    """The facts of a record as it stands; of one that is gone, that it is, and the proof."""
    facts: dict[str, Any] = {"record": part.id, "class": part.record_class, "line": part.line}
    row = kept.one(connection, part.contributor_id, part.filing_id)
    if row is None:
        proof = deletions.of_filing(connection, part.contributor_id, part.filing_id)
        gone = None if proof is None else _proof(proof)
        return facts | {"erased": gone or {}, **dict.fromkeys(_FACTS), "roles": [], "version": part.filing_version}
    days = retention.of_filing(services, row)
    return facts | {
        "erased": None,
        "line": row["line"],
        "version": row["version"],
        "roles": list(part.roles),
        "date": row["triggered_on"].isoformat(),
        "first_filed_on": row["created_at"].date().isoformat(),
        "last_filed_on": row["filed_at"].date().isoformat(),
        "claim": row["claim"],
        "labels": filings.labels_of(row).as_dict() or None,
        "flag": row["flag"],
        "kept_from": days["kept_from"],
        "expires_on": days["expires_on"],
    }


_FACTS = ("date", "first_filed_on", "last_filed_on", "claim", "labels", "flag", "kept_from", "expires_on")


def _proof(proof: RowMapping) -> dict[str, Any]:
    return {
        "deletion": proof["id"],
        "cause": proof["cause"],
        "removed_on": proof["removed_on"].isoformat(),
        "commitment": proof["commitment"],
    }


def _looks(looked: Sequence[Viewing], names: Mapping[str, str], access: SubjectAccessRules) -> list[dict[str, Any]]:
    """Who was shown a record, on which day, for what and by which way: each once, the oldest first."""
    told = {
        (each.day.isoformat(), names.get(each.reader.member_id, SOMEBODY), each.reader.purpose, each.reader.via.value)
        for each in looked
        if each.reader.purpose not in access.untold_purposes
    }
    return [dict(zip(("on", "by", "purpose", "via"), each, strict=True)) for each in sorted(told)]


def _deferral(part: Part) -> dict[str, str] | None:
    """That a record was held back before, and why."""
    if part.deferred_until is None or part.deferral_reason is None:
        return None
    return {"until": part.deferred_until.isoformat(), "reason": part.deferral_reason.value}


def _decision(part: Part) -> dict[str, Any]:
    decided = part.decided_at.date().isoformat() if part.decided_at else None
    return {
        "decision": part.decision.value if part.decision else None,
        "reason": part.reason.value if part.reason else None,
        "on": decided,
        "restricted_meanwhile": part.restricted_at is not None,
    }


def _dispute(connection: Connection, part: Part) -> dict[str, Any] | None:
    """Where the dispute about a record stands."""
    if part.dispute_id is None:
        return None
    found = disputes.one(connection, part.dispute_id)
    if found is None:
        return None
    closed = found.closed_at.date().isoformat() if found.closed_at else None
    return {"dispute": found.id, "status": found.status.value, "closed_on": closed}


def _registration(services: Services, connection: Connection, request: SubjectRequest) -> dict[str, Any]:
    """The receipt of a registration, or that it ended."""
    filing_id = str(request.filing_id)
    confirmed = request.confirmed_at.date().isoformat() if request.confirmed_at else None
    facts: dict[str, Any] = {"class": request.kind.value, "line": request.line, "registered_on": confirmed}
    row = kept.one(connection, request.member_id, filing_id)
    if row is not None:
        return facts | {"filing": filing_id, **retention.of_filing(services, row), "erased": None}
    proof = deletions.of_filing(connection, request.member_id, filing_id)
    gone = None if proof is None else _proof(proof)
    return facts | {"filing": filing_id, "kept_from": None, "expires_on": None, "erased": gone or {}}
