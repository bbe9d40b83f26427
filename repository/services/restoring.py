"""Restoring a backup into an empty database and an empty data directory, all of it or nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from sqlalchemy import Connection, inspect
from sqlalchemy.orm import Session

from repository.services import migration
from repository.services.archive import FILES, BackupError, Manifest, Reader, reading, table_entry
from repository.services.backup import MODEL, SPOOL, verified
from repository.services.installation import private_data_directory
from repository.services.operator import WrongSecretError, secret_matches
from repository.settings import Settings, read_operator_secret
from repository.storage import dump
from repository.storage.engine import Database, create_engine, lift_time_limit


def restore(settings: Settings, path: Path) -> Manifest:
    """Put a backup into the empty database and data directory of the settings.

    The whole file is checked first. Raises BackupError for what does not fit or is not empty, WrongSecretError when the
    operator secret is there already and is not the one the pool was written under.
    """
    manifest = verified(path)
    _check_version(manifest)
    private_data_directory(settings)
    _check_files(settings, manifest)
    database = Database(create_engine(settings.database_url))
    try:
        _prepare_tables(settings, database)
        with reading(path) as reader, _new_files(settings, reader), database.writing() as connection:
            lift_time_limit(connection)
            _load(connection, reader)
            _check_secret(settings, connection)
    finally:
        database.close()
    return manifest


def _check_version(manifest: Manifest) -> None:
    expected = migration.expected()
    if {manifest.schema} != expected:
        raise BackupError(
            f"the backup has tables of revision {manifest.schema}, this version those of {', '.join(sorted(expected))}:"
            f" restore it with version {manifest.version}, then migrate"
        )
    missing = {each.name for each in dump.tables()} ^ manifest.tables.keys()
    if missing:
        raise BackupError(f"the manifest does not fit the tables of this version: {', '.join(sorted(missing))}")


def _check_files(settings: Settings, manifest: Manifest) -> None:
    for name in manifest.files:
        parts = PurePosixPath(name).parts
        if name != MODEL and (parts[:1] != (SPOOL,) or len(parts) < 2 or ".." in parts):
            raise BackupError("the backup names a file outside of the spool")
    if settings.model_file.exists():
        raise BackupError(f"{settings.model_file} is there already: restore into an empty data directory")
    spool = settings.data_dir / SPOOL
    if spool.is_dir() and any(spool.iterdir()):
        raise BackupError(f"{spool} is not empty: restore into an empty data directory")


def _prepare_tables(settings: Settings, database: Database) -> None:
    with database.reading() as connection:
        empty = not inspect(connection).get_table_names()
    if empty:
        migration.create_tables(settings.database_url)
    with database.read() as session:
        if not migration.at_head(session):
            raise BackupError("the database holds tables of another version: restore into an empty database")


def _load(connection: Connection, reader: Reader) -> None:
    for table in dump.tables():
        if dump.count_any(connection, table):
            raise BackupError(f"the database is not empty ({table.name} holds rows): restore into an empty one")
    for table in dump.tables():
        try:
            dump.load(connection, table, reader.lines(table_entry(table.name)))
        except dump.DumpError as error:
            raise BackupError(f"the manifest does not fit the content: {error}") from None


def _check_secret(settings: Settings, connection: Connection) -> None:
    if settings.operator_secret_file.exists():
        secret = read_operator_secret(settings.operator_secret_file)
        with Session(connection, join_transaction_mode="rollback_only") as session:
            if not secret_matches(session, secret):
                raise WrongSecretError


@contextmanager
def _new_files(settings: Settings, reader: Reader) -> Iterator[None]:
    """Write the files of a backup; they are removed again where what follows fails."""
    written: list[Path] = []
    try:
        for name in reader.manifest.files:
            path = settings.data_dir / name
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            written.append(path)
            _write(path, reader.blocks(f"{FILES}{name}"))
        yield
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise


def _write(path: Path, blocks: Iterator[bytes]) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        for block in blocks:
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
