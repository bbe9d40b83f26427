"""`frankpledge evaluate`: how well a file links, measured through the very code of the pool.

The file is standardised and encoded, a model is trained on the encodings alone, and the pairs are scored against the
column that names the true person. That column is read for scoring only: it reaches neither encoder nor model.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt
import orjson
from rich.console import Console
from rich.table import Table

from frankpledge.errors import KitError
from frankpledge.keys import LinkageKey
from frankpledge.mapping import plan
from frankpledge.parties import COLUMNS, Party
from frankpledge.readers import open_source
from frankpledge.records import CHUNK_ROWS, RecordEncoder
from frankpledge.rejects import Reject
from matching.candidates import Candidates
from matching.corpus import compare_sets, link_sets, weigh_sets
from matching.evaluation import OperatingPoint, band_quality, best_point, calibration_error
from matching.model import DEFAULT_BANDS
from matching.schema import DEFAULT_SCHEMA, UnknownSchemaError, load_schema, schema_id, shipped_schemas
from matching.types import EncodedSubject

NOBODY = ""
PERSON = COLUMNS["person"]


@dataclass(frozen=True, slots=True)
class Encoded:
    """One file, encoded: `subjects`, the true person of each (empty when unknown), and how many rows it had."""

    subjects: list[EncodedSubject]
    truth: list[str]
    all_truth: Counter[str]
    rows: int
    seconds: float


def encode_file(path: Path, encoder: RecordEncoder, *, truth: str, drop: frozenset[str]) -> Encoded:
    """Encode the persons of an extract. Raises KitError when the truth column is not there."""
    source = open_source(path)
    try:
        if truth not in source.headings:
            raise KitError(f"{path} has no column {truth!r}.", "Name the column of the true person with --truth.")
        columns = plan(source.headings, {truth: ""}, ignore_unknown=True)
        started = time.perf_counter()
        parties, people = [], []
        for row in source.rows():
            if isinstance(row, Reject):
                raise KitError(f"Row {row.row} of {path} cannot be read: {row.reason}.", "Mend it and run again.")
            cells = columns.apply(row.cells)
            raw = {name: cells[name] for name in PERSON if name in cells and name not in drop}
            parties.append(Party("person", "policyholder", raw))
            people.append(row.cells.get(truth, NOBODY))
    finally:
        source.close()
    subjects: list[EncodedSubject] = []
    known: list[str] = []
    for start in range(0, len(parties), CHUNK_ROWS):
        encoded, _ = encoder.parties(parties[start : start + CHUNK_ROWS])
        for subject, person in zip(encoded, people[start : start + CHUNK_ROWS], strict=True):
            if subject is not None:
                subjects.append(subject)
                known.append(person)
    return Encoded(subjects, known, Counter(people), len(parties), time.perf_counter() - started)


def _true_pairs(left: Encoded, right: Encoded | None) -> int:
    """How many pairs are true, those included whose records were too poor to encode."""
    if right is None:
        return sum(count * (count - 1) // 2 for person, count in left.all_truth.items() if person != NOBODY)
    return sum(count * right.all_truth[person] for person, count in left.all_truth.items() if person != NOBODY)


def _is_match(left: Encoded, right: Encoded, found: Candidates) -> npt.NDArray[np.bool_]:
    ours = np.array(left.truth, dtype=np.str_)[found.rows]
    theirs = np.array(right.truth, dtype=np.str_)[found.others]
    match: npt.NDArray[np.bool_] = (ours == theirs) & (ours != NOBODY)
    return match


def evaluate(
    left: Path, right: Path | None, *, truth: str, drop: frozenset[str], schema: str = DEFAULT_SCHEMA
) -> dict[str, Any]:
    """Measure the linkage of two files, or the de-duplication of one, under a schema; the report of the command."""
    key = LinkageKey(os.urandom(32), epoch=1)
    encoder = RecordEncoder.for_key(key, schema)
    started = time.perf_counter()
    ours = encode_file(left, encoder, truth=truth, drop=drop)
    theirs = encode_file(right, encoder, truth=truth, drop=drop) if right else None
    if not ours.subjects or (theirs is not None and not theirs.subjects):
        raise KitError("No row holds enough to be encoded.", "Check the headings against the columns of the kit.")
    linkage = load_schema(schema)
    compared = compare_sets(ours.subjects, theirs.subjects if theirs else None, "person", linkage)
    linked, trained = link_sets(compared)
    seconds = time.perf_counter() - started
    alone = weigh_sets(compared, trained.model, alone=True)
    is_match = _is_match(ours, theirs or ours, linked.candidates)
    met = _is_match(ours, theirs or ours, alone.candidates)
    true_pairs = _true_pairs(ours, theirs)
    rows = ours.rows + (theirs.rows if theirs else 0)
    possible = ours.rows * theirs.rows if theirs else ours.rows * (ours.rows - 1) // 2
    best = best_point(linked.weights, is_match, true_pairs)
    each_alone = best_point(alone.weights, met, true_pairs)
    quality = band_quality(linked.probabilities, is_match, true_pairs, DEFAULT_BANDS)
    encoding = ours.seconds + (theirs.seconds if theirs else 0.0)
    return {
        "rows": rows,
        "encoded": len(ours.subjects) + (len(theirs.subjects) if theirs else 0),
        "seconds": round(seconds, 2),
        "encoding_rows_per_second": round(rows / encoding),
        "true_pairs": true_pairs,
        "candidates": len(alone.candidates),
        "pairs_completeness": round(int(met.sum()) / true_pairs, 4) if true_pairs else None,
        "reduction_ratio": round(1 - len(alone.candidates) / possible, 6) if possible else None,
        "best": _point(best),
        "best_of_pairs_alone": _point(each_alone),
        "bands": {
            band.label: {"precision": None if precision is None else round(precision, 4), "recall": round(recall, 4)}
            for band, (precision, recall) in quality.items()
        },
        "calibration": {"expected_calibration_error": round(calibration_error(linked.probabilities, is_match), 5)},
        "training": {"rounds": trained.rounds, "schema": linkage.id, "labels_used": False},
    }


def _point(best: OperatingPoint) -> dict[str, float]:
    return {name: round(getattr(best, name), 4) for name in ("f1", "precision", "recall", "weight")}


def _show(report: dict[str, Any]) -> None:
    table = Table(title=f"{report['rows']:,} rows in {report['seconds']} s, {report['candidates']:,} candidate pairs")
    for heading in ("threshold", "precision", "recall"):
        table.add_column(heading, justify="left" if heading == "threshold" else "right")
    for label, row in report["bands"].items():
        precision = "-" if row["precision"] is None else f"{row['precision']:.4f}"
        table.add_row(f"{label} or better", precision, f"{row['recall']:.4f}")
    best = report["best"]
    table.add_row(
        f"best F1 {best['f1']:.4f} ({best['weight']:+.1f} bits)", f"{best['precision']:.4f}", f"{best['recall']:.4f}"
    )
    alone = report["best_of_pairs_alone"]
    table.add_row(f"each pair alone: {alone['f1']:.4f}", f"{alone['precision']:.4f}", f"{alone['recall']:.4f}")
    console = Console()
    console.print(table)
    console.print(
        f"pairs completeness {report['pairs_completeness']}, reduction ratio {report['reduction_ratio']}, "
        f"expected calibration error {report['calibration']['expected_calibration_error']}"
    )


@click.command("evaluate")
@click.option("--left", type=click.Path(path_type=Path), required=True, help="The file, or the first of two.")
@click.option("--right", type=click.Path(path_type=Path), help="The file to link it with; without it, duplicates.")
@click.option("--truth", default="cluster", show_default=True, help="Column naming the true person; for scoring only.")
@click.option("--drop", multiple=True, metavar="COLUMN", help="Leave a column out of the encoding; may be repeated.")
@click.option("--schema", default=DEFAULT_SCHEMA, show_default=True, help="Linkage schema, such as broad.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(*, left: Path, right: Path | None, truth: str, drop: tuple[str, ...], schema: str, as_json: bool) -> None:
    """Measure the linkage on a file whose true links are known."""
    unknown = [column for column in drop if column not in PERSON]
    if unknown:
        raise KitError(f"There is no column {unknown[0]!r} to drop.", f"The columns are {', '.join(PERSON)}.")
    try:
        chosen = schema_id(schema)
    except UnknownSchemaError:
        raise KitError("There is no such linkage schema.", f"There are {', '.join(shipped_schemas())}.") from None
    report = evaluate(left, right, truth=truth, drop=frozenset(drop), schema=chosen)
    if as_json:
        click.echo(orjson.dumps(report, option=orjson.OPT_INDENT_2).decode())
    else:
        _show(report)
