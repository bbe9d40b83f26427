"""What members have recur: one row for a member and a task."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, ForeignKey, RowMapping, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from repository.domain.schedules import Task
from repository.storage import dialect
from repository.storage.base import Base


class ScheduleRow(Base):
    """One schedule, as its member gave it, and when it is due next. `last` is a code, of what came of it."""

    __tablename__ = "schedules"

    member_id: Mapped[str] = mapped_column(ForeignKey("members.id"), primary_key=True)
    task: Mapped[str] = mapped_column(primary_key=True)
    actor_id: Mapped[str] = mapped_column(ForeignKey("actors.id"))
    schedule: Mapped[dict[str, Any]]
    purpose: Mapped[str | None]
    set_at: Mapped[datetime]
    next_at: Mapped[datetime] = mapped_column(index=True)
    last_at: Mapped[datetime | None]
    last: Mapped[str | None]


SCHEDULES = Base.metadata.tables["schedules"]


def put(connection: Connection, row: dict[str, Any]) -> None:
    """Store a member's schedule for a task, in the place of the one before."""
    dialect.put(connection, SCHEDULES, [row])


def one(connection: Connection, member_id: str, task: Task) -> RowMapping | None:
    """A member's schedule for a task."""
    statement = select(SCHEDULES).where(SCHEDULES.c.member_id == member_id, SCHEDULES.c.task == task.value)
    return connection.execute(statement).mappings().one_or_none()


def remove(connection: Connection, member_id: str, task: Task) -> bool:
    """Remove a member's schedule for a task; whether there was one."""
    this = delete(SCHEDULES).where(SCHEDULES.c.member_id == member_id, SCHEDULES.c.task == task.value)
    return connection.execute(this).rowcount == 1


def due(connection: Connection, *, now: datetime, limit: int) -> list[RowMapping]:
    """Some schedules that are due, the longest first."""
    statement = select(SCHEDULES).where(SCHEDULES.c.next_at <= now).order_by(SCHEDULES.c.next_at).limit(limit)
    return list(connection.execute(statement).mappings())


def move(connection: Connection, row: RowMapping, values: dict[str, Any]) -> bool:
    """Change a schedule, unless another has moved it on, or its member another; whether it was as it was."""
    same = (SCHEDULES.c.next_at == row["next_at"], SCHEDULES.c.set_at == row["set_at"])
    this = update(SCHEDULES).where(SCHEDULES.c.member_id == row["member_id"], SCHEDULES.c.task == row["task"], *same)
    return connection.execute(this.values(values)).rowcount == 1
