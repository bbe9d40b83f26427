"""What the steps of a request for detail share: its words, sealed at rest; its event, and what falls due.

And how it is told: to who asked, and to the contributor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection

from repository.domain.alerts import AlertKind
from repository.domain.events import EventKind
from repository.domain.exchange import Disclosure, RequestStatus
from repository.domain.members import Member
from repository.services import Services, alerting, lifecycle
from repository.services.lifecycle import Act, What
from repository.storage import agreement, disputes, exchange, ledger
from repository.storage.ledger import LedgerRow
from repository.storage.sealing import named_context

RULE = "R8"
Words = Mapping[str, Mapping[str, str]]


def seal_words(services: Services, disclosure_id: str, written: Mapping[str, str]) -> bytes:
    """What was written in a request, as it is stored."""
    return services.sealer.seal(named_context(disclosure_id), orjson.dumps(dict(written)))


def open_words(services: Services, connection: Connection, found: Sequence[Disclosure]) -> Words:
    """What was written in some requests, by their ids."""
    sealed = exchange.words(connection, [each.id for each in found])
    opened = services.sealer.unseal_each((named_context(each.id), sealed[each.id]) for each in found)
    return {each.id: orjson.loads(text) for each, text in zip(found, opened, strict=True)}


def owe(connection: Connection, now: datetime, disclosure: Disclosure, counts: Mapping[str, int]) -> None:
    """R8: a request is due from the contributor, and answered, on its last day in time."""
    counted = (disclosure.contributor_id, disclosure.due_on, disclosure.line, disclosure.record_class)
    ledger.add(connection, [LedgerRow(*counted, counts)], today=now.date())


def tell(connection: Connection, act: Act, kind: EventKind, disclosure: Disclosure, **figures: str | int) -> None:
    """Ids, counts and the day only: what was written is told to the two members and nobody else."""
    what = What(kind, RULE, disclosure.requester_id, disclosure.id)
    lifecycle.tell(connection, act, what, contributor=disclosure.contributor_id, **figures)


def told(services: Services, connection: Connection, kind: AlertKind, member_id: str, disclosure_id: str) -> None:
    """Alert one of the two members: that there is something, and its id."""
    about, dedupe = {"disclosure": disclosure_id}, f"{kind.value}:{disclosure_id}"
    alerting.tell(services, connection, member_id, kind, about, dedupe=dedupe)


def as_json(
    services: Services, connection: Connection, member: Member, found: Sequence[Disclosure]
) -> list[dict[str, Any]]:
    """Requests as JSON, each as the one of its two members sees it that asks."""
    names = exchange.names(connection, {id_ for each in found for id_ in (each.requester_id, each.contributor_id)})
    references = disputes.references(connection, [each.filing_id for each in found])
    words = open_words(services, connection, found)
    keys = agreement.recipients_of(connection, {each.requester_id for each in found})
    told = []
    for each in found:
        common = _common(services, each, words[each.id])
        if each.requester_id == member.id:
            told.append(common | _sent(each, names, references))
            continue
        told.append(common | _received(each, names, references, keys.get(each.requester_id)))
    return told


def _common(services: Services, disclosure: Disclosure, written: Mapping[str, str]) -> dict[str, Any]:
    now = services.clock()
    calendar = services.rulebook.calendar
    is_open = disclosure.status is RequestStatus.OPEN
    return {
        "id": disclosure.id,
        "status": disclosure.status.value,
        "overdue": disclosure.overdue(now),
        "asked_at": disclosure.asked_at.isoformat(),
        "due_on": disclosure.due_on.isoformat(),
        "working_days_left": calendar.between(calendar.day_of(now), disclosure.due_on) if is_open else None,
        "line": disclosure.line,
        "class": disclosure.record_class,
        "purpose": disclosure.purpose,
        "legal_power": disclosure.legal_power,
        "items": list(disclosure.items),
        "third_party": disclosure.third_party,
        "asked": written["asked"],
        "minimum": written["minimum"],
        "granted": list(disclosure.granted),
        "withheld": disclosure.withheld.value if disclosure.withheld else None,
        "reason": written.get("reason"),
        "answered_at": _iso(disclosure.answered_at),
        "working_days": disclosure.took,
        "in_time": disclosure.in_time,
        "escalated_at": _iso(disclosure.escalated_at),
        "escalation": written.get("escalation"),
        "withdrawn_at": _iso(disclosure.withdrawn_at),
        "available_until": _iso(disclosure.sealed_until),
        "sha256": disclosure.sealed_sha256,
        "bytes": disclosure.sealed_bytes,
        "opened_at": _iso(disclosure.opened_at),
    }


def _sent(disclosure: Disclosure, names: Mapping[str, str], references: Mapping[str, str]) -> dict[str, Any]:
    """For who asked: the contributor, whose own reference comes with an approval only."""
    given = references.get(disclosure.filing_id) if disclosure.granted else None
    return {
        "side": "sent",
        "member": disclosure.contributor_id,
        "name": names[disclosure.contributor_id],
        "hit": disclosure.hit_id,
        "reference": disclosure.reference,
        "their_reference": given,
    }


def _received(
    disclosure: Disclosure, names: Mapping[str, str], references: Mapping[str, str], recipient: str | None
) -> dict[str, Any]:
    """For the contributor: who asks, by which key it is answered, and about which of its filings."""
    return {
        "side": "received",
        "member": disclosure.requester_id,
        "name": names[disclosure.requester_id],
        "recipient": recipient,
        "filing": disclosure.filing_id,
        "version": disclosure.filing_version,
        "reference": references.get(disclosure.filing_id),
        "their_reference": disclosure.reference,
        "note_reference": disclosure.note_reference,
    }


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
