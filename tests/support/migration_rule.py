"""What a migration does, on PostgreSQL, to a service that goes on while it runs: read from the SQL it sends.

From the SQL, so that whatever way a step is written, and whoever wrote it, it is seen.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext

_READS = "-- reads rows"
_NAME = r"\"?(\w+)\"?"
_TABLE = rf"(?:IF (?:NOT )?EXISTS )?(?:ONLY )?{_NAME}"
_CONSTANT = re.compile(r"DEFAULT ('[^']*'|-?\d+|true|false|NULL)", re.IGNORECASE)
_COMPUTED = re.compile(r"SERIAL|IDENTITY|GENERATED|\(\)", re.IGNORECASE)
_CHECKED = re.compile(r"REFERENCES|UNIQUE|CHECK", re.IGNORECASE)

Handler = Callable[["Reader", "re.Match[str]"], Iterator[str]]


def sql_of(upgrade: Callable[[], object]) -> list[str]:
    """The statements of a migration on PostgreSQL, with COMMIT and BEGIN where it leaves its transaction."""
    written = StringIO()
    options: dict[str, Any] = {"as_sql": True, "output_buffer": written, "transactional_ddl": True}
    context = MigrationContext.configure(dialect_name="postgresql", opts=options)
    with Operations.context(context), context.begin_transaction():
        try:
            upgrade()
        except AttributeError:  # there is no result to read from
            return [_READS]
    return [one for each in written.getvalue().split(";\n") if (one := " ".join(each.split()))]


def against_the_rule(upgrade: Callable[[], object]) -> list[str]:
    """What a migration does to tables that were there and holds up who uses them, or breaks the version before."""
    reader = Reader()
    return [fault for each in sql_of(upgrade) for fault in reader.read(each)]


class Reader:
    """Goes through the statements of one migration."""

    def __init__(self) -> None:
        self._made: set[str] = set()
        self._outside = False
        self._waiting: set[str] = set()  # constraints added in the transaction that goes on
        self._not_null: dict[str, str] = {}  # check: what it says is not null
        self._valid: set[str] = set()

    def read(self, statement: str) -> Iterator[str]:
        """What is against the rule in the next statement."""
        for pattern, handler in _STATEMENTS:
            if found := re.match(pattern, statement, re.IGNORECASE):
                yield from handler(self, found)
                return

    def reads(self, _found: re.Match[str]) -> Iterator[str]:
        """Rows read by the program."""
        yield "goes through rows in the program"

    def boundary(self, found: re.Match[str]) -> Iterator[str]:
        """A transaction ends or begins."""
        self._outside, self._waiting = found[0].upper() == "COMMIT", set()
        yield from ()

    def table(self, found: re.Match[str]) -> Iterator[str]:
        """A table that nobody uses yet."""
        self._made.add(found[1])
        yield from ()

    def index(self, found: re.Match[str]) -> Iterator[str]:
        """An index is made."""
        if found[2] not in self._made and not (self._outside and found[1]):
            yield f"index on {found[2]} not made concurrently, outside of a transaction"

    def no_index(self, found: re.Match[str]) -> Iterator[str]:
        """An index is dropped."""
        if not (self._outside and found[1]):
            yield "index not dropped concurrently, outside of a transaction"

    def rewritten(self, found: re.Match[str]) -> Iterator[str]:
        """Rows are changed or deleted."""
        if found[1] not in self._made:
            yield f"rows of {found[1]} rewritten at once"

    def gone(self, found: re.Match[str]) -> Iterator[str]:
        """Something is dropped, emptied or locked as a whole."""
        yield f"{found[0].lower()}: not while the version before runs"

    def altered(self, found: re.Match[str]) -> Iterator[str]:
        """A table is altered: by what follows its name."""
        table, what = found[1], found[2]
        if table in self._made:
            return
        for pattern, handler in _ALTERATIONS:
            if change := re.match(pattern, what, re.IGNORECASE):
                yield from (each.format(table) for each in handler(self, change))
                return
        yield f"{' '.join(what.split()[:2]).lower()} of {table}: not while the version before runs"

    def required(self, found: re.Match[str]) -> Iterator[str]:
        """A column becomes NOT NULL."""
        if found[1] not in self._valid:
            yield f"{{}}.{found[1]} set NOT NULL without a validated check"

    def harmless(self, _found: re.Match[str]) -> Iterator[str]:
        """A default, how new rows are laid down, or a constraint that goes."""
        yield from ()

    def constraint(self, found: re.Match[str]) -> Iterator[str]:
        """A constraint is added."""
        name, what = found[1], found[2].upper()
        if not self._outside:
            self._waiting.add(name)
        if null := re.match(rf"CHECK \({_NAME} IS NOT NULL\)", found[2], re.IGNORECASE):
            self._not_null[name] = null[1]
        if what.startswith(("UNIQUE", "PRIMARY")):
            if "USING INDEX" not in what:
                yield "unique constraint on {} without an index made before"
        elif "NOT VALID" not in what:
            yield "constraint on {} that is checked at once"

    def validated(self, found: re.Match[str]) -> Iterator[str]:
        """A constraint is checked against the rows that are there."""
        if found[1] in self._waiting:
            yield "constraint on {} validated under the lock of its own transaction"
        elif found[1] in self._not_null:
            self._valid.add(self._not_null[found[1]])

    def column(self, found: re.Match[str]) -> Iterator[str]:
        """A column is added."""
        what = found[1]
        if ("NOT NULL" in what.upper() and not _CONSTANT.search(what)) or _COMPUTED.search(what):
            yield "column added to {} that is NOT NULL, or computed, for every row there is"
        if _CHECKED.search(what):
            yield "column added to {} with a constraint that is checked at once"


_STATEMENTS: tuple[tuple[str, Handler], ...] = (
    (_READS, Reader.reads),
    (r"BEGIN|COMMIT", Reader.boundary),
    (rf"CREATE TABLE {_TABLE}", Reader.table),
    (rf"CREATE (?:UNIQUE )?INDEX (CONCURRENTLY )?.*?ON {_TABLE}", Reader.index),
    (r"DROP INDEX (CONCURRENTLY )?", Reader.no_index),
    (rf"(?:UPDATE|DELETE FROM) {_TABLE}", Reader.rewritten),
    (rf"ALTER TABLE {_TABLE} (.*)", Reader.altered),
    (r"DROP TABLE|TRUNCATE|LOCK|CLUSTER|VACUUM|REINDEX", Reader.gone),
)
_ALTERATIONS: tuple[tuple[str, Handler], ...] = (
    (rf"ALTER (?:COLUMN )?{_NAME} SET NOT NULL", Reader.required),
    (rf"ALTER (?:COLUMN )?{_NAME} (?:(?:SET|DROP) DEFAULT|DROP NOT NULL)", Reader.harmless),
    (rf"ALTER (?:COLUMN )?{_NAME} SET STORAGE|SET \(toast_tuple_target", Reader.harmless),  # for new rows only
    (rf"ADD CONSTRAINT {_NAME} (.*)", Reader.constraint),
    (rf"VALIDATE CONSTRAINT {_NAME}", Reader.validated),
    (r"DROP CONSTRAINT", Reader.harmless),
    (r"ADD (?!PRIMARY|UNIQUE|FOREIGN|CHECK)(?:COLUMN )?(.*)", Reader.column),
)
