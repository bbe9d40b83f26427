"""How long a session may wait and work, how many there are, and which errors say that a limit was met."""

from __future__ import annotations

import errno
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum
from typing import Any

from sqlalchemy import URL, Connection, Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

APPLICATION_NAME = "frankpledge"
_OUT_OF_TIME = {
    "57014",  # query_canceled: the statement timeout
    "55P03",  # lock_not_available: the lock timeout
    "25P03",  # idle_in_transaction_session_timeout
    "25P04",  # transaction_timeout, where a database administrator sets one
    "40001",  # serialization_failure
    "40P01",  # deadlock_detected
    "53300",  # too_many_connections
}
_GOING_DOWN = {"57P01", "57P02", "57P03"}  # admin_shutdown, crash_shutdown, cannot_connect_now
_END_SILENT = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND usename = current_user AND application_name = :name"
    " AND state = 'active' AND wait_event = 'ClientRead'"
    " AND query_start < clock_timestamp() - CAST(:longest AS interval)"
)
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True, slots=True)
class Limits:
    """What PostgreSQL is held to. SQLite has a time-out for locks of its own, and only the sizes of the pool apply.

    `long` is for statements, locks and pauses of long work: a batch's chunk, the daily look, commands, migrations.
    """

    pool_size: int = 10
    pool_overflow: int = 10
    pool: timedelta = timedelta(seconds=5)
    connect: timedelta = timedelta(seconds=5)
    statement: timedelta = timedelta(seconds=30)
    lock: timedelta = timedelta(seconds=10)
    idle: timedelta = timedelta(seconds=60)
    long: timedelta = timedelta(seconds=600)

    def patient(self) -> Limits:
        """The same for a process that only does long work."""
        return replace(self, statement=self.long, lock=self.long, idle=self.long)

    def session(self) -> dict[str, str]:
        """The parameters of each session of PostgreSQL, in milliseconds."""
        return {
            "statement_timeout": _milliseconds(self.statement),
            "lock_timeout": _milliseconds(self.lock),
            "idle_in_transaction_session_timeout": _milliseconds(self.idle),
        }

    def arguments(self, url: URL) -> dict[str, Any]:
        """What PostgreSQL's driver is told on connecting; what the URL says itself goes before."""
        options = [f"-c {name}={value}" for name, value in self.session().items()]
        given = url.query.get("options", ())
        told: dict[str, Any] = {"options": " ".join([*options, *((given,) if isinstance(given, str) else given)])}
        if "connect_timeout" not in url.query:
            told["connect_timeout"] = int(self.connect.total_seconds())
        return told | {"fallback_application_name": APPLICATION_NAME}


DEFAULTS = Limits()


class Trouble(Enum):
    """What is the matter with the database, or the disk, when nothing is wrong with the statement."""

    BUSY = "busy"
    UNREACHABLE = "unreachable"
    FULL = "full"
    GONE = "gone"
    """What something was about to refer to was removed at that moment. SQLite lets one at a time write: never there."""


_STATES: dict[str | None, Trouble] = {
    **dict.fromkeys(_OUT_OF_TIME, Trouble.BUSY),
    "53100": Trouble.FULL,  # disk_full
    "23503": Trouble.GONE,  # foreign_key_violation
}
# SQLITE_BUSY, SQLITE_LOCKED, SQLITE_FULL
_SQLITE_TROUBLES = {5: Trouble.BUSY, 6: Trouble.BUSY, 13: Trouble.FULL}


def take_time(connection: Connection, limits: Limits) -> None:
    """Let this one transaction work, wait and pause as long as long work may."""
    if connection.dialect.name != "postgresql":
        return
    set_each = ", ".join(f"set_config('{name}', :{name}, true)" for name in limits.session())
    connection.execute(text(f"SELECT {set_each}"), limits.patient().session())


def end_silent(connection: Connection, limits: Limits) -> int:
    """End our sessions that have waited for their client in one statement for longer than long work may; how many.

    A COPY is told of its time-out only when its client sends more: one that hangs would hold its locks until it dies.
    """
    if connection.dialect.name != "postgresql":
        return 0
    ended = connection.execute(_END_SILENT, {"name": APPLICATION_NAME, "longest": limits.long})
    return len(ended.all())


def trouble(engine: Engine, error: BaseException) -> Trouble | None:
    """What an error says is the matter, if that is no fault of the service; None for a fault."""
    if isinstance(error, PoolTimeoutError):
        return Trouble.BUSY
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        return Trouble.FULL
    # What a prepared statement meets is the driver's own error, not wrapped.
    cause = error.orig if isinstance(error, DBAPIError) else error
    driver = engine.dialect.loaded_dbapi
    if not isinstance(cause, driver.Error):
        return None
    if engine.dialect.name == "sqlite":
        return _SQLITE_TROUBLES.get(getattr(cause, "sqlite_errorcode", 0) & 0xFF)
    state: str | None = getattr(cause, "sqlstate", None)
    if state in _STATES:
        return _STATES[state]
    # The driver's own word that a connection failed or was cut carries no code of the server's.
    lost = state is None and isinstance(cause, driver.OperationalError)
    return Trouble.UNREACHABLE if lost or state in _GOING_DOWN or (state or "").startswith("08") else None


def _milliseconds(span: timedelta) -> str:
    return str(int(span.total_seconds() * 1000))
