"""Screenings: who asked, why, and what was answered; the encoding is sealed for its retention."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, ForeignKey, LargeBinary, insert
from sqlalchemy.orm import Mapped, mapped_column

from repository.storage import dialect
from repository.storage.base import Base


class ScreeningRow(Base):
    """One question and its answer. The envelope holds the re-keyed encoding until `expires_at`."""

    __tablename__ = "screenings"

    id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    member_id: Mapped[str] = mapped_column(ForeignKey("members.id"), index=True)
    actor_id: Mapped[str] = mapped_column(ForeignKey("actors.id"))
    decision_id: Mapped[str] = mapped_column(ForeignKey("decisions.id"))
    purpose: Mapped[str]
    lawful_basis: Mapped[str | None]
    reference: Mapped[str]
    line: Mapped[str]
    kind: Mapped[str]
    role: Mapped[str]
    schema_id: Mapped[str]
    fingerprint: Mapped[str]
    answer: Mapped[str]
    hits: Mapped[int]
    capped_keys: Mapped[int]
    pool_size: Mapped[int]
    model_id: Mapped[str]
    envelope: Mapped[bytes] = mapped_column(LargeBinary)


SCREENINGS = Base.metadata.tables["screenings"]
_INSERT = dialect.Prepared(lambda _name: insert(SCREENINGS))


def add(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Store screenings."""
    if rows:
        _INSERT.write(connection, rows)
