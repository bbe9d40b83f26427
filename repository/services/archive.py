"""The file a backup is: a ZIP archive that any tool opens, written and read as a stream, with a digest of each part."""

from __future__ import annotations

import fcntl
import hashlib
import os
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import orjson

FORMAT = "frankpledge-backup/1"
MANIFEST = "manifest.json"
TABLES = "tables/"
FILES = "files/"
_PARTIAL = ".part"
_LEFT_OVER = f".frankpledge-*.zip{_PARTIAL}"
_BLOCK = 1 << 20
_LONGEST_MANIFEST = 1 << 26
_LEVEL = 1  # what is sealed does not shrink, whatever is spent on it


class BackupError(ValueError):
    """A backup that cannot be taken, read or restored; the message says what is wrong, for the operator's eyes."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of an entry: how long it is, its SHA-256, and how many lines it has (0 for a file)."""

    size: int
    sha256: str
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds: tables and files by name, the version of the tables, when, from which store and version."""

    taken_at: datetime
    version: str
    schema: str
    store: str
    tables: Mapping[str, Entry]
    files: Mapping[str, Entry]

    def as_json(self) -> dict[str, Any]:
        """As it is written."""
        return {
            "format": FORMAT,
            "taken_at": self.taken_at.isoformat(),
            "version": self.version,
            "schema": self.schema,
            "store": self.store,
            "tables": {name: asdict(each) for name, each in self.tables.items()},
            "files": {name: asdict(each) for name, each in self.files.items()},
        }

    @classmethod
    def of(cls, content: bytes) -> Manifest:
        """From what was written. Raises BackupError."""
        try:
            read = orjson.loads(content)
            if read["format"] != FORMAT:
                raise BackupError(f"this is no backup of the format {FORMAT}")
            return cls(
                taken_at=datetime.fromisoformat(read["taken_at"]),
                version=str(read["version"]),
                schema=str(read["schema"]),
                store=str(read["store"]),
                tables={str(name): Entry(**each) for name, each in read["tables"].items()},
                files={str(name): Entry(**each) for name, each in read["files"].items()},
            )
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            if isinstance(error, BackupError):
                raise
            raise BackupError("the manifest of the backup is not one of this service") from None


class Writer:
    """Writes entries one after the other."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def add(self, name: str, blocks: Iterable[bytes], *, counting: bool = False) -> Entry:
        """Write an entry from blocks that are held one at a time; `counting` counts its lines."""
        digest, size, rows = hashlib.sha256(), 0, 0
        info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o600 << 16
        with self._archive.open(info, "w", force_zip64=True) as file:
            for block in blocks:
                file.write(block)
                digest.update(block)
                size += len(block)
                rows += block.count(b"\n") if counting else 0
        return Entry(size, digest.hexdigest(), rows)


class Reader:
    """Reads a backup; every method raises BackupError for what is damaged."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        info = next((each for each in archive.infolist() if each.filename == MANIFEST), None)
        if info is None or info.file_size > _LONGEST_MANIFEST:
            raise BackupError("the file is no backup of this service: it has no manifest")
        self.manifest = Manifest.of(b"".join(self.blocks(MANIFEST)))

    @property
    def names(self) -> list[str]:
        """Every entry but the manifest."""
        return [each for each in self._archive.namelist() if each != MANIFEST]

    def blocks(self, name: str) -> Iterator[bytes]:
        """The content of an entry."""
        try:
            with self._archive.open(name) as file:
                while block := file.read(_BLOCK):
                    yield block
        except (KeyError, zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError):
            raise BackupError(f"{name} is damaged or missing in the backup") from None

    def lines(self, name: str) -> Iterator[bytes]:
        """The lines of an entry."""
        rest = b""
        for block in self.blocks(name):
            *whole, rest = (rest + block).split(b"\n")
            yield from whole
        if rest:
            raise BackupError(f"{name} ends within a line")

    def faults(self) -> list[str]:
        """What does not fit the manifest: entries missing, left over, or changed."""
        said = {f"{TABLES}{name}.ndjson": each for name, each in self.manifest.tables.items()}
        said |= {f"{FILES}{name}": each for name, each in self.manifest.files.items()}
        found = self.names
        faults = [f"{name} is not in the manifest" for name in sorted(set(found) - set(said))]
        faults += [f"{name} is there more than once" for name in sorted(said) if found.count(name) > 1]
        return faults + [fault for name, entry in said.items() if (fault := self._fault(name, entry))]

    def _fault(self, name: str, entry: Entry) -> str | None:
        digest, size, rows = hashlib.sha256(), 0, 0
        try:
            for block in self.blocks(name):
                digest.update(block)
                size += len(block)
                rows += block.count(b"\n")
        except BackupError as error:
            return str(error)
        counted = rows if name.startswith(TABLES) else 0
        same = (size, digest.hexdigest(), counted) == (entry.size, entry.sha256, entry.rows)
        return None if same else f"{name} is not what the manifest says"


def table_entry(name: str) -> str:
    """Where the rows of a table are."""
    return f"{TABLES}{name}.ndjson"


@contextmanager
def writing(path: Path) -> Iterator[Writer]:
    """A new archive for its owner's eyes, in place only once it is whole and on disk. Raises BackupError.

    What others began beside it and were killed over is removed.
    """
    partial = path.with_name(f".{path.name}{_PARTIAL}")
    try:
        for each in {partial, *path.parent.glob(_LEFT_OVER)}:
            with suppress(BlockingIOError, FileNotFoundError), locked(each, wait=False):
                each.unlink()
        partial.touch(0o600)
        with locked(partial, wait=False), partial.open("r+b") as file:
            try:
                with zipfile.ZipFile(file, "w", compresslevel=_LEVEL) as archive:
                    yield Writer(archive)
                file.flush()
                os.fsync(file.fileno())
                _put_in_place(partial, path)
            finally:
                partial.unlink(missing_ok=True)
    except OSError as error:
        raise BackupError(f"{path} cannot be written: {error.strerror}") from None


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Have a file or directory to oneself; the lock ends with the process. Raises BlockingIOError if not to wait."""
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    finally:
        os.close(handle)


@contextmanager
def reading(path: Path) -> Iterator[Reader]:
    """An archive to read. Raises BackupError."""
    try:
        file: IO[bytes] = path.open("rb")
    except OSError as error:
        raise BackupError(f"{path} cannot be read: {error.strerror}") from None
    with file:
        try:
            archive = zipfile.ZipFile(file)
        except zipfile.BadZipFile:
            raise BackupError(f"{path} is no whole backup: it was cut short, or is something else") from None
        with archive:
            yield Reader(archive)


def _put_in_place(partial: Path, path: Path) -> None:
    os.link(partial, path)  # unlike a rename, it never replaces what is there
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
