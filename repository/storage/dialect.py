"""The few statements that SQLite and PostgreSQL say differently; nothing else in the service knows which it is."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from operator import itemgetter
from typing import Any

import numpy as np
import orjson
from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ColumnElement,
    CompoundSelect,
    Connection,
    Dialect,
    Function,
    Insert,
    Integer,
    LargeBinary,
    Select,
    String,
    Table,
    TypeDecorator,
    bindparam,
    case,
    cast,
    collate,
    column,
    func,
    literal,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningInsert
from sqlalchemy.sql.selectable import TableValuedAlias

from repository.storage.sealing import POINTER_BYTES, Blocks, Integers

Statement = CompoundSelect[Any] | Select[Any] | Select[*tuple[Any, ...]] | Insert | ReturningInsert[Any]
RECORD_ID = BigInteger().with_variant(Integer, "sqlite")
"""A 63-bit integer primary key; on SQLite the row id itself."""

_POOL_LOCK = 0x6672616E6B706C65  # "frankple": one lock for whoever writes to the pool
_COPY_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_ROWS_AT_ONCE = 2000
_GATHERED = "frankpledge.gathered"
_IDLE = 0
"""What libpq calls a connection without a transaction (PQTRANS_IDLE)."""
_Gathered = tuple[str, list[Any]]
"""A statement and the values of its rows."""
_PARAMETER = re.compile(r"%\((\w+)\)s")
_WORTH_COPYING = 20
_COPY_TYPES = {"VARCHAR": "text", "JSON": "text", "TIMESTAMP WITH TIME ZONE": "timestamptz", "BIGINT": "int8"} | {
    "INTEGER": "int4",
    "BOOLEAN": "bool",
    "BYTEA": "bytea",
    "DATE": "date",
}
"""What values of a column are sent as, by the column's type; JSON comes as text already."""
_COPY_TRAILER = b"\xff\xff"
_COPY_ROW = np.dtype(
    [
        ("fields", ">i2"),
        ("key_bytes", ">i4"),
        ("key", ">i8"),
        ("pointer_bytes", ">i4"),
        ("pointer", f"V{POINTER_BYTES}"),
    ]
)


def instant(connection: Connection, now: datetime) -> datetime:
    """The time on the clock that all who work on the database share: PostgreSQL's. SQLite has none but ours, `now`."""
    if connection.dialect.name == "sqlite":
        return now
    shared: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return shared.astimezone(UTC)


def wanted_integers(dialect: str) -> TableValuedAlias:
    """A list bound as the one parameter `wanted` (see `wanted`), as a table with the column `value`."""
    if dialect == "sqlite":
        return func.json_each(bindparam("wanted", type_=String)).table_valued(column("value", BigInteger))
    return _unnested(postgresql.ARRAY(BigInteger)).table_valued(column("value", BigInteger)).render_derived()


def wanted_texts(dialect: str) -> TableValuedAlias:
    """The same for text."""
    if dialect == "sqlite":
        return func.json_each(bindparam("wanted", type_=String)).table_valued(column("value", String))
    return _unnested(postgresql.ARRAY(String)).table_valued(column("value", String)).render_derived()


def _unnested(array: postgresql.ARRAY[Any]) -> Function[Any]:
    """The elements, for a plan that is the same for any of them: PostgreSQL does not look into the list to make it.

    Else it would find a plan for this very list the cheaper one each time, and so make one each time.
    """
    return func.unnest(select(cast(bindparam("wanted", type_=String), array)).scalar_subquery())


def wanted(dialect: str, values: Sequence[int] | Sequence[str]) -> dict[str, Any]:
    """The parameter for `wanted_integers` and `wanted_texts`: a statement stays the same however long the list."""
    if dialect == "sqlite":
        return {"wanted": orjson.dumps(values).decode()}
    # An array as PostgreSQL writes it: its driver would look at every element by itself, which costs more than to look
    # the elements up.
    if values and isinstance(values[0], int):
        return {"wanted": "{" + orjson.dumps(values)[1:-1].decode() + "}"}
    return {"wanted": "{" + ",".join([_quoted(str(each)) for each in values]) + "}"}


def _quoted(element: str) -> str:
    return '"' + element.replace("\\", r"\\").replace('"', r"\"") + '"'


class Prepared:
    """A statement that is compiled once and run by the driver itself, for what every question needs.

    SQLAlchemy's own execution costs as much again as a small look-up or insert. Parameters and the columns of a select
    are converted by their types. An insert has no defaults: its rows are whole; what it returns is not converted.
    """

    def __init__(self, build: Callable[[str], Statement]) -> None:
        self._build = build
        self._compiled: dict[str, _Compiled] = {}

    def rows(self, connection: Connection, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Every row of a select, or that an insert returns."""
        with at_once(connection, first_only=True):  # the answer is awaited at its end, once
            answer = self.ask(connection, parameters)
        return answer()

    def ask(self, connection: Connection, parameters: Mapping[str, Any]) -> Callable[[], list[tuple[Any, ...]]]:
        """What `rows` gives, asked now and to be had later: of what is asked under `at_once`, at the end of that."""
        compiled, cursor = self.compiled(connection), _cursor(connection)
        cursor.execute(compiled.sql, compiled.values(parameters), **compiled.options)

        def answer() -> list[tuple[Any, ...]]:
            with closing(cursor):
                rows = list(cursor.fetchall())
            return [compiled.row(each) for each in rows] if compiled.results else rows

        return answer

    def write(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows, by COPY where the store has it and they are many; under `together` at its end."""
        compiled = self.compiled(connection)
        gathered: list[_Gathered] | None = connection.info.get(_GATHERED) if compiled.numbered else None
        if compiled.copied is not None and len(rows) >= _WORTH_COPYING:
            if gathered:
                _write_gathered(connection, gathered)  # what is copied may refer to it
            compiled.copied.write(connection, rows)
            return
        values = [compiled.values(row) for row in rows]
        if gathered is not None:
            gathered.append((compiled.sql, values))
            return
        with closing(_cursor(connection)) as cursor:
            if len(values) == 1:  # of one row the drivers make a transaction of its own, or a message more
                cursor.execute(compiled.sql, values[0], **compiled.options)
            elif values:
                cursor.executemany(compiled.sql, values)

    def compiled(self, connection: Connection) -> _Compiled:
        """The statement for the store of a connection."""
        name = connection.dialect.name
        if name not in self._compiled:
            self._compiled[name] = _Compiled.of(self._build(name), connection.dialect)
        return self._compiled[name]


@contextmanager
def together(connection: Connection, *, commit: bool = False) -> Iterator[None]:
    """Keep what is written by `Prepared.write` until the end, and let PostgreSQL do it all as one statement.

    One message and one answer, instead of some for each, and with `commit`, which ends the transaction, none of its own
    for that. For rows that are new and that nothing in between reads.
    """
    if connection.dialect.name != "postgresql":
        yield
        if commit:
            connection.commit()
        return
    gathered: list[_Gathered] = []
    connection.info[_GATHERED] = gathered
    try:
        yield
    finally:
        del connection.info[_GATHERED]
    if not commit:
        _write_gathered(connection, gathered)
        return
    with _driver(connection).pipeline(), closing(_cursor(connection)) as cursor:
        _write_gathered(connection, gathered)
        cursor.execute("COMMIT")  # the driver's own would wait for itself, and for the end of the pipeline
    connection.commit()


@contextmanager
def at_once(connection: Connection, *, first_only: bool = False) -> Iterator[None]:
    """Send PostgreSQL what is asked by `Prepared.ask` without waiting for each answer: all are awaited at the end.

    With what begins a transaction, which the driver would send alone, and await; `first_only` is for that.
    """
    if connection.dialect.name != "postgresql":
        yield
        return
    driver = _driver(connection)
    begins = not driver.autocommit and driver.pgconn.transaction_status == _IDLE
    with driver.pipeline() if begins or not first_only else nullcontext():
        yield


def _write_gathered(connection: Connection, gathered: list[_Gathered]) -> None:
    written = [(sql, rows) for sql, rows in gathered if rows]
    if written:
        values = [value for _, rows in written for row in rows for value in row]
        with closing(_cursor(connection)) as cursor:
            cursor.execute(_combined(tuple((sql, len(rows)) for sql, rows in written)), values, prepare=True)
    gathered.clear()


@lru_cache(maxsize=512)
def _combined(parts: tuple[tuple[str, int], ...]) -> str:
    """Several inserts, each of so many rows, as one statement: all but the last stand before it by a name."""
    numbers = itertools.count(1)
    single = [sql for sql, rows in parts for _ in range(rows)]
    texts = [re.sub(r"\$\d+", lambda _: f"${next(numbers)}", sql) for sql in single]
    named = [f"w{place} AS ({each})" for place, each in enumerate(texts[:-1])]
    return f"WITH {', '.join(named)} {texts[-1]}" if named else texts[-1]


def _cursor(connection: Connection) -> Any:
    """A cursor of the driver; of PostgreSQL's one that takes its own numbered parameters.

    PostgreSQL gives rows in binary: bytes would come as hexadecimal text.
    """
    if connection.dialect.name == "postgresql":
        cursor = connection.dialect.loaded_dbapi.RawCursor(_driver(connection))
        cursor.format = 1
        return cursor
    return connection.connection.cursor()


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection


@dataclass(frozen=True, slots=True)
class _Compiled:
    """The text for a driver; `places` are the names of positional parameters, None where they go by name.

    `options` go with it: PostgreSQL keeps its plan from the first time on.
    """

    sql: str
    options: Mapping[str, Any]
    places: Sequence[str] | None
    constants: Mapping[str, Any]
    converters: Mapping[str, Callable[[Any], Any]]
    results: Mapping[int, Callable[[Any], Any]]
    copied: _Copied | None

    def row(self, read: Sequence[Any]) -> tuple[Any, ...]:
        """A row with its columns converted."""
        row = list(read)
        for place, convert in self.results.items():
            row[place] = convert(row[place])
        return tuple(row)

    def values(self, parameters: Mapping[str, Any]) -> dict[str, Any] | list[Any]:
        """Parameters as the driver takes them."""
        values = {**self.constants, **parameters}
        for each, convert in self.converters.items():
            values[each] = convert(values[each])
        return values if self.places is None else [values[each] for each in self.places]

    @property
    def numbered(self) -> bool:
        """Whether it is PostgreSQL's."""
        return bool(self.options)

    @classmethod
    def of(cls, statement: Statement, dialect: Dialect) -> _Compiled:
        compiled = statement.compile(dialect=dialect)
        types = {name: bind.type.dialect_impl(dialect) for bind, name in compiled.bind_names.items()}
        converters = {name: each.bind_processor(dialect) for name, each in types.items()}
        constants = {name: value for name, value in compiled.params.items() if value is not None}
        sql, places = str(compiled), getattr(compiled, "positiontup", None)
        if dialect.name == "postgresql":
            sql, places = _numbered(sql)
            # The driver gives an integer the type of its size: each mixture of sizes would be another statement.
            converters |= {name: _digits_or_null for name, each in types.items() if isinstance(each, Integer)}
        return cls(
            sql,
            {"prepare": True} if dialect.name == "postgresql" else {},
            places,
            constants,
            {name: convert for name, convert in converters.items() if convert is not None},
            dict(cls._results(statement, dialect)),
            _Copied.into(statement, dialect),
        )

    @staticmethod
    def _results(statement: Statement, dialect: Dialect) -> Iterator[tuple[int, Callable[[Any], Any]]]:
        if isinstance(statement, Insert):
            return
        for place, each in enumerate(statement.selected_columns):
            if not isinstance(each.type, LargeBinary):  # both drivers give bytes as it is
                convert = each.type.dialect_impl(dialect).result_processor(dialect, None)
                if convert is not None:
                    yield place, convert


@dataclass(frozen=True, slots=True)
class _Copied:
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
    def into(cls, statement: Statement, dialect: Dialect) -> _Copied | None:
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


def _numbered(sql: str) -> tuple[str, list[str]]:
    """A statement with named parameters as one with numbered ones, and their names by number."""
    names: list[str] = []

    def number(found: re.Match[str]) -> str:
        names.append(found[1])
        return f"${len(names)}"

    return _PARAMETER.sub(number, sql).replace("%%", "%"), names


def _digits_or_null(value: Any) -> str | None:
    return None if value is None else str(int(value))


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _json_or_null(value: Any) -> str | None:
    return None if value is None else _json(value)


def lock_pool(connection: Connection) -> None:
    """Let one transaction at a time look up and add to the pool, until it ends.

    Two members filing the same person at once would otherwise each look before the other's rows are there, and the
    hit between them would be missed. SQLite's BEGIN IMMEDIATE has done it already.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _POOL_LOCK})


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


def _copy_rows(keys: Integers, pointers: Blocks) -> bytes:
    rows = np.empty(len(keys), dtype=_COPY_ROW)
    rows["fields"] = 2
    rows["key_bytes"] = 8
    rows["key"] = keys
    rows["pointer_bytes"] = POINTER_BYTES
    rows["pointer"] = pointers
    return rows.tobytes()
