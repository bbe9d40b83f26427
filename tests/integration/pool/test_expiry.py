"""What is kept no longer is removed by jobs: screenings with their encodings, of which each member is told how many."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from repository.domain.jobs import FAULT, JobKind
from repository.domain.outcomes import Given, HitOutcome
from repository.jobs.running import JobWorker
from repository.jobs.worker import EXPIRY_PAUSE, SILENT_PAUSE, IntakeWorker
from repository.services import expiring
from repository.services.batches import spool_of
from repository.storage import expiry, jobs, outcomes, uploads
from repository.storage.duties import DUTIES
from repository.storage.engine import Database
from repository.storage.events import EVENTS
from repository.storage.hits import HITS
from repository.storage.screenings import SCREENINGS
from repository.storage.spool import Spool
from tests.integration.pool.conftest import Counted, Desk
from tests.integration.pool.test_outcomes import say
from tests.support.clock import FakeClock
from tests.support.encodings import filing, question, subject
from tests.support.expiring import expire


@pytest.fixture
def asked(alpha: Desk, beta: Desk) -> list[str]:
    """Alpha has asked three times; once it met a suspect of beta's."""
    alpha.file(filing("A-1"))
    beta.file(filing("B-1", subject("ann"), record_class="suspected"))
    return [alpha.screen(question(who, reference=f"Q-{who}"))["id"] for who in ("ann", "bob", "cut")]


def told(desk: Desk) -> list[dict[str, Any]]:
    """The figures of the events of expiry."""
    with desk.services.database.read() as session:
        found = session.execute(
            select(EVENTS.c.member_id, EVENTS.c.figures).where(EVENTS.c.kind == "screenings.expired")
        )
        return [dict(figures) | {"member": member_id} for member_id, figures in found]


def keep_days(desk: Desk) -> timedelta:
    """How long screenings are kept."""
    return timedelta(days=desk.services.rulebook.screening.keep_days)


def listed(desk: Desk) -> list[tuple[Any, ...]]:
    """The jobs as the operator sees them: status, how far they are, and what stands against them."""
    with desk.services.database.reading() as connection:
        found = jobs.listed(connection, [JobKind.EXPIRY], limit=9)
    return [(row["status"], row["done"], row["total"], row["error"]) for row in found]


def test_what_is_kept_long_enough_is_removed(
    alpha: Desk, asked: list[str], rows: Counted, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not a day too early; then with hits and sides, in transactions of two, one event for each, by one job."""
    monkeypatch.setattr(expiring, "AT_ONCE", 2)
    clock.advance(keep_days(alpha) - timedelta(minutes=1))
    assert expire(alpha.services) == 0
    assert (rows("screenings"), listed(alpha), told(alpha)) == (3, [], [])
    clock.advance(timedelta(minutes=2))
    assert expire(alpha.services) == 4  # with what was seen by one of them
    assert listed(alpha) == [("done", 4, 4, None)]
    assert rows("screenings") == 0
    with alpha.services.database.read() as session:
        left = select(func.count()).select_from(SCREENINGS)
        assert session.execute(left).scalar_one() == 0
    assert sum(each["removed"] for each in told(alpha)) == 3
    assert {each["member"] for each in told(alpha)} == {alpha.member.id}
    assert expire(alpha.services) == 0
    assert len(told(alpha)) == 2


def test_a_case_keeps_its_screening_without_the_encoding(
    alpha: Desk, asked: list[str], rows: Counted, clock: FakeClock
) -> None:
    """Where an outcome or a duty stands on a hit, who asked and when stays without it, for twelve months at most."""
    with alpha.services.database.write() as session:
        hit = session.execute(select(HITS.c.id).where(HITS.c.screening_id == asked[0])).scalar_one()
        actor = session.execute(select(SCREENINGS.c.actor_id).limit(1)).scalar_one()
        given = Given(HitOutcome.SAME_SUBJECT, None, clock())
        outcomes.give(session.connection(), alpha.member.id, hit, given, actor_id=actor)
    with alpha.services.database.writing() as connection:
        connection.execute(update(SCREENINGS).values(expires_at=SCREENINGS.c.at))
    clock.advance(timedelta(minutes=1))
    assert expire(alpha.services) == 3
    with alpha.services.database.read() as session:
        left = session.execute(select(SCREENINGS.c.id, SCREENINGS.c.envelope, SCREENINGS.c.subject_digest)).all()
    assert [(row[0], bytes(row[1]), row[2]) for row in left] == [(asked[0], b"", None)]
    assert told(alpha) == [{"removed": 2, "encodings_erased": 1, "member": alpha.member.id}]
    assert expire(alpha.services) == 0
    assert len(told(alpha)) == 1
    clock.advance(timedelta(days=364))
    assert expire(alpha.services) == 0
    clock.advance(timedelta(days=1))
    assert expire(alpha.services) == 2
    assert [rows(name) for name in ("screenings", "outcomes", "hits", "viewings")] == [0, 0, 0, 0]


@pytest.mark.parametrize("work", ["note", "move", "none"])
def test_work_in_a_case_keeps_its_screening(
    alpha: Desk, asked: list[str], rows: Counted, clock: FakeClock, work: str
) -> None:
    """A note, or a move that somebody made, keeps the hit up to the cap; a case that nobody touched goes with it."""
    alpha.file(filing("A-2", record_class="suspected"))
    (case,) = alpha.get("/v1/cases")["items"]
    body: dict[str, Any] = {"text": "she said so"} if work == "note" else {"move": "claim", "version": case["version"]}
    if work != "none":
        path = f"/v1/cases/{case['id']}/{'notes' if work == 'note' else 'moves'}"
        assert alpha.client.post(path, json=body, headers=alpha.member.headers).status_code in (200, 201)
    with alpha.services.database.writing() as connection:
        connection.execute(DUTIES.delete())
        connection.execute(update(SCREENINGS).values(expires_at=SCREENINGS.c.at))
    clock.advance(timedelta(minutes=1))
    assert expire(alpha.services) == 3
    kept = int(work != "none")
    assert [rows(name) for name in ("screenings", "hits", "cases")] == [kept] * 3
    seen = rows("viewings")
    clock.advance(timedelta(days=365))
    assert expire(alpha.services) == kept + seen
    assert [rows(name) for name in ("screenings", "hits", "cases", "case_notes", "case_moves")] == [0] * 5


def test_a_pair_of_a_screening_is_forgotten_with_it(alpha: Desk, beta: Desk, rows: Counted, clock: FakeClock) -> None:
    """Who was ruled out when asked after is so for as long as the question is kept; a pair between filings stays so."""
    alpha.file(filing("A-1", subject("eve"), record_class="claim"))
    for who in ("dan", "eve"):
        beta.file(filing(f"B-{who}", subject(who), record_class="claim"))
    (between,) = alpha.hits()
    hits = [between["id"], alpha.screen(question("dan"))["hits"][0]["id"]]
    for hit in hits:
        say(alpha, hit, "not_same")
    assert rows("suppressed_pairs") == 2
    clock.advance(keep_days(alpha) - timedelta(minutes=1))
    assert (expire(alpha.services), rows("suppressed_pairs")) == (0, 2)
    clock.advance(timedelta(days=1))
    while expire(alpha.services):  # without its encoding first, as it was answered
        pass
    assert (rows("screenings"), rows("suppressed_pairs")) == (0, 1)


def test_the_worker_looks_every_hour(
    alpha: Desk, asked: list[str], rows: Counted, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not each time that it looks for batches; while a job is under way there is no second."""
    worker = IntakeWorker(alpha.services)
    worker.expire()
    clock.advance(keep_days(alpha) + timedelta(minutes=1))
    worker.expire()
    assert listed(alpha) == [("queued", 0, 4, None)]
    IntakeWorker(alpha.services).expire()
    assert len(listed(alpha)) == 1
    clock.advance(EXPIRY_PAUSE / 2)
    with monkeypatch.context() as patch:
        patch.setattr(expiring, "queue", lambda *_: pytest.fail("it looked"))
        worker.expire()


def test_the_worker_looks_for_silent_sessions_every_half_minute(
    alpha: Desk, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what else is due by the clock, between batches too, and not each time that it looks for batches."""
    looks: list[Database] = []

    def look(database: Database) -> int:
        looks.append(database)
        return 0

    monkeypatch.setattr(Database, "end_silent", look)
    worker = IntakeWorker(alpha.services)
    for _ in range(2):
        worker._sweep()
    assert len(looks) == 1
    clock.advance(SILENT_PAUSE + timedelta(seconds=1))
    worker._sweep()
    assert len(looks) == 2


def test_a_fault_is_waited_for_and_told(
    alpha: Desk, asked: list[str], rows: Counted, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two transactions: what was done stays, the operator sees what stands against the rest, and it goes on."""
    monkeypatch.setattr(expiring, "AT_ONCE", 2)
    clock.advance(keep_days(alpha) + timedelta(minutes=1))
    remove = expiry.remove
    with monkeypatch.context() as patch:
        patch.setattr(expiry, "remove", lambda *given: remove(*given) if rows("screenings") == 3 else 1 // 0)
        expire(alpha.services)
    assert listed(alpha) == [("queued", 2, 4, FAULT)]
    worker = JobWorker(alpha.services, [JobKind.EXPIRY])
    assert worker.run_pending() == 0
    clock.advance(minutes=1)
    assert worker.run_pending() == 1
    assert (rows("screenings"), listed(alpha)) == (0, [("done", 4, 4, None)])


def test_what_expires_does_not_wait_for_the_queue_to_be_empty(
    alpha: Desk, asked: list[str], clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is always one more batch: it is looked for between two, and a look that fails holds no batch up."""
    monkeypatch.setattr(IntakeWorker, "look_daily", lambda _: 1 // 0)
    clock.advance(keep_days(alpha) + timedelta(minutes=1))
    worker, worked = IntakeWorker(alpha.services), threading.Event()
    batches = iter(range(1_000_000))
    monkeypatch.setattr(worker, "_claim", lambda: {"id": "bat"})
    monkeypatch.setattr(worker, "_work", lambda _: worked.set() if next(batches) > 10 else None)
    worker.start()
    try:
        assert worked.wait(30)
        assert listed(alpha) == [("queued", 0, 4, None)]
    finally:
        worker.stop()


def test_uploads_expire_at_the_spool_they_lie_in(alpha: Desk, clock: FakeClock, tmp_path: Path) -> None:
    """The workers of another data directory leave the job alone; killed before the content goes, it goes then."""
    with alpha.services.database.writing() as connection:
        row: dict[str, Any] = {"id": "upl_1", "member_id": alpha.member.id, "actor_id": alpha.member.client_id}
        row |= {"idempotency_key": "k", "format": "ndjson", "gzipped": False, "dry_run": False, "length": 9}
        times = {"created_at": clock(), "expires_at": clock(), "spool": spool_of(alpha.services).name}
        uploads.add(connection, row | times | {"sha256": "0" * 64})
    with spool_of(alpha.services).extending("bat_1"):
        assert expiring.queue(alpha.services) == 1
    other = replace(alpha.services, settings=replace(alpha.services.settings, data_dir=tmp_path / "other"))
    assert JobWorker(other).run_pending() == 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Spool, "remove", lambda *_: 1 // 0)
        JobWorker(alpha.services).run_pending()
    assert (spool_of(alpha.services).holds("bat_1"), listed(alpha)) == (True, [("queued", 1, 1, FAULT)])
    clock.advance(minutes=1)
    assert JobWorker(alpha.services).run_pending() == 1
    assert (spool_of(alpha.services).holds("bat_1"), listed(alpha)) == (False, [("done", 1, 1, None)])
