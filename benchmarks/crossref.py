"""Link a book of customers with another, against what a user would otherwise pick.

`python -m benchmarks.crossref --records 100000 --json` makes two books of so many records, half of whose people are in
both, and has each tool link them, one after the other, each in a process of its own: this project (`ours`), clkhash and
anonlink (`anonlink`), Splink on the plain text (`splink`), rapidfuzz's WRatio on the plain text (`rapidfuzz`, measured
for some records and told for all). Of each: seconds by stage and end to end, from the files to the links; precision,
recall and F1 of the links against the true ones, and the best F1 that a higher threshold would have given; peak memory.
`times_ours` is the end-to-end time over ours.

`screening` sets one question against one pass of WRatio over as many strings. The question is ours in memory (encode,
look up, compare, weigh; no database, no HTTP), or `--screening-ms` gives the median of `benchmarks.latency`, over a
pool of as many records.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.books import Books, make_books, quality
from benchmarks.machine import REPOSITORY, show
from benchmarks.peers.common import Link

PEERS_PYTHON = REPOSITORY / ".venv-peers" / "bin" / "python"


@dataclass(frozen=True, slots=True)
class Tool:
    """A module of `benchmarks.peers`, and the package that the peers' Python must have for it, if any."""

    module: str
    package: str | None = None


TOOLS = {
    "ours": Tool("ours"),
    "anonlink": Tool("clk", "anonlink"),
    "splink": Tool("plain", "splink"),
    "rapidfuzz": Tool("brute"),
}


def python_for(tool: Tool, peers: Path) -> str | None:
    """The Python that runs a tool; None where what it needs is not installed."""
    if tool.package is None:
        return sys.executable
    if not peers.exists():
        return None
    found = subprocess.run([peers, "-c", f"import {tool.package}"], capture_output=True, check=False)
    return str(peers) if found.returncode == 0 else None


def run(name: str, books: Books, options: argparse.Namespace) -> dict[str, Any]:
    """Have one tool link the books, and score what it found."""
    python = python_for(TOOLS[name], options.peers_python)
    if python is None:
        return {"absent": f"{TOOLS[name].package} is not installed: run make bench-peers"}
    links = books.files[0].with_name(f"{name}.csv")
    more: list[object] = {"ours": ["--screenings", options.queries], "rapidfuzz": ["--queries", options.queries]}.get(
        name, []
    )
    module = f"benchmarks.peers.{TOOLS[name].module}"
    command = [python, "-m", module, *map(str, (*books.files, "--links", links, *more))]
    try:
        done = subprocess.run(
            command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=options.limit
        )
    except subprocess.TimeoutExpired:
        return {"gave_up_after_seconds": options.limit}
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-1:]}
    told: dict[str, Any] = json.loads(done.stdout)
    return told | {"quality": quality(books, read_links(links), asked=told.get("queries"))}


def read_links(path: Path) -> list[Link]:
    """The links that a tool wrote."""
    with path.open(encoding="utf-8", newline="") as handle:
        return [(int(row), int(other), float(score)) for row, other, score in csv.reader(handle)]


def compared(told: dict[str, dict[str, Any]], given_ms: float | None) -> dict[str, Any]:
    """How many times as long as ours each tool took, and a screening beside one pass over all strings."""
    ours, brute = told.get("ours", {}), told.get("rapidfuzz", {})
    report: dict[str, Any] = {
        "times_ours": {
            name: round(each["end_to_end"] / ours["end_to_end"], 2)
            for name, each in told.items()
            if name != "ours" and "end_to_end" in each and "end_to_end" in ours
        }
    }
    question = given_ms if given_ms is not None else ours.get("screening", {}).get("p50_ms")
    if question and "one_pass_ms" in brute:
        report["screening"] = {
            "p50_ms": question,
            "measured": "given" if given_ms is not None else "here, in memory, encoding included",
            "wratio_pass_ms": brute["one_pass_ms"],
            "times_faster": round(brute["one_pass_ms"] / question, 1),
        }
    return report


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=100_000, help="in each of the two books")
    parser.add_argument("--peers", nargs="*", choices=[*TOOLS][1:], default=[*TOOLS][1:], help="besides ours")
    parser.add_argument("--identifiers", action="store_true", help="have phone, email and numbers in the files too")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--queries", type=int, default=100, help="records to look up one by one")
    parser.add_argument("--limit", type=float, default=1800.0, help="seconds after which a tool is given up")
    parser.add_argument("--screening-ms", type=float, help="median of benchmarks.latency, in place of that in memory")
    parser.add_argument("--peers-python", type=Path, default=PEERS_PYTHON, help="where the peers are installed")
    parser.add_argument("--json", action="store_true", help="accepted for uniformity; the output is always JSON")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the books, link, print."""
    options = parse(arguments)
    with tempfile.TemporaryDirectory() as directory:
        books = make_books(Path(directory), options.records, seed=options.seed, identifiers=options.identifiers)
        told = {name: run(name, books, options) for name in ("ours", *options.peers)}
    shape = {
        "records": options.records,
        "true_pairs": books.true_pairs,
        "identifiers": options.identifiers,
        "seed": options.seed,
        "cores": os.cpu_count(),
    }
    show({"benchmark": "crossref", **shape, **compared(told, options.screening_ms), "tools": told})


if __name__ == "__main__":
    main()
