"""The rulebooks of the pool: which one holds on a day, and loading the next.

Every process keeps them in memory and looks after a moment whether another process has loaded one.
"""

from __future__ import annotations

import bisect
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from repository.domain import ids
from repository.domain.events import Event, EventKind
from repository.domain.rulebook import Rulebook
from repository.services import rulebook_file
from repository.storage import events
from repository.storage import rulebooks as storage
from repository.storage.dialect import lock_pool
from repository.storage.engine import Database

BEGINNING = date(1970, 1, 1)
"""From when the shipped rulebook holds, in a pool that has loaded none of its own."""
SHIPPED = "shipped"
OPERATOR = "operator"
_REFRESH_SECONDS = 2.0


class RulebookError(ValueError):
    """A rulebook that cannot be loaded, or is not there; the message says why, for the operator's eyes."""


@dataclass(frozen=True, slots=True)
class Edition:
    """A rulebook with its exact text, its entries as they are nested in the file, and when it was loaded for when."""

    rulebook: Rulebook
    text: str
    entries: Mapping[str, Any]
    effective_from: date
    loaded_at: datetime | None
    loaded_by: str


@dataclass(frozen=True, slots=True)
class _State:
    """What was read at a time: every edition by its digest, and of those that ever hold the days from which they do."""

    read_at: float
    editions: tuple[Edition, ...]
    by_digest: Mapping[str, Edition]
    days: tuple[date, ...]
    holding: tuple[Edition, ...]
    schedule: tuple[tuple[date, Rulebook], ...]


class Rulebooks:
    """The rulebooks of a pool, for any number of threads. `monotonic` is a clock that only ever goes forward."""

    def __init__(self, database: Database, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._state: _State | None = None

    def at(self, now: datetime) -> Rulebook:
        """The rulebook in force at an instant."""
        return self.on(now.date()).rulebook

    def on(self, day: date) -> Edition:
        """The rulebook in force on a day (in UTC); before the first one's day, the first."""
        state = self._now()
        return state.holding[max(bisect.bisect_right(state.days, day) - 1, 0)]

    def next_after(self, day: date) -> Edition | None:
        """The rulebook that comes into force next after a day, if one is loaded."""
        state = self._now()
        place = bisect.bisect_right(state.days, day)
        return state.holding[place] if place < len(state.days) else None

    def schedule(self, until: date) -> Sequence[tuple[date, Rulebook]]:
        """From which day each rulebook is in force, up to and including a day; rising."""
        state = self._now()
        return state.schedule[: max(bisect.bisect_right(state.days, until), 1)]

    def by_digest(self, digest: str) -> Rulebook:
        """The rulebook that a decision names, in force or not. Raises RulebookError when there is none."""
        found = self._now().by_digest.get(digest)
        if found is not None:
            return found.rulebook
        if digest == rulebook_file.default().digest:
            return rulebook_file.default()
        raise RulebookError("no rulebook of that digest was ever loaded here")

    def find(self, version: str) -> Edition | None:
        """A rulebook by its version."""
        return next((each for each in self._now().editions if each.rulebook.version == version), None)

    def editions(self) -> Sequence[Edition]:
        """Every rulebook, in the order in which they come into force."""
        return self._now().editions

    def load(self, text: str, effective_from: date, *, now: datetime, actor_id: str | None = None) -> Edition:
        """Have a rulebook hold from a day on: today or later.

        One that is not in force yet may be loaded again for another day. Raises RulebookFileError for a text that is
        no rulebook, RulebookError for a day that is past or a version that is taken.
        """
        rulebook = rulebook_file.read(text)
        if effective_from < now.date():
            raise RulebookError(f"a rulebook holds from today ({now.date()}, in UTC) or a later day, never from before")
        with self._database.writing() as connection:
            lock_pool(connection)
            store_shipped(connection, now)
            _check_version(storage.all_stored(connection), rulebook, now.date())
            _store(connection, rulebook, text, effective_from, now=now, actor_id=actor_id, by=actor_id or OPERATOR)
        self.refresh()
        return self._now().by_digest[rulebook.digest]

    def warm(self) -> None:
        """Read what is stored before the first request does, if the database answers."""
        with suppress(SQLAlchemyError, OSError):
            self.refresh()

    def refresh(self) -> None:
        """Read what is stored now."""
        with self._lock:
            self._state = self._read(self._state)

    def _now(self) -> _State:
        state = self._state
        if state is None:
            with self._lock:
                if self._state is None:
                    self._state = self._read(None)
                return self._state
        # One thread reads; the others go on with what there is.
        if self._monotonic() - state.read_at < _REFRESH_SECONDS or not self._lock.acquire(blocking=False):
            return state
        try:
            self._state = self._read(state)
            return self._state
        finally:
            self._lock.release()

    def _read(self, known: _State | None) -> _State:
        read_at = self._monotonic()
        read = dict(known.by_digest) if known else {}
        with self._database.glancing() as connection:
            rows = storage.all_stored(connection)
            texts = storage.texts(connection, [row.digest for row in rows if row.digest not in read])
        editions = tuple(_edition(row, texts, read) for row in rows) or (_shipped(),)
        return _state(read_at, editions)


def store_shipped(connection: Connection, now: datetime) -> None:
    """Keep the shipped rulebook, in force from the beginning, in a pool that has none.

    What was decided under it can then be looked at again when a later version ships another one.
    """
    if storage.all_stored(connection):
        return
    text = rulebook_file.default_text()
    _store(connection, rulebook_file.default(), text, BEGINNING, now=now, actor_id=None, by=SHIPPED)


def _check_version(stored: Sequence[storage.Stored], rulebook: Rulebook, today: date) -> None:
    for each in stored:
        if each.digest == rulebook.digest and each.effective_from <= today:
            raise RulebookError(
                f"this rulebook, {rulebook.version}, came into force before: to return to it, give it a new version"
            )
        if each.version == rulebook.version and each.digest != rulebook.digest:
            raise RulebookError(
                f"another rulebook has the version {rulebook.version}: give this one a version of its own"
            )


def _store(
    connection: Connection,
    rulebook: Rulebook,
    text: str,
    effective_from: date,
    *,
    now: datetime,
    actor_id: str | None,
    by: str,
) -> None:
    figures = {"version": rulebook.version, "digest": rulebook.digest, "effective_from": effective_from.isoformat()}
    facts = {"effective_from": effective_from, "loaded_at": now, "loaded_by": by}
    storage.put(connection, rulebook.digest, rulebook.version, text, **facts)
    event_id = ids.make("evt", now, secrets.token_bytes(ids.RANDOM_BYTES))
    events.append(connection, Event(event_id, now, EventKind.RULEBOOK_LOADED, actor_id, None, None, figures))


def _edition(row: storage.Stored, texts: Mapping[str, str], read: Mapping[str, Edition]) -> Edition:
    known = read.get(row.digest)
    if known is not None:
        rulebook, text, entries = known.rulebook, known.text, known.entries
    else:
        text = texts[row.digest]
        rulebook, entries = rulebook_file.read_stored(text)
    return Edition(rulebook, text, entries, row.effective_from, row.loaded_at, row.loaded_by)


def _shipped() -> Edition:
    """The one edition of a pool whose tables were made without `migrate`."""
    text = rulebook_file.default_text()
    rulebook, entries = rulebook_file.read_stored(text)
    return Edition(rulebook, text, entries, BEGINNING, None, SHIPPED)


def _state(read_at: float, editions: tuple[Edition, ...]) -> _State:
    holding = {each.effective_from: each for each in editions}  # of one day, the last loaded
    return _State(
        read_at=read_at,
        editions=editions,
        by_digest={each.rulebook.digest: each for each in editions},
        days=tuple(holding),
        holding=tuple(holding.values()),
        schedule=tuple((day, each.rulebook) for day, each in holding.items()),
    )
