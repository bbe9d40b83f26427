"""A membership's life after admission: agreement, attestation, volumes declared, ramp, ladder, status."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from repository.domain.errors import FieldError
from repository.domain.events import EventKind
from repository.domain.members import MemberStatus
from repository.domain.membership import (
    SYSTEM,
    Declaration,
    LifeCycleError,
    check_status_change,
    check_volume,
    declared_from,
)
from repository.domain.ramp import missed_covenant
from repository.domain.standing import LineStanding, Ramp, Standing, Step
from repository.services.lifecycle import Act, What, tell
from repository.storage import ledger, membership
from repository.storage.members import MemberRow
from repository.storage.membership import StoredStep

_STATUS_EVENTS = {
    MemberStatus.ACTIVE: EventKind.MEMBERSHIP_REINSTATED,
    MemberStatus.SUSPENDED: EventKind.MEMBERSHIP_SUSPENDED,
    MemberStatus.WITHDRAWN: EventKind.MEMBERSHIP_WITHDRAWN,
}
MOST_A_DAY = 20
"""Declarations of one (line, class) a day: each is kept for good, and read with every assessment."""
_AHEAD = timedelta(days=1)  # east of UTC it is tomorrow already


def attest(session: Session, row: MemberRow, act: Act, attested_on: date) -> None:
    """R1: record the yearly attestation, which includes that the privacy notices were given.

    Raises FieldError for a day that is not there yet.
    """
    if attested_on > act.now.date() + _AHEAD:
        raise FieldError("attested_on", "today or a day before")
    row.attested_on = attested_on
    _touch(session, row)
    what = What(EventKind.MEMBERSHIP_ATTESTED, "R1", row.id)
    tell(session.connection(), act, what, attested_on=attested_on.isoformat())


def agree(session: Session, row: MemberRow, act: Act, version: str | None, signed_on: date | None) -> None:
    """R1: record the agreement in force for a member; without a version the one it has."""
    row.agreement_version = version or row.agreement_version
    row.agreement_signed_on = signed_on
    _touch(session, row)
    signed = signed_on.isoformat() if signed_on else None
    what = What(EventKind.MEMBERSHIP_AGREED, "R1", row.id)
    tell(session.connection(), act, what, version=row.agreement_version, signed_on=signed)


def change_lines(session: Session, row: MemberRow, act: Act, lines: Sequence[str]) -> None:
    """Give a member other lines; what it declared of a line it leaves ends today."""
    before, row.lines = set(row.lines), list(lines)
    _touch(session, row)
    connection = session.connection()
    what = What(EventKind.MEMBERSHIP_LINES_CHANGED, "R9", row.id)
    tell(connection, act, what, before=" ".join(sorted(before)), after=" ".join(lines))
    left = {(each.line, each.record_class) for each in membership.declared(connection, row.id)}
    gone = [pair for pair in sorted(left) if pair[0] in before - set(lines)]
    for line, record_class in gone:
        _declare(session, row, act, Declaration(line, record_class, 0, act.now.date()))


def declare(session: Session, row: MemberRow, act: Act, volume: Declaration) -> date:
    """R4: record what a member is going to file, and return the day it holds from.

    Raises FieldError for what cannot be declared, LifeCycleError for a member that never contributes.
    """
    if row.subscriber is not None:
        raise LifeCycleError("a member under a grant never contributes, and declares nothing (R7)")
    check_volume(volume.line, volume.record_class, volume.per_month, row.lines)
    midnight = act.now.replace(hour=0, minute=0, second=0, microsecond=0)
    pair = (volume.line, volume.record_class)
    if membership.declared_today(session.connection(), row.id, pair, midnight) >= MOST_A_DAY:
        raise LifeCycleError(f"a class of a line is declared {MOST_A_DAY} times a day at most")
    return _declare(session, row, act, volume)


def load_back_book(session: Session, row: MemberRow, act: Act) -> date:
    """R5: a member that contributes first says that its back book is loaded; its clean days count from today.

    Raises LifeCycleError under a covenant, or when it was said before.
    """
    if row.ramp != Ramp.CONTRIBUTE_FIRST.value:
        raise LifeCycleError("only a member that contributes first declares its back book loaded (R5)")
    if row.back_book_on is not None:
        raise LifeCycleError("the back book was declared loaded before (R5)")
    row.back_book_on = act.now.date()
    _touch(session, row)
    what = What(EventKind.MEMBERSHIP_BACK_BOOK_LOADED, "R5", row.id)
    tell(session.connection(), act, what, back_book_on=row.back_book_on.isoformat())
    return row.back_book_on


def change_status(session: Session, row: MemberRow, act: Act, status: MemberStatus) -> None:
    """Suspend, reinstate or withdraw a member; the status it has already changes nothing.

    Raises LifeCycleError for a way back from withdrawal.
    """
    present = MemberStatus(row.status)
    check_status_change(present, status)
    if present is status:
        return
    row.status, row.status_changed_at = status.value, act.now
    _touch(session, row)
    what = What(_STATUS_EVENTS[status], "R6", row.id)
    tell(session.connection(), act, what, before=present.value, after=status.value)


def note_steps(connection: Connection, standing: Standing, now: datetime) -> int:
    """R5, R6: note the steps of a standing just assessed, with an event for each that changed; how many did.

    A line that the member has left, and owes nothing in any more, is good again. Whoever else notes the same member's
    steps at this moment is waited for, and what they noted is not noted again.
    """
    if not _changes(connection, standing):
        return 0
    membership.lock(connection, standing.member_id)
    changes = _changes(connection, standing)
    after = {line.line: line for line in standing.lines}
    for name, before in changes.items():
        if name in after:
            _note(connection, standing, after[name], before, now)
        else:
            _note_left(connection, standing, name, before, now)
    return len(changes)


def _changes(connection: Connection, standing: Standing) -> dict[str, Step]:
    """The step noted last, for each line that is on another one now."""
    known = {name: stored.step for name, stored in membership.steps(connection, standing.member_id).items()}
    after = {line.line: line.step for line in standing.lines}
    lines = [*after, *sorted(known.keys() - after.keys())]
    before = {name: known.get(name, Step.GOOD) for name in lines}
    return {name: step for name, step in before.items() if step is not after.get(name, Step.GOOD)}


def _note_left(connection: Connection, standing: Standing, line: str, before: Step, now: datetime) -> None:
    membership.put_step(connection, standing.member_id, line, StoredStep(Step.GOOD, standing.on, None))
    what = What(EventKind.MEMBERSHIP_STEP_CHANGED, "R6", standing.member_id)
    tell(connection, Act(now, SYSTEM), what, line=line, before=before.value, after=Step.GOOD.value)


def _note(connection: Connection, standing: Standing, line: LineStanding, before: Step, now: datetime) -> None:
    membership.put_step(connection, standing.member_id, line.line, StoredStep(line.step, standing.on, line.below_since))
    missed = missed_covenant(standing.ramp, standing.covenant_until, line.below_since, standing.on)
    tell(
        connection,
        Act(now, SYSTEM, line.improve or None),
        What(EventKind.MEMBERSHIP_STEP_CHANGED, "R5" if missed else "R6", standing.member_id),
        line=line.line,
        before=before.value,
        after=line.step.value,
        score=f"{line.score:.4f}",
        below_since=line.below_since.isoformat() if line.below_since else None,
        next_step=line.next_step.value if line.next_step else None,
        next_on=line.next_on.isoformat() if line.next_on else None,
        rulebook=standing.rulebook,
    )


def _declare(session: Session, row: MemberRow, act: Act, volume: Declaration) -> date:
    today = act.now.date()
    since = declared_from(volume.month, today)
    connection = session.connection()
    before = _per_month(connection, row.id, volume, since)
    pair = (volume.line, volume.record_class)
    made = membership.declaration(row.id, pair, (since, volume.per_month), act.now, act.actor_id)
    membership.add_declarations(connection, [made])
    _touch(session, row)
    less = before is not None and volume.per_month < before
    kind = EventKind.MEMBERSHIP_DECLARED_LESS if less else EventKind.MEMBERSHIP_DECLARED
    figures = {"line": pair[0], "class": pair[1], "before": before, "per_month": volume.per_month}
    tell(connection, act, What(kind, "R4", row.id), **figures, **{"from": since.isoformat()})
    return since


def _per_month(connection: Connection, member_id: str, volume: Declaration, day: date) -> int | None:
    """What was declared of the same pair for a day so far."""
    held = [
        each.per_month
        for each in membership.declared(connection, member_id)
        if (each.line, each.record_class) == (volume.line, volume.record_class) and each.since <= day
    ]
    return held[-1] if held else None


def _touch(session: Session, row: MemberRow) -> None:
    session.flush()
    ledger.touch(session.connection(), row.id)
