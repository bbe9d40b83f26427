"""Jobs besides batches: one row each, with how far it is and who is at it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    Connection,
    ForeignKey,
    Index,
    RowMapping,
    and_,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from repository.domain.jobs import Job, JobKind
from repository.storage import dialect, leases
from repository.storage.base import Base
from repository.storage.leases import OPEN_STATES


class JobRow(Base):
    """One job. `cursor` is where it goes on, in the transaction of the step that brought it there.

    `number` is its place among those that wait (see `leases`). `slot` is taken while the job is open, so that of those
    with the same one there is one only. `lease_owner` begins with the name of the spool whose worker it is.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        Index("ix_jobs_status_kind", "status", "kind"),
        Index("ix_jobs_member_id_kind_id", "member_id", "kind", "id"),
        Index("ix_jobs_subject_id_id", "subject_id", "id"),
        Index("ix_jobs_finished_at", "finished_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int | None] = mapped_column(BigInteger, index=True)
    kind: Mapped[str]
    member_id: Mapped[str | None] = mapped_column(ForeignKey("members.id"))
    actor_id: Mapped[str | None] = mapped_column(ForeignKey("actors.id"))
    subject_id: Mapped[str | None]
    slot: Mapped[str | None] = mapped_column(unique=True)
    status: Mapped[str]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    cancel_asked_at: Mapped[datetime | None]
    done: Mapped[int]
    total: Mapped[int]
    cursor: Mapped[dict[str, Any]] = mapped_column(JSON)
    error: Mapped[str | None]
    lease_owner: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    attempts: Mapped[int]


JOBS = Base.metadata.tables["jobs"]
OF_A_SPOOL = (JobKind.EXPIRY,)
"""Kinds of jobs whose subject, where they have one, is a spool: only its own workers do them."""
LONGEST_WAIT = timedelta(days=2)
"""No attempt is put off for longer (see `leases.LONGEST_WAIT`)."""
_INSERT = dialect.Prepared(lambda _name: insert(JOBS))
_WAKE = dialect.Prepared(lambda name: dialect.inserting_new(name, JOBS))
_NEW = {
    "status": "queued",
    "finished_at": None,
    "cancel_asked_at": None,
    "done": 0,
    "total": 0,
    "subject_id": None,
    "slot": None,
    "error": None,
    "lease_owner": None,
    "lease_until": None,
    "attempts": 0,
}


def add(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Queue jobs, each with id, kind, member_id, actor_id, created_at, cursor and what is not as usual."""
    if rows:
        first = leases.next_number(connection, JOBS)
        _INSERT.write(connection, [_NEW | dict(row) | {"number": number} for number, row in enumerate(rows, first)])


def add_alone(connection: Connection, row: Mapping[str, Any]) -> RowMapping:
    """Queue a job unless its slot is taken; the job that is in it then."""
    number = leases.next_number(connection, JOBS)
    dialect.insert_new(connection, JOBS, [_NEW | dict(row) | {"number": number}], "id")
    found = select(JOBS).where(JOBS.c.slot == row["slot"])
    return connection.execute(found).mappings().one()


def wake(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Queue jobs, each with a slot; where that is taken, whoever has it does the work. Nothing is asked before."""
    _WAKE.write(connection, [_NEW | dict(row) | {"number": None} for row in rows])


def as_job(row: RowMapping) -> Job:
    """A row as a step takes it."""
    names = ("member_id", "actor_id", "subject_id", "created_at", "done", "total", "cursor", "attempts", "error")
    known = {name: row[name] for name in names}
    return Job(id=row["id"], kind=JobKind(row["kind"]), cancelling=row["cancel_asked_at"] is not None, **known)


def of_member(connection: Connection, member_id: str, kind: JobKind, job_id: str) -> RowMapping | None:
    """A member's job; None when there is none of that id for this member."""
    statement = select(JOBS).where(JOBS.c.member_id == member_id, JOBS.c.kind == kind.value, JOBS.c.id == job_id)
    return connection.execute(statement).mappings().one_or_none()


def page(
    connection: Connection, member_id: str, kind: JobKind, *, before: str | None, limit: int, subject: str | None = None
) -> list[RowMapping]:
    """A member's jobs of a kind, newest first; those about one subject, if one is given."""
    statement = select(JOBS).where(JOBS.c.member_id == member_id, JOBS.c.kind == kind.value)
    if before is not None:
        statement = statement.where(JOBS.c.id < before)
    if subject is not None:
        statement = statement.where(JOBS.c.subject_id == subject)
    return list(connection.execute(statement.order_by(JOBS.c.id.desc()).limit(limit)).mappings())


def about_subject(connection: Connection, member_id: str, kind: JobKind, subject_id: str) -> list[RowMapping]:
    """All of a member's jobs of a kind about one subject that are kept, oldest first."""
    mine = (JOBS.c.member_id == member_id, JOBS.c.kind == kind.value, JOBS.c.subject_id == subject_id)
    return list(connection.execute(select(JOBS).where(*mine).order_by(JOBS.c.id)).mappings())


def created_since(connection: Connection, member_id: str, kind: JobKind, start: datetime) -> int:
    """How many jobs of a kind a member has asked for since an instant."""
    statement = select(func.count()).where(
        JOBS.c.member_id == member_id, JOBS.c.kind == kind.value, JOBS.c.created_at >= start
    )
    return int(connection.execute(statement).scalar_one())


def listed(connection: Connection, kinds: Sequence[JobKind], *, limit: int) -> list[RowMapping]:
    """Jobs of everyone, newest first: for the operator."""
    statement = select(JOBS).where(JOBS.c.kind.in_([kind.value for kind in kinds]))
    return list(connection.execute(statement.order_by(JOBS.c.id.desc()).limit(limit)).mappings())


def one(connection: Connection, job_id: str) -> RowMapping | None:
    """Anyone's job: for the operator."""
    return connection.execute(select(JOBS).where(JOBS.c.id == job_id)).mappings().one_or_none()


def is_due(connection: Connection, kinds: Sequence[JobKind], *, now: datetime, spool: str = "") -> bool:
    """Whether there may be work, found without a lock."""
    here = dialect.instant(connection, now)
    free = leases.is_free(JOBS, "", now=now, here=here, longest=LONGEST_WAIT)
    statement = select(JOBS.c.id).where(_open(kinds, spool), free).limit(1)
    return connection.execute(statement).first() is not None


def claim(
    connection: Connection, kinds: Sequence[JobKind], owner: str, *, now: datetime, until: datetime, spool: str = ""
) -> RowMapping | None:
    """Take the lease of an open job that nobody else holds, for a worker of a spool; None when there is no work.

    One at a time about each subject, unless one that hung past its lease goes on. What was queued first comes first;
    that which was put off was queued anew.
    """
    here = dialect.instant(connection, now)
    other = JOBS.alias("other")
    busy = (
        select(other.c.id)
        .where(other.c.subject_id == JOBS.c.subject_id, other.c.id != JOBS.c.id)
        .where(other.c.status == "running", other.c.lease_owner.is_not(None), other.c.lease_until >= here)
    )
    next_in_turn = (
        select(JOBS.c.id)
        .where(
            _open(kinds, spool), leases.is_free(JOBS, owner, now=now, here=here, longest=LONGEST_WAIT), ~busy.exists()
        )
        .order_by(*leases.in_turn(JOBS))
        .limit(1)
    )
    return leases.claim(connection, JOBS, next_in_turn, owner, now=now, until=until, longest=LONGEST_WAIT)


def advance(connection: Connection, job_id: str, owner: str, values: Mapping[str, Any]) -> bool:
    """Move a job on within the caller's transaction; whether it is to be cancelled. Raises LeaseLostError."""
    return leases.advance(connection, JOBS, JOBS.c.id == job_id, owner, values)


def end(connection: Connection, job_id: str, owner: str, *, now: datetime, status: str, error: str | None) -> None:
    """Close a job that is ours; its slot is free again. Raises LeaseLostError."""
    values = {"status": status, "finished_at": now, "error": error, "slot": None}
    leases.advance(connection, JOBS, JOBS.c.id == job_id, owner, values | {"lease_owner": None, "lease_until": None})


def cancel(connection: Connection, job_id: str, *, now: datetime) -> bool:
    """Ask for an open job to be cancelled (see `leases.cancel`); whether it is now."""
    return leases.cancel(connection, JOBS, job_id, now=now, ended={"slot": None})


def let_go(
    connection: Connection, job_id: str, owner: str, *, not_before: datetime | None, values: Mapping[str, Any]
) -> bool:
    """Give a job back, at the end of those that wait if for an attempt at a later time; whether it was still ours."""
    anew = {} if not_before is None else {"number": leases.next_number(connection, JOBS)}
    return leases.let_go(connection, JOBS, job_id, owner, not_before=not_before, values={**values, **anew})


def queue_again(connection: Connection, job_id: str) -> bool:
    """Queue a job once more that is over, or waits for its next attempt; False for one that somebody is at."""
    again = update(JOBS).where(JOBS.c.id == job_id, JOBS.c.lease_owner.is_(None), JOBS.c.status != "done")
    values = {"status": "queued", "finished_at": None, "cancel_asked_at": None, "lease_until": None, "attempts": 0}
    return connection.execute(again.values(values)).rowcount == 1


def release_all(connection: Connection, spool: str) -> None:
    """Free every lease of the workers of a spool, which are dead."""
    leases.release(connection, JOBS, JOBS.c.lease_owner.startswith(f"{spool}.", autoescape=True))


def forget(connection: Connection, kind: JobKind, *, before: datetime, limit: int) -> int:
    """Remove jobs of a kind that were over before an instant, some at a time; how many."""
    old = select(JOBS.c.id).where(JOBS.c.kind == kind.value, JOBS.c.finished_at < before).limit(limit)
    return connection.execute(delete(JOBS).where(JOBS.c.id.in_(old))).rowcount


def count_over(connection: Connection, kind: JobKind, *, before: datetime) -> int:
    """How many jobs of a kind were over before an instant."""
    statement = select(func.count()).where(JOBS.c.kind == kind.value, JOBS.c.finished_at < before)
    return int(connection.execute(statement).scalar_one())


def oldest_open(connection: Connection) -> dict[str, datetime]:
    """When the oldest open job of each kind came in."""
    statement = select(JOBS.c.kind, func.min(JOBS.c.created_at)).where(JOBS.c.status.in_(OPEN_STATES))
    return {row[0]: row[1] for row in connection.execute(statement.group_by(JOBS.c.kind))}


def _open(kinds: Sequence[JobKind], spool: str) -> ColumnElement[bool]:
    anywhere = JOBS.c.kind.not_in([kind.value for kind in OF_A_SPOOL])
    here = or_(anywhere, JOBS.c.subject_id.is_(None), JOBS.c.subject_id == spool)
    return and_(JOBS.c.status.in_(OPEN_STATES), JOBS.c.kind.in_([kind.value for kind in kinds]), here)
