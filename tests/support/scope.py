"""A guard for tests: a statement over members' tables names the member, or its function is on the list.

It looks at statements as they are built, those that are run by the driver too, and asks which function of the service
had it run. So a `where member_id` that was forgotten fails whatever test meets the function, on any data.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import pytest
from sqlalchemy import Column, Delete, Engine, Select, Table, TextClause, Update, event
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import BinaryExpression, BindParameter
from sqlalchemy.sql.selectable import CompoundSelect

from repository.storage import dialect
from repository.storage.base import Base

SCOPES = {"member_id", "raiser_id", "contributor_id"}
OF_MEMBERS = frozenset(
    {name for name, table in Base.metadata.tables.items() if SCOPES & set(table.columns.keys())}
    | {"filing_versions", "subjects", "hits", "batch_errors", "dry_run_filings", "upheld_versions"}
) - {"actors"}
"""Tables whose rows belong to a member, or to what does. Actors log in before one is known."""
_STATEMENTS: dict[tuple[Any, str], Any] = {}
_PASSED_BY = ("repository.storage.dialect", "repository.storage.engine")


class UnscopedError(AssertionError):
    """A statement over members' tables binds no member."""


def tables_of(statement: Any) -> set[str]:
    """The members' tables that a statement reads, changes or deletes from."""
    if isinstance(statement, TextClause):
        return {each for each in re.findall(r"\w+", statement.text.lower()) if each in OF_MEMBERS}
    found = {each.name for each in visitors.iterate(statement) if isinstance(each, Table)}
    return found & OF_MEMBERS


def is_scoped(statement: Any) -> bool:
    """Whether a member is compared with a parameter somewhere in the statement."""
    if isinstance(statement, TextClause):
        return any(re.search(rf"\b{each}\s*(=|<>|!=)\s*[:%?]", statement.text) for each in SCOPES)
    return any(
        isinstance(each, BinaryExpression) and _compares_member(each.left, each.right)
        for each in visitors.iterate(statement)
    )


def _compares_member(left: Any, right: Any) -> bool:
    return any(
        isinstance(one, Column) and one.name in SCOPES | {"id"} and _is_member(one) and isinstance(two, BindParameter)
        for one, two in ((left, right), (right, left))
    )


def _is_member(column: Any) -> bool:
    return column.name in SCOPES or getattr(column.table, "name", "") == "members"


def caller() -> str | None:
    """The function of the service that has a statement run, as module.function; None when it is a test itself."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if name.startswith("repository.") and not name.startswith(_PASSED_BY):
            return f"{name.removeprefix('repository.')}.{_outer(frame)}"
        if name.startswith("tests.") and not name.startswith("tests.support.scope"):
            return None
        frame = frame.f_back
    return None


def _outer(frame: FrameType) -> str:
    """The function by its name, for what is nested in one that of the outermost."""
    return frame.f_code.co_qualname.split(".<locals>")[0]


@dataclass
class Guard:
    """What was met: functions with statements that bind no member, and those on the list that were met so."""

    allowed: Mapping[str, str]
    faults: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    def look(self, statement: Any) -> None:
        """Raise UnscopedError for a statement without a member, and keep it for the end of the test."""
        if not isinstance(statement, Select | CompoundSelect | Update | Delete | TextClause):
            return
        met = tables_of(statement)
        if not met or is_scoped(statement):
            return
        by = caller()
        if by is None or by in self.allowed:
            self.used |= {by} if by else set()
            return
        self.faults.append(f"{by} asks {', '.join(sorted(met))} for no member")
        raise UnscopedError(self.faults[-1])

    @contextmanager
    def watching(self, patch: pytest.MonkeyPatch) -> Iterator[None]:
        """Look at every statement of every engine."""

        def before(_connection: Any, statement: Any, *_: Any) -> None:
            self.look(statement)

        built = dialect.Prepared.compiled

        def looked_at(prepared: Any, connection: Any) -> Any:
            name = connection.dialect.name
            if (prepared, name) not in _STATEMENTS:
                _STATEMENTS[prepared, name] = prepared._build(name)
            self.look(_STATEMENTS[prepared, name])
            return built(prepared, connection)

        patch.setattr(dialect.Prepared, "compiled", looked_at)
        event.listen(Engine, "before_execute", before)
        try:
            yield
        finally:
            event.remove(Engine, "before_execute", before)
