"""Decisions of reciprocity, taken on what is stored and stored with what they were taken on."""

from __future__ import annotations

import os
from collections import Counter

from sqlalchemy import Connection

from repository.domain import ids
from repository.domain.ids import Prefix
from repository.domain.members import Actor, Member
from repository.domain.reciprocity import Contribution, Decision, Inputs, window_start
from repository.services import Services
from repository.storage import decisions, ledger


class RefusedError(Exception):
    """A rule of the scheme does not allow it; the decision says which, and is stored."""

    def __init__(self, decision: Decision) -> None:
        super().__init__(decision.rule)
        self.decision = decision


def new_id(services: Services, prefix: Prefix) -> str:
    """A new id of the service's present time."""
    return ids.make(prefix, services.clock(), os.urandom(ids.RANDOM_BYTES))


def inputs(services: Services, connection: Connection, member: Member) -> Inputs:
    """What decisions on a member are made from now."""
    now = services.clock()
    start = window_start(now, services.rulebook)
    accepted: Counter[tuple[str, str]] = Counter()
    last = {}
    for row in ledger.since(connection, member.id, start.date()):
        if row.last_at is not None:
            accepted[row.line, row.record_class] += row.counts["accepted"]
            last[row.line, row.record_class] = row.last_at
    found = [Contribution(line, kind, n, last[line, kind]) for (line, kind), n in sorted(accepted.items())]
    return Inputs(member, tuple(found), now)


def remember(
    services: Services, connection: Connection, decision: Decision, on: Inputs, *, actor: Actor, action: str
) -> str:
    """Store a decision and return its id."""
    decision_id = new_id(services, "dec")
    decisions.add(
        connection,
        decision_id,
        decision,
        at=on.now,
        member_id=on.member.id,
        actor_id=actor.id,
        action=action,
        inputs=on.as_dict(),
    )
    return decision_id
