"""The quality benchmark in the documentation: tables equal the committed figures, and charts are drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from benchmarks.quality.__main__ import DOCUMENT, FIGURES, IMAGES, parse
from benchmarks.quality.sets import USUAL
from benchmarks.quality.tables import written


def test_the_tables_are_those_of_the_committed_figures() -> None:
    """Nobody edited a figure in docs/matching.md by hand, and every set is there."""
    report: dict[str, Any] = orjson.loads(FIGURES.read_bytes())
    text = DOCUMENT.read_text("utf-8")
    assert written(text, report) == text
    assert set(report["sets"]) == set(USUAL)


def test_the_charts_are_small_and_shown() -> None:
    """Both charts are committed, of less than 100 kB each, and the document shows them."""
    text = DOCUMENT.read_text("utf-8")
    for name in ("precision-recall.svg", "reliability.svg"):
        assert (IMAGES / name).stat().st_size < 100_000
        assert f"(images/{name})" in text


def test_documents_are_written_from_full_runs_only(capsys: pytest.CaptureFixture[str]) -> None:
    """A quick run, or one of some sets, may not replace the figures."""
    for option in (["--quick"], ["--only", "market"], ["--no-peers"]):
        with pytest.raises(SystemExit):
            parse(["--write-docs", *option])
        assert "full run" in capsys.readouterr().err


def test_charts_are_drawn(tmp_path: Path) -> None:
    """A panel for each set, a line for each tool that told a curve, and the same file for the same results."""
    pytest.importorskip("matplotlib")
    from benchmarks.quality.drawing import draw

    results: dict[str, dict[str, Any]] = {
        "febrl4": {
            "guarded/9 own model": {"curve": [[0.5, 1.0], [1.0, 0.9]], "reliability": [[0.1, 0.1, 50], [0.9, 1.0, 50]]},
            "some peer": {"curve": [[0.4, 1.0], [0.9, 0.8]], "reliability": []},
            "another": {"absent": "not installed"},
        }
    }
    curves, reliability = draw(results, 100, tmp_path)
    text = curves.read_text("utf-8")
    assert "FEBRL 4 without national id" in text
    assert "some peer" in text
    assert "another" not in text
    assert "guarded/9 own model" in reliability.read_text("utf-8")
    assert draw(results, 100, tmp_path / "again")[0].read_text("utf-8") == text
