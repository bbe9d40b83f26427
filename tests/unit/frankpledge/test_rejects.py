"""The rejects file and the counts."""

from __future__ import annotations

import csv
from pathlib import Path

import orjson
import pytest

from frankpledge.rejects import Reject, RejectsFile, Tally

REJECTS = [Reject(3, "date", 'expected a "date", or none'), Reject(9, "subjects[4].role", "is missing")]


def test_csv_by_suffix(tmp_path: Path) -> None:
    """A .csv has a heading and quotes what needs it."""
    path = tmp_path / "rejects.csv"
    with RejectsFile(path) as out:
        out.write(REJECTS)
    with path.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.reader(handle))
    assert rows == [["row", "field", "reason"], *[[str(r.row), r.field, r.reason] for r in REJECTS]]


def test_ndjson_otherwise(tmp_path: Path) -> None:
    """Any other name gets one JSON object a line."""
    path = tmp_path / "rejects.ndjson"
    with RejectsFile(path) as out:
        out.write(REJECTS)
    assert [Reject(**orjson.loads(line)) for line in path.read_bytes().splitlines()] == REJECTS


def test_without_a_path_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No --rejects, no file."""
    monkeypatch.chdir(tmp_path)
    with RejectsFile(None) as out:
        out.write(REJECTS)
    assert list(tmp_path.iterdir()) == []


def test_places_in_a_list_are_counted_together() -> None:
    """The summary does not grow with the number of subjects."""
    tally = Tally()
    tally.count([Reject(1, f"subjects[{n}].role", "is missing") for n in range(50)])
    assert tally.rejects == {("subjects.role", "is missing"): 50}
