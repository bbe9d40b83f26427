"""Moving cases: one person at a time, each on what it has read, with the words sealed and an event of every move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, RowMapping

from repository.domain import casework as rules
from repository.domain.casework import (
    ADVERSE,
    Case,
    CaseError,
    CaseStatus,
    Finding,
    Move,
    Person,
    StaleError,
    Step,
    When,
)
from repository.domain.errors import FieldError
from repository.domain.events import Event, EventKind
from repository.domain.members import Actor, Member, Role
from repository.domain.outcomes import HitOutcome
from repository.services import Services, reciprocity, refuting
from repository.storage import casework, events, members, outcomes
from repository.storage.sealing import Sealer, named_context

LONGEST_WORDS = 2000


@dataclass(frozen=True, slots=True)
class At:
    """A person of a member at one of its cases, by its id, which may be none of its own."""

    actor: Actor
    member: Member
    case_id: str


@dataclass(frozen=True, slots=True)
class Found:
    """A finding as it is put: in words what it stands on, and whether the subject could speak; both of an adverse."""

    finding: Finding
    evidence: str
    evidence_reference: str | None = None
    subject_could_speak: bool | None = None
    subject_words: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a second person says of a finding, on the version of the case that was read; returned with a reason."""

    version: int
    approve: bool
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Noted:
    """A note, and the member's own reference to what is attached."""

    text: str
    attachment_reference: str | None = None


def move(services: Services, at: At, step: Step, reason: str | None = None) -> dict[str, Any] | None:
    """Move a member's case, without its finding: it as JSON. None where there is none.

    Raises CaseError, also for an assignee who cannot have it, and FieldError.
    """
    words = None if reason is None else words_of(reason, "reason")
    if step.move is Move.REOPEN and words is None:
        raise FieldError("reason", "in words why the case is opened again")
    with services.database.writing() as connection:
        if step.move is Move.ASSIGN:
            check_assignee(connection, at.member, step.assignee_id)
        after = _step(services, connection, at, step, words)
        if after is not None and step.move is Move.WITHDRAW:
            casework.decide(connection, after, approved=None, actor_id=at.actor.id)
    return None if after is None else to_json(after)


def find(services: Services, at: At, version: int, found: Found) -> dict[str, Any] | None:
    """Put a finding: clear closes the case, an adverse one waits for a second person. None where there is no case.

    An adverse one needs a hit that the member found to be of the same subject. Raises CaseError and FieldError.
    """
    shortest = services.rulebook.casework.evidence_characters if found.finding in ADVERSE else 1
    evidence = words_of(found.evidence, "evidence", shortest)
    if found.finding in ADVERSE and (found.subject_could_speak is None or not found.subject_words):
        raise FieldError("subject_could_speak", "whether the subject could speak, and in subject_words how, or why not")
    spoken = words_of(found.subject_words, "subject_words") if found.subject_words else ""
    adverse = found.finding in ADVERSE
    step = Step(Move.PROPOSE if adverse else Move.CLEAR, version, finding=found.finding)
    with services.database.writing() as connection:
        after = _step(services, connection, at, step)
        if after is None:
            return None
        if adverse and not _same_subject(connection, at):
            raise CaseError("No hit of this case was found to be of the same subject. Answer its hits first.")
        now, finding_id = after.changed_at, reciprocity.new_id(services, "fnd")
        row = {
            "id": finding_id,
            "member_id": at.member.id,
            "case_id": at.case_id,
            "finding": found.finding.value,
            "proposed_at": now,
            "proposed_by": at.actor.id,
            "words": _sealed(services.sealer, finding_id, {"evidence": evidence, "subject": spoken}),
            "evidence_reference": found.evidence_reference,
            "subject_could_speak": found.subject_could_speak,
            "decided_at": None if adverse else now,
            "decided_by": None,
            "approved": None if adverse else True,
        }
        casework.add_finding(connection, row)
    return to_json(after)


def decide(services: Services, connection: Connection, at: At, said: Verdict) -> dict[str, Any] | None:
    """Approve the finding that is proposed, as a second person, or return it with a reason. None without a case.

    Of a case that was cleared, approving confirms that; once. Raises SecondPersonError, StaleError and CaseError, and
    FieldError.
    """
    words = None if said.reason is None else words_of(said.reason, "reason")
    if not said.approve and words is None:
        raise FieldError("reason", "in words why the finding is returned")
    searched = casework.searchers(connection, at.member.id, at.case_id)
    before = casework.find(connection, at.member.id, at.case_id)
    cleared = before is not None and said.approve and before.finding is Finding.CLEAR
    move = Move.CONFIRM if cleared else Move.APPROVE if said.approve else Move.RETURN
    after = _step(services, connection, at, Step(move, said.version, searched=searched), words)
    if after is None:
        return None
    if cleared:
        if not casework.confirm(connection, after, actor_id=at.actor.id):
            raise CaseError("That the case is clear was confirmed before.")
        refuting.look(services, connection, at.member.id, at.case_id)
        return to_json(after)
    if said.approve and not _same_subject(connection, at):
        raise CaseError("No hit of this case is of the same subject any more. Return the finding.")
    casework.decide(connection, after, approved=said.approve, actor_id=at.actor.id)
    return to_json(after)


def note(services: Services, at: At, noted: Noted) -> dict[str, Any] | None:
    """Add a note to a case, at whatever version it is: notes are added, never changed. None where there is no case.

    Raises CaseError for one that was merged, where nobody would look, and FieldError.
    """
    text = words_of(noted.text, "text")
    with services.database.writing() as connection:
        casework.lock(connection, at.member.id)
        case = casework.find(connection, at.member.id, at.case_id)
        if case is None:
            return None
        if case.status is CaseStatus.MERGED:
            raise CaseError(f"The case was merged into {case.merged_into}. Note it there.")
        now, note_id = services.clock(), reciprocity.new_id(services, "nte")
        row = {
            "id": note_id,
            "member_id": at.member.id,
            "case_id": at.case_id,
            "at": now,
            "actor_id": at.actor.id,
            "text": _sealed(services.sealer, note_id, {"text": text}),
            "attachment_reference": noted.attachment_reference,
        }
        casework.add_note(connection, row)
        _tell(
            services,
            connection,
            EventKind.CASE_NOTED,
            (at.actor.id, at.member.id, at.case_id),
            {"note": note_id},
        )
    return note_json(services.sealer, row)


def note_again(services: Services, at: At, note_id: str) -> dict[str, Any] | None:
    """A note that is there already, as JSON; None where it went with its case."""
    with services.database.reading() as connection:
        row = casework.one_note(connection, at.member.id, note_id)
    return None if row is None else note_json(services.sealer, row)


def assign_many(
    services: Services, actor: Actor, member: Member, assignee_id: str, wanted: Sequence[tuple[str, int]]
) -> list[dict[str, Any]]:
    """Assign cases, given by id and version, each by itself: what became of each. Raises CaseError for the assignee."""
    results = []
    with services.database.writing() as connection:
        check_assignee(connection, member, assignee_id)
        # As who puts hits into cases does, which moves several in an order of its own.
        casework.lock(connection, member.id)
        for case_id, version in sorted(wanted):
            step = Step(Move.ASSIGN, version, assignee_id=assignee_id)
            try:
                after = _step(services, connection, At(actor, member, case_id), step)
            except StaleError as error:
                results.append({"case": case_id, "result": "stale", "version": error.version})
            except CaseError:
                results.append({"case": case_id, "result": "conflict"})
            else:
                told = {"result": "not_found"} if after is None else {"result": "assigned", "version": after.version}
                results.append({"case": case_id, **told})
    return results


def claim_next(services: Services, actor: Actor, member: Member) -> dict[str, Any] | None:
    """Claim the case that is due first of those that nobody has; None when there is none."""
    with services.database.writing() as connection:
        case = casework.next_unassigned(connection, member.id)
        if case is None:
            return None
        step = Step(Move.CLAIM, case.version, assignee_id=actor.id)
        after = _step(services, connection, At(actor, member, case.id), step)
    return None if after is None else to_json(after)


def store(
    services: Services,
    connection: Connection,
    after: Case,
    move: Move,
    *,
    actor_id: str | None,
    reason: str | None = None,
    figures: Mapping[str, str | int | None] | None = None,
) -> None:
    """Store a case after a move, with the move and its event. Raises StaleError where another was faster."""
    if not casework.save(connection, after):
        there = casework.find(connection, after.member_id, after.id)
        raise StaleError(there.version if there else after.version)
    told = {"move": move.value, "status": after.status.value, "version": after.version, **(figures or {})}
    event = _tell(services, connection, EventKind.CASE_MOVED, (actor_id, after.member_id, after.id), told)
    casework.note_move(connection, _move_row(services.sealer, event, after, move, reason))


def opened(services: Services, connection: Connection, case: Case) -> None:
    """Store a new case, with its event and its first move."""
    casework.add(connection, case)
    figures = {"status": case.status.value, "version": case.version}
    event = _tell(services, connection, EventKind.CASE_OPENED, (None, case.member_id, case.id), figures)
    casework.note_move(connection, _move_row(services.sealer, event, case, Move.GREW, None))


def to_json(case: Case) -> dict[str, Any]:
    """A case as JSON, without what is in it."""
    return {
        "id": case.id,
        "version": case.version,
        "status": case.status.value,
        "assignee": case.assignee_id,
        "due_on": case.due_on.isoformat(),
        "snoozed_until": _iso(case.snoozed_until),
        "opened_at": case.opened_at.isoformat(),
        "changed_at": case.changed_at.isoformat(),
        "closed_at": _iso(case.closed_at),
        "finding": None if case.finding is None else case.finding.value,
        "proposed_by": case.proposed_by,
        "merged_into": case.merged_into,
    }


def note_json(sealer: Sealer, row: Mapping[str, Any] | RowMapping) -> dict[str, Any]:
    """A note as JSON."""
    return {
        "id": row["id"],
        "at": row["at"].isoformat(),
        "by": row["actor_id"],
        "text": opened_words(sealer, row["id"], row["text"])["text"],
        "attachment_reference": row["attachment_reference"],
    }


def opened_words(sealer: Sealer, identifier: str, sealed: bytes) -> dict[str, str]:
    """Sealed words of a case. Raises SealError."""
    words: dict[str, str] = orjson.loads(sealer.unseal(named_context(identifier), sealed))
    return words


def words_of(text: str, field: str, shortest: int = 1) -> str:
    """Words without space around them. Raises FieldError for too few, too many, or such as cannot be printed."""
    stripped = text.strip()
    printable = stripped.replace("\n", " ").isprintable()
    if not shortest <= len(stripped) <= LONGEST_WORDS or not printable:
        raise FieldError(field, f"{shortest} to {LONGEST_WORDS} printable characters")
    return stripped


def check_assignee(connection: Connection, member: Member, actor_id: str | None) -> None:
    """Raise CaseError unless this is an investigator of the member, with an account in force."""
    if actor_id is None or Role.INVESTIGATOR not in members.roles_of(connection, member.id, actor_id):
        raise CaseError("No investigator of the member has this id.")


def _step(services: Services, connection: Connection, at: At, step: Step, reason: str | None = None) -> Case | None:
    before = casework.find(connection, at.member.id, at.case_id)
    if before is None:
        return None
    now, rulebook = services.clock(), services.rulebook
    when = When(now, rulebook.calendar.day_of(now), rulebook.casework.snooze_days)
    after = rules.moved(before, step, Person(at.actor.id, at.actor.roles), when)
    store(services, connection, after, step.move, actor_id=at.actor.id, reason=reason)
    return after


def _same_subject(connection: Connection, at: At) -> bool:
    given = outcomes.given(connection, at.member.id, casework.hit_ids(connection, at.member.id, at.case_id))
    return any(each.outcome is HitOutcome.SAME_SUBJECT for each in given.values())


def _move_row(sealer: Sealer, event: Event, case: Case, move: Move, reason: str | None) -> dict[str, Any]:
    return {
        "id": event.id,
        "member_id": case.member_id,
        "case_id": case.id,
        "version": case.version,
        "at": case.changed_at,
        "actor_id": event.actor_id,
        "move": move.value,
        "status": case.status.value,
        "reason": None if reason is None else _sealed(sealer, event.id, {"reason": reason}),
    }


def _tell(
    services: Services,
    connection: Connection,
    kind: EventKind,
    about: tuple[str | None, str, str],
    figures: Mapping[str, str | int | None],
) -> Event:
    """Append an event; `about` are actor, member and case."""
    event = Event(reciprocity.new_id(services, "evt"), services.clock(), kind, *about, dict(figures))
    events.append(connection, event)
    return event


def _sealed(sealer: Sealer, identifier: str, words: Mapping[str, str]) -> bytes:
    return sealer.seal(named_context(identifier), orjson.dumps(dict(words)))


def _iso(at: Any) -> str | None:
    return None if at is None else at.isoformat()
