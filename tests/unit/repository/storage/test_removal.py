"""What a removal costs does not grow with the pool."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column, Table, UniqueConstraint

from repository.storage import removal
from repository.storage.casework import CASES
from repository.storage.filings import FILINGS
from repository.storage.screenings import SCREENINGS
from repository.storage.suppressed import SUPPRESSED_PAIRS


def _gone_by(table: Table, seen: set[str]) -> Iterator[Column[object]]:
    """The columns by which a removal of rows of this table finds what goes with them, however far."""
    if table.name in seen:
        return
    seen.add(table.name)
    for column in removal._referring(table.name):
        yield column
        yield from _gone_by(column.table, seen)


def _begins_an_index(column: Column[object]) -> bool:
    table: Any = column.table
    keys = [each for each in table.constraints if isinstance(each, UniqueConstraint)]
    lists = [table.primary_key.columns, *(each.columns for each in (*table.indexes, *keys))]
    return any(next(iter(each)) is column for each in lists if len(each))


def test_what_goes_is_found_by_an_index() -> None:
    """Every column that a removal goes by is the first of an index: it never reads a table from end to end."""
    seen: set[str] = set()
    columns = {column for table in (FILINGS, SCREENINGS, CASES) for column in _gone_by(table, seen)}
    pair = SUPPRESSED_PAIRS.c
    columns |= {pair.own_filing_id, pair.own_screening_id, pair.their_filing_id}
    assert {"hits", "case_hits", "outcomes", "duties"} <= seen
    assert sorted(f"{each.table.name}.{each.name}" for each in columns if not _begins_an_index(each)) == []
