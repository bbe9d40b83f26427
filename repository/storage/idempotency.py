"""Answers kept for a while, so that a request sent again gets the answer it had."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import LargeBinary, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from repository.storage.base import Base

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
