"""How well linking works, side by side with the field's tools, on the same data and in the same run.

`python -m benchmarks.quality` links FEBRL 3 and 4 (with and without the national id), the historical persons and the
generated market, with this project (each shipped schema, by a model trained on the encodings without labels and by the
shipped model) and with its peers, and tells of each the best pairwise F1, what the bands are worth, and more. What was
measured is kept under `--work`, so that a run that was ended goes on; a change of the code has it measured again.
`--quick` takes a market of 5,000 people and looks up fewer records by brute force. `--write-docs` puts the tables and
charts of a full run into the documentation.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import orjson

from benchmarks.crossref import PEERS_PYTHON
from benchmarks.machine import REPOSITORY, machine
from benchmarks.quality.report import Report, gather
from benchmarks.quality.runs import Run
from benchmarks.quality.sets import SOURCES, USUAL
from benchmarks.quality.tables import TABLES, written

WORK = REPOSITORY / "build" / "quality"
PEOPLE, QUICK_PEOPLE = 100_000, 5_000
SIZES, QUICK_SIZES = (5_000, 20_000), (2_000,)
HEADS = 2
"""Lines of a table without rows."""
FIGURES = REPOSITORY / "docs" / "figures" / "quality.json"
DOCUMENT = REPOSITORY / "docs" / "matching.md"
IMAGES = REPOSITORY / "docs" / "images"


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a small market, fewer strings by brute force")
    parser.add_argument(
        "--only",
        action="append",
        choices=[*SOURCES],
        help="this set only; may be repeated, and may be one that is only measured if asked for",
    )
    parser.add_argument("--people", type=int, help="of the market; 100,000, or 5,000 if quick")
    parser.add_argument("--no-peers", action="store_true", help="this project only")
    parser.add_argument("--again", action="store_true", help="measure again what was measured before")
    parser.add_argument("--work", type=Path, default=WORK, help="where sets and results are kept")
    parser.add_argument("--peers-python", type=Path, default=PEERS_PYTHON, help="where the peers are installed")
    parser.add_argument("--json", action="store_true", help="print JSON, not tables")
    parser.add_argument("--write-docs", action="store_true", help="write tables, charts and figures into docs/")
    options = parser.parse_args(arguments)
    if options.write_docs and (options.only or options.quick or options.no_peers):
        parser.error("--write-docs needs a full run of every set")
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and write if asked."""
    options = parse(arguments)
    people = options.people or (QUICK_PEOPLE if options.quick else PEOPLE)
    run = Run(
        options.work, people, options.quick, options.peers_python, again=options.again, with_peers=not options.no_peers
    )
    sizes = [*(size for size in (QUICK_SIZES if options.quick else SIZES) if size < people), people]
    report, results = gather(run, options.only or USUAL, sizes)
    if options.json:
        print(orjson.dumps({**report, "machine": machine()}, option=orjson.OPT_INDENT_2).decode())
    else:
        show(report)
    if options.write_docs:
        from benchmarks.quality.drawing import draw  # noqa: PLC0415 - slow to import, and an extra

        draw(results, people, IMAGES)
        write(report)


def write(report: Report) -> None:
    """Put the figures and the tables into the documentation."""
    FIGURES.parent.mkdir(exist_ok=True)
    FIGURES.write_bytes(orjson.dumps(report) + b"\n")
    DOCUMENT.write_text(written(DOCUMENT.read_text("utf-8"), report), "utf-8")


def show(report: Report) -> None:
    """Print the tables, and which bars do not hold."""
    for name, table in TABLES.items():
        if (lines := table(report)).count("\n") > HEADS:
            print(f"{name}\n\n{lines}")
    for bar in report["bars"]:
        if not bar["holds"]:
            print(f"missed: {bar['set']}, {bar['tool']}: {bar['what']} {bar['measured']} (aimed for {bar['bar']})")


if __name__ == "__main__":
    main()
