"""Batches on disk: whole or not at all, and sealed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from repository.storage.sealing import Sealer
from repository.storage.spool import Spool, SpoolError

NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    """An empty spool."""
    return Spool(tmp_path / "spool", Sealer(bytes(32)))


@pytest.mark.parametrize("parts", [[], [b""], [b"one"], [b"one", b"two" * 1000, b"three"]])
def test_what_is_written_is_read(spool: Spool, parts: list[bytes]) -> None:
    """Any number of parts comes back in order; size and digest are of the whole."""
    received = spool.write("bat_1", parts, b"context")
    assert b"".join(spool.read("bat_1")) == b"".join(parts)
    assert received.size == len(b"".join(parts))
    assert received.digest == spool.write("bat_2", [b"".join(parts)], b"context").digest


def test_the_content_is_not_on_disk_in_clear(spool: Spool) -> None:
    """The file holds nothing of what was sent, and only its owner may read it."""
    spool.write("bat_1", [b"secret" * 10], b"")
    path = spool.directory / "bat_1.sealed"
    assert b"secret" not in path.read_bytes()
    assert path.stat().st_mode & 0o077 == 0


def test_an_upload_that_breaks_off_leaves_nothing(spool: Spool) -> None:
    """The error comes through, and there is no file."""

    def parts() -> Iterator[bytes]:
        yield b"one"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        spool.write("bat_1", parts(), b"")
    with pytest.raises(SpoolError, match="missing"):
        list(spool.read("bat_1"))


@pytest.mark.parametrize("cut", [1, 20, 40, 60])
def test_a_file_that_was_cut_does_not_read_to_its_end(spool: Spool, cut: int) -> None:
    """Cut within a frame or between two, it is not taken for the whole."""
    spool.write("bat_1", [b"x" * 10, b"y" * 10], b"")
    path = spool.directory / "bat_1.sealed"
    os.truncate(path, path.stat().st_size - cut)
    with pytest.raises(SpoolError, match="not whole"):
        list(spool.read("bat_1"))


def test_a_file_of_another_batch_does_not_open(spool: Spool) -> None:
    """Content is bound to its batch."""
    spool.write("bat_1", [b"x"], b"")
    (spool.directory / "bat_1.sealed").rename(spool.directory / "bat_2.sealed")
    with pytest.raises(SpoolError):
        list(spool.read("bat_2"))


def test_the_name_stays(spool: Spool) -> None:
    """A spool opened again has the same name, another directory has another."""
    again = Spool(spool.directory, Sealer(bytes(32)))
    other = Spool(spool.directory / "other", Sealer(bytes(32)))
    assert again.name == spool.name != other.name


def test_sweeping_removes_only_what_is_old_and_not_needed(spool: Spool) -> None:
    """What a crash left behind goes; what is waiting, or coming in just now, stays."""
    for name in ("bat_needed", "bat_left", "bat_new"):
        spool.write(name, [b"x"], b"")
    old = (NOW - timedelta(days=2)).timestamp()
    for name in ("bat_needed", "bat_left"):
        os.utime(spool.directory / f"{name}.sealed", (old, old))
    spool.sweep({"bat_needed"}, before=NOW - timedelta(days=1))
    assert {path.name for path in spool.directory.glob("*.sealed")} == {"bat_needed.sealed", "bat_new.sealed"}
    spool.remove("bat_new")
    spool.remove("bat_new")


def test_sweeping_bears_files_that_vanish(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    """An upload that breaks off removes its file while the sweep looks at it."""
    spool.write("bat_new", [b"x"], b"")
    there = list(spool.directory.glob("*.sealed"))
    spool.remove("bat_new")
    monkeypatch.setattr(Path, "glob", lambda _directory, _pattern: there)
    spool.sweep(set(), before=NOW)
