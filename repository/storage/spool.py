"""Received batches on disk until they are worked through, sealed: members' encodings are not re-keyed yet.

A file is a run of frames: length (4 bytes, big-endian), then content sealed under the batch's id, the number of the
frame and whether it is the last. A file that was cut short or put together anew does not open.
"""

from __future__ import annotations

import bisect
import fcntl
import hashlib
import io
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from repository.storage.sealing import SEAL_BYTES, Sealer, SealError

_LENGTH_BYTES = 4
_SUFFIX = ".sealed"
_COPY = ".copy"


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
        return self._write(self._path(batch_id), batch_id, parts, context)

    @contextmanager
    def copied(self, batch_id: str, other: str) -> Iterator[Callable[[], None]]:
        """A copy of a batch's content for another batch, which has it once what is given is called, and not before.

        It takes the place of what the other has, all at once. Raises SpoolError.
        """
        copy = self._path(f"{batch_id}{_COPY}")
        copy.unlink(missing_ok=True)  # left behind by a crash
        self._write(copy, other, self.read(batch_id), b"")

        def put() -> None:
            copy.replace(self._path(other))
            _sync_directory(self.directory)

        try:
            yield put
        finally:
            copy.unlink(missing_ok=True)

    def _write(self, path: Path, batch_id: str, parts: Iterable[bytes], context: bytes) -> Received:
        digester = self._sealer.digester(context)
        size = 0
        try:
            with open(path, "xb", opener=_private) as file:
                for number, (part, last) in enumerate(_with_last(parts)):
                    size += len(part)
                    digester.update(part)
                    file.write(self.frame(batch_id, number, part, last=last))
                file.flush()
                os.fsync(file.fileno())
            _sync_directory(self.directory)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return Received(size, digester.digest())

    @contextmanager
    def extending(self, batch_id: str) -> Iterator[IO[bytes]]:
        """A file that comes in pieces, open for nobody else. Raises BlockingIOError while another extends it."""
        handle = os.open(self._path(batch_id), os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(handle, "r+b", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield file

    def extend(self, file: IO[bytes], stored: int, frames: Iterable[bytes]) -> int:
        """Put frames behind the first `stored` bytes and force them to disk; the bytes that are stored then.

        What lay there is cut off, and so is all of this when it is not written whole.
        """
        if os.fstat(file.fileno()).st_size < stored:
            raise SpoolError("the content of the upload is not whole")
        try:
            file.truncate(stored)
            file.seek(stored)
            for frame in frames:
                _write_all(file, frame)
            os.fsync(file.fileno())
        except BaseException:
            with suppress(OSError):
                file.truncate(stored)
            raise
        _sync_directory(self.directory)
        return file.tell()

    def frame(self, batch_id: str, number: int, content: bytes, *, last: bool) -> bytes:
        """A frame as it stands in a file."""
        frame = self._sealer.seal(_frame_context(batch_id, number, last=last), content)
        return len(frame).to_bytes(_LENGTH_BYTES, "big") + frame

    def digester(self, context: bytes) -> hashlib.blake2b:
        """Makes the keyed digest of content that `write` makes as well."""
        return self._sealer.digester(context)

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

    def open(self, batch_id: str) -> SealedFile:
        """The content of a batch as a file that is read at any place. Raises SpoolError."""
        try:
            return SealedFile(self._path(batch_id), batch_id, self._sealer)
        except FileNotFoundError:
            raise SpoolError("the content of the batch is missing") from None

    def holds(self, batch_id: str) -> bool:
        """Whether there is content of a batch."""
        return self._path(batch_id).exists()

    def remove(self, batch_id: str) -> None:
        """Remove a batch's content; again is no error."""
        self._path(batch_id).unlink(missing_ok=True)

    def resealed(self, old: Sealer) -> int:
        """Put what waits here, sealed under another secret, under this one's; how many files were. Again is no error.

        Each file is of one secret or the other, whenever this is cut off.
        """
        found = 0
        for path in sorted(self.directory.glob(f"*{_SUFFIX}")):
            name = path.name.removesuffix(_SUFFIX)
            if name.endswith(_COPY):  # left behind by a crash
                path.unlink()
                continue
            found += self._resealed(path, name, old)
        return found

    def _resealed(self, path: Path, name: str, old: Sealer) -> bool:
        """Put a file under this secret, in the place of what it was; whether it was under the other one."""
        new = path.with_suffix(".new")
        with open(new, "wb", opener=_private) as file:
            for number, frame in enumerate(_frames(path)):
                sealed = self._reseal(old, name, number, frame)
                if sealed is None:
                    break
                _write_all(file, sealed)
            else:
                file.flush()
                os.fsync(file.fileno())
                new.replace(path)
                _sync_directory(self.directory)
                return True
        new.unlink()
        return False

    def _reseal(self, old: Sealer, name: str, number: int, frame: bytes) -> bytes | None:
        """A frame as it stands under this secret; None if it does. Raises SpoolError for one under neither."""
        with suppress(SpoolError):
            self._content(self._sealer, name, number, frame)
            return None
        content, last = self._content(old, name, number, frame)
        return self.frame(name, number, content, last=last)

    @staticmethod
    def _content(sealer: Sealer, name: str, number: int, frame: bytes) -> tuple[bytes, bool]:
        """The content of a frame, and whether it is the last one."""
        for last in (False, True):
            with suppress(SealError):
                return sealer.unseal(_frame_context(name, number, last=last), frame), last
        raise SpoolError("the content of the batch is not whole")

    def opened(self, path: Path) -> Iterator[bytes]:
        """The content of a file that waits here, be it whole yet or not. Raises SpoolError."""
        name = path.name.removesuffix(_SUFFIX)
        for number, frame in enumerate(_frames(path)):
            yield self._content(self._sealer, name, number, frame)[0]

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


class SealedFile(io.RawIOBase):
    """The content of a batch, of which one frame is open at a time. What is not whole raises SpoolError."""

    def __init__(self, path: Path, batch_id: str, sealer: Sealer) -> None:
        super().__init__()
        self._file = path.open("rb")
        self._batch_id = batch_id
        self._sealer = sealer
        self._frames, self._starts = _layout(self._file)
        self._at = 0
        self._open: tuple[int, bytes] = (-1, b"")

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """The place in the content."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place in the content."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._starts[-1]}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer, as far as there is content."""
        filled = 0
        while filled < len(buffer) and self._at < self._starts[-1]:
            number = bisect.bisect_right(self._starts, self._at) - 1
            start = self._at - self._starts[number]
            part = self._frame(number)[start : start + len(buffer) - filled]
            buffer[filled : filled + len(part)] = part
            filled += len(part)
            self._at += len(part)
        return filled

    def _frame(self, number: int) -> bytes:
        if self._open[0] != number:
            offset, size = self._frames[number]
            self._file.seek(offset)
            last = number == len(self._frames) - 1
            try:
                context = _frame_context(self._batch_id, number, last=last)
                self._open = (number, self._sealer.unseal(context, self._file.read(size)))
            except SealError:
                raise SpoolError("the content of the batch is not whole") from None
        return self._open[1]


def _layout(file: IO[bytes]) -> tuple[list[tuple[int, int]], list[int]]:
    """Where each frame is in a file, and where its content begins in the whole, with the end of all."""
    frames: list[tuple[int, int]] = []
    starts = [0]
    offset, end = 0, os.fstat(file.fileno()).st_size
    while offset < end:
        file.seek(offset)
        size = int.from_bytes(file.read(_LENGTH_BYTES), "big")
        offset += _LENGTH_BYTES
        if size < SEAL_BYTES or offset + size > end:
            raise SpoolError("the content of the batch is not whole")
        frames.append((offset, size))
        starts.append(starts[-1] + size - SEAL_BYTES)
        offset += size
    return frames, starts


def _frames(path: Path) -> Iterator[bytes]:
    """The frames of a file, one at a time; what was cut off at its end is left out, as who extends it would."""
    with path.open("rb") as file:
        for offset, size in _layout(file)[0]:
            file.seek(offset)
            yield file.read(size)


def _name(path: Path) -> str:
    try:
        with open(path, "x", opener=_private) as file:
            file.write(secrets.token_hex(8))
    except FileExistsError:
        pass
    return path.read_text("ascii").strip()


def _write_all(file: IO[bytes], content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[file.write(view) :]


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
