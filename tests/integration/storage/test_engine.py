"""Units of work on both databases."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from repository.storage import engine
from repository.storage.engine import Database, create_engine
from repository.storage.operator import InstallationFactRow, fact, set_fact
from repository.storage.tokens import RevokedTokenRow
from tests.support.clock import FakeClock
from tests.support.speed import PRAGMAS


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A database of its own."""
    made = Database(create_engine(database_url))
    yield made
    made.close()


def test_a_write_is_committed_and_a_read_is_not(database: Database) -> None:
    """What `write` did is there, what was changed in `read` is not."""
    with database.write() as session:
        set_fact(session, "a", "1")
    with database.read() as session:
        set_fact(session, "a", "2")
        session.flush()
    with database.read() as session:
        assert fact(session, "a") == "1"


def test_a_write_that_fails_leaves_nothing(database: Database) -> None:
    """All or nothing."""

    def fail() -> None:
        with database.write() as session:
            set_fact(session, "a", "1")
            session.flush()
            session.execute(text("INSERT INTO installation_facts (name, value) VALUES ('a', '2')"))

    with pytest.raises(IntegrityError):
        fail()
    with database.read() as session:
        assert session.scalars(select(InstallationFactRow)).all() == []


def test_writers_wait_for_each_other(database: Database) -> None:
    """Two writers that read before they write both get through: no lock is upgraded halfway, no count is lost."""
    with database.write() as session:
        set_fact(session, "count", "0")

    def count() -> None:
        for _ in range(10):
            with database.write() as session:
                query = select(InstallationFactRow).where(InstallationFactRow.name == "count").with_for_update()
                row = session.scalars(query).one()
                row.value = str(int(row.value) + 1)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as session:
        assert fact(session, "count") == "40"


def test_a_reader_does_not_wait_for_a_writer(database: Database) -> None:
    """A read in the middle of a write sees what was committed before."""
    with database.write() as session:
        set_fact(session, "a", "1")
    with database.write() as writing:
        set_fact(writing, "a", "2")
        writing.flush()
        with database.read() as reading:
            assert fact(reading, "a") == "1"


def test_foreign_keys_are_checked(database: Database) -> None:
    """A row that refers to nothing is refused, on SQLite too."""
    statement = text(
        "INSERT INTO token_families (id, actor_id, refresh_id, created_at, expires_at)"
        " VALUES ('tok_1', 'act_none', 'tok_2', '2026-01-01 00:00:00', '2026-01-01 00:00:00')"
    )
    with pytest.raises(IntegrityError), database.write() as session:
        session.execute(statement)


def test_times_sort_and_compare_in_the_database(database: Database, clock: FakeClock) -> None:
    """A point in time is found by comparison, and comes back as it went in."""
    with database.write() as session:
        session.add(RevokedTokenRow(id="early", expires_at=clock()))
        clock.advance(microseconds=1)
        session.add(RevokedTokenRow(id="late", expires_at=clock()))
    with database.read() as session:
        found = session.scalars(select(RevokedTokenRow).where(RevokedTokenRow.expires_at >= clock())).one()
        assert (found.id, found.expires_at) == ("late", clock())


def test_errors_do_not_show_parameters(database: Database) -> None:
    """What was to be stored is not in the message, which may end up in a log."""
    statement = text("INSERT INTO no_such_table (name) VALUES (:name)")
    with pytest.raises(DBAPIError) as caught, database.write() as session:
        session.execute(statement, {"name": "Ann Smith"})
    assert "Ann" not in str(caught.value)


def test_database_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    """Whatever the umask is, nobody else reads the file or its companions."""
    before = os.umask(0)
    try:
        made = Database(create_engine(f"sqlite:///{tmp_path / 'pool.db'}"))
        with made.write() as session:
            session.execute(text("CREATE TABLE one (a TEXT)"))
            session.execute(text("INSERT INTO one VALUES ('1')"))
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
        made.close()
    finally:
        os.umask(before)
    assert modes == {"pool.db": 0o600, "pool.db-wal": 0o600, "pool.db-shm": 0o600}


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_commits_are_on_disk_before_they_are_answered(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Writing connections of SQLite sync their log at each commit: FULL is 2. The other tests do without."""
    monkeypatch.setattr(engine, "_PRAGMAS", PRAGMAS)
    made = Database(create_engine(database_url))
    with made.write() as session:
        assert session.execute(text("PRAGMA synchronous")).scalar_one() == 2
        assert session.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
    made.close()


def test_a_connection_that_was_ended_while_nobody_used_it_is_replaced(database: Database, database_url: str) -> None:
    """The server says so, or the socket is closed: no statement meets it, and nobody is told of an error."""
    if database.engine.dialect.name != "postgresql":
        pytest.skip("a file has no sessions")
    with database.glancing() as connection:
        own = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    other = create_engine(database_url)
    with other.connect() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:own, 5000)"), {"own": own})
    other.dispose()
    with database.glancing() as connection:
        assert connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one() != own


def test_a_connection_that_fell_silent_is_asked_before_it_is_used(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a while without use only: each question would else pay for it."""
    if database.engine.dialect.name != "postgresql":
        pytest.skip("a file has no sessions")
    asked: list[object] = []

    def answers(_engine: object, connection: object) -> bool:
        asked.append(connection)
        return True

    monkeypatch.setattr(engine, "_answers", answers)
    for wait, expected in ((engine._ASK_AFTER, 0), (-1.0, 1)):
        monkeypatch.setattr(engine, "_ASK_AFTER", wait)
        for _ in range(2):
            with database.glancing() as connection:
                connection.exec_driver_sql("SELECT 1")
        assert (len(asked) > 0) == bool(expected)


def test_a_glance_begins_no_transaction(database: Database) -> None:
    """On PostgreSQL each statement stands by itself: to begin and to end one are two messages more."""
    if database.engine.dialect.name != "postgresql":
        pytest.skip("SQLite has no messages to save")
    with database.glancing() as connection:
        first = connection.exec_driver_sql("SELECT txid_current()").scalar_one()
        assert connection.exec_driver_sql("SELECT txid_current()").scalar_one() != first
    with database.writing() as connection:
        first = connection.exec_driver_sql("SELECT txid_current()").scalar_one()
        assert connection.exec_driver_sql("SELECT txid_current()").scalar_one() == first
