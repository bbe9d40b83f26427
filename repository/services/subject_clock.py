"""What time alone does to persons' requests: it makes answers ready, ends deferrals, restricts what nobody decided.

A step of the job that removes what is over, every hour: some of each in one transaction. Killed in between, it goes on.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from repository.domain.alerts import AlertKind
from repository.domain.events import Event, EventKind
from repository.domain.membership import SYSTEM
from repository.domain.subject_requests import Part, RequestStatus, SubjectRequest, report_end
from repository.services import Services, alerting, reciprocity, subject_effects
from repository.services.lifecycle import Act
from repository.services.subject_requests import tell, tell_contributor
from repository.storage import dialect, events
from repository.storage import subject_requests as stored


def run(services: Services, connection: Connection, *, now: datetime, limit: int) -> int:
    """Do some of what is due; how much."""
    act = Act(now, SYSTEM)
    if any(due(connection, now=now, limit=1) for due in (stored.undecided, stored.becoming_ready, stored.released)):
        dialect.lock_pool(connection)
    done = _lapse(connection, act, limit) + _ready(services, connection, act, limit)
    done += _release(services, connection, act, limit) + _restrict(services, connection, act, limit)
    done += stored.forget_reports(connection, now=now, limit=limit)
    removed = stored.remove_over(connection, now=now, limit=limit)
    for request_id, member_id in removed:
        event_id = reciprocity.new_id(services, "evt")
        events.append(connection, Event(event_id, now, EventKind.SUBJECT_REMOVED, None, member_id, request_id))
    return done + len(removed)


def _lapse(connection: Connection, act: Act, limit: int) -> int:
    """What nobody vouched for in time is over, and its encodings go."""
    found = stored.lapsing(connection, now=act.now, limit=limit)
    for request_id in found:
        before = stored.one(connection, request_id, for_change=True)
        if before is not None and before.status is RequestStatus.ENTERED:
            after = replace(before, status=RequestStatus.LAPSED)
            stored.save(connection, after, {"envelope": b""})
            tell(connection, act, EventKind.SUBJECT_LAPSED, after)
    return len(found)


def _ready(services: Services, connection: Connection, act: Act, limit: int) -> int:
    """Tell members of answers that may be read: of each, whatever was found."""
    found = stored.becoming_ready(connection, now=act.now, limit=limit)
    for request_id in found:
        request = stored.one(connection, request_id, for_change=True)
        if request is None:
            continue
        stored.save(connection, request, {"ready_told_at": act.now})
        for part in stored.parts_of(connection, request_id):
            if part.deferred_end is None:
                subject_effects.tell_asker(services, connection, act, request, part)
        if request.status is RequestStatus.CONFIRMED:
            tell(connection, act, EventKind.SUBJECT_READY, request)
            about, dedupe = {"request": request.id}, f"{request.id} ready"
            kind = AlertKind.SUBJECT_READY
            alerting.tell(services, connection, request.member_id, kind, about, dedupe=dedupe, now=act.now)
    return len(found)


def _release(services: Services, connection: Connection, act: Act, limit: int) -> int:
    """Complete requests of which a part could not be told before: their member reads a report anew."""
    found = stored.released(connection, now=act.now, limit=limit)
    for part in found:
        stored.note_part(connection, part.id, "released_at", act.now)
        tell_contributor(connection, act, EventKind.SUBJECT_RELEASED, part)
        request = stored.one(connection, part.request_id, for_change=True)
        if request is not None:
            subject_effects.tell_asker(services, connection, act, request, part)
            _complete(services, connection, act, request, part)
    return len(found)


def _complete(services: Services, connection: Connection, act: Act, request: SubjectRequest, part: Part) -> None:
    """Have the report made anew with a part, unless the deferral ended before anything could be read."""
    confirmed = request.status is RequestStatus.CONFIRMED
    if not confirmed or request.ready_at is None or part.deferred_end is None or part.deferred_end <= request.ready_at:
        return
    until = report_end(part.deferred_end, services.rulebooks.at(act.now).subject_access)
    if request.report_until is None or until > request.report_until:
        stored.save(connection, replace(request, report_until=until))
    about, dedupe = {"request": request.id}, f"{request.id} {part.deferred_end.isoformat()}"
    kind = AlertKind.SUBJECT_COMPLETED
    alerting.tell(services, connection, request.member_id, kind, about, dedupe=dedupe, now=act.now)


def _restrict(services: Services, connection: Connection, act: Act, limit: int) -> int:
    """Restrict records of which nobody decided in time, until somebody does."""
    found = stored.undecided(connection, now=act.now, limit=limit)
    for part in found:
        if stored.note_part(connection, part.id, "restricted_at", act.now):
            subject_effects.restrict(services, connection, act, part)
            tell_contributor(connection, act, EventKind.SUBJECT_OVERDUE, part)
    return len(found)
