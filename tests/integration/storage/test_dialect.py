"""What both stores say differently, and must mean alike."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from operator import itemgetter
from typing import Any

import numpy as np
import pytest
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    Integer,
    LargeBinary,
    MetaData,
    Select,
    String,
    Table,
    insert,
    select,
    text,
)

from repository.storage import dialect
from repository.storage.base import UtcDateTime
from repository.storage.engine import Database, create_engine
from repository.storage.events import EVENTS
from repository.storage.index import HOT_KEYS

TEXTS = ["plain", 'a "quote"', "back\\slash", "{brace,comma}", "NULL", "", " blank ", "\u00e9\u20ac"]
AT = datetime(2026, 3, 4, 5, 6, 7, 891011, tzinfo=UTC)
NUMBERS = [0, -1, 2**63 - 1, -(2**63)]


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty pool."""
    made = Database(create_engine(database_url))
    yield made
    made.close()


def _events(count: int) -> list[dict[str, Any]]:
    return [
        {"id": f"evt_{number:04}", "at": AT, "kind": 'a\t"b"', "actor_id": None, "member_id": "\\N"}
        | {"subject_id": None, "figures": {"rows": number, "word": "\u00e9"}}
        for number in range(count)
    ]


def test_lists_arrive_as_they_were_given(database: Database) -> None:
    """Texts with what an array's own syntax uses, and the ends of the range of numbers; an empty list is empty."""
    with database.reading() as connection:
        name = connection.dialect.name
        texts, numbers = dialect.wanted_texts(name), dialect.wanted_integers(name)
        for given in (TEXTS, []):
            found = connection.execute(select(texts.c.value), dialect.wanted(name, given)).scalars().all()
            assert sorted(found) == sorted(given)
        found_numbers = connection.execute(select(numbers.c.value), dialect.wanted(name, NUMBERS)).scalars().all()
        assert sorted(found_numbers) == sorted(NUMBERS)


def test_columns_are_looked_up_by_many_numbers(database: Database) -> None:
    """Those at the ends of the range, too; an empty list finds nothing."""
    found = dialect.Prepared(
        lambda name: select(HOT_KEYS.c.key).where(dialect.among_integers(name, HOT_KEYS.c.key)).order_by(HOT_KEYS.c.key)
    )
    with database.writing() as connection:
        rows = [{"key": number, "records": 1, "found_at": AT, "screenings": 0} for number in [*NUMBERS, 5]]
        connection.execute(insert(HOT_KEYS), rows)
        for given, there in (([*NUMBERS, 7], sorted(NUMBERS)), ([], [])):
            wanted = dialect.wanted_many(connection, np.array(given, np.int64))
            assert [row[0] for row in found.rows(connection, wanted)] == there


@pytest.mark.parametrize("count", [3, 300])
def test_many_rows_are_stored_as_few_are(database: Database, count: int) -> None:
    """Text, JSON, points in time and nulls read back as given, whichever way they went in."""
    rows = _events(count)
    written = dialect.Prepared(lambda _name: insert(EVENTS))
    with database.writing() as connection:
        written.write(connection, rows)
    with database.reading() as connection:
        stored = select(EVENTS).where(EVENTS.c.subject_id.is_(None), EVENTS.c.member_id == "\\N").order_by(EVENTS.c.id)
        assert [dict(row) for row in connection.execute(stored).mappings()] == rows


def test_a_prepared_list_is_planned_for_any_and_a_page_for_its_length(database: Database) -> None:
    """PostgreSQL plans what is prepared some times and then no more; all else for what it is given."""
    if database.engine.dialect.name != "postgresql":
        pytest.skip("SQLite plans statements without their values")

    def listed(name: str) -> Select[Any]:
        wanted = dialect.wanted_texts(name)
        return select(EVENTS.c.at).select_from(wanted.join(EVENTS, EVENTS.c.id == wanted.c.value))

    prepared = dialect.Prepared(listed)
    with database.writing() as connection:
        dialect.Prepared(lambda _name: insert(EVENTS)).write(connection, _events(5000))
        connection.execute(text("ANALYZE events"))
    with database.glancing() as connection:
        for _ in range(12):
            assert prepared.rows(connection, dialect.wanted("postgresql", ["evt_0001"])) == [(AT,)]
        plans = text("SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE '%unnest%'")
        assert connection.execute(plans).one() == (7, 5)
        assert connection.execute(text("SHOW plan_cache_mode")).scalar_one() == "auto"


def test_many_rows_are_written_as_they_were_given(database: Database) -> None:
    """Of each type, the ends of its range, what is absent in some rows or all, and what is the same in all."""
    kinds: dict[str, Any] = {
        "number": Integer(),
        "size": BigInteger(),
        "is_so": Boolean(),
        "day": Date(),
        "at": UtcDateTime(),
    }
    kinds |= {"word": String(), "content": LargeBinary(), "facts": JSON(none_as_null=True), "absent": String()}
    table = Table("of_each_type", MetaData(), *(Column(name, kind) for name, kind in kinds.items()))
    given: list[dict[str, Any]] = [
        {"number": place, "size": NUMBERS[place % 4], "is_so": place % 3 == 0, "day": date(1900 + 9 * place, 2, 28)}
        | {"at": AT.replace(year=1990 + place), "word": "\u20ac" * place, "content": bytes([0, 255]) * place}
        | {"facts": {"each": [place, "\u00e9"]}, "absent": None}
        for place in range(24)
    ]
    some = [{**row, **dict.fromkeys(("size", "is_so", "day", "at", "word", "content", "facts"))} for row in given[:3]]
    same = [{**given[5], "number": place} for place in range(24)]
    with database.writing() as connection:
        table.create(connection)
        for rows in ([*given[3:], *some], same):
            dialect.Prepared(lambda _name: insert(table)).write(connection, rows)
            written = connection.execute(select(table)).mappings().all()
            in_order = itemgetter("number")
            assert sorted(map(dict, written), key=in_order) == sorted(rows, key=in_order)
            connection.execute(table.delete())
