"""The keys that too many records share, as operators and auditors see them: how crowded, and what is not looked for."""

from __future__ import annotations

import base64
from binascii import Error as Base32Error
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping

from repository.domain.rulebook import Rulebook
from repository.storage import index
from repository.storage.sealing import Sealer, SealError

_PREFIX = "key_"
_DIGITS = 26
Position = tuple[int, int]
"""Rows and key of an entry, by which the list is sorted."""


def listed(
    connection: Connection, sealer: Sealer, rulebook: Rulebook, *, after: Position | None = None, limit: int
) -> list[dict[str, Any]]:
    """The keys remembered as hot as JSON, the most crowded first. By its id a key is known again, and not looked up."""
    keep = timedelta(hours=rulebook.matching.hot_key_hours)
    return [_as_json(sealer, row, keep) for row in index.hot_keys(connection, after=after, limit=limit)]


def position(sealer: Sealer, rows: int, identifier: str) -> Position | None:
    """Where a list goes on after an entry; None when the id is none of this pool."""
    try:
        handle = base64.b32hexdecode(identifier.removeprefix(_PREFIX).upper() + "======")
        return rows, sealer.open_handle(handle)
    except (Base32Error, SealError):
        return None


def _as_json(sealer: Sealer, row: RowMapping, keep: timedelta) -> dict[str, Any]:
    digits = base64.b32hexencode(sealer.handle(row["key"]))[:_DIGITS].decode().lower()
    return {
        "id": f"{_PREFIX}{digits}",
        "rows": row["records"],
        "found_at": row["found_at"].isoformat(),
        "look_again_at": (row["found_at"] + keep).isoformat(),
        "screenings": row["screenings"],
    }
