"""Webhooks: members' endpoints, sealed, and since when nothing gets through to one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Connection,
    ForeignKey,
    LargeBinary,
    RowMapping,
    Select,
    Update,
    delete,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from repository.domain.webhooks import Notice, Webhook
from repository.storage.base import Base, UtcDateTime


class WebhookRow(Base):
    """One endpoint. `failing_since`: when the first attempt failed after the last that got through.

    `old_secret` is the one before, which signs beside the new one until `old_until`.
    """

    __tablename__ = "webhooks"

    id: Mapped[str] = mapped_column(primary_key=True)
    member_id: Mapped[str] = mapped_column(ForeignKey("members.id"), index=True)
    actor_id: Mapped[str] = mapped_column(ForeignKey("actors.id"))
    url: Mapped[bytes] = mapped_column(LargeBinary)
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    old_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    old_until: Mapped[datetime | None]
    kinds: Mapped[list[str]] = mapped_column(JSON)
    enabled: Mapped[bool]
    created_at: Mapped[datetime]
    failing_since: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]


WEBHOOKS = Base.metadata.tables["webhooks"]


def add(connection: Connection, row: Mapping[str, Any]) -> None:
    """Store a webhook."""
    connection.execute(insert(WEBHOOKS), dict(row))


def of_member(connection: Connection, member_id: str, webhook_id: str) -> Webhook | None:
    """A member's webhook; None when there is none of that id for this member."""
    return _one(connection, select(WEBHOOKS).where(WEBHOOKS.c.member_id == member_id, WEBHOOKS.c.id == webhook_id))


def listed(connection: Connection, member_id: str) -> list[Webhook]:
    """A member's webhooks, oldest first."""
    statement = select(WEBHOOKS).where(WEBHOOKS.c.member_id == member_id).order_by(WEBHOOKS.c.id)
    return [_webhook(row) for row in connection.execute(statement).mappings()]


def count(connection: Connection, member_id: str) -> int:
    """How many webhooks a member has."""
    statement = select(func.count()).where(WEBHOOKS.c.member_id == member_id)
    return int(connection.execute(statement).scalar_one())


def subscribed(connection: Connection, kind: Notice, member_ids: Collection[str]) -> list[Webhook]:
    """The webhooks of some members that are enabled for a kind of notice."""
    statement = select(WEBHOOKS).where(WEBHOOKS.c.member_id.in_(sorted(member_ids)), WEBHOOKS.c.enabled.is_(True))
    found = [_webhook(row) for row in connection.execute(statement.order_by(WEBHOOKS.c.id)).mappings()]
    return [each for each in found if kind in each.kinds]


def change(connection: Connection, member_id: str, webhook_id: str, values: Mapping[str, Any]) -> None:
    """Change a member's webhook."""
    connection.execute(_this(member_id, webhook_id).values(dict(values)))


def count_old_secrets(connection: Connection, *, before: datetime) -> int:
    """How many old secrets there are whose time was over before an instant."""
    return int(connection.execute(select(func.count()).where(WEBHOOKS.c.old_until <= before)).scalar_one())


def forget_old_secrets(connection: Connection, *, before: datetime) -> int:
    """Remove the old secrets whose time was over before an instant; how many."""
    over = update(WEBHOOKS).where(WEBHOOKS.c.old_until <= before)
    return connection.execute(over.values(old_secret=None, old_until=None)).rowcount


def remove(connection: Connection, member_id: str, webhook_id: str) -> bool:
    """Remove a member's webhook; whether there was one."""
    mine = delete(WEBHOOKS).where(WEBHOOKS.c.member_id == member_id, WEBHOOKS.c.id == webhook_id)
    return connection.execute(mine).rowcount == 1


def note_through(connection: Connection, member_id: str, webhook_id: str) -> None:
    """Note that a notice got through."""
    failing = _this(member_id, webhook_id).where(WEBHOOKS.c.failing_since.is_not(None))
    connection.execute(failing.values(failing_since=None))


def note_failure(connection: Connection, member_id: str, webhook_id: str, *, now: datetime) -> datetime | None:
    """Note that one did not; since when none does, None for a webhook that is gone or was disabled before."""
    this = _this(member_id, webhook_id).where(WEBHOOKS.c.enabled.is_(True))
    since = this.values(failing_since=func.coalesce(WEBHOOKS.c.failing_since, literal(now, UtcDateTime())))
    found: datetime | None = connection.execute(since.returning(WEBHOOKS.c.failing_since)).scalar_one_or_none()
    return found


def disable(connection: Connection, member_id: str, webhook_id: str, *, now: datetime) -> bool:
    """Disable one; whether it was enabled."""
    this = _this(member_id, webhook_id).where(WEBHOOKS.c.enabled.is_(True))
    return connection.execute(this.values(enabled=False, disabled_at=now)).rowcount == 1


def _this(member_id: str, webhook_id: str) -> Update:
    return update(WEBHOOKS).where(WEBHOOKS.c.member_id == member_id, WEBHOOKS.c.id == webhook_id)


def _one(connection: Connection, statement: Select[Any]) -> Webhook | None:
    row = connection.execute(statement).mappings().one_or_none()
    return None if row is None else _webhook(row)


def _webhook(row: RowMapping) -> Webhook:
    return Webhook(**{**row, "kinds": frozenset(map(Notice, row["kinds"]))})
