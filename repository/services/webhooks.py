"""Members' webhooks: registered, changed and removed by their administrators; what was sent to each."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping

from repository.domain.errors import FieldError
from repository.domain.events import Event, EventKind
from repository.domain.jobs import JobKind, JobStatus
from repository.domain.members import Actor, Member
from repository.domain.webhooks import (
    MOST_PER_MEMBER,
    SECRET_BYTES,
    Notice,
    Webhook,
    secret_text,
    url_from_json,
)
from repository.services import Services, correcting, delivery, reciprocity
from repository.storage import events, jobs, webhooks

_NO_OLD = {"old_secret": None, "old_until": None}


class TooManyError(Exception):
    """The member has as many webhooks as it may."""


class BusyError(Exception):
    """The notice is delivered already, or is being sent at this moment."""


def add(services: Services, actor: Actor, member: Member, body: Mapping[str, object]) -> dict[str, Any]:
    """Register a webhook; as JSON with its secret, which is told this once. Raises FieldError and TooManyError."""
    url, kinds = url_from_json(body, loopback=services.settings.webhook_loopback), _kinds(body)
    webhook_id, secret = reciprocity.new_id(services, "whk"), os.urandom(SECRET_BYTES)
    row = {
        "id": webhook_id,
        "member_id": member.id,
        "actor_id": actor.id,
        "url": _sealed(services, webhook_id, "url", url.encode()),
        "secret": _sealed(services, webhook_id, "secret", secret),
        **_NO_OLD,
        "kinds": kinds,
        "enabled": True,
        "created_at": services.clock(),
        "failing_since": None,
        "disabled_at": None,
    }
    with services.database.writing() as connection:
        if webhooks.count(connection, member.id) >= MOST_PER_MEMBER:
            raise TooManyError
        webhooks.add(connection, row)
        _tell(services, connection, EventKind.WEBHOOK_ADDED, actor, webhook_id)
        made = webhooks.of_member(connection, member.id, webhook_id)
    if made is None:
        raise LookupError("a webhook that was just added is not there")
    return _as_json(services, made) | {"secret": secret_text(secret)}


def list_own(services: Services, member: Member) -> list[dict[str, Any]]:
    """A member's webhooks as JSON, oldest first."""
    with services.database.reading() as connection:
        return [_as_json(services, each) for each in webhooks.listed(connection, member.id)]


def find(services: Services, member: Member, webhook_id: str) -> dict[str, Any] | None:
    """One of a member's webhooks as JSON, None when it has none of this id."""
    with services.database.reading() as connection:
        found = webhooks.of_member(connection, member.id, webhook_id)
    return None if found is None else _as_json(services, found)


def change(
    services: Services, actor: Actor, member: Member, webhook_id: str, body: Mapping[str, object]
) -> dict[str, Any] | None:
    """Change where a webhook is, what it is told of, or whether it is enabled; None when there is none.

    Raises FieldError. Enabled again, it is given time again.
    """
    values: dict[str, Any] = {}
    if "url" in body:
        url = url_from_json(body, loopback=services.settings.webhook_loopback)
        values["url"] = _sealed(services, webhook_id, "url", url.encode())
    if "kinds" in body:
        values["kinds"] = _kinds(body)
    if "enabled" in body:
        enabled = bool(body["enabled"])
        values |= {"enabled": enabled, "disabled_at": None if enabled else services.clock(), "failing_since": None}
    with services.database.writing() as connection:
        before = webhooks.of_member(connection, member.id, webhook_id)
        if before is None:
            return None
        if values:
            webhooks.change(connection, member.id, webhook_id, values)
            _tell(services, connection, EventKind.WEBHOOK_CHANGED, actor, webhook_id)
        changed = webhooks.of_member(connection, member.id, webhook_id)
        if changed is not None and changed.enabled and not before.enabled:
            correcting.resend(services, connection, replace(changed, disabled_at=before.disabled_at))
    return find(services, member, webhook_id)


def rotate(
    services: Services, actor: Actor, member: Member, webhook_id: str, overlap: timedelta
) -> dict[str, Any] | None:
    """Give a webhook another secret; as JSON with it, which is told this once. None when there is no such webhook.

    The one before signs, too, for as long as the overlap; one that still did from an earlier rotation does no more.
    """
    now, secret = services.clock(), os.urandom(SECRET_BYTES)
    values: dict[str, Any] = {"secret": _sealed(services, webhook_id, "secret", secret), **_NO_OLD}
    with services.database.writing() as connection:
        found = webhooks.of_member(connection, member.id, webhook_id)
        if found is None:
            return None
        if overlap:
            old = delivery.opened(services, found, "secret")
            values["old_secret"] = _sealed(services, webhook_id, "old_secret", old)
            values["old_until"] = now + overlap
        webhooks.change(connection, member.id, webhook_id, values)
        _tell(services, connection, EventKind.WEBHOOK_ROTATED, actor, webhook_id)
        changed = webhooks.of_member(connection, member.id, webhook_id)
    return None if changed is None else _as_json(services, changed) | {"secret": secret_text(secret)}


def drop_old(services: Services, actor: Actor, member: Member, webhook_id: str) -> bool:
    """Have the secret before the last rotation sign no more, from now on; False when there is no such webhook."""
    with services.database.writing() as connection:
        found = webhooks.of_member(connection, member.id, webhook_id)
        if found is not None and found.old_secret is not None:
            webhooks.change(connection, member.id, webhook_id, _NO_OLD)
            _tell(services, connection, EventKind.WEBHOOK_ROTATION_ENDED, actor, webhook_id)
    return found is not None


def remove(services: Services, actor: Actor, member: Member, webhook_id: str) -> bool:
    """Remove a webhook with its secret; what waits for it is sent nowhere. False when there is none."""
    with services.database.writing() as connection:
        removed = webhooks.remove(connection, member.id, webhook_id)
        if removed:
            _tell(services, connection, EventKind.WEBHOOK_REMOVED, actor, webhook_id)
    return removed


def deliveries(
    services: Services, member: Member, webhook_id: str, *, before: str | None, limit: int
) -> tuple[list[dict[str, Any]], bool] | None:
    """A page of what was sent to a webhook, or is to be, newest first, and whether there is more; None without one."""
    with services.database.reading() as connection:
        if webhooks.of_member(connection, member.id, webhook_id) is None:
            return None
        found = jobs.page(connection, member.id, JobKind.WEBHOOK, before=before, limit=limit + 1, subject=webhook_id)
    return [_delivery(each) for each in found[:limit]], len(found) > limit


def retry(services: Services, member: Member, webhook_id: str, delivery_id: str) -> dict[str, Any] | None:
    """Send a notice again now that did not get through, or waits for its next attempt; None when there is none.

    Raises BusyError.
    """
    with services.database.writing() as connection:
        row = jobs.of_member(connection, member.id, JobKind.WEBHOOK, delivery_id)
        if row is None or row["subject_id"] != webhook_id:
            return None
        if not jobs.queue_again(connection, delivery_id):
            raise BusyError
        again = jobs.of_member(connection, member.id, JobKind.WEBHOOK, delivery_id)
    return None if again is None else _delivery(again)


def _kinds(body: Mapping[str, object]) -> list[str]:
    given = body.get("kinds")
    words = [kind.value for kind in Notice]
    if not isinstance(given, Sequence) or not given or not all(each in words for each in given):
        raise FieldError("kinds", f"one or more of {', '.join(words)}")
    return [word for word in words if word in given]


def _sealed(services: Services, webhook_id: str, name: str, content: bytes) -> bytes:
    return services.sealer.seal(delivery.context(webhook_id, name), content)


def _tell(services: Services, connection: Connection, kind: EventKind, actor: Actor, webhook_id: str) -> None:
    event_id = reciprocity.new_id(services, "evt")
    member_id = actor.member.id if actor.member else None
    events.append(connection, Event(event_id, services.clock(), kind, actor.id, member_id, webhook_id))


def _as_json(services: Services, webhook: Webhook) -> dict[str, Any]:
    failing, disabled = webhook.failing_since, webhook.disabled_at
    until = webhook.old_until if webhook.has_old(services.clock()) else None
    return {
        "id": webhook.id,
        "url": delivery.opened(services, webhook, "url").decode(),
        "kinds": [kind.value for kind in Notice if kind in webhook.kinds],
        "enabled": webhook.enabled,
        "created_at": webhook.created_at.isoformat(),
        "old_secret_until": None if until is None else until.isoformat(),
        "failing_since": None if failing is None else failing.isoformat(),
        "disabled_at": None if disabled is None else disabled.isoformat(),
    }


def _delivery(row: RowMapping) -> dict[str, Any]:
    cursor, finished = row["cursor"], row["finished_at"]
    waits = row["status"] == JobStatus.QUEUED and row["lease_until"] is not None
    nothing = row["status"] == JobStatus.DONE and cursor.get("answered") is None
    return {
        "id": row["id"],
        "kind": cursor["notice"],
        "status": "skipped" if nothing else row["status"],
        "created_at": row["created_at"].isoformat(),
        "finished_at": None if finished is None else finished.isoformat(),
        "attempts": row["attempts"],
        "next_attempt_at": row["lease_until"].isoformat() if waits else None,
        "answered": cursor.get("answered"),
        "error": row["error"],
    }
