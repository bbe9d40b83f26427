"""The name of a run: kept over an interruption, forgotten at its end."""

from __future__ import annotations

from pathlib import Path

import pytest

from frankpledge.resumption import run_of, state_directory

SERVER = "https://pool.example"


def test_an_interrupted_run_goes_on_under_its_name(tmp_path: Path) -> None:
    """After an exception the next run over the same file has the same name; after a good end it has another."""
    source = tmp_path / "out.ndjson"
    with pytest.raises(RuntimeError), run_of(source, SERVER, tmp_path) as first:
        raise RuntimeError
    with run_of(source, SERVER, tmp_path) as second:
        pass
    with run_of(source, SERVER, tmp_path) as third:
        pass
    assert first == second != third


def test_files_and_pools_have_runs_of_their_own(tmp_path: Path) -> None:
    """Another file, or the same one for another pool, is another run."""
    with (
        run_of(tmp_path / "a", SERVER, tmp_path) as one,
        run_of(tmp_path / "b", SERVER, tmp_path) as two,
        run_of(tmp_path / "a", "https://other.example", tmp_path) as three,
    ):
        assert len({one, two, three}) == 3


def test_a_spoilt_or_missing_place_does_not_stop_a_run(tmp_path: Path) -> None:
    """Where nothing can be remembered, or rubbish is, the run has a fresh name."""
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with run_of(tmp_path / "a", SERVER, blocked) as name:
        assert len(name) == 24
    with pytest.raises(RuntimeError), run_of(tmp_path / "a", SERVER, tmp_path):
        raise RuntimeError
    marker = next((tmp_path / "submissions").iterdir())
    marker.write_text("../../etc")
    with run_of(tmp_path / "a", SERVER, tmp_path) as fresh:
        assert set(fresh) <= set("0123456789abcdef")


def test_the_place_can_be_named(tmp_path: Path) -> None:
    """FRANKPLEDGE_STATE_DIR wins over the user's own directory."""
    assert state_directory({"FRANKPLEDGE_STATE_DIR": str(tmp_path)}) == tmp_path
    assert state_directory({}).name == "frankpledge"
