"""One migration of a database at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import Connection, text

from repository.storage.limits import Limits

LOCK_TIMEOUT = timedelta(seconds=5)
WAIT = timedelta(seconds=60)
"""How long the second of two migrations waits for the first, unless told otherwise."""
_LOCK = 0x6D696772617465  # "migrate"
_PAUSE = 0.25
_HOLDER = text(
    "SELECT l.pid, to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') FROM pg_locks l"
    " LEFT JOIN pg_stat_activity a ON a.pid = l.pid"
    " WHERE l.locktype = 'advisory' AND l.granted AND ((l.classid::bigint << 32) | l.objid::bigint) = :lock"
    " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


class MigrationError(RuntimeError):
    """The tables were not brought up to date; the message says why, and what to do."""


def migrating(limits: Limits) -> Limits:
    """The limits of a session that migrates: statements may take long, but no one waits long behind it for a lock."""
    idle = max(limits.idle, limits.long)
    return Limits(connect=limits.connect, statement=limits.long, lock=LOCK_TIMEOUT, idle=idle, long=limits.long)


@contextmanager
def alone(connection: Connection, wait: timedelta = WAIT) -> Iterator[None]:
    """Hold PostgreSQL's lock for migrations in this session. Raises MigrationError when another has it for too long.

    SQLite's own lock for writing does the same.
    """
    if connection.dialect.name != "postgresql":
        yield
        return
    deadline = time.monotonic() + wait.total_seconds()
    # Tried again and again: to wait inside of a statement would hold a snapshot, for which the other's
    # CREATE INDEX CONCURRENTLY waits in its turn.
    while not connection.execute(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": _LOCK}).scalar_one():
        if time.monotonic() >= deadline:
            raise MigrationError(_held(connection, wait))
        connection.rollback()
        time.sleep(_PAUSE)
    connection.commit()
    try:
        yield
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": _LOCK})
        connection.commit()


def _held(connection: Connection, wait: timedelta) -> str:
    holder = connection.execute(_HOLDER, {"lock": _LOCK}).first()
    who = f", by the database's process {holder[0]}, connected since {holder[1]} UTC" if holder else ""
    return (
        f"the tables are being migrated already{who}; waited {wait.total_seconds():.0f} s for its end, and changed"
        " nothing: run `frankpledge-admin migrate` again when it is done"
    )
