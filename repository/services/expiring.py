"""What is kept no longer: screenings with their encodings after the rulebook's days, uploads that were never finished.

Jobs, as long as there is something to remove: one for everybody's screenings and notices, and one for the uploads of
each spool, which its own workers do. Small transactions, so that nobody waits; killed in between, they go on.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, time, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from repository.domain.alerts import KEPT_MONTHS
from repository.domain.corrections import KEPT_MONTHS as KEPT_CORRECTIONS
from repository.domain.events import Event, EventKind
from repository.domain.jobs import Ahead, Job, JobKind, JobStatus
from repository.domain.retention import FOOTPRINT_DAYS, FOOTPRINT_MONTHS, over_until
from repository.domain.watches import EndReason
from repository.services import (
    Services,
    exchange_expiry,
    reciprocity,
    refuting,
    removal,
    retention,
    subject_clock,
    watching,
)
from repository.services.batches import spool_of
from repository.storage import (
    agreement,
    alerts,
    corrections,
    events,
    exchange,
    expiry,
    idempotency,
    index,
    jobs,
    refutations,
    screenings,
    subject_requests,
    uploads,
    viewings,
    watches,
    webhooks,
)
from repository.storage import removal as removals

AT_ONCE = 500
"""Rows in one transaction."""
KEPT_DELIVERIES = timedelta(days=30)
"""How long the log of a webhook goes back."""
KEPT_HOT_KEYS = timedelta(days=7)
"""How long a key is remembered as hot that is not met any more: it may have been that of a record that is gone."""
KEPT_JOBS = timedelta(days=7)
"""How long jobs that removed something are listed."""

_KEPT_VIEWINGS = timedelta(days=FOOTPRINT_DAYS)

_log = structlog.get_logger("frankpledge.expiry")


def queue(services: Services) -> int:
    """Queue a job for what is over by now, unless one is under way; how many things that are."""
    now, spool = services.clock(), spool_of(services).name
    today = services.rulebook.calendar.day_of(now)
    with services.database.reading() as connection:
        refuted = refutations.count_over(connection, today=today)
        over = {None: _over(connection, now) + refuted, spool: uploads.count_expired(connection, spool, now=now)}
    if any(over.values()):
        with services.database.writing() as connection:
            for subject_id, total in over.items():
                if total:
                    jobs.add_alone(connection, _row(services, subject_id, now, total))
    return sum(over.values())


def prepare(services: Services, job: Job) -> bool:
    """Remove what came of the unfinished uploads that the step before forgot; again is no error.

    After the last step, have nothing of what was removed left in the log of the database; whether that is so.
    """
    spool = spool_of(services)
    for upload_id in job.cursor.get("unfinished", ()):
        spool.remove(uploads.batch_id_of(upload_id))
    return retention.prepare(services, job)


def step(services: Services, session: Session, job: Job, settled: bool = True) -> Ahead:
    """Remove some of what is over. Raises PutOffError while somebody reads what was there before."""
    if job.cursor.get("settle"):
        return retention.settled(job, settled)
    connection, now = session.connection(), services.clock()
    if job.subject_id is not None:
        return _uploads(connection, job, now)
    clocked = subject_clock.run(services, connection, now=now, limit=AT_ONCE)
    clocked = clocked or refuting.close_over(services, connection, now=now, limit=AT_ONCE)
    if clocked:  # a step of its own: it locks the pool before all else
        return Ahead(job.done + clocked)
    removed = _screenings(services, connection, now)
    if removed == AT_ONCE:
        return Ahead(job.done + removed)
    notices = jobs.forget(connection, JobKind.WEBHOOK, before=now - KEPT_DELIVERIES, limit=AT_ONCE)
    removed += (
        notices + webhooks.forget_old_secrets(connection, before=now) + agreement.forget_over(connection, now=now)
    )
    removed += idempotency.forget_over(connection, before=now - idempotency.KEPT)
    removed += index.forget_old_hot(connection, before=now - KEPT_HOT_KEYS)
    exchanged = exchange_expiry.forget_over(services, connection, now=now, limit=AT_ONCE)
    exchanged += viewings.forget_over(connection, before=now - _KEPT_VIEWINGS, limit=AT_ONCE)
    exchanged += watching.end_over(services, connection, now=now, limit=AT_ONCE)
    exchanged += corrections.forget_over(connection, before=_before(now, KEPT_CORRECTIONS), limit=AT_ONCE)
    exchanged += refutations.forget_over(connection, before=_before(now, KEPT_MONTHS), limit=AT_ONCE)
    exchanged += alerts.forget_over(connection, before=_before(now, KEPT_MONTHS), limit=AT_ONCE)
    jobs.forget(connection, JobKind.EXPIRY, before=now - KEPT_JOBS, limit=AT_ONCE)
    more = notices == AT_ONCE or exchanged >= AT_ONCE
    return Ahead(job.done + removed + exchanged, {} if more else {"settle": True})


def ended(_services: Services, _connection: Connection, _job: Job, _status: JobStatus) -> None:
    """Nothing follows: what was removed was told of as it was, and the next look queues what is left."""


def _row(services: Services, subject_id: str | None, now: datetime, total: int) -> dict[str, Any]:
    kind = JobKind.EXPIRY.value
    return {
        "id": reciprocity.new_id(services, "job"),
        "kind": kind,
        "member_id": None,
        "actor_id": None,
        "subject_id": subject_id,
        "slot": f"{kind} {subject_id or '*'}",
        "created_at": now,
        "total": total,
        "cursor": {},
    }


def _over(connection: Connection, now: datetime) -> int:
    """How many screenings, notices, secrets and offers of everyone are kept no longer."""
    notices = jobs.count_over(connection, JobKind.WEBHOOK, before=now - KEPT_DELIVERIES)
    kept = webhooks.count_old_secrets(connection, before=now) + agreement.count_over(connection, now=now)
    kept += idempotency.count_over(connection, before=now - idempotency.KEPT)
    kept += index.count_old_hot(connection, before=now - KEPT_HOT_KEYS)
    kept += watches.count_over(connection, now=now)
    kept += corrections.count_over(connection, before=_before(now, KEPT_CORRECTIONS))
    kept += refutations.count_closed(connection, before=_before(now, KEPT_MONTHS))
    kept += alerts.count_over(connection, before=_before(now, KEPT_MONTHS))
    kept += viewings.count_over(connection, before=now - _KEPT_VIEWINGS)
    asked = screenings.count_expired(connection, now=now, footprint=_before(now, FOOTPRINT_MONTHS))
    asked += subject_requests.count_due(connection, now=now)
    return asked + notices + kept + exchange.count_over(connection, now=now)


def _before(now: datetime, months: int) -> datetime:
    """The instant before which what is kept for so many months is over for good."""
    last = over_until(now.astimezone(UTC).date(), months)
    return datetime.combine(last + timedelta(days=1), time(), UTC)


def _screenings(services: Services, connection: Connection, now: datetime) -> int:
    """Remove screenings, each member's with an event that counts them; how many.

    A screening whose hits a case stands on (an outcome, a dispute, a duty to answer, people's work) stays without its
    encoding, up to the cap: then it goes with its hits and what was said of these.
    """
    found = screenings.expired(connection, now=now, footprint=_before(now, FOOTPRINT_MONTHS), limit=AT_ONCE)
    kept = expiry.in_cases(connection, [each.id for each in found if not each.wholly])
    watching.end_on(services, connection, [each.id for each in found], EndReason.TIME)
    screenings.erase(connection, sorted(kept))
    gone = [each.id for each in found if each.id not in kept]
    hit_ids = removals.hits_of_screenings(connection, gone)
    removals.lock_cases(connection, hit_ids)
    removal.release(connection, hit_ids, now.astimezone(UTC).date())
    expiry.remove(connection, gone)
    removed = Counter(each.member_id for each in found if each.id not in kept)
    erased = Counter(each.member_id for each in found if each.id in kept)
    for member_id in sorted({each.member_id for each in found}):
        event = Event(
            id=reciprocity.new_id(services, "evt"),
            at=now,
            kind=EventKind.SCREENINGS_EXPIRED,
            actor_id=None,
            member_id=member_id,
            subject_id=None,
            figures={"removed": removed[member_id], "encodings_erased": erased[member_id]},
        )
        events.append(connection, event)
    if found:
        _log.info("screenings expired", removed=removed.total(), encodings_erased=erased.total())
    return len(found)


def _uploads(connection: Connection, job: Job, now: datetime) -> Ahead:
    """Forget uploads of a spool; the content of those that were not finished goes once that is certain."""
    found = uploads.expired(connection, str(job.subject_id), now=now, limit=AT_ONCE)
    unfinished = uploads.remove(connection, found)
    if found:
        _log.info("uploads expired", unfinished=len(unfinished))
    return Ahead(job.done + len(found), {"unfinished": unfinished}, None if found else JobStatus.DONE)
