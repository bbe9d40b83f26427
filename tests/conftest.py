"""Fixtures of the whole service: every test that asks for `settings` or `app` runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import secrets
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import settings as hypothesis_settings

from app import create_app
from repository.api.base import EXTENSION
from repository.services import Services, authentication
from repository.services.operator import accept_fingerprint, remember_secret
from repository.services.signing import create_signing_key
from repository.settings import Settings, read_operator_secret, write_private_file
from tests.support.clock import FakeClock
from tests.support.members import Admissions, TestUser
from tests.support.scope import Guard
from tests.support.speed import hurry, traced
from tests.support.stores import PostgresStores, SqliteStores, postgres_stores
from tests.support.unscoped import ALLOWED

FINGERPRINT = "0123456789abcdef"

# A machine that is busy with something else fails no test.
hypothesis_settings.register_profile("patient", deadline=None)
hypothesis_settings.load_profile("patient")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, which is what runs without coverage: the other workers have enough to do."""
    items.sort(key=lambda item: item.get_closest_marker("no_cover") is None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Count the lines of each test that has some of its own."""
    with traced(item):
        return (yield)


@pytest.fixture(scope="session", autouse=True)
def _hurrying() -> Iterator[None]:
    """What takes time and no test is about is done less."""
    with pytest.MonkeyPatch.context() as patch:
        hurry(patch)
        yield


@pytest.fixture(scope="session")
def sqlite_stores(tmp_path_factory: pytest.TempPathFactory) -> SqliteStores:
    """The SQLite template."""
    return SqliteStores(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgresql_stores() -> Iterator[PostgresStores]:
    """The PostgreSQL server and its template, started when the first test needs it."""
    with postgres_stores() as stores:
        yield stores


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> str:
    """Which database a test runs on; `@pytest.mark.parametrize("store", ["sqlite"], indirect=True)` keeps to one."""
    name: str = request.param
    return name


@pytest.fixture
def database_url(store: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of an empty database with all tables."""
    stores: SqliteStores | PostgresStores = request.getfixturevalue(f"{store}_stores")
    with stores.fresh(tmp_path) as url:
        yield url


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings of a new installation: a data directory, an operator secret and a signing key."""
    made = replace(Settings.under(tmp_path / "data"), database_url=database_url)
    made.data_dir.mkdir()
    write_private_file(made.operator_secret_file, secrets.token_hex(32).encode())
    create_signing_key(made.signing_keys_dir)
    return made


@pytest.fixture
def clock() -> FakeClock:
    """The time as the service sees it: 2 March 2026, 09:00 UTC, until a test moves it."""
    return FakeClock()


@pytest.fixture
def quick_hashing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashing of secrets with the least work, so that tests spend their time on what they test."""
    monkeypatch.setattr(authentication, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def app(settings: Settings, clock: FakeClock, quick_hashing: None) -> Iterator[Flask]:
    """The application, ready: the operator secret is remembered and one linkage key is accepted."""
    made = create_app(settings, clock)
    services: Services = made.extensions[EXTENSION]
    with services.database.write() as session:
        remember_secret(session, read_operator_secret(settings.operator_secret_file))
        accept_fingerprint(session, "guarded/1", FINGERPRINT, now=clock())
    yield made
    services.database.close()


@pytest.fixture
def services(app: Flask) -> Services:
    """The composition of the application."""
    made: Services = app.extensions[EXTENSION]
    return made


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A client without a log-in."""
    return app.test_client()


@pytest.fixture
def member(app: Flask) -> Admissions:
    """Admits members: `member("Alpha", lines=("motor",), roles=("screener",))`."""
    return Admissions(app)


@pytest.fixture
def operator(member: Admissions) -> TestUser:
    """An operator of the scheme, logged in."""
    return member.operator()


@pytest.fixture
def fingerprint() -> str:
    """The fingerprint of the linkage key that the pool accepts."""
    return FINGERPRINT


@pytest.fixture
def scoped(monkeypatch: pytest.MonkeyPatch) -> Iterator[Guard]:
    """Every statement over members' rows binds a member, or its function is on the list of those that need none."""
    guard = Guard(ALLOWED)
    with guard.watching(monkeypatch):
        yield guard
    assert guard.faults == []
