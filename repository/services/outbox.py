"""What members' systems are to be told, put down in the transaction of the thing itself and delivered by a worker."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection

from repository.domain import ids
from repository.domain.jobs import JobKind
from repository.domain.webhooks import MOST_HITS, Notice, Webhook
from repository.services import Services, reciprocity
from repository.storage import jobs, webhooks


def tell(services: Services, connection: Connection, kind: Notice, member_id: str, about: Mapping[str, Any]) -> None:
    """Queue a notice to each webhook of a member that wants this kind. `about` has ids only."""
    rows = [_row(services, each, kind, about) for each in webhooks.subscribed(connection, kind, {member_id})]
    jobs.add(connection, rows)


def tell_one(
    services: Services, connection: Connection, webhook: Webhook, kind: Notice, about: Mapping[str, Any]
) -> None:
    """Queue a notice to one webhook of a member."""
    jobs.add(connection, [_row(services, webhook, kind, about)])


def tell_hits(services: Services, connection: Connection, sides: Iterable[tuple[str, str]]) -> None:
    """Queue notices of new hits, given as (member, hit id): some in one notice."""
    of_member: dict[str, list[str]] = defaultdict(list)
    for member_id, hit_id in sides:
        of_member[member_id].append(hit_id)
    if not of_member:
        return
    rows = []
    for webhook in webhooks.subscribed(connection, Notice.HIT_CREATED, of_member):
        found = sorted(of_member[webhook.member_id])
        parts = [found[start : start + MOST_HITS] for start in range(0, len(found), MOST_HITS)]
        rows += [_row(services, webhook, Notice.HIT_CREATED, {"hits": part}) for part in parts]
    jobs.add(connection, rows)


def _notice_id(services: Services, webhook: Webhook, kind: Notice, about: Mapping[str, Any]) -> str:
    """The id of a notice. Of a correction's it is the same whenever it is made: it is owed for longer than kept."""
    alert_id = about.get("alert")
    if kind is not Notice.CORRECTION_MADE or alert_id is None:
        return reciprocity.new_id(services, "job")
    digest = hashlib.sha256(f"{alert_id} {webhook.id}".encode()).digest()
    return ids.make("job", ids.instant(alert_id), digest[: ids.RANDOM_BYTES])


def _row(services: Services, webhook: Webhook, kind: Notice, about: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": _notice_id(services, webhook, kind, about),
        "kind": JobKind.WEBHOOK.value,
        "member_id": webhook.member_id,
        "actor_id": webhook.actor_id,
        "subject_id": webhook.id,
        "created_at": services.clock(),
        "total": 1,
        "cursor": {"notice": kind.value, "about": dict(about)},
    }
