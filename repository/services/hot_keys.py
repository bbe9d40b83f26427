"""The keys that too many records share, as operators and auditors see them: how crowded, and what is not looked for."""

from __future__ import annotations

import base64
import threading
import time
from binascii import Error as Base32Error
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping

from repository.domain.rulebook import Rulebook
from repository.storage import index
from repository.storage.engine import Database
from repository.storage.sealing import Sealer, SealError

_PREFIX = "key_"
_DIGITS = 26
Position = tuple[int, int]
"""Rows and key of an entry, by which the list is sorted."""

_ADD_EVERY = 5.0
"""Seconds."""


class Met:
    """How often hot keys were met by screenings of this process, added to what is stored now and then.

    In the transaction of each screening, all that meet one key would wait for each other. A process that is killed
    takes the last seconds with it: the count tells which keys to look at, and nothing rests on it.
    """

    def __init__(self, database: Database, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._met: Counter[int] = Counter()
        self._added_at = monotonic()

    def count(self, met: Mapping[int, int]) -> None:
        """Count what was asked under hot keys, after the screening is stored."""
        with self._lock:
            self._met.update(met)
            due = bool(self._met) and self._monotonic() - self._added_at >= _ADD_EVERY
        if due:
            self.add_up()

    def add_up(self) -> None:
        """Add what was counted to what is stored: before it is read, and when the process ends."""
        with self._lock:
            met, self._met, self._added_at = self._met, Counter(), self._monotonic()
        if not met:
            return
        with self._database.writing() as connection:
            index.count_met(connection, met)


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
