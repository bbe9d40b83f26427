"""The job of corrections: members are told and reminded of them, and disputes that nobody answered suppress.

Some in one transaction: killed in between, what is told is told, and the rest is found again. Queued with a correction,
and every hour for what falls due by the clock.
"""

from __future__ import annotations

import structlog
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from repository.domain.jobs import Ahead, Job, JobStatus
from repository.services import Services, correcting, disputes, receipts
from repository.storage import corrections, dialect
from repository.storage import disputes as stored

SUPPRESSED_AT_ONCE = 20
"""Each is taken out of the index with the pool locked."""

_log = structlog.get_logger("frankpledge.corrections")


def queue(services: Services) -> bool:
    """Queue the job where something is due by now, unless it is under way; whether something is."""
    now = services.clock()
    with services.database.reading() as connection:
        due = (
            stored.overdue(connection, now=now, limit=1)
            or corrections.untold(connection, limit=1)
            or corrections.overdue(connection, now=now, limit=1)
        )
    if due:
        with services.database.writing() as connection:
            receipts.wake(services, connection)
    return bool(due)


def step(services: Services, session: Session, job: Job, _prepared: object = None) -> Ahead:
    """Do some of what is due."""
    connection, now = session.connection(), services.clock()
    suppressed = 0
    if stored.overdue(connection, now=now, limit=1):
        suppressed = disputes.suppress_overdue(services, connection, now=now, limit=SUPPRESSED_AT_ONCE)
    told = correcting.tell_some(services, connection, now=now)
    reminded = correcting.remind_some(services, connection, now=now)
    done = suppressed + told + reminded
    if done:
        _log.info("corrections told", told=told, reminded=reminded, suppressed=suppressed)
        return Ahead(job.done + done)
    # Whoever makes one has the pool locked, and finds the slot of this job taken: nothing comes until it is free.
    dialect.lock_pool(connection)
    over = not corrections.untold(connection, limit=1)
    return Ahead(job.done, status=JobStatus.DONE if over else None)


def ended(_services: Services, _connection: Connection, _job: Job, _status: JobStatus) -> None:
    """Nothing follows: what is left is queued with the next, and every hour."""
