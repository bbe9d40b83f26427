"""Applications (R9): entered by an operator, due by a clock, decided with a reason by another one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from repository.domain.errors import FieldError
from repository.domain.events import EventKind
from repository.domain.members import MemberStatus
from repository.domain.membership import (
    Applying,
    CaseStatus,
    LifeCycleError,
    Verdict,
    check_name,
    check_officer,
    check_volumes,
    overdue,
    same_name,
    start,
)
from repository.domain.rulebook import Rulebook
from repository.domain.standing import Ramp
from repository.services.lifecycle import Act, What, given_reason, tell
from repository.services.onboarding import admit_member
from repository.storage import membership
from repository.storage.members import find_namesake
from repository.storage.membership import ApplicationRow, Wanted

LONGEST_NAME = 200
RULES = ("R1", "R4", "R5", "R7", "R9")
"""The rules that a refusal may rest on."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """What the appeal and the clock of an application depend on: the rulebook, and today."""

    rulebook: Rulebook
    today: date


def enter(session: Session, act: Act, applying: Applying, rulebook: Rulebook) -> ApplicationRow:
    """Enter an application; it is due some working days from now, by the rulebook.

    Raises FieldError for what cannot be, LifeCycleError for the name of another open application, or of a member: but
    one that has withdrawn applies anew to contribute first.
    """
    today = act.now.date()
    name = applying.name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise FieldError("name", f"1 to {LONGEST_NAME} printable characters")
    check_volumes(applying.declared, applying.lines)
    start(applying.ramp, applying.covenant_until, today, rulebook.ramp)
    open_ones = select(ApplicationRow.name).where(ApplicationRow.status == CaseStatus.OPEN.value)
    if same_name(name) in map(same_name, session.scalars(open_ones)):
        raise LifeCycleError("an open application of that name exists")
    namesake = find_namesake(session, name)
    check_name(None if namesake is None else MemberStatus(namesake.status), applying.ramp)
    row = ApplicationRow(
        id=act.new_id("app"),
        name=name,
        lines=sorted(set(applying.lines)),
        declared=volumes_to_json(applying.declared),
        ramp=applying.ramp.value,
        covenant_until=applying.covenant_until,
        agreement_version=applying.agreement_version,
        agreement_signed_on=applying.agreement_signed_on,
        entered_at=act.now,
        entered_by=act.actor_id,
        due_on=rulebook.calendar.later(today, rulebook.membership.application_working_days),
        status=CaseStatus.OPEN.value,
    )
    session.add(row)
    session.flush()
    received = What(EventKind.APPLICATION_RECEIVED, "R9", None, row.id)
    tell(session.connection(), act, received, due_on=row.due_on.isoformat(), lines=" ".join(row.lines))
    return row


def decide(
    session: Session, application_id: str, act: Act, verdict: Verdict, rulebook: Rulebook
) -> ApplicationRow | None:
    """Accept an application, which admits the member, or refuse it; None when there is none of this id.

    The act's actor is the officer: raises NotIndependentError for who entered it or refused it before, LifeCycleError
    when it was decided, FieldError without a reason or with a covenant's date that cannot be, OnboardingError where
    nobody of that name can be admitted.
    """
    row = session.get(ApplicationRow, application_id, with_for_update=True)
    if row is None:
        return None
    if row.status != CaseStatus.OPEN.value:
        raise LifeCycleError("the application was decided before")
    check_officer(act.actor_id, {row.entered_by, row.decided_by})
    act = Act(act.now, act.actor_id, given_reason(act.reason or ""))
    if verdict.rule not in RULES:
        raise FieldError("rule", f"one of: {', '.join(RULES)}")
    if verdict.covenant_until is not None and not verdict.granted:
        raise FieldError("covenant_until", "nothing with a refusal")
    wished = row.covenant_until
    row.covenant_until = verdict.covenant_until or wished
    row.status = (CaseStatus.ACCEPTED if verdict.granted else CaseStatus.REFUSED).value
    row.decided_at, row.decided_by, row.reason, row.rule = act.now, act.actor_id, act.reason, verdict.rule
    if verdict.granted:
        row.member_id = _admit(session, row, act, rulebook)
    kind = EventKind.APPLICATION_ACCEPTED if verdict.granted else EventKind.APPLICATION_REFUSED
    session.flush()
    late = (act.now.date() - row.due_on).days
    figures: dict[str, str | int | None] = {"days_late": max(late, 0)}
    if row.covenant_until != wished:
        figures |= {"covenant_wished": _iso(wished), "covenant_until": _iso(row.covenant_until)}
    tell(session.connection(), act, What(kind, verdict.rule, row.member_id, row.id), **figures)
    return row


def reopen(session: Session, row: ApplicationRow, act: Act, rulebook: Rulebook) -> None:
    """Have a refused application decided anew, by someone who has not refused it."""
    row.status = CaseStatus.OPEN.value
    row.due_on = rulebook.calendar.later(act.now.date(), rulebook.membership.application_working_days)
    session.flush()
    what = What(EventKind.APPLICATION_REOPENED, "R9", None, row.id)
    tell(session.connection(), act, what, due_on=row.due_on.isoformat())


def find(session: Session, application_id: str) -> ApplicationRow | None:
    """One application."""
    return session.get(ApplicationRow, application_id)


def listed(session: Session, wanted: Wanted) -> list[ApplicationRow]:
    """Applications, those due first first."""
    return [session.get_one(ApplicationRow, each) for each in membership.applications(session.connection(), wanted)]


def as_json(row: ApplicationRow, clocks: Clocks) -> dict[str, Any]:
    """An application as JSON. A refusal says why, under which rule, since when, and how to appeal."""
    status = CaseStatus(row.status)
    shown: dict[str, Any] = {
        "id": row.id,
        "name": row.name,
        "lines": row.lines,
        "declared": row.declared,
        "ramp": row.ramp,
        "covenant_until": _iso(row.covenant_until),
        "agreement_version": row.agreement_version,
        "agreement_signed_on": _iso(row.agreement_signed_on),
        "entered_at": row.entered_at.isoformat(),
        "entered_by": row.entered_by,
        "due_on": row.due_on.isoformat(),
        "overdue": overdue(row.due_on, status, clocks.today),
        "status": status.value,
        "decided_at": _iso(row.decided_at),
        "decided_by": row.decided_by,
        "reason": row.reason,
        "rule": row.rule,
        "member": row.member_id,
    }
    if status is CaseStatus.REFUSED:
        shown["appeal"] = how_to_appeal(clocks.rulebook)
    return shown


def how_to_appeal(rulebook: Rulebook) -> str:
    """R9: what someone who was refused can do."""
    days = rulebook.membership.appeal_working_days
    return (
        "Give the operator of the scheme your grounds in writing. The appeal is decided within"
        f" {days} working days by an officer who did not take the decision; if it is upheld, the application is open"
        " again."
    )


def volumes_to_json(declared: Mapping[tuple[str, str], int]) -> dict[str, int]:
    """Volumes by `line/class`."""
    return {f"{line}/{record_class}": per_month for (line, record_class), per_month in sorted(declared.items())}


def volumes_from_json(declared: Mapping[str, int]) -> dict[tuple[str, str], int]:
    """The reverse; raises FieldError for a key that is no `line/class`, or one named twice."""
    return volumes(declared.items())


def volumes(pairs: Iterable[tuple[str, int]]) -> dict[tuple[str, str], int]:
    """Volumes from `line/class` and a number each; raises FieldError for a key of another form or a second time."""
    found: dict[tuple[str, str], int] = {}
    for key, per_month in pairs:
        line, slash, record_class = key.partition("/")
        if not slash or (line, record_class) in found:
            raise FieldError("declared", "line/class and a number, each line/class once")
        found[line, record_class] = per_month
    return found


def _admit(session: Session, row: ApplicationRow, act: Act, rulebook: Rulebook) -> str:
    admitted = admit_member(
        session,
        row.name,
        row.lines,
        now=act.now,
        agreement_signed_on=row.agreement_signed_on,
        agreement_version=row.agreement_version,
        ramp=Ramp(row.ramp),
        covenant_until=row.covenant_until,
        declared=volumes_from_json(row.declared),
        rules=rulebook.ramp,
        by=act.actor_id,
        reason=act.reason,
    )
    return admitted.id


def _iso(moment: date | datetime | None) -> str | None:
    return moment.isoformat() if moment else None
