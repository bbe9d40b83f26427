"""What recurs: a member's book looked for again, and digests of its alerts. Looked at by the workers' sweep.

What was missed while nothing ran is done once, as soon as something runs: the next time counts from then.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import RowMapping

from repository.domain.events import Event, EventKind
from repository.domain.members import Actor, Member, MemberStatus
from repository.domain.schedules import Every, Schedule, Task, schedule_from_json, spread
from repository.domain.webhooks import Notice
from repository.services import Services, alerting, outbox, reciprocity, rescreening
from repository.services.entitlements import RefusedError
from repository.services.rescreening import DailyLimitError, OneAtATimeError
from repository.storage import events, schedules
from repository.storage.alerts import Chosen
from repository.storage.members import find_member

AT_ONCE = 50
OPEN = timedelta(minutes=2)
"""What was alerted so lately is left to the next digest: some of it may be committed yet."""
AGAIN = timedelta(minutes=15)
"""After which a rescreen is asked for again where another one is not over."""
_log = structlog.get_logger("frankpledge.schedules")
DONE, REFUSED, BUSY, LIMIT, LEFT = "done", "refused", "busy", "daily-limit", "left"


def put(services: Services, actor: Actor, member: Member, task: Task, body: Mapping[str, object]) -> dict[str, Any]:
    """Have a task recur for a member, in the place of how it did before. Raises FieldError."""
    now = services.clock()
    schedule = schedule_from_json(body, services.rulebook.calendar.zone)
    row = {
        "member_id": member.id,
        "task": task.value,
        "actor_id": actor.id,
        "schedule": schedule.as_dict(),
        "purpose": body.get("purpose"),
        "set_at": now,
        "next_at": _next(schedule, task, member.id, now),
        "last_at": None,
        "last": None,
    }
    with services.database.writing() as connection:
        before = schedules.one(connection, member.id, task)
        if before is not None:  # what was alerted since the last digest is in the next, whenever that is now
            row |= {"last_at": before["last_at"] or before["set_at"], "last": before["last"]}
        schedules.put(connection, row)
        _tell(services, connection, EventKind.SCHEDULE_SET, actor.id, row, every=schedule.every.value)
    return find(services, member, task) or {}


def find(services: Services, member: Member, task: Task) -> dict[str, Any] | None:
    """How a task recurs for a member, as JSON; None where it does not."""
    with services.database.reading() as connection:
        row = schedules.one(connection, member.id, task)
    return None if row is None else to_json(row)


def remove(services: Services, actor: Actor, member: Member, task: Task) -> bool:
    """Have a task recur no more; False where it did not."""
    with services.database.writing() as connection:
        row = schedules.one(connection, member.id, task)
        if row is not None and schedules.remove(connection, member.id, task):
            _tell(services, connection, EventKind.SCHEDULE_ENDED, actor.id, row)
    return row is not None


def digest(services: Services, actor: Actor, member: Member, now: datetime) -> dict[str, Any]:
    """How many alerts of each kind there are since the last digest, as far as the member may see, and how it recurs."""
    with services.database.reading() as connection:
        row = schedules.one(connection, member.id, Task.DIGEST)
    start = since(row, now)
    counts = alerting.counts(services, actor, member, Chosen(now, since=start))
    return {"since": start.isoformat(), "counts": counts, "schedule": None if row is None else to_json(row)}


def run_due(services: Services) -> int:
    """Do what is due, each once however often it was missed; how many."""
    now = services.clock()
    with services.database.reading() as connection:
        found = schedules.due(connection, now=now, limit=AT_ONCE)
    for row in found:
        try:
            run = _rescreen if row["task"] == Task.RESCREEN else _digest
            run(services, row, now)
        except Exception as error:  # noqa: BLE001 - what fails for one member must not keep the others waiting
            _log.error("schedule fault", task=row["task"], error=type(error).__qualname__)
    return len(found)


def to_json(row: RowMapping) -> dict[str, Any]:
    """A schedule as JSON."""
    last = row["last_at"]
    told = dict(row["schedule"]) | {"next_at": row["next_at"].isoformat()}
    told |= {"last_at": None if last is None else last.isoformat(), "last": row["last"]}
    return told if row["purpose"] is None else told | {"purpose": row["purpose"]}


def since(row: RowMapping | None, now: datetime) -> datetime:
    """From when the alerts of a digest are: that of the one before, or as long ago as it recurs."""
    if row is None:
        return now - timedelta(days=1)
    every = {Every.DAILY: 1, Every.WEEKLY: 7, Every.MONTHLY: 31}[Every(row["schedule"]["every"])]
    last: datetime | None = row["last_at"]
    return last or max(row["set_at"], now - timedelta(days=every))


def _rescreen(services: Services, row: RowMapping, now: datetime) -> None:
    """Ask for a rescreen. Put off first: whoever else looks leaves it alone; killed in between, it is asked again."""
    with services.database.writing() as connection:
        if not schedules.move(connection, row, {"next_at": now + AGAIN}):
            return
    again = None
    member = _member(services, row["member_id"])
    if member is None or member.status is MemberStatus.WITHDRAWN:
        came = LEFT
    else:
        try:
            actor = Actor(row["actor_id"], frozenset(), member)
            rescreening.ask(services, actor, member, row["purpose"] or "")
            came = DONE
        except RefusedError:
            came = REFUSED
        except OneAtATimeError:
            came, again = BUSY, now + AGAIN
        except DailyLimitError as error:
            came, again = LIMIT, now + timedelta(seconds=error.retry_after)
    following = again or _next(_schedule(row), Task.RESCREEN, row["member_id"], now)
    values = {"next_at": following, "last_at": now, "last": came}
    with services.database.writing() as connection:
        schedules.move(connection, {**row, "next_at": now + AGAIN}, values)  # type: ignore[arg-type]


def _digest(services: Services, row: RowMapping, now: datetime) -> None:
    """Queue a digest, and move on, in one transaction; what it counts is decided when it is sent."""
    following = _next(_schedule(row), Task.DIGEST, row["member_id"], now)
    with services.database.writing() as connection:
        until = now - OPEN
        if schedules.move(connection, row, {"next_at": following, "last_at": until, "last": DONE}):
            about = {"since": since(row, now).isoformat(), "until": until.isoformat()}
            outbox.tell(services, connection, Notice.ALERTS_DIGEST, row["member_id"], about)


def _schedule(row: RowMapping) -> Schedule:
    return schedule_from_json(row["schedule"], row["schedule"]["zone"])


def _next(schedule: Schedule, task: Task, member_id: str, now: datetime) -> datetime:
    if task is Task.DIGEST:
        return schedule.after(now)
    later = spread(member_id)
    return schedule.after(now - later) + later


def _member(services: Services, member_id: str) -> Member | None:
    with services.database.read() as session:
        row = find_member(session, member_id)
        return None if row is None else row.as_member()


def _tell(services: Services, connection: Any, kind: EventKind, actor_id: str, row: Any, **figures: str) -> None:
    event_id, now = reciprocity.new_id(services, "evt"), services.clock()
    events.append(
        connection, Event(event_id, now, kind, actor_id, row["member_id"], None, {"task": row["task"], **figures})
    )
