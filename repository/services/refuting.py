"""Filings that others refute: seen when a case is confirmed as clear, told to the contributor, counted after its days.

Who refutes a filing is told to nobody, nor how many beyond the number that the rulebook asks for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from repository.domain import refutations as rules
from repository.domain.alerts import AlertKind
from repository.domain.events import EventKind
from repository.domain.members import Actor, Member
from repository.domain.membership import SYSTEM
from repository.domain.refutations import UNCLOSED, Refutation, RefutationStatus
from repository.services import Services, alerting, lifecycle
from repository.services.lifecycle import Act, What
from repository.storage import disputes, ledger, refutations
from repository.storage.ledger import LedgerRow

RULE = "R8"
_CLOSED = {
    RefutationStatus.UPHELD: EventKind.REFUTATION_UPHELD,
    RefutationStatus.DISMISSED: EventKind.REFUTATION_DISMISSED,
    RefutationStatus.VOID: EventKind.REFUTATION_VOID,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the contributor says, and its own reference to the case file."""

    accepts: bool
    note_reference: str | None = None


def look(services: Services, connection: Connection, member_id: str, case_id: str) -> None:
    """See which filings are refuted now that a member's case was confirmed as clear, and give their members notice."""
    wanted, now = services.rulebook.accuracy, services.clock()
    act = Act(now, SYSTEM)
    for filing in refutations.judged(connection, member_id, case_id, wanted.refuted_classes):
        if len(refutations.refuters(connection, filing["id"], filing["version"])) < wanted.refuted_by:
            continue
        refutation = Refutation(
            id=act.new_id("rft"),
            filing_id=filing["id"],
            version=filing["version"],
            contributor_id=filing["member_id"],
            line=filing["line"],
            record_class=filing["record_class"],
            noticed_at=now,
            contest_until=services.rulebook.calendar.day_of(now) + timedelta(days=wanted.contest_days),
        )
        if refutations.add(connection, refutation) or refutations.renew(connection, refutation):
            _tell(connection, act, EventKind.REFUTATION_NOTICED, refutation)
            about, dedupe = {"refutation": refutation.id}, f"refutation {refutation.id}"
            alerting.tell(
                services, connection, refutation.contributor_id, AlertKind.FILING_REFUTED, about, dedupe=dedupe, now=now
            )


def answer(
    services: Services, actor: Actor, member: Member, refutation_id: str, given: Answer
) -> dict[str, Any] | None:
    """Accept a refutation of an own filing, which counts at once, or contest it. None for whoever it is not of.

    The same again changes nothing. Raises RefutationError.
    """
    act = Act(services.clock(), actor.id)
    today = services.rulebook.calendar.day_of(act.now)
    with services.database.writing() as connection:
        before = refutations.one(connection, refutation_id)
        if before is None or before.contributor_id != member.id:
            return None
        reference = given.note_reference
        after = rules.answered(before, accepts=given.accepts, note_reference=reference, today=today, now=act.now)
        if after is not before:
            refutations.save(connection, after)
            _tell(connection, act, EventKind.REFUTATION_ANSWERED, after, accepts=str(given.accepts).lower())
            _close(connection, act, after)
        return to_contributor(after, disputes.references(connection, [after.filing_id]))


def accept_all(connection: Connection, act: Act, contributor_id: str, filing_id: str) -> None:
    """Accept every refutation of a filing that its contributor withdraws, in the caller's transaction."""
    for before in refutations.unclosed(connection, contributor_id, filing_id):
        reference, today = before.note_reference, before.contest_until
        after = rules.answered(before, accepts=True, note_reference=reference, today=today, now=act.now)
        refutations.save(connection, after)
        _tell(connection, act, EventKind.REFUTATION_ANSWERED, after, accepts="true")
        _close(connection, act, after)


def decide(connection: Connection, refutation_id: str, act: Act, *, upheld: bool) -> Refutation | None:
    """Uphold or dismiss a refutation that is contested, with the act's reason; None when there is none of this id.

    Raises RefutationError, and FieldError without a reason.
    """
    reason = lifecycle.given_reason(act.reason or "")
    before = refutations.one(connection, refutation_id)
    if before is None:
        return None
    after = rules.decided(before, upheld=upheld, reason=reason, now=act.now)
    refutations.save(connection, after)
    _close(connection, Act(act.now, act.actor_id, reason), after)
    return after


def close_over(services: Services, connection: Connection, *, now: datetime, limit: int) -> int:
    """Close refutations whose days to contest are over: those that stand count, the others are void. How many."""
    wanted, today = services.rulebook.accuracy, services.rulebook.calendar.day_of(now)
    found = refutations.over(connection, today=today, limit=limit)
    for each in found:
        stands = len(refutations.refuters(connection, each.filing_id, each.version)) >= wanted.refuted_by
        after = rules.lapsed(each, stands=stands, now=now)
        refutations.save(connection, after)
        _close(connection, Act(now, SYSTEM), after)
    return len(found)


def listed(services: Services, member: Member, *, before: str | None, limit: int) -> tuple[list[dict[str, Any]], bool]:
    """A page of the refutations of a member's filings, latest first, and whether there are more."""
    with services.database.reading() as connection:
        found = refutations.of_member(connection, member.id, before=before, limit=limit + 1)
        references = disputes.references(connection, [each.filing_id for each in found]) if found else {}
    return [to_contributor(each, references) for each in found[:limit]], len(found) > limit


def of_pool(connection: Connection, *, everything: bool, limit: int) -> list[Refutation]:
    """The latest refutations of all members, for the operator; those that are closed where `everything` is wanted."""
    statuses = [each.value for each in RefutationStatus if everything or each in UNCLOSED]
    return refutations.of_pool(connection, statuses, limit=limit)


def to_operator(refutation: Refutation) -> dict[str, Any]:
    """A refutation as JSON for the operator; references are the member's own."""
    return _common(refutation) | {"contributor": refutation.contributor_id}


def to_contributor(refutation: Refutation, references: dict[str, str]) -> dict[str, Any]:
    """A refutation as JSON for who filed what was refuted."""
    own = {"reference": references.get(refutation.filing_id), "note_reference": refutation.note_reference}
    return _common(refutation) | own


def _close(connection: Connection, act: Act, refutation: Refutation) -> None:
    """Count one that is upheld, once for a version whether it was disputed as well or not, and tell."""
    if refutation.status in UNCLOSED:
        return
    counted = refutation.status is RefutationStatus.UPHELD and disputes.count_version(
        connection, refutation.filing_id, refutation.version
    )
    if counted:
        about, today = refutation, act.now.date()
        row = LedgerRow(about.contributor_id, today, about.line, about.record_class, {"upheld": 1})
        ledger.add(connection, [row], today=today)
    _tell(connection, act, _CLOSED[refutation.status], refutation, counted=int(counted))


def _tell(connection: Connection, act: Act, kind: EventKind, refutation: Refutation, **figures: str | int) -> None:
    what = What(kind, RULE, refutation.contributor_id, refutation.id)
    lifecycle.tell(connection, act, what, filing=refutation.filing_id, version=refutation.version, **figures)


def _common(refutation: Refutation) -> dict[str, Any]:
    return {
        "id": refutation.id,
        "filing": refutation.filing_id,
        "version": refutation.version,
        "line": refutation.line,
        "class": refutation.record_class,
        "status": refutation.status.value,
        "noticed_on": refutation.noticed_at.date().isoformat(),
        "contest_until": refutation.contest_until.isoformat(),
        "answered_on": _day(refutation.answered_at),
        "closed_on": _day(refutation.closed_at),
        "reason": refutation.reason,
    }


def _day(at: datetime | None) -> str | None:
    return None if at is None else at.date().isoformat()
