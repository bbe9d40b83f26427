"""Alerts: the inbox of each member. Rows hold ids only, and nothing refers to what they are about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    ForeignKey,
    Index,
    RowMapping,
    UniqueConstraint,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from repository.domain.alerts import Alert, AlertKind
from repository.storage import dialect
from repository.storage.base import Base


class AlertRow(Base):
    """One alert. What it is about may be gone: then it is not shown, and goes when its own time is over."""

    __tablename__ = "alerts"
    __table_args__ = (UniqueConstraint("member_id", "dedupe"), Index("ix_alerts_member_id_id", "member_id", "id"))

    id: Mapped[str] = mapped_column(primary_key=True)
    member_id: Mapped[str] = mapped_column(ForeignKey("members.id"))
    kind: Mapped[str]
    at: Mapped[datetime] = mapped_column(index=True)
    dedupe: Mapped[str]
    about: Mapped[dict[str, Any]]
    read_at: Mapped[datetime | None]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[str | None]
    snoozed_until: Mapped[datetime | None]


ALERTS = Base.metadata.tables["alerts"]


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which alerts of a member: of a kind, unread ones only; those put away until after `now` are not listed."""

    now: datetime
    kind: AlertKind | None = None
    unread: bool = False
    since: datetime | None = None
    until: datetime | None = None


def add(connection: Connection, alert: Alert) -> bool:
    """Store an alert; False where its member has that one already."""
    row = {name: getattr(alert, name) for name in Alert.__slots__ if name != "told"} | {"about": dict(alert.about)}
    return bool(dialect.insert_new(connection, ALERTS, [row], "id"))


def page(connection: Connection, member_id: str, chosen: Chosen, *, before: str | None, limit: int) -> list[Alert]:
    """A member's alerts, newest first, whether or not they may be shown."""
    conditions: list[ColumnElement[bool]] = [
        ALERTS.c.member_id == member_id,
        or_(ALERTS.c.snoozed_until.is_(None), ALERTS.c.snoozed_until <= chosen.now),
    ]
    if before is not None:
        conditions.append(ALERTS.c.id < before)
    if chosen.kind is not None:
        conditions.append(ALERTS.c.kind == chosen.kind.value)
    if chosen.unread:
        conditions.append(ALERTS.c.read_at.is_(None))
    if chosen.since is not None:
        conditions.append(ALERTS.c.at >= chosen.since)
    if chosen.until is not None:
        conditions.append(ALERTS.c.at < chosen.until)
    statement = select(ALERTS).where(*conditions).order_by(ALERTS.c.id.desc()).limit(limit)
    return [_alert(row) for row in connection.execute(statement).mappings()]


def one(connection: Connection, member_id: str, alert_id: str) -> Alert | None:
    """A member's alert; None when there is none of that id for this member."""
    statement = select(ALERTS).where(ALERTS.c.member_id == member_id, ALERTS.c.id == alert_id)
    row = connection.execute(statement).mappings().one_or_none()
    return None if row is None else _alert(row)


def by_dedupe(connection: Connection, member_id: str, wanted: Iterable[str]) -> list[str]:
    """The ids of a member's alerts that are the only ones of these, in their order."""
    name = connection.dialect.name
    these = select(dialect.wanted_texts(name).c.value)
    statement = select(ALERTS.c.id).where(ALERTS.c.member_id == member_id, ALERTS.c.dedupe.in_(these))
    return sorted(connection.execute(statement, dialect.wanted(name, list(wanted))).scalars())


def read(connection: Connection, member_id: str, alert_ids: Sequence[str], *, now: datetime) -> list[str]:
    """Note that some of a member's alerts were read; those that were not before."""
    these = update(ALERTS).where(ALERTS.c.member_id == member_id, ALERTS.c.id.in_(alert_ids))
    unread = these.where(ALERTS.c.read_at.is_(None)).values(read_at=now).returning(ALERTS.c.id)
    return sorted(connection.execute(unread).scalars())


def change(connection: Connection, member_id: str, alert_id: str, values: dict[str, Any]) -> None:
    """Change a member's alert."""
    this = update(ALERTS).where(ALERTS.c.member_id == member_id, ALERTS.c.id == alert_id)
    connection.execute(this.values(values))


def count_over(connection: Connection, *, before: datetime) -> int:
    """How many alerts were told before an instant."""
    return int(connection.execute(select(func.count()).where(ALERTS.c.at < before)).scalar_one())


def forget_over(connection: Connection, *, before: datetime, limit: int) -> int:
    """Remove alerts that were told before an instant, some at a time; how many."""
    old = select(ALERTS.c.id).where(ALERTS.c.at < before).limit(limit)
    return connection.execute(delete(ALERTS).where(ALERTS.c.id.in_(old))).rowcount


def _alert(row: RowMapping) -> Alert:
    return Alert(**{**row, "kind": AlertKind(row["kind"])})
