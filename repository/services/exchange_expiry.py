"""The end of what the exchange keeps: sealed answers after their days, and then the requests with all words in them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from repository.domain.events import Event, EventKind
from repository.services import Services, reciprocity
from repository.storage import events, exchange


def forget_over(services: Services, connection: Connection, *, now: datetime, limit: int) -> int:
    """Delete some of what is kept no longer, each with an event; how many."""
    removed = exchange.remove_over(connection, now=now, limit=limit)
    expired = exchange.forget_sealed(connection, now=now, limit=limit)
    for kind, found in ((EventKind.DISCLOSURE_REMOVED, removed), (EventKind.DISCLOSURE_EXPIRED, expired)):
        for disclosure_id, member_id in found:
            event_id = reciprocity.new_id(services, "evt")
            events.append(connection, Event(event_id, now, kind, None, member_id, disclosure_id))
    return len(removed) + len(expired)
