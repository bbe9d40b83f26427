"""Everyone's rows that are under the operator's secret, read in order and written under another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, RowMapping, bindparam, delete, func, select, update

from repository.storage import dialect
from repository.storage.batches import BATCHES, DRY_RUN_FILINGS, NOT_KNOWN
from repository.storage.casework import CASE_MOVES, CASE_NOTES, FINDINGS
from repository.storage.dialect.moving import Pair, take_index_rows
from repository.storage.exchange import DISCLOSURES
from repository.storage.filings import FILINGS, SUBJECTS
from repository.storage.hits import HITS
from repository.storage.idempotency import NOT_KNOWN as NO_REPLY
from repository.storage.idempotency import IdempotentReplyRow
from repository.storage.index import HOT_KEYS, KEY_INDEX
from repository.storage.screenings import SCREENINGS
from repository.storage.sealing import POINTER_BYTES
from repository.storage.subject_requests import REQUESTS
from repository.storage.suppressed import SUPPRESSED_PAIRS
from repository.storage.watches import WATCH_INDEX, WATCHES
from repository.storage.webhooks import WEBHOOKS

_TABLES = {
    str(each.name): each
    for each in (
        *(CASE_MOVES, CASE_NOTES, DISCLOSURES, FILINGS, FINDINGS, HITS),
        *(REQUESTS, SCREENINGS, SUBJECTS, SUPPRESSED_PAIRS, WEBHOOKS),
    )
}

_TABLES[str(WATCHES.name)] = WATCHES


def following(
    connection: Connection, name: str, columns: Sequence[str], after: str | int, limit: int
) -> list[RowMapping]:
    """The next rows of a table by id, with some columns."""
    table = _TABLES[name]
    wanted = [table.c[each] for each in columns]
    statement = select(table.c.id, *wanted).where(table.c.id > after).order_by(table.c.id).limit(limit)
    return list(connection.execute(statement).mappings())


def count(connection: Connection, name: str) -> int:
    """How many rows a table has."""
    return int(connection.execute(select(func.count()).select_from(_TABLES[name])).scalar_one())


def replace(connection: Connection, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write columns of rows anew; each has `row` (its id) and `new_` before the names of the columns."""
    table = _TABLES[name]
    if rows:
        names = [each.removeprefix("new_") for each in rows[0] if each != "row"]
        values = {each: bindparam(f"new_{each}", type_=table.c[each].type) for each in names}
        connection.execute(update(table).where(table.c.id == bindparam("row")).values(values), list(rows))


def subjects(connection: Connection, filing_ids: Sequence[str]) -> list[RowMapping]:
    """The subjects of filings, by filing and place."""
    statement = select(SUBJECTS).where(SUBJECTS.c.filing_id.in_(filing_ids))
    return list(connection.execute(statement.order_by(SUBJECTS.c.filing_id, SUBJECTS.c.position)).mappings())


def move_index_rows(connection: Connection, moved: Mapping[Pair, Pair]) -> int:
    """Put other rows in the place of those of the index that are there; how many."""
    taken = take_index_rows(connection, list(moved))
    rows = sorted(moved[each] for each in taken)
    if rows:
        keys = np.array([key for key, _ in rows], np.int64)
        pointers = np.frombuffer(b"".join(pointer for _, pointer in rows), f"V{POINTER_BYTES}")
        dialect.insert_index_rows(connection, keys, pointers)
    return len(rows)


def hot(connection: Connection) -> set[int]:
    """The keys that are remembered as hot."""
    return set(connection.scalars(select(HOT_KEYS.c.key)))


def move_hot(connection: Connection, moved: Mapping[int, int]) -> None:
    """Remember keys that are hot under other numbers."""
    if moved:
        statement = update(HOT_KEYS).where(HOT_KEYS.c.key == bindparam("old")).values(key=bindparam("new"))
        connection.execute(statement, [{"old": old, "new": new} for old, new in sorted(moved.items())])


def forget_lost(connection: Connection) -> None:
    """Forget keys that are remembered as hot, and of which no row is there."""
    there = select(KEY_INDEX.c.key).where(KEY_INDEX.c.key == HOT_KEYS.c.key).exists()
    connection.execute(delete(HOT_KEYS).where(~there))


def forget_digests(connection: Connection) -> None:
    """Forget what requests and batches said, which are known by their idempotency keys alone then."""
    connection.execute(update(BATCHES).values(content_digest=NOT_KNOWN))
    connection.execute(update(IdempotentReplyRow).values(digest=NO_REPLY))


def is_trying(connection: Connection) -> bool:
    """Whether a dry run is under way, whose digests cannot be made again."""
    return connection.execute(select(DRY_RUN_FILINGS.c.batch_id).limit(1)).first() is not None


def questions(connection: Connection, screening_ids: Sequence[str]) -> dict[str, bytes]:
    """The sealed encodings of some screenings."""
    statement = select(SCREENINGS.c.id, SCREENINGS.c.envelope).where(SCREENINGS.c.id.in_(screening_ids))
    return {row[0]: bytes(row[1]) for row in connection.execute(statement)}


def move_watch_rows(connection: Connection, moved: Mapping[Pair, Pair]) -> None:
    """Put other rows in the place of those of the index of watches that are there."""
    row = WATCH_INDEX.c
    for before, after in moved.items():
        this = update(WATCH_INDEX).where(row.key == before[0], row.pointer == before[1])
        connection.execute(this.values(key=after[0], pointer=after[1]))


def index_rows(connection: Connection, name: str, at_once: int) -> Iterator[Sequence[Any]]:
    """Every row of an index, some at a time."""
    table = {str(each.name): each for each in (KEY_INDEX, WATCH_INDEX)}[name]
    found = connection.execution_options(stream_results=True, yield_per=at_once).execute(select(table))
    yield from found.partitions()


def elsewhere(connection: Connection, spool: str) -> int:
    """How many batches and uploads wait in another data directory than the one of this spool."""
    uploads = BATCHES.metadata.tables["uploads"]
    waits: list[ColumnElement[bool]] = [BATCHES.c.status.in_(("queued", "running")), BATCHES.c.spool != spool]
    batches = connection.execute(select(func.count()).select_from(BATCHES).where(*waits)).scalar_one()
    begun = connection.execute(
        select(func.count()).select_from(uploads).where(uploads.c.batch_id.is_(None), uploads.c.spool != spool)
    ).scalar_one()
    return int(batches + begun)
