"""Rows of the index taken out by the pair they are: by arrays in PostgreSQL, by a list of its own in SQLite."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, text

_TAKEN = text(
    "DELETE FROM key_index AS row"
    " USING unnest(CAST(:keys AS bigint[]), CAST(:pointers AS bytea[])) AS gone(key, pointer)"
    " WHERE row.key = gone.key AND row.pointer = gone.pointer RETURNING row.key, row.pointer"
)
_LIST = "CREATE TEMP TABLE IF NOT EXISTS gone_rows (key INTEGER, pointer BLOB)"
_LISTED = text("INSERT INTO gone_rows VALUES (:key, :pointer)")
_THERE = "SELECT gone.key, gone.pointer FROM gone_rows AS gone JOIN key_index USING (key, pointer)"
_DELETED = "DELETE FROM key_index WHERE (key, pointer) IN (SELECT key, pointer FROM gone_rows)"

Pair = tuple[int, bytes]


def take_index_rows(connection: Connection, rows: Sequence[Pair]) -> list[Pair]:
    """Delete rows of the index, given as (key, pointer); those that were there."""
    if not rows:
        return []
    if connection.dialect.name == "postgresql":
        values = {"keys": [key for key, _ in rows], "pointers": [pointer for _, pointer in rows]}
        return [(int(key), bytes(pointer)) for key, pointer in connection.execute(_TAKEN, values)]
    connection.exec_driver_sql(_LIST)
    connection.exec_driver_sql("DELETE FROM gone_rows")
    connection.execute(_LISTED, [{"key": key, "pointer": pointer} for key, pointer in rows])
    there = [(int(key), bytes(pointer)) for key, pointer in connection.exec_driver_sql(_THERE)]
    connection.exec_driver_sql(_DELETED)
    return there
