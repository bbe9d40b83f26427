"""How much may wait: a member that sends faster than the pool takes in is told to come back, and when.

An upload that was begun counts as the batch that it will be. What is admitted binds in a transaction that holds the
lock of the queue (`dialect.lock_queue`) and adds what is admitted.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import Connection

from repository.domain.members import Member
from repository.services import Services
from repository.storage import batches, uploads

PAUSE_SECONDS = 30
"""After which it is worth trying again when too much waits."""


class QueueFullError(Exception):
    """No more is taken now. `slug` is the problem, `figures` the limit that stands against it."""

    def __init__(self, slug: str, figures: Mapping[str, int], retry_after: int) -> None:
        super().__init__(slug)
        self.slug = slug
        self.figures = dict(figures)
        self.retry_after = retry_after


def admit(
    services: Services, connection: Connection, member: Member, size: int, *, upload_id: str | None = None
) -> None:
    """Raises QueueFullError unless `size` more bytes of a member may come in today and wait, as one more batch.

    An upload that becomes the batch counts no more by itself.
    """
    _day(services, connection, member, size, upload_id)
    admit_again(services, connection, member, size, upload_id=upload_id)


def admit_again(
    services: Services, connection: Connection, member: Member, size: int, *, upload_id: str | None = None
) -> None:
    """Raises QueueFullError unless a batch of `size` bytes may wait that came in before."""
    limits = services.settings
    own = (limits.max_member_waiting_batches, limits.max_member_waiting_bytes)
    overall = (limits.max_waiting_batches, limits.max_waiting_bytes)
    for slug, of, (most, bytes_most) in (("too-much-waiting", member.id, own), ("queue-full", None, overall)):
        count, waiting = batches.waiting(connection, of)
        coming, coming_in = uploads.waiting(connection, of, now=services.clock(), but=upload_id)
        if count + coming >= most:
            raise QueueFullError(slug, {"batches_limit": most, "batches": count + coming}, PAUSE_SECONDS)
        # What alone is above the limit is let through when nothing else waits: else it would never be.
        if waiting + coming_in and waiting + coming_in + size > bytes_most:
            figures = {"bytes_limit": bytes_most, "bytes_waiting": waiting + coming_in, "bytes": size}
            raise QueueFullError(slug, figures, PAUSE_SECONDS)


def _day(services: Services, connection: Connection, member: Member, size: int, upload_id: str | None) -> None:
    limits = services.settings
    if not limits.max_member_daily_bytes and not limits.max_member_daily_rows:
        return
    now = services.clock()
    start = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    sent, rows = batches.received_since(connection, member.id, start)
    sent += uploads.waiting(connection, member.id, now=now, but=upload_id)[1]
    wait = int((start + timedelta(days=1) - now).total_seconds()) + 1
    if limits.max_member_daily_bytes and sent + size > limits.max_member_daily_bytes:
        figures = {"bytes_limit": limits.max_member_daily_bytes, "bytes_today": sent, "bytes": size}
        raise QueueFullError("daily-limit", figures, wait)
    if limits.max_member_daily_rows and rows >= limits.max_member_daily_rows:
        raise QueueFullError("daily-limit", {"rows_limit": limits.max_member_daily_rows, "rows_today": rows}, wait)
