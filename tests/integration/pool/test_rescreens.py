"""Rescreens: hits are looked for again, once for each filing, and what people decided stays."""

from __future__ import annotations

import errno
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from repository.domain.jobs import JobKind
from repository.domain.members import MemberStatus
from repository.jobs.running import JobWorker
from repository.services import Services, rescreening
from repository.services.onboarding import change_status
from repository.settings import Settings
from repository.storage import rescored
from repository.storage.events import EVENTS
from repository.storage.hits import HIT_SIDES, HITS
from repository.storage.jobs import JOBS
from tests.integration.pool.conftest import Counted, Desk
from tests.support.clock import FakeClock
from tests.support.encodings import filing, question, subject
from tests.support.leases import run_out
from tests.support.models import NOTHING_MATCHES, by_another_model


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A log-in lasts."""
    return replace(settings, access_lifetime=timedelta(days=30))


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a few filings are some chunks."""
    monkeypatch.setattr(rescreening, "AT_ONCE", 2)


@pytest.fixture
def shared(alpha: Desk, beta: Desk, clock: FakeClock) -> None:
    """Five people whom both members know."""
    for number in range(5):
        beta.file(filing(f"B-{number}", subject(number), record_class="claim"))
        alpha.file(filing(f"A-{number}", subject(number), record_class="claim"))
        clock.advance(seconds=1)


def post(desk: Desk, path: str, *, status: int = 202, body: object = None) -> dict[str, Any]:
    """Post as a member."""
    answer = desk.client.post(path, json={} if body is None else body, headers=desk.member.headers)
    assert answer.status_code == status, answer.get_json()
    made: dict[str, Any] = answer.get_json()
    return made


def work(services: Services) -> int:
    """Do the rescreens that are due."""
    return JobWorker(services, [JobKind.RESCREEN]).run_pending()


def lose_hits(services: Services) -> None:
    """Have the pool know of no hit."""
    with services.database.writing() as connection:
        for table in (HIT_SIDES, HITS):
            connection.execute(delete(table))


def kinds_of_events(services: Services, about: str) -> list[str]:
    """What was told of a thing."""
    with services.database.reading() as connection:
        told = select(EVENTS.c.kind).where(EVENTS.c.subject_id == about)
        return sorted(connection.scalars(told))


def test_hits_that_were_missed_are_found_for_both_sides(
    alpha: Desk, beta: Desk, shared: None, services: Services
) -> None:
    """Each filing once, whatever the chunks; the count is of what the member may see; events tell begin and end."""
    lose_hits(services)
    asked = post(alpha, "/v1/rescreens")
    assert (asked["status"], asked["filings_total"], asked["filings_done"]) == ("queued", 5, 0)
    assert work(services) == 1
    done = alpha.get(f"/v1/rescreens/{asked['id']}")
    assert (done["status"], done["filings_done"], done["hits"], done["error"]) == ("done", 5, 5, None)
    assert {hit["id"] for hit in alpha.hits()} == {hit["id"] for hit in beta.hits()}
    assert len(alpha.hits()) == 5
    assert kinds_of_events(services, asked["id"]) == ["rescreen.asked", "rescreen.done"]


def test_known_hits_stay_as_they_are(alpha: Desk, beta: Desk, shared: None, services: Services, rows: Counted) -> None:
    """Nothing is new: ids, outcomes and the order of the list are the same after a rescreen of the whole pool."""
    before = alpha.hits()
    post(alpha, f"/v1/hits/{before[0]['id']}/outcome", body={"outcome": "not_same"}, status=200)
    listed = [(hit["id"], hit["created_at"]) for hit in alpha.hits()]
    rescreening.ask_for_all(services)
    work(services)
    assert [(hit["id"], hit["created_at"]) for hit in alpha.hits()] == listed
    assert alpha.hits("?outcome=not_same")[0]["id"] == before[0]["id"]
    assert (rows("hits"), rows("hit_sides")) == (5, 10)


def test_by_another_model_hits_end_and_come_back_under_their_id(
    alpha: Desk, beta: Desk, shared: None, services: Services
) -> None:
    """What matches no more is superseded, but for what people decided; by the first model all is there again."""
    before = {hit["id"] for hit in alpha.hits()}
    decided = min(before)
    post(alpha, f"/v1/hits/{decided}/outcome", body={"outcome": "same_subject"}, status=200)
    strict = by_another_model(services, NOTHING_MATCHES)
    rescreening.ask_for_all(strict)
    work(strict)
    assert {hit["id"] for hit in alpha.hits()} == {hit["id"] for hit in beta.hits()} == {decided}
    rescreening.ask_for_all(services)
    work(services)
    assert {hit["id"] for hit in alpha.hits()} == before


def test_a_hit_outlives_that_its_record_is_not_found_any_more(
    alpha: Desk, beta: Desk, shared: None, services: Services
) -> None:
    """A key that became hot finds nobody; the two still match."""
    before = {hit["id"] for hit in alpha.hits()}
    with services.database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM key_index")
    rescreening.ask_for_all(services)
    work(services)
    assert {hit["id"] for hit in alpha.hits()} == before


def test_hits_of_screenings_are_scored_too(alpha: Desk, beta: Desk, services: Services, clock: FakeClock) -> None:
    """A kept question's hit ends by a model that sees no match, and comes back; one whose encoding is gone stays."""
    for name in ("ann", "bob"):
        beta.file(filing(f"B-{name}", subject(name), record_class="claim"))
    alpha.file(filing("A-1", subject("nobody"), record_class="claim"))
    old = alpha.screen(question("bob"))
    with services.database.writing() as connection:
        table = HITS.metadata.tables["screenings"]
        connection.execute(update(table).values(expires_at=clock(), envelope=b""))
    new = alpha.screen(question("ann"))
    assert new["hits"]
    strict = by_another_model(services, NOTHING_MATCHES)
    rescreening.ask_for_all(strict)
    work(strict)
    assert [hit["own"]["screening"] for hit in alpha.hits()] == [old["id"]]
    rescreening.ask_for_all(services)
    work(services)
    assert {hit["own"]["screening"] for hit in alpha.hits()} == {old["id"], new["id"]}


def test_one_at_a_time_and_so_many_a_day(alpha: Desk, beta: Desk, services: Services, clock: FakeClock) -> None:
    """The second is refused while the first is open; the third of a day is refused; others are not held up."""
    first = post(alpha, "/v1/rescreens")
    assert first["id"] in post(alpha, "/v1/rescreens", status=409)["detail"]
    post(beta, "/v1/rescreens")
    work(services)
    clock.advance(seconds=1)
    post(alpha, "/v1/rescreens")
    work(services)
    problem = post(alpha, "/v1/rescreens", status=429)
    assert problem["figures"] == {"rescreens_limit": 2}
    clock.advance(days=1)
    post(alpha, "/v1/rescreens")
    assert [each["status"] for each in alpha.get("/v1/rescreens")["items"]] == ["queued", "done", "done"]


def test_cancelled_while_it_waits_and_while_it_is_under_way(
    alpha: Desk, shared: None, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends at once, or after the chunk at hand; the slot is free again, and the event is there once."""
    waiting = post(alpha, "/v1/rescreens")
    assert post(alpha, f"/v1/rescreens/{waiting['id']}/cancel", status=200)["status"] == "cancelled"
    assert work(services) == 0
    running = post(alpha, "/v1/rescreens")
    original = rescreening.rescore
    told = []

    def cancelling(*args: Any) -> Any:
        with services.database.reading() as connection:
            told.append(connection.scalars(select(JOBS.c.status).where(JOBS.c.id == running["id"])).one())
        args[1].execute(update(JOBS).where(JOBS.c.id == running["id"]).values(cancel_asked_at=args[2].now))
        return original(*args)

    monkeypatch.setattr(rescreening, "rescore", cancelling)
    work(services)
    assert told == ["running"]
    ended = alpha.get(f"/v1/rescreens/{running['id']}")
    assert (ended["status"], ended["filings_done"]) == ("cancelled", 2)
    assert post(alpha, f"/v1/rescreens/{running['id']}/cancel", status=200) == ended
    assert kinds_of_events(services, running["id"]) == ["rescreen.asked", "rescreen.cancelled"]


def test_a_member_that_may_not_ask_any_more_is_told_nothing(alpha: Desk, shared: None, services: Services) -> None:
    """Suspended in between, the rescreen fails with a code, and the refusal is stored as a decision."""
    asked = post(alpha, "/v1/rescreens")
    with services.database.write() as session:
        change_status(session, alpha.member.id, MemberStatus.SUSPENDED, now=services.clock(), reason="a test")
    work(services)
    ended = alpha.get(f"/v1/rescreens/{asked['id']}")
    assert (ended["status"], ended["error"], ended["hits"]) == ("failed", "refused", 0)
    assert kinds_of_events(services, asked["id"]) == ["rescreen.asked", "rescreen.failed"]


def test_a_worker_with_another_model_leaves_it(shared: None, services: Services, clock: FakeClock) -> None:
    """However often it looks: the attempts are not used up, and who has the model does it."""
    job = rescreening.ask_for_all(by_another_model(services, NOTHING_MATCHES))
    for _ in range(12):
        assert work(services) == 1
        clock.advance(minutes=1)
    with services.database.reading() as connection:
        row = connection.execute(select(JOBS).where(JOBS.c.id == job["id"])).mappings().one()
    assert (row["status"], row["error"], row["attempts"], row["done"]) == ("queued", "other-model", 0, 0)


def test_a_fault_is_tried_again_ever_later_and_then_fails(
    alpha: Desk, shared: None, services: Services, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between attempts others have their turn; what was done stays done, and nothing is done twice."""
    asked = post(alpha, "/v1/rescreens")
    original, calls = rescreening.rescore, []

    def failing(*args: Any) -> Any:
        calls.append(args[3])
        if len(calls) == 2:
            raise RuntimeError
        return original(*args)

    monkeypatch.setattr(rescreening, "rescore", failing)
    assert work(services) == 1
    waits = alpha.get(f"/v1/rescreens/{asked['id']}")
    assert (waits["status"], waits["error"], waits["filings_done"]) == ("queued", "fault", 2)
    assert work(services) == 0
    clock.advance(seconds=3)
    assert work(services) == 1
    assert alpha.get(f"/v1/rescreens/{asked['id']}")["status"] == "done"
    done = [filing_id for chunk in (calls[0], *calls[2:]) for filing_id in chunk]
    assert len(done) == len(set(done)) == 5
    monkeypatch.setattr(rescreening, "rescore", lambda *_: 1 / 0)
    hopeless = post(alpha, "/v1/rescreens")
    attempts = 0
    while alpha.get(f"/v1/rescreens/{hopeless['id']}")["finished_at"] is None:
        attempts += work(services)
        clock.advance(minutes=13)
    assert attempts == 10
    assert alpha.get(f"/v1/rescreens/{hopeless['id']}")["error"] == "fault"


def test_long_ones_take_turns(
    beta: Desk, shared: None, services: Services, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rescreen of the whole pool does not keep a member waiting for its end."""
    whole = rescreening.ask_for_all(services)
    clock.advance(seconds=1)
    own = post(beta, "/v1/rescreens")
    original, order = rescreening.rescore, []

    def slow(*args: Any) -> Any:
        clock.advance(seconds=31)
        order.append(len(args[3]))
        return original(*args)

    monkeypatch.setattr(rescreening, "rescore", slow)
    done: list[str] = []
    monkeypatch.setattr("repository.jobs.running._told", lambda job, _: done.append(job.id))
    while work(services):
        clock.advance(seconds=1)
    assert done == [own["id"], whole["id"]]


def test_a_full_disk_uses_no_attempt_up(
    alpha: Desk, services: Services, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long there is no room, it goes on once there is."""
    asked = post(alpha, "/v1/rescreens")
    original = rescored.following

    def full(*_: object, **__: object) -> Any:
        raise OSError(errno.ENOSPC, "no room")

    monkeypatch.setattr(rescored, "following", full)
    for _ in range(12):
        assert work(services) == 1
        clock.advance(minutes=1)
    assert alpha.get(f"/v1/rescreens/{asked['id']}")["error"] == "disk-full"
    monkeypatch.setattr(rescored, "following", original)
    work(services)
    assert alpha.get(f"/v1/rescreens/{asked['id']}")["status"] == "done"


def test_who_lost_the_lease_changes_nothing(alpha: Desk, shared: None, services: Services) -> None:
    """One claims and hangs, another takes over when the lease ran out; let go on later, the first writes nothing."""
    lose_hits(services)
    asked = post(alpha, "/v1/rescreens")
    hanging = JobWorker(services, [JobKind.RESCREEN])
    job = hanging._claim()
    assert job is not None
    assert work(services) == 0
    run_out(services)
    assert work(services) == 1
    done = alpha.get(f"/v1/rescreens/{asked['id']}")
    assert (done["status"], done["filings_done"], done["hits"]) == ("done", 5, 5)
    lose_hits(services)
    hanging._attempt(job)
    assert alpha.hits() == []
    assert alpha.get(f"/v1/rescreens/{asked['id']}") == done
    assert kinds_of_events(services, asked["id"]) == ["rescreen.asked", "rescreen.done"]
