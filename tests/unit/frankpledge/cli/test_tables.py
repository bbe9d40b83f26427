"""Tables for people."""

from __future__ import annotations

import pytest

from frankpledge.cli import tables
from frankpledge.results import Hit


def test_a_pipe_is_as_wide_as_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal tables are 160 columns wide, unless COLUMNS says how wide the reader is."""
    monkeypatch.delenv("COLUMNS", raising=False)
    assert tables.console().width == 160
    monkeypatch.setenv("COLUMNS", "100")
    assert tables.console().width == 100


def test_hits_that_match_for_the_same_reasons_share_a_table() -> None:
    """Records of one person often say the same: it is read once, with the ids of all; what is not told is left out."""
    rows = [{"field": "date of birth", "level": "exact", "weight": 11.0}]
    other = [{"field": "phone", "level": "same", "weight": 9.0}]
    explained = [
        Hit.parse({"id": f"hit_{at}", "band": "strong", "tier": 3, "own": {}, "explanation": told})
        for at, told in enumerate((rows, other, rows, None))
    ]
    assert [table.title for table in tables.explanations(explained)] == ["Why hit_0, hit_2", "Why hit_1"]
