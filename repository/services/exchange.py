"""The disclosure exchange: asking the contributor of a record for its detail, and answering. What is carried is sealed.

The service decides who may ask, keeps the clock, and carries the answer from the contributor's kit to that of who
asked: by then it is sealed to a public key of theirs, and nobody here can open it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from repository.domain import disclosure as reaching
from repository.domain import exchange as rules
from repository.domain.asking import Request
from repository.domain.disputes import Disputed
from repository.domain.entitlement import DISCLOSURE
from repository.domain.errors import FieldError
from repository.domain.events import EventKind
from repository.domain.exchange import Asking, Disclosure, ExchangeError, Reply, RequestStatus
from repository.domain.members import Actor, Member
from repository.domain.rulebook import CLASS_TIER, DETAIL_TIER, HIT_TIER, POINTER_TIER
from repository.domain.webhooks import Notice
from repository.services import Services, entitlements, lifecycle, outbox, reciprocity
from repository.services.entitlements import Granted
from repository.services.exchange_words import as_json, open_words, seal_words
from repository.services.lifecycle import Act, What
from repository.storage import agreement, exchange, hit_views, ledger, shown
from repository.storage.ledger import LedgerRow

RULE = "R8"
_TOLD = (EventKind.DISCLOSURE_CHECKED, EventKind.DISCLOSURE_BARRED)
_CLOSES = {True: EventKind.DISCLOSURE_APPROVED, False: EventKind.DISCLOSURE_REFUSED}


class NotAskedForError(Exception):
    """The member sees the hit, and may not ask for the detail behind it."""

    def __init__(self, granted: Granted) -> None:
        super().__init__("R2")
        self.granted = granted


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which requests of a member are listed: those `sent` or `received`, in a status, overdue only."""

    side: str
    status: RequestStatus | None = None
    overdue: bool = False


def ask(services: Services, actor: Actor, member: Member, hit_id: str, asking: Asking) -> tuple[str, bool] | None:
    """Ask the contributor behind a hit for the detail of its record: the request's id, and whether it is new.

    None for a hit that the member does not see. The same again, while it is open, is the same request.

    Raises RefusedError, NotAskedForError, FieldError for a hit that was not shown in full, and ExchangeError where the
    member has no public key, or as many open requests as may be, or one about the same record.
    """
    granted = _decide(services, actor, member, asking.purpose)
    with services.database.writing() as connection:
        if not _may_be_asked_of(connection, granted, hit_id):
            return None
        seen = shown.hit(connection, member.id, hit_id)
        if seen is None or seen.tier < POINTER_TIER:
            raise FieldError("hit", f"a hit whose other side was shown to the member (tier {POINTER_TIER})")
        known = exchange.open_of(connection, member.id, seen.about.filing_id)
        if known is not None and _says(services, connection, known, (hit_id, asking)):
            return known.id, False
        _check(connection, granted, known)
        made = _made(services, granted, asking, (hit_id, seen.about))
        more = {
            "actor_id": actor.id,
            "decision_id": granted.id,
            "words": seal_words(services, made.id, {"asked": asking.asked, "minimum": asking.minimum}),
            "keep_until": granted.now + timedelta(days=granted.rulebook.exchange.keep_days),
        }
        try:
            exchange.add(connection, made, more)
        except IntegrityError:  # two at once: the other one was first
            raise ExchangeError("the member has an open request about this record") from None
        _owe(connection, granted.now, made, {"due": 1})
        act, figures = Act(granted.now, actor.id), {"items": len(made.items)}
        _tell(connection, act, EventKind.DISCLOSURE_REQUESTED, made, decision=granted.id, **figures)
        outbox.tell(services, connection, Notice.DISCLOSURE_REQUESTED, made.contributor_id, {"disclosure": made.id})
    return made.id, True


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
        if agreement.recipient_of(connection, before.requester_id) != reply.recipient:
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
        _tell(connection, Act(now, actor.id), EventKind.DISCLOSURE_ESCALATED, after)
        outbox.tell(services, connection, Notice.DISCLOSURE_ESCALATED, after.contributor_id, {"disclosure": after.id})
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
            _owe(connection, now, after, {"due": -1})
        _tell(connection, Act(now, actor.id), EventKind.DISCLOSURE_WITHDRAWN, after)
        outbox.tell(services, connection, Notice.DISCLOSURE_WITHDRAWN, after.contributor_id, {"disclosure": after.id})
    return True


def fetch(services: Services, actor: Actor, member: Member, disclosure_id: str) -> dict[str, Any] | None:
    """The sealed answer to a member's request as JSON; None where there is none to be had (any more).

    Raises RefusedError, and NotAskedForError where the member may no longer ask for such detail.
    """
    with services.database.reading() as connection:
        found = exchange.one(connection, disclosure_id)
    if found is None or found.requester_id != member.id:
        return None
    granted = _decide(services, actor, member, found.purpose)
    if granted.entitlement.tier(found.line, found.record_class) < DETAIL_TIER:
        raise NotAskedForError(granted)
    with services.database.writing() as connection:
        answer = exchange.sealed(connection, member.id, disclosure_id, now=granted.now)
        if answer is None:
            return None
        _tell(connection, Act(granted.now, actor.id), EventKind.DISCLOSURE_FETCHED, found, decision=granted.id)
    content = base64.b64encode(answer.content).decode()
    return {"id": found.id, "sealed": content, "sha256": answer.sha256, "recipient": answer.recipient}


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
        _tell(connection, Act(now, actor.id), EventKind.DISCLOSURE_OPENED, after)
    return True


def _decide(services: Services, actor: Actor, member: Member, purpose: str) -> Granted:
    return entitlements.decide(services, actor, member, Request(DISCLOSURE, purpose, None, asked=0), _TOLD)


def _may_be_asked_of(connection: Connection, granted: Granted, hit_id: str) -> bool:
    """Whether there is such a hit for the member. Raises NotAskedForError where it sees that, and no more may be had.

    By the same rule as the hit itself is shown by, with the tier of the detail: a label lowers that, too.
    """
    may, rulebook, member_id = granted.entitlement, granted.rulebook, granted.member.id
    seen, counted, detail = (
        reaching.reach(may.from_tier(tier), tier, rulebook) for tier in (HIT_TIER, CLASS_TIER, DETAIL_TIER)
    )
    view = hit_views.one(connection, member_id, hit_id, seen=seen, counted=counted)
    if view is None or view.superseded_at is not None:
        return False
    if hit_views.one(connection, member_id, hit_id, seen=detail, counted=detail) is None:
        raise NotAskedForError(granted)
    return True


def _says(services: Services, connection: Connection, known: Disclosure, said: tuple[str, Asking]) -> bool:
    """Whether this is what was asked already."""
    hit_id, asking = said
    words = open_words(services, connection, [known])[known.id]
    names = ("purpose", "legal_power", "reference", "items", "third_party")
    return (
        known.hit_id == hit_id
        and all(getattr(known, name) == getattr(asking, name) for name in names)
        and (words["asked"], words["minimum"]) == (asking.asked, asking.minimum)
    )


def _check(connection: Connection, granted: Granted, known: Disclosure | None) -> None:
    member, most = granted.member, granted.rulebook.exchange.most_open
    if agreement.recipient_of(connection, member.id) is None:
        raise ExchangeError("the member has published no public key to seal an answer to")
    if exchange.count_open(connection, member.id) >= most:
        raise ExchangeError(f"{most} requests of the member are open")
    if known is not None:
        raise ExchangeError("the member has an open request about this record")


def _made(services: Services, granted: Granted, asking: Asking, what: tuple[str, Disputed]) -> Disclosure:
    hit_id, about = what
    calendar = granted.rulebook.calendar
    due_on = calendar.later(calendar.day_of(granted.now), granted.rulebook.standing.request_working_days)
    return Disclosure(
        id=reciprocity.new_id(services, "drq"),
        requester_id=granted.member.id,
        contributor_id=about.contributor_id,
        hit_id=hit_id,
        filing_id=about.filing_id,
        filing_version=about.version,
        line=about.line,
        record_class=about.record_class,
        purpose=asking.purpose,
        legal_power=asking.legal_power,
        reference=asking.reference,
        items=asking.items,
        third_party=asking.third_party,
        asked_at=granted.now,
        due_on=due_on,
        due_at=calendar.end_of(due_on),
    )


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
        _owe(connection, act.now, after, {"answered": 1})
    figures = {"granted": len(after.granted), "of": len(after.items), "in_time": int(bool(after.in_time))}
    _tell(connection, act, _CLOSES[bool(after.granted)], after, **figures)
    outbox.tell(services, connection, Notice.DISCLOSURE_ANSWERED, after.requester_id, {"disclosure": after.id})


def _owe(connection: Connection, now: datetime, disclosure: Disclosure, counts: Mapping[str, int]) -> None:
    """R8: a request is due from the contributor, and answered, on its last day in time."""
    counted = (disclosure.contributor_id, disclosure.due_on, disclosure.line, disclosure.record_class)
    ledger.add(connection, [LedgerRow(*counted, counts)], today=now.date())


def _of_contributor(connection: Connection, member: Member, disclosure_id: str) -> Disclosure | None:
    found = exchange.one(connection, disclosure_id, for_change=True)
    return found if found is not None and found.contributor_id == member.id else None


def _of_requester(connection: Connection, member: Member, disclosure_id: str) -> Disclosure | None:
    found = exchange.one(connection, disclosure_id, for_change=True)
    return found if found is not None and found.requester_id == member.id else None


def _tell(connection: Connection, act: Act, kind: EventKind, disclosure: Disclosure, **figures: str | int) -> None:
    """Ids, counts and the day only: what was written is told to the two members and nobody else."""
    what = What(kind, RULE, disclosure.requester_id, disclosure.id)
    lifecycle.tell(connection, act, what, contributor=disclosure.contributor_id, **figures)
