"""The clock of the service is set ahead and back by hours: no work is taken from who is at it, and all of it ends."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from itertools import cycle
from typing import Any

import httpx
import pytest
from flask import Flask

from frankpledge.client import Pool
from frankpledge.credentials import Credentials
from frankpledge.session import Retry
from repository.domain.jobs import JobKind
from repository.jobs import intake
from repository.jobs.worker import EXPIRY_PAUSE, IntakeWorker
from repository.services import Services, authentication, batchwork
from repository.settings import Settings
from repository.storage import jobs
from tests.integration.pool.conftest import Counted, Desk
from tests.support.clock import FakeClock
from tests.support.contents import index_faults
from tests.support.encodings import filing, ndjson, subject

HOURS = timedelta(hours=5)
ROWS = [filing(f"P-{number}", subject(number, only=range(8))) for number in range(40)]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With log-ins that outlast the jumps, for who is not tested here."""
    return replace(settings, access_lifetime=timedelta(days=1), clock_leeway=timedelta(days=1))


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five lines a transaction, so that a few rows make several."""
    monkeypatch.setattr(intake, "CHUNK_LINES", 5)


@pytest.fixture
def between_chunks(monkeypatch: pytest.MonkeyPatch, clock: FakeClock) -> None:
    """The clock jumps ahead and back with every chunk."""
    jumps = cycle([HOURS, -2 * HOURS, HOURS / 2, -HOURS / 4, HOURS])
    take = batchwork.BatchWork.take

    def jumping(self: batchwork.BatchWork, *arguments: object) -> None:
        clock.advance(next(jumps))
        take(self, *arguments)  # type: ignore[arg-type] # passed on as they came

    monkeypatch.setattr(batchwork.BatchWork, "take", jumping)


def test_a_batch_ends_whatever_the_clock_does(alpha: Desk, between_chunks: None, rows: Counted) -> None:
    """Each row is there once, with its index rows and in the ledger."""
    done = alpha.batch(ROWS)
    assert (done["status"], done["rows"]["created"]) == ("done", len(ROWS))
    assert (rows("filings"), rows("filing_versions"), rows("subjects")) == (len(ROWS),) * 3
    assert index_faults(alpha.services) == (0, 0)


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
@pytest.mark.parametrize("jump", [HOURS, -HOURS])
def test_no_live_batch_is_taken_by_who_has_another_time(
    alpha: Desk, jump: timedelta, rows: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between any two chunks of one worker, another looks for work whose clock is hours off: it finds none."""
    other = FakeClock()
    other.advance(jump)
    one, two = IntakeWorker(alpha.services), IntakeWorker(replace(alpha.services, clock=other))
    take, found = batchwork.BatchWork.take, []

    def beside(self: batchwork.BatchWork, *arguments: object) -> None:
        idle = two if self._owner == one._owner else one
        found.append(idle.run_pending())
        take(self, *arguments)  # type: ignore[arg-type] # passed on as they came
        found.append(idle.run_pending())

    monkeypatch.setattr(batchwork.BatchWork, "take", beside)
    for number, worker in enumerate((one, two)):
        alpha.upload(ndjson(ROWS[number * 20 :][:20]), f"key-{number}")
        with worker._present() as present:
            assert present
            assert worker._drain() == 1
    assert found == [0] * 16
    assert rows("filings") == len(ROWS)
    assert index_faults(alpha.services) == (0, 0)


def test_who_waits_for_the_next_attempt_does_not_wait_for_hours(
    alpha: Desk, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Put off for seconds, and then the clock is set back: the next attempt begins all the same."""
    received = alpha.upload(ndjson(ROWS))
    with monkeypatch.context() as patch:
        patch.setattr(batchwork.BatchWork, "take", lambda *_: 1 // 0)
        worker = IntakeWorker(alpha.services)
        assert worker.run_pending() == 1
        assert worker.run_pending() == 0
    clock.advance(-HOURS)
    assert worker.run_pending() == 1
    assert alpha.get(f"/v1/batches/{received['id']}")["status"] == "done"


def test_who_was_served_under_a_fast_clock_is_not_last_for_hours(alpha: Desk, beta: Desk, clock: FakeClock) -> None:
    """One member's batch was finished at a time that is still to come; its turn comes as it would have."""
    clock.advance(HOURS)
    alpha.batch(ROWS[:1])
    clock.advance(-HOURS)
    beta.batch(ROWS[:1])
    clock.advance(seconds=1)
    beta.upload(ndjson(ROWS[1:2]), "key-2")
    alpha.upload(ndjson(ROWS[1:2]), "key-2")
    worker = IntakeWorker(alpha.services)
    with worker._present():
        claimed = worker._claim()
    assert claimed is not None
    assert claimed["member_id"] == alpha.member.id


def test_what_was_queued_first_is_served_first(alpha: Desk, clock: FakeClock) -> None:
    """Of two versions of a filing in two batches the later one stays, though the clock was set back in between."""
    newer = filing("P-0", subject(1, only=range(8)))
    first = alpha.upload(ndjson(ROWS[:1]), "key-1")
    clock.advance(-HOURS)
    second = alpha.upload(ndjson([newer]), "key-2")
    assert second["id"] < first["id"]
    assert IntakeWorker(alpha.services).run_pending() == 2
    found = [alpha.get(f"/v1/batches/{each['id']}")["rows"] for each in (first, second)]
    assert [(rows["created"], rows["new_version"]) for rows in found] == [(1, 0), (0, 1)]


def test_jobs_are_served_in_the_order_they_were_queued_in(services: Services, clock: FakeClock) -> None:
    """The clock goes back with each; one that is put off has its turn after those that were queued by then."""
    kinds, served = [JobKind.RESCREEN], []
    for number in range(4):
        row: dict[str, Any] = {
            "id": f"job_{9 - number}",
            "kind": "rescreen",
            "member_id": None,
            "actor_id": None,
            "cursor": {},
        }
        with services.database.writing() as connection:
            if number % 2:
                jobs.add(connection, [row | {"created_at": clock()}])
            else:
                jobs.add_alone(connection, row | {"slot": row["id"], "created_at": clock()})
        clock.advance(-HOURS)
    for number in range(5):
        with services.database.writing() as connection:
            now = clock()
            job = jobs.claim(connection, kinds, f"w.{number}", now=now, until=now + HOURS)
            assert job is not None
            served.append(job["id"])
            if number == 0:
                jobs.let_go(connection, job["id"], "w.0", not_before=now - HOURS, values={})
    assert served == ["job_9", "job_8", "job_7", "job_6", "job_9"]


def test_what_expires_goes_on_to_expire(alpha: Desk, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set back, the clock does not keep the worker from looking until it is where it was."""
    looked = []
    monkeypatch.setattr("repository.services.expiring.queue", lambda _: looked.append(clock()))
    worker = IntakeWorker(alpha.services)
    for step in (timedelta(), -HOURS, EXPIRY_PAUSE / 2, EXPIRY_PAUSE):
        clock.advance(step)
        worker.expire()
    assert len(looked) == 3


def test_an_upload_in_pieces_outlasts_the_jumps(app: Flask, alpha: Desk, clock: FakeClock) -> None:
    """The kit's token is of another time with each piece: it logs in anew, and goes on where it was."""
    for name, value in (("access_lifetime", timedelta(minutes=15)), ("clock_leeway", timedelta(seconds=30))):
        object.__setattr__(alpha.services.settings, name, value)
    jumps = cycle([HOURS, -2 * HOURS, HOURS])
    content = ndjson(ROWS)
    own = Credentials(alpha.member.client_id, alpha.member.client_secret)
    transport = httpx.WSGITransport(app)
    with Pool("http://127.0.0.1", own, retry=Retry(attempts=1), transport=transport) as pool:
        announced = announcement(content)
        upload = pool.begin_upload(announced, idempotency_key="jumping")
        while upload.batch is None:
            clock.advance(next(jumps))
            assert pool.begin_upload(announced, idempotency_key="jumping").offset == upload.offset
            upload = pool.upload_piece(upload, content[upload.offset : upload.offset + len(content) // 5])
        IntakeWorker(alpha.services).run_pending()
        assert pool.batch(upload.batch).rows["created"] == len(ROWS)


def announcement(content: bytes) -> dict[str, Any]:
    """What is said of an upload before it is sent."""
    return {"length": len(content), "sha256": hashlib.sha256(content).hexdigest(), "format": "ndjson"}


def test_a_pause_of_log_ins_does_not_grow(alpha: Desk, clock: FakeClock) -> None:
    """Paused after failures, and then the clock is set back: nobody is kept out for hours."""
    wrong = {"grant_type": "client_credentials", "client_id": alpha.member.client_id, "client_secret": "x" * 43}
    for _ in range(authentication.FREE_FAILURES):
        assert alpha.client.post("/v1/auth/token", json=wrong).status_code == 401
    right = wrong | {"client_secret": alpha.member.client_secret}
    assert alpha.client.post("/v1/auth/token", json=right).status_code == 429
    clock.advance(-HOURS)
    assert alpha.client.post("/v1/auth/token", json=right).status_code == 200
