"""Answers kept for a while, so that a request sent again gets the answer it had."""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from datetime import datetime, timedelta

from sqlalchemy import Connection, LargeBinary, and_, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from repository.storage.base import Base
from repository.storage.members import ActorRow

KEPT = timedelta(days=1)
"""How long an answer is kept."""
NOT_KNOWN = ""
"""The digest of a request that was made under another operator secret."""


class IdempotentReplyRow(Base):
    """The answer that one actor's request had under an idempotency key. `digest` is of the request."""

    __tablename__ = "idempotent_replies"

    actor_id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str]
    status: Mapped[int]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(index=True)


def reply(session: Session, actor_id: str, key: str) -> IdempotentReplyRow | None:
    """The answer kept under a key, None when there is none."""
    return session.scalar(
        select(IdempotentReplyRow).where(IdempotentReplyRow.actor_id == actor_id, IdempotentReplyRow.key == key)
    )


def keep(session: Session, row: IdempotentReplyRow, *, forget_before: datetime) -> None:
    """Keep an answer, and forget those that are older than a time. A key that was taken meanwhile keeps its answer."""
    session.execute(delete(IdempotentReplyRow).where(IdempotentReplyRow.created_at < forget_before))
    if reply(session, row.actor_id, row.key) is None:
        session.add(row)


def forget_telling(connection: Connection, member_ids: Sequence[str], about: Set[str]) -> int:
    """Forget the answers kept for actors of members that name a filing or a hit of these; how many."""
    if not member_ids:
        return 0
    kept, actor = IdempotentReplyRow, ActorRow
    statement = select(kept.actor_id, kept.key, kept.body).join(actor, actor.id == kept.actor_id)
    found = connection.execute(statement.where(actor.member_id.in_(member_ids))).all()
    telling = [row for row in found if not about.isdisjoint(each.decode() for each in _NAMED.findall(row.body))]
    for row in telling:
        connection.execute(delete(kept).where(and_(kept.actor_id == row.actor_id, kept.key == row.key)))
    return len(telling)


def count_over(connection: Connection, *, before: datetime) -> int:
    """How many answers are kept from before a time."""
    older = select(func.count()).where(IdempotentReplyRow.created_at < before)
    return int(connection.execute(older).scalar_one())


def forget_over(connection: Connection, *, before: datetime) -> int:
    """Forget the answers from before a time; how many."""
    return connection.execute(delete(IdempotentReplyRow).where(IdempotentReplyRow.created_at < before)).rowcount


_NAMED = re.compile(rb"(?:fil|hit)_[0-9a-v]{26}")
