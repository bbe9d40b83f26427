"""How much each member has asked today and in this minute (R10), beside the version of its ledger."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, ForeignKey, Integer, Select, String, bindparam, exists, func, select
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql.dml import ReturningInsert

from repository.storage import dialect
from repository.storage.base import Base, UtcDateTime
from repository.storage.members import MemberRow
from repository.storage.standings import STANDINGS

DAY, MINUTE = "day", "minute"


class UsageRow(Base):
    """The questions of a member in the day or the minute that began at `start`; the next one starts over."""

    __tablename__ = "usage"

    member_id: Mapped[str] = mapped_column(ForeignKey("members.id"), primary_key=True)
    period: Mapped[str] = mapped_column(primary_key=True)
    start: Mapped[datetime]
    used: Mapped[int]


@dataclass(frozen=True, slots=True)
class Usage:
    """Questions asked so far today and in this minute, in UTC."""

    today: int
    this_minute: int


@dataclass(frozen=True, slots=True)
class Before:
    """The version of a member's ledger, what it has asked, and whether a standing is stored."""

    ledger_version: int
    usage: Usage
    stored: bool


USAGE = Base.metadata.tables["usage"]
_MEMBERS = Base.metadata.tables[MemberRow.__tablename__]


def _used(period: str) -> ColumnElement[int]:
    start = bindparam(period, type_=UtcDateTime())
    of = (USAGE.c.member_id == _MEMBERS.c.id, USAGE.c.period == period, USAGE.c.start == start)
    return func.coalesce(select(USAGE.c.used).where(*of).scalar_subquery(), 0)


def reading() -> Select[Any]:
    """The statement of `read`, with `parameters`: a row for `before`."""
    return select(
        _MEMBERS.c.ledger_version,
        _used(DAY),
        _used(MINUTE),
        exists().where(STANDINGS.c.id == bindparam("standing")),
    ).where(_MEMBERS.c.id == bindparam("member"))


_READ = dialect.Prepared(lambda _name: reading())


def _adding(dialect_name: str) -> ReturningInsert[Any]:
    member, asked = bindparam("member", type_=String()), bindparam("asked", type_=Integer())
    rows = [
        {"member_id": member, "period": period, "start": bindparam(period, type_=UtcDateTime()), "used": asked}
        for period in (DAY, MINUTE)
    ]
    return dialect.counting(dialect_name, USAGE, rows)


_ADD = dialect.Prepared(_adding)


def read(connection: Connection, member_id: str, standing_id: str, now: datetime) -> Before:
    """What has to be known of a member before it is decided on; `standing_id` may be that of no standing."""
    (row,) = _READ.rows(connection, parameters(member_id, standing_id, now))
    return before(row)


def parameters(member_id: str, standing_id: str, now: datetime) -> dict[str, Any]:
    """What `reading` is bound to."""
    return {"member": member_id, "standing": standing_id, **_starts(now)}


def before(row: Sequence[Any]) -> Before:
    """A row of `reading`."""
    version, today, this_minute, stored = row
    return Before(version, Usage(today, this_minute), bool(stored))


def add(connection: Connection, member_id: str, asked: int, now: datetime) -> Callable[[], Usage]:
    """Count questions asked now: nobody else counts until this is committed. To be had: what was asked before them."""
    answer = _ADD.ask(connection, {"member": member_id, "asked": asked, **_starts(now)})

    def before_them() -> Usage:
        used = dict(answer())
        return Usage(used[DAY] - asked, used[MINUTE] - asked)

    return before_them


def _starts(now: datetime) -> dict[str, datetime]:
    minute = now.astimezone(UTC).replace(second=0, microsecond=0)
    return {DAY: minute.replace(hour=0, minute=0), MINUTE: minute}
