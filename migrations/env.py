"""Alembic's entry: which tables there are, and how a migration is run safely on each database.

On PostgreSQL one migration runs at a time, each step in a transaction of its own. It waits for the lock of a table for
seconds only and gives up then: waiting longer would hold up every request behind it. Run it again in a quieter moment.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection

import repository.storage
from repository.storage.base import Base, UtcDateTime
from repository.storage.engine import create_engine
from repository.storage.limits import DEFAULTS
from repository.storage.migrating import WAIT, alone, migrating


def tables() -> None:
    """Import every module that declares tables."""
    for module in pkgutil.iter_modules(repository.storage.__path__):
        import_module(f"repository.storage.{module.name}")


def render(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """Write our time type as the column type it is: a migration must not change with our code."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def is_meant(item: Any, store: str) -> bool:
    """Whether what the code declares is for this store: an index may be for one only."""
    only = getattr(item, "info", {}).get("only_on")
    return only is None or only == store


def run(connection: Connection) -> None:
    """Run migrations on an open connection: on SQLite all in one transaction, on PostgreSQL one in each.

    There a step may leave its transaction (see migrations.safely), which commits what came before it.
    """
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_item=render,
        include_object=lambda item, *_: is_meant(item, connection.dialect.name),
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        transactional_ddl=True,
        transaction_per_migration=connection.dialect.name == "postgresql",
    )
    with context.begin_transaction():
        context.run_migrations()


def main() -> None:
    """Open the database that the configuration names."""
    tables()
    url = context.config.get_main_option("sqlalchemy.url")
    if url is None or context.is_offline_mode():
        raise RuntimeError("migrations run against a database: `frankpledge-admin migrate`")
    told = context.config.attributes
    engine = create_engine(url, migrating(told.get("limits", DEFAULTS)))
    try:
        with engine.connect() as connection, alone(connection, told.get("wait", WAIT)):
            run(connection)
    finally:
        engine.dispose()


main()
