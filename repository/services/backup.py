"""Back-ups: every table as it is at one instant, the batches that wait, and the pool's own model; never a secret.

The form is the same from SQLite and PostgreSQL, so what was taken from one can be restored into the other.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import orjson
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from repository import __version__
from repository.services import migration
from repository.services.archive import (
    FILES,
    MANIFEST,
    BackupError,
    Entry,
    Manifest,
    locked,
    reading,
    table_entry,
    writing,
)
from repository.settings import Settings
from repository.storage import dump
from repository.storage.engine import Database
from repository.storage.operator import ROTATION, fact

MODEL = "model.json"
SPOOL = "spool"
SUFFIX = ".zip"
_PREFIX = "frankpledge-"
_STAMP = "%Y%m%dT%H%M%SZ"
_HELD = ".backup-"
_BLOCK = 1 << 20
_LOCK = ".lock"


def take(settings: Settings, database: Database, target: Path, now: datetime) -> tuple[Path, Manifest]:
    """Write a backup into a directory, under a name with the time, or as a file; where it is. Raises BackupError."""
    path = target / f"{_PREFIX}{now.astimezone(UTC):{_STAMP}}{SUFFIX}" if target.is_dir() else target
    if path.exists():
        raise BackupError(f"{path} is there already, and no backup replaces another")
    if not path.parent.is_dir():
        raise BackupError(f"{path.parent} is no directory: make it first")
    with _holding(settings) as held, writing(path) as writer:
        with database.snapshot() as connection:
            schema = _schema(connection)
            held.again()  # a batch may have come in between the first look and the snapshot
            tables = {
                str(each.name): writer.add(table_entry(each.name), dump.lines(connection, each), counting=True)
                for each in dump.tables()
            }
            store = connection.dialect.name
        files = {name: writer.add(f"{FILES}{name}", _blocks(file)) for name, file in held.files()}
        manifest = Manifest(now.astimezone(UTC), __version__, schema, store, tables, files)
        writer.add(MANIFEST, [orjson.dumps(manifest.as_json(), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)])
    return path, manifest


def verified(path: Path) -> Manifest:
    """The manifest of a backup that is whole. Raises BackupError, naming every fault."""
    with reading(path) as reader:
        faults = reader.faults()
        if faults:
            raise BackupError("the backup is damaged:\n" + "\n".join(f"  {each}" for each in faults))
        return reader.manifest


def differences(manifest: Manifest, database: Database) -> list[str]:
    """Where the tables of a database differ from those of a backup, compared row by row through a digest of each."""
    with database.snapshot() as connection:
        schema = _schema(connection)
        if schema != manifest.schema:
            return [f"the tables are of revision {schema}, those of the backup of {manifest.schema}"]
        known = {str(each.name): each for each in dump.tables()}
        found = {name: _entry(dump.lines(connection, table)) for name, table in known.items()}
    names = sorted(manifest.tables.keys() | found.keys())
    return [
        f"{name}: {_rows(found.get(name))} in the database, {_rows(manifest.tables.get(name))} in the backup"
        + (", of another content" if _same_count(found.get(name), manifest.tables.get(name)) else "")
        for name in names
        if found.get(name) != manifest.tables.get(name)
    ]


def prune(directory: Path, keep: int) -> list[Path]:
    """Remove the oldest backups of a directory beyond some, going by the time in their names; which."""
    named = sorted(each for each in directory.glob(f"{_PREFIX}*{SUFFIX}") if _stamped(each))
    removed = named[: max(len(named) - keep, 0)]
    for each in removed:
        each.unlink()
    return removed


class _Held:
    """The files of a data directory that a backup takes along, kept by a second name while it goes on."""

    def __init__(self, settings: Settings, directory: Path) -> None:
        self._settings = settings
        self._directory = directory

    def again(self) -> None:
        """Hold what is there now, too."""
        spool = self._settings.data_dir / SPOOL
        for path in sorted(spool.rglob("*")) if spool.is_dir() else ():
            if path.is_file() and path.suffix != _LOCK:
                held = self._directory / SPOOL / path.relative_to(spool)
                held.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                with suppress(FileExistsError, FileNotFoundError):  # held already, or taken in meanwhile
                    os.link(path, held)
        with suppress(FileExistsError, FileNotFoundError):
            os.link(self._settings.model_file, self._directory / MODEL)

    def files(self) -> Iterator[tuple[str, Path]]:
        """Name and place of each, sorted."""
        for path in sorted(self._directory.rglob("*")):
            if path.is_file():
                yield path.relative_to(self._directory).as_posix(), path


@contextmanager
def _holding(settings: Settings) -> Iterator[_Held]:
    directory = settings.data_dir / f"{_HELD}{secrets.token_hex(4)}"
    with ExitStack() as stack:
        with locked(settings.data_dir):  # one that is made and not locked yet is nobody else's to remove
            _remove_left_over(settings.data_dir)
            directory.mkdir(mode=0o700)
            stack.callback(shutil.rmtree, directory, ignore_errors=True)
            stack.enter_context(locked(directory))
        held = _Held(settings, directory)
        held.again()
        yield held


def _remove_left_over(data_dir: Path) -> None:
    """Remove what backups held that were killed: their locks ended with them."""
    for path in data_dir.glob(f"{_HELD}*"):
        with suppress(BlockingIOError, FileNotFoundError), locked(path, wait=False):
            shutil.rmtree(path, ignore_errors=True)


def _schema(connection: Connection) -> str:
    with Session(connection) as session:
        heads = migration.heads(session)
        if not migration.at_head(session):
            raise BackupError(
                "the tables are not those of this version: use the version that they are of, or run"
                " `frankpledge-admin migrate`"
            )
        if fact(session, ROTATION) is not None:
            raise BackupError("the operator secret is being changed: finish that, `frankpledge-admin secret rotate`")
    return heads[0]


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block


def _entry(blocks: Iterable[bytes]) -> Entry:
    digest, size, rows = hashlib.sha256(), 0, 0
    for block in blocks:
        digest.update(block)
        size += len(block)
        rows += block.count(b"\n")
    return Entry(size, digest.hexdigest(), rows)


def _rows(entry: Entry | None) -> str:
    return "no such table" if entry is None else f"{entry.rows} rows"


def _same_count(one: Entry | None, other: Entry | None) -> bool:
    return one is not None and other is not None and one.rows == other.rows


def _stamped(path: Path) -> bool:
    try:
        datetime.strptime(path.name.removeprefix(_PREFIX).removesuffix(SUFFIX), _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return False
    return True
