"""Looking for the hits of filings again: a member's own, or the whole pool after another model or rulebook.

Chunk by chunk, each in one transaction with the job's cursor. What was filed after the job was asked for was matched
when it came in, and is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, RowMapping
from sqlalchemy.orm import Session

from repository.domain import ids
from repository.domain.asking import Request
from repository.domain.events import Event, EventKind
from repository.domain.jobs import Ahead, Job, JobKind, JobStatus, PutOffError
from repository.domain.members import Actor, Member
from repository.domain.webhooks import Notice
from repository.services import Services, entitlements, outbox, outcomes, pool, reciprocity
from repository.services.crediting import told_of
from repository.services.entitlements import Granted, RefusedError
from repository.services.hitmaking import Found, Source, rescore_screening_hits, write_hits
from repository.services.pool import Sighting
from repository.storage import dialect, events, flags, hits, jobs, rescored
from repository.storage.members import find_member

ACTION = "rescreen"
AT_ONCE = 200
"""Filings in one transaction: others that file wait for its end, on SQLite also those that ask."""
REFUSED, OTHER_MODEL = "refused", "other-model"
"""Codes of errors: a rule of the scheme does not allow it any more; the worker has not loaded the model wanted."""
_EVENTS = {
    JobStatus.DONE: EventKind.RESCREEN_DONE,
    JobStatus.FAILED: EventKind.RESCREEN_FAILED,
    JobStatus.CANCELLED: EventKind.RESCREEN_CANCELLED,
}


class OneAtATimeError(Exception):
    """There is a rescreen that is not over; `job_id` is its id."""

    def __init__(self, job_id: str) -> None:
        super().__init__(job_id)
        self.job_id = job_id


class DailyLimitError(Exception):
    """The member has had its rescreens for the day; `retry_after` are the seconds until the next day."""

    def __init__(self, limit: int, retry_after: int) -> None:
        super().__init__(limit)
        self.limit = limit
        self.retry_after = retry_after


def ask(services: Services, actor: Actor, member: Member, purpose: str) -> RowMapping:
    """Queue a rescreen of a member's filings for a purpose.

    Raises RefusedError, OneAtATimeError and DailyLimitError.
    """
    request = Request(ACTION, purpose, None, asked=0)
    with services.database.writing(long=True) as connection:
        granted = entitlements.entitled(services, connection, actor, member, request)
        entitlements.remember(connection, granted)
        if not granted.entitlement.allowed:
            entitlements.tell(services, connection, granted, EventKind.RESCREEN_REFUSED)
        else:
            asked = _left(services, connection, member) or _queue(services, connection, actor, {"purpose": purpose})
    if not granted.entitlement.allowed:
        raise RefusedError(granted)
    if isinstance(asked, Exception):
        raise asked
    return asked


def ask_for_all(services: Services) -> RowMapping:
    """Queue a rescreen of every filing, by the model that is in use from the next start. Raises OneAtATimeError."""
    with services.database.writing(long=True) as connection:
        asked = _queue(services, connection, None, {"model": services.linker.model_id})
    if isinstance(asked, Exception):
        raise asked
    return asked


def find(services: Services, member: Member, job_id: str) -> RowMapping | None:
    """A member's rescreen, None when it has none of this id."""
    with services.database.reading() as connection:
        return jobs.of_member(connection, member.id, JobKind.RESCREEN, job_id)


def list_own(services: Services, member: Member, *, before: str | None, limit: int) -> tuple[list[RowMapping], bool]:
    """A page of a member's rescreens, newest first, and whether there are more."""
    with services.database.reading() as connection:
        found = jobs.page(connection, member.id, JobKind.RESCREEN, before=before, limit=limit + 1)
    return found[:limit], len(found) > limit


def cancel(services: Services, member: Member | None, job_id: str) -> RowMapping | None:
    """Cancel a rescreen, of the pool without a member: at once while it waits, else after the chunk at hand.

    The job as it then is, None when there is none of this id. What was found stays.
    """
    with services.database.writing() as connection:
        if _one(connection, member, job_id) is None:
            return None
        if jobs.cancel(connection, job_id, now=services.clock()):
            row = _one(connection, member, job_id)
            if row is not None:
                ended(services, connection, jobs.as_job(row), JobStatus.CANCELLED)
        return _one(connection, member, job_id)


def as_json(row: RowMapping) -> dict[str, Any]:
    """A rescreen as JSON."""
    finished = row["finished_at"]
    return {
        "id": row["id"],
        "status": row["status"],
        "cancelling": finished is None and row["cancel_asked_at"] is not None,
        "purpose": row["cursor"].get("purpose"),
        "created_at": row["created_at"].isoformat(),
        "finished_at": None if finished is None else finished.isoformat(),
        "filings_total": row["total"],
        "filings_done": row["done"],
        "hits": row["cursor"].get("hits", 0),
        "error": row["error"],
    }


def step(services: Services, session: Session, job: Job, _prepared: object = None) -> Ahead:
    """Score the next filings anew, and say where the one after goes on. Raises PutOffError."""
    connection, cursor = session.connection(), dict(job.cursor)
    if cursor.get("model") not in (None, services.linker.model_id):
        raise PutOffError(OTHER_MODEL, counts=False)
    dialect.lock_pool(connection)
    granted = _granted(services, session, job)
    if granted is not None and not granted.entitlement.allowed:
        return Ahead(job.done, cursor, JobStatus.FAILED, REFUSED)
    after, until = cursor.get("after", ""), cursor["until"]
    found = rescored.following(connection, job.member_id, after=after, until=until, limit=AT_ONCE)
    for member_id, group in groupby(sorted(found, key=itemgetter(1, 0)), key=itemgetter(1)):
        source = Source(_member(session, member_id), job.actor_id or "", None, services.clock())
        seen = rescore(services, connection, source, [filing_id for filing_id, _ in group])
        if granted is not None:
            cursor["hits"] = cursor.get("hits", 0) + told_of(granted, seen).total()
    if found:
        cursor["after"] = found[-1][0]
    over = JobStatus.DONE if len(found) < AT_ONCE else None
    return Ahead(job.done + len(found), cursor, over)


def ended(services: Services, connection: Connection, job: Job, status: JobStatus) -> None:
    """Tell that a rescreen is over."""
    events.append(connection, _event(services, _EVENTS[status], job))
    if job.member_id is not None:
        outbox.tell(services, connection, Notice.RESCREEN_FINISHED, job.member_id, {"rescreen": job.id})


def rescore(
    services: Services, connection: Connection, source: Source, filing_ids: Sequence[str]
) -> list[tuple[str, Sighting]]:
    """Look for the hits of a member's filings again; what was seen, with the id of the filing each is of.

    Filings whose encodings were erased, and those that are suppressed, are left as they are.

    A hit that was there is scored by itself, whether its record is found or not: a key may have become hot, or others
    rank before it. It stays under its id as long as the two match, and in any case if people said something of it.
    """
    hidden = flags.suppressed(connection, filing_ids)
    placed = rescored.subjects(connection, [each for each in filing_ids if each not in hidden])
    filing_ids = sorted({each.filing_id for each in placed})
    opened = [pool.open_subject(services.sealer, each.sealed) for each in placed]
    partners = rescored.partners(connection, filing_ids)
    known = [partners.get((each.filing_id, each.position), ()) for each in placed]
    linked = pool.link(services, connection, source.member, opened, also=known)
    pool.note_keys(services, connection, linked, source.now)
    found: list[Found] = [(placed[s.subject].filing_id, placed[s.subject].position, s) for s in linked.sightings]
    before = hits.pairs_of(connection, filing_ids)
    gone = rescored.live(connection, filing_ids)
    gone -= write_hits(services, connection, source, found, linked, before=before)
    filed = {(each.filing_id, each.position): subject for each, subject in zip(placed, opened, strict=True)}
    gone |= rescore_screening_hits(services, connection, source, filed, replaced=filing_ids)
    rescored.supersede(connection, gone - rescored.decided(connection, gone), now=source.now)
    outcomes.follow(connection, None, filing_ids, today=source.now.date())
    return [(filing_id, sighting) for filing_id, _, sighting in found]


def _left(services: Services, connection: Connection, member: Member) -> DailyLimitError | None:
    """What stands against one more today."""
    now, limit = services.clock(), services.settings.max_member_daily_rescreens
    start = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    if not limit or jobs.created_since(connection, member.id, JobKind.RESCREEN, start) < limit:
        return None
    return DailyLimitError(limit, int((start + timedelta(days=1) - now).total_seconds()) + 1)


def _queue(
    services: Services, connection: Connection, actor: Actor | None, cursor: dict[str, Any]
) -> RowMapping | OneAtATimeError:
    """Add the job, of the pool without an actor, with its event."""
    now = services.clock()
    member_id = actor.member.id if actor and actor.member else None
    until = ids.make("fil", now, b"\xff" * ids.RANDOM_BYTES)
    total = rescored.count(connection, member_id, until=until)
    row = {
        "id": reciprocity.new_id(services, "job"),
        "kind": JobKind.RESCREEN.value,
        "member_id": member_id,
        "actor_id": actor.id if actor else None,
        "slot": f"{JobKind.RESCREEN.value} {member_id or '*'}",
        "created_at": now,
        "total": total,
        "cursor": cursor | {"until": until},
    }
    there = jobs.add_alone(connection, row)
    if there["id"] != row["id"]:
        return OneAtATimeError(there["id"])
    events.append(connection, _event(services, EventKind.RESCREEN_ASKED, jobs.as_job(there)))
    return there


def _one(connection: Connection, member: Member | None, job_id: str) -> RowMapping | None:
    if member is not None:
        return jobs.of_member(connection, member.id, JobKind.RESCREEN, job_id)
    found = jobs.one(connection, job_id)
    return found if found is not None and found["kind"] == JobKind.RESCREEN else None


def _granted(services: Services, session: Session, job: Job) -> Granted | None:
    """What the member may see now, decided anew for each chunk; None where the job is the operator's."""
    if job.member_id is None:
        return None
    connection, member = session.connection(), _member(session, job.member_id)
    request = Request(ACTION, str(job.cursor["purpose"]), None, asked=0)
    actor = Actor(job.actor_id or "", frozenset(), member)
    granted = entitlements.entitled(services, connection, actor, member, request, keep=False)
    entitlements.remember(connection, granted)
    return granted


def _member(session: Session, member_id: str) -> Member:
    row = find_member(session, member_id)
    if row is None:
        raise LookupError("a filing without its member")
    return row.as_member()


def _event(services: Services, kind: EventKind, job: Job) -> Event:
    figures = {"filings": job.done, "of": job.total, "error": job.error}
    event_id = reciprocity.new_id(services, "evt")
    return Event(event_id, services.clock(), kind, job.actor_id, job.member_id, job.id, figures)
