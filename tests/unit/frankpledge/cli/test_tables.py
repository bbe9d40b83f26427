"""Tables for people."""

from __future__ import annotations

import pytest

from frankpledge.cli import tables


def test_a_pipe_is_as_wide_as_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal tables are 160 columns wide, unless COLUMNS says how wide the reader is."""
    monkeypatch.delenv("COLUMNS", raising=False)
    assert tables.console().width == 160
    monkeypatch.setenv("COLUMNS", "100")
    assert tables.console().width == 100
