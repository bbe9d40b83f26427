"""Bringing the database's tables up to date, and telling whether they are."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from importlib import import_module
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.orm import Session

from repository.services.rulebooks import store_shipped
from repository.storage.engine import Database, create_engine


def configuration(database_url: str) -> Config:
    """Alembic's configuration for the migrations that ship with this version, without any file."""
    config = Config()
    package = import_module("migrations")
    config.set_main_option("script_location", str(Path(package.__path__[0])))
    config.set_main_option("sqlalchemy.url", database_url.replace("%", "%%"))
    return config


def upgrade(database_url: str) -> None:
    """Run every migration that is still to be run, and keep the shipped rulebook in a pool that has none."""
    command.upgrade(configuration(database_url), "head")
    database = Database(create_engine(database_url))
    try:
        with database.writing() as connection:
            store_shipped(connection, datetime.now(UTC))
    finally:
        database.close()


def heads(session: Session) -> list[str]:
    """The migrations that the database's tables are at: one, unless someone forked the history."""
    return sorted(MigrationContext.configure(session.connection()).get_current_heads())


def at_head(session: Session) -> bool:
    """Whether the database's tables are those that this version expects."""
    return set(heads(session)) == _expected()


@cache
def _expected() -> frozenset[str]:
    return frozenset(ScriptDirectory.from_config(configuration("sqlite://")).get_heads())
