"""Asking for the detail of a record, and fetching the answer: the two reads of the exchange that tell of others.

Both are decided by what the member may ask for now, as any read of what others filed, and stored with it.
"""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from repository.domain import disclosure as reaching
from repository.domain.alerts import AlertKind
from repository.domain.asking import Request
from repository.domain.disputes import Disputed
from repository.domain.entitlement import DISCLOSURE
from repository.domain.errors import FieldError
from repository.domain.events import EventKind
from repository.domain.exchange import Asking, Disclosure, ExchangeError
from repository.domain.members import Actor, Member
from repository.domain.rulebook import CLASS_TIER, DETAIL_TIER, HIT_TIER, POINTER_TIER
from repository.domain.viewings import Reader, Via
from repository.services import Services, entitlements, reciprocity
from repository.services.entitlements import Granted
from repository.services.exchange_words import open_words, owe, seal_words, tell, told
from repository.services.lifecycle import Act
from repository.storage import agreement, exchange, hit_views, shown, viewings

_TOLD = (EventKind.DISCLOSURE_CHECKED, EventKind.DISCLOSURE_BARRED)


class NotAskedForError(Exception):
    """The member sees the hit, and may not ask for the detail behind it."""

    def __init__(self, granted: Granted) -> None:
        super().__init__("R2")
        self.granted = granted


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
        owe(connection, granted.now, made, {"due": 1})
        act, figures = Act(granted.now, actor.id), {"items": len(made.items)}
        tell(connection, act, EventKind.DISCLOSURE_REQUESTED, made, decision=granted.id, **figures)
        told(services, connection, AlertKind.DISCLOSURE_REQUESTED, made.contributor_id, made.id)
    return made.id, True


def fetch(services: Services, actor: Actor, member: Member, disclosure_id: str) -> dict[str, Any] | None:
    """The sealed answer to a member's request as JSON; None where there is none to be had (any more).

    Raises RefusedError, and NotAskedForError where the member may no longer ask for such detail.
    """
    with services.database.reading() as connection:
        found = exchange.one(connection, disclosure_id)
    if found is None or found.requester_id != member.id:
        return None
    granted = _decide(services, actor, member, found.purpose)
    with services.database.writing() as connection:
        labels = exchange.labels_of(connection, found.filing_id)
        if labels is None:
            return None
        entitled_tier = granted.entitlement.tier(found.line, found.record_class)
        if reaching.tier_of(entitled_tier, labels, granted.rulebook) < DETAIL_TIER:
            raise NotAskedForError(granted)
        answer = exchange.sealed(connection, member.id, disclosure_id, now=granted.now)
        if answer is None:
            return None
        tell(connection, Act(granted.now, actor.id), EventKind.DISCLOSURE_FETCHED, found, decision=granted.id)
        reader = Reader(member.id, actor.id, found.purpose, Via.DISCLOSURE, granted.now)
        viewings.note(connection, [reader.saw(found.filing_id, found.filing_version, DETAIL_TIER)])
    content = base64.b64encode(answer.content).decode()
    return {"id": found.id, "sealed": content, "sha256": answer.sha256, "recipient": answer.recipient}


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
    if not agreement.recipients_of(connection, [member.id]):
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
