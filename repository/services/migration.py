"""Bringing the database's tables up to date, and telling whether they are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import import_module
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from repository.services.rulebooks import store_shipped
from repository.storage.dialect import lock_pool
from repository.storage.engine import Database, create_engine
from repository.storage.limits import DEFAULTS, Limits
from repository.storage.migrating import LOCK_TIMEOUT, WAIT, MigrationError

_GIVEN_UP = {
    "55P03": (
        f"a table was in use for longer than {LOCK_TIMEOUT.total_seconds():.0f} s by someone else, and the migration"
        " gave up rather than hold up everyone behind it: run `frankpledge-admin migrate` again in a quieter moment,"
        " it goes on where it stopped"
    ),
    "57014": (
        "a statement of the migration took longer than FRANKPLEDGE_DB_LONG_SECONDS allows: set it higher, and run"
        " `frankpledge-admin migrate` again, it goes on where it stopped"
    ),
}


def configuration(database_url: str) -> Config:
    """Alembic's configuration for the migrations that ship with this version, without any file."""
    config = Config()
    package = import_module("migrations")
    config.set_main_option("script_location", str(Path(package.__path__[0])))
    config.set_main_option("sqlalchemy.url", database_url.replace("%", "%%"))
    return config


def upgrade(database_url: str, limits: Limits = DEFAULTS, wait: timedelta = WAIT) -> None:
    """Run every migration that is still to be run, and keep the shipped rulebook in a pool that has none.

    Raises MigrationError as `create_tables` does.
    """
    create_tables(database_url, limits, wait)
    database = Database(create_engine(database_url))
    try:
        with database.writing() as connection:
            lock_pool(connection)  # of two who migrate at once, one finds it stored
            store_shipped(connection, datetime.now(UTC))
    finally:
        database.close()


def create_tables(database_url: str, limits: Limits = DEFAULTS, wait: timedelta = WAIT) -> None:
    """Run every migration that is still to be run, and add nothing.

    Raises MigrationError when another one runs for longer than `wait`, or when a time-out ended this one.
    """
    config = configuration(database_url)
    config.attributes.update(limits=limits, wait=wait)
    try:
        command.upgrade(config, "head")
    except DBAPIError as error:
        given_up = _GIVEN_UP.get(getattr(error.orig, "sqlstate", None) or "")
        if given_up is None:
            raise
        raise MigrationError(given_up) from None


def heads(session: Session) -> list[str]:
    """The migrations that the database's tables are at: one, unless someone forked the history."""
    return sorted(MigrationContext.configure(session.connection()).get_current_heads())


def at_head(session: Session) -> bool:
    """Whether the database's tables are those that this version expects."""
    return set(heads(session)) == expected()


def serves(session: Session) -> bool:
    """Whether this version may work on the tables: they are its own, or a later version's, which it is to outlive.

    What the version before reads stays where it is, and migrations are numbered in their order.
    """
    return at_head(session) or all(each > max(expected()) for each in heads(session) or [""])


@cache
def expected() -> frozenset[str]:
    """The migrations that this version's tables are at."""
    return frozenset(ScriptDirectory.from_config(configuration("sqlite://")).get_heads())
