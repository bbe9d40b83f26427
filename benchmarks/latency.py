"""How long a screening takes: `python -m benchmarks.latency --records 100000 --store postgresql --json`.

Fills a fresh pool with a generated market, then asks about people who are in it under another insurer's spelling, each
once. `process` times the use case (look-up, scoring, decision, hits and screening stored) and `lookup` the reading part
of it alone, both in this process; `http` times a client of the real server: medians and tails, one question at a time.
`http_many` are as many clients at once as the server has threads, and `http_batches` one client while a batch of
another member's is taken in by the same server; it says if that lasted all the time. `per_cpu_second` is how many
questions a second of processor time answers, the server's processes and the database's together, without the clients':
with many clients, whose questions are answered together, and `per_cpu_second_alone` with one.
"""

from __future__ import annotations

import argparse
import itertools
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import cpu
from benchmarks.intake import receive, write_batch
from benchmarks.linking import add_schema
from benchmarks.machine import show
from benchmarks.pool import LINE, Filled, fill
from benchmarks.serving import Served, body_of, served
from benchmarks.stores import STORES, Store, opened
from frankpledge.keys import LinkageKey
from frankpledge.records import RecordEncoder
from matching.types import EncodedSubject
from repository.domain.screening import Purpose, Question
from repository.services import pool
from repository.services.asking import Asking
from repository.services.screening import screen
from repository.storage import batches

WARM_UP = 40
CLIENTS = 16
PARTS = 5


def times(ask: Callable[[EncodedSubject], object], questions: Sequence[EncodedSubject]) -> dict[str, float]:
    """Percentiles in milliseconds of questions asked for the first time; the first few warm up and do not count."""
    spent = []
    for question in questions:
        started = time.perf_counter()
        ask(question)
        spent.append((time.perf_counter() - started) * 1000)
    return percentiles(spent[WARM_UP:])


def percentiles(milliseconds: Sequence[float]) -> dict[str, float]:
    """Median and tails."""
    return {f"p{at}_ms": round(float(np.percentile(milliseconds, at)), 3) for at in (50, 95, 99)}


def measure(filled: Filled, store: Store, encoder: RecordEncoder, batch: int) -> dict[str, Any]:
    """Time a share of the questions in each of the ways."""
    services, asker = filled.services, filled.asker
    asking = Asking(Purpose("new_business", LINE, None), filled.fingerprint)
    numbers = itertools.count(1)

    def whole(subject: EncodedSubject) -> dict[str, Any]:
        question = Question(f"Q-{next(numbers)}", subject)
        return screen(services, asker.actor, asker.member, asking, [question])[0]

    def reading(subject: EncodedSubject) -> object:
        with services.database.glancing() as connection:
            return pool.link(services, connection, asker.member, [subject])

    shares = [filled.questions[place::PARTS] for place in range(PARTS)]
    if len(shares[-1]) <= WARM_UP:
        raise SystemExit(f"too few questions: the market gave {len(filled.questions)}, ask for more with --questions")
    answers: list[str] = []
    process = times(lambda subject: answers.append(whole(subject)["answer"]), shares[0])
    lookup = times(reading, shares[1])
    bodies = [[body_of(filled, f"H-{next(numbers)}", each) for each in share] for share in shares[2:]]
    with served(filled) as server:
        http, alone = over_http(server, store, bodies[0])
        many, together = over_http(server, store, bodies[1], CLIENTS)
    enquire = round(answers.count("enquire") / len(answers), 3)
    return {
        "process": process,
        "lookup": lookup,
        "http": http,
        "http_many": {"clients": CLIENTS, **many},
        "http_batches": during_batch(filled, encoder, bodies[2], batch),
        "per_cpu_second": together,
        "per_cpu_second_alone": alone,
        "enquire_share": enquire,
    }


def over_http(
    server: Served, store: Store, bodies: Sequence[bytes], clients: int = 1
) -> tuple[dict[str, float], float]:
    """Time questions to the real server, and count how many a second of processor time answers."""
    processes = [server.process, *([store.process] if store.process else [])]
    server.ask(bodies[:WARM_UP], clients)
    used, started = sum(map(cpu.seconds, processes)), time.perf_counter()
    spent = server.ask(bodies[WARM_UP:], clients)
    seconds, used = time.perf_counter() - started, sum(map(cpu.seconds, processes)) - used
    return {**percentiles(spent), "per_second": round(len(spent) / seconds, 1)}, round(len(spent) / used, 1)


def during_batch(filled: Filled, encoder: RecordEncoder, bodies: Sequence[bytes], records: int) -> dict[str, Any]:
    """Time questions, one at a time, while a batch of so many filings is taken in by the worker of the same server."""
    content = filled.services.settings.data_dir / "batch.ndjson"
    write_batch(content, filled, encoder, records)
    with served(filled, worker=True) as server:
        server.ask(bodies[:WARM_UP])
        receive(filled, content)
        while not (begun := _rows_done(filled)):
            time.sleep(0.05)
        spent = server.ask(bodies[WARM_UP:])
        done = _rows_done(filled)
    return {
        **percentiles(spent),
        "batch": records,
        "rows_done_before": begun,
        "rows_done_after": done,
        "under_way_all_the_time": done < records,
    }


def _rows_done(filled: Filled) -> int:
    with filled.services.database.reading() as connection:
        (batch,) = batches.page(connection, filled.asker.member.id, before=None, limit=1)
    return int(batch["rows_read"])


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000, help="subjects in the pool")
    parser.add_argument("--store", choices=STORES, default="sqlite")
    add_schema(parser)
    parser.add_argument("--questions", type=int, default=1500, help="a fifth is asked in each way")
    parser.add_argument("--batch", type=int, default=20_000, help="filings taken in while some of them are asked")
    parser.add_argument("--json", action="store_true", help="accepted for uniformity; the output is always JSON")
    options = parser.parse_args()
    if options.questions // PARTS <= WARM_UP:
        parser.error(f"--questions: at least {PARTS * (WARM_UP + 1)}: the first {WARM_UP} of each fifth do not count")
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary) / "pool"
        directory.mkdir(mode=0o700)
        with opened(options.store, directory) as store:
            key = LinkageKey(os.urandom(32))
            filled = fill(directory, options.records, options.questions, store.url, key, schema=options.schema)
            store.settle()
            report = measure(filled, store, RecordEncoder.for_key(key, options.schema), options.batch)
            filled.services.database.close()
    show(
        {
            "benchmark": "latency",
            "pool": options.records,
            "schema": options.schema,
            "store": options.store,
            "questions": len(filled.questions),
            **report,
            "encode_rows_per_second": round(options.records / filled.encode_seconds),
            "intake_rows_per_second": round(options.records / filled.intake_seconds),
        }
    )


if __name__ == "__main__":
    main()
