"""Locks, clocks, and inserts into rows that may be there already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Insert,
    String,
    Table,
    bindparam,
    case,
    cast,
    collate,
    func,
    literal,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningInsert

from repository.storage.dialect.prepared import Prepared

_POOL_LOCK = 0x6672616E6B706C65  # "frankple": one lock for whoever writes to the pool
_QUEUE_LOCK = 0x6672616E6B717565  # "frankque": one for whoever adds to what waits


def instant(connection: Connection, now: datetime) -> datetime:
    """The time on the clock that all who work on the database share: PostgreSQL's. SQLite has none but ours, `now`."""
    if connection.dialect.name == "sqlite":
        return now
    shared: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return shared.astimezone(UTC)


def lock_pool(connection: Connection) -> None:
    """Let one transaction at a time look up and add to the pool, until it ends.

    Two members filing the same person at once would otherwise each look before the other's rows are there, and the
    hit between them would be missed. SQLite's BEGIN IMMEDIATE has done it already.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _POOL_LOCK})


def lock_queue(connection: Connection) -> None:
    """Let one transaction at a time add to what waits, until it ends: what each finds is there counts for the next.

    SQLite's BEGIN IMMEDIATE has done it already.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _QUEUE_LOCK})


def add_up(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], add: str | Sequence[str], *replace: str
) -> None:
    """Insert rows; where the primary key is there already, add to the columns `add` and replace the others named.

    What is null replaces nothing.
    """
    if rows:
        names = (add,) if isinstance(add, str) else tuple(add)
        _adding_up(table, tuple(rows[0]), names, replace).write(connection, rows)


@cache
def _adding_up(table: Table, given: tuple[str, ...], add: tuple[str, ...], replace: tuple[str, ...]) -> Prepared:
    def build(dialect: str) -> Insert:
        insert = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
        insert = insert.values({name: bindparam(name, type_=table.c[name].type) for name in given})
        changed = {name: table.c[name] + insert.excluded[name] for name in add}
        changed |= {name: func.coalesce(insert.excluded[name], table.c[name]) for name in replace}
        return insert.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=changed)

    return Prepared(build)


def counting(dialect: str, table: Table, rows: Sequence[Mapping[str, Any]]) -> ReturningInsert[Any]:
    """Insert rows of (`period`, `start`, `used`), given as bound parameters, and return what is used now, by period.

    Where the key is there already, add to `used`, or start over when a new period has begun.
    """
    insert = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    statement = insert.values(list(rows))
    begins = statement.excluded.start > table.c.start
    statement = statement.on_conflict_do_update(
        index_elements=list(table.primary_key.columns),
        set_={
            "start": case((begins, statement.excluded.start), else_=table.c.start),
            "used": case((begins, statement.excluded.used), else_=table.c.used + statement.excluded.used),
        },
    )
    return statement.returning(table.c.period, table.c.used)


def next_number(dialect: str, table: Table, key: str, name: str, column: str) -> ReturningInsert[Any]:
    """Add one to a number that is kept as text under a name, the bound parameter being the first; return it."""
    insert = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    statement = insert.values({key: literal(name), column: bindparam(column, type_=String)})
    after = cast(cast(table.c[column], BigInteger) + 1, String)
    statement = statement.on_conflict_do_update(index_elements=[table.c[key]], set_={column: after})
    return statement.returning(table.c[column])


def insert_missing(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, leaving those alone whose primary key is there already."""
    if not rows:
        return
    insert = postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)
    connection.execute(insert.on_conflict_do_nothing(), list(rows))


def insert_new(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *names: str) -> list[Any]:
    """Insert rows, leaving those alone that a unique constraint forbids; the columns named of those inserted."""
    if not rows:
        return []
    insert = postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)
    statement = insert.on_conflict_do_nothing().returning(*(table.c[name] for name in names))
    return list(connection.execute(statement, list(rows)))


def inserting_new(dialect_name: str, table: Table) -> Insert:
    """Inserts rows, leaving those alone that a unique constraint forbids: a statement to be prepared."""
    insert = postgresql.insert(table) if dialect_name == "postgresql" else sqlite.insert(table)
    return insert.on_conflict_do_nothing()


def put(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows; where the primary key is there already, replace the rest of the row."""
    if not rows:
        return
    insert = postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)
    changed = {each.name: insert.excluded[each.name] for each in table.columns if not each.primary_key}
    statement = insert.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=changed)
    connection.execute(statement, list(rows))


def as_text(column: Column[Any]) -> ColumnElement[str]:
    """A JSON column as the text that is stored."""
    return cast(column, String).label(column.name)


def in_byte_order(dialect: str, column: Column[Any]) -> ColumnElement[Any]:
    """A column to order by, text by its bytes: SQLite does so anyway, PostgreSQL by the database's language."""
    return collate(column, "C") if dialect == "postgresql" and isinstance(column.type, String) else column
