"""Deletion proofs: that a filing was in the pool and is not any more. No reference, no key, nothing of a subject."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Index, LargeBinary, RowMapping, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from repository.storage.base import Base


class DeletionRow(Base):
    """One filing that was taken out. No foreign keys: it is gone.

    The commitment is over these facts, the salt, and the content's digest, which was the filing's and is not kept.
    """

    __tablename__ = "deletions"
    __table_args__ = (Index("ix_deletions_member_id_id", "member_id", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    filing_id: Mapped[str] = mapped_column(unique=True)
    member_id: Mapped[str]
    line: Mapped[str]
    record_class: Mapped[str]
    version: Mapped[int]
    cause: Mapped[str]
    reason: Mapped[str | None]
    kept_from: Mapped[date]
    removed_on: Mapped[date]
    removed_at: Mapped[datetime]
    rulebook: Mapped[str]
    salt: Mapped[bytes] = mapped_column(LargeBinary)
    commitment: Mapped[str]


DELETIONS = Base.metadata.tables["deletions"]


def add(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Store proofs."""
    if rows:
        connection.execute(insert(DELETIONS), list(rows))


def of_filing(connection: Connection, member_id: str, filing_id: str) -> RowMapping | None:
    """The proof of a member's filing; None when it has none of that id, or it is there still."""
    statement = select(DELETIONS).where(DELETIONS.c.member_id == member_id, DELETIONS.c.filing_id == filing_id)
    return connection.execute(statement).mappings().one_or_none()


def page(connection: Connection, member_id: str, *, before: str | None, limit: int) -> list[RowMapping]:
    """A member's proofs, newest first."""
    statement = select(DELETIONS).where(DELETIONS.c.member_id == member_id).order_by(DELETIONS.c.id.desc())
    if before is not None:
        statement = statement.where(DELETIONS.c.id < before)
    return list(connection.execute(statement.limit(limit)).mappings())
