"""What a migration does to a table that is in use: each step holds others up for a moment only, or not at all.

On PostgreSQL these leave the migration's transaction: what was done before them is committed, and they can be run again
if they were cut off. On SQLite the table is for the migration alone, and they are plain.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from alembic import op


def create_index(name: str, table: str, columns: Sequence[str], *, unique: bool = False) -> None:
    """An index on a table that holds rows."""
    if not _postgresql():
        op.create_index(name, table, list(columns), unique=unique)
        return
    with _patiently():
        # One that was cut off is left behind, invalid, under its name.
        op.drop_index(name, table, postgresql_concurrently=True, if_exists=True)
        op.create_index(name, table, list(columns), unique=unique, postgresql_concurrently=True)


def drop_index(name: str, table: str) -> None:
    """Take an index away."""
    if not _postgresql():
        op.drop_index(name, table)
        return
    with _patiently():
        op.drop_index(name, table, postgresql_concurrently=True, if_exists=True)


def require(table: str, column: str) -> None:
    """Make a column NOT NULL, in which there is no null any more and into which no version in use puts one."""
    if not _postgresql():
        with op.batch_alter_table(table) as batch:
            batch.alter_column(column, nullable=False)
        return
    check = f"ck_{table}_{column}_not_null"
    with op.get_context().autocommit_block():
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {check}")
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {check} CHECK ({column} IS NOT NULL) NOT VALID")
        # Looks through the table while others write to it; with the check valid, SET NOT NULL need not look itself.
        op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {check}")
        op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL")
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {check}")


def _postgresql() -> bool:
    return op.get_context().dialect.name == "postgresql"


@contextmanager
def _patiently() -> Iterator[None]:
    """Without a transaction and without timeouts: CONCURRENTLY waits for others, and nobody waits for it."""
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")
        op.execute("SET statement_timeout = 0")
        yield
        op.execute("RESET statement_timeout")
        op.execute("RESET lock_timeout")
