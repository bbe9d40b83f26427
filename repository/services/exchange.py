"""The disclosure exchange: asking the contributor of a record for its detail, and answering. What is carried is sealed.

The service decides who may ask, keeps the clock, and carries the answer from the contributor's kit to that of who
asked: by then it is sealed to a public key of theirs, and nobody here can open it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from repository.domain import exchange as rules
from repository.domain.alerts import AlertKind
from repository.domain.events import EventKind
from repository.domain.exchange import Disclosure, ExchangeError, Reply, RequestStatus
from repository.domain.members import Actor, Member
from repository.services import Services
from repository.services.exchange_words import as_json, open_words, owe, seal_words, tell, told
from repository.services.lifecycle import Act
from repository.storage import agreement, exchange

_CLOSES = {True: EventKind.DISCLOSURE_APPROVED, False: EventKind.DISCLOSURE_REFUSED}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which requests of a member are listed: those `sent` or `received`, in a status, overdue only."""

    side: str
    status: RequestStatus | None = None
    overdue: bool = False


def listed(
    services: Services, member: Member, wanted: Wanted, *, before: str | None, limit: int
) -> tuple[list[dict[str, Any]], bool]:
    """A page of the requests that a member sent or received as JSON, latest first, and whether there are more."""
    own = {"requester_id": member.id} if wanted.side == "sent" else {"contributor_id": member.id}
    status = None if wanted.status is None else wanted.status.value
    of = exchange.Of(**own, status=status, overdue_at=services.clock() if wanted.overdue else None)
    with services.database.reading() as connection:
        found = exchange.page(connection, of, before=before, limit=limit + 1)
        return as_json(services, connection, member, found[:limit]), len(found) > limit


def find(services: Services, member: Member, disclosure_id: str) -> dict[str, Any] | None:
    """A request that a member sent or received as JSON, None when it has none of this id."""
    with services.database.reading() as connection:
        found = exchange.one(connection, disclosure_id)
        if found is None or member.id not in (found.requester_id, found.contributor_id):
            return None
        return as_json(services, connection, member, [found])[0]


def approve(
    services: Services, actor: Actor, member: Member, disclosure_id: str, body: Mapping[str, object]
) -> bool | None:
    """Give what was asked for, or a part of it, sealed to who asked. None for whoever is not its contributor.

    Raises FieldError, and ExchangeError where it is closed or sealed to another key than who asked has published.
    """
    with services.database.writing() as connection:
        before = _of_contributor(connection, member, disclosure_id)
        if before is None:
            return None
        reply = rules.approval_from_json(body, before.items)
        published = agreement.recipients_of(connection, [before.requester_id])
        if published.get(before.requester_id) != reply.recipient:
            raise ExchangeError("the member that asks has published another public key, or none: seal to that one")
        _reply(services, connection, Act(services.clock(), actor.id), before, reply)
    return True


def refuse(
    services: Services, actor: Actor, member: Member, disclosure_id: str, body: Mapping[str, object]
) -> bool | None:
    """Refuse a request, with a reason. None for whoever is not its contributor; raises FieldError, ExchangeError."""
    with services.database.writing() as connection:
        before = _of_contributor(connection, member, disclosure_id)
        if before is None:
            return None
        _reply(services, connection, Act(services.clock(), actor.id), before, rules.refusal_from_json(body))
    return True


def escalate(
    services: Services, actor: Actor, member: Member, disclosure_id: str, body: Mapping[str, object]
) -> bool | None:
    """Tell the operator of a request that is overdue. None for who did not ask; raises FieldError, ExchangeError."""
    now = services.clock()
    with services.database.writing() as connection:
        before = _of_requester(connection, member, disclosure_id)
        if before is None:
            return None
        after = rules.escalated(before, now)
        written = open_words(services, connection, [before])[before.id]
        words = seal_words(services, before.id, {**written, "escalation": rules.words_from_json(body, "reason")})
        exchange.save(connection, after, {"words": words})
        tell(connection, Act(now, actor.id), EventKind.DISCLOSURE_ESCALATED, after)
        told(services, connection, AlertKind.DISCLOSURE_ESCALATED, after.contributor_id, after.id)
    return True


def withdraw(services: Services, actor: Actor, member: Member, disclosure_id: str) -> bool | None:
    """Take a request back. None for who did not ask; raises ExchangeError where it is closed.

    What is not yet overdue is no longer due; what is stays so.
    """
    now = services.clock()
    with services.database.writing() as connection:
        before = _of_requester(connection, member, disclosure_id)
        if before is None:
            return None
        after = rules.withdrawn(before, now)
        exchange.save(connection, after, {})
        if not before.overdue(now):
            owe(connection, now, after, {"due": -1})
        tell(connection, Act(now, actor.id), EventKind.DISCLOSURE_WITHDRAWN, after)
        told(services, connection, AlertKind.DISCLOSURE_WITHDRAWN, after.contributor_id, after.id)
    return True


def opened(services: Services, actor: Actor, member: Member, disclosure_id: str) -> bool | None:
    """Note that an answer was opened: what is sealed is deleted. None for who did not ask; again changes nothing.

    Raises ExchangeError where there is nothing to open.
    """
    now = services.clock()
    with services.database.writing() as connection:
        before = _of_requester(connection, member, disclosure_id)
        if before is None:
            return None
        if before.opened_at is not None:
            return True
        if exchange.sealed(connection, member.id, disclosure_id, now=now) is None:
            raise ExchangeError("there is no answer to open, or it is kept no longer")
        after = replace(before, opened_at=now)
        exchange.save(connection, after, {"sealed": None})
        tell(connection, Act(now, actor.id), EventKind.DISCLOSURE_OPENED, after)
    return True


def _reply(services: Services, connection: Connection, act: Act, before: Disclosure, reply: Reply) -> None:
    """Store an answer, count it where it is in time, and tell who asked."""
    rulebook = services.rulebooks.at(act.now)
    after = rules.replied(before, reply, rulebook.calendar, act.now)
    more: dict[str, Any] = {"answered_by": act.actor_id}
    if reply.reason is not None:
        written = open_words(services, connection, [before])[before.id]
        more["words"] = seal_words(services, before.id, {**written, "reason": reply.reason})
    if reply.sealed is not None:
        more |= {"sealed": reply.sealed, "recipient": reply.recipient}
        after = replace(
            after,
            sealed_bytes=len(reply.sealed),
            sealed_sha256=hashlib.sha256(reply.sealed).hexdigest(),
            sealed_until=act.now + timedelta(days=rulebook.exchange.sealed_days),
        )
    exchange.save(connection, after, more)
    if after.in_time:
        owe(connection, act.now, after, {"answered": 1})
    figures = {"granted": len(after.granted), "of": len(after.items), "in_time": int(bool(after.in_time))}
    tell(connection, act, _CLOSES[bool(after.granted)], after, **figures)
    told(services, connection, AlertKind.DISCLOSURE_ANSWERED, after.requester_id, after.id)


def _of_contributor(connection: Connection, member: Member, disclosure_id: str) -> Disclosure | None:
    found = exchange.one(connection, disclosure_id, for_change=True)
    return found if found is not None and found.contributor_id == member.id else None


def _of_requester(connection: Connection, member: Member, disclosure_id: str) -> Disclosure | None:
    found = exchange.one(connection, disclosure_id, for_change=True)
    return found if found is not None and found.requester_id == member.id else None
