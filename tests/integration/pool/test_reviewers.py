"""Many reviewers at once on both stores: no move and no note is lost, and nothing adverse is closed by one person."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import func, select

from repository.domain.casework import CaseError, Finding, Move, Step
from repository.domain.members import Actor, Role
from repository.services import casefile, casework
from repository.services.casework import At, Found, Noted, Verdict
from repository.services.onboarding import issue_credential
from repository.storage import casework as stored
from repository.storage.casework import CASE_MOVES, CASE_NOTES, CASES, FINDINGS
from repository.storage.events import EVENTS
from repository.storage.members import find_member
from tests.integration.pool.conftest import Desk
from tests.integration.pool.test_casework import cases
from tests.integration.pool.test_outcomes import say
from tests.support.encodings import filing, subject

PEOPLE, MOVES_EACH, SUBJECTS = 12, 84, ("ann", "bob", "eve", "dan")
"""1,008 moves on four cases; a third of them on SQLite, where one at a time writes."""
EVIDENCE = Found(Finding.PROVEN, "Two invoices with one number.", "F-1", subject_could_speak=True, subject_words="yes")


def test_reviewers_at_once(alpha: Desk, beta: Desk) -> None:
    """A thousand moves of twelve people on four cases: each accepted is a version, a move and an event; no other is."""
    for name in SUBJECTS:
        beta.file(filing(f"B-{name}", subject(name), record_class="claim"))
        alpha.file(filing(f"A-{name}", subject(name), record_class="claim"))
    ids = sorted(each["id"] for each in cases(alpha))
    for hit in alpha.hits():
        say(alpha, hit["id"], "same_subject")
    people, start = _people(alpha), threading.Barrier(PEOPLE)
    each = MOVES_EACH if alpha.services.database.engine.dialect.name == "postgresql" else MOVES_EACH // 3

    def review(number: int) -> tuple[int, int]:
        draw, actor = random.Random(number), people[number]  # noqa: S311 - the same moves each time
        accepted, noted = 0, 0
        start.wait(30)
        for _ in range(each):
            at = At(actor, actor.member, draw.choice(ids))  # type: ignore[arg-type] # all have a member
            if draw.random() < 0.1:
                assert casework.note(alpha.services, at, Noted("looked at")) is not None
                noted += 1
                continue
            try:
                accepted += _move(alpha, at, draw, people) is not None
            except CaseError:
                continue
        return accepted, noted

    with ThreadPoolExecutor(PEOPLE) as threads:
        done = list(threads.map(review, range(PEOPLE)))
    _nothing_was_lost(alpha, sum(of[0] for of in done), sum(of[1] for of in done))


def _people(desk: Desk) -> list[Actor]:
    roles = (Role.INVESTIGATOR, Role.MEMBER_ADMIN)
    with desk.services.database.write() as session:
        row = find_member(session, desk.member.id)
        assert row is not None
        member = row.as_member()
        made = [issue_credential(session, member.id, roles, now=desk.services.clock()) for _ in range(PEOPLE)]
    return [Actor(each.client_id, frozenset(roles), member) for each in made]


def _move(desk: Desk, at: At, draw: random.Random, people: list[Actor]) -> Any:
    """One move on the case as it is read, which others may have moved by the time it is made."""
    services = desk.services
    with services.database.reading() as connection:
        case = stored.find(connection, at.member.id, at.case_id)
    assert case is not None
    what = draw.choice(("claim", "assign", "release", "wait", "resume", "due", "reopen", *["find", "decide"] * 3))
    if what == "find":
        return casework.find(services, at, case.version, EVIDENCE)
    if what == "decide":
        return casefile.decide(services, at, Verdict(case.version, draw.random() < 0.7, "looked at"))
    assignee = at.actor.id if what == "claim" else draw.choice(people).id
    step = Step(Move(what), case.version, assignee_id=assignee, day=case.due_on)
    return casework.move(services, at, step, "again")


def _nothing_was_lost(desk: Desk, accepted: int, noted: int) -> None:
    with desk.services.database.reading() as connection:
        versions = {row.id: row.version for row in connection.execute(select(CASES.c.id, CASES.c.version))}
        assert sum(versions.values()) - len(versions) == accepted > PEOPLE
        for case_id, version in versions.items():
            moves = select(CASE_MOVES.c.version).where(CASE_MOVES.c.case_id == case_id)
            assert sorted(connection.scalars(moves)) == list(range(1, version + 1))
        assert connection.scalar(select(func.count()).select_from(CASE_NOTES)) == noted
        moved = select(func.count()).where(EVENTS.c.kind == "case.moved")
        assert connection.scalar(moved) == accepted
        adverse = connection.execute(select(FINDINGS).where(FINDINGS.c.approved)).mappings().all()
        assert adverse, "nothing was approved: the test says nothing"
        assert all(each["decided_by"] not in (None, each["proposed_by"]) for each in adverse)
        closed = connection.execute(select(CASES).where(CASES.c.status == "closed")).mappings().all()
        approvals = select(CASE_MOVES.c.actor_id, CASE_MOVES.c.version).where(CASE_MOVES.c.move == "approve")
        for case in closed:
            last = connection.execute(approvals.where(CASE_MOVES.c.case_id == case["id"])).all()
            assert (case["version"] in {each.version for each in last}) == (case["finding"] != "clear")
            assert all(each.actor_id != case["proposed_by"] for each in last if each.version == case["version"])
