"""Files that are whole or not there."""

from __future__ import annotations

import gzip
import stat
from pathlib import Path

import pytest

from frankpledge.errors import KitError
from frankpledge.files import open_maybe_gzip, replacing


def test_a_finished_file_takes_the_place_of_the_old(tmp_path: Path) -> None:
    """The new content replaces the old at the end, in a file that only its owner reads."""
    path = tmp_path / "out"
    path.write_bytes(b"old")
    with replacing(path) as out:
        out.write(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failed_run_leaves_the_old_file_and_no_litter(tmp_path: Path, error: type[BaseException]) -> None:
    """An error or Ctrl-C changes nothing."""
    path = tmp_path / "out"
    path.write_bytes(b"old")

    def fail() -> None:
        with replacing(path) as out:
            out.write(b"half")
            raise error

    with pytest.raises(error):
        fail()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_equal_content_gives_equal_gzip(tmp_path: Path) -> None:
    """A compressed file has neither time nor name in it, and is inflated again when read."""
    for name in ("a", "b"):
        with replacing(tmp_path / name, compress=True) as out:
            out.write(b"line\n" * 1000)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert gzip.decompress((tmp_path / "a").read_bytes()) == b"line\n" * 1000
    with open_maybe_gzip(tmp_path / "a") as handle:
        assert handle.readline() == b"line\n"


def test_a_folder_that_is_not_there_is_explained(tmp_path: Path) -> None:
    """Writing to and reading from nowhere says so."""
    with pytest.raises(KitError, match="cannot be written"), replacing(tmp_path / "none" / "out"):
        raise AssertionError("must not be reached")
    with pytest.raises(KitError, match="cannot be read"):
        open_maybe_gzip(tmp_path / "none")
