"""What each member had accepted, counted by day: the figures reciprocity works with, without counting filings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from sqlalchemy import Connection, ForeignKey, func, select
from sqlalchemy.orm import Mapped, mapped_column

from repository.domain.reciprocity import Contribution
from repository.storage import dialect
from repository.storage.base import Base


class ContributionRow(Base):
    """Filings of one (line, class) that were accepted from a member, new or changed, on one UTC day."""

    __tablename__ = "contributions"

    member_id: Mapped[str] = mapped_column(ForeignKey("members.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    line: Mapped[str] = mapped_column(primary_key=True)
    record_class: Mapped[str] = mapped_column(primary_key=True)
    accepted: Mapped[int]
    last_at: Mapped[datetime]


CONTRIBUTIONS = Base.metadata.tables["contributions"]


def count(connection: Connection, member_id: str, accepted: Mapping[tuple[str, str], int], *, now: datetime) -> None:
    """Count filings as accepted now, given by (line, class)."""
    rows = [
        {"member_id": member_id, "day": now.date(), "line": line, "record_class": kind, "accepted": n, "last_at": now}
        for (line, kind), n in sorted(accepted.items())
    ]
    dialect.add_up(connection, CONTRIBUTIONS, rows, "accepted", "last_at")


def since(connection: Connection, member_id: str, start: datetime) -> list[Contribution]:
    """What a member had accepted since the day of `start`, by (line, class), sorted."""
    table = CONTRIBUTIONS.c
    statement = (
        select(table.line, table.record_class, func.sum(table.accepted), func.max(table.last_at))
        .where(table.member_id == member_id, table.day >= start.date())
        .group_by(table.line, table.record_class)
        .order_by(table.line, table.record_class)
    )
    return [
        Contribution(line, record_class, int(accepted), last_at)
        for line, record_class, accepted, last_at in connection.execute(statement)
    ]
