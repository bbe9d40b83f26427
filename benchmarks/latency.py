"""How long a screening takes: `python -m benchmarks.latency --records 100000 --store postgresql --json`.

Fills a fresh pool with a generated market, then asks about people who are in it under another insurer's spelling, each
once. `process` times the use case (look-up, scoring, decision, hits and screening stored) and `lookup` the reading part
of it alone, both in this process; `http` times a client of the real server. Medians and tails, one question at a time.
`per_cpu_second` is how many questions a second of processor time answers, the server's processes and the database's
together, without the client's.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import cpu
from benchmarks.machine import show
from benchmarks.pool import LINE, Filled, fill
from benchmarks.serving import served
from benchmarks.stores import STORES, Store, opened
from matching.types import EncodedSubject
from repository.domain.screening import Purpose, Question
from repository.services import pool
from repository.services.asking import Asking
from repository.services.screening import screen

WARM_UP = 40


def times(ask: Callable[[EncodedSubject], object], questions: Sequence[EncodedSubject]) -> dict[str, float]:
    """Percentiles in milliseconds of questions asked for the first time; the first few warm up and do not count."""
    spent = []
    for number, question in enumerate(questions):
        started = time.perf_counter()
        ask(question)
        if number >= WARM_UP:
            spent.append((time.perf_counter() - started) * 1000)
    return {f"p{at}_ms": round(float(np.percentile(spent, at)), 3) for at in (50, 95, 99)}


def measure(filled: Filled, store: Store) -> dict[str, Any]:
    """Time a third of the questions in each of the three ways."""
    services, asker = filled.services, filled.asker
    asking = Asking(Purpose("new_business", LINE, None), filled.fingerprint)
    numbers = itertools.count(1)

    def whole(subject: EncodedSubject) -> dict[str, Any]:
        question = Question(f"Q-{next(numbers)}", subject)
        return screen(services, asker.actor, asker.member, asking, [question])[0]

    def reading(subject: EncodedSubject) -> object:
        with services.database.glancing() as connection:
            return pool.link(services, connection, asker.member, pool.rekeyed(services.sealer, [subject]))

    first, second, third = (filled.questions[place::3] for place in range(3))
    answers: list[str] = []
    process = times(lambda subject: answers.append(whole(subject)["answer"]), first)
    lookup = times(reading, second)
    http, per_cpu_second = over_http(filled, store, third)
    enquire = round(answers.count("enquire") / len(answers), 3)
    return {
        "process": process,
        "lookup": lookup,
        "http": http,
        "per_cpu_second": per_cpu_second,
        "enquire_share": enquire,
    }


def over_http(filled: Filled, store: Store, questions: Sequence[EncodedSubject]) -> tuple[dict[str, float], float]:
    """Time questions to the real server, and count how many a second of processor time answers."""
    numbers = itertools.count(1)
    with served(filled) as (ask, server):
        processes = [server, *([store.process] if store.process else [])]
        used: list[float] = []

        def once(subject: EncodedSubject) -> None:
            number = next(numbers)
            if number == WARM_UP + 1:
                used.append(sum(map(cpu.seconds, processes)))
            ask(f"H-{number}", subject)

        found = times(once, questions)
        spent = sum(map(cpu.seconds, processes)) - used[0]
    return found, round((len(questions) - WARM_UP) / spent, 1)


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000, help="subjects in the pool")
    parser.add_argument("--store", choices=STORES, default="sqlite")
    parser.add_argument("--questions", type=int, default=900, help="a third is asked in each way")
    parser.add_argument("--json", action="store_true", help="accepted for uniformity; the output is always JSON")
    options = parser.parse_args()
    if options.questions // 3 <= WARM_UP:
        parser.error(f"--questions: more than {3 * WARM_UP + 2}, as the first {WARM_UP} of each third do not count")
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary) / "pool"
        directory.mkdir(mode=0o700)
        with opened(options.store, directory) as store:
            filled = fill(directory, options.records, options.questions, store.url)
            report = measure(filled, store)
            filled.services.database.close()
    show(
        {
            "benchmark": "latency",
            "pool": options.records,
            "store": options.store,
            "questions": len(filled.questions),
            **report,
            "encode_rows_per_second": round(options.records / filled.encode_seconds),
            "intake_rows_per_second": round(options.records / filled.intake_seconds),
        }
    )


if __name__ == "__main__":
    main()
