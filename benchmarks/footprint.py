"""How large a record is: `python -m benchmarks.footprint --records 20000 --store sqlite|postgresql --json`.

On the wire, as a line of NDJSON with one person, and the same packed by gzip: `full` is the largest of some people
all of whose fields are known, packed by itself; `market` the mean of the generated market, of which insurers do not
know every field, packed in a file. In the pool, for each record of that market: bytes of each table and of each index,
in pages as filling leaves them, nothing vacuumed, less those that empty tables have; `encoding_and_index` without what
a filing says besides.
"""

from __future__ import annotations

import datetime as dt
import os
import statistics
import zlib
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import text

from benchmarks.intake import line_of
from benchmarks.linking import encode_people, random_encoder
from benchmarks.market import MISSING, Market
from benchmarks.pool import fill
from benchmarks.stores import of_a_pool, opened
from frankpledge.keys import LinkageKey
from matching.schema import DEFAULT_SCHEMA
from repository.services import migration
from repository.storage.engine import create_engine

PEOPLE = 1000
"""People whose lines are measured."""
_ENCODED = ("subjects", "key_index")
"""What is there to find a person by; the rest are the facts of the filing, and its version."""
_GZIP = 31
"""What zlib calls its own window with gzip's head and tail."""
_PAGES = {
    # An index's rows in SQLite's statistics have its name; those of a table without row ids are the table's.
    "sqlite": """
        SELECT coalesce(s.tbl_name, d.name), CASE WHEN s.type = 'index' THEN d.name ELSE '' END, sum(d.pgsize)
        FROM dbstat AS d LEFT JOIN sqlite_schema AS s ON s.name = d.name GROUP BY 1, 2""",
    "postgresql": """
        SELECT t.relname, '', pg_table_size(t.oid) FROM pg_class AS t
        WHERE t.relkind = 'r' AND t.relnamespace = current_schema()::regnamespace
        UNION ALL
        SELECT t.relname, i.relname, pg_relation_size(i.oid)
        FROM pg_class AS t JOIN pg_index AS x ON x.indrelid = t.oid JOIN pg_class AS i ON i.oid = x.indexrelid
        WHERE t.relkind = 'r' AND t.relnamespace = current_schema()::regnamespace""",
}
"""(table, index or nothing, bytes), by store."""


def wire(people: int, schema: str = DEFAULT_SCHEMA) -> dict[str, Any]:
    """Bytes of lines as members send them."""
    full = list(_lines(Market(3, dict.fromkeys(MISSING, 0.0)), people, schema))
    market = list(_lines(Market(3), people, schema))
    largest = max(full, key=len)
    return {
        "full": {"line": len(largest), "gzip": len(_packed([largest]))},
        "market": {
            "line": round(statistics.mean(map(len, market))),
            "gzip": round(len(_packed(market)) / len(market)),
        },
    }


def _lines(market: Market, people: int, schema: str) -> Iterator[bytes]:
    rows = [row | {"country": "GB"} for row in islice(market.rows(people, copies=0.0), people)]
    fingerprint = LinkageKey(os.urandom(32)).fingerprint
    for number, subject in enumerate(encode_people(random_encoder(schema), rows)):
        if subject is not None:
            yield line_of((schema, fingerprint), subject, number, dt.date(2026, 3, 1))


def _packed(lines: Sequence[bytes]) -> bytes:
    packing = zlib.compressobj(wbits=_GZIP)
    return b"".join([packing.compress(b"".join(lines)), packing.flush()])


def pool(directory: Path, store: str, records: int, schema: str = DEFAULT_SCHEMA) -> dict[str, Any]:
    """Bytes of what is kept of a record, in a new database in the directory."""
    with opened(store, directory) as made:
        migration.upgrade(made.url)
        empty = _sizes(made.url)
        filled = fill(directory, records, 1, made.url, schema=schema)
        filled.services.database.close()
        sizes = {name: size - empty.get(name, 0) for name, size in _sizes(made.url).items()}
    tables: dict[str, dict[str, int]] = {}
    for (table, index), size in sorted(sizes.items(), key=lambda each: -each[1]):
        if size >= records:
            tables.setdefault(table, {})[index or "rows"] = round(size / records)
    encoded = sum(size for (table, _), size in sizes.items() if table in _ENCODED)
    return {
        "total": round(sum(sizes.values()) / records),
        "encoding_and_index": round(encoded / records),
        "tables": tables,
    }


def _sizes(url: str) -> dict[tuple[str, str], int]:
    engine = create_engine(url)
    with engine.connect() as connection:
        rows = connection.execute(text(_PAGES[engine.dialect.name])).all()
    engine.dispose()
    return {(table, index): int(size) for table, index, size in rows}


def measure(directory: Path, store: str, records: int, schema: str) -> dict[str, Any]:
    """Both, in bytes for each record."""
    return {"wire": wire(PEOPLE, schema), "pool": pool(directory, store, records, schema)}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print."""
    of_a_pool("footprint", __doc__, measure, arguments)


if __name__ == "__main__":
    main()
