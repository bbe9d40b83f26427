"""How fast a batch is taken in: `python -m benchmarks.intake --records 100000 --pool 100000 --store postgresql --json`.

A real batch, received as NDJSON and worked through by an intake worker in a process of its own: lines are parsed and
validated, keys re-keyed, subjects sealed, and their index rows written. `matched` goes into a pool of `--pool` people
of another insurer, of whom the batch knows some (`--known`) under its own spelling, and stores the hits. `unmatched`
goes into an empty pool and looks nothing up. `bare` is what it is held against: the same index rows, in the order in
which that batch wrote them (on SQLite in the order of their keys), copied into an empty table with the same index.
`formats` are both for the same batch as NDJSON, Arrow and Parquet, each in a pool of its own, with the bytes of a row.
Processor time is in microseconds for each record, of the worker and of the database's server; `peak_mb` is the most
memory that the worker held. `chunk_seconds` is how long the transactions of its chunks took: other filings wait so
long.
"""

from __future__ import annotations

import argparse
import datetime as dt
import itertools
import multiprocessing
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import orjson
import sqlalchemy

from benchmarks import cpu
from benchmarks.linking import add_schema, encode_people
from benchmarks.machine import show
from benchmarks.market import Market
from benchmarks.pool import LINE, Filled, fill
from benchmarks.stores import STORES, Store, opened
from frankpledge.keys import LinkageKey
from frankpledge.records import RecordEncoder
from frankpledge.tabular import ARROW, PARQUET, lines_to
from matching.types import EncodedSubject
from matching.wire import subject_to_json
from repository.jobs.worker import IntakeWorker
from repository.services import Services, batches, pool
from repository.services.batchwork import BatchWork
from repository.services.compose import compose
from repository.services.pool import Linked
from repository.settings import Settings
from repository.storage.index import Candidates as Found

NDJSON = "ndjson"
FORMATS = (NDJSON, ARROW, PARQUET)
PART = 1 << 20
Key = tuple[str, LinkageKey]
"""A linkage schema's id, and a linkage key."""
ENCODED_AT_ONCE = 2000
"""People that are encoded together, so that memory holds few of them."""


def write_batch(path: Path, filled: Filled, encoder: RecordEncoder, records: int) -> None:
    """Write a batch of the asker's as NDJSON: what it knows of people in the pool among its own, evenly."""
    known = min(len(filled.questions), records)
    today, key = filled.services.clock().date(), (filled.services.schema.id, filled.fingerprint)
    asked, others = iter(filled.questions), _strangers(encoder, records - known)
    with path.open("wb") as file:
        for number in range(records):
            is_known = (number + 1) * known // records > number * known // records
            file.write(line_of(key, next(asked) if is_known else next(others), number, today))


def _strangers(encoder: RecordEncoder, count: int) -> Iterator[EncodedSubject]:
    rows = Market(8).rows(count, copies=0.0)
    while chunk := list(itertools.islice(rows, ENCODED_AT_ONCE)):
        yield from (subject for subject in encode_people(encoder, chunk) if subject)


def line_of(key: tuple[str, str], subject: EncodedSubject, number: int, today: dt.date) -> bytes:
    """A filing of one customer under a schema and a linkage key (by fingerprint), as a line of a batch."""
    filing = {
        "schema": key[0],
        "fingerprint": key[1],
        "ref": f"B-{number}",
        "class": "customer",
        "line": LINE,
        "date": today.isoformat(),
        "subjects": [subject_to_json(subject)],
    }
    return orjson.dumps(filing) + b"\n"


def as_columns(content: Path, form: str) -> Path:
    """The same batch as a file of columns beside it."""
    path = content.with_suffix(f".{form}")
    with content.open("rb") as lines, path.open("wb") as file, lines_to(file, form) as out:
        out.writelines(lines)
    return path


def receive(filled: Filled, content: Path, form: str = NDJSON) -> None:
    """Queue the batch as the asker's."""

    def parts() -> Iterator[bytes]:
        with content.open("rb") as file:
            while part := file.read(PART):
                yield part

    size = content.stat().st_size
    upload = batches.Upload(parts(), size, form, gzipped=False, dry_run=False, idempotency_key="benchmark")
    batches.receive(filled.services, filled.asker.actor, filled.asker.member, upload)


def work(settings: Settings, store: Store, *, matched: bool) -> dict[str, Any]:
    """Have a worker in a process of its own take in what is queued. Raises RuntimeError when that fails."""
    before = cpu.seconds(store.process) if store.process else 0.0
    with multiprocessing.get_context("spawn").Pool(1) as processes:
        report = processes.apply(_work, (settings, matched))
    database = cpu.seconds(store.process) - before if store.process else 0.0
    return {**report, "database_cpu_us": round(database / report["rows"] * 1e6)}


def _work(settings: Settings, matched: bool) -> dict[str, Any]:
    services = compose(settings)
    worker = IntakeWorker(services)
    chunks: list[float] = []
    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(BatchWork, "take", _timed(BatchWork.take, chunks)))
        if not matched:
            stack.enter_context(mock.patch.object(pool, "look_up", _nobody))
            stack.enter_context(mock.patch.object(pool, "link_found", _nothing))
        used, started = time.process_time(), time.perf_counter()
        worker.run_pending()
        seconds, used = time.perf_counter() - started, time.process_time() - used
    with services.database.read() as session:
        done = session.connection().execute(sqlalchemy.text("SELECT * FROM batches")).mappings().one()
    if done["status"] != "done" or done["rows_rejected"]:
        raise RuntimeError(f"the batch is {done['status']}, with {done['rows_rejected']} rows refused")
    return {
        "rows": done["rows_created"],
        "hits": done["hits"],
        "rows_per_second": round(done["rows_created"] / seconds),
        "worker_cpu_us": round(used / done["rows_created"] * 1e6),
        "chunk_seconds": {"median": round(statistics.median(chunks), 2), "longest": round(max(chunks), 2)},
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def _timed(take: Callable[..., None], seconds: list[float]) -> Callable[..., None]:
    def timed(*arguments: object) -> None:
        started = time.perf_counter()
        take(*arguments)
        seconds.append(time.perf_counter() - started)

    return timed


def _nobody(_services: Services, _connection: object, _member: object, subjects: Sequence[Any], _keys: object) -> Found:
    none = (0,) * len(subjects)
    return Found(((),) * len(subjects), none, {}, (), {})


def _nothing(_services: Services, _connection: object, _member: object, _subjects: object, found: Found) -> Linked:
    return Linked((), found.capped, found, {})


def bare(services: Services, store: Store, path: Path) -> dict[str, Any]:
    """Copy the index rows that are there into an empty table with the same index, through a file."""
    engine = services.database.engine
    copied = _bare_sqlite if store.name == "sqlite" else _bare_postgresql
    with engine.begin() as connection:
        count = connection.execute(sqlalchemy.text("SELECT count(*) FROM key_index")).scalar_one()
    seconds = copied(engine, path)
    return {"index_rows": count, "index_rows_per_second": round(count / seconds), "seconds": round(seconds, 2)}


def _bare_postgresql(engine: sqlalchemy.Engine, path: Path) -> float:
    with engine.begin() as connection, closing(connection.connection.cursor()) as cursor:
        with path.open("wb") as file, cursor.copy("COPY key_index TO STDOUT (FORMAT BINARY)") as copy:
            for part in copy:
                file.write(part)
        cursor.execute("CREATE TABLE bare (LIKE key_index INCLUDING ALL)")
    started = time.perf_counter()
    with engine.begin() as connection, closing(connection.connection.cursor()) as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        with path.open("rb") as file, cursor.copy("COPY bare FROM STDIN (FORMAT BINARY)") as copy:
            while part := file.read(PART):
                copy.write(part)
    return time.perf_counter() - started


def _bare_sqlite(engine: sqlalchemy.Engine, _path: Path) -> float:
    with engine.begin() as connection:
        rows = connection.exec_driver_sql("SELECT key, pointer FROM key_index").fetchall()
        connection.exec_driver_sql(
            "CREATE TABLE bare (key BIGINT NOT NULL, pointer BLOB NOT NULL, PRIMARY KEY (key, pointer)) WITHOUT ROWID"
        )
    started = time.perf_counter()
    with engine.begin() as connection, closing(connection.connection.cursor()) as cursor:
        cursor.executemany("INSERT INTO bare (key, pointer) VALUES (?, ?)", [tuple(row) for row in rows])
    return time.perf_counter() - started


def measure(directory: Path, store_name: str, schema: str, *, pool: int, records: int, known: float) -> dict[str, Any]:
    """Take the same batch in with matching, and without as each format, and copy its index rows."""
    key, content = (schema, LinkageKey(os.urandom(32))), directory / "batch.ndjson"
    with _pool(directory / "filled", store_name, (pool, max(1, round(records * known))), key) as (store, filled):
        write_batch(content, filled, RecordEncoder.for_key(key[1], schema), records)
        receive(filled, content)
        matched = work(filled.services.settings, store, matched=True)
    formats = {form: _unmatched(directory, store_name, key, content, form) for form in FORMATS}
    lines = formats[NDJSON]
    return {
        "matched": matched,
        "unmatched": lines["unmatched"],
        "bare": lines["bare"],
        "unmatched_share_of_bare": lines["share_of_bare"],
        "formats": formats,
    }


def _unmatched(directory: Path, store_name: str, key: Key, content: Path, form: str) -> dict[str, Any]:
    """Take the batch in as a file of one form, into an empty pool and without matching, and copy its index rows."""
    path = content if form == NDJSON else as_columns(content, form)
    with _pool(directory / form, store_name, (10, 10), key) as (store, empty):
        receive(empty, path, form)
        unmatched = work(empty.services.settings, store, matched=False)
        copied = bare(empty.services, store, directory / "index.rows")
    share = unmatched["rows_per_second"] / (unmatched["rows"] / copied["seconds"])
    bytes_each = round(path.stat().st_size / unmatched["rows"])
    return {"unmatched": unmatched, "bare": copied, "share_of_bare": round(share, 3), "bytes_each": bytes_each}


@contextmanager
def _pool(directory: Path, store_name: str, sizes: tuple[int, int], key: Key) -> Iterator[tuple[Store, Filled]]:
    directory.mkdir(mode=0o700)
    with opened(store_name, directory) as store:
        filled = fill(directory, *sizes, store.url, key[1], schema=key[0])
        yield store, filled
        filled.services.database.close()


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=20_000, help="filings in the batch, of one person each")
    parser.add_argument("--pool", type=int, default=20_000, help="subjects of another member in the pool")
    parser.add_argument("--known", type=float, default=0.2, help="share of the batch that is about people in the pool")
    parser.add_argument("--store", choices=STORES, default="sqlite")
    add_schema(parser)
    parser.add_argument("--json", action="store_true", help="accepted for uniformity; the output is always JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        figures = measure(
            Path(temporary),
            options.store,
            options.schema,
            pool=options.pool,
            records=options.records,
            known=options.known,
        )
    asked = {name: getattr(options, name) for name in ("schema", "store", "records", "pool", "known")}
    show({"benchmark": "intake", **asked, "format": NDJSON, **figures})


if __name__ == "__main__":
    main()
