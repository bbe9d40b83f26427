"""The migrations make exactly the tables that the code declares, and undo them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from alembic import command
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, inspect

from repository.services.migration import at_head, configuration
from repository.storage.engine import Database, create_engine


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


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_a_migration_gives_up_rather_than_wait_for_a_lock(empty_url: str) -> None:
    """On PostgreSQL the timeouts are set within the migration's transaction, and end with it."""
    engine = create_engine(empty_url)
    command.upgrade(configuration(empty_url), "head")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW lock_timeout").scalar_one() == "0"
        assert MigrationContext.configure(connection).get_current_revision() is not None
    engine.dispose()


def test_migrations_do_not_depend_on_the_code() -> None:
    """A migration says what the tables were then: it imports nothing of the service."""
    versions = Path(__file__).parents[3] / "migrations" / "versions"
    found = subprocess.run(["grep", "-l", "repository", *versions.glob("*.py")], check=False, capture_output=True)
    assert found.stdout == b""
