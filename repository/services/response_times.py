"""How quickly each member answers requests for detail, told to all of them; and what the operator sees: counts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from repository.domain.members import Member
from repository.domain.response_times import times
from repository.services import Services
from repository.storage import exchange
from repository.storage.exchange import Of

MOST_LISTED = 1000


def league(services: Services, member: Member | None) -> dict[str, Any]:
    """A row for each member that was asked within the window, by name; whole its own, and all for the operator."""
    now, rulebook = services.clock(), services.rulebook
    days = rulebook.window.days
    with services.database.reading() as connection:
        found = times(exchange.timed(connection, since=now - timedelta(days=days)), now)
        names = exchange.names(connection, [each.member_id for each in found])
    items = [
        {"member": each.member_id, "name": names[each.member_id]}
        | each.as_dict(rulebook, whole=member is None or each.member_id == member.id)
        for each in found
    ]
    target = rulebook.standing.request_working_days
    return {"days": days, "working_days": target, "items": sorted(items, key=lambda each: str(each["name"]))}


def counts(services: Services) -> dict[str, int]:
    """How many requests there are in each status, overdue, escalated, and with an answer that waits."""
    with services.database.reading() as connection:
        return exchange.counts(connection, now=services.clock())


def overdue(services: Services) -> list[dict[str, Any]]:
    """The requests that are overdue, latest first, for the operator: whose they are and since when, nothing of them."""
    now = services.clock()
    with services.database.reading() as connection:
        found = exchange.page(connection, Of(overdue_at=now), before=None, limit=MOST_LISTED)
        names = exchange.names(connection, {id_ for each in found for id_ in (each.requester_id, each.contributor_id)})
    calendar = services.rulebook.calendar
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
