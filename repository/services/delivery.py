"""Delivering notices to members' webhooks: built and signed when they are sent, and again with each attempt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from repository.domain.events import Event, EventKind
from repository.domain.jobs import Ahead, Job, JobKind, JobStatus, PutOffError
from repository.domain.members import Actor, Member
from repository.domain.rulebook import HIT_TIER
from repository.domain.viewings import Reader, Via
from repository.domain.webhooks import Notice, Webhook, is_given_up, payload, sign_by_each
from repository.services import Services, alerting, hits, posting, reciprocity
from repository.services.entitlements import DEFAULT_PURPOSE, RefusedError
from repository.storage import batches, corrections, events, jobs, shown, viewings, webhooks
from repository.storage.alerts import Chosen
from repository.storage.members import find_member
from repository.storage.sealing import named_context

REMOVED, DISABLED, GONE = "removed", "disabled", "http-410"
_FEWEST_WELL, _MOST_WELL = 200, 299
_NO_LONGER = 410


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of an attempt: the status answered; none where there was nothing to tell, or no one, by `error`."""

    answered: int | None = None
    hits: tuple[str, ...] = ()
    error: str | None = None
    correction: str | None = None


def prepare(services: Services, job: Job) -> Sent:
    """Send a notice, as far as the member may know of it now. Raises PutOffError unless it got through."""
    with services.database.reading() as connection:
        webhook = webhooks.of_member(connection, *_whose(job))
    if webhook is None or not webhook.enabled:
        return Sent(error=REMOVED if webhook is None else DISABLED)
    kind = Notice(job.cursor["notice"])
    data = _data(services, job, kind)
    if data is None:
        return Sent()
    body = orjson.dumps(payload(kind, job.created_at, data))
    url = opened(services, webhook, "url").decode()
    try:
        status = posting.post(
            url, _headers(services, webhook, job, body), body, loopback=services.settings.webhook_loopback
        )
    except posting.PostError as error:
        raise PutOffError(error.code) from None
    if status == _NO_LONGER:
        return Sent(status, error=GONE)
    if not _FEWEST_WELL <= status <= _MOST_WELL:
        raise PutOffError(f"http-{status}")
    told = data.get("alerts", [data])
    found = tuple(data.get("hits", [each["hit"] for each in told if "hit" in each]))
    return Sent(status, found, correction=data.get("correction"))


def step(services: Services, session: Session, job: Job, sent: Sent) -> Ahead:
    """Note what came of it."""
    connection, cursor = session.connection(), {**job.cursor, "answered": sent.answered}
    if sent.error is not None:
        if sent.error == GONE:
            _disable(services, connection, job, GONE)
        return Ahead(0, cursor, JobStatus.FAILED, sent.error)
    if sent.answered is not None:
        webhooks.note_through(connection, *_whose(job))
        _note_shown(services, connection, job, sent.hits)
        if sent.correction is not None:
            corrections.note_delivered(connection, sent.correction, job.member_id or "", now=services.clock())
    return Ahead(1, cursor, JobStatus.DONE)


def put_off(services: Services, connection: Connection, job: Job, code: str) -> None:
    """Note that nothing gets through, and disable what was so for long."""
    now = services.clock()
    if is_given_up(webhooks.note_failure(connection, *_whose(job), now=now), now):
        _disable(services, connection, job, code)


def ended(services: Services, connection: Connection, job: Job, status: JobStatus) -> None:
    """A notice that was not delivered counts against its webhook; what was, was noted."""
    if status is JobStatus.FAILED and job.error not in (REMOVED, DISABLED, GONE):
        put_off(services, connection, job, job.error or "")


def opened(services: Services, webhook: Webhook, name: str) -> bytes:
    """The url or a secret of a webhook. Raises SealError."""
    sealed: bytes = getattr(webhook, name)
    return services.sealer.unseal(context(webhook.id, name), sealed)


def context(webhook_id: str, name: str) -> bytes:
    """Under which a part of a webhook is sealed."""
    return named_context(f"{webhook_id}/{name}")


def _whose(job: Job) -> tuple[str, str]:
    """The member and the webhook of a notice."""
    return job.member_id or "", job.subject_id or ""


def _headers(services: Services, webhook: Webhook, job: Job, body: bytes) -> dict[str, str]:
    now = services.clock()
    timestamp, names = int(now.timestamp()), ("secret", "old_secret") if webhook.has_old(now) else ("secret",)
    secrets = [opened(services, webhook, name) for name in names]
    return {
        "Content-Type": "application/json",
        "User-Agent": "frankpledge",
        "webhook-id": job.id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign_by_each(secrets, job.id, timestamp, body),
    }


def _data(services: Services, job: Job, kind: Notice) -> dict[str, Any] | None:
    """Ids and counts of the member's own; of hits the ids of those it may see. None where there is nothing to tell."""
    about, member_id = job.cursor["about"], job.member_id or ""
    if kind is Notice.HIT_CREATED:
        found = _visible(services, job, about["hits"])
        return {"hits": found} if found else None
    if "alert" in about or "alerts" in about:
        return _alerts(services, job, about)
    if kind is Notice.ALERTS_DIGEST:
        member = _member(services, member_id)
        return None if member is None else _digest(services, Actor(job.actor_id or "", frozenset(), member), about)
    with services.database.reading() as connection:
        if kind is Notice.BATCH_FINISHED:
            batch = batches.of_member(connection, member_id, about["batch"])
            return None if batch is None else _of_batch(batch)
        row = jobs.of_member(connection, member_id, JobKind.RESCREEN, about["rescreen"])
    return None if row is None else {"rescreen": row["id"], "status": row["status"], "filings": row["done"]}


def _alerts(services: Services, job: Job, about: Mapping[str, Any]) -> dict[str, Any] | None:
    """The ids of one alert, or of some, as far as the member may see them; None where that is none."""
    member = _member(services, job.member_id or "")
    wanted = about.get("alerts") or [about["alert"]]
    told = [] if member is None else alerting.told_now(services, member, job.actor_id or "", wanted)
    if not told:
        return None
    return {"alerts": told} if "alerts" in about else told[0]


def _digest(services: Services, actor: Actor, about: Mapping[str, str]) -> dict[str, Any] | None:
    """How many alerts of each kind there are of a time; None where there is none that the member may see."""
    if actor.member is None:
        return None
    since, until = (datetime.fromisoformat(about[name]) for name in ("since", "until"))
    counts = alerting.counts(services, actor, actor.member, Chosen(services.clock(), since=since, until=until))
    return {**about, "counts": counts} if counts else None


def _of_batch(batch: Any) -> dict[str, Any]:
    rows = ("read", "created", "new_version", "unchanged", "rejected")
    return {"batch": batch["id"], "status": batch["status"], "rows": {name: batch[f"rows_{name}"] for name in rows}}


def _note_shown(services: Services, connection: Connection, job: Job, hit_ids: tuple[str, ...]) -> None:
    if hit_ids:
        now = services.clock()
        reader = Reader(job.member_id or "", job.actor_id or "", DEFAULT_PURPOSE, Via.NOTICE, now)
        shown.note(connection, reader.member_id, dict.fromkeys(hit_ids, HIT_TIER), now=now)
        viewings.note(connection, viewings.of_hits(connection, reader, hit_ids, HIT_TIER))


def _visible(services: Services, job: Job, hit_ids: list[str]) -> list[str]:
    """Those of some hits that the member may see now, by a decision of its own; none where a rule denies it."""
    member = _member(services, job.member_id or "")
    if member is None:
        return []
    try:
        return hits.visible_ids(services, Actor(job.actor_id or "", frozenset(), member), member, hit_ids)
    except RefusedError:
        return []


def _member(services: Services, member_id: str) -> Member | None:
    with services.database.read() as session:
        row = find_member(session, member_id)
        return None if row is None else row.as_member()


def _disable(services: Services, connection: Connection, job: Job, error: str) -> None:
    now = services.clock()
    if webhooks.disable(connection, *_whose(job), now=now):
        event_id = reciprocity.new_id(services, "evt")
        figures = {"error": error}
        kind = EventKind.WEBHOOK_DISABLED
        events.append(connection, Event(event_id, now, kind, None, job.member_id, job.subject_id, figures))
