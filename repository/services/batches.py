"""Receiving batches, and telling their senders how far they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Connection, RowMapping
from sqlalchemy.exc import IntegrityError

from repository.domain.events import Event, EventKind
from repository.domain.members import Actor, Member
from repository.domain.webhooks import Notice
from repository.services import Services, outbox, pressure, reciprocity
from repository.storage import batches, dialect, events, uploads
from repository.storage.batches import SERVER_FAULT
from repository.storage.limits import Trouble, trouble
from repository.storage.spool import Received, Spool

_ROWS = ("read", "created", "new_version", "unchanged", "rejected")


class OtherContentError(Exception):
    """The idempotency key came before with other content."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A batch as it comes in: its `size` bytes in parts, as they are on the wire."""

    parts: Iterable[bytes]
    size: int
    format: str
    gzipped: bool
    dry_run: bool
    idempotency_key: str


class Sent(Protocol):
    """What is said of a batch when it comes in, at once or in pieces."""

    @property
    def format(self) -> str:
        """The format of its content."""

    @property
    def gzipped(self) -> bool:
        """Whether the content is under gzip."""

    @property
    def dry_run(self) -> bool:
        """Whether it is only to be checked."""

    @property
    def idempotency_key(self) -> str:
        """Under which it is done once."""


def content_context(member: Member, upload: Sent) -> bytes:
    """What the digest of a batch's content is bound to: the same content sent for another end is another batch."""
    other = "" if upload.format == "ndjson" else f" format={upload.format}"
    return f"batch {member.id} gzip={upload.gzipped} dry_run={upload.dry_run}{other}".encode()


def spool_of(services: Services) -> Spool:
    """Where batches of this data directory wait."""
    return Spool(services.settings.data_dir / "spool", services.sealer)


def receive(services: Services, actor: Actor, member: Member, upload: Upload) -> tuple[RowMapping, bool]:
    """Put a batch down safely and queue it; the batch, and whether it is new.

    The same key with the same content gives the batch there was, queued again if it had failed. Raises
    OtherContentError, and QueueFullError when too much waits already.
    """
    with services.database.read() as session:
        if batches.by_idempotency_key(session.connection(), member.id, upload.idempotency_key) is None:
            pressure.admit(services, session.connection(), member, upload.size)  # before all of it is sent in vain
    spool = spool_of(services)
    batch_id = reciprocity.new_id(services, "bat")
    received = spool.write(batch_id, upload.parts, content_context(member, upload))
    row = new_row(services, member, upload, received) | {"id": batch_id, "actor_id": actor.id, "spool": spool.name}
    try:
        known = _queued_before(services, member, row)
    except Exception as error:
        # Cut off at its end, a transaction may have been committed all the same: then the content is needed.
        if trouble(services.database.engine, error) is not Trouble.UNREACHABLE:
            spool.remove(batch_id)
        raise
    if known is None:
        return _own(services, member, batch_id), True
    try:
        if not batches.is_same(known, received.digest):
            raise OtherContentError
        if known["status"] == "failed":
            queue_again(services, actor, member, known, batch_id)
            known = _own(services, member, known["id"])
    finally:
        spool.remove(batch_id)
    return known, False


def _queued_before(services: Services, member: Member, row: dict[str, Any]) -> RowMapping | None:
    """Queue a batch, unless there is one under its key: then that."""
    try:
        with services.database.write() as session:
            connection = session.connection()
            dialect.lock_queue(connection)
            known = batches.by_idempotency_key(connection, member.id, row["idempotency_key"])
            if known is None:
                pressure.admit(services, connection, member, row["bytes_total"])
                batches.add(connection, row)
                tell(services, connection, row)
    except IntegrityError:
        # The same key at the same moment: the other request was first.
        with services.database.read() as session:
            known = batches.by_idempotency_key(session.connection(), member.id, row["idempotency_key"])
        if known is None:
            raise
    return known


def find(services: Services, member: Member, batch_id: str) -> RowMapping | None:
    """A member's batch, None when it has none of this id."""
    with services.database.read() as session:
        return batches.of_member(session.connection(), member.id, batch_id)


def cancel(services: Services, actor: Actor, member: Member, batch_id: str) -> RowMapping | None:
    """Cancel a member's batch: at once while it waits, else after the chunk at hand. What was taken in stays.

    The batch as it then is, None when the member has none of this id. A finished one stays as it is.
    """
    with services.database.write() as session:
        connection = session.connection()
        found = batches.of_member(connection, member.id, batch_id)
        if found is None:
            return None
        now = services.clock()
        ended = batches.cancel(connection, batch_id, now=now)
        if ended:
            batches.forget_dry_run(connection, batch_id)
            event = Event(
                id=reciprocity.new_id(services, "evt"),
                at=now,
                kind=EventKind.BATCH_CANCELLED,
                actor_id=actor.id,
                member_id=member.id,
                subject_id=batch_id,
                figures={f"rows_{name}": found[f"rows_{name}"] for name in _ROWS},
            )
            events.append(connection, event)
            outbox.tell(services, connection, Notice.BATCH_FINISHED, member.id, {"batch": batch_id})
    spool = spool_of(services)
    if ended and found["spool"] == spool.name:
        spool.remove(batch_id)
    return _own(services, member, batch_id)


def list_batches(services: Services, member: Member, *, before: str | None, limit: int) -> list[dict[str, Any]]:
    """A member's batches as JSON, newest first, without their row errors."""
    with services.database.read() as session:
        return [as_json(row) for row in batches.page(session.connection(), member.id, before=before, limit=limit)]


def row_errors(services: Services, batch: RowMapping, *, after: int, limit: int) -> list[dict[str, Any]]:
    """The stored row errors of a batch that was found for its member, after a row, as JSON."""
    with services.database.read() as session:
        rows = batches.errors(session.connection(), batch["id"], after=after, limit=limit)
    return [
        {"row": row["row"], "ref": row["reference"], "field": row["field"], "expected": row["expected"]} for row in rows
    ]


def as_json(batch: RowMapping, errors: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    """A batch as JSON."""
    failure = None
    if batch["failure_field"] is not None:
        failure = {"field": batch["failure_field"], "expected": batch["failure_expected"]}
    finished = batch["finished_at"]
    return {
        "id": batch["id"],
        "status": batch["status"],
        "format": batch["format"],
        "cancelling": batch["cancel_asked_at"] is not None and finished is None,
        "dry_run": batch["dry_run"],
        "created_at": batch["created_at"].isoformat(),
        "finished_at": None if finished is None else finished.isoformat(),
        "bytes_total": batch["bytes_total"],
        "bytes_done": batch["bytes_done"],
        "rows": {name: batch[f"rows_{name}"] for name in _ROWS},
        "hits": batch["hits"],
        "capped_keys": batch["capped_keys"],
        "failure": failure,
        "errors": list(errors),
        "next_cursor": None,
    }


def queue_again(services: Services, actor: Actor, member: Member, known: RowMapping, sent: str | None) -> None:
    """Queue a failed batch in this spool, where its content came once more under the id `sent`, or is still.

    Raises QueueFullError when too much waits already, and SpoolError when what was sent is not whole.
    """
    spool = spool_of(services)
    copied = nullcontext() if sent is None else spool.copied(sent, known["id"])
    with copied as put, services.database.write() as session:
        connection = session.connection()
        dialect.lock_queue(connection)
        found = batches.of_member(connection, member.id, known["id"])
        if found is None or found["status"] != "failed":
            return  # the same at the same moment: the other request was first
        upload_id = None if sent is None else uploads.upload_id_of(sent)
        pressure.admit_again(services, connection, member, found["bytes_total"], upload_id=upload_id)
        batches.queue_again(connection, found["id"], spool.name)
        if put is not None:
            put()  # before the commit: until then no worker sees the batch
        tell(services, connection, dict(found) | {"actor_id": actor.id, "created_at": services.clock()})


def is_kept(services: Services, batch: RowMapping) -> bool:
    """Whether the content of a failed batch is still here, so that it need not be sent to go on."""
    spool = spool_of(services)
    return batch["failure_field"] == SERVER_FAULT and batch["spool"] == spool.name and spool.holds(batch["id"])


def _own(services: Services, member: Member, batch_id: str) -> RowMapping:
    found = find(services, member, batch_id)
    if found is None:
        raise LookupError("a batch that was just stored is not there")
    return found


def new_row(services: Services, member: Member, upload: Sent, received: Received) -> dict[str, Any]:
    """The columns of a batch that was received, short of its id, actor and spool."""
    return {
        "member_id": member.id,
        "idempotency_key": upload.idempotency_key,
        "content_digest": received.digest,
        "format": upload.format,
        "gzipped": upload.gzipped,
        "dry_run": upload.dry_run,
        "status": "queued",
        "created_at": services.clock(),
        "bytes_total": received.size,
    }


def tell(services: Services, connection: Connection, row: dict[str, Any]) -> None:
    """Note that a batch was received."""
    event = Event(
        id=reciprocity.new_id(services, "evt"),
        at=row["created_at"],
        kind=EventKind.BATCH_RECEIVED,
        actor_id=row["actor_id"],
        member_id=row["member_id"],
        subject_id=row["id"],
        figures={"bytes": row["bytes_total"]},
    )
    events.append(connection, event)
