"""Choosing the reader."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from frankpledge.errors import KitError
from frankpledge.readers import Row, open_source


def test_the_suffix_chooses(tmp_path: Path) -> None:
    """CSV and NDJSON are told apart by their names, whatever the case."""
    (tmp_path / "a.CSV").write_text("ref\n1\n")
    (tmp_path / "a.jsonl").write_text('{"ref": "1"}\n')
    for name in ("a.CSV", "a.jsonl"):
        source = open_source(tmp_path / name)
        assert [row.cells for row in source.rows() if isinstance(row, Row)] == [{"ref": "1"}]
        source.close()


def test_the_format_can_be_said(tmp_path: Path) -> None:
    """A file of any name is read when its format is said, and refused when not."""
    path = tmp_path / "extract.dat"
    path.write_text("ref\n1\n")
    open_source(path, "csv").close()
    with pytest.raises(KitError, match="--format"):
        open_source(path)


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe has no size, and no Parquet."""
    stdin = io.TextIOWrapper(io.BytesIO(b"ref\n1\n"))
    monkeypatch.setattr("sys.stdin", stdin)
    with pytest.raises(KitError, match="pipe"):
        open_source(Path("-"), "parquet")
    source = open_source(Path("-"), "csv")
    assert source.total is None
    assert len(list(source.rows())) == 1
    assert source.position == 0


def test_a_missing_file_is_explained(tmp_path: Path) -> None:
    """A path without a file says so."""
    with pytest.raises(KitError, match="No such file"):
        open_source(tmp_path / "none.csv")
