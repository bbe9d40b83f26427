"""How long a screening takes: `python -m benchmarks.latency --records 100000 --json`.

Fills a fresh SQLite pool with a generated market, then asks about people who are in it under another insurer's
spelling, half of them for each figure and each once. `process` times the use case (look-up, scoring, decision, hits and
screening stored); `lookup` the reading part of it alone. Medians and tails, one question at a time.
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

from benchmarks.machine import show
from benchmarks.pool import LINE, Filled, fill
from matching.types import EncodedSubject
from repository.domain.screening import Purpose, Question
from repository.services import pool
from repository.services.screening import Asking, screen

WARM_UP = 20


def times(ask: Callable[[EncodedSubject], object], questions: Sequence[EncodedSubject]) -> dict[str, float]:
    """Percentiles in milliseconds of questions asked for the first time; the first few warm up and do not count."""
    spent = []
    for number, question in enumerate(questions):
        started = time.perf_counter()
        ask(question)
        if number >= WARM_UP:
            spent.append((time.perf_counter() - started) * 1000)
    return {f"p{at}_ms": round(float(np.percentile(spent, at)), 3) for at in (50, 95, 99)}


def measure(filled: Filled) -> dict[str, Any]:
    """Time screenings and their reading part."""
    services, asker = filled.services, filled.asker
    asking = Asking(Purpose("new_business", LINE, None), filled.fingerprint)

    numbers = itertools.count(1)

    def whole(subject: EncodedSubject) -> dict[str, Any]:
        question = Question(f"Q-{next(numbers)}", subject)
        return screen(services, asker.actor, asker.member, asking, [question])[0]

    def reading(subject: EncodedSubject) -> object:
        with services.database.read() as session:
            rekeyed = pool.rekeyed(services.sealer, [subject])
            return pool.link(services, session.connection(), asker.member, rekeyed)

    half = len(filled.questions) // 2
    process, lookup = times(whole, filled.questions[:half]), times(reading, filled.questions[half:])
    found = [whole(subject) for subject in filled.questions]
    return {
        "process": process,
        "lookup": lookup,
        "enquire_share": round(sum(answer["answer"] == "enquire" for answer in found) / len(found), 3),
    }


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000, help="subjects in the pool")
    parser.add_argument("--questions", type=int, default=500)
    parser.add_argument("--json", action="store_true", help="accepted for uniformity; the output is always JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        filled = fill(Path(directory) / "pool", options.records, options.questions)
        report = measure(filled)
        filled.services.database.close()
    show(
        {
            "benchmark": "latency",
            "pool": options.records,
            "store": "sqlite",
            "questions": len(filled.questions),
            **report,
            "encode_rows_per_second": round(options.records / filled.encode_seconds),
            "intake_rows_per_second": round(options.records / filled.intake_seconds),
        }
    )


if __name__ == "__main__":
    main()
