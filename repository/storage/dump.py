"""Tables as lines of text, the same from either store: one JSON array a row, in the order of the primary key.

Bytes are base64, times ISO 8601 in UTC, and a JSON column is its text as it is stored: the digest of a table does not
depend on the database that holds it. A number is written as short as it can be and read back the same.
"""

from __future__ import annotations

import pkgutil
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from functools import cache
from importlib import import_module
from typing import Any

import orjson
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    Float,
    Integer,
    LargeBinary,
    String,
    Table,
    select,
)

import repository.storage
from repository.storage import dialect
from repository.storage.base import Base, UtcDateTime

ROWS_AT_ONCE = 2000
"""Rows that are held at a time: memory stays flat however large a table is."""

_Decode = Callable[[Any], Any]
_PLAIN = (String, Integer, BigInteger, Boolean, JSON, Float)
_SEPARATOR = b"\n"


class DumpError(ValueError):
    """A line is no row of its table; the message names the table and never what the line says."""


@cache
def tables() -> tuple[Table, ...]:
    """Every table of the pool, those referred to first."""
    for module in pkgutil.iter_modules(repository.storage.__path__):
        import_module(f"{repository.storage.__name__}.{module.name}")
    return tuple(Base.metadata.sorted_tables)


def lines(connection: Connection, table: Table) -> Iterator[bytes]:
    """The rows of a table in blocks of whole lines, in the order of the primary key."""
    columns = [dialect.as_text(each) if isinstance(each.type, JSON) else each for each in table.columns]
    order = [dialect.in_byte_order(connection.dialect.name, each) for each in table.primary_key.columns]
    result = connection.execute(
        select(*columns).order_by(*order), execution_options={"yield_per": ROWS_AT_ONCE, "stream_results": True}
    )
    for rows in result.partitions():
        yield _SEPARATOR.join([orjson.dumps(tuple(row), default=_encoded) for row in rows]) + _SEPARATOR


def rows(table: Table, content: Iterable[bytes]) -> Iterator[tuple[Any, ...]]:
    """The rows that some lines of a table stand for. Raises DumpError."""
    decoders = tuple(_decoder(each) for each in table.columns)
    for line in content:
        try:
            values: Sequence[Any] = orjson.loads(line)
            yield tuple(
                value if value is None or decode is None else decode(value)
                for value, decode in zip(values, decoders, strict=True)
            )
        except (ValueError, TypeError):
            raise DumpError(f"{table.name}: a line is not a row of this table") from None


def load(connection: Connection, table: Table, content: Iterable[bytes]) -> None:
    """Add the rows that some lines of a table stand for. Raises DumpError."""
    dialect.copy_rows(connection, table, rows(table, content))


def count_any(connection: Connection, table: Table) -> bool:
    """Whether a table holds a row."""
    return connection.execute(select(1).select_from(table).limit(1)).first() is not None


def _encoded(value: Any) -> str:
    if isinstance(value, bytes | memoryview):
        return b64encode(value).decode("ascii")
    raise TypeError(type(value).__name__)


def _decoder(column: Column[Any]) -> _Decode | None:
    """How a column's values are read back. Raises TypeError for a type that no line can hold without loss."""
    kind = column.type
    if isinstance(kind, LargeBinary):
        return _bytes
    if isinstance(kind, UtcDateTime):
        return datetime.fromisoformat
    if isinstance(kind, Date):
        return date.fromisoformat
    if isinstance(kind, _PLAIN):
        return None
    raise TypeError(f"{column.table.name}.{column.name}: no way to write {kind!r} into a backup")


def _bytes(value: str) -> bytes:
    return b64decode(value, validate=True)
