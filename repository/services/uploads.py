"""Uploads in pieces: each is safely in the spool before it counts, and the last one queues the batch.

The pieces are frames of one sealed file, the batch's own, so that nothing is copied when the upload is whole. What a
crash or a cut connection leaves behind the last piece that counts is cut off by the next.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import Connection, RowMapping

from repository.domain.members import Actor, Member
from repository.services import Services, batches, pressure, reciprocity
from repository.services.batches import OtherContentError
from repository.storage import batches as stored_batches
from repository.storage import dialect, uploads
from repository.storage.spool import Received, Spool, SpoolError

_log = structlog.get_logger("frankpledge.uploads")


class WrongOffsetError(Exception):
    """The piece does not begin where the upload ends (`received`), or another piece of it is just coming in."""

    def __init__(self, received: int) -> None:
        super().__init__(received)
        self.received = received


class TooLongError(Exception):
    """The piece goes on behind the announced length."""


class ChecksumError(Exception):
    """A piece, or the whole, is not what its checksum was made of; it is not kept."""


@dataclass(frozen=True, slots=True)
class Announced:
    """What a member says of an upload before it sends any of it; `sha256` of the whole, in hexadecimal."""

    length: int
    sha256: str
    format: str
    gzipped: bool
    dry_run: bool
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class Piece:
    """The next `size` bytes from `offset` on, with their SHA-256 if one was sent."""

    offset: int
    size: int
    parts: Iterable[bytes]
    sha256: bytes | None


def begin(services: Services, actor: Actor, member: Member, announced: Announced) -> tuple[RowMapping, bool]:
    """Begin an upload; what there is of it, and whether it is new.

    The same key with the same announcement is the same upload, however much of it is there. If the batch it became has
    failed, that is queued again where its content is kept; else the upload begins anew. Raises OtherContentError and
    QueueFullError.
    """
    now, spool, gone = services.clock(), batches.spool_of(services), []
    own = {name: getattr(announced, name) for name in Announced.__slots__}
    with services.database.write() as session:
        connection = session.connection()
        dialect.lock_queue(connection)
        known = uploads.by_idempotency_key(connection, member.id, announced.idempotency_key)
        if known is not None and known["expires_at"] <= now:
            gone = uploads.remove(connection, [known["id"]])
            known = None
        if known is not None and any(known[name] != value for name, value in own.items()):
            raise OtherContentError
        failed = None if known is None else _failed(connection, member, known)
        if known is not None and failed is not None and not batches.is_kept(services, failed):
            uploads.remove(connection, [known["id"]])
            known = failed = None
        if known is None:
            pressure.admit(services, connection, member, announced.length)
            row = {"id": reciprocity.new_id(services, "upl"), "member_id": member.id, "actor_id": actor.id}
            times = {"created_at": now, "expires_at": now + services.settings.upload_lifetime}
            uploads.add(connection, own | row | times | {"spool": spool.name})
        found = uploads.by_idempotency_key(connection, member.id, announced.idempotency_key)
    if found is None:
        raise LookupError("an upload that was just begun is not there")
    for upload_id in gone:
        spool.remove(uploads.batch_id_of(upload_id))
    if failed is not None:
        batches.queue_again(services, actor, member, failed, None)
    return found, known is None


def find(services: Services, member: Member, upload_id: str) -> RowMapping | None:
    """A member's upload, None when it has none of this id (any more)."""
    with services.database.read() as session:
        return uploads.of_member(session.connection(), member.id, upload_id, now=services.clock())


def remove(services: Services, upload: RowMapping) -> None:
    """Forget an upload that was found for its member; the batch it became stays."""
    with services.database.write() as session:
        unfinished = uploads.remove(session.connection(), [upload["id"]])
    for upload_id in unfinished:
        batches.spool_of(services).remove(uploads.batch_id_of(upload_id))


def take(services: Services, actor: Actor, member: Member, upload: RowMapping, piece: Piece) -> RowMapping:
    """Take the next piece; with the last one the upload becomes a batch. The upload as it then is.

    Raises WrongOffsetError, TooLongError, ChecksumError, OtherContentError, QueueFullError, and what the parts raise.
    One whose content was lost or damaged here is removed, so that it can be begun anew.
    """
    spool = batches.spool_of(services)
    if upload["batch_id"] is not None and piece.offset == upload["received"]:
        _go_on(services, actor, member, upload)
        return upload
    try:
        with spool.extending(uploads.batch_id_of(upload["id"])) as file:
            upload = _now(services, member, upload["id"])
            if piece.offset != upload["received"]:
                raise WrongOffsetError(upload["received"])
            if upload["batch_id"] is not None:
                return upload
            if piece.offset + piece.size > upload["length"]:
                raise TooLongError
            if piece.size:
                _keep(services, spool, file, upload, piece)
                upload = _now(services, member, upload["id"])
            return _finish(services, actor, member, upload) if upload["received"] == upload["length"] else upload
    except BlockingIOError:
        raise WrongOffsetError(upload["received"]) from None
    except SpoolError:
        _log.error("upload lost", upload=upload["id"])
        remove(services, upload)
        raise ChecksumError from None


def _keep(services: Services, spool: Spool, file: Any, upload: RowMapping, piece: Piece) -> None:
    """Write a piece and, once it is on the disk, note it."""
    checksum = hashlib.sha256()
    number: int = upload["frames"]

    def frames() -> Iterator[bytes]:
        nonlocal number
        received = piece.offset
        for part in piece.parts:
            received += len(part)
            checksum.update(part)
            last = received == upload["length"]
            yield spool.frame(uploads.batch_id_of(upload["id"]), number, part, last=last)
            number += 1
        if piece.sha256 is not None and checksum.digest() != piece.sha256:
            raise ChecksumError

    stored = spool.extend(file, upload["stored"], frames())
    values = {"received": piece.offset + piece.size, "frames": number, "stored": stored}
    with services.database.write() as session:
        if not uploads.advance(session.connection(), upload["id"], from_byte=piece.offset, values=values):
            raise WrongOffsetError(piece.offset)


def _finish(services: Services, actor: Actor, member: Member, upload: RowMapping) -> RowMapping:
    """Check the whole and queue the batch, once: cut off in between, the next request does it."""
    spool = batches.spool_of(services)
    batch_id = uploads.batch_id_of(upload["id"])
    announced = Announced(**{name: upload[name] for name in Announced.__slots__})
    digester = spool.digester(batches.content_context(member, announced))
    checksum = hashlib.sha256()
    for part in spool.read(batch_id):
        digester.update(part)
        checksum.update(part)
    if checksum.hexdigest() != announced.sha256:
        remove(services, upload)
        raise ChecksumError
    received = Received(announced.length, digester.digest())
    with services.database.reading() as connection:
        known = stored_batches.by_idempotency_key(connection, member.id, announced.idempotency_key)
    if known is not None and stored_batches.is_same(known, received.digest) and known["status"] == "failed":
        batches.queue_again(services, actor, member, known, batch_id)
    row = batches.new_row(services, member, announced, received)
    row |= {"id": batch_id, "actor_id": actor.id, "spool": spool.name}
    with services.database.write() as session:
        connection = session.connection()
        dialect.lock_queue(connection)
        known = stored_batches.by_idempotency_key(connection, member.id, announced.idempotency_key)
        if known is not None and not stored_batches.is_same(known, received.digest):
            raise OtherContentError
        if known is None:
            pressure.admit(services, connection, member, announced.length, upload_id=upload["id"])
            stored_batches.add(connection, row)
            batches.tell(services, connection, row)
        became = batch_id if known is None else known["id"]
        if not uploads.advance(connection, upload["id"], from_byte=announced.length, values={"batch_id": became}):
            raise WrongOffsetError(0)  # it ran out, or was removed, meanwhile
        whole = uploads.by_idempotency_key(connection, member.id, announced.idempotency_key)
    if became != batch_id:
        spool.remove(batch_id)
    return upload if whole is None else whole


def _go_on(services: Services, actor: Actor, member: Member, upload: RowMapping) -> None:
    """Queue the batch that an upload became again if it has failed, where its content is kept."""
    with services.database.reading() as connection:
        failed = _failed(connection, member, upload)
    if failed is not None and batches.is_kept(services, failed):
        batches.queue_again(services, actor, member, failed, None)


def _failed(connection: Connection, member: Member, upload: RowMapping) -> RowMapping | None:
    """The batch that an upload became, if that has failed."""
    if upload["batch_id"] is None:
        return None
    batch = stored_batches.of_member(connection, member.id, upload["batch_id"])
    return batch if batch is not None and batch["status"] == "failed" else None


def _now(services: Services, member: Member, upload_id: str) -> RowMapping:
    found = find(services, member, upload_id)
    if found is None:
        raise WrongOffsetError(0)  # it ran out, or was removed, while the piece came in
    return found
