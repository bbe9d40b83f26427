"""Limits of PostgreSQL hold in every session, and meeting one is told apart from a fault, over HTTP too."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import BigInteger, bindparam, func, make_url, select, text

from repository.services import Services
from repository.settings import Settings
from repository.storage import dialect
from repository.storage.dialect import Prepared
from repository.storage.engine import Database, create_engine
from repository.storage.limits import Limits, Trouble, trouble
from tests.support.encodings import filing, subject
from tests.support.members import Admissions

only_postgresql = pytest.mark.parametrize("store", ["postgresql"], indirect=True)
MOMENT = timedelta(milliseconds=200)
SHORT = Limits(pool_size=2, pool_overflow=0, pool=MOMENT, statement=MOMENT, lock=MOMENT / 2, idle=MOMENT * 5)
_SLEEP = Prepared(lambda _: select(func.pg_sleep(bindparam("seconds")), bindparam("number", type_=BigInteger)))


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Those of a service that hardly waits."""
    return replace(settings, limits=SHORT)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A database that hardly waits."""
    made = Database(create_engine(database_url, SHORT), SHORT)
    yield made
    made.close()


def _met(database: Database, work: Any) -> Trouble | None:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - of which kind it is depends on who met it
        work()
    return trouble(database.engine, caught.value)


@only_postgresql
def test_every_session_has_the_limits(database: Database) -> None:
    """They are set on connecting, so that they hold in each transaction, whatever the one before did."""
    for _ in range(3):
        with database.reading() as connection:
            shown = {
                name: connection.exec_driver_sql(f"SHOW {name}").scalar_one()
                for name in (*SHORT.session(), "application_name")
            }
            connection.exec_driver_sql("SET statement_timeout = 0")
        assert shown == {
            "statement_timeout": "200ms",
            "lock_timeout": "100ms",
            "idle_in_transaction_session_timeout": "1s",
            "application_name": "frankpledge",
        }


@only_postgresql
def test_options_of_the_url_are_kept_and_go_before(database_url: str) -> None:
    """Who writes a limit into the URL means it."""
    url = make_url(database_url).update_query_dict(
        {"options": "-c lock_timeout=3s -c work_mem=8MB", "application_name": "mine", "connect_timeout": "3"}
    )
    database = Database(create_engine(url.render_as_string(hide_password=False), SHORT), SHORT)
    with database.reading() as connection:
        names = ("lock_timeout", "work_mem", "statement_timeout", "application_name")
        shown = [connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in names]
    database.close()
    assert shown == ["3s", "8MB", "200ms", "mine"]


@only_postgresql
@pytest.mark.parametrize("way", ["read", "write", "reading", "writing"])
def test_long_work_has_longer_for_one_transaction(database: Database, way: str) -> None:
    """A transaction that is long may take its time; the next one of the same session may not."""
    sleep = text("SELECT pg_sleep(0.4)")
    with getattr(database, way)(long=True) as session:
        session.execute(sleep)

    def again() -> None:
        with getattr(database, way)() as session:
            session.execute(sleep)

    assert _met(database, again) is Trouble.BUSY


@only_postgresql
def test_a_prepared_statement_is_prepared_by_the_server_and_times_out_like_any_other(database: Database) -> None:
    """From the sixth time on the server has its plan; the limit holds before and after, and the session goes on."""
    with database.reading() as connection:
        for number in range(8):
            assert _SLEEP.rows(connection, {"seconds": 0, "number": number})[0][1] == number
        held = connection.exec_driver_sql("SELECT statement FROM pg_prepared_statements").scalars().all()
        assert [each for each in held if "pg_sleep" in each]
    assert _met(database, lambda: _sleep(database)) is Trouble.BUSY
    with database.reading() as connection:
        assert _SLEEP.rows(connection, {"seconds": 0, "number": 9})[0][1] == 9


def _sleep(database: Database) -> None:
    with database.reading() as connection:
        _SLEEP.rows(connection, {"seconds": 5, "number": 0})


@only_postgresql
def test_who_waits_for_a_lock_gives_up(database: Database) -> None:
    """The pool is written to by one at a time; the next one does not wait for ever."""

    def take() -> None:
        with database.writing() as second:
            dialect.lock_pool(second)

    with database.writing() as first:
        dialect.lock_pool(first)
        assert _met(database, take) is Trouble.BUSY


@only_postgresql
def test_a_copy_whose_client_hangs_is_ended(database: Database) -> None:
    """Its time-out does not reach it: it is ended once it took longer than long work may, and no other session is."""

    def hang() -> None:
        with database.writing() as connection:
            dialect.lock_pool(connection)
            cursor: Any = connection.connection.cursor()
            with closing(cursor), cursor.copy("COPY events FROM STDIN") as copy:
                time.sleep(5 * MOMENT.total_seconds())
                ended.append(_end_silent(database, timedelta(minutes=1)))
                ended.append(_end_silent(database, MOMENT))
                copy.write(b"x" * 100_000)

    ended: list[int] = []
    with database.glancing() as connection:
        connection.exec_driver_sql("SELECT 1")
        assert _met(database, hang) is Trouble.UNREACHABLE
        assert ended == [0, 1]
        with database.writing() as other:
            dialect.lock_pool(other)
        assert connection.exec_driver_sql("SELECT 1").scalar_one() == 1


def _end_silent(database: Database, longest: timedelta) -> int:
    url = database.engine.url.render_as_string(hide_password=False)
    other = Database(create_engine(url), replace(SHORT, long=longest))
    try:
        return other.end_silent()
    finally:
        other.close()


def test_an_exhausted_pool_is_busy(database: Database) -> None:
    """On both stores: no more connections than were allowed, and the next one is told after a moment."""
    with ExitStack() as held:
        for _ in range(2):
            held.enter_context(database.reading())
        assert _met(database, lambda: held.enter_context(database.reading())) is Trouble.BUSY


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_locked_file_is_busy(database: Database) -> None:
    """SQLite has its own time-out, after which it is the same."""

    def wait() -> None:
        with database.reading() as second:
            second.exec_driver_sql("PRAGMA busy_timeout = 50")
        with database.writing():
            pass

    with database.writing():
        assert _met(database, wait) is Trouble.BUSY


@only_postgresql
def test_a_server_that_is_away_or_going_down_is_not_there(database_url: str, database: Database) -> None:
    """A connection that cannot be made, and one that is cut, in a prepared statement too."""
    away = make_url(database_url).update_query_dict({"host": "/nowhere"}).render_as_string(hide_password=False)
    absent = Database(create_engine(away))
    assert _met(absent, lambda: absent.reading().__enter__()) is Trouble.UNREACHABLE

    def cut() -> None:
        with database.reading() as connection, database.reading() as other:
            own = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
            other.execute(text("SELECT pg_terminate_backend(:own)"), {"own": own})
            _SLEEP.rows(connection, {"seconds": 0, "number": 0})

    assert _met(database, cut) is Trouble.UNREACHABLE
    with database.reading() as connection:
        assert connection.exec_driver_sql("SELECT 1").scalar_one() == 1


def test_a_fault_is_none_of_it(database: Database) -> None:
    """A statement that is wrong stays an error of ours."""

    def wrong() -> None:
        with database.reading() as connection:
            connection.exec_driver_sql("SELECT nothing FROM nowhere")

    assert _met(database, wrong) is None
    assert trouble(database.engine, ValueError("no")) is None


@only_postgresql
def test_busy_is_an_answer_of_its_own(client: FlaskClient, services: Services, member: Admissions) -> None:
    """503 with Retry-After and a problem that says so; the same request goes through once there is room."""
    alpha = member()
    sent = filing("ALP-1", subject("ann"))
    with services.database.writing() as other:
        dialect.lock_pool(other)
        locked = client.post("/v1/filings", json=sent, headers=alpha.headers)
    with ExitStack() as held:
        for _ in range(2):
            held.enter_context(services.database.reading())
        exhausted = client.get("/v1/filings/fil_1", headers=alpha.headers)
    for answer in (locked, exhausted):
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "2"
        assert answer.get_json()["type"] == "/v1/problems/busy"
    assert client.post("/v1/filings", json=sent, headers=alpha.headers).status_code == 201


@only_postgresql
def test_a_fault_is_still_answered_as_one(client: FlaskClient, services: Services, member: Admissions) -> None:
    """A table that is gone is no lack of time."""
    alpha = member()
    with services.database.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE filings RENAME TO lost")
    answer = client.post("/v1/filings", json=filing("ALP-1", subject("ann")), headers=alpha.headers)
    assert answer.status_code == 500
    assert answer.get_json()["type"] == "/v1/problems/internal"
    assert "Retry-After" not in answer.headers


@only_postgresql
def test_a_server_that_cannot_be_reached_says_when_to_come_again(
    client: FlaskClient, member: Admissions, monkeypatch: pytest.MonkeyPatch, services: Services
) -> None:
    """Not the service's fault either: 503, and the problem for what is not available."""
    alpha = member()
    absent = create_engine("postgresql+psycopg://me@/pool?host=/nowhere")
    monkeypatch.setattr(services.database, "reading", absent.connect)
    monkeypatch.setattr(services.database, "read", absent.connect)
    monkeypatch.setattr(services.database, "glancing", absent.connect)
    answer = client.get("/v1/filings/fil_1", headers=alpha.headers)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.get_json()["type"] == "/v1/problems/unavailable"
