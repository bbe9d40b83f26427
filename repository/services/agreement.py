"""Members' public keys, and the linkage key from one to another: carried as ciphertext, which nobody here can open."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from repository.domain.agreement import LASTS, MOST_TO_ONE, Offered, offered_from_json, recipient_from_json
from repository.domain.errors import FieldError
from repository.domain.events import Event, EventKind
from repository.domain.members import Actor, Member
from repository.services import Services, reciprocity
from repository.storage import agreement, events
from repository.storage.agreement import Offer, Published

_Subject = tuple[str | None, Mapping[str, str | int]]
"""What an event is about: the id of an offer, if it is one, and figures."""


class TooManyError(Exception):
    """There are as many open offers to that member as may be."""


class OutdatedError(Exception):
    """The member has another public key by now than the one that was sealed to."""


class NotOpenError(Exception):
    """The offer was accepted already, or was made by who would accept it."""


def publish(services: Services, actor: Actor, member: Member, body: Mapping[str, object]) -> dict[str, Any]:
    """Publish a member's public key, in the place of the one before; as JSON. Raises FieldError."""
    recipient, now = recipient_from_json(body), services.clock()
    row = {"member_id": member.id, "actor_id": actor.id, "recipient": recipient, "published_at": now}
    with services.database.writing() as connection:
        agreement.publish(connection, row)
        _tell(services, connection, EventKind.KEY_PUBLISHED, actor, (None, {"recipient": recipient}))
    return published_as_json(Published(member.id, member.name, recipient, now))


def unpublish(services: Services, actor: Actor, member: Member) -> bool:
    """Take a member's public key away; whether there was one. What was sealed to it may be opened still."""
    with services.database.writing() as connection:
        found = agreement.unpublish(connection, member.id)
        if found:
            _tell(services, connection, EventKind.KEY_UNPUBLISHED, actor, (None, {}))
    return found


def published(services: Services) -> list[dict[str, Any]]:
    """The public keys of all active members, as JSON, by name."""
    with services.database.reading() as connection:
        return [published_as_json(each) for each in agreement.published(connection)]


def offer(services: Services, actor: Actor, member: Member, body: Mapping[str, object]) -> dict[str, Any]:
    """Take a sealed linkage key for another member, in the place of the same key offered before; as JSON.

    Raises FieldError where there is no such member, OutdatedError and TooManyError.
    """
    offered, now = offered_from_json(body), services.clock()
    offer_id = reciprocity.new_id(services, "off")
    with services.database.writing() as connection:
        _check(connection, member, offered)
        agreement.replace_open(connection, member.id, offered.to, offered.fingerprint)
        if agreement.count_open(connection, member.id, offered.to, now=now) >= MOST_TO_ONE:
            raise TooManyError
        row = {
            "id": offer_id,
            "from_member_id": member.id,
            "to_member_id": offered.to,
            "actor_id": actor.id,
            "recipient": offered.recipient,
            "fingerprint": offered.fingerprint,
            "epoch": offered.epoch,
            "sealed": offered.sealed,
            "created_at": now,
            "expires_at": now + LASTS,
            "accepted_at": None,
        }
        agreement.add(connection, row)
        figures: dict[str, str | int] = {"to": offered.to, "fingerprint": offered.fingerprint, "epoch": offered.epoch}
        _tell(services, connection, EventKind.KEY_OFFERED, actor, (offer_id, figures))
        made = agreement.of_member(connection, member.id, offer_id, now=now)
    if made is None:
        raise LookupError("an offer that was just made is not there")
    return as_json(made, member)


def find(services: Services, member: Member, offer_id: str) -> dict[str, Any] | None:
    """An offer that a member made or was made, as JSON; with what is sealed for who may open it. None without one."""
    with services.database.reading() as connection:
        found = agreement.of_member(connection, member.id, offer_id, now=services.clock())
    if found is None:
        return None
    opens = found.to_member_id == member.id and found.sealed is not None
    sealed = base64.b64encode(found.sealed or b"").decode() if opens else None
    return as_json(found, member) | {"sealed": sealed}


def listed(services: Services, member: Member, *, before: str | None, limit: int) -> tuple[list[dict[str, Any]], bool]:
    """The offers that a member made or was made, as JSON, latest first, and whether there are more."""
    with services.database.reading() as connection:
        found = agreement.listed(connection, member.id, now=services.clock(), before=before, limit=limit + 1)
    return [as_json(each, member) for each in found[:limit]], len(found) > limit


def accept(services: Services, actor: Actor, member: Member, offer_id: str) -> dict[str, Any] | None:
    """Note that a member opened an offer, whose content is forgotten; as JSON. None without one; NotOpenError."""
    now = services.clock()
    with services.database.writing() as connection:
        found = agreement.of_member(connection, member.id, offer_id, now=now)
        if found is None:
            return None
        if not agreement.accept(connection, member.id, offer_id, now=now):
            raise NotOpenError
        figures: dict[str, str | int] = {
            "from": found.from_member_id,
            "fingerprint": found.fingerprint,
            "epoch": found.epoch,
        }
        _tell(services, connection, EventKind.KEY_ACCEPTED, actor, (offer_id, figures))
        found = agreement.of_member(connection, member.id, offer_id, now=now)
    return None if found is None else as_json(found, member)


def withdraw(services: Services, actor: Actor, member: Member, offer_id: str) -> bool:
    """Remove an offer, for who made it and for whom it was made; whether there was one."""
    with services.database.writing() as connection:
        found = agreement.of_member(connection, member.id, offer_id, now=services.clock())
        if found is None or not agreement.remove(connection, member.id, offer_id):
            return False
        figures: dict[str, str | int] = {"fingerprint": found.fingerprint, "epoch": found.epoch}
        _tell(services, connection, EventKind.KEY_OFFER_WITHDRAWN, actor, (offer_id, figures))
    return True


def published_as_json(published: Published) -> dict[str, Any]:
    """A public key as JSON."""
    return {
        "member": published.member_id,
        "name": published.name,
        "recipient": published.recipient,
        "published_at": published.published_at.isoformat(),
    }


def as_json(offer: Offer, member: Member) -> dict[str, Any]:
    """An offer as JSON, without what is sealed, as one of its two members sees it."""
    received = offer.to_member_id == member.id
    return {
        "id": offer.id,
        "received": received,
        "member": offer.from_member_id if received else offer.to_member_id,
        "name": offer.from_name if received else offer.to_name,
        "recipient": offer.recipient,
        "fingerprint": offer.fingerprint,
        "epoch": offer.epoch,
        "created_at": offer.created_at.isoformat(),
        "expires_at": offer.expires_at.isoformat(),
        "accepted_at": None if offer.accepted_at is None else offer.accepted_at.isoformat(),
    }


def _check(connection: Connection, member: Member, offered: Offered) -> None:
    there = agreement.published_by(connection, offered.to)
    if there is None or offered.to == member.id:
        raise FieldError("to", "the id of another active member that has published a public key")
    if there.recipient != offered.recipient:
        raise OutdatedError


def _tell(services: Services, connection: Connection, kind: EventKind, actor: Actor, of: _Subject) -> None:
    offer_id, figures = of
    event_id = reciprocity.new_id(services, "evt")
    event = Event(event_id, services.clock(), kind, actor.id, actor.member_id, offer_id, figures)
    events.append(connection, event)
