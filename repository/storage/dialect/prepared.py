"""Statements that are compiled once, and sent in as few messages as they can be."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect, Insert, Integer, LargeBinary

from repository.storage.dialect.copying import Copied, Statement

_GATHERED = "frankpledge.gathered"
_Gathered = tuple[str, list[Any]]
"""A statement and the values of its rows."""
_IDLE = 0
"""What libpq calls a connection without a transaction (PQTRANS_IDLE)."""
_PARAMETER = re.compile(r"%\((\w+)\)s")
_WORTH_COPYING = 20


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
    copied: Copied | None

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
            Copied.into(statement, dialect),
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


def _numbered(sql: str) -> tuple[str, list[str]]:
    """A statement with named parameters as one with numbered ones, and their names by number."""
    names: list[str] = []

    def number(found: re.Match[str]) -> str:
        names.append(found[1])
        return f"${len(names)}"

    return _PARAMETER.sub(number, sql).replace("%%", "%"), names


def _digits_or_null(value: Any) -> str | None:
    return None if value is None else str(int(value))
