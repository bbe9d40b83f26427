"""Two workers at one batch, many times over: whoever is first in a chunk takes it in, and the other writes nothing."""

from __future__ import annotations

import random
import threading
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select

from repository.jobs import intake
from repository.jobs.worker import IntakeWorker
from repository.services import batchwork
from repository.storage.batches import BATCHES, LeaseLostError
from repository.storage.filings import FILINGS, VERSIONS
from tests.integration.pool.conftest import Desk
from tests.support.contents import index_faults
from tests.support.encodings import filing, ndjson, subject
from tests.support.leases import run_out

TRIES, CHUNK, CHUNKS = 20, 2, 3


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few lines a transaction."""
    monkeypatch.setattr(intake, "CHUNK_LINES", CHUNK)


def queue(desk: Desk, number: int) -> str:
    """A small batch of its own rows."""
    rows = [
        filing(f"P-{number}-{place}", subject(f"{number}/{place}", only=range(4))) for place in range(CHUNK * CHUNKS)
    ]
    received: str = desk.upload(ndjson(rows), f"key-{number}")["id"]
    return received


def check(desk: Desk, many: int) -> None:
    """Every batch is done and each of its rows is there once."""
    rows = CHUNK * CHUNKS
    with desk.services.database.reading() as connection:
        done = connection.execute(select(BATCHES.c.status, BATCHES.c.rows_read, BATCHES.c.rows_created))
        assert Counter(map(tuple, done)) == {("done", rows, rows): many}
        for table in (FILINGS, VERSIONS):
            assert connection.execute(select(func.count()).select_from(table)).scalar_one() == many * rows
    assert index_faults(desk.services) == (0, 0)


def test_both_claim_at_the_same_moment(alpha: Desk) -> None:
    """One of them gets it, each time."""
    workers = [IntakeWorker(alpha.services) for _ in range(2)]
    barrier = threading.Barrier(len(workers))

    def claim(worker: IntakeWorker) -> Any:
        barrier.wait(30)
        return worker._claim()

    with workers[0]._present(), ThreadPoolExecutor(len(workers)) as threads:
        for number in range(TRIES):
            queue(alpha, number)
            claimed = list(threads.map(claim, workers))
            assert sum(each is not None for each in claimed) == 1
            for worker, batch in zip(workers, claimed, strict=True):
                if batch is not None:
                    worker._attempt(batch)
    check(alpha, TRIES)


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_both_are_at_the_same_chunk(alpha: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """One loses its lease at a drawn chunk and goes on beside the other all the same: what it writes does not count."""
    draw = random.Random(7)  # noqa: S311 - when the lease is lost is drawn
    one, two = IntakeWorker(alpha.services), IntakeWorker(alpha.services)
    take = batchwork.BatchWork.take
    lost = Counter[str]()
    others: list[Future[None]] = []
    at = 0

    def beside(self: batchwork.BatchWork, *arguments: object) -> None:
        if self._owner == one._owner and self.progress.lines_done == at:
            run_out(alpha.services)
            taken = two._claim()
            assert taken is not None
            others.append(threads.submit(two._attempt, taken))
        try:
            take(self, *arguments)  # type: ignore[arg-type] # passed on as they came
        except LeaseLostError:
            lost[self._owner] += 1
            raise

    monkeypatch.setattr(batchwork.BatchWork, "take", beside)
    with one._present(), ThreadPoolExecutor(1) as threads:
        for number in range(TRIES):
            at = CHUNK * draw.randrange(CHUNKS)
            queue(alpha, number)
            claimed = one._claim()
            assert claimed is not None
            one._attempt(claimed)
            others.pop().result(60)
    assert lost == {one._owner: TRIES}
    check(alpha, TRIES)
