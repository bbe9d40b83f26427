"""The chart: files that are there, name every member, and are the same for the same run."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from repository.simulation.market import Plan, generate
from repository.simulation.profiles import CAST
from repository.simulation.running import Course, run
from tests.support.rulebooks import DEFAULT_RULEBOOK

pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def courses() -> tuple[Course, ...]:
    """A month of three members."""
    rng = np.random.default_rng(1)
    market = generate(Plan(CAST[:3], 30), DEFAULT_RULEBOOK, date(2026, 1, 1), rng)
    return run(market, DEFAULT_RULEBOOK, rng)


def test_a_chart_is_drawn(courses: tuple[Course, ...], tmp_path: Path) -> None:
    """A PNG, and an SVG with the title, a row for each member and a legend; twice the same."""
    from repository.simulation.drawing import draw

    png, svg = draw(courses, DEFAULT_RULEBOOK, "A rulebook", tmp_path / "one")
    assert png.read_bytes().startswith(b"\x89PNG")
    text = svg.read_text("utf-8")
    assert "A rulebook" in text
    assert text.count("honest large: ") == 2
    assert "suspended (tier 0)" in text
    _, again = draw(courses, DEFAULT_RULEBOOK, "A rulebook", tmp_path / "two")
    assert again.read_text("utf-8") == text
