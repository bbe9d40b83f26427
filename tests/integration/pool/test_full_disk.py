"""A disk is full: who sends is told so, what was acknowledged waits, and all goes on by itself once there is room."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from repository.jobs import worker as worker_module
from repository.jobs.worker import FULL_PAUSE, MAX_ATTEMPTS, IntakeWorker
from repository.services import Services
from repository.services.batches import spool_of
from tests.integration.pool.conftest import Counted, Desk
from tests.support.clock import FakeClock
from tests.support.contents import index_faults
from tests.support.encodings import filing, ndjson, subject

FEW = range(8)
ROWS = [filing(f"P-{number}", subject(number, only=FEW)) for number in range(400)]
_RAISE = "RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'"
_TRIGGER = (
    f"CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {_RAISE}; END $$",
    "CREATE TRIGGER no_room BEFORE INSERT ON key_index FOR EACH STATEMENT EXECUTE FUNCTION no_room()",
)


def sealed(desk: Desk) -> list[Path]:
    """What lies in the spool."""
    return list(spool_of(desk.services).directory.glob("*.sealed"))


@contextmanager
def no_room_for_pages(services: Services) -> Iterator[None]:
    """SQLite's file may not grow by a page, which it answers as it does a full disk."""
    engine = services.database.engine

    def limit(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA max_page_count = 1").close()  # it takes the size there is for the least

    event.listen(engine, "connect", limit)
    engine.dispose()
    try:
        yield
    finally:
        event.remove(engine, "connect", limit)
        engine.dispose()


@contextmanager
def no_room_for_keys(services: Services) -> Iterator[None]:
    """PostgreSQL answers as it does when the index cannot grow on a full disk."""
    with services.database.writing() as connection:
        for statement in _TRIGGER:
            connection.execute(text(statement))
    try:
        yield
    finally:
        with services.database.writing() as connection:
            connection.execute(text("DROP TRIGGER no_room ON key_index"))


@contextmanager
def no_large_files(size: int) -> Iterator[None]:
    """No file of this process may become larger; the kernel refuses the write that would do it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def check_that_it_waits(desk: Desk, clock: FakeClock, batch_id: str) -> None:
    """More attempts than a fault of the service has find no room: none counts, and the batch says what it waits for."""
    worker = IntakeWorker(desk.services)
    for _ in range(MAX_ATTEMPTS + 2):
        try:
            worker.run_pending()
        except Exception as error:  # noqa: BLE001 - not even the note has room; the thread would rest and go on
            assert "full" in str(error) or "space" in str(error)  # noqa: PT017 - said by the store, in its words
        clock.advance(FULL_PAUSE + worker_module.FIRST_PAUSE)
    waiting = desk.get(f"/v1/batches/{batch_id}")
    assert waiting["status"] in ("queued", "running")
    assert waiting["failure"] is None or waiting["failure"]["expected"].startswith("room on the disks")


def check_that_it_goes_on(desk: Desk, clock: FakeClock, batch_ids: list[str], rows: int) -> None:
    """Nobody does anything, and all that was acknowledged is taken in, each row once."""
    clock.advance(FULL_PAUSE + worker_module.FIRST_PAUSE)
    IntakeWorker(desk.services).run_pending()
    for batch_id in batch_ids:
        done = desk.get(f"/v1/batches/{batch_id}")
        assert (done["status"], done["failure"]) == ("done", None)
    assert Counted(desk.services)("filings") == rows
    assert index_faults(desk.services) == (0, 0)
    assert sealed(desk) == []


def test_a_batch_waits_until_there_is_room(alpha: Desk, clock: FakeClock, store: str) -> None:
    """The database is full in mid-batch: the attempts do not count, and the batch ends as if nothing had been."""
    received = alpha.upload(ndjson(ROWS))
    full: Callable[[Services], Any] = {"sqlite": no_room_for_pages, "postgresql": no_room_for_keys}[store]
    with full(alpha.services):
        check_that_it_waits(alpha, clock, received["id"])
        waiting = alpha.get(f"/v1/batches/{received['id']}")
        assert (waiting["status"], waiting["failure"]["field"]) == ("queued", "(server)")
    check_that_it_goes_on(alpha, clock, [received["id"]], len(ROWS))


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_full_database_takes_no_batch(alpha: Desk, clock: FakeClock) -> None:
    """507, and its content is not kept; what was answered with 202 before is taken in later."""
    taken = {}
    with no_room_for_pages(alpha.services):
        for number in range(100):
            headers = {"Content-Type": "application/x-ndjson", "Idempotency-Key": f"key-{number}"}
            content = ndjson(ROWS[number : number + 1])
            answer = alpha.client.post("/v1/batches", data=content, headers=alpha.member.headers | headers)
            if answer.status_code == 507:
                break
            assert answer.status_code == 202
            taken[number] = answer.get_json()["id"]
        assert answer.status_code == 507
        assert answer.headers["Retry-After"]
        assert answer.get_json()["type"].endswith("/no-space")
        assert len(sealed(alpha)) == len(taken)
    check_that_it_goes_on(alpha, clock, list(taken.values()), len(taken))


def test_a_spool_without_room_takes_nothing(alpha: Desk, rows: Counted, clock: FakeClock) -> None:
    """The kernel refuses a write in mid-file: 507, nothing of it is left, and sent again it is taken."""
    content = ndjson(ROWS) + (b" " * 1023 + b"\n") * 3000
    with no_large_files(2 << 20):
        assert alpha.upload(content, status=507)["type"].endswith("/no-space")
    assert (rows("batches"), sealed(alpha)) == (0, [])
    received = alpha.upload(content)
    check_that_it_goes_on(alpha, clock, [received["id"]], len(ROWS))
