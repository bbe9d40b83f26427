"""Answering hits: who may, what it changes in lists, and what it counts for in the ledger (R8)."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from repository.domain.members import MemberStatus
from repository.services.onboarding import change_status
from repository.storage.events import EVENTS
from repository.storage.hits import HITS
from repository.storage.ledger import LEDGER
from tests.integration.pool.conftest import Counted, Desk
from tests.support.clock import FakeClock
from tests.support.encodings import filing, question, subject
from tests.support.members import Admissions

DUE = date(2026, 4, 1)


def say(desk: Desk, hit: str, outcome: object = "same_subject", *, status: int = 200, **more: object) -> dict[str, Any]:
    """Answer a hit."""
    body = {"outcome": outcome, **more}
    answer = desk.client.post(f"/v1/hits/{hit}/outcome", json=body, headers=desk.member.headers)
    assert answer.status_code == status, answer.get_json()
    parsed: dict[str, Any] = answer.get_json()
    return parsed


def ledger(desk: Desk) -> list[tuple[date, str, str, int, int]]:
    """A member's days with something due or answered: (day, line, class, due, answered)."""
    row = LEDGER.c
    statement = select(row.day, row.line, row.record_class, row.due, row.answered)
    owed = statement.where(row.member_id == desk.member.id, (row.due != 0) | (row.answered != 0))
    with desk.services.database.reading() as connection:
        return [tuple(each) for each in connection.execute(owed.order_by(row.day, row.line, row.record_class))]


def told(desk: Desk, kind: str) -> list[dict[str, Any]]:
    """The figures of the events of a kind, in order."""
    statement = select(EVENTS.c.figures).where(EVENTS.c.kind == kind).order_by(EVENTS.c.id)
    with desk.services.database.reading() as connection:
        return list(connection.execute(statement).scalars())


def log_in(*desks: Desk) -> None:
    """Log in anew, after the clock has moved on."""
    for desk in desks:
        body = {
            "grant_type": "client_credentials",
            "client_id": desk.member.client_id,
            "client_secret": desk.member.client_secret,
        }
        token = desk.client.post("/v1/auth/token", json=body).get_json()["access_token"]
        object.__setattr__(desk.member, "access_token", token)


@pytest.fixture
def met(alpha: Desk, beta: Desk) -> str:
    """Ann is a claimant with both; the id of the hit, which nobody was shown yet."""
    beta.file(filing("B-1", subject("ann"), record_class="claim"))
    alpha.file(filing("A-1", subject("ann"), record_class="claim"))
    with alpha.services.database.reading() as connection:
        return str(connection.execute(select(HITS.c.id)).scalar_one())


def test_a_hit_falls_due_when_it_is_first_shown(alpha: Desk, beta: Desk, met: str, clock: FakeClock) -> None:
    """Once, thirty days on, under the own line and class; for each member by when it was shown to it."""
    assert ledger(alpha) == []
    (hit,) = alpha.hits()
    assert (hit["answer_by"], "outcome" in hit) == (DUE.isoformat(), False)
    assert ledger(alpha) == [(DUE, "motor", "claim", 1, 0)]
    clock.advance(days=1)
    log_in(alpha, beta)
    assert alpha.hits() == [hit]
    assert alpha.get(f"/v1/hits/{met}") == hit
    assert ledger(alpha) == [(DUE, "motor", "claim", 1, 0)]
    assert beta.hits()[0]["answer_by"] == "2026-04-02"


def test_an_answer_in_time_counts_on_the_day_it_was_due(alpha: Desk, met: str, clock: FakeClock) -> None:
    """Once, however often it is given or changed; each change is an event, a repetition is none."""
    alpha.hits()
    said = say(alpha, met, note_reference="CASE-7")
    assert (said["hit"], said["outcome"], said["note_reference"]) == (met, "same_subject", "CASE-7")
    assert (said["answer_by"], said["in_time"]) == (DUE.isoformat(), True)
    clock.advance(seconds=1)
    assert say(alpha, met, note_reference="CASE-7") == said
    assert ledger(alpha) == [(DUE, "motor", "claim", 1, 1)]
    assert say(alpha, met, "inconclusive")["outcome"] == "inconclusive"
    assert ledger(alpha) == [(DUE, "motor", "claim", 1, 1)]
    assert told(alpha, "hit.answered") == [
        {"outcome": "same_subject", "before": None, "rule": "R8"},
        {"outcome": "inconclusive", "before": "same_subject", "rule": "R8"},
    ]
    (hit,) = alpha.hits()
    assert (hit["outcome"]["outcome"], hit["outcome"]["note_reference"]) == ("inconclusive", None)
    assert "answer_by" not in hit


def test_answers_at_once_count_once(alpha: Desk, met: str) -> None:
    """Four different answers at the same time, and four readings: one is due, one is answered."""
    barrier = threading.Barrier(8)

    def work(number: int) -> int:
        own = Desk(alpha.client.application.test_client(), alpha.services, alpha.member)
        barrier.wait(30)
        if number % 2:
            return len(own.hits())
        say(own, met, note_reference=f"CASE-{number}")
        return 1

    alpha.get(f"/v1/hits/{met}")
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(work, range(8))) == [1] * 8
    assert ledger(alpha) == [(DUE, "motor", "claim", 1, 1)]
    assert len(told(alpha, "hit.answered")) == 4


def test_readings_at_once_are_due_once(alpha: Desk, met: str) -> None:
    """Eight first readings at the same time: it falls due once."""
    barrier = threading.Barrier(8)

    def work(_number: int) -> str:
        own = Desk(alpha.client.application.test_client(), alpha.services, alpha.member)
        barrier.wait(30)
        return str(own.hits()[0]["answer_by"])

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(work, range(8))) == [DUE.isoformat()] * 8
    assert ledger(alpha) == [(DUE, "motor", "claim", 1, 0)]


@pytest.mark.parametrize(("days", "counted"), [(30, 1), (31, 0)])
def test_the_last_day_is_in_time(alpha: Desk, met: str, clock: FakeClock, days: int, counted: int) -> None:
    """The due day itself is in time, the day after is not; a change of mind does not mend that."""
    alpha.hits()
    clock.advance(days=days)
    log_in(alpha)
    assert say(alpha, met)["in_time"] is bool(counted)
    say(alpha, met, "not_same")
    assert ledger(alpha) == [(DUE, "motor", "claim", 1, counted)]


def test_an_answer_by_one_side_is_its_own(alpha: Desk, beta: Desk, met: str) -> None:
    """The other side neither sees it nor is released by it."""
    alpha.hits()
    beta.hits()
    say(alpha, met, "not_same", note_reference="CASE-7")
    assert alpha.hits() == []
    (hit,) = beta.hits()
    assert ("outcome" in hit, hit["answer_by"]) == (False, DUE.isoformat())
    assert ledger(beta) == [(DUE, "motor", "claim", 1, 0)]


def test_what_was_not_the_same_is_not_listed_again(alpha: Desk, met: str) -> None:
    """Also after the other side filed anew; by its id and by the filter it is there, and another outcome undoes it."""
    alpha.hits()
    say(alpha, met, "not_same")
    assert alpha.hits() == alpha.hits("?answered=true") == alpha.hits("?answered=false") == []
    assert alpha.get(f"/v1/hits/{met}")["outcome"]["outcome"] == "not_same"
    assert [hit["id"] for hit in alpha.hits("?outcome=not_same")] == [met]
    alpha.file(filing("A-1", subject("bob"), record_class="claim"))
    alpha.file(filing("A-1", subject("ann"), record_class="claim"))
    assert alpha.hits() == []
    say(alpha, met, "same_subject")
    assert [hit["id"] for hit in alpha.hits()] == [met]
    assert alpha.hits("?outcome=not_same") == []


def test_what_is_still_due_is_found(alpha: Desk, beta: Desk) -> None:
    """`answered` splits the list; a cursor keeps to its filter."""
    for number in range(3):
        beta.file(filing(f"B-{number}", subject(number), record_class="claim"))
        alpha.file(filing(f"A-{number}", subject(number), record_class="claim"))
    found = [hit["id"] for hit in alpha.hits()]
    say(alpha, found[1], "inconclusive")
    assert [hit["id"] for hit in alpha.hits("?answered=true")] == [found[1]]
    assert [hit["id"] for hit in alpha.hits("?answered=false")] == [found[0], found[2]]
    assert all(hit["answer_by"] == DUE.isoformat() for hit in alpha.hits("?answered=false"))
    page = alpha.get("/v1/hits?answered=false&limit=1")
    rest = alpha.get(f"/v1/hits?answered=false&limit=1&cursor={page['next_cursor']}")
    assert [hit["id"] for hit in (*page["items"], *rest["items"])] == [found[0], found[2]]
    alpha.get(f"/v1/hits?answered=true&cursor={page['next_cursor']}", status=422)
    alpha.get("/v1/hits?answered=maybe", status=422)
    alpha.get("/v1/hits?outcome=guilty", status=422)


def test_a_hit_that_was_not_shown_is_not_found(alpha: Desk, beta: Desk, met: str, member: Admissions) -> None:
    """The same answer for one not shown yet, for another member's, and for none."""
    gamma = Desk(alpha.client, alpha.services, member("Gamma"))
    alpha.hits()
    problems = [
        say(beta, met, status=404),
        say(gamma, met, status=404),
        say(alpha, "hit_" + "0" * 26, status=404),
        say(alpha, "hit_x", status=404),
    ]
    assert {problem["type"] for problem in problems} == {"/v1/problems/not-found"}
    assert len({problem["detail"] for problem in problems}) == 1


def test_what_is_shown_without_the_other_side_is_not_due(alpha: Desk, beta: Desk) -> None:
    """At tier 2 an outcome may be given and earns nothing; what was answered before does not fall due later."""
    beta.file(filing("B-1", subject("ann"), record_class="claim"))
    alpha.file(filing("A-1", subject("ann")))
    (hit,) = alpha.hits()
    assert (hit["tier"], "answer_by" in hit) == (2, False)
    said = say(alpha, hit["id"])
    assert said.keys() == {"hit", "outcome", "note_reference", "given_at"}
    alpha.file(filing("A-2", subject("zoe"), record_class="claim"))
    assert alpha.get(f"/v1/hits/{hit['id']}")["tier"] == 3
    assert ledger(alpha) == []


def test_a_hit_falls_due_when_more_of_it_is_shown(alpha: Desk, beta: Desk, clock: FakeClock) -> None:
    """From the day on which the other side is named."""
    beta.file(filing("B-1", subject("ann"), record_class="claim"))
    alpha.file(filing("A-1", subject("ann")))
    assert "answer_by" not in alpha.hits()[0]
    clock.advance(days=5)
    log_in(alpha)
    alpha.file(filing("A-2", subject("zoe"), record_class="claim"))
    assert alpha.hits()[0]["answer_by"] == "2026-04-06"
    assert ledger(alpha) == [(date(2026, 4, 6), "motor", "customer", 1, 0)]


def test_a_screenings_hit_falls_due_at_once(alpha: Desk, beta: Desk) -> None:
    """Under the line that was asked in and the class of the record; the answer says by when."""
    beta.file(filing("B-1", subject("ann"), record_class="customer"))
    alpha.file(filing("A-1", subject("zoe"), record_class="claim"))
    (hit,) = alpha.screen(question("ann"))["hits"]
    assert hit["answer_by"] == DUE.isoformat()
    assert ledger(alpha) == [(DUE, "motor", "customer", 1, 0)]
    assert alpha.hits() == [hit]
    assert say(alpha, hit["id"])["in_time"] is True
    assert ledger(alpha) == [(DUE, "motor", "customer", 1, 1)]


def test_nobody_owes_an_answer_on_what_is_gone(alpha: Desk, beta: Desk, met: str, clock: FakeClock) -> None:
    """A superseded hit is not due; found again it is due again, and the days the other side took it away do not count.

    Answers stand.
    """
    alpha.hits()
    beta.hits()
    say(beta, met)
    clock.advance(days=2)
    log_in(alpha, beta)
    beta.file(filing("B-1", subject("bob"), record_class="claim"))
    assert ledger(alpha) == []
    assert ledger(beta) == [(DUE, "motor", "claim", 1, 1)]
    assert "answer_by" not in alpha.get(f"/v1/hits/{met}")
    clock.advance(days=40)
    log_in(alpha, beta)
    beta.file(filing("B-1", subject("ann"), record_class="claim"))
    assert ledger(alpha) == [(DUE + timedelta(days=40), "motor", "claim", 1, 0)]
    assert alpha.hits()[0]["answer_by"] == (DUE + timedelta(days=40)).isoformat()
    assert ledger(beta) == [(DUE, "motor", "claim", 1, 1)]


@pytest.mark.parametrize("order", [("ann",), ("zoe", "ann")])
def test_filing_anew_does_not_put_an_answer_off(
    alpha: Desk, beta: Desk, met: str, clock: FakeClock, order: tuple[str, ...]
) -> None:
    """Other keys and back, in the old place or in another: due on the day it was first due, read again or not."""
    alpha.hits()
    for _ in range(3):
        clock.advance(days=7)
        log_in(alpha)
        alpha.file(filing("A-1", subject("bob"), record_class="claim"))
        assert ledger(alpha) == []
        alpha.file(filing("A-1", *map(subject, order), record_class="claim"))
        assert ledger(alpha) == [(DUE, "motor", "claim", 1, 0)]
    (hit,) = alpha.hits()
    assert (hit["answer_by"], hit["id"] == met) == (DUE.isoformat(), order == ("ann",))
    assert say(alpha, hit["id"])["in_time"] is True
    assert ledger(alpha) == [(DUE, "motor", "claim", 1, 1)]


def test_what_comes_back_after_its_day_is_overdue(alpha: Desk, met: str, clock: FakeClock) -> None:
    """It is entered on the day it came back, once, as the past of the ledger does not change."""
    alpha.hits()
    clock.advance(days=20)
    log_in(alpha)
    alpha.file(filing("A-1", subject("bob"), record_class="claim"))
    clock.advance(days=20)
    log_in(alpha)
    for who in ("ann", "bob", "ann"):
        alpha.file(filing("A-1", subject(who), record_class="claim"))
        assert ledger(alpha) == [(DUE + timedelta(days=10), "motor", "claim", 1, 0)]
    assert alpha.hits()[0]["answer_by"] == DUE.isoformat()
    assert say(alpha, met)["in_time"] is False
    assert ledger(alpha) == [(DUE + timedelta(days=10), "motor", "claim", 1, 0)]


@pytest.mark.parametrize(("days", "counted"), [(1, 1), (31, 0)])
def test_an_answer_to_what_is_gone_counts_when_it_is_found_again(
    alpha: Desk, met: str, clock: FakeClock, days: int, counted: int
) -> None:
    """It was answered, in time or not; as long as the hit is gone, nothing is due and nothing answered."""
    alpha.hits()
    alpha.file(filing("A-1", subject("bob"), record_class="claim"))
    clock.advance(days=days)
    log_in(alpha)
    assert "in_time" not in say(alpha, met)
    assert ledger(alpha) == []
    alpha.file(filing("A-1", subject("ann"), record_class="claim"))
    day = max(DUE, alpha.services.clock().date())
    assert ledger(alpha) == [(day, "motor", "claim", 1, counted)]
    alpha.file(filing("A-1", subject("bob"), record_class="claim"))
    alpha.file(filing("A-1", subject("ann"), record_class="claim"))
    assert ledger(alpha) == [(day, "motor", "claim", 1, counted)]


def test_what_is_overdue_stays_so(alpha: Desk, beta: Desk, met: str, clock: FakeClock) -> None:
    """A hit that goes after its due day was not answered in time."""
    alpha.hits()
    clock.advance(days=31)
    log_in(alpha, beta)
    beta.file(filing("B-1", subject("bob"), record_class="claim"))
    assert ledger(alpha) == [(DUE, "motor", "claim", 1, 0)]


def test_a_suspended_member_still_answers(alpha: Desk, met: str) -> None:
    """R6: it may file, correct and answer; it is told nothing of the other side."""
    alpha.hits()
    with alpha.services.database.write() as session:
        change_status(session, alpha.member.id, MemberStatus.SUSPENDED, now=alpha.services.clock())
    alpha.get(f"/v1/hits/{met}", status=403)
    assert say(alpha, met)["in_time"] is True


def test_who_may_answer(alpha: Desk, met: str, member: Admissions, operator: Any) -> None:
    """Screeners and investigators; not contributors, operators or strangers."""
    alpha.hits()
    contributor = Desk(alpha.client, alpha.services, member("Gamma", roles=("contributor", "member_admin")))
    assert say(contributor, met, status=403)["type"].endswith("wrong-role")
    path, body = f"/v1/hits/{met}/outcome", {"outcome": "not_same"}
    assert alpha.client.post(path, json=body, headers=operator.headers).status_code == 403
    assert alpha.client.post(path, json=body).status_code == 401


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"outcome": "guilty"}, "outcome"),
        ({"outcome": None}, "outcome"),
        ({"note_reference": ""}, "note_reference"),
        ({"note_reference": "x" * 65}, "note_reference"),
        ({"note_reference": " x"}, "note_reference"),
        ({"note_reference": "x\0y"}, "note_reference"),
        ({"why": "secret"}, "body"),
    ],
)
def test_bad_answers_are_refused_by_field(
    alpha: Desk, met: str, rows: Counted, changes: dict[str, object], field: str
) -> None:
    """And nothing of what was sent is repeated."""
    alpha.hits()
    problem = say(alpha, met, status=422, **({"outcome": "not_same"} | changes))
    assert [error["field"] for error in problem["errors"]] == [field]
    assert "secret" not in str(problem)
    assert rows("outcomes") == 0
