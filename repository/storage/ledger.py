"""What each member gave and answered, counted by day: what standing is assessed from, without counting filings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from sqlalchemy import Connection, ForeignKey, Index, bindparam, func, select, update
from sqlalchemy.orm import Mapped, mapped_column

from repository.domain.ledger import COUNTS, Ledger, Pair
from repository.storage import dialect
from repository.storage.base import Base, UtcDateTime
from repository.storage.members import MemberRow

SETTLED_AFTER = timedelta(days=2)
"""What was accepted on days before that, and what became of it, is written by nobody, however clocks differ."""


class LedgerDayRow(Base):
    """One (line, class) of a member on one UTC day: filings accepted and what became of them, answers due and given.

    `due` and `answered` stand on the day by which an answer is due, which may be still to come. `last_at` is when a
    filing was last accepted.
    """

    __tablename__ = "ledger"
    __table_args__ = (Index("ix_ledger_day", "day"),)

    member_id: Mapped[str] = mapped_column(ForeignKey("members.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    line: Mapped[str] = mapped_column(primary_key=True)
    record_class: Mapped[str] = mapped_column(primary_key=True)
    accepted: Mapped[int]
    late: Mapped[int]
    back_book: Mapped[int]
    thin: Mapped[int]
    corroborated: Mapped[int]
    upheld: Mapped[int]
    due: Mapped[int]
    answered: Mapped[int]
    last_at: Mapped[datetime | None]


LEDGER = Base.metadata.tables["ledger"]
MEMBERS = Base.metadata.tables[MemberRow.__tablename__]
_TOUCH = update(MEMBERS).where(MEMBERS.c.id == bindparam("member")).values(ledger_version=MEMBERS.c.ledger_version + 1)
_SINCE = select(LEDGER.c.day, LEDGER.c.line, LEDGER.c.record_class, *(LEDGER.c[name] for name in COUNTS)).where(
    LEDGER.c.member_id == bindparam("member"), LEDGER.c.day >= bindparam("start")
)
_CORROBORATED = (
    select(
        LEDGER.c.line,
        LEDGER.c.record_class,
        LEDGER.c.member_id,
        func.sum(LEDGER.c.accepted),
        func.sum(LEDGER.c.corroborated),
    )
    .where(LEDGER.c.day >= bindparam("start"), LEDGER.c.day < bindparam("until"))
    .group_by(LEDGER.c.line, LEDGER.c.record_class, LEDGER.c.member_id)
)
_LAST = (
    select(LEDGER.c.line, LEDGER.c.record_class, func.max(LEDGER.c.last_at, type_=UtcDateTime()))
    .where(LEDGER.c.member_id == bindparam("member"), LEDGER.c.day >= bindparam("start"), LEDGER.c.accepted > 0)
    .group_by(LEDGER.c.line, LEDGER.c.record_class)
)


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """What is added to one (line, class) of a member on one day: counts by the names of COUNTS, 0 where not named."""

    member_id: str
    day: date
    line: str
    record_class: str
    counts: Mapping[str, int]
    last_at: datetime | None = None


def add(connection: Connection, rows: Sequence[LedgerRow], *, today: date | None = None) -> None:
    """Add to the ledger, and let standings kept of these members be assessed anew.

    Given `today`, rows of days to come touch nobody: a standing is kept for a day at most, and theirs is not yet here.
    """
    dialect.add_up(
        connection,
        LEDGER,
        [
            {
                "member_id": each.member_id,
                "day": each.day,
                "line": each.line,
                "record_class": each.record_class,
                "last_at": each.last_at,
                **{name: each.counts.get(name, 0) for name in COUNTS},
            }
            for each in sorted(rows, key=lambda row: (row.member_id, row.day, row.line, row.record_class))
        ],
        COUNTS,
        "last_at",
    )
    for member_id in sorted({each.member_id for each in rows if today is None or each.day <= today}):
        touch(connection, member_id)


def touch(connection: Connection, member_id: str) -> None:
    """Say that something a member's standing is assessed from has changed."""
    connection.execute(_TOUCH, {"member": member_id})


def read(connection: Connection, member_id: str, first: date) -> Ledger:
    """A member's ledger from a day on."""
    return _filled(Ledger(first, (), {}), connection, member_id, first)


def read_again(connection: Connection, member_id: str, known: Ledger, changed_from: date) -> Ledger:
    """A ledger read before, with the days from `changed_from` on as they are now; those before it do not change."""
    return _filled(known, connection, member_id, max(known.first, changed_from))


def corroborated(connection: Connection, start: date, until: date) -> Iterator[tuple[Pair, str, int, int]]:
    """What was accepted, and what of it others corroborated, from a day up to another: (line, class) by member."""
    rows = connection.execute(_CORROBORATED, {"start": start, "until": until}) if start < until else ()
    for line, record_class, member_id, accepted, met in rows:
        yield (line, record_class), member_id, int(accepted), int(met)


def last_accepted(connection: Connection, member_id: str, start: date) -> dict[tuple[str, str], datetime]:
    """When a filing of each (line, class) was last accepted since a day."""
    rows = connection.execute(_LAST, {"member": member_id, "start": start})
    return {(line, record_class): last_at for line, record_class, last_at in rows}


def _filled(known: Ledger, connection: Connection, member_id: str, start: date) -> Ledger:
    """A ledger with the days from `start` on, none of which `known` is trusted for, from the database."""
    rows = connection.execute(_SINCE, {"member": member_id, "start": start}).all()
    pairs = tuple(sorted({*known.pairs, *((row.line, row.record_class) for row in rows)}))
    last = max((row.day for row in rows), default=known.first)
    counts = np.zeros((len(COUNTS), len(pairs), max(known.days, (last - known.first).days + 1)), np.int64)
    places = {pair: place for place, pair in enumerate(pairs)}
    kept = min(known.days, (start - known.first).days)
    if known.pairs and kept:
        there = [places[pair] for pair in known.pairs]
        for column, name in enumerate(COUNTS):
            counts[column, there, :kept] = known.counts[name][:, :kept]
    if rows:
        pair_of = [places[row.line, row.record_class] for row in rows]
        day_of = [(row.day - known.first).days for row in rows]
        counts[:, pair_of, day_of] = np.array([row[3:] for row in rows], np.int64).T
    return Ledger(known.first, pairs, dict(zip(COUNTS, counts, strict=True)))
