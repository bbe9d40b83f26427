"""Batches: good rows land once, bad rows are explained, bad files are told from bad rows."""

from __future__ import annotations

import gzip
import itertools
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import orjson
import pytest
import structlog
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from repository.domain.members import MemberStatus
from repository.jobs import intake
from repository.jobs import worker as worker_module
from repository.jobs.worker import MAX_ATTEMPTS, IntakeWorker
from repository.services import batchwork
from repository.services.onboarding import change_status
from repository.services.operator import accept_fingerprint
from repository.storage import batches
from repository.storage.batches import LeaseLostError
from repository.storage.events import EVENTS
from tests.integration.pool.conftest import Counted, Desk
from tests.support.clock import FakeClock
from tests.support.encodings import SCHEMA, filing, ndjson, subject
from tests.support.leases import run_out

KEYS = len(SCHEMA.kinds["person"].index_bits)
ROWS = [filing(f"P-{number}") for number in range(7)]


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three lines a transaction, so that a few rows make several."""
    monkeypatch.setattr(intake, "CHUNK_LINES", 3)


def counted(**changes: int) -> dict[str, int]:
    """Counts of rows, zero unless said."""
    return {"read": 0, "created": 0, "new_version": 0, "unchanged": 0, "rejected": 0} | changes


def test_a_batch_lands_row_by_row(alpha: Desk, rows: Counted) -> None:
    """Each row is a filing; the batch tells how far it is, before and after."""
    received = alpha.upload(ndjson(ROWS))
    assert (received["status"], received["rows"], received["failure"]) == ("queued", counted(), None)
    assert IntakeWorker(alpha.services).run_pending() == 1
    done = alpha.get(f"/v1/batches/{received['id']}")
    assert (done["status"], done["rows"], done["errors"]) == ("done", counted(read=7, created=7), [])
    assert done["bytes_done"] == done["bytes_total"] == len(ndjson(ROWS))
    assert done["finished_at"] is not None
    assert (rows("filings"), rows("key_index")) == (7, 7 * KEYS)


def test_gzip_and_plain_are_the_same(alpha: Desk, rows: Counted) -> None:
    """The same rows again, compressed: all are unchanged."""
    alpha.batch(ROWS)
    done = alpha.batch(gzip.compress(ndjson(ROWS)), "key-2", **{"Content-Encoding": "gzip"})
    assert done["rows"] == counted(read=7, unchanged=7)
    assert rows("filings") == 7


def test_the_same_key_is_the_same_batch(alpha: Desk, rows: Counted) -> None:
    """Sent again, while it waits and when it is done, it is one batch; with other content the key is refused."""
    first = alpha.upload(ndjson(ROWS))
    assert alpha.upload(ndjson(ROWS))["id"] == first["id"]
    IntakeWorker(alpha.services).run_pending()
    assert alpha.upload(ndjson(ROWS), status=200)["status"] == "done"
    problem = alpha.upload(ndjson(ROWS[:2]), status=422)
    assert problem["type"].endswith("idempotency-conflict")
    alpha.upload(ndjson(ROWS), query="?dry_run=true", status=422)
    assert rows("batches") == 1
    assert list((alpha.services.settings.data_dir / "spool").glob("*.sealed")) == []


def test_the_same_key_at_the_same_moment_is_one_batch(alpha: Desk, rows: Counted) -> None:
    """Requests that race under one key all get the one batch, and its content is kept once."""
    barrier = threading.Barrier(4)

    def send(_number: int) -> str:
        own = Desk(alpha.client.application.test_client(), alpha.services, alpha.member)
        barrier.wait(30)
        found: str = own.upload(ndjson(ROWS))["id"]
        return found

    with ThreadPoolExecutor(4) as threads:
        assert len(set(threads.map(send, range(4)))) == 1
    assert rows("batches") == 1
    assert len(list((alpha.services.settings.data_dir / "spool").glob("*.sealed"))) == 1


def test_a_batch_needs_an_idempotency_key(alpha: Desk) -> None:
    """Without one it cannot be repeated safely."""
    headers = alpha.member.headers | {"Content-Type": "application/x-ndjson"}
    answer = alpha.client.post("/v1/batches", data=ndjson(ROWS), headers=headers)
    assert answer.status_code == 422
    assert answer.get_json()["type"].endswith("idempotency-key")


def test_two_members_may_use_the_same_key(alpha: Desk, beta: Desk) -> None:
    """A key is its member's own."""
    assert alpha.upload(ndjson(ROWS))["id"] != beta.upload(ndjson(ROWS))["id"]


def test_bad_rows_are_explained_and_good_ones_land(alpha: Desk) -> None:
    """Each bad row with its number, reference, field and what was expected; blank lines are passed over."""
    content = b"\n".join(
        [
            orjson.dumps(filing("P-1")),
            b"{not json Ann Smith",
            b"",
            orjson.dumps(filing("P-2", fingerprint="fedcba9876543210")),
            orjson.dumps(filing("P-3", schema="guarded/0")),
            orjson.dumps([1, 2]),
            orjson.dumps(filing("P-4") | {"date": "yesterday"}),
            orjson.dumps(filing("P-5")),
            b"\xff\xfe",
        ]
    )
    done = alpha.batch(content)
    assert done["status"] == "done"
    assert done["rows"] == counted(read=8, created=2, rejected=6)
    found = [(error["row"], error["ref"], error["field"]) for error in done["errors"]]
    assert found == [
        (2, None, "(record)"),
        (4, "P-2", "fingerprint"),
        (5, "P-3", "schema"),
        (6, None, "(record)"),
        (7, "P-4", "date"),
        (9, None, "(record)"),
    ]
    assert "Ann" not in str(done)


def test_a_line_of_ten_megabytes_is_one_bad_row(alpha: Desk) -> None:
    """It says what the limit is; the rows around it land."""
    content = ndjson(ROWS[:1]) + b'{"ref": "' + b"x" * 10_000_000 + b'"}\n' + ndjson(ROWS[1:2])
    done = alpha.batch(content)
    assert done["rows"] == counted(read=3, created=2, rejected=1)
    assert done["errors"] == [{"row": 2, "ref": None, "field": "(record)", "expected": "a line of at most 65536 bytes"}]


def test_truncated_gzip_keeps_its_good_rows_and_says_so(alpha: Desk, rows: Counted) -> None:
    """What arrived is taken in; the batch has failed, with the reason; sent whole it is completed."""
    packed = gzip.compress(ndjson(ROWS))
    done = alpha.batch(packed[: len(packed) * 2 // 3], **{"Content-Encoding": "gzip"})
    assert done["status"] == "failed"
    assert done["failure"]["field"] == "body"
    assert "complete gzip stream" in done["failure"]["expected"]
    assert 0 < done["rows"]["created"] == done["rows"]["read"] < 7
    again = alpha.batch(packed, "key-2", **{"Content-Encoding": "gzip"})
    assert again["rows"] == counted(read=7, created=7 - done["rows"]["created"], unchanged=done["rows"]["created"])
    assert rows("filings") == 7


def test_what_is_no_gzip_fails(alpha: Desk) -> None:
    """Plain text said to be gzip."""
    done = alpha.batch(ndjson(ROWS), **{"Content-Encoding": "gzip"})
    assert (done["status"], done["rows"]) == ("failed", counted())


def test_a_reference_twice_in_a_batch(alpha: Desk, rows: Counted) -> None:
    """With the same content the second is unchanged; with other content it is a bad row that names the first."""
    content = [ROWS[0], ROWS[1], ROWS[0], filing("P-1", subject("other")), ROWS[2], ROWS[3], filing("P-0", line="home")]
    done = alpha.batch(content)
    assert done["rows"] == counted(read=7, created=4, unchanged=1, rejected=2)
    assert [(error["row"], error["ref"], error["field"]) for error in done["errors"]] == [
        (4, "P-1", "ref"),
        (7, "P-0", "ref"),
    ]
    assert [("row 2" in e["expected"], "row 3" in e["expected"]) for e in done["errors"]] == [
        (True, False),
        (False, True),
    ]
    assert rows("filings") == 4


def test_a_reference_twice_is_seen_though_the_first_was_unchanged(alpha: Desk) -> None:
    """The earlier batch does not hide it."""
    alpha.batch(ROWS)
    done = alpha.batch([*ROWS, filing("P-0", line="home")], "key-2")
    assert done["rows"] == counted(read=8, unchanged=7, rejected=1)


def test_the_next_batch_may_change_a_filing(alpha: Desk) -> None:
    """Between batches other content is a new version."""
    alpha.batch(ROWS)
    done = alpha.batch([filing("P-0", line="home"), filing("P-1", subject("other"))], "key-2")
    assert done["rows"] == counted(read=2, new_version=2)


def test_a_dry_run_checks_everything_and_stores_nothing(alpha: Desk, beta: Desk, rows: Counted) -> None:
    """Counts and errors are as they would be, duplicates too; the pool is as before, and no hit is told."""
    beta.file(filing("B-1", subject("P-1")))
    alpha.file(ROWS[0])
    content = [ROWS[0], ROWS[1], ROWS[2], ROWS[1], filing("P-2", line="home"), filing("P-0", line="pet")]
    done = alpha.batch(content, query="?dry_run=true")
    assert (done["dry_run"], done["status"], done["hits"]) == (True, "done", 0)
    assert done["rows"] == counted(read=6, created=2, unchanged=2, rejected=2)
    assert [(error["row"], error["field"]) for error in done["errors"]] == [(5, "ref"), (6, "line")]
    assert (rows("filings"), rows("hits"), rows("dry_run_filings")) == (2, 0, 0)


def test_two_million_rows_of_garbage_are_given_up_early(alpha: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """After ten thousand rows without a good one it stops and says so; a thousand errors are kept, all are counted."""
    monkeypatch.setattr(intake, "CHUNK_LINES", 1000)
    packed = gzip.compress(b"garbage\n" * 2_000_000, 1)
    done = alpha.batch(packed, **{"Content-Encoding": "gzip"})
    assert done["status"] == "failed"
    assert done["failure"]["field"] == "(rows)"
    assert done["rows"] == counted(read=10_000, rejected=10_000)
    seen = list(itertools.chain.from_iterable(pages(alpha, done["id"])))
    assert seen == list(range(1, 1001))


def pages(desk: Desk, batch_id: str) -> list[list[int]]:
    """The row numbers of a batch's errors, page by page."""
    found = []
    cursor: str | None = ""
    while cursor is not None:
        page = desk.get(f"/v1/batches/{batch_id}?limit=200" + (f"&cursor={cursor}" if cursor else ""))
        found.append([error["row"] for error in page["errors"]])
        cursor = page["next_cursor"]
    return found


def test_one_good_row_does_not_keep_a_batch_of_garbage_going(
    alpha: Desk, monkeypatch: pytest.MonkeyPatch, rows: Counted
) -> None:
    """Nine bad rows in ten after ten thousand bad ones: given up, with figures, and the good row stays."""
    monkeypatch.setattr(intake, "CHUNK_LINES", 1000)
    monkeypatch.setattr(intake, "SINGLE_WRITER_CHUNK", 1000)
    done = alpha.batch(ndjson(ROWS[:1]) + b"x\n" * 200_000)
    assert (done["status"], done["rows"]) == ("failed", counted(read=11_000, created=1, rejected=10_999))
    assert done["failure"]["field"] == "(rows)"
    assert "of the first 11000, 10999 were refused" in done["failure"]["expected"]
    assert rows("filings") == 1
    assert sum(len(page) for page in pages(alpha, done["id"])) == batchwork.STORED_ERRORS


def test_a_batch_with_good_rows_enough_is_read_to_its_end(alpha: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than one good row in ten: the bad ones, however many, are only counted."""
    monkeypatch.setattr(intake, "CHUNK_LINES", 1000)
    monkeypatch.setattr(batchwork, "HOPELESS_ROWS", 5)
    done = alpha.batch(ndjson(ROWS) + b"x\n" * 40)
    assert (done["status"], done["rows"]) == ("done", counted(read=47, created=7, rejected=40))


def test_blank_lines_cost_no_transaction(alpha: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred thousand of them between two rows are passed over, and lines are numbered as they stand."""
    calls = []
    take = batchwork.BatchWork.take

    def spy(self: batchwork.BatchWork, *arguments: object) -> None:
        calls.append(self.progress.lines_done)
        take(self, *arguments)  # type: ignore[arg-type] # passed on as they came

    monkeypatch.setattr(batchwork.BatchWork, "take", spy)
    done = alpha.batch(ndjson(ROWS[:1]) + b"\n" * 100_000 + b"bad\n" + b" \n" * 1000)
    assert (done["status"], done["rows"]) == ("done", counted(read=2, created=1, rejected=1))
    assert done["errors"][0]["row"] == 100_002
    assert calls == [0]


def test_lines_without_end_are_not_read(alpha: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small gzip of very many newlines is stopped at the limit, with the good row before it kept."""
    monkeypatch.setattr(intake, "MAX_LINES", 1000)
    packed = gzip.compress(ndjson(ROWS[:1]) + b"\n" * 5_000_000 + ndjson(ROWS[1:2]))
    done = alpha.batch(packed, **{"Content-Encoding": "gzip"})
    assert (done["status"], done["rows"]) == ("failed", counted(read=1, created=1))
    assert done["failure"] == {"field": "body", "expected": "at most 1000 lines; what follows is not read"}


def test_a_transaction_takes_few_subjects(alpha: Desk, monkeypatch: pytest.MonkeyPatch, rows: Counted) -> None:
    """Filings with many subjects are cut into more chunks than their number of lines would ask."""
    monkeypatch.setattr(intake, "CHUNK_LINES", 100)
    monkeypatch.setattr(intake, "CHUNK_SUBJECTS", 10)
    sizes = []
    take = batchwork.BatchWork.take

    def spy(self: batchwork.BatchWork, *arguments: object) -> None:
        chunk = arguments[0]
        assert isinstance(chunk, batchwork.Chunk)
        sizes.append(sum(len(each.filing.subjects) for each in chunk.good))
        take(self, *arguments)  # type: ignore[arg-type] # passed on as they came

    monkeypatch.setattr(batchwork.BatchWork, "take", spy)
    crowded = [filing(f"P-{each}", *(subject(f"{each}/{one}") for one in range(4))) for each in range(7)]
    done = alpha.batch(crowded)
    assert done["rows"] == counted(read=7, created=7)
    assert sizes == [12, 12, 4]
    assert rows("subjects") == 28


def test_a_bomb_is_stopped(alpha: Desk) -> None:
    """What inflates past the limit fails, with the good rows before it kept."""
    limit = 1 << 16
    services = alpha.services
    object.__setattr__(services.settings, "max_batch_inflated_bytes", limit)
    packed = gzip.compress(ndjson(ROWS[:2]) + b"\n" * 10_000_000)
    done = alpha.batch(packed, **{"Content-Encoding": "gzip"})
    assert (done["status"], done["failure"]["field"]) == ("failed", "body")
    assert str(limit) in done["failure"]["expected"]


def test_an_upload_over_the_limit_is_refused(alpha: Desk) -> None:
    """413 with the limit in figures, and nothing is kept."""
    object.__setattr__(alpha.services.settings, "max_batch_bytes", 1000)
    problem = alpha.upload(ndjson(ROWS), status=413)
    assert problem["figures"] == {"limit_bytes": 1000}
    assert list((alpha.services.settings.data_dir / "spool").glob("*.sealed")) == []


def test_an_upload_may_be_larger_than_a_json_body(alpha: Desk) -> None:
    """The limit of JSON bodies is not that of batches."""
    object.__setattr__(alpha.services.settings, "max_json_bytes", 1000)
    alpha.client.application.config["MAX_CONTENT_LENGTH"] = 1000
    assert alpha.batch(ROWS)["rows"]["created"] == 7


@pytest.mark.parametrize(
    "headers",
    [{"Content-Type": "application/json"}, {"Content-Encoding": "br"}, {"Content-Type": "text/csv"}],
)
def test_other_content_types_are_refused(alpha: Desk, headers: dict[str, str]) -> None:
    """NDJSON, plain or gzipped, and nothing else."""
    assert alpha.upload(ndjson(ROWS), status=415, **headers)["type"].endswith("wrong-content-type")


def test_an_empty_batch_is_done(alpha: Desk) -> None:
    """No rows, no error."""
    assert alpha.batch(b"\n")["rows"] == counted()


def test_anothers_batch_is_not_found(alpha: Desk, beta: Desk) -> None:
    """Nor is it in the list."""
    received = alpha.upload(ndjson(ROWS))
    assert beta.get(f"/v1/batches/{received['id']}", status=404)["type"].endswith("not-found")
    assert beta.get("/v1/batches")["items"] == []


def test_batches_are_listed_latest_first(alpha: Desk, clock: FakeClock) -> None:
    """Page by page."""
    sent = []
    for number in range(3):
        sent.append(alpha.upload(ndjson(ROWS[:1]), f"key-{number}")["id"])
        clock.advance(seconds=1)
    first = alpha.get("/v1/batches?limit=2")
    second = alpha.get(f"/v1/batches?limit=2&cursor={first['next_cursor']}")
    assert [item["id"] for item in first["items"] + second["items"]] == sent[::-1]
    assert second["next_cursor"] is None


def test_hits_are_found_and_counted_as_far_as_they_may_be_seen(alpha: Desk, beta: Desk) -> None:
    """The batch's hits are those its member could list."""
    beta.file(filing("B-1", subject("P-1")))
    beta.file(filing("B-2", subject("P-2"), line="home"))
    assert alpha.batch(ROWS)["hits"] == 1
    assert len(alpha.hits()) == 1
    assert len(beta.hits()) == 2


def test_a_worker_that_lost_its_lease_writes_nothing(alpha: Desk, rows: Counted) -> None:
    """Another took over in between: the chunk is rolled back, and the other completes the batch."""
    received = alpha.upload(ndjson(ROWS))
    worker = IntakeWorker(alpha.services)
    claimed = worker._claim()
    assert claimed is not None
    with alpha.services.database.write() as session:
        batches.release_all(session.connection(), claimed["spool"])
    with pytest.raises(LeaseLostError):
        intake.work_through(alpha.services, worker._spool, claimed, worker._owner)
    assert rows("filings") == 0
    assert IntakeWorker(alpha.services).run_pending() == 1
    assert alpha.get(f"/v1/batches/{received['id']}")["rows"] == counted(read=7, created=7)


def test_a_batch_goes_on_where_it_was_stopped(alpha: Desk, monkeypatch: pytest.MonkeyPatch, rows: Counted) -> None:
    """After a crash in the middle, the next worker takes the rest: every row is there once, and counted once."""
    received = alpha.upload(ndjson(ROWS))
    take, calls = batchwork.BatchWork.take, itertools.count()

    def crash(self: batchwork.BatchWork, *arguments: object) -> None:
        if next(calls) == 1:
            raise KeyboardInterrupt
        take(self, *arguments)  # type: ignore[arg-type] # passed on as they came

    monkeypatch.setattr(batchwork.BatchWork, "take", crash)
    with pytest.raises(KeyboardInterrupt):
        IntakeWorker(alpha.services).run_pending()
    assert alpha.get(f"/v1/batches/{received['id']}")["rows"] == counted(read=3, created=3)
    assert IntakeWorker(alpha.services).run_pending() == 1
    assert alpha.get(f"/v1/batches/{received['id']}")["rows"] == counted(read=7, created=7)
    assert (rows("filings"), rows("filing_versions"), rows("key_index")) == (7, 7, 7 * KEYS)


class Fault:
    """A fault of the server in every attempt while it is `there`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.there = True
        take = batchwork.BatchWork.take

        def maybe(work: batchwork.BatchWork, *arguments: object) -> None:
            if self.there and work.progress.lines_done >= 3:
                raise ZeroDivisionError
            take(work, *arguments)  # type: ignore[arg-type] # passed on as they came

        monkeypatch.setattr(batchwork.BatchWork, "take", maybe)


@pytest.fixture
def fault(monkeypatch: pytest.MonkeyPatch) -> Fault:
    """A fault after the first chunk, and pauses so short that log-ins outlast them all."""
    monkeypatch.setattr(worker_module, "LONGEST_PAUSE", timedelta(seconds=10))
    return Fault(monkeypatch)


def test_a_fault_of_the_server_is_waited_for(alpha: Desk, beta: Desk, fault: Fault, clock: FakeClock) -> None:
    """Each attempt is later than the one before, others are served meanwhile, the batch says so; then it completes."""
    received = alpha.upload(ndjson(ROWS))
    worker = IntakeWorker(alpha.services)
    assert (worker.run_pending(), worker.run_pending()) == (1, 0)
    assert beta.batch(ROWS[:2])["status"] == "done"
    waiting = alpha.get(f"/v1/batches/{received['id']}")
    assert (waiting["status"], waiting["finished_at"], waiting["rows"]["created"]) == ("queued", None, 3)
    assert waiting["failure"]["field"] == "(server)"
    assert "attempt 1 of 10" in waiting["failure"]["expected"]
    for _ in range(2):  # the first attempt got on, so it does not count
        clock.advance(worker_module.FIRST_PAUSE + timedelta(seconds=1))
        assert worker.run_pending() == 1
    clock.advance(worker_module.FIRST_PAUSE + timedelta(seconds=1))
    assert worker.run_pending() == 0
    fault.there = False
    clock.advance(worker_module.FIRST_PAUSE * 4)
    assert worker.run_pending() == 1
    done = alpha.get(f"/v1/batches/{received['id']}")
    assert (done["status"], done["failure"], done["rows"]) == ("done", None, counted(read=7, created=7))


def given_up(desk: Desk, batch_id: str, clock: FakeClock) -> dict[str, Any]:
    """A batch after every attempt at it."""
    for _ in range(MAX_ATTEMPTS + 2):
        IntakeWorker(desk.services).run_pending()
        clock.advance(worker_module.LONGEST_PAUSE + timedelta(seconds=1))
    return desk.get(f"/v1/batches/{batch_id}")


@pytest.mark.parametrize("kept", [True, False])
def test_a_batch_that_failed_on_the_server_goes_on_when_sent_again(
    alpha: Desk, fault: Fault, clock: FakeClock, rows: Counted, kept: bool
) -> None:
    """After many attempts it is failed and its content kept; the same key goes on at its cursor, kept or not."""
    received = alpha.upload(ndjson(ROWS))
    failed = given_up(alpha, received["id"], clock)
    assert (failed["status"], failed["failure"]["field"]) == ("failed", "(server)")
    assert failed["rows"] == counted(read=3, created=3)
    spooled = alpha.services.settings.data_dir / "spool" / f"{received['id']}.sealed"
    IntakeWorker(alpha.services).run_pending()
    assert spooled.exists()
    if not kept:
        spooled.unlink()
    fault.there = False
    alpha.upload(ndjson(ROWS[:2]), status=422)
    again = alpha.upload(ndjson(ROWS))
    assert (again["id"], again["status"], again["failure"]) == (received["id"], "queued", None)
    IntakeWorker(alpha.services).run_pending()
    done = alpha.get(f"/v1/batches/{received['id']}")
    assert (done["status"], done["failure"], done["rows"]) == ("done", None, counted(read=7, created=7))
    assert rows("filings") == 7
    assert list(spooled.parent.glob("*.sealed")) == []


def test_content_of_failed_batches_is_not_kept_for_ever(alpha: Desk, fault: Fault, clock: FakeClock) -> None:
    """After a week it is swept away, and the batch is still taken again."""
    received = alpha.upload(ndjson(ROWS))
    given_up(alpha, received["id"], clock)
    spooled = alpha.services.settings.data_dir / "spool" / f"{received['id']}.sealed"
    os.utime(spooled, (0, 0))
    IntakeWorker(alpha.services).run_pending()
    assert spooled.exists()
    clock.advance(worker_module.KEPT_FAILED)
    IntakeWorker(alpha.services).run_pending()
    assert not spooled.exists()
    fault.there = False
    with alpha.services.database.write() as session:
        connection = session.connection()
        assert batches.queue_again(connection, received["id"], IntakeWorker(alpha.services)._spool.name)
        assert not batches.queue_again(connection, received["id"], IntakeWorker(alpha.services)._spool.name)


def test_a_batch_that_failed_by_its_rows_starts_anew_when_sent_again(
    alpha: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What made them bad may be mended by now: counts and errors are those of the new attempt."""
    monkeypatch.setattr(batchwork, "HOPELESS_ROWS", 5)
    content = [filing(f"P-{number}", fingerprint="fedcba9876543210") for number in range(7)]
    failed = alpha.batch(content)
    assert (failed["failure"]["field"], failed["rows"]["rejected"], len(failed["errors"])) == ("(rows)", 6, 6)
    with alpha.services.database.write() as session:
        accept_fingerprint(session, "guarded/1", "fedcba9876543210", now=alpha.services.clock())
    done = alpha.batch(content)
    assert (done["id"], done["status"], done["errors"]) == (failed["id"], "done", [])
    assert done["rows"] == counted(read=7, created=7)


def test_a_cancel_does_not_outlive_the_failure_of_its_batch(alpha: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for while a worker is at the batch, which then fails: sent again, it is taken in."""
    received = alpha.upload(ndjson(ROWS))

    def gives_up(*_: object) -> None:
        alpha.client.post(f"/v1/batches/{received['id']}/cancel", headers=alpha.member.headers)
        raise batchwork.GivenUpError("(rows)", "other rows")

    with monkeypatch.context() as patch:
        patch.setattr(batchwork.BatchWork, "take", gives_up)
        IntakeWorker(alpha.services).run_pending()
    assert alpha.get(f"/v1/batches/{received['id']}")["status"] == "failed"
    again = alpha.upload(ndjson(ROWS))
    assert (again["status"], again["cancelling"]) == ("queued", False)
    IntakeWorker(alpha.services).run_pending()
    assert alpha.get(f"/v1/batches/{received['id']}")["status"] == "done"


def test_members_take_turns(alpha: Desk, beta: Desk, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten batches of one member do not hold the one of another up."""
    for number in range(3):
        alpha.upload(ndjson(ROWS[number : number + 1]), f"key-{number}")
        clock.advance(seconds=1)
    beta.upload(ndjson(ROWS[:1]))
    served = []
    finish = batchwork.BatchWork.finish

    def spy(self: batchwork.BatchWork, *arguments: object) -> None:
        served.append(self._batch["member_id"])
        clock.advance(seconds=1)
        finish(self, *arguments)  # type: ignore[arg-type] # passed on as they came

    monkeypatch.setattr(batchwork.BatchWork, "finish", spy)
    IntakeWorker(alpha.services).run_pending()
    assert served == [alpha.member.id, beta.member.id, alpha.member.id, alpha.member.id]


def test_the_worker_thread_outlives_errors_of_the_database(alpha: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """One error while it takes over, one while it looks for work: it goes on, and says what it met by type only."""
    monkeypatch.setattr(worker_module, "POLL_SECONDS", 0.01)
    faults = iter([OperationalError("SELECT", {"key": "value"}, ValueError()), OSError(), None])
    release_all, claim = batches.release_all, batches.claim

    def failing(function: Callable[..., Any]) -> Callable[..., Any]:
        def maybe(*arguments: Any, **options: Any) -> Any:
            fault = next(faults, None)
            if fault is not None:
                raise fault
            return function(*arguments, **options)

        return maybe

    monkeypatch.setattr(batches, "release_all", failing(release_all))
    monkeypatch.setattr(batches, "claim", failing(claim))
    received = alpha.upload(ndjson(ROWS))
    worker = IntakeWorker(alpha.services)
    with structlog.testing.capture_logs() as logged:
        worker.start()
        try:
            for _ in range(200):
                if alpha.get(f"/v1/batches/{received['id']}")["status"] == "done":
                    break
                worker._stop.wait(0.05)
            assert worker.alive
        finally:
            worker.stop()
    assert alpha.get(f"/v1/batches/{received['id']}")["status"] == "done"
    met = [entry["error"] for entry in logged if entry["event"] == "worker fault"]
    assert met == ["OperationalError", "OSError"]
    assert "value" not in str([entry for entry in logged if entry["event"] == "worker fault"])


def test_lost_content_fails_the_batch(alpha: Desk) -> None:
    """The file in the spool is gone: nothing to take in, and the sender is told to send again."""
    received = alpha.upload(ndjson(ROWS))
    (alpha.services.settings.data_dir / "spool" / f"{received['id']}.sealed").unlink()
    IntakeWorker(alpha.services).run_pending()
    failed = alpha.get(f"/v1/batches/{received['id']}")
    assert "send it again" in failed["failure"]["expected"]


def test_a_withdrawn_membership_ends_its_batches(alpha: Desk) -> None:
    """What waits is not taken in any more."""
    received = alpha.upload(ndjson(ROWS))
    with alpha.services.database.write() as session:
        change_status(session, alpha.member.id, MemberStatus.WITHDRAWN, now=alpha.services.clock())
    IntakeWorker(alpha.services).run_pending()
    with alpha.services.database.read() as session:
        row = batches.of_member(session.connection(), alpha.member.id, received["id"])
    assert row is not None
    assert (row["status"], row["failure_field"]) == ("failed", "(membership)")


def test_the_worker_thread_takes_batches_in(alpha: Desk) -> None:
    """Started, it works by itself; stopped, it is gone."""
    worker = IntakeWorker(alpha.services)
    worker.start()
    try:
        received = alpha.upload(ndjson(ROWS))
        for _ in range(200):
            if alpha.get(f"/v1/batches/{received['id']}")["status"] == "done":
                break
            worker._stop.wait(0.05)
        assert alpha.get(f"/v1/batches/{received['id']}")["status"] == "done"
        assert worker.alive
    finally:
        worker.stop()
    assert not worker.alive


def test_a_lease_runs_out(alpha: Desk, clock: FakeClock) -> None:
    """Whoever holds a lease and does not renew it loses it after its time, which is short here."""
    object.__setattr__(alpha.services.settings, "lease", timedelta(seconds=1))
    alpha.upload(ndjson(ROWS))
    first, second = IntakeWorker(alpha.services), IntakeWorker(alpha.services)
    assert first._claim() is not None
    assert second._claim() is None
    clock.advance(seconds=1.1)
    time.sleep(1.1)  # PostgreSQL has a clock of its own
    assert second._claim() is not None


def cancelled(desk: Desk, batch_id: str, *, status: int) -> dict[str, Any]:
    """Cancel a batch; as it is then."""
    answer = desk.client.post(f"/v1/batches/{batch_id}/cancel", headers=desk.member.headers)
    assert answer.status_code == status, answer.get_json()
    found: dict[str, Any] = answer.get_json()
    return found


def test_a_waiting_batch_is_cancelled_at_once(alpha: Desk, beta: Desk, rows: Counted) -> None:
    """Nothing of it is taken in, its content is gone, an event says so; only its member can."""
    received = alpha.upload(ndjson(ROWS))
    assert cancelled(beta, received["id"], status=404)
    assert cancelled(alpha, received["id"], status=200)["status"] == "cancelled"
    assert cancelled(alpha, received["id"], status=200)["finished_at"] is not None
    assert IntakeWorker(alpha.services).run_pending() == 0
    assert (rows("filings"), list((alpha.services.settings.data_dir / "spool").glob("*.sealed"))) == (0, [])
    assert kinds(alpha) == ["batch.cancelled", "batch.received"]
    assert alpha.upload(ndjson(ROWS), status=200)["status"] == "cancelled"


def test_a_running_batch_stops_after_the_chunk_at_hand(
    alpha: Desk, rows: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was taken in stays, and the batch says how much that is."""
    received = alpha.upload(ndjson(ROWS))
    take = batchwork.BatchWork.take

    def asked(self: batchwork.BatchWork, *arguments: object) -> None:
        if rows("filings") == 3:
            assert cancelled(alpha, received["id"], status=202)["cancelling"]
        take(self, *arguments)  # type: ignore[arg-type] # passed on as they came

    monkeypatch.setattr(batchwork.BatchWork, "take", asked)
    IntakeWorker(alpha.services).run_pending()
    done = alpha.get(f"/v1/batches/{received['id']}")
    assert (done["status"], done["rows"]["created"], done["cancelling"]) == ("cancelled", 6, False)
    assert (rows("filings"), kinds(alpha)) == (6, ["batch.cancelled", "batch.received"])


def test_a_finished_batch_cannot_be_cancelled(alpha: Desk) -> None:
    """It stays as it is."""
    done = alpha.batch(ROWS)
    assert cancelled(alpha, done["id"], status=200)["status"] == "done"


def test_several_workers_share_a_spool(alpha: Desk) -> None:
    """A second one works beside the first, takes no live lease, and takes over one that ran out."""
    held = alpha.upload(ndjson(ROWS))
    first, second = IntakeWorker(alpha.services), IntakeWorker(alpha.services)
    with first._present() as present:
        assert present
        taken = first._claim()
        assert taken is not None
        assert second.run_pending() == 0
        other = alpha.upload(ndjson([filing("X-1")]), "key-2")
        assert second.run_pending() == 1
        assert alpha.get(f"/v1/batches/{other['id']}")["status"] == "done"
        assert alpha.get(f"/v1/batches/{held['id']}")["status"] == "running"
        run_out(alpha.services)
        assert second.run_pending() == 1
        assert alpha.get(f"/v1/batches/{held['id']}")["status"] == "done"
        with pytest.raises(LeaseLostError):
            batchwork.BatchWork(alpha.services, taken, first._owner).finish(0, None)


def kinds(desk: Desk) -> list[str]:
    """The kinds of the events of batches, by name."""
    statement = select(EVENTS.c.kind).where(EVENTS.c.kind.like("batch.%")).order_by(EVENTS.c.kind)
    with desk.services.database.reading() as connection:
        return list(connection.execute(statement).scalars())
