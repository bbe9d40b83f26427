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
from sqlalchemy import Engine, TextClause, event

from repository.storage import dialect
from tests.support.binding import OF_MEMBERS, SCOPES, unbound

_BY_TEXT: dict[str, frozenset[str]] = {}
_PREPARED: dict[tuple[Any, str], frozenset[str]] = {}
"""What was found of a statement, by its text or by itself: each is looked at once, however many tests run it."""
_PASSED_BY = ("repository.storage.dialect", "repository.storage.engine")
_ABOUT_RIGHTS = ("grant ", "revoke ")
_BOUND_IN_TEXT = re.compile(rf"\b({'|'.join(sorted(SCOPES))})\s*=\s*[:%?]")


class UnscopedError(AssertionError):
    """A statement over members' tables binds no member."""


def unbound_in_text(text: str) -> frozenset[str]:
    """The members' tables in a text, unless it compares a member and has no OR that might let others pass.

    What gives or takes rights reads and writes no row.
    """
    lowered = text.lower().lstrip()
    if lowered.startswith(_ABOUT_RIGHTS):
        return frozenset()
    if _BOUND_IN_TEXT.search(lowered) and not re.search(r"\bor\b", lowered):
        return frozenset()
    return frozenset(each for each in re.findall(r"\w+", lowered) if each in OF_MEMBERS)


def callers() -> list[str]:
    """The functions of the service that have a statement run, as module.function, the nearest first; none of a test."""
    frame: FrameType | None = sys._getframe(1)
    found = []
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if name.startswith("repository.") and not name.startswith(_PASSED_BY):
            found.append(f"{name.removeprefix('repository.')}.{_outer(frame)}")
        if name.startswith("tests.") and not name.startswith("tests.support.scope"):
            break
        frame = frame.f_back
    return found


def _outer(frame: FrameType) -> str:
    """The function by its name, for what is nested in one that of the outermost."""
    return frame.f_code.co_qualname.split(".<locals>")[0]


def excuses(by: list[str], table: str) -> Iterator[str]:
    """What may be on the list for a table: the function, that table in it, or the function called by another."""
    yield by[0]
    yield f"{by[0]} of {table}"
    yield from (f"{by[0]} by {each}" for each in by[1:])


@dataclass
class Guard:
    """What was met: functions with statements that bind no member, and those on the list that were met so."""

    allowed: Mapping[str, str]
    faults: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    def look(self, missing: frozenset[str]) -> None:
        """Raise UnscopedError for a statement that leaves tables unbound, and keep it for the end of the test."""
        by = callers() if missing else []
        if not by:
            return
        given = {table: next((each for each in excuses(by, table) if each in self.allowed), None) for table in missing}
        self.used |= {each for each in given.values() if each}
        faults = sorted(table for table, excuse in given.items() if excuse is None)
        if faults:
            self.faults.append(f"{by[0]} asks {', '.join(faults)} for no member")
            raise UnscopedError(self.faults[-1])

    @contextmanager
    def watching(self, patch: pytest.MonkeyPatch) -> Iterator[None]:
        """Look at every statement of every engine."""

        def before(_connection: Any, _cursor: Any, text: str, _parameters: Any, context: Any, _many: bool) -> None:
            found = _BY_TEXT.get(text)
            if found is None:
                found = _BY_TEXT[text] = _unbound(text, getattr(context.compiled, "statement", None))
            self.look(found)

        built = dialect.Prepared.compiled

        def looked_at(prepared: Any, connection: Any) -> Any:
            key = (prepared, connection.dialect.name)
            if key not in _PREPARED:
                _PREPARED[key] = unbound(prepared._build(connection.dialect.name))
            self.look(_PREPARED[key])
            return built(prepared, connection)

        patch.setattr(dialect.Prepared, "compiled", looked_at)
        event.listen(Engine, "before_cursor_execute", before)
        try:
            yield
        finally:
            event.remove(Engine, "before_cursor_execute", before)


def _unbound(text: str, statement: Any) -> frozenset[str]:
    return unbound_in_text(text) if statement is None or isinstance(statement, TextClause) else unbound(statement)
