"""Work that is leased: a worker takes it for a time, and another takes over from one that never returns.

A table of such work has the columns `id`, `number`, `status`, `cancel_asked_at`, `finished_at`, `attempts`,
`lease_owner` (the token of the worker at it) and `lease_until`. A `lease_until` without an owner is when the next
attempt may begin. A change is made only under the lease, in the transaction of the work itself.

What is queued has its turn by its `number`, which is the next after all that is there: by no clock, which may be set
back. What the version before queues has none, and comes first.

Leases that are held go by the clock of the database (`dialect.instant`), which is one for all workers: who sets that of
a worker's machine makes nobody's lease run out. What waits for its next attempt goes by the service's own clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    RowMapping,
    Select,
    Table,
    UnaryExpression,
    and_,
    func,
    or_,
    select,
    update,
)

from repository.storage import dialect

OPEN_STATES = ("queued", "running")
LONGEST_WAIT = timedelta(minutes=15)
"""No attempt is put off for longer, unless said: what waits for a later time than that was put off by another clock."""
_FREE = {"lease_owner": None, "lease_until": None}


class LeaseLostError(RuntimeError):
    """Another worker has this work now, or has moved it on; what this one was about to write is not written."""


def is_free(
    table: FromClause, owner: str, *, now: datetime, here: datetime, longest: timedelta = LONGEST_WAIT
) -> ColumnElement[bool]:
    """Whether nobody else holds it, and its next attempt is due; `here` is the time on the clock of the database."""
    until, held_by = table.c.lease_until, table.c.lease_owner
    due = and_(held_by.is_(None), or_(until < now, until > now + longest))
    return or_(until.is_(None), held_by == owner, due, and_(held_by.is_not(None), until < here))


def next_number(connection: Connection, table: Table) -> int:
    """The number of what is queued now. Who queues at the same time may be given the same: neither came first."""
    return int(connection.execute(_next(table)).scalar_one())


def in_turn(table: FromClause) -> tuple[UnaryExpression[Any], ColumnElement[str]]:
    """What to order waiting work by."""
    return table.c.number.asc().nulls_first(), table.c.id


@cache
def _next(table: Table) -> Select[Any]:
    return select(func.coalesce(func.max(table.c.number), 0) + 1)


def claim(
    connection: Connection,
    table: Table,
    next_in_turn: Select[Any],
    owner: str,
    *,
    now: datetime,
    until: datetime,
    longest: timedelta = LONGEST_WAIT,
) -> RowMapping | None:
    """Take the lease of the work whose id is selected; None when there is none, or another was quicker.

    It lasts as long as from `now` to `until`.
    """
    found = connection.execute(next_in_turn).scalar_one_or_none()
    if found is None:
        return None
    here = dialect.instant(connection, now)
    statement = (
        update(table)
        .where(table.c.id == found, is_free(table, owner, now=now, here=here, longest=longest))
        .where(table.c.status.in_(OPEN_STATES))
        .values(status="running", lease_owner=owner, lease_until=here + (until - now), attempts=table.c.attempts + 1)
        .returning(table)
    )
    return connection.execute(statement).mappings().one_or_none()


def release(connection: Connection, table: Table, whose: ColumnElement[bool]) -> None:
    """Free the leases of workers that are dead. What nobody holds goes on waiting for its next attempt."""
    held = update(table).where(whose, table.c.status.in_(OPEN_STATES), table.c.lease_owner.is_not(None))
    connection.execute(held.values(_FREE))


def advance(
    connection: Connection, table: Table, here: ColumnElement[bool], owner: str, values: Mapping[str, Any]
) -> bool:
    """Move work on within the caller's transaction; whether it is to be cancelled. Raises LeaseLostError.

    `here` says which work it is, and how far it has come.
    """
    statement = update(table).where(here, table.c.lease_owner == owner).values({"attempts": 0, **values})
    moved = connection.execute(statement.returning(table.c.cancel_asked_at)).all()
    if len(moved) != 1:
        raise LeaseLostError(table.name)
    return moved[0][0] is not None


def cancel(connection: Connection, table: Table, identifier: str, *, now: datetime, ended: Mapping[str, Any]) -> bool:
    """Ask for open work to be cancelled: at once when nobody is at it, with the values `ended`, else after its step.

    Whether it is cancelled now. Nothing changes when it is finished, or was cancelled before.
    """
    still_open = update(table).where(table.c.id == identifier, table.c.status.in_(OPEN_STATES))
    at_once = {"status": "cancelled", "finished_at": now, "cancel_asked_at": now, **_FREE, **ended}
    if connection.execute(still_open.where(table.c.lease_owner.is_(None)).values(at_once)).rowcount:
        return True
    connection.execute(still_open.where(table.c.cancel_asked_at.is_(None)).values(cancel_asked_at=now))
    return False


def let_go(
    connection: Connection,
    table: Table,
    identifier: str,
    owner: str,
    *,
    not_before: datetime | None,
    values: Mapping[str, Any],
) -> bool:
    """Give a lease back, for an attempt at a later time; whether it was still ours."""
    statement = update(table).where(table.c.id == identifier, table.c.lease_owner == owner)
    waits = {"status": "queued", "lease_owner": None, "lease_until": not_before}
    return connection.execute(statement.values({**waits, **values})).rowcount == 1
