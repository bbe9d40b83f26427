"""What each member had accepted, counted by day: the figures reciprocity works with, without counting filings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from sqlalchemy import Connection, ForeignKey, bindparam, func, select
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
_C = CONTRIBUTIONS.c
_SINCE = (
    select(_C.line, _C.record_class, func.sum(_C.accepted), func.max(_C.last_at))
    .where(_C.member_id == bindparam("member"), _C.day >= bindparam("start"))
    .group_by(_C.line, _C.record_class)
    .order_by(_C.line, _C.record_class)
)


def count(connection: Connection, member_id: str, accepted: Mapping[tuple[str, str], int], *, now: datetime) -> None:
    """Count filings as accepted now, given by (line, class)."""
    rows = [
        {"member_id": member_id, "day": now.date(), "line": line, "record_class": kind, "accepted": n, "last_at": now}
        for (line, kind), n in sorted(accepted.items())
    ]
    dialect.add_up(connection, CONTRIBUTIONS, rows, "accepted", "last_at")


def since(connection: Connection, member_id: str, start: datetime) -> list[Contribution]:
    """What a member had accepted since the day of `start`, by (line, class), sorted."""
    rows = connection.execute(_SINCE, {"member": member_id, "start": start.date()})
    return [Contribution(line, kind, int(accepted), last_at) for line, kind, accepted, last_at in rows]
