"""Disputes through HTTP: raised by who was shown a record, answered by its contributor, decided by the operator."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from repository.domain.disputes import DisputeError
from repository.domain.errors import FieldError
from repository.domain.members import MemberStatus
from repository.services import disputes
from repository.services.disputes import Decision
from repository.services.lifecycle import Act
from repository.services.onboarding import change_status
from repository.storage.events import EVENTS
from repository.storage.ledger import LEDGER
from tests.integration.pool.conftest import Counted, Desk
from tests.support.clock import FakeClock
from tests.support.encodings import filing, question, subject
from tests.support.members import Admissions


def post(desk: Desk, path: str, body: object, *, status: int) -> dict[str, Any]:
    """Send something, and give the JSON that came back."""
    answer = desk.client.post(path, json=body, headers=desk.member.headers)
    assert answer.status_code == status, answer.get_json()
    parsed: dict[str, Any] = answer.get_json()
    return parsed


def dispute(desk: Desk, hit: object, *, status: int = 201, **changes: object) -> dict[str, Any]:
    """Dispute the other side of a hit."""
    body = {"hit": hit, "ground": "wrong_facts", "statement_reference": "S-1"} | changes
    return post(desk, "/v1/disputes", body, status=status)


def answer(desk: Desk, dispute_id: str, accepts: object, *, status: int = 200, **more: object) -> dict[str, Any]:
    """Answer a dispute."""
    return post(desk, f"/v1/disputes/{dispute_id}/answer", {"accepts": accepts, **more}, status=status)


def decide(desk: Desk, dispute_id: str, *, upheld: bool, unheard: bool = False, reason: str = "So we find.") -> None:
    """Decide a dispute as the operator."""
    act = Act(desk.services.clock(), reason=reason)
    with desk.services.database.writing() as connection:
        assert disputes.decide(desk.services, connection, dispute_id, act, Decision(upheld, unheard)) is not None


def upheld(desk: Desk) -> list[tuple[date, str, str, int]]:
    """What a member's ledger says of disputes upheld against it."""
    row = LEDGER.c
    statement = select(row.day, row.line, row.record_class, row.upheld).where(
        row.member_id == desk.member.id, row.upheld != 0
    )
    with desk.services.database.reading() as connection:
        return [tuple(each) for each in connection.execute(statement.order_by(row.day))]


def kinds(desk: Desk) -> list[tuple[str, str | None]]:
    """The events of disputes, by kind, with whose they are."""
    statement = select(EVENTS.c.kind, EVENTS.c.member_id).where(EVENTS.c.kind.like("dispute.%")).order_by(EVENTS.c.kind)
    with desk.services.database.reading() as connection:
        return [(row[0], row[1]) for row in connection.execute(statement)]


@pytest.fixture
def hit(alpha: Desk, beta: Desk) -> str:
    """Ann is a claimant with both; Alpha was shown Beta's record in full."""
    beta.file(filing("B-1", subject("ann"), record_class="claim"))
    alpha.file(filing("A-1", subject("ann"), record_class="claim"))
    (shown,) = alpha.hits()
    assert shown["tier"] == 3
    return str(shown["id"])


def test_each_side_sees_its_own_part(alpha: Desk, beta: Desk, hit: str) -> None:
    """The contributor learns which filing, why and since when: not who raised it, nor on which hit or statement."""
    raised = dispute(alpha, hit)
    assert (raised["side"], raised["hit"], raised["status"]) == ("raised", hit, "open")
    (received,) = beta.get("/v1/disputes?side=received")["items"]
    assert received == beta.get(f"/v1/disputes/{raised['id']}")
    assert (received["reference"], received["line"], received["class"]) == ("B-1", "motor", "claim")
    assert (received["ground"], received["raised_on"], received["version"]) == ("wrong_facts", "2026-03-02", 1)
    sent = orjson.dumps(received).decode()
    assert not any(word in sent for word in ("S-1", "A-1", hit, alpha.member.id, "Alpha", "hit"))
    assert alpha.get("/v1/disputes?side=raised")["items"] == [alpha.get(f"/v1/disputes/{raised['id']}")] == [raised]
    assert not any(word in orjson.dumps(raised).decode() for word in ("B-1", beta.member.id, "Beta", "filing"))
    assert alpha.get("/v1/disputes")["items"] == beta.get("/v1/disputes?side=raised")["items"] == []


def test_accepting_upholds_at_once(alpha: Desk, beta: Desk, hit: str, clock: FakeClock) -> None:
    """It counts against the contributor on that day, under the filing's line and class; each step is an event."""
    raised = dispute(alpha, hit)
    clock.advance(hours=20)
    log_in(alpha, beta)
    given = answer(beta, raised["id"], True, note_reference="N-1")
    assert (given["status"], given["closed_by"], given["accepts"]) == ("upheld", "contributor", True)
    assert answer(beta, raised["id"], True, note_reference="N-1") == given
    assert upheld(beta) == [(date(2026, 3, 3), "motor", "claim", 1)]
    assert upheld(alpha) == []
    seen = alpha.get(f"/v1/disputes/{raised['id']}")
    assert (seen["status"], seen["closed_on"], "note_reference" in seen) == ("upheld", "2026-03-03", False)
    assert kinds(alpha) == [
        ("dispute.answered", beta.member.id),
        ("dispute.raised", alpha.member.id),
        ("dispute.upheld", beta.member.id),
    ]


@pytest.mark.parametrize("by_operator", [True, False])
def test_the_operator_decides_what_is_not_accepted(alpha: Desk, beta: Desk, hit: str, by_operator: bool) -> None:
    """With a reason that both sides read; dismissed, it counts for nothing."""
    raised = dispute(alpha, hit)
    assert answer(beta, raised["id"], False)["status"] == "answered"
    decide(alpha, raised["id"], upheld=by_operator)
    for desk in (alpha, beta):
        seen = desk.get(f"/v1/disputes/{raised['id']}")
        assert seen["status"] == ("upheld" if by_operator else "dismissed")
        assert (seen["closed_by"], seen["reason"]) == ("operator", "So we find.")
    assert upheld(beta) == ([(date(2026, 3, 2), "motor", "claim", 1)] if by_operator else [])
    assert ("dispute.upheld" if by_operator else "dispute.dismissed", beta.member.id) in kinds(alpha)
    assert len(kinds(alpha)) == 3
    with pytest.raises(DisputeError):
        decide(alpha, raised["id"], upheld=True)
    assert answer(beta, raised["id"], True, status=409)["type"].endswith("conflict")


def test_a_version_is_disputed_once_by_a_member(alpha: Desk, beta: Desk, hit: str) -> None:
    """Else it would stay restricted for as long as somebody raises the same again; a new version is another matter."""
    raised = dispute(alpha, hit)
    answer(beta, raised["id"], False)
    decide(alpha, raised["id"], upheld=False)
    for changes in ({}, {"ground": "out_of_date", "statement_reference": "S-2"}):
        assert "filed it anew" in dispute(alpha, hit, status=409, **changes)["detail"]
    assert alpha.hits()[0]["tier"] == 3
    beta.file(filing("B-1", subject("ann"), record_class="claim", date="2026-02-02"))
    assert dispute(alpha, hit)["status"] == "open"


def test_the_contributor_is_heard_first(alpha: Desk, beta: Desk, hit: str) -> None:
    """Deciding without its answer has to be meant; a decision has a reason."""
    raised = dispute(alpha, hit)
    with pytest.raises(DisputeError, match="not answered"):
        decide(alpha, raised["id"], upheld=True)
    with pytest.raises(FieldError):
        decide(alpha, raised["id"], upheld=True, unheard=True, reason=" ")
    assert beta.get(f"/v1/disputes/{raised['id']}")["status"] == "open"
    decide(alpha, raised["id"], upheld=True, unheard=True)
    assert len(upheld(beta)) == 1


def test_a_version_counts_once(alpha: Desk, beta: Desk, hit: str, member: Admissions) -> None:
    """However many dispute it; a later version that is wrong again counts again."""
    gamma = Desk(alpha.client, alpha.services, member("Gamma"))
    gamma.file(filing("G-1", subject("ann"), record_class="claim"))
    other = next(each["id"] for each in gamma.hits() if each["contributor"] == "Beta")
    for desk, found in ((alpha, hit), (gamma, other)):
        answer(beta, dispute(desk, found)["id"], True)
    assert [each[-1] for each in upheld(beta)] == [1]
    beta.file(filing("B-1", subject("ann"), record_class="claim", date="2026-02-28"))
    answer(beta, dispute(alpha, hit)["id"], True)
    assert [each[-1] for each in upheld(beta)] == [2]


def test_one_dispute_about_a_filing_at_a_time(alpha: Desk, beta: Desk, hit: str) -> None:
    """The same again is the same; another is a conflict until the first is closed, also on another hit."""
    (screened,) = alpha.screen(question("ann"))["hits"]
    raised = dispute(alpha, hit)
    assert dispute(alpha, hit, status=200) == raised
    assert dispute(alpha, hit, status=409, ground="unlawful")["type"].endswith("conflict")
    dispute(alpha, screened["id"], status=409)
    answer(beta, raised["id"], False)
    dispute(alpha, hit, status=409, ground="unlawful")
    decide(alpha, raised["id"], upheld=False)
    beta.file(filing("B-1", subject("ann"), record_class="claim", date="2026-02-02"))
    assert dispute(alpha, hit, ground="unlawful")["id"] != raised["id"]


def test_two_at_once_raise_one(alpha: Desk, hit: str, rows: Counted) -> None:
    """Two requests at the same time: one dispute."""
    barrier = threading.Barrier(4)

    def work(number: int) -> int:
        client = alpha.client.application.test_client()
        barrier.wait(30)
        body = {"hit": hit, "ground": "unlawful", "statement_reference": f"S-{number}"}
        return client.post("/v1/disputes", json=body, headers=alpha.member.headers).status_code

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(work, range(4))) == [201, 409, 409, 409]
    assert rows("disputes") == 1


def test_two_answers_at_once_count_once(alpha: Desk, beta: Desk, hit: str) -> None:
    """Accepting twice at the same time, with different words: one is the answer."""
    raised = dispute(alpha, hit)
    barrier = threading.Barrier(4)

    def work(number: int) -> int:
        client = alpha.client.application.test_client()
        barrier.wait(30)
        body = {"accepts": True, "note_reference": f"N-{number}"}
        path = f"/v1/disputes/{raised['id']}/answer"
        return client.post(path, json=body, headers=beta.member.headers).status_code

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(work, range(4))) == [200, 409, 409, 409]
    assert [each[-1] for each in upheld(beta)] == [1]
    assert [kind for kind, _ in kinds(alpha)] == ["dispute.answered", "dispute.raised", "dispute.upheld"]


def test_what_was_not_shown_in_full_is_not_disputed(alpha: Desk, beta: Desk) -> None:
    """Below tier 3 the hit is named as what is wrong; not shown at all, it is not found."""
    beta.file(filing("B-1", subject("ann"), record_class="claim"))
    alpha.file(filing("A-1", subject("ann")))
    (seen,) = alpha.hits()
    assert seen["tier"] == 2
    problem = dispute(alpha, seen["id"], status=422)
    assert [error["field"] for error in problem["errors"]] == ["hit"]
    assert dispute(beta, seen["id"], status=404)["type"].endswith("not-found")


@pytest.mark.parametrize("suspended", [False, True])
def test_a_hit_that_is_gone_is_disputed_as_it_was_shown(
    alpha: Desk, beta: Desk, hit: str, clock: FakeClock, suspended: bool
) -> None:
    """The answer is the same as for one that is still there: whom it is shown to no more does not learn which it is.

    It is about the version that was shown, not about the one that ended the hit.
    """
    beta.file(filing("B-1", subject("ann"), record_class="claim", date="2026-02-28"))
    clock.advance(seconds=1)
    beta.file(filing("B-1", subject("bob"), record_class="claim"))
    if suspended:
        with alpha.services.database.write() as session:
            change_status(session, alpha.member.id, MemberStatus.SUSPENDED, now=alpha.services.clock())
    raised = dispute(alpha, hit)
    (received,) = beta.get("/v1/disputes?side=received")["items"]
    assert (received["id"], received["version"]) == (raised["id"], 2)
    assert dispute(alpha, hit, status=200) == raised
    answer(beta, raised["id"], True)


def test_others_find_nothing(alpha: Desk, beta: Desk, hit: str, member: Admissions, operator: Any) -> None:
    """404 for a third member, and for the raiser where only the contributor has a say; no difference to no dispute."""
    raised = dispute(alpha, hit)["id"]
    gamma = Desk(alpha.client, alpha.services, member("Gamma"))
    for missing in (raised, "dsp_" + "0" * 26, "dsp_x", "dsp_%00"):
        assert gamma.get(f"/v1/disputes/{missing}", status=404)["type"].endswith("not-found")
        assert answer(gamma, missing, True, status=404)["type"].endswith("not-found")
    assert gamma.get("/v1/disputes")["items"] == gamma.get("/v1/disputes?side=raised")["items"] == []
    dispute(gamma, hit, status=404)
    answer(alpha, raised, True, status=404)
    assert beta.get(f"/v1/disputes/{raised}")["status"] == "open"
    for path in ("/v1/disputes", f"/v1/disputes/{raised}"):
        assert alpha.client.get(path, headers=operator.headers).status_code == 403
        assert alpha.client.get(path).status_code == 401


def test_who_may_raise_and_answer(alpha: Desk, hit: str, member: Admissions) -> None:
    """Raising takes an investigator or the administrator; a screener does not answer for the contributor."""
    screener = Desk(alpha.client, alpha.services, member("Gamma", roles=("screener",)))
    contributor = Desk(alpha.client, alpha.services, member("Delta", roles=("contributor",)))
    for desk in (screener, contributor):
        assert dispute(desk, hit, status=403)["type"].endswith("wrong-role")
    assert answer(screener, "dsp_x", True, status=403)["type"].endswith("wrong-role")
    answer(contributor, "dsp_x", True, status=404)


def test_a_suspended_member_still_disputes_and_answers(alpha: Desk, beta: Desk, hit: str) -> None:
    """R6: it may correct and answer."""
    for desk in (alpha, beta):
        with desk.services.database.write() as session:
            change_status(session, desk.member.id, MemberStatus.SUSPENDED, now=desk.services.clock())
    answer(beta, dispute(alpha, hit)["id"], True)


def test_pages_follow_each_other(alpha: Desk, beta: Desk) -> None:
    """Latest first, each once; a cursor fits no other list."""
    for number in range(3):
        beta.file(filing(f"B-{number}", subject(number), record_class="claim"))
        alpha.file(filing(f"A-{number}", subject(number), record_class="claim"))
    raised = [dispute(alpha, each["id"])["id"] for each in alpha.hits()]
    first = beta.get("/v1/disputes?limit=2")
    rest = beta.get(f"/v1/disputes?limit=2&cursor={first['next_cursor']}")
    assert (len(first["items"]), rest["next_cursor"]) == (2, None)
    assert [each["id"] for each in first["items"] + rest["items"]] == sorted(raised, reverse=True)
    beta.get(f"/v1/disputes?side=raised&cursor={first['next_cursor']}", status=422)
    beta.get("/v1/disputes?side=both", status=422)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"hit": "hit_x"}, "hit"),
        ({"hit": None}, "hit"),
        ({"ground": "dislike"}, "ground"),
        ({"statement_reference": ""}, "statement_reference"),
        ({"statement_reference": "x\0y"}, "statement_reference"),
        ({"statement": "secret"}, "body"),
    ],
)
def test_bad_disputes_are_refused_by_field(alpha: Desk, hit: str, changes: dict[str, object], field: str) -> None:
    """And nothing of what was sent is repeated."""
    body = {"hit": hit, "ground": "unlawful", "statement_reference": "S-1"} | changes
    problem = post(alpha, "/v1/disputes", body, status=422)
    assert [error["field"] for error in problem["errors"]] == [field]
    assert "secret" not in str(problem)


@pytest.mark.parametrize("body", [{}, {"accepts": "yes"}, {"accepts": 1}, {"accepts": True, "note_reference": " "}])
def test_bad_answers_are_refused(alpha: Desk, beta: Desk, hit: str, body: dict[str, object]) -> None:
    """`accepts` is true or false, nothing near it."""
    raised = dispute(alpha, hit)["id"]
    post(beta, f"/v1/disputes/{raised}/answer", body, status=422)
    assert beta.get(f"/v1/disputes/{raised}")["status"] == "open"


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
