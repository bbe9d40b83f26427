"""A case: one member's work on one subject's hits. Its statuses, who moves it where, and the second person. Pure rules.

Every move is made on a version of the case that its maker has read: who moves what has changed since is told so, and
nothing is lost.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from repository.domain.members import Role


class CaseStatus(StrEnum):
    """Where a case stands. `snoozed` until a day, `waiting` for somebody else, `proposed` for the second person."""

    NEW = "new"
    OPEN = "open"
    SNOOZED = "snoozed"
    WAITING = "waiting"
    PROPOSED = "proposed"
    CLOSED = "closed"
    MERGED = "merged"


class Move(StrEnum):
    """What is done to a case. The last four are the pool's own."""

    CLAIM = "claim"
    ASSIGN = "assign"
    RELEASE = "release"
    SNOOZE = "snooze"
    WAKE = "wake"
    WAIT = "wait"
    RESUME = "resume"
    DUE = "due"
    CLEAR = "clear"
    PROPOSE = "propose"
    APPROVE = "approve"
    RETURN = "return"
    WITHDRAW = "withdraw"
    CONFIRM = "confirm"
    REOPEN = "reopen"
    GREW = "grew"
    WOKE = "woke"
    MERGED = "merged"
    CAME_BACK = "came_back"


class Finding(StrEnum):
    """What came of a case. It is on the case, not on a person: the two adverse ones take two people."""

    CLEAR = "clear"
    SUSPICION_UPHELD = "suspicion_upheld"
    PROVEN = "proven"


ADVERSE = frozenset({Finding.SUSPICION_UPHELD, Finding.PROVEN})


class CaseError(Exception):
    """A move that the case does not allow as it stands, or that is not for this person; the message says why."""


class StaleError(CaseError):
    """The case has changed since it was read: `version` is what it is at now."""

    def __init__(self, version: int) -> None:
        super().__init__(f"The case is at version {version} now. Read it again, then decide.")
        self.version = version


class SecondPersonError(CaseError):
    """The same person may not do both."""


@dataclass(frozen=True, slots=True)
class Case:
    """A case as it stands."""

    id: str
    member_id: str
    version: int
    status: CaseStatus
    assignee_id: str | None
    due_on: date
    snoozed_until: date | None
    opened_at: datetime
    changed_at: datetime
    closed_at: datetime | None
    proposed_by: str | None
    finding: Finding | None
    merged_into: str | None


@dataclass(frozen=True, slots=True)
class Person:
    """Who moves a case: an investigator works on it, the administrator leads."""

    id: str
    roles: Collection[Role]

    @property
    def works(self) -> bool:
        """Whether it may have cases of its own."""
        return Role.INVESTIGATOR in self.roles

    @property
    def leads(self) -> bool:
        """Whether it may assign cases to others, and open them again."""
        return Role.MEMBER_ADMIN in self.roles


@dataclass(frozen=True, slots=True)
class Step:
    """One move, on a version of the case, with what it needs. `searched` are those who asked the pool."""

    move: Move
    version: int
    assignee_id: str | None = None
    day: date | None = None
    finding: Finding | None = None
    searched: Collection[str] = field(default=())


_LIVE = frozenset({CaseStatus.NEW, CaseStatus.OPEN, CaseStatus.SNOOZED, CaseStatus.WAITING})
_AT_WORK = frozenset({CaseStatus.OPEN, CaseStatus.WAITING})
FROM: dict[Move, frozenset[CaseStatus]] = {
    Move.CLAIM: _LIVE,
    Move.ASSIGN: _LIVE,
    Move.RELEASE: _LIVE - {CaseStatus.NEW},
    Move.SNOOZE: frozenset({CaseStatus.OPEN}),
    Move.WAKE: frozenset({CaseStatus.SNOOZED}),
    Move.WAIT: frozenset({CaseStatus.OPEN}),
    Move.RESUME: frozenset({CaseStatus.WAITING}),
    Move.DUE: _LIVE,
    Move.CLEAR: _AT_WORK,
    Move.PROPOSE: _AT_WORK,
    Move.APPROVE: frozenset({CaseStatus.PROPOSED}),
    Move.RETURN: frozenset({CaseStatus.PROPOSED}),
    Move.WITHDRAW: frozenset({CaseStatus.PROPOSED}),
    Move.CONFIRM: frozenset({CaseStatus.CLOSED}),
    Move.REOPEN: frozenset({CaseStatus.CLOSED}),
}
"""The statuses that each move of a person starts from."""
_TO = {
    Move.RELEASE: CaseStatus.OPEN,
    Move.SNOOZE: CaseStatus.SNOOZED,
    Move.WAKE: CaseStatus.OPEN,
    Move.WAIT: CaseStatus.WAITING,
    Move.RESUME: CaseStatus.OPEN,
    Move.CLEAR: CaseStatus.CLOSED,
    Move.PROPOSE: CaseStatus.PROPOSED,
    Move.APPROVE: CaseStatus.CLOSED,
    Move.RETURN: CaseStatus.OPEN,
    Move.WITHDRAW: CaseStatus.OPEN,
    Move.REOPEN: CaseStatus.OPEN,
}
_OF_ASSIGNEE = frozenset(
    {Move.RELEASE, Move.SNOOZE, Move.WAKE, Move.WAIT, Move.RESUME, Move.DUE, Move.CLEAR, Move.PROPOSE}
)


@dataclass(frozen=True, slots=True)
class When:
    """The instant of a move, the day it is in the scheme's zone, and for how many days a case is put off at most."""

    now: datetime
    today: date
    snooze_days: int


def moved(case: Case, step: Step, by: Person, when: When) -> Case:
    """The case after a person's move. Raises StaleError, SecondPersonError or CaseError, and nothing has happened."""
    if step.version != case.version:
        raise StaleError(case.version)
    if case.status not in FROM[step.move]:
        allowed = ", ".join(sorted(FROM[step.move]))
        raise CaseError(f"The case is {case.status}; this takes one that is {allowed}.")
    _check_person(case, step, by)
    after = replace(case, version=case.version + 1, status=_TO.get(step.move, case.status), changed_at=when.now)
    if step.move in (Move.CLAIM, Move.ASSIGN):
        waits = case.status is CaseStatus.WAITING or (step.move is Move.ASSIGN and case.status is CaseStatus.SNOOZED)
        after = replace(after, assignee_id=step.assignee_id, status=case.status if waits else CaseStatus.OPEN)
    if step.move is Move.RELEASE:
        after = replace(after, assignee_id=None)
    if step.move is Move.DUE:
        after = replace(after, due_on=_day(step, when.today, earliest=when.today))
    if step.move is Move.SNOOZE:
        earliest, latest = when.today + timedelta(days=1), when.today + timedelta(days=when.snooze_days)
        return replace(after, snoozed_until=_day(step, when.today, earliest=earliest, latest=latest))
    if after.status is not CaseStatus.SNOOZED:
        after = replace(after, snoozed_until=None)
    return _found(after, step, by, when.now)


def _found(after: Case, step: Step, by: Person, now: datetime) -> Case:
    if step.move is Move.PROPOSE:
        if step.finding not in ADVERSE:
            raise CaseError("Only an adverse finding is proposed; clear closes the case.")
        return replace(after, proposed_by=by.id, finding=step.finding)
    if step.move is Move.CLEAR:
        return replace(after, finding=Finding.CLEAR, proposed_by=by.id, closed_at=now)
    if step.move is Move.APPROVE:
        return replace(after, closed_at=now)
    if step.move is Move.CONFIRM and after.finding is not Finding.CLEAR:
        raise CaseError("Only a case that was cleared is confirmed; an adverse finding was decided by two already.")
    if step.move in (Move.RETURN, Move.WITHDRAW, Move.REOPEN):
        return replace(after, finding=None, proposed_by=None, closed_at=None)
    return after


def _check_person(case: Case, step: Step, by: Person) -> None:
    if not (by.works or by.leads):
        raise CaseError("A case is moved by an investigator or the administrator.")
    if step.move is Move.CLAIM:
        _check_claim(case, step, by)
    if step.move in (Move.ASSIGN, Move.REOPEN) and not by.leads:
        raise CaseError("Only the administrator assigns a case to somebody, or opens it again.")
    if step.move in _OF_ASSIGNEE and not by.leads and case.assignee_id != by.id:
        raise CaseError("This is for who has the case, or the administrator. Claim it first.")
    if step.move is Move.WITHDRAW and by.id != case.proposed_by:
        raise CaseError("Who proposed a finding withdraws it; a second person returns it.")
    if step.move in (Move.APPROVE, Move.RETURN, Move.CONFIRM) and by.id == case.proposed_by:
        raise SecondPersonError("Who proposed a finding does not decide it, but may withdraw it while it waits.")
    if step.move in (Move.APPROVE, Move.CONFIRM) and by.id in step.searched:
        raise SecondPersonError("Who asked the pool about this subject does not decide the finding.")


def _check_claim(case: Case, step: Step, by: Person) -> None:
    if not by.works or step.assignee_id != by.id:
        raise CaseError("An investigator claims a case for itself; the administrator assigns it.")
    if case.assignee_id not in (None, by.id):
        raise CaseError("Somebody has the case. The administrator may assign it to another.")


def grown(case: Case, *, now: datetime, due_on: date) -> tuple[Case, Move]:
    """The case after a hit was added: what was closed or put off is open, and who was about to decide reads it anew."""
    after = replace(case, version=case.version + 1, changed_at=now)
    if case.status is CaseStatus.SNOOZED:
        after = replace(after, status=CaseStatus.OPEN, snoozed_until=None)
    if case.status is not CaseStatus.CLOSED:
        return after, Move.GREW
    opened = replace(after, status=CaseStatus.OPEN, finding=None, proposed_by=None, closed_at=None, due_on=due_on)
    return opened, Move.CAME_BACK


def woken(case: Case, *, now: datetime) -> Case:
    """The case on the day until which it was put off."""
    return replace(case, version=case.version + 1, status=CaseStatus.OPEN, snoozed_until=None, changed_at=now)


def merged(case: Case, into: str, *, now: datetime) -> Case:
    """The case after its hits went to an older one of the same subject."""
    return replace(
        case,
        version=case.version + 1,
        status=CaseStatus.MERGED,
        assignee_id=None,
        snoozed_until=None,
        merged_into=into,
        proposed_by=None,
        finding=None,
        closed_at=now,
        changed_at=now,
    )


def _day(step: Step, today: date, *, earliest: date, latest: date | None = None) -> date:
    if step.day is None or step.day < earliest or (latest is not None and step.day > latest):
        until = f" to {latest.isoformat()}" if latest else " on"
        raise CaseError(f"A day from {earliest.isoformat()}{until} is needed; today is {today.isoformat()}.")
    return step.day
