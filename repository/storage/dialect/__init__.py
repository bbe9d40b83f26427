"""What SQLite and PostgreSQL say differently; nothing else in the service knows which it is."""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer

from repository.storage.dialect.arrays import among_integers, wanted_many
from repository.storage.dialect.copying import copy_rows, insert_index_rows, remove_index_rows
from repository.storage.dialect.lists import looked_up, wanted, wanted_integers, wanted_texts
from repository.storage.dialect.prepared import Prepared, at_once, together
from repository.storage.dialect.statements import (
    add_up,
    as_text,
    counting,
    in_byte_order,
    insert_missing,
    insert_new,
    inserting_new,
    instant,
    lock_pool,
    lock_queue,
    next_number,
    put,
)

__all__ = [
    "RECORD_ID",
    "Prepared",
    "add_up",
    "among_integers",
    "as_text",
    "at_once",
    "copy_rows",
    "counting",
    "in_byte_order",
    "insert_index_rows",
    "insert_missing",
    "insert_new",
    "inserting_new",
    "instant",
    "lock_pool",
    "lock_queue",
    "looked_up",
    "next_number",
    "put",
    "remove_index_rows",
    "together",
    "wanted",
    "wanted_integers",
    "wanted_many",
    "wanted_texts",
]

RECORD_ID = BigInteger().with_variant(Integer, "sqlite")
"""A 63-bit integer primary key; on SQLite the row id itself."""
