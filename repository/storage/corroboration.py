"""What others corroborated of everyone's records within a window, summed up once a day for whoever asks that day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import orjson
from sqlalchemy import Connection, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from repository.domain.ledger import Pair
from repository.storage import dialect, ledger
from repository.storage.base import Base
from repository.storage.ledger import SETTLED_AFTER

KEPT_DAYS = 2
"""Sums of days before that are deleted: nobody's clock is there any more, and those of the next day are made."""
_WORTH = 3  # to add days at one end and take off as many at the other pays while both are well below the whole

Sums = dict[Pair, dict[str, tuple[int, int]]]
"""Records accepted, and those of them that others corroborated, by (line, class) and member."""


class CorroborationRow(Base):
    """The sums of the window of `days` days up to `until` (that day not included) as JSON: all of it in `sums`.

    `settled` leaves out the last days, whose rows may still change when this is written: the next day adds to it.
    """

    __tablename__ = "corroboration"

    until: Mapped[date] = mapped_column(primary_key=True)
    days: Mapped[int] = mapped_column(primary_key=True)
    sums: Mapped[str]
    settled: Mapped[str]


@dataclass(frozen=True, slots=True)
class Window:
    """The days of a window that are over: `days` of them, up to `until`."""

    until: date
    days: int

    @property
    def first(self) -> date:
        """Its first day."""
        return self.until - timedelta(days=self.days)

    @property
    def settled_until(self) -> date:
        """The day from which on its rows may still change."""
        return max(self.first, self.until - SETTLED_AFTER)


CORROBORATION = Base.metadata.tables["corroboration"]


def stored(connection: Connection, window: Window) -> Sums | None:
    """The sums of a window, None when they are not stored."""
    of = (CORROBORATION.c.until == window.until, CORROBORATION.c.days == window.days)
    body = connection.execute(select(CORROBORATION.c.sums).where(*of)).scalar_one_or_none()
    return None if body is None else _unpack(body)


def summed(connection: Connection, window: Window) -> tuple[Sums, Sums]:
    """The sums of a window from the ledger, and those of its settled days; from an earlier day's where there are any.

    Nobody writes to a settled day, so the sums are the same either way: but the ledger of a whole window has hundreds
    of thousands of rows.
    """
    settled = _settled(connection, window)
    whole = {pair: dict(by_member) for pair, by_member in settled.items()}
    _add(whole, ledger.corroborated(connection, window.settled_until, window.until))
    return whole, settled


def store(connection: Connection, window: Window, sums: Sums, settled: Sums) -> None:
    """Store the sums of a window, unless they are; those of days long past go."""
    row = {"until": window.until, "days": window.days, "sums": _pack(sums), "settled": _pack(settled)}
    dialect.insert_missing(connection, CORROBORATION, [row])
    connection.execute(delete(CORROBORATION).where(CORROBORATION.c.until < window.until - timedelta(days=KEPT_DAYS)))


def _settled(connection: Connection, window: Window) -> Sums:
    before = (CORROBORATION.c.until < window.until, CORROBORATION.c.days == window.days)
    latest = select(CORROBORATION.c.until, CORROBORATION.c.settled).where(*before)
    row = connection.execute(latest.order_by(CORROBORATION.c.until.desc()).limit(1)).one_or_none()
    if row is None or (window.until - row.until).days * _WORTH > window.days:
        found: Sums = {}
        _add(found, ledger.corroborated(connection, window.first, window.settled_until))
        return found
    found, known = _unpack(row.settled), Window(row.until, window.days)
    _add(found, ledger.corroborated(connection, known.settled_until, window.settled_until))
    _add(found, ledger.corroborated(connection, known.first, window.first), sign=-1)
    return found


def _add(sums: Sums, rows: Iterable[tuple[Pair, str, int, int]], *, sign: int = 1) -> None:
    """Add to sums, or take off; what comes to nothing is left out."""
    for pair, member_id, accepted, corroborated in rows:
        of_pair = sums.setdefault(pair, {})
        before = of_pair.get(member_id, (0, 0))
        after = (before[0] + sign * accepted, before[1] + sign * corroborated)
        if any(after):
            of_pair[member_id] = after
        else:
            of_pair.pop(member_id, None)


def _pack(sums: Mapping[Pair, Mapping[str, tuple[int, int]]]) -> str:
    return orjson.dumps([[*pair, by_member] for pair, by_member in sums.items() if by_member]).decode()


def _unpack(body: str) -> Sums:
    return {
        (line, record_class): {member_id: (accepted, met) for member_id, (accepted, met) in by_member.items()}
        for line, record_class, by_member in orjson.loads(body)
    }
