"""Reviewers over a case, each on what it last read: no move is lost, and nothing adverse is closed by one person."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from repository.domain import casework as rules
from repository.domain.casework import (
    ADVERSE,
    FROM,
    Case,
    CaseError,
    CaseStatus,
    Finding,
    Move,
    Person,
    SecondPersonError,
    StaleError,
    Step,
    When,
)
from repository.domain.members import Role

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
SNOOZE_DAYS = 90
PEOPLE = {
    "ivy": Person("ivy", {Role.INVESTIGATOR}),
    "ian": Person("ian", {Role.INVESTIGATOR}),
    "ada": Person("ada", {Role.MEMBER_ADMIN}),
    "amy": Person("amy", {Role.INVESTIGATOR, Role.MEMBER_ADMIN}),
    "sam": Person("sam", {Role.SCREENER}),
}
SEARCHED = ("ian",)
MOVES = sorted(FROM)


def case(**changes: Any) -> Case:
    """A case that was just opened."""
    of = {"id": "cas_1", "member_id": "mem_1", "version": 1, "status": CaseStatus.NEW, "assignee_id": None}
    days = {"due_on": date(2026, 3, 22), "snoozed_until": None, "opened_at": START, "changed_at": START}
    none = {"closed_at": None, "proposed_by": None, "finding": None, "merged_into": None}
    return Case(**{**of, **days, **none, **changes})


class Reviewers(RuleBasedStateMachine):
    """Five people, of whom one may do nothing and one asked the pool, and the pool, which adds hits and wakes cases."""

    @initialize()
    def open(self) -> None:
        """A new case, which all have read."""
        self.now, self.case, self.accepted = START, case(), 0
        self.read = dict.fromkeys(PEOPLE, self.case)
        self.closed_by: tuple[str | None, str] | None = None

    @rule(who=st.sampled_from(sorted(PEOPLE)))
    def look(self, who: str) -> None:
        """Somebody reads the case."""
        self.read[who] = self.case

    @rule(
        who=st.sampled_from(sorted(PEOPLE)),
        move=st.sampled_from(MOVES),
        finding=st.sampled_from(Finding),
        days=st.integers(-1, SNOOZE_DAYS + 1),
        fresh=st.booleans(),
    )
    def move(self, who: str, move: Move, finding: Finding, days: int, fresh: bool) -> None:
        """Somebody makes a move on what it has read; half of the time it reads first."""
        if fresh:
            self.look(who)
        by, known = PEOPLE[who], self.read[who].version
        assignee = who if move is Move.CLAIM else "ivy"
        step = Step(move, known, assignee, self.now.date() + timedelta(days=days), finding, SEARCHED)
        before = self.case
        if known != before.version:
            with pytest.raises(StaleError):
                rules.moved(before, step, by, When(self.now, self.now.date(), SNOOZE_DAYS))
            return
        try:
            self.case = rules.moved(before, step, by, When(self.now, self.now.date(), SNOOZE_DAYS))
        except CaseError:
            return
        assert before.status in FROM[move]
        assert by.works or by.leads
        self.accepted += 1
        if move is Move.APPROVE:
            assert who not in (before.proposed_by, *SEARCHED)
            self.closed_by = (before.proposed_by, who)

    @rule(days=st.integers(0, 100))
    def time_passes(self, days: int) -> None:
        """Days go by; who was put off until then wakes."""
        self.now += timedelta(days=days)
        until = self.case.snoozed_until
        if until is not None and until <= self.now.date():
            self.case = rules.woken(self.case, now=self.now)
            self.accepted += 1

    @rule()
    def grow(self) -> None:
        """A new hit comes in: who was about to decide has to read again."""
        self.case, move = rules.grown(self.case, now=self.now, due_on=self.now.date())
        assert (move is Move.CAME_BACK) == (self.case.status is CaseStatus.OPEN and move is not Move.GREW)
        self.accepted += 1

    @invariant()
    def no_move_is_lost(self) -> None:
        """The version counts what was accepted."""
        if hasattr(self, "case"):
            assert self.case.version == 1 + self.accepted

    @invariant()
    def what_it_says_goes_together(self) -> None:
        """Each status has what belongs to it; what is adverse and closed was decided by another than proposed it."""
        if not hasattr(self, "case"):
            return
        now = self.case
        assert (now.snoozed_until is not None) == (now.status is CaseStatus.SNOOZED)
        assert (now.closed_at is not None) == (now.status is CaseStatus.CLOSED)
        assert (now.finding is not None) == (now.status in (CaseStatus.PROPOSED, CaseStatus.CLOSED))
        if now.status is CaseStatus.CLOSED and now.finding in ADVERSE:
            assert self.closed_by is not None
            assert now.proposed_by == self.closed_by[0] != self.closed_by[1]


TestReviewers = Reviewers.TestCase
TestReviewers.settings = settings(max_examples=60, stateful_step_count=40)


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("status", CaseStatus)
def test_every_forbidden_move_is_refused(status: CaseStatus, move: Move) -> None:
    """Of every status and every move: what is not in the table is refused to everybody, and the rest to a screener."""
    standing = case(status=status, assignee_id="ivy", proposed_by="ivy", finding=Finding.PROVEN)
    step = Step(move, 1, assignee_id="amy", day=date(2026, 3, 9), finding=Finding.PROVEN)
    people = PEOPLE.values() if status not in FROM[move] else [PEOPLE["sam"]]
    for by in people:
        with pytest.raises(CaseError):
            rules.moved(standing, step, by, When(START, START.date(), SNOOZE_DAYS))


@pytest.mark.parametrize("who", ["ivy", "ian"])
def test_one_person_is_not_two(who: str) -> None:
    """Neither who proposed it nor who asked the pool approves; somebody else does."""
    proposed = case(status=CaseStatus.PROPOSED, proposed_by="ivy", finding=Finding.PROVEN)
    step = Step(Move.APPROVE, 1, searched=SEARCHED)
    with pytest.raises(SecondPersonError):
        rules.moved(proposed, step, PEOPLE[who], When(START, START.date(), SNOOZE_DAYS))
    assert (
        rules.moved(proposed, step, PEOPLE["amy"], When(START, START.date(), SNOOZE_DAYS)).status is CaseStatus.CLOSED
    )


def test_a_proposal_goes_back_by_either_in_its_own_way() -> None:
    """Who proposed a finding withdraws it and returns nothing; a second person returns it and withdraws nothing."""
    proposed = case(status=CaseStatus.PROPOSED, assignee_id="ivy", proposed_by="ivy", finding=Finding.PROVEN)
    when = When(START, START.date(), SNOOZE_DAYS)
    for move, may, may_not in ((Move.WITHDRAW, "ivy", "amy"), (Move.RETURN, "amy", "ivy")):
        after = rules.moved(proposed, Step(move, 1), PEOPLE[may], when)
        assert (after.status, after.finding, after.proposed_by) == (CaseStatus.OPEN, None, None)
        with pytest.raises(CaseError):
            rules.moved(proposed, Step(move, 1), PEOPLE[may_not], when)


def test_days_are_those_of_the_zone() -> None:
    """Put off and due by the day there, which may be another than in UTC: here the day after the leap day already."""
    standing, today = case(status=CaseStatus.OPEN, assignee_id="ivy"), date(2028, 3, 1)
    when = When(datetime(2028, 2, 29, 11, tzinfo=UTC), today, 1)
    for move, day, earlier in ((Move.SNOOZE, date(2028, 3, 2), today), (Move.DUE, today, date(2028, 2, 29))):
        assert rules.moved(standing, Step(move, 1, day=day), PEOPLE["ivy"], when).version == 2
        with pytest.raises(CaseError):
            rules.moved(standing, Step(move, 1, day=earlier), PEOPLE["ivy"], when)


def test_a_new_hit_wakes_a_case_that_was_put_off() -> None:
    """It is open again, and put off no more."""
    snoozed = case(status=CaseStatus.SNOOZED, assignee_id="ivy", snoozed_until=date(2026, 3, 20))
    after, move = rules.grown(snoozed, now=START, due_on=START.date())
    assert (after.status, after.snoozed_until, after.assignee_id, move) == (CaseStatus.OPEN, None, "ivy", Move.GREW)
