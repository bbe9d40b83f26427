"""Whole rows in numbers: by COPY into PostgreSQL, by prepared inserts into SQLite."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import numpy as np
import orjson
from sqlalchemy import (
    JSON,
    CompoundSelect,
    Connection,
    Dialect,
    Insert,
    Select,
    String,
    Table,
    TypeDecorator,
    bindparam,
)
from sqlalchemy.sql.dml import ReturningInsert

from repository.storage.sealing import POINTER_BYTES, Blocks, Integers

Statement = CompoundSelect[Any] | Select[Any] | Select[*tuple[Any, ...]] | Insert | ReturningInsert[Any]
_COPY_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_COPY_TRAILER = b"\xff\xff"
_ROWS_AT_ONCE = 2000
_COPY_TYPES = {"VARCHAR": "text", "JSON": "text", "TIMESTAMP WITH TIME ZONE": "timestamptz", "BIGINT": "int8"} | {
    "INTEGER": "int4",
    "BOOLEAN": "bool",
    "BYTEA": "bytea",
    "DATE": "date",
}
"""What values of a column are sent as, by the column's type; JSON comes as text already."""
_REMOVED = (
    "DELETE FROM key_index USING unnest(%s::bigint[], %s::bytea[]) AS gone (key, pointer)"
    " WHERE key_index.key = gone.key AND key_index.pointer = gone.pointer"
)
_COPY_ROW = np.dtype(
    [
        ("fields", ">i2"),
        ("key_bytes", ">i4"),
        ("key", ">i8"),
        ("pointer_bytes", ">i4"),
        ("pointer", f"V{POINTER_BYTES}"),
    ]
)


@dataclass(frozen=True, slots=True)
class Copied:
    """How whole rows go into a table of PostgreSQL by COPY, in binary: a third of the work of an insert for each."""

    sql: str
    names: Sequence[str]
    types: Sequence[str]
    converters: Mapping[int, Callable[[Any], Any]]

    def write(self, connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add rows."""
        values_of = itemgetter(*self.names)
        with closing(connection.connection.cursor()) as cursor, cursor.copy(self.sql) as copy:
            copy.set_types(self.types)
            for row in rows:
                values = list(values_of(row))
                for place, convert in self.converters.items():
                    values[place] = convert(values[place])
                copy.write_row(values)

    @classmethod
    def into(cls, statement: Statement, dialect: Dialect) -> Copied | None:
        """How the rows of a statement go in; None for one that is no plain insert, and on SQLite."""
        if dialect.name != "postgresql" or type(statement) is not Insert:  # its own inserts do more
            return None
        table = statement.table
        quote = dialect.identifier_preparer.quote
        listed = ", ".join(quote(each.name) for each in table.columns)
        converters: dict[int, Callable[[Any], Any]] = {}
        for place, each in enumerate(table.columns):
            if isinstance(each.type, JSON):
                converters[place] = _json_or_null if each.type.none_as_null else _json
            elif isinstance(each.type, TypeDecorator):
                convert = each.type.dialect_impl(dialect).bind_processor(dialect)
                if convert is not None:
                    converters[place] = convert
        types = [each.type.dialect_impl(dialect).compile(dialect) for each in table.columns]
        sql = f"COPY {quote(table.name)} ({listed}) FROM STDIN (FORMAT BINARY)"
        return cls(
            sql, [each.name for each in table.columns], [_COPY_TYPES.get(each, each) for each in types], converters
        )


def insert_index_rows(connection: Connection, keys: Integers, pointers: Blocks) -> None:
    """Add rows to key_index, which must come sorted by key: neighbouring pages are then written together."""
    cursor = connection.connection.cursor()
    try:
        if connection.dialect.name == "sqlite":
            rows = list(zip(keys.tolist(), pointers.tolist(), strict=True))
            cursor.executemany("INSERT INTO key_index (key, pointer) VALUES (?, ?)", rows)
            return
        with cursor.copy("COPY key_index (key, pointer) FROM STDIN (FORMAT BINARY)") as copy:
            copy.write(_COPY_HEADER + _copy_rows(keys, pointers) + _COPY_TRAILER)
    finally:
        cursor.close()


def remove_index_rows(connection: Connection, keys: Integers, pointers: Blocks) -> None:
    """Take rows out of key_index: all at once from PostgreSQL, which would answer for each by itself."""
    with closing(connection.connection.cursor()) as cursor:
        if connection.dialect.name == "sqlite":
            rows = list(zip(keys.tolist(), pointers.tolist(), strict=True))
            cursor.executemany("DELETE FROM key_index WHERE key = ? AND pointer = ?", rows)
            return
        cursor.execute(_REMOVED, (keys.tolist(), pointers.tolist()))


def copy_rows(connection: Connection, table: Table, rows: Iterable[tuple[Any, ...]]) -> None:
    """Add many whole rows, those of JSON columns as text: the fastest way of each store, a few at a time in memory."""
    names = [each.name for each in table.columns]
    if connection.dialect.name == "postgresql":
        quote = connection.dialect.identifier_preparer.quote
        listed = ", ".join(quote(name) for name in names)
        with (
            closing(connection.connection.cursor()) as cursor,
            cursor.copy(f"COPY {quote(table.name)} ({listed}) FROM STDIN") as copy,
        ):
            for row in rows:
                copy.write_row(row)
        return
    values = {
        each.name: bindparam(each.name, type_=String)
        if isinstance(each.type, JSON)
        else bindparam(each.name, type_=each.type)
        for each in table.columns
    }
    insert, remaining = table.insert().values(values), iter(rows)
    while chunk := [dict(zip(names, row, strict=True)) for row in itertools.islice(remaining, _ROWS_AT_ONCE)]:
        connection.execute(insert, chunk)


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _json_or_null(value: Any) -> str | None:
    return None if value is None else _json(value)


def _copy_rows(keys: Integers, pointers: Blocks) -> bytes:
    rows = np.empty(len(keys), dtype=_COPY_ROW)
    rows["fields"] = 2
    rows["key_bytes"] = 8
    rows["key"] = keys
    rows["pointer_bytes"] = POINTER_BYTES
    rows["pointer"] = pointers
    return rows.tobytes()
