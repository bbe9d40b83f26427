"""Databases for tests: a template with the tables made once, and a copy of it for each test."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from tests.support import postgres
from tests.support.schema import create_tables

_TEMPLATE = "frankpledge_template"
_COPY = "CREATE DATABASE {} TEMPLATE {}"
_BY_FILES = " STRATEGY FILE_COPY"
"""Not through the log: less work on a server that forces nothing to the disk. PostgreSQL 14 does not know the words."""
_numbers = itertools.count(1)


class SqliteStores:
    """SQLite: a file copied for each test."""

    def __init__(self, directory: Path) -> None:
        self._template = directory / "template.db"
        create_tables(f"sqlite:///{self._template}")

    @contextmanager
    def fresh(self, directory: Path) -> Iterator[str]:
        """The URL of a new database with empty tables."""
        path = directory / "frankpledge.db"
        shutil.copyfile(self._template, path)
        yield f"sqlite:///{path}"


class PostgresStores:
    """PostgreSQL: a database made from a template for each test."""

    def __init__(self, url: str, how: str = "") -> None:
        self._url = make_url(url)
        self._copy = f"{_COPY}{how}"
        self._prefix = f"frankpledge_{os.getpid()}"
        self._administer("DROP DATABASE IF EXISTS {}", self._name(_TEMPLATE))
        self._administer("CREATE DATABASE {}", self._name(_TEMPLATE))
        create_tables(self._database_url(self._name(_TEMPLATE)))

    @contextmanager
    def fresh(self, _directory: Path) -> Iterator[str]:
        """The URL of a new database with empty tables, dropped afterwards."""
        name = self._name(f"test_{next(_numbers)}")
        self._administer(self._copy, name, self._name(_TEMPLATE))
        try:
            yield self._database_url(name)
        finally:
            self._administer("DROP DATABASE {} WITH (FORCE)", name)

    def close(self) -> None:
        """Drop the template."""
        self._administer("DROP DATABASE {} WITH (FORCE)", self._name(_TEMPLATE))

    def _name(self, what: str) -> str:
        return f"{self._prefix}_{what}"

    def _database_url(self, name: str) -> str:
        return self._url.set(database=name).render_as_string(hide_password=False)

    def _administer(self, statement: str, *names: str) -> None:
        url = self._url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*(sql.Identifier(name) for name in names)))


@contextmanager
def postgres_stores() -> Iterator[PostgresStores]:
    """Over the server of FRANKPLEDGE_TEST_DATABASE_URL, else one started for the purpose."""
    given = os.environ.get("FRANKPLEDGE_TEST_DATABASE_URL")
    with nullcontext(given) if given else _own_server() as url:
        stores = PostgresStores(url, "" if given else _BY_FILES)
        yield stores
        stores.close()


@contextmanager
def _own_server() -> Iterator[str]:
    server = postgres.start()
    try:
        yield server.url("postgres")
    finally:
        server.stop()
