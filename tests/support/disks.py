"""Disks that are full: a small file system of its own where this user may mount one."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SIZE = 24 << 20
_BLOCK = bytes(1 << 16)


class Disk:
    """A file system of `SIZE` bytes. `fill` leaves no room on it, `free` gives it back."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._filler = path / "filler"

    def fill(self) -> None:
        """Write until there is no room."""
        with self._filler.open("ab", buffering=0) as file:
            for block in (_BLOCK, _BLOCK[:4096]):
                try:
                    while file.write(block):
                        pass
                except OSError:
                    continue

    def free(self) -> None:
        """Give the room back."""
        self._filler.unlink()


@contextmanager
def small() -> Iterator[Disk]:
    """A small disk at a place that every user may reach; the test is skipped where this one may not mount any."""
    path = Path(tempfile.mkdtemp(prefix="frankpledge-disk-", dir="/tmp"))
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0755", "frankpledge-test", str(path)]
    try:
        mounted = subprocess.run(command, check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        path.rmdir()
        pytest.skip("no small disk to fill: this user may not mount one (the other tests of full disks have run)")
    try:
        yield Disk(path)
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)
        path.rmdir()
