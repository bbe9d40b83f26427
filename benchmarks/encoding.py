"""How fast a member encodes, and how large records are: `python -m benchmarks.encoding --records 20000`.

Standardises, encodes and serialises generated persons as `frankpledge encode` does, in one process. Times are processor
time, so other work on the machine counts for less; `stages` splits them.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time

from benchmarks.machine import show
from benchmarks.market import Market
from frankpledge import standardise
from frankpledge.drafts import Draft, Refused, drafts
from frankpledge.facts import Defaults
from frankpledge.keys import LinkageKey
from frankpledge.mapping import plan
from frankpledge.readers.base import Row
from frankpledge.records import CHUNK_ROWS, RecordEncoder

ROUNDS = 3


def make_drafts(records: int) -> list[Draft | Refused]:
    """Drafts of generated customers of whom every field is known."""
    rows = list(Market(9, missing={}).rows(records // 2))
    headings = [name for name in rows[0] if name != "cluster"]
    columns = plan(headings, {})
    defaults = Defaults(record_class="customer", line="motor", date="2026-03-01", role=None, date_format=None)
    source = (Row(number, {name: row[name] for name in headings}) for number, row in enumerate(rows, 1))
    return list(drafts(source, columns, defaults))


def encode_seconds(encoder: RecordEncoder, filings: list[Draft | Refused]) -> tuple[float, list[bytes]]:
    """Processor seconds of encoding all drafts, and the lines."""
    lines: list[bytes] = []
    started = time.process_time()
    for start in range(0, len(filings), CHUNK_ROWS):
        lines += encoder.filings(filings[start : start + CHUNK_ROWS]).lines
    return time.process_time() - started, lines


def standardise_seconds(filings: list[Draft | Refused]) -> float:
    """Processor seconds of standardising the same persons."""
    started = time.process_time()
    for draft in filings:
        if isinstance(draft, Draft):
            for party in draft.parties:
                if party.kind == "person":
                    standardise.person(party.raw)
    return time.process_time() - started


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=20_000)
    options = parser.parse_args()
    filings = make_drafts(options.records)
    persons = sum(party.kind == "person" for draft in filings if isinstance(draft, Draft) for party in draft.parties)
    rates: list[float] = []
    lines: list[bytes] = []
    for _ in range(ROUNDS):
        seconds, lines = encode_seconds(RecordEncoder.for_key(LinkageKey(os.urandom(32))), filings)
        rates.append(persons / seconds)
    sizes = [len(line) for line in lines]
    show(
        {
            "benchmark": "encoding",
            "persons": persons,
            "persons_per_second": round(statistics.median(rates)),
            "standardising_per_second": round(persons / standardise_seconds(filings)),
            "line_bytes": {"median": round(statistics.median(sizes)), "largest": max(sizes)},
            "fields": "every field of every person, and a vehicle subject with each",
        }
    )


if __name__ == "__main__":
    main()
