"""The migrations make exactly the tables that the code declares, and undo them."""

from __future__ import annotations

import os
import subprocess
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from click.testing import CliRunner
from sqlalchemy import MetaData, inspect
from sqlalchemy.exc import DBAPIError

from repository.cli import main
from repository.services.migration import at_head, configuration, upgrade
from repository.settings import Settings
from repository.storage import migrating
from repository.storage.engine import Database, create_engine
from repository.storage.limits import Limits
from repository.storage.migrating import MigrationError, alone
from tests.support.processes import Command

HEAD = ScriptDirectory.from_config(configuration("sqlite://")).get_current_head()
only_postgresql = pytest.mark.parametrize("store", ["postgresql"], indirect=True)


@pytest.fixture
def empty_url(database_url: str) -> str:
    """A database without any tables."""
    engine = create_engine(database_url)
    with engine.begin() as connection:
        there = MetaData()
        there.reflect(connection)
        there.drop_all(connection)
    engine.dispose()
    return database_url


def test_upgrade_makes_what_the_code_declares_and_downgrade_undoes_it(empty_url: str) -> None:
    """After upgrade `alembic check` finds no difference; after downgrade nothing is left; upgrading again works."""
    config = configuration(empty_url)
    database = Database(create_engine(empty_url))
    command.upgrade(config, "head")
    command.check(config)
    with database.read() as session:
        assert at_head(session)
    command.downgrade(config, "base")
    with database.engine.connect() as connection:
        assert inspect(connection).get_table_names() == ["alembic_version"]
    with database.read() as session:
        assert not at_head(session)
    command.upgrade(config, "head")
    with database.read() as session:
        assert at_head(session)
    database.close()


def test_there_is_one_line_of_migrations() -> None:
    """No two migrations follow the same one."""
    assert len(ScriptDirectory.from_config(configuration("sqlite://")).get_heads()) == 1


@only_postgresql
def test_a_migration_gives_up_rather_than_wait_for_a_lock(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table in use by someone else: the command says so after a moment, and goes on where it stopped afterwards."""
    command.downgrade(configuration(settings.database_url), "0010")
    monkeypatch.setattr(migrating, "LOCK_TIMEOUT", timedelta(milliseconds=200))
    monkeypatch.setenv("FRANKPLEDGE_DATABASE_URL", settings.database_url)
    migrate = ["--data-dir", str(settings.data_dir), "migrate"]
    engine = create_engine(settings.database_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("LOCK TABLE batches IN ACCESS SHARE MODE")
        held = CliRunner().invoke(main, migrate)
    assert held.exit_code == 1
    assert "a table was in use" in held.output
    done = CliRunner().invoke(main, migrate)
    assert (done.exit_code, "brought up" in done.output) == (0, True), done.output
    engine.dispose()


@only_postgresql
def test_a_statement_that_takes_too_long_names_the_setting(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time for long work holds for migrations."""
    limits = Limits(long=timedelta(milliseconds=1))
    with pytest.raises(MigrationError, match="FRANKPLEDGE_DB_LONG_SECONDS"):
        upgrade(empty_url, limits)


@only_postgresql
def test_two_that_migrate_at_once_run_one_after_the_other(empty_url: str, settings: Settings, tmp_path: Path) -> None:
    """Two processes, begun together on an empty database: both succeed, and each step was done once."""
    environment = os.environ | {"FRANKPLEDGE_DATABASE_URL": empty_url}
    arguments = ["--data-dir", str(settings.data_dir), "migrate"]
    logs = [tmp_path / f"log-{number}" for number in range(2)]
    running = [Command(arguments, environment, log) for log in logs]
    assert [each.ended() for each in running] == [0, 0], [log.read_text() for log in logs]
    engine = create_engine(empty_url)
    with engine.connect() as connection:
        assert MigrationContext.configure(connection).get_current_heads() == (HEAD,)
        assert connection.exec_driver_sql("SELECT count(*) FROM rulebooks").scalar_one() == 1
    engine.dispose()


@only_postgresql
def test_the_second_waits_for_the_first(empty_url: str) -> None:
    """While one session holds the lock another gets nowhere; when it lets go, the other goes on, and finds all done."""
    engine = create_engine(empty_url)
    with engine.connect() as first, alone(first):
        second = threading.Thread(target=upgrade, args=(empty_url,))
        second.start()
        second.join(1.0)
        assert second.is_alive()
        assert "alembic_version" not in inspect(first).get_table_names()
    second.join(60)
    assert inspect(engine).has_table("alembic_version")
    engine.dispose()


@only_postgresql
def test_who_does_not_get_the_lock_is_told_who_has_it(empty_url: str) -> None:
    """After the wait: nothing was changed, and which process of the database to look for."""
    engine = create_engine(empty_url)
    with engine.connect() as first, alone(first):
        process = first.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        first.rollback()
        with pytest.raises(MigrationError, match=rf"being migrated already, by the database's process {process},"):
            upgrade(empty_url, wait=timedelta(milliseconds=300))
    assert inspect(engine).get_table_names() == []
    engine.dispose()


@only_postgresql
def test_the_lock_is_free_after_a_migration_that_failed(database_url: str) -> None:
    """Whatever ends it."""
    engine = create_engine(database_url)

    def fail() -> None:
        with engine.connect() as connection, alone(connection):
            connection.exec_driver_sql("SELECT 1 / 0")

    with pytest.raises(DBAPIError):
        fail()
    with engine.connect() as connection, alone(connection, timedelta()):
        pass
    engine.dispose()


def test_migrations_do_not_depend_on_the_code() -> None:
    """A migration says what the tables were then: it imports nothing of the service."""
    versions = Path(__file__).parents[3] / "migrations" / "versions"
    found = subprocess.run(["grep", "-l", "repository", *versions.glob("*.py")], check=False, capture_output=True)
    assert found.stdout == b""
