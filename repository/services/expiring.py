"""What is kept no longer: screenings with their encodings after the rulebook's days, uploads that were never finished.

Small transactions, so that nobody waits for a sweep; killed in between, the next one goes on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import structlog

from repository.domain.events import Event, EventKind
from repository.domain.jobs import JobKind
from repository.services import Services, reciprocity
from repository.storage import events, expiry, jobs, screenings, uploads, webhooks
from repository.storage.spool import Spool

AT_ONCE = 500
"""Rows in one transaction."""
KEPT_DELIVERIES = timedelta(days=30)
"""How long the log of a webhook goes back."""

_log = structlog.get_logger("frankpledge.expiry")


def remove_screenings(services: Services, stopping: Callable[[], bool] = lambda: False) -> bool:
    """Remove screenings whose time is over, each member's with an event that counts them. False if stopped before.

    A screening whose hits a case stands on (an outcome, a dispute, a duty to answer) stays without its encoding.
    """
    while not stopping():
        now = services.clock()
        with services.database.writing() as connection:
            found = screenings.expired(connection, now=now, limit=AT_ONCE)
            kept = expiry.in_cases(connection, [each.id for each in found])
            screenings.erase(connection, sorted(kept))
            expiry.remove(connection, [each.id for each in found if each.id not in kept])
            removed = Counter(each.member_id for each in found if each.id not in kept)
            erased = Counter(each.member_id for each in found if each.id in kept)
            for member_id in sorted({each.member_id for each in found}):
                figures = {"removed": removed[member_id], "encodings_erased": erased[member_id]}
                event = Event(
                    id=reciprocity.new_id(services, "evt"),
                    at=now,
                    kind=EventKind.SCREENINGS_EXPIRED,
                    actor_id=None,
                    member_id=member_id,
                    subject_id=None,
                    figures=figures,
                )
                events.append(connection, event)
        if found:
            _log.info("screenings expired", removed=removed.total(), encodings_erased=erased.total())
        if len(found) < AT_ONCE:
            return True
    return False


def remove_deliveries(services: Services) -> int:
    """Forget notices that were sent, or given up, long ago, and secrets that sign no more; how many notices."""
    before, removed = services.clock() - KEPT_DELIVERIES, 0
    with services.database.writing() as connection:
        webhooks.forget_old_secrets(connection, before=services.clock())
    while True:
        with services.database.writing() as connection:
            found = jobs.forget(connection, JobKind.WEBHOOK, before=before, limit=AT_ONCE)
        removed += found
        if found < AT_ONCE:
            return removed


def remove_uploads(services: Services, spool: Spool) -> int:
    """Forget uploads of a spool that ran out, with what came of those that were not finished; how many."""
    now = services.clock()
    with services.database.writing() as connection:
        found = uploads.expired(connection, spool.name, now=now, limit=AT_ONCE)
        unfinished = uploads.remove(connection, found)
    for upload_id in unfinished:
        spool.remove(uploads.batch_id_of(upload_id))
    if found:
        _log.info("uploads expired", unfinished=len(unfinished))
    return len(found)
