"""Who works under the operator's secret of a data directory: each process holds a lock, who changes it all of it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from repository.storage.dialect.fencing import SecretChangedError, SecretInUseError

_NAME = ".secret.lock"


class Presence:
    """A process's part of the lock, until it is released or the process ends, however it does."""

    def __init__(self, data_dir: Path) -> None:
        self._handle: int | None = _open(data_dir)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            self.release()
            raise SecretChangedError from None

    def release(self) -> None:
        """Give it back; again is no error."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def __del__(self) -> None:
        self.release()


@contextmanager
def alone(data_dir: Path) -> Iterator[None]:
    """Be the only process that works under the secret here. Raises SecretInUseError."""
    handle = _open(data_dir)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SecretInUseError from None
        yield
    finally:
        os.close(handle)


def _open(data_dir: Path) -> int:
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.open(data_dir / _NAME, os.O_RDWR | os.O_CREAT, 0o600)
