"""Files that must be private, and files that must be whole or not there at all."""

from __future__ import annotations

import gzip
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from frankpledge.errors import KitError

GZIP_MAGIC = b"\x1f\x8b"


def create_private(path: Path, data: bytes) -> None:
    """Write a new file that only its owner can read (mode 0600), through to the disk.

    Raises KitError when something is there already: a secret is never overwritten.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise KitError(f"{path} exists already.", "Choose another path, or move the old file away first.") from None
    with os.fdopen(descriptor, "wb") as handle:
        handle.write(data)
        handle.flush()
        os.fsync(handle.fileno())


def read_private(path: Path, *, limit: int = 65536) -> bytes:
    """Read a secret file of at most `limit` bytes; KitError when others than its owner may read or write it."""
    try:
        handle = path.open("rb")
    except FileNotFoundError:
        raise KitError(f"There is no file {path}.", "Give the right path, or make the file first.") from None
    except OSError as error:
        raise KitError(f"{path} cannot be read ({error.strerror}).", "Run as the user who owns the file.") from None
    with handle:
        if os.name == "posix" and stat.S_IMODE(os.fstat(handle.fileno()).st_mode) & 0o077:
            raise KitError(f"{path} is open to other users of this machine.", f"Close it with: chmod 600 {path}")
        data = handle.read(limit + 1)
    if len(data) > limit:
        raise KitError(f"{path} is far too long for a secret file.", "Give the right path.")
    return data


@contextmanager
def replacing(path: Path, *, compress: bool = False) -> Iterator[IO[bytes]]:
    """Write `path` whole or not at all: a private temporary file beside it, flushed to disk, then renamed.

    With `compress` what is written is gzipped, without time stamp, so that equal content gives equal bytes.
    """
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    except OSError as error:
        raise KitError(
            f"{path} cannot be written ({error.strerror}).", "Choose a folder that you may write to."
        ) from None
    try:
        with os.fdopen(descriptor, "wb") as raw:
            if compress:
                with gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=6, mtime=0) as packed:
                    yield cast("IO[bytes]", packed)
            else:
                yield raw
            raw.flush()
            os.fsync(raw.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def open_maybe_gzip(path: Path) -> IO[bytes]:
    """Open a file for reading, inflating it when its first bytes say that it is gzip."""
    try:
        with path.open("rb") as handle:
            packed = handle.read(2) == GZIP_MAGIC
        return cast("IO[bytes]", gzip.open(path, "rb")) if packed else path.open("rb")
    except OSError as error:
        raise KitError(f"{path} cannot be read ({error.strerror}).", "Give the right path.") from None
