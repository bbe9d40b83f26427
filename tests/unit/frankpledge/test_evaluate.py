"""`frankpledge evaluate`: the report, and that the truth is only ever scored against."""

from __future__ import annotations

import csv
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner

from benchmarks.market import COLUMNS, Market
from frankpledge.cli import main
from frankpledge.errors import KitError
from frankpledge.evaluate import evaluate

NOTHING: frozenset[str] = frozenset()


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    """Rows as a CSV file."""
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    """A small market: some 300 people, each at two insurers."""
    return list(Market(5).rows(300))


def test_duplicates_within_a_file(rows: list[dict[str, str]], tmp_path: Path) -> None:
    """On a small market the report is complete and the linkage good."""
    report = evaluate(write(tmp_path / "a.csv", rows), None, truth="cluster", drop=NOTHING)
    assert report["rows"] == len(rows)
    assert report["pairs_completeness"] > 0.95
    assert report["reduction_ratio"] > 0.9
    assert report["best"]["f1"] > 0.9
    assert report["bands"]["strong"]["precision"] >= report["bands"]["possible"]["precision"]
    assert 0 <= report["calibration"]["expected_calibration_error"] < 0.1


def test_two_files_and_a_dropped_column(rows: list[dict[str, str]], tmp_path: Path) -> None:
    """Two files are linked with each other, under another schema; a dropped column plays no part."""
    seen: set[str] = set()
    left: list[dict[str, str]] = []
    right: list[dict[str, str]] = []
    for row in rows:
        (right if row["cluster"] in seen else left).append(row)
        seen.add(row["cluster"])
    one, other = write(tmp_path / "a.csv", left), write(tmp_path / "b.csv", right)
    report = evaluate(one, other, truth="cluster", drop=frozenset({"phone", "email"}), schema="broad")
    assert report["training"]["schema"] == "broad/1"
    assert report["true_pairs"] == len(right)
    assert report["best"]["f1"] > 0.9


def test_the_truth_reaches_no_model(rows: list[dict[str, str]], tmp_path: Path) -> None:
    """With every cluster made different nothing is true any more, yet as many pairs are found and trained on."""
    alone = [row | {"cluster": row["ref"]} for row in rows]
    report = evaluate(write(tmp_path / "a.csv", alone), None, truth="cluster", drop=NOTHING)
    assert report["true_pairs"] == 0
    assert report["pairs_completeness"] is None
    assert report["candidates"] > len(rows) / 4
    assert report["training"]["labels_used"] is False


def test_a_missing_truth_column_is_named(rows: list[dict[str, str]], tmp_path: Path) -> None:
    """Without the column of the true person there is a clear error."""
    with pytest.raises(KitError, match="no column 'person'"):
        evaluate(write(tmp_path / "a.csv", rows), None, truth="person", drop=NOTHING)


def test_rows_too_poor_to_encode(tmp_path: Path) -> None:
    """A file in which no row holds enough gives an error instead of empty figures."""
    poor = [dict.fromkeys(COLUMNS, "") | {"ref": "1", "cluster": "1", "given_name": "Ada"}]
    with pytest.raises(KitError, match="enough"):
        evaluate(write(tmp_path / "a.csv", poor), None, truth="cluster", drop=NOTHING)


def test_command_prints_json_or_a_table(rows: list[dict[str, str]], tmp_path: Path) -> None:
    """`--json` prints the report; without it a table; a column that cannot be dropped is refused."""
    path = str(write(tmp_path / "a.csv", rows))
    run = CliRunner()
    assert orjson.loads(run.invoke(main, ["evaluate", "--left", path, "--json"]).stdout)["rows"] == len(rows)
    assert "strong or better" in run.invoke(main, ["evaluate", "--left", path]).stdout
    refused = run.invoke(main, ["evaluate", "--left", path, "--drop", "cluster"])
    assert refused.exit_code == 2
    assert "no column 'cluster' to drop" in refused.output
    refused = run.invoke(main, ["evaluate", "--left", path, "--schema", "open/9"])
    assert (refused.exit_code, "There are guarded/1, broad/1." in refused.output) == (2, True)
