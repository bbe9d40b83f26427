"""Bringing the database's tables up to date, and telling whether they are."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from repository.storage.engine import Database


def configuration(database_url: str) -> Config:
    """Alembic's configuration for the migrations that ship with this version, without any file."""
    config = Config()
    package = import_module("migrations")
    config.set_main_option("script_location", str(Path(package.__path__[0])))
    config.set_main_option("sqlalchemy.url", database_url.replace("%", "%%"))
    return config


def upgrade(database_url: str) -> None:
    """Run every migration that is still to be run."""
    command.upgrade(configuration(database_url), "head")


def at_head(database: Database) -> bool:
    """Whether the database's tables are those that this version expects."""
    url = database.engine.url.render_as_string(hide_password=False)
    expected = ScriptDirectory.from_config(configuration(url)).get_heads()
    with database.read() as session:
        found = MigrationContext.configure(session.connection()).get_current_heads()
    return set(found) == set(expected)
