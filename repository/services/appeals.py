"""Appeals (R9): against a decision, a step of the ladder or another event, or a refused application."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from repository.domain.events import EventKind
from repository.domain.ids import is_id
from repository.domain.members import MemberStatus
from repository.domain.membership import (
    SYSTEM,
    CaseStatus,
    LifeCycleError,
    Verdict,
    check_officer,
    overdue,
)
from repository.domain.rulebook import Rulebook
from repository.services import applications
from repository.services import membership as lifecycle
from repository.services.applications import Clocks
from repository.services.lifecycle import Act, What, given_reason, tell
from repository.storage import membership
from repository.storage.members import MemberRow
from repository.storage.membership import AppealRow, ApplicationRow, Wanted

APPEALABLE = frozenset(
    {
        EventKind.MEMBERSHIP_STEP_CHANGED,
        EventKind.MEMBERSHIP_SUSPENDED,
        EventKind.MEMBERSHIP_LINES_CHANGED,
        EventKind.MEMBERSHIP_GRANTED,
        EventKind.MEMBERSHIP_GRANT_ENDED,
    }
)
"""Events of a membership that can be appealed against."""
MOST_OPEN = 50
"""Appeals of one member that are open at a time."""


@dataclass(frozen=True, slots=True)
class Appealing:
    """What is appealed against, by its id, and why."""

    against: str
    grounds: str


def enter(
    session: Session, act: Act, member_id: str | None, appealing: Appealing, rulebook: Rulebook
) -> AppealRow | None:
    """Enter an appeal of a member, or without one of an applicant; None when it has nothing of that id.

    Raises FieldError without grounds, LifeCycleError for what is not appealed against or is already.
    """
    grounds = given_reason(appealing.grounds, "grounds")
    if member_id is not None:
        session.get_one(
            MemberRow, member_id, with_for_update=True
        )  # one appeal against a thing, though two come at once
    taken_by = _taken_by(session, member_id, appealing.against)
    if taken_by is None:
        return None
    waiting = select(AppealRow.id).where(
        AppealRow.against == appealing.against, AppealRow.status == CaseStatus.OPEN.value
    )
    if session.scalar(waiting) is not None:
        raise LifeCycleError("an appeal against this is open")
    most = Wanted(CaseStatus.OPEN, member_id, limit=MOST_OPEN)
    if member_id is not None and len(membership.appeals(session.connection(), most)) == MOST_OPEN:
        raise LifeCycleError(f"{MOST_OPEN} appeals of the member are open")
    row = AppealRow(
        id=act.new_id("apl"),
        member_id=member_id,
        against=appealing.against,
        taken_by=taken_by,
        grounds=grounds,
        entered_at=act.now,
        entered_by=act.actor_id,
        due_on=rulebook.calendar.later(act.now.date(), rulebook.membership.appeal_working_days),
        status=CaseStatus.OPEN.value,
    )
    session.add(row)
    session.flush()
    what = What(EventKind.APPEAL_RECEIVED, "R9", member_id, row.id)
    figures = {"against": row.against, "due_on": row.due_on.isoformat()}
    tell(session.connection(), Act(act.now, act.actor_id, grounds), what, **figures)
    return row


def decide(session: Session, appeal_id: str, act: Act, verdict: Verdict, rulebook: Rulebook) -> AppealRow | None:
    """Uphold or dismiss an appeal; None when there is none of this id. The act's actor is the officer.

    An appeal upheld opens a refused application again, and reinstates a member that the operator suspended. Figures
    are not touched: what was wrong in them is put right where they come from. Raises as `applications.decide` does.
    """
    row = session.get(AppealRow, appeal_id, with_for_update=True)
    if row is None:
        return None
    if row.status != CaseStatus.OPEN.value:
        raise LifeCycleError("the appeal was decided before")
    check_officer(act.actor_id, {row.entered_by, row.taken_by})
    act = Act(act.now, act.actor_id, given_reason(act.reason or ""))
    row.status = (CaseStatus.UPHELD if verdict.granted else CaseStatus.DISMISSED).value
    row.decided_at, row.decided_by, row.reason = act.now, act.actor_id, act.reason
    session.flush()
    kind = EventKind.APPEAL_UPHELD if verdict.granted else EventKind.APPEAL_DISMISSED
    late = max((act.now.date() - row.due_on).days, 0)
    tell(session.connection(), act, What(kind, "R9", row.member_id, row.id), against=row.against, days_late=late)
    if verdict.granted:
        _put_right(session, row, act, rulebook)
    return row


def find(session: Session, appeal_id: str, member_id: str | None = None) -> AppealRow | None:
    """One appeal; of a member only its own."""
    row = session.get(AppealRow, appeal_id)
    return row if row is not None and member_id in (None, row.member_id) else None


def listed(session: Session, wanted: Wanted) -> list[AppealRow]:
    """Appeals, those due first first."""
    return [session.get_one(AppealRow, each) for each in membership.appeals(session.connection(), wanted)]


def as_json(row: AppealRow, clocks: Clocks, *, to_member: bool) -> dict[str, Any]:
    """An appeal as JSON. Members are not told which officer acted, only that it was another one."""
    status = CaseStatus(row.status)
    shown: dict[str, Any] = {
        "id": row.id,
        "against": row.against,
        "grounds": row.grounds,
        "entered_at": row.entered_at.isoformat(),
        "due_on": row.due_on.isoformat(),
        "overdue": overdue(row.due_on, status, clocks.today),
        "status": status.value,
        "decided_at": row.decided_at.isoformat() if row.decided_at else None,
        "reason": row.reason,
    }
    if not to_member:
        officers = {"entered_by": row.entered_by, "taken_by": row.taken_by, "decided_by": row.decided_by}
        shown |= {"member": row.member_id} | officers
    return shown


def _taken_by(session: Session, member_id: str | None, against: str) -> str | None:
    """Who took what is appealed against; None when there is nothing of that id for them."""
    connection = session.connection()
    if member_id is None:
        application = session.get(ApplicationRow, against, with_for_update=True) if is_id(against, "app") else None
        if application is None:
            return None
        if application.status != CaseStatus.REFUSED.value:
            raise LifeCycleError("the application is not refused")
        return application.decided_by or SYSTEM
    if is_id(against, "dec"):
        return SYSTEM if membership.decision_of(connection, member_id, against) else None
    event = membership.event(connection, against) if is_id(against, "evt") else None
    if event is None or event["member_id"] != member_id:
        return None
    if event["kind"] not in APPEALABLE:
        raise LifeCycleError("an appeal is against a decision, a step of the ladder, a suspension, lines or a grant")
    return str(event["actor_id"] or SYSTEM)


def _put_right(session: Session, row: AppealRow, act: Act, rulebook: Rulebook) -> None:
    application = session.get(ApplicationRow, row.against, with_for_update=True)
    if application is not None:
        applications.reopen(session, application, act, rulebook)
        return
    event = membership.event(session.connection(), row.against)
    if event is None or event["kind"] != EventKind.MEMBERSHIP_SUSPENDED or row.member_id is None:
        return
    member = session.get_one(MemberRow, row.member_id, with_for_update=True)
    if member.status == MemberStatus.SUSPENDED.value:
        lifecycle.change_status(session, member, act, MemberStatus.ACTIVE)
