"""The database: how it is opened, and the two units of work, one that reads and one that writes."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import orjson
import sqlalchemy
from sqlalchemy import URL, Connection, Engine, event, make_url, text
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.orm import Session, sessionmaker

from repository import metrics
from repository.storage.limits import APPLICATION_NAME, DEFAULTS, Limits, end_silent, take_time

_PRAGMAS = (
    # Of a new file. Two envelopes and a rest of a page of the usual four kilobytes are a fifth of a pool that is empty.
    "PRAGMA page_size = 8192",
    "PRAGMA journal_mode = WAL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA busy_timeout = 30000",
    # In WAL mode NORMAL would lose the last commits with the power, though they were answered with 201 (decision 9).
    "PRAGMA synchronous = FULL",
    # What is deleted is overwritten: a record that was removed must not lie in free pages of the file.
    "PRAGMA secure_delete = ON",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -65536",
    # Keys are random, so a batch dirties pages all over the index: fewer checkpoints write each of them less often, and
    # look-ups read them without a system call.
    "PRAGMA wal_autocheckpoint = 2000",
    "PRAGMA mmap_size = 2147483648",
)
_BEGIN = "frankpledge_begin"
_ASK_AFTER = 15.0
"""Seconds: a connection that nobody used for longer is asked whether it is there still, before it is used."""
_RETURNED = "frankpledge.returned"
_NEVER = 2**31
"""Statements that are not prepared are not after so many times either; with None the driver would prepare nothing."""
_SNAPSHOT: dict[str, dict[str, Any]] = {
    "postgresql": {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
}


def create_engine(url: str, limits: Limits = DEFAULTS) -> Engine:
    """An engine for a SQLite file or PostgreSQL.

    SQLite begins explicitly (the driver's implicit transactions would leave reads outside of them), is in WAL mode
    and checks foreign keys; its files are for their owner alone. A connection that will write asks for
    `BEGIN IMMEDIATE` by the execution option that Database.write sets: upgrading a read lock later can fail at once
    with 'database is locked'. Sessions of PostgreSQL have the limits from their first statement on.
    """
    # Parameters stay out of messages: they are references, keys and digests, and messages end up in logs.
    # Last in, first out: the connection that was used last is the one whose cache of pages is still good.
    engine = sqlalchemy.create_engine(
        url,
        pool_use_lifo=True,
        skip_autocommit_rollback=not url.startswith("sqlite"),
        hide_parameters=True,
        json_serializer=_json,
        json_deserializer=orjson.loads,
        **_limited(make_url(url), limits),
    )
    if engine.dialect.name == "sqlite":
        if engine.url.database not in (None, "", ":memory:"):
            event.listen(engine, "do_connect", _make_private)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "checkin", _note_return)
        event.listen(engine, "checkout", lambda *found: _refuse_lost(engine, *found))
    event.listen(engine, "checkout", lambda *_: metrics.CONNECTIONS.inc())
    event.listen(engine, "checkin", lambda *_: metrics.CONNECTIONS.dec())
    return engine


def _limited(url: URL, limits: Limits) -> dict[str, Any]:
    if url.get_backend_name() != "sqlite":
        return {**_pool(limits), "connect_args": _arguments(limits.arguments(url))}
    return _pool(limits) if url.database not in (None, "", ":memory:") else {}


def _arguments(told: dict[str, Any]) -> dict[str, Any]:
    """What the driver is told, with which statements it has PostgreSQL prepare: those of `Prepared`, by their own word.

    Of those PostgreSQL keeps a plan for any values. All others are planned for the values they have: a plan for any
    takes a page of any length for a long one, and reads all of a table for it. Of a dozen tables it would look for the
    best order among so many that this takes ten times what reading them does; four at a time keep to the written one.
    """
    options = f"-c join_collapse_limit=4 {told['options']}"
    return {**told, "options": options, "prepare_threshold": _NEVER}


def _pool(limits: Limits) -> dict[str, Any]:
    sizes: dict[str, Any] = {"pool_size": limits.pool_size, "max_overflow": limits.pool_overflow}
    return sizes | {"pool_timeout": limits.pool.total_seconds()}


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _make_private(_dialect: Any, _record: object, arguments: list[Any], _options: object) -> None:
    """Create a missing SQLite file for its owner alone; SQLite gives its -wal and -shm files the same mode."""
    # Only ever created here: to close a file that SQLite has open in this process would drop its locks.
    with suppress(FileExistsError):
        os.close(os.open(arguments[0], os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _prepare_sqlite(connection: Any, _record: object) -> None:  # DB-API connections have no common type
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(pragma).close()


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get(_BEGIN, 'DEFERRED')}")


def _note_return(_connection: Any, record: Any) -> None:
    record.info[_RETURNED] = time.monotonic()


def _refuse_lost(engine: Engine, connection: Any, record: Any, _fairy: object) -> None:
    """Have the pool connect anew where the server has gone since.

    A server that ends a session says so, or closes the socket: between statements there is something to read only then.
    One that fell silent is found by asking it; as each message counts in a question, only after a while.
    """
    returned = record.info.get(_RETURNED)
    if returned is None:
        return  # just made
    silent = time.monotonic() - returned > _ASK_AFTER
    if connection.closed or _speaks(connection.fileno()) or (silent and not _answers(engine, connection)):
        record.info.pop(_RETURNED)
        raise InvalidatePoolError


def _speaks(descriptor: int) -> bool:
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    return bool(waiting.poll(0))


def _answers(engine: Engine, connection: Any) -> bool:
    try:
        connection.execute("").close()
        connection.rollback()
    except engine.dialect.loaded_dbapi.Error:
        return False
    return True


def lift_time_limit(connection: Connection) -> None:
    """Let this one transaction take as long as it needs: its length grows with the pool."""
    if connection.dialect.name == "postgresql":
        for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
            connection.execute(text(f"SET LOCAL {name} = 0"))
        connection.execute(text(f"SET LOCAL application_name = '{APPLICATION_NAME}, without limit'"))


class Database:
    """An engine with the two ways to use it, each with a Session or, for what takes milliseconds, without one.

    A transaction that is `long` may take the time of long work (see `Limits`).
    """

    def __init__(self, engine: Engine, limits: Limits = DEFAULTS) -> None:
        self.engine = engine
        self._limits = limits
        self._held: list[Callable[[], None]] = []
        self._reading = sessionmaker(engine, expire_on_commit=False)
        autocommit = {"isolation_level": "AUTOCOMMIT"} if engine.dialect.name == "postgresql" else {}
        self._glancing = engine.execution_options(**autocommit)
        self._writer = engine.execution_options(**{_BEGIN: "IMMEDIATE"})
        self._writing = sessionmaker(self._writer, expire_on_commit=False)

    @contextmanager
    def read(self, *, long: bool = False) -> Iterator[Session]:
        """One transaction that is rolled back at the end: for reading."""
        with self._reading() as session:
            if long:
                take_time(session.connection(), self._limits)
            yield session

    @contextmanager
    def write(self, *, long: bool = False) -> Iterator[Session]:
        """One transaction: committed at the end, rolled back on any exception."""
        with self._writing.begin() as session:
            if long:
                take_time(session.connection(), self._limits)
            yield session

    @contextmanager
    def reading(self, *, long: bool = False) -> Iterator[Connection]:
        """What `read` is, without the Session."""
        with self.engine.connect() as connection:
            if long:
                take_time(connection, self._limits)
            yield connection

    @contextmanager
    def glancing(self) -> Iterator[Connection]:
        """What `reading` is, for a few statements that only read, whose every message counts.

        PostgreSQL begins and ends no transaction for them: each sees what is there when it is made, as it would in one.
        """
        with self._glancing.connect() as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """All tables as they are at one instant, for as long as it takes: nobody waits for it."""
        # SQLite's reading transaction is one already.
        isolated = self.engine.execution_options(**_SNAPSHOT.get(self.engine.dialect.name, {}))
        with isolated.connect() as connection, connection.begin():
            lift_time_limit(connection)
            yield connection

    @contextmanager
    def writing(self, *, long: bool = False) -> Iterator[Connection]:
        """What `write` is, without the Session."""
        with self._writer.begin() as connection:
            if long:
                take_time(connection, self._limits)
            yield connection

    def end_silent(self) -> int:
        """End sessions whose client fell silent in the middle of a COPY (see `limits.end_silent`); how many."""
        with self.engine.begin() as connection:
            return end_silent(connection, self._limits)

    def settle(self) -> bool:
        """Have SQLite write its log into the file and empty it: what was deleted lies in neither then.

        False where that waits for somebody who still reads what was there before. PostgreSQL does as much by itself.
        """
        if self.engine.dialect.name != "sqlite":
            return True
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            busy: int = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar_one()
        return busy == 0

    def close(self) -> None:
        """Close every pooled connection, and give back what was held with them."""
        self.engine.dispose()
        while self._held:
            self._held.pop()()

    def hold(self, release: Callable[[], None]) -> None:
        """Have something given back when this is closed."""
        self._held.append(release)
