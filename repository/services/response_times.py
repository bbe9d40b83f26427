"""How quickly each member answers requests for detail, told to all of them; and what the operator sees: counts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from repository.domain.response_times import times
from repository.domain.rulebook import Rulebook
from repository.storage import exchange
from repository.storage.exchange import Of

MOST_LISTED = 1000


def league(connection: Connection, rulebook: Rulebook, now: datetime, member_id: str | None) -> dict[str, Any]:
    """A row for each member that was asked within the window, by name; whole its own, and without one all of them."""
    days = rulebook.window.days
    found = times(exchange.timed(connection, since=now - timedelta(days=days)), now)
    names = exchange.names(connection, [each.member_id for each in found])
    items = [
        {"member": each.member_id, "name": names[each.member_id]}
        | each.as_dict(rulebook, whole=member_id in (None, each.member_id))
        for each in found
        if each.counted or member_id in {None, each.member_id}  # else it tells that it was just asked
    ]
    target = rulebook.standing.request_working_days
    return {"days": days, "working_days": target, "items": sorted(items, key=lambda each: str(each["name"]))}


def overdue(connection: Connection, rulebook: Rulebook, now: datetime) -> list[dict[str, Any]]:
    """The requests that are overdue, latest first, for the operator: whose they are and since when, nothing of them."""
    found = exchange.page(connection, Of(overdue_at=now), before=None, limit=MOST_LISTED)
    names = exchange.names(connection, {id_ for each in found for id_ in (each.requester_id, each.contributor_id)})
    calendar = rulebook.calendar
    return [
        {
            "id": each.id,
            "requester": names[each.requester_id],
            "contributor": names[each.contributor_id],
            "asked_on": calendar.day_of(each.asked_at).isoformat(),
            "due_on": each.due_on.isoformat(),
            "working_days_over": calendar.between(each.due_on, calendar.day_of(now)),
            "escalated_on": None if each.escalated_at is None else calendar.day_of(each.escalated_at).isoformat(),
        }
        for each in found
    ]
