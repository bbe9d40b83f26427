"""Whole rows in numbers: by COPY into PostgreSQL, by prepared inserts into SQLite."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
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


_NULL = b"\xff\xff\xff\xff"
_DAY_ONE, _EPOCH = date(2000, 1, 1).toordinal(), datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SIZE = struct.Struct(">i").pack
_INT4, _INT8 = struct.Struct(">ii").pack, struct.Struct(">iq").pack


def _blobs(values: Iterable[bytes]) -> list[bytes]:
    return [_SIZE(len(each)) + each for each in values]


def _texts(values: Iterable[str]) -> list[bytes]:
    return _blobs([each.encode() for each in values])


Binary = Callable[[Iterable[Any]], list[bytes]]
_BINARY: Mapping[str, Binary] = {
    "VARCHAR": _texts,
    "JSON": _texts,
    "BYTEA": _blobs,
    "BIGINT": lambda values: [_INT8(8, each) for each in values],
    "INTEGER": lambda values: [_INT4(4, each) for each in values],
    "BOOLEAN": lambda values: [b"\0\0\0\1\1" if each else b"\0\0\0\1\0" for each in values],
    "DATE": lambda values: [_INT4(4, each.toordinal() - _DAY_ONE) for each in values],
    "TIMESTAMP WITH TIME ZONE": lambda values: [_INT8(8, (each - _EPOCH) // _MICROSECOND) for each in values],
}
"""How values of a column are sent, by the column's type: the length, and what the type's receive function reads."""


@dataclass(frozen=True, slots=True)
class Copied:
    """How whole rows go into a table of PostgreSQL by COPY, in binary: a third of the work of an insert for each."""

    sql: str
    columns: Sequence[tuple[str, Callable[[Any], Any] | None, Binary]]
    """Name, what a value becomes first, and how that is written."""

    def write(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add rows. By column: a value that all rows have is written out once."""
        head = len(self.columns).to_bytes(2, "big")
        fields = (_fields([row[name] for row in rows], how, binary) for name, how, binary in self.columns)
        written = itertools.chain.from_iterable(zip(itertools.repeat(head, len(rows)), *fields, strict=True))
        content = b"".join([_COPY_HEADER, *written, _COPY_TRAILER])
        with closing(connection.connection.cursor()) as cursor, cursor.copy(self.sql) as copy:
            copy.write(content)

    @classmethod
    def into(cls, statement: Statement, dialect: Dialect) -> Copied | None:
        """How the rows of a statement go in; None for one that is no plain insert, and on SQLite."""
        if dialect.name != "postgresql" or type(statement) is not Insert:  # its own inserts do more
            return None
        table = statement.table
        quote = dialect.identifier_preparer.quote
        listed = ", ".join(quote(each.name) for each in table.columns)
        columns = []
        for each in table.columns:
            convert = None
            if isinstance(each.type, JSON):
                convert = _json_or_null if each.type.none_as_null else _json
            elif isinstance(each.type, TypeDecorator):
                convert = each.type.dialect_impl(dialect).bind_processor(dialect)
            columns.append((each.name, convert, _BINARY[each.type.dialect_impl(dialect).compile(dialect)]))
        return cls(f"COPY {quote(table.name)} ({listed}) FROM STDIN (FORMAT BINARY)", columns)


def insert_index_rows(connection: Connection, keys: Integers, pointers: Blocks) -> None:
    """Add rows to key_index, which must come sorted by key: neighbouring pages are then written together."""
    cursor = connection.connection.cursor()
    try:
        if connection.dialect.name == "sqlite":
            rows = list(zip(keys.tolist(), pointers.tolist(), strict=True))
            cursor.executemany("INSERT INTO key_index (key, pointer) VALUES (?, ?)", rows)
            return
        content = b"".join([_COPY_HEADER, _copy_rows(keys, pointers), _COPY_TRAILER])
        with cursor.copy("COPY key_index (key, pointer) FROM STDIN (FORMAT BINARY)") as copy:
            copy.write(content)
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


def _fields(values: Sequence[Any], convert: Callable[[Any], Any] | None, binary: Binary) -> Iterable[bytes]:
    """The fields of a column."""
    if len(values) > 1 and values.count(values[0]) == len(values):
        return itertools.repeat(next(iter(_fields(values[:1], convert, binary))), len(values))
    if convert is not None:
        values = [convert(each) for each in values]
    if None not in values:
        return binary(values)
    present = iter(binary([each for each in values if each is not None]))
    return [_NULL if each is None else next(present) for each in values]


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _json_or_null(value: Any) -> str | None:
    return None if value is None else _json(value)


def _copy_rows(keys: Integers, pointers: Blocks) -> memoryview:
    rows = np.empty(len(keys), dtype=_COPY_ROW)
    rows["fields"] = 2
    rows["key_bytes"] = 8
    rows["key"] = keys
    rows["pointer_bytes"] = POINTER_BYTES
    rows["pointer"] = pointers
    return rows.data
