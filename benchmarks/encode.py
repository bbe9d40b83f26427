"""How fast a member encodes, and how large records are, against clkhash: `python -m benchmarks.encode --records 20000`.

Ours standardises, encodes and serialises the persons of a file as `frankpledge encode` does, from filings in memory to
lines of NDJSON, in one process and on all cores; making filings of rows is told apart (`drafting_per_second`). clkhash
turns the same rows into Bloom filters under its tutorial's schema, from the file, in one process and on all cores.
Rates are rows in a second of wall time, the median of some rounds, ours and clkhash's by turns; `cpu_rows_per_second`
is of processor time. `make bench-peers` installs clkhash.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.books import make_books
from benchmarks.crossref import PEERS_PYTHON, TOOLS, python_for
from benchmarks.machine import REPOSITORY, show
from benchmarks.peers.common import read
from frankpledge import standardise
from frankpledge.drafts import Draft, Refused, drafts
from frankpledge.facts import Defaults
from frankpledge.keys import LinkageKey
from frankpledge.mapping import plan
from frankpledge.pipeline import encode_here, encode_with_workers
from frankpledge.readers.base import Row
from frankpledge.records import RecordEncoder

ROUNDS = 3
DEFAULTS = Defaults(record_class="customer", line="motor", date="2026-03-01", role=None, date_format=None)

Filings = list[Draft | Refused]


def make_drafts(rows: Sequence[dict[str, str]]) -> Filings:
    """The rows as filings that are not yet encoded."""
    columns = plan(list(rows[0]), {})
    return list(drafts((Row(number, row) for number, row in enumerate(rows, 1)), columns, DEFAULTS))


def make_encoder(key: bytes) -> RecordEncoder:
    """The encoder of a linkage key."""
    return RecordEncoder.for_key(LinkageKey(key))


def ours(filings: Filings, workers: int) -> dict[str, Any]:
    """Encode once on so many processes: seconds of wall and processor time, and the sizes of lines."""
    new = functools.partial(make_encoder, os.urandom(32))
    started, spent = time.perf_counter(), time.process_time()
    chunks = encode_here(filings, new()) if workers == 1 else encode_with_workers(filings, new, workers)
    sizes = [len(line) for chunk in chunks for line in chunk.lines]
    return {"wall": time.perf_counter() - started, "cpu": time.process_time() - spent, "sizes": sizes}


def standardising(filings: Filings) -> float:
    """Processor seconds of standardising the same persons, once more."""
    started = time.process_time()
    for draft in filings:
        for party in draft.parties if isinstance(draft, Draft) else ():
            if party.kind == "person":
                standardise.person(party.raw)
    return time.process_time() - started


def drafting(rows: Sequence[dict[str, str]]) -> float:
    """Processor seconds of making filings of the rows, which comes before encoding."""
    started = time.process_time()
    make_drafts(rows)
    return time.process_time() - started


def theirs(python: str, file: Path, workers: int) -> dict[str, Any]:
    """Have clkhash encode the file on so many processes."""
    command = [python, "-m", f"benchmarks.peers.{TOOLS['anonlink'].module}", str(file), str(file)]
    done = subprocess.run(
        [*command, "--encode-only", str(workers)], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def measure(file: Path, python: str | None, rounds: int) -> dict[str, Any]:
    """The figures of both, their rounds by turns."""
    rows = read(file)
    filings = make_drafts(rows)
    cores = os.cpu_count() or 1
    told: dict[str, list[dict[str, Any]]] = {"one": [], "all": [], "clk_one": [], "clk_all": []}
    for _ in range(rounds):
        told["one"].append(ours(filings, 1))
        told["all"].append(ours(filings, max(2, cores)))
        if python is not None:
            told["clk_one"].append(theirs(python, file, 1))
            told["clk_all"].append(theirs(python, file, cores))

    def rate(name: str, seconds: str) -> int:
        return int(len(rows) / statistics.median([each[seconds] for each in told[name]]))

    sizes = told["one"][0]["sizes"]
    report: dict[str, Any] = {
        "ours": {
            "rows_per_second": {"one_process": rate("one", "wall"), "all_cores": rate("all", "wall")},
            "cpu_rows_per_second": rate("one", "cpu"),
            "drafting_per_second": round(len(rows) / drafting(rows)),
            "standardising_per_second": round(len(rows) / standardising(filings)),
            "bytes": {"median": round(statistics.median(sizes)), "largest": max(sizes)},
        }
    }
    if python is None:
        return report | {"clkhash": {"absent": "clkhash is not installed: run make bench-peers"}}
    rates = {"one_process": rate("clk_one", "wall"), "all_cores": rate("clk_all", "wall")}
    spent = rate("clk_one", "cpu")
    ratio = {name: round(report["ours"]["rows_per_second"][name] / rates[name], 2) for name in rates}
    ratio["cpu"] = round(report["ours"]["cpu_rows_per_second"] / spent, 2)
    clk = {"rows_per_second": rates, "cpu_rows_per_second": spent, "bytes": told["clk_one"][0]["bytes"]}
    return report | {"clkhash": clk, "ours_over_clkhash": ratio}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--identifiers", action="store_true", help="have phone, email and numbers in the file too")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--peers-python", type=Path, default=PEERS_PYTHON, help="where clkhash is installed")
    parser.add_argument("--json", action="store_true", help="accepted for uniformity; the output is always JSON")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as directory:
        books = make_books(Path(directory), options.records, seed=9, identifiers=options.identifiers)
        python = python_for(TOOLS["anonlink"], options.peers_python)
        report = measure(books.files[0], python, options.rounds)
    show({"benchmark": "encode", "records": options.records, "identifiers": options.identifiers, **report})


if __name__ == "__main__":
    main()
