"""What happened, in order: one row an event, in the transaction of the thing itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert
from sqlalchemy.orm import Mapped, mapped_column

from repository.domain.events import Event
from repository.storage import dialect
from repository.storage.base import Base


class EventRow(Base):
    """One event. No foreign keys: an event outlives what it tells of."""

    __tablename__ = "events"

    id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    kind: Mapped[str]
    actor_id: Mapped[str | None]
    member_id: Mapped[str | None] = mapped_column(index=True)
    subject_id: Mapped[str | None]
    figures: Mapped[dict[str, Any]]


EVENTS = Base.metadata.tables["events"]
_INSERT = dialect.Prepared(lambda _name: insert(EVENTS))


def append(connection: Connection, event: Event) -> None:
    """Add an event to the log."""
    _INSERT.write(
        connection,
        [
            {
                "id": event.id,
                "at": event.at,
                "kind": event.kind.value,
                "actor_id": event.actor_id,
                "member_id": event.member_id,
                "subject_id": event.subject_id,
                "figures": dict(event.figures),
            }
        ],
    )
