"""The comparisons with peers, on some hundred records and without the peers."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import crossref, encode
from benchmarks.books import make_books
from benchmarks.crossref import compared


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The report that was printed."""
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    return report


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    """What comparing two books of 300 tells where anonlink is not installed and Splink's Python is missing."""
    with pytest.MonkeyPatch.context() as patch:
        shown: list[dict[str, Any]] = []
        patch.setattr(crossref, "show", shown.append)
        absent = ["--peers-python", "/nowhere/python"]
        crossref.main(["--records", "300", "--queries", "5", "--peers", "anonlink", "rapidfuzz", *absent, "--json"])
    return shown[0]


def test_ours_links_two_books(report: dict[str, Any]) -> None:
    """Our own linkage finds nearly all who are in both books and hardly anyone else, and tells each stage's time."""
    ours = report["tools"]["ours"]
    assert ours["quality"]["f1"] > 0.9, ours
    assert {"encode", "candidates", "compare", "solve"} <= set(ours["seconds"])
    assert ours["end_to_end"] == pytest.approx(sum(ours["seconds"].values()), abs=0.01)
    assert ours["peak_mb"]["process"] > 10
    assert report["true_pairs"] == 150


def test_what_is_not_installed_is_told(report: dict[str, Any]) -> None:
    """A peer that is absent is named with the command that installs it, and has no ratio."""
    assert report["tools"]["anonlink"] == {"absent": "anonlink is not installed: run make bench-peers"}
    assert "anonlink" not in report["times_ours"]


def test_brute_force_is_measured_for_some_and_told_for_all(report: dict[str, Any]) -> None:
    """WRatio's time for five questions is multiplied to that for all, and one pass of it set against a screening."""
    brute = report["tools"]["rapidfuzz"]
    assert brute["queries"] == 5
    assert brute["seconds"]["compare, extrapolated"] == pytest.approx(brute["measured_seconds"] * 60, rel=0.1, abs=0.05)
    assert brute["quality"]["recall"] > 0.5
    screening = report["screening"]
    assert screening["times_faster"] == pytest.approx(brute["one_pass_ms"] / screening["p50_ms"], abs=0.1)


def test_a_peer_that_is_too_slow_or_breaks_is_told_as_such(tmp_path: Path) -> None:
    """A tool that exceeds the limit is given up, one that fails says why, and neither ends the run."""
    books = make_books(tmp_path, 20, seed=1, identifiers=False)
    options = crossref.parse(["--limit", "0.01"])
    assert crossref.run("ours", books, options) == {"gave_up_after_seconds": 0.01}
    books.files[1].write_text("ref\n", "utf-8")
    failed = crossref.run("rapidfuzz", books, crossref.parse([]))
    assert "ValueError" in failed["failed"][0]


def test_a_peers_python_without_the_peer_is_no_peer() -> None:
    """A Python that lacks the package is as good as none; one for which none is needed is our own."""
    assert crossref.python_for(crossref.TOOLS["splink"], Path(sys.executable)) is None
    assert crossref.python_for(crossref.TOOLS["rapidfuzz"], Path("/nowhere")) == sys.executable


def test_a_given_screening_takes_the_place_of_the_one_in_memory() -> None:
    """The ratio is of the median that was given, and the report says so; a tool that gave up has no ratio."""
    tools: dict[str, dict[str, Any]] = {
        "ours": {"end_to_end": 2.0, "screening": {"p50_ms": 1.0}},
        "anonlink": {"end_to_end": 11.0},
        "splink": {"gave_up_after_seconds": 9.0},
        "rapidfuzz": {"end_to_end": 100.0, "one_pass_ms": 500.0},
    }
    report = compared(tools, 4.0)
    assert report["times_ours"] == {"anonlink": 5.5, "rapidfuzz": 50.0}
    assert report["screening"] == {
        "p50_ms": 4.0, "measured": "given", "wratio_pass_ms": 500.0, "times_faster": 125.0
    }  # fmt: skip
    assert compared(tools, None)["screening"]["times_faster"] == 500.0


def test_encoding_is_measured_without_the_peer(capsys: pytest.CaptureFixture[str]) -> None:
    """Rows a second in one process and on all cores, and bytes of a line; clkhash is told to be absent."""
    encode.main(["--records", "200", "--rounds", "1", "--peers-python", "/nowhere/python", "--json"])
    report = told(capsys)
    assert report["clkhash"] == {"absent": "clkhash is not installed: run make bench-peers"}
    ours = report["ours"]
    assert min(ours["rows_per_second"].values()) > 0
    assert 1000 < ours["bytes"]["median"] <= ours["bytes"]["largest"] < 5000
    assert report["machine"]["cores"]
