"""Putting hits into cases: one case for a subject and all that was found of it, over what the member may see.

Hits are put together where they are of one own subject, or of one record of another member whose class may be seen:
by a record that may not, a case would tell that one is there. Cases are made as they are asked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from repository.domain import casework as rules
from repository.domain.casework import Case, CaseStatus, Move, StaleError
from repository.domain.disclosure import Reach
from repository.domain.members import Member
from repository.services import Services, reciprocity
from repository.services.casework import opened, store
from repository.storage import casework, hit_views
from repository.storage.casework import Filed
from repository.storage.hit_views import Loose

AT_ONCE = 500
"""Hits that are put into cases in one transaction."""
MOST_AT_A_READING = 20
"""Transactions before an answer: of more than those the next reading sees to it."""


def gather(services: Services, member: Member, seen: Reach, counted: Reach) -> bool:
    """Put what is new into cases, and wake those whose day has come; False where more is left than is done at once."""
    for _ in range(MOST_AT_A_READING):
        now = services.clock()
        today = services.rulebook.calendar.day_of(now)
        with services.database.reading() as connection:
            idle = not hit_views.uncased(connection, member.id, seen, counted, limit=1)
            if idle and not casework.over_snoozed(connection, member.id, today, 1):
                return True
        with suppress(StaleError), services.database.writing() as connection:  # a person was faster: look again
            casework.lock(connection, member.id)
            for case in casework.over_snoozed(connection, member.id, today, AT_ONCE):
                store(services, connection, rules.woken(case, now=now), Move.WOKE, actor_id=None)
            _put_new(services, connection, member, (seen, counted), now)
    return False


def gather_within(services: Services, connection: Connection, member: Member, seen: Reach, counted: Reach) -> None:
    """Put what is new into cases in a transaction of the caller's, which decides on what is there by then.

    Raises StaleError where a person was faster.
    """
    casework.lock(connection, member.id)
    for _ in range(MOST_AT_A_READING):
        if not _put_new(services, connection, member, (seen, counted), services.clock()):
            return


def _put_new(
    services: Services, connection: Connection, member: Member, reaches: tuple[Reach, Reach], now: datetime
) -> bool:
    loose = hit_views.uncased(connection, member.id, *reaches, limit=AT_ONCE)
    if loose:
        _put(services, connection, member, loose, now)
    return bool(loose)


def _put(services: Services, connection: Connection, member: Member, loose: Sequence[Loose], now: datetime) -> None:
    their = sorted({each.their for each in loose if each.counted})
    known = casework.filed(connection, member.id, sorted({each.own for each in loose}), their)
    cases: dict[str, str] = {}  # hit id: case id
    for hits, case_ids in clusters(loose, known):
        there = casework.of_ids(connection, member.id, sorted(case_ids))
        if there:
            oldest = there[0]
            _grow(services, connection, oldest, told_of(loose, hits), now)
            for other in there[1:]:
                casework.move_content(connection, member.id, other.id, oldest.id, now=now)
                after = rules.merged(other, oldest.id, now=now)
                store(services, connection, after, Move.MERGED, actor_id=None, figures={"into": oldest.id})
            case_id = oldest.id
        else:
            case_id = _open(services, connection, member, now)
        cases |= dict.fromkeys(hits, case_id)
    casework.put_hits(connection, member.id, cases, now=now)


def clusters(loose: Sequence[Loose], known: Sequence[Filed]) -> list[tuple[list[str], set[str]]]:
    """Which hits belong together, each group with the cases that have hits of the same subjects."""
    parents: dict[object, object] = {}

    def root(of: object) -> object:
        parents.setdefault(of, of)
        while parents[of] != of:
            parents[of] = of = parents[parents[of]]
        return of

    their = {each.their for each in loose if each.counted}
    for each in loose:
        parents[root(("hit", each.hit_id))] = root(("own", each.own))
        if each.counted:
            parents[root(("hit", each.hit_id))] = root(("their", each.their))
    for filed in known:
        parents[root(("case", filed.case_id))] = root(("own", filed.own))
        if filed.their in their:
            parents[root(("case", filed.case_id))] = root(("their", filed.their))
    hits: dict[object, list[str]] = defaultdict(list)
    for each in loose:
        hits[root(("hit", each.hit_id))].append(each.hit_id)
    cases: Mapping[object, set[str]] = defaultdict(set)
    for filed in known:
        cases[root(("case", filed.case_id))].add(filed.case_id)
    return [(found, cases[at]) for at, found in hits.items()]


def told_of(loose: Sequence[Loose], hits: Sequence[str]) -> int:
    """How many of some hits are told as a number: those whose class may be seen. Of others it is not told how many."""
    counted = {each.hit_id for each in loose if each.counted}
    return len(counted.intersection(hits))


def _grow(services: Services, connection: Connection, case: Case, hits: int, now: datetime) -> None:
    after, move = rules.grown(case, now=now, due_on=_due_on(services, now))
    store(services, connection, after, move, actor_id=None, figures={"hits": hits})


def _due_on(services: Services, now: datetime) -> date:
    rulebook = services.rulebook
    return rulebook.calendar.day_of(now) + timedelta(days=rulebook.casework.due_days)


def _open(services: Services, connection: Connection, member: Member, now: datetime) -> str:
    case = Case(
        id=reciprocity.new_id(services, "cas"),
        member_id=member.id,
        version=1,
        status=CaseStatus.NEW,
        assignee_id=None,
        due_on=_due_on(services, now),
        snoozed_until=None,
        opened_at=now,
        changed_at=now,
        closed_at=None,
        proposed_by=None,
        finding=None,
        merged_into=None,
    )
    opened(services, connection, case)
    return case.id
