"""The benchmark of sizes finds all that is kept of a record, and how long its line is."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import footprint


def test_what_is_kept_of_a_record_is_found_by_table(tmp_path: Path) -> None:
    """The parts are no more than the whole, and the largest are what is sealed and what is looked up."""
    tmp_path.chmod(0o700)
    measured = footprint.pool(tmp_path, "sqlite", 200)
    parts = sum(size for table in measured["tables"].values() for size in table.values())
    assert {"subjects", "key_index", "filings", "filing_versions"} <= measured["tables"].keys()
    assert parts == pytest.approx(measured["total"], abs=len(measured["tables"]) * 4)
    assert 500 < measured["encoding_and_index"] < measured["total"] < 10_000


def test_lines_are_measured_as_they_are_sent() -> None:
    """Who has every field has the longest line, and gzip makes lines shorter."""
    sizes = footprint.wire(30)
    assert sizes["full"]["line"] > sizes["market"]["line"] > sizes["market"]["gzip"]
    assert sizes["full"]["line"] > sizes["full"]["gzip"]
