"""Batches of filings: what was received, how far it is, and which rows were refused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    ForeignKey,
    LargeBinary,
    RowMapping,
    Select,
    UniqueConstraint,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from repository.storage import dialect, leases
from repository.storage.base import Base
from repository.storage.leases import OPEN_STATES, LeaseLostError

__all__ = ["OPEN_STATES", "LeaseLostError"]

SERVER_FAULT = "(server)"
"""The field of a failure that no content could have avoided."""
_NO_FAILURE = {"failure_field": None, "failure_expected": None}
_COUNTS = (
    *("bytes_done", "lines_done", "hits", "capped_keys"),
    *("rows_read", "rows_created", "rows_new_version", "rows_unchanged", "rows_rejected"),
)


class BatchRow(Base):
    """One batch. `lines_done` is the cursor: what is good up to that line is in the pool, in the number's transaction.

    `number` is its place among those that wait (see `leases`). `spool` names the data directory that holds its content;
    the worker of another directory leaves it alone. A change is made only under the lease: `lease_owner` is the token
    of the worker at it, `attempts` the times a worker took it up without getting on. A `lease_until` without an owner
    is when the next attempt may begin.
    """

    __tablename__ = "batches"
    __table_args__ = (UniqueConstraint("member_id", "idempotency_key"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int | None] = mapped_column(BigInteger, index=True)
    member_id: Mapped[str] = mapped_column(ForeignKey("members.id"))
    actor_id: Mapped[str] = mapped_column(ForeignKey("actors.id"))
    idempotency_key: Mapped[str]
    content_digest: Mapped[bytes] = mapped_column(LargeBinary)
    spool: Mapped[str]
    gzipped: Mapped[bool]
    format: Mapped[str] = mapped_column(default="ndjson", server_default="ndjson")
    dry_run: Mapped[bool]
    cancel_asked_at: Mapped[datetime | None]
    status: Mapped[str] = mapped_column(index=True)
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    bytes_total: Mapped[int] = mapped_column(BigInteger)
    bytes_done: Mapped[int] = mapped_column(BigInteger, default=0)
    lines_done: Mapped[int] = mapped_column(default=0)
    rows_read: Mapped[int] = mapped_column(default=0)
    rows_created: Mapped[int] = mapped_column(default=0)
    rows_new_version: Mapped[int] = mapped_column(default=0)
    rows_unchanged: Mapped[int] = mapped_column(default=0)
    rows_rejected: Mapped[int] = mapped_column(default=0)
    hits: Mapped[int] = mapped_column(default=0)
    capped_keys: Mapped[int] = mapped_column(default=0, server_default="0")
    failure_field: Mapped[str | None]
    failure_expected: Mapped[str | None]
    lease_owner: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)


class BatchErrorRow(Base):
    """A row that was refused: which field, and what was expected there. Never the value."""

    __tablename__ = "batch_errors"

    batch_id: Mapped[str] = mapped_column(ForeignKey("batches.id"), primary_key=True)
    row: Mapped[int] = mapped_column(primary_key=True)
    reference: Mapped[str | None]
    field: Mapped[str]
    expected: Mapped[str]


class DryRunFilingRow(Base):
    """A filing that a dry run would have taken in: what a later row of the same batch is held against."""

    __tablename__ = "dry_run_filings"

    batch_id: Mapped[str] = mapped_column(ForeignKey("batches.id"), primary_key=True)
    reference: Mapped[str] = mapped_column(primary_key=True)
    record_class: Mapped[str] = mapped_column(primary_key=True)
    content_digest: Mapped[bytes] = mapped_column(LargeBinary)
    row: Mapped[int]


DRY_RUN_FILINGS = Base.metadata.tables["dry_run_filings"]
NOT_KNOWN = b""
"""The digest of a batch that was made under another operator secret."""
BATCHES = Base.metadata.tables["batches"]
BATCH_ERRORS = Base.metadata.tables["batch_errors"]


def add(connection: Connection, row: dict[str, Any]) -> None:
    """Queue a received batch."""
    connection.execute(insert(BATCHES), {**row, "number": leases.next_number(connection, BATCHES)})


def is_same(known: RowMapping, digest: bytes) -> bool:
    """Whether a batch was of the content with this digest; where the digest went with another secret, its key says."""
    return known["content_digest"] in (NOT_KNOWN, digest)


def by_idempotency_key(connection: Connection, member_id: str, key: str) -> RowMapping | None:
    """A member's batch that was sent under this key."""
    statement = select(BATCHES).where(BATCHES.c.member_id == member_id, BATCHES.c.idempotency_key == key)
    return connection.execute(statement).mappings().one_or_none()


def of_member(connection: Connection, member_id: str, batch_id: str) -> RowMapping | None:
    """A member's batch; None when there is none of that id for this member."""
    statement = select(BATCHES).where(BATCHES.c.member_id == member_id, BATCHES.c.id == batch_id)
    return connection.execute(statement).mappings().one_or_none()


def page(connection: Connection, member_id: str, *, before: str | None, limit: int) -> list[RowMapping]:
    """A member's batches, newest first."""
    statement = select(BATCHES).where(BATCHES.c.member_id == member_id).order_by(BATCHES.c.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(BATCHES.c.id < before)
    return list(connection.execute(statement).mappings())


def errors(connection: Connection, batch_id: str, *, after: int, limit: int) -> list[RowMapping]:
    """The stored row errors of a batch after a row, in row order. The caller has checked whose batch it is."""
    statement = (
        select(BATCH_ERRORS)
        .where(BATCH_ERRORS.c.batch_id == batch_id, BATCH_ERRORS.c.row > after)
        .order_by(BATCH_ERRORS.c.row)
        .limit(limit)
    )
    return list(connection.execute(statement).mappings())


def claim(connection: Connection, spool: str, owner: str, *, now: datetime, until: datetime) -> RowMapping | None:
    """Take the lease of an open batch of a spool that nobody else holds; None when there is no work.

    Members take turns: it is the first that was queued of the member for whom none was finished for the longest time.
    """
    earlier = BATCHES.alias("earlier")
    # What was finished at a later time than now was so under another clock: it must not put its member last until then.
    served = select(func.max(earlier.c.finished_at)).where(
        earlier.c.member_id == BATCHES.c.member_id, earlier.c.finished_at <= now
    )
    free = leases.is_free(BATCHES, owner, now=now, here=dialect.instant(connection, now))
    next_in_turn = (
        select(BATCHES.c.id)
        .where(BATCHES.c.spool == spool, BATCHES.c.status.in_(OPEN_STATES), free)
        .order_by(served.correlate(BATCHES).scalar_subquery().asc().nulls_first(), *leases.in_turn(BATCHES))
        .limit(1)
    )
    return leases.claim(connection, BATCHES, next_in_turn, owner, now=now, until=until)


def release_all(connection: Connection, spool: str) -> None:
    """Free every lease of a spool: for the process that alone works on it, after the one before it was killed.

    A batch that nobody holds goes on waiting for its next attempt.
    """
    leases.release(connection, BATCHES, BATCHES.c.spool == spool)


def advance(
    connection: Connection, batch_id: str, owner: str, *, from_line: int, until: datetime, values: dict[str, Any]
) -> bool:
    """Move a batch on within the caller's transaction; whether its sender has cancelled it meanwhile.

    Raises LeaseLostError when it is not ours at `from_line`.
    """
    here = and_(BATCHES.c.id == batch_id, BATCHES.c.lines_done == from_line)
    return leases.advance(connection, BATCHES, here, owner, {"lease_until": until, **_NO_FAILURE, **values})


def cancel(connection: Connection, batch_id: str, *, now: datetime) -> bool:
    """Ask for an open batch to be cancelled: at once when nobody is at it, else after the chunk at hand.

    Whether it is cancelled now. Nothing changes when it is finished, or was cancelled before.
    """
    return leases.cancel(connection, BATCHES, batch_id, now=now, ended=_NO_FAILURE)


def waiting(connection: Connection, member_id: str | None = None) -> tuple[int, int]:
    """How many batches are open, and how many bytes they are: of one member, or of all."""
    statement = select(func.count(), func.coalesce(func.sum(BATCHES.c.bytes_total), 0)).where(
        BATCHES.c.status.in_(OPEN_STATES)
    )
    if member_id is not None:
        statement = statement.where(BATCHES.c.member_id == member_id)
    count, size = connection.execute(statement).one()
    return int(count), int(size)


def received_since(connection: Connection, member_id: str, start: datetime) -> tuple[int, int]:
    """Bytes and rows of a member's batches that came in since an instant."""
    statement = select(
        func.coalesce(func.sum(BATCHES.c.bytes_total), 0), func.coalesce(func.sum(BATCHES.c.rows_read), 0)
    ).where(BATCHES.c.member_id == member_id, BATCHES.c.created_at >= start)
    size, rows = connection.execute(statement).one()
    return int(size), int(rows)


def let_go(
    connection: Connection, batch_id: str, owner: str, *, not_before: datetime, expected: str, counts: bool = True
) -> None:
    """Give the lease of a batch back for an attempt at a later time, and say in the batch why it waits.

    Unless the attempt `counts`, it is as if there had been none.
    """
    values: dict[str, Any] = {"failure_field": SERVER_FAULT, "failure_expected": expected}
    if not counts:
        values["attempts"] = case((BATCHES.c.attempts > 0, BATCHES.c.attempts - 1), else_=0)
    leases.let_go(connection, BATCHES, batch_id, owner, not_before=not_before, values=values)


def queue_again(connection: Connection, batch_id: str, spool: str) -> bool:
    """Queue a failed batch once more, in a spool; False when it is not a failed one (any more).

    After a fault of the server it goes on at its cursor; else it starts anew, as what was wrong may be mended by now.
    """
    failed = update(BATCHES).where(BATCHES.c.id == batch_id, BATCHES.c.status == "failed")
    from_start = failed.where(BATCHES.c.failure_field != SERVER_FAULT).values(dict.fromkeys(_COUNTS, 0))
    if connection.execute(from_start).rowcount:
        connection.execute(delete(BATCH_ERRORS).where(BATCH_ERRORS.c.batch_id == batch_id))
    anew = {"status": "queued", "finished_at": None, "cancel_asked_at": None, **_NO_FAILURE}
    free = {"lease_owner": None, "lease_until": None, "attempts": 0, "number": leases.next_number(connection, BATCHES)}
    statement = failed.values({"spool": spool, **anew, **free})
    return connection.execute(statement).rowcount == 1


def dry_run_filings(connection: Connection, batch_id: str, references: Sequence[str]) -> list[RowMapping]:
    """What a dry run has met of these references."""
    name = connection.dialect.name
    parameters = {"batch": batch_id, **dialect.wanted(name, sorted(set(references)))}
    return list(connection.execute(_dry_run_filings(name), parameters).mappings())


def add_dry_run_filings(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Remember what a dry run met; what is there already stays."""
    dialect.insert_missing(connection, DRY_RUN_FILINGS, rows)


def forget_dry_run(connection: Connection, batch_id: str) -> None:
    """Remove what was remembered for a dry run."""
    connection.execute(delete(DRY_RUN_FILINGS).where(DRY_RUN_FILINGS.c.batch_id == batch_id))


def add_errors(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Store row errors."""
    if rows:
        connection.execute(insert(BATCH_ERRORS), list(rows))


def needed_in(connection: Connection, spool: str, *, failed_since: datetime) -> set[str]:
    """The ids of a spool's batches whose content is still needed: open, or failed lately by a fault of the server."""
    failed = and_(BATCHES.c.failure_field == SERVER_FAULT, BATCHES.c.finished_at >= failed_since)
    statement = select(BATCHES.c.id).where(BATCHES.c.spool == spool, or_(BATCHES.c.status.in_(OPEN_STATES), failed))
    return set(connection.execute(statement).scalars())


@cache
def _dry_run_filings(dialect_name: str) -> Select[Any]:
    references = dialect.wanted_texts(dialect_name)
    return (
        select(DRY_RUN_FILINGS)
        .select_from(dialect.looked_up(references, DRY_RUN_FILINGS, DRY_RUN_FILINGS.c.reference == references.c.value))
        .where(DRY_RUN_FILINGS.c.batch_id == bindparam("batch"))
    )
