"""Who was shown which filing: a footprint, which outlives the filing and is kept no longer than a screening's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, ForeignKey, Index, Insert, Row, delete, func, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from repository.domain.viewings import Reader, Via, Viewing
from repository.storage import dialect
from repository.storage.base import Base
from repository.storage.filings import FILINGS
from repository.storage.hits import HIT_SIDES


class ViewingRow(Base):
    """That a member was shown a version of a filing on a day; `at`: for the first time that day, in this way.

    The filing may be gone.
    """

    __tablename__ = "viewings"
    __table_args__ = (Index("ix_viewings_at", "at"),)

    filing_id: Mapped[str] = mapped_column(primary_key=True)
    member_id: Mapped[str] = mapped_column(ForeignKey("members.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    day: Mapped[date] = mapped_column(primary_key=True)
    via: Mapped[str] = mapped_column(primary_key=True)
    purpose: Mapped[str] = mapped_column(primary_key=True)
    tier: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    actor_id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]


VIEWINGS = Base.metadata.tables["viewings"]
_KEY = tuple(VIEWINGS.primary_key.columns)


def _insert(dialect_name: str) -> Insert:
    statement = postgresql.insert(VIEWINGS) if dialect_name == "postgresql" else sqlite.insert(VIEWINGS)
    return statement.on_conflict_do_nothing()


_INSERT = dialect.Prepared(_insert)


def note(connection: Connection, shown: Iterable[Viewing]) -> None:
    """Remember what somebody was shown; of what was shown on that day in the same way, nothing.

    Under `dialect.together` only where the member's other questions wait, as those of a screening do.
    """
    rows = {_identity(each): each.reader.at for each in shown}
    if rows:
        # In one order: two that note the same wait for each other, and not crosswise.
        _INSERT.write(connection, [dict(_row(key), at=rows[key]) for key in sorted(rows)])


def of_hits(connection: Connection, reader: Reader, hit_ids: Sequence[str], tier: int) -> list[Viewing]:
    """The records behind a member's hits, as shown to it at a tier."""
    there = HIT_SIDES.join(FILINGS, FILINGS.c.id == HIT_SIDES.c.their_filing_id)
    mine = (HIT_SIDES.c.member_id == reader.member_id, HIT_SIDES.c.hit_id.in_(hit_ids))
    rows = connection.execute(select(FILINGS.c.id, FILINGS.c.version).select_from(there).where(*mine))
    return [reader.saw(filing_id, version, tier) for filing_id, version in rows]


def of_filings(connection: Connection, filing_ids: Sequence[str]) -> list[Viewing]:
    """Everyone's viewings of some filings, which may be gone, the oldest first."""
    name = connection.dialect.name
    wanted = select(dialect.wanted_texts(name).c.value)
    statement = select(VIEWINGS).where(VIEWINGS.c.filing_id.in_(wanted))
    statement = statement.order_by(VIEWINGS.c.at, VIEWINGS.c.filing_id, VIEWINGS.c.member_id, VIEWINGS.c.via)
    return [_viewing(row) for row in connection.execute(statement, dialect.wanted(name, list(filing_ids)))]


def count_over(connection: Connection, *, before: datetime) -> int:
    """How many viewings of everyone there are up to an instant."""
    statement = select(func.count()).select_from(VIEWINGS).where(VIEWINGS.c.at <= before)
    return int(connection.execute(statement).scalar_one())


def forget_over(connection: Connection, *, before: datetime, limit: int) -> int:
    """Remove some of them; how many."""
    over = select(*_KEY).where(VIEWINGS.c.at <= before).limit(limit)
    return connection.execute(delete(VIEWINGS).where(tuple_(*_KEY).in_(over))).rowcount


_Identity = tuple[str, str, int, date, str, str, int, str]


def _identity(shown: Viewing) -> _Identity:
    who = shown.reader
    return (
        *(shown.filing_id, who.member_id, shown.version, shown.day),
        *(who.via.value, who.purpose, shown.tier, who.actor_id),
    )


def _row(identity: _Identity) -> dict[str, Any]:
    return dict(zip((each.name for each in _KEY), identity, strict=True))


def _viewing(row: Row[Any]) -> Viewing:
    reader = Reader(row.member_id, row.actor_id, row.purpose, Via(row.via), row.at)
    return Viewing(row.filing_id, row.version, row.tier, reader)
