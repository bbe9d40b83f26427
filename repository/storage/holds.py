"""Legal holds on filings. A hold ends by itself on its day, or is released before; both stay told in the events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, ForeignKey, Index, RowMapping, and_, func, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from repository.storage import dialect
from repository.storage.base import Base
from repository.storage.filings import FILINGS


class HoldRow(Base):
    """One hold. `member_id` is the contributor's; `by_member` whether it placed the hold itself, or the operator did.

    It goes with the filing, which is removed when no hold is in force any more.
    """

    __tablename__ = "holds"
    __table_args__ = (Index("ix_holds_member_id_id", "member_id", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    filing_id: Mapped[str] = mapped_column(ForeignKey("filings.id"), index=True)
    member_id: Mapped[str] = mapped_column(ForeignKey("members.id"))
    by_member: Mapped[bool]
    reason: Mapped[str]
    note_reference: Mapped[str | None]
    placed_at: Mapped[datetime]
    placed_by: Mapped[str]
    ends_on: Mapped[date]
    released_at: Mapped[datetime | None]
    released_by: Mapped[str | None]


HOLDS = Base.metadata.tables["holds"]


def add(connection: Connection, row: dict[str, Any]) -> None:
    """Store a hold."""
    connection.execute(insert(HOLDS), row)


def in_force(today: date) -> ColumnElement[bool]:
    """Whether a hold holds."""
    return and_(HOLDS.c.released_at.is_(None), HOLDS.c.ends_on > today)


def on_filing(today: date) -> ColumnElement[bool]:
    """Whether the filing of a statement is held."""
    return select(HOLDS.c.id).where(HOLDS.c.filing_id == FILINGS.c.id, in_force(today)).exists()


def held(connection: Connection, filing_ids: Sequence[str], *, today: date) -> dict[str, date]:
    """Those of these filings that are held, and until when."""
    name = connection.dialect.name
    of_these = HOLDS.c.filing_id.in_(select(dialect.wanted_texts(name).c.value))
    statement = select(HOLDS.c.filing_id, func.max(HOLDS.c.ends_on)).where(of_these, in_force(today))
    rows = connection.execute(statement.group_by(HOLDS.c.filing_id), dialect.wanted(name, list(filing_ids)))
    return {row[0]: row[1] for row in rows}


def one(connection: Connection, hold_id: str) -> RowMapping | None:
    """A hold, on whosever filing; nobody changes it until this ends."""
    return connection.execute(select(HOLDS).where(HOLDS.c.id == hold_id).with_for_update()).mappings().one_or_none()


def release(connection: Connection, hold_id: str, *, by: str, now: datetime) -> None:
    """End a hold before its day."""
    connection.execute(update(HOLDS).where(HOLDS.c.id == hold_id).values(released_at=now, released_by=by))


def page(
    connection: Connection, member_id: str | None, *, today: date, before: str | None, limit: int
) -> list[RowMapping]:
    """The holds in force on a member's filings, or on everyone's for the operator, newest first."""
    statement = select(HOLDS).where(in_force(today)).order_by(HOLDS.c.id.desc()).limit(limit)
    if member_id is not None:
        statement = statement.where(HOLDS.c.member_id == member_id)
    if before is not None:
        statement = statement.where(HOLDS.c.id < before)
    return list(connection.execute(statement).mappings())
