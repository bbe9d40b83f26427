"""On SQLite, what is looked up by a list costs what the list is long, however much a member has."""

from __future__ import annotations

import inspect
import pkgutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import bindparam, select
from sqlalchemy.dialects import sqlite

from repository import storage
from repository.storage import dialect
from repository.storage.filings import FILINGS
from tests.support.stores import SqliteStores

_LIST = "json_each"
_POSTGRESQL_ONLY = "string_agg("
"""What a statement has that is never sent to SQLite."""


def _statements() -> Iterator[tuple[str, str]]:
    """Name and text, for SQLite, of each statement of the stores that has a list."""
    for found in pkgutil.walk_packages(storage.__path__, f"{storage.__name__}."):
        for name, build in inspect.getmembers(import_module(found.name), inspect.isroutine):
            if build.__module__ == found.name and [*inspect.signature(build).parameters] == ["dialect_name"]:
                text = _text(build("sqlite"))
                if _LIST in text and _POSTGRESQL_ONLY not in text:
                    yield f"{found.name.removeprefix(storage.__name__)}.{name}"[1:], text


def _text(statement: Any) -> str:
    return str(statement.compile(dialect=sqlite.dialect()))


def _scans_late(path: Path, text: str) -> bool:
    """Whether the plan reads a list again for each row of something else."""
    with closing(sqlite3.connect(path)) as connection:
        steps = connection.execute(f"EXPLAIN QUERY PLAN {text}", ["x"] * text.count("?")).fetchall()
    parents: set[int] = set()
    for _, parent, _, what in steps:
        if "VIRTUAL TABLE" in what and parent in parents:
            return True
        if what.startswith(("SCAN", "SEARCH")):
            parents.add(parent)
    return False


@pytest.fixture
def database(sqlite_stores: SqliteStores, tmp_path: Path) -> Iterator[Path]:
    """A database with empty tables."""
    with sqlite_stores.fresh(tmp_path):
        yield tmp_path / "frankpledge.db"


def test_every_list_is_read_once(database: Path) -> None:
    """No statement walks through all that a member has, and through the list for each of it."""
    found = dict(_statements())
    assert {"duties._duties", "filings._by_reference", "outcomes._given"} <= found.keys()
    assert [name for name, text in found.items() if _scans_late(database, text)] == []


def test_a_plain_join_would_read_it_again(database: Path) -> None:
    """What `looked_up` is for: SQLite's own choice for the same question reads the list for each of a member's rows."""
    wanted, mine = dialect.wanted_texts("sqlite"), FILINGS.c.member_id == bindparam("member")
    same = FILINGS.c.reference == wanted.c.value
    plain, ordered = wanted.join(FILINGS, same), dialect.looked_up(wanted, FILINGS, same)
    question = select(FILINGS.c.id).where(mine)
    assert _scans_late(database, _text(question.select_from(plain)))
    assert not _scans_late(database, _text(question.select_from(ordered)))


def test_elsewhere_it_is_a_join_like_any_other() -> None:
    """PostgreSQL, which keeps figures, is free to choose."""
    wanted = dialect.wanted_texts("postgresql")
    joined = dialect.looked_up(wanted, FILINGS, FILINGS.c.reference == wanted.c.value)
    assert " CROSS " not in str(select(FILINGS.c.id).select_from(joined))
