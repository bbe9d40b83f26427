"""Noting what somebody was shown, so that no correction misses it that is made at the same moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import Connection

from repository.domain.jobs import JobKind
from repository.domain.viewings import Reader
from repository.services import Services, reciprocity
from repository.storage import flags, jobs, shown, viewings
from repository.storage.hit_views import HitView

ATTEMPTS = 8
"""Each waits for whoever changes one of the records."""

_P = ParamSpec("_P")
_T = TypeVar("_T")


class ChangedError(Exception):
    """A record changed between being read and being told: it is to be read again."""


def steady(read: Callable[_P, _T]) -> Callable[_P, _T]:
    """Have something read again where a record in it changed meanwhile."""

    @wraps(read)
    def again(*args: _P.args, **named: _P.kwargs) -> _T:
        for _ in range(ATTEMPTS - 1):
            with suppress(ChangedError):
                return read(*args, **named)
        return read(*args, **named)

    return again


def note_shown(connection: Connection, reader: Reader, seen: Sequence[tuple[HitView, int]]) -> None:
    """Note hits as shown, each at a tier, in the writing transaction that follows the reading one.

    The records are held first, and are as they were read: whoever corrects one later finds that it was shown. Raises
    ChangedError where one was corrected before: nobody would be told of that.
    """
    as_read = {view.their_filing_id: (view.their_version, view.labels.flag) for view, _ in seen}
    if flags.state(connection, sorted(as_read)) != as_read:
        raise ChangedError
    shown.note(connection, reader.member_id, {view.id: tier for view, tier in seen}, now=reader.at)
    # A superseded hit says nothing of the version that is there now, and who that is about was not looked at.
    live = [(view, tier) for view, tier in seen if view.superseded_at is None]
    viewings.note(connection, [reader.saw(view.their_filing_id, view.their_version, tier) for view, tier in live])


def wake(services: Services, connection: Connection) -> None:
    """Have receipts that are due told by the job, once the caller's transaction is committed."""
    kind = JobKind.CORRECTION.value
    row: dict[str, Any] = {"id": reciprocity.new_id(services, "job"), "kind": kind, "member_id": None}
    row |= {"actor_id": None, "slot": f"{kind} *", "created_at": services.clock(), "cursor": {}}
    jobs.wake(connection, [row])
