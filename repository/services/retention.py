"""Filings whose time is over are removed, by a job that is queued each day; and what its schedule says.

In chunks, each with its deletion proofs and the place where the next begins: killed in between, it goes on there.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, timedelta
from typing import Any

import structlog
from sqlalchemy import RowMapping
from sqlalchemy.orm import Session

from repository.domain.events import Event, EventKind
from repository.domain.jobs import Ahead, Job, JobKind, JobStatus, PutOffError
from repository.domain.members import Actor, Member
from repository.domain.removal import Cause
from repository.domain.retention import (
    LONGEST,
    RenewalError,
    RenewalReason,
    expires_on,
    kept_from,
    over_until,
)
from repository.domain.rulebook import Rulebook
from repository.services import Services, reciprocity, removal
from repository.services.removal import Why
from repository.storage import dialect, events, holds, jobs, retention
from repository.storage.retention import Ended

AT_ONCE = 500
"""Filings in one transaction."""
KEPT_JOBS = timedelta(days=7)
"""How long jobs that removed something are listed."""
HORIZONS = (0, 30, 90, 365)
"""Days ahead for which the report counts what expires."""
LOG_BUSY = "log-busy"
"""Why a job waits: somebody reads still what was there before."""

_log = structlog.get_logger("frankpledge.retention")


def today(services: Services) -> date:
    """The day it is in UTC."""
    return services.clock().astimezone(UTC).date()


def ended(rulebook: Rulebook, day: date) -> dict[str, Ended]:
    """For each kind of filing the days from which its time is over on a day."""
    found = {}
    for kind, longest in LONGEST.items():
        rules = rulebook.retention[kind]
        cap = max(rules.cap.over(day), over_until(day, longest.cap_months))
        found[kind] = Ended(max(rules.keep.over(day), cap), cap, rules.basis)
    return found


def queue(services: Services) -> int:
    """Queue a job for the filings whose time is over, unless one is under way; how many they are."""
    day = today(services)
    with services.database.reading(long=True) as connection:
        counts = retention.count_over(connection, ended(services.rulebook, day), today=day)
    total = sum(count for (_, held), count in counts.items() if not held)
    if total:
        with services.database.writing() as connection:
            jobs.add_alone(connection, removal.job(services, "*", {}, total))
    return total


def prepare(services: Services, job: Job) -> bool:
    """After the last chunk, have nothing of what was removed left in the log of the database; whether that is so."""
    return not job.cursor.get("settle") or services.database.settle()


def settled(job: Job, is_settled: bool) -> Ahead:
    """End a job whose chunks are done. Raises PutOffError while the log has anything of what they removed."""
    if not is_settled:
        raise PutOffError(LOG_BUSY)
    return Ahead(job.done, status=JobStatus.DONE)


def step(services: Services, session: Session, job: Job, is_settled: bool = True) -> Ahead:
    """Remove some of what is over. Raises PutOffError while somebody reads what was there before."""
    if job.cursor.get("settle"):
        return settled(job, is_settled)
    connection, day = session.connection(), today(services)
    dialect.lock_pool(connection)  # before it is looked: what is filed anew, named or renewed meanwhile is not over
    jobs.forget(connection, JobKind.RETENTION, before=services.clock() - KEPT_JOBS, limit=AT_ONCE)
    after = str(job.cursor.get("after", ""))
    found = retention.over(connection, ended(services.rulebook, day), today=day, after=after, limit=AT_ONCE)
    removed = removal.remove(services, connection, found, Why(Cause.EXPIRED, services.clock())) if found else []
    if removed:
        _log.info("filings expired", removed=len(removed))
    cursor: dict[str, Any] = {"after": found[-1]} if len(found) == AT_ONCE else {"settle": True}
    return Ahead(job.done + len(removed), cursor)


def report(services: Services) -> list[dict[str, Any]]:
    """How many filings of everyone expire within so many days, by kind, and how many of these are held."""
    day, rows = today(services), []
    with services.database.reading(long=True) as connection:
        for days in HORIZONS:
            by = day + timedelta(days=days)
            counts = retention.count_over(connection, ended(services.rulebook, by), today=day)
            for kind in LONGEST:
                held = counts.get((kind, True), 0)
                total = held + counts.get((kind, False), 0)
                rows.append({"within_days": days, "by": by.isoformat(), "kind": kind, "filings": total, "held": held})
    return rows


def expiring(
    services: Services, member: Member, until: date, *, after: str, limit: int
) -> tuple[list[dict[str, Any]], bool]:
    """A page of a member's filings that expire by a day, as JSON, and whether there are more."""
    rulebook, day = services.rulebook, today(services)
    with services.database.reading() as connection:
        found = retention.of_member(connection, member.id, ended(rulebook, until), after=after, limit=limit + 1)
        held = holds.held(connection, [row["id"] for row in found], today=day)
    return [_expiry(rulebook, row, held) for row in found[:limit]], len(found) > limit


def of_filing(services: Services, row: RowMapping) -> dict[str, Any]:
    """The days of a filing, from a row with those that they count from, as JSON."""
    return _days(services.rulebook, row)


def renew(
    services: Services, actor: Actor, member: Member, filing_id: str, given: tuple[RenewalReason, str | None]
) -> dict[str, Any] | None:
    """Keep an own filing for as long again, from today, up to its cap; its days as JSON. None when there is none.

    Raises RenewalError where its class is not renewed, or it is kept up to its cap already.
    """
    now, day, (reason, note) = services.clock(), today(services), given
    with services.database.write() as session:
        connection = session.connection()
        dialect.lock_pool(connection)  # who removes what is over ends first, or finds it renewed
        before = retention.one(connection, member.id, filing_id)
        if before is None:
            return None
        if not LONGEST[before["record_class"]].renewable:
            raise RenewalError("filings of this class are not renewed")
        row = {"filing_id": filing_id, "renewed_on": day, "reason": reason.value, "note_reference": note}
        retention.renew(connection, row | {"at": now, "actor_id": actor.id})
        after = retention.one(connection, member.id, filing_id)
        assert after is not None  # noqa: S101 - it was read in the same transaction
        days = of_filing(services, after)
        if before["renewed_on"] != day:
            if days == of_filing(services, before):
                raise RenewalError("the filing is kept up to its cap already")
            figures = {"reason": reason.value, "expires_on": days["expires_on"], "rulebook": services.rulebook.version}
            event_id = reciprocity.new_id(services, "evt")
            event = Event(event_id, now, EventKind.FILING_RENEWED, actor.id, member.id, filing_id, figures)
            events.append(connection, event)
    return {"filing": filing_id, **days}


def _days(rulebook: Rulebook, row: RowMapping) -> dict[str, Any]:
    kind, dates = retention.kind_of_row(row), retention.dates_of(row)
    rules = rulebook.retention[kind]
    return {
        "basis": rules.basis.value,
        "kept_from": kept_from(rules.basis, dates).isoformat(),
        "expires_on": expires_on(kind, dates, rules).isoformat(),
    }


def _expiry(rulebook: Rulebook, row: RowMapping, held: Mapping[str, date]) -> dict[str, Any]:
    until = held.get(row["id"])
    return {
        "filing": row["id"],
        "reference": row["reference"],
        "line": row["line"],
        "class": row["record_class"],
        **_days(rulebook, row),
        "held_until": None if until is None else until.isoformat(),
    }
