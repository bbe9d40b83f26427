"""Contributors told that somebody asked about a record of theirs, as far as they contribute themselves.

What somebody asks in a line is to others as a customer of that line would be: a contributor is told by the tier it has
for those. At tier 1 that somebody asked, at 2 for which purposes, at 3 who. One alert for a record and a day: how many
asked is not told by the number of alerts. The rulebook says for which purposes at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, timedelta

from sqlalchemy.orm import Session

from repository.domain import ids
from repository.domain.alerts import AlertKind
from repository.domain.asking import Request
from repository.domain.events import EventKind
from repository.domain.members import Actor
from repository.domain.rulebook import HIT_TIER
from repository.services import Services, alerting, entitlements
from repository.services.enquiries import AS_CLASS, dedupe
from repository.services.entitlements import DEFAULT_PURPOSE
from repository.storage import asked
from repository.storage.asked import Met
from repository.storage.members import find_member
from repository.storage.operator import held_fact, set_fact

ACTION = "asked"
AT_ONCE, MOST_LOOKS = 50, 20
LAG = timedelta(minutes=5)
"""Younger hits are left to a later look: one with a lesser id may be committed yet, by whatever clock it was made."""
_FACT = "contributors told until"


def tell_contributors(services: Services) -> int:
    """Alert the contributors of the records that were met since the last look; how many hits were looked at."""
    done = 0
    for _ in range(MOST_LOOKS):
        found = _look(services)
        done += found
        if found < AT_ONCE:
            break
    return done


def _look(services: Services) -> int:
    with services.database.write() as session:
        connection = session.connection()
        until = ids.make("hit", services.clock() - LAG, bytes(ids.RANDOM_BYTES))
        after = held_fact(session, _FACT)
        found: list[Met] = []
        if after is not None and after < until:
            purposes = services.rulebook.monitoring.told_purposes
            found = asked.following(connection, purposes, after=after, until=until, limit=AT_ONCE)
            by_contributor = defaultdict(list)
            for each in found:
                by_contributor[each.contributor_id].append(each)
            for met in by_contributor.values():
                _tell(services, session, met)
        if after is None or after < until:
            set_fact(session, _FACT, found[-1].hit_id if len(found) == AT_ONCE else until)
    return len(found)


def _tell(services: Services, session: Session, met: Sequence[Met]) -> None:
    row = find_member(session, met[0].contributor_id)
    if row is None:
        return
    connection, member = session.connection(), row.as_member()
    actor = Actor(met[0].actor_id, frozenset(), member)
    request = Request(ACTION, DEFAULT_PURPOSE, None, asked=0)
    granted = entitlements.entitled(services, connection, actor, member, request, keep=False)
    told: dict[str, dict[str, str]] = {}
    for each in met if granted.entitlement.allowed else ():
        if granted.entitlement.tier(each.line, AS_CLASS) >= HIT_TIER:
            told[dedupe(each.filing_id, each.at.astimezone(UTC).date())] = {"filing": each.filing_id}
    made = alerting.tell_many(services, connection, member.id, AlertKind.RECORD_ASKED, told)
    if made:  # a decision by which nothing is told would tell that somebody asked
        entitlements.remember(connection, granted)
        entitlements.tell(services, connection, granted, EventKind.RECORDS_ASKED, {"records": len(made)})
