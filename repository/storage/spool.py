"""Received batches on disk until they are worked through, sealed: members' encodings are not re-keyed yet.

A file is a run of frames: length (4 bytes, big-endian), then content sealed under the batch's id, the number of the
frame and whether it is the last. A file that was cut short or put together anew does not open.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from repository.storage.sealing import Sealer, SealError

_LENGTH_BYTES = 4
_SUFFIX = ".sealed"


class SpoolError(Exception):
    """The content of a batch is not there any more, or is not whole."""


@dataclass(frozen=True, slots=True)
class Received:
    """Size in bytes and keyed digest of what was written."""

    size: int
    digest: bytes


class Spool:
    """The spool of one data directory. `name` is its own, so that a worker knows which batches lie here."""

    def __init__(self, directory: Path, sealer: Sealer) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.directory = directory
        self.name = _name(directory / "name")
        self._sealer = sealer

    def write(self, batch_id: str, parts: Iterable[bytes], context: bytes) -> Received:
        """Write a batch and force it to disk before returning; nothing is left behind when `parts` raises."""
        digester = self._sealer.digester(context)
        size = 0
        path = self._path(batch_id)
        try:
            with open(path, "xb", opener=_private) as file:
                for number, (part, last) in enumerate(_with_last(parts)):
                    size += len(part)
                    digester.update(part)
                    frame = self._sealer.seal(_frame_context(batch_id, number, last=last), part)
                    file.write(len(frame).to_bytes(_LENGTH_BYTES, "big") + frame)
                file.flush()
                os.fsync(file.fileno())
            _sync_directory(self.directory)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return Received(size, digester.digest())

    def read(self, batch_id: str) -> Iterator[bytes]:
        """The content of a batch, part by part. Raises SpoolError."""
        try:
            with self._path(batch_id).open("rb") as file:
                frame = _frame(file.read(_LENGTH_BYTES), file.read)
                number = 0
                while frame is not None:
                    following = _frame(file.read(_LENGTH_BYTES), file.read)
                    yield self._sealer.unseal(_frame_context(batch_id, number, last=following is None), frame)
                    frame, number = following, number + 1
        except FileNotFoundError:
            raise SpoolError("the content of the batch is missing") from None
        except SealError:
            raise SpoolError("the content of the batch is not whole") from None

    def holds(self, batch_id: str) -> bool:
        """Whether there is content of a batch."""
        return self._path(batch_id).exists()

    def remove(self, batch_id: str) -> None:
        """Remove a batch's content; again is no error."""
        self._path(batch_id).unlink(missing_ok=True)

    def sweep(self, keep: set[str], *, before: datetime) -> None:
        """Remove what was last written before an instant and is not to be kept: uploads that a crash cut off."""
        for path in self.directory.glob(f"*{_SUFFIX}"):
            if path.name.removesuffix(_SUFFIX) in keep:
                continue
            with suppress(FileNotFoundError):  # an upload that breaks off removes its file itself
                if path.stat().st_mtime < before.timestamp():
                    path.unlink()

    def _path(self, batch_id: str) -> Path:
        return self.directory / f"{batch_id}{_SUFFIX}"


def _name(path: Path) -> str:
    try:
        with open(path, "x", opener=_private) as file:
            file.write(secrets.token_hex(8))
    except FileExistsError:
        pass
    return path.read_text("ascii").strip()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _frame(length: bytes, read: Callable[[int], bytes]) -> bytes | None:
    """The next frame, None at the end of the file. Raises SpoolError when the file ends within one."""
    if not length:
        return None
    size = int.from_bytes(length, "big")
    frame = read(size)
    if len(length) < _LENGTH_BYTES or len(frame) < size:
        raise SpoolError("the content of the batch is not whole")
    return frame


def _with_last(parts: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Each part, and whether it is the last; one empty part when there is none."""
    before: bytes | None = None
    for part in parts:
        if before is not None:
            yield before, False
        before = part
    yield before or b"", True


def _frame_context(batch_id: str, number: int, *, last: bool) -> bytes:
    return b"spool" + batch_id.encode("ascii") + number.to_bytes(8, "big") + bytes([last])
