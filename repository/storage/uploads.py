"""Uploads that come in pieces: how much of each is safely in the spool, until they are whole and become batches."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    ForeignKey,
    RowMapping,
    UniqueConstraint,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from repository.storage.base import Base


class UploadRow(Base):
    """One upload. `received` bytes of `length` are in the spool, as `frames` frames in the first `stored` bytes there.

    What lies behind `stored` was cut off before its row was written, and is written over. `sha256` is of the whole, in
    hexadecimal, as its sender says. `batch_id` is set once it is whole.
    """

    __tablename__ = "uploads"
    __table_args__ = (UniqueConstraint("member_id", "idempotency_key"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    member_id: Mapped[str] = mapped_column(ForeignKey("members.id"))
    actor_id: Mapped[str] = mapped_column(ForeignKey("actors.id"))
    idempotency_key: Mapped[str]
    format: Mapped[str]
    gzipped: Mapped[bool]
    dry_run: Mapped[bool]
    length: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str]
    spool: Mapped[str]
    received: Mapped[int] = mapped_column(BigInteger, default=0)
    stored: Mapped[int] = mapped_column(BigInteger, default=0)
    frames: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    batch_id: Mapped[str | None] = mapped_column(ForeignKey("batches.id"))


UPLOADS = Base.metadata.tables["uploads"]


def add(connection: Connection, row: dict[str, Any]) -> None:
    """Store an upload of which nothing came yet."""
    connection.execute(insert(UPLOADS), row)


def by_idempotency_key(connection: Connection, member_id: str, key: str) -> RowMapping | None:
    """A member's upload that was begun under this key."""
    statement = select(UPLOADS).where(UPLOADS.c.member_id == member_id, UPLOADS.c.idempotency_key == key)
    return connection.execute(statement).mappings().one_or_none()


def of_member(connection: Connection, member_id: str, upload_id: str, *, now: datetime) -> RowMapping | None:
    """A member's upload; None when there is none of that id for this member, or its time is over."""
    statement = select(UPLOADS).where(
        UPLOADS.c.member_id == member_id, UPLOADS.c.id == upload_id, UPLOADS.c.expires_at > now
    )
    return connection.execute(statement).mappings().one_or_none()


def advance(connection: Connection, upload_id: str, *, from_byte: int, values: dict[str, Any]) -> bool:
    """Note what is safely in the spool; False when somebody else moved the upload on meanwhile."""
    statement = update(UPLOADS).where(
        UPLOADS.c.id == upload_id, UPLOADS.c.received == from_byte, UPLOADS.c.batch_id.is_(None)
    )
    return connection.execute(statement.values(values)).rowcount == 1


def waiting(connection: Connection, member_id: str | None, *, now: datetime, but: str | None) -> tuple[int, int]:
    """How many unfinished uploads there are, and how many bytes they announce, `but` one: of one member, or of all."""
    statement = select(func.count(), func.coalesce(func.sum(UPLOADS.c.length), 0)).where(
        UPLOADS.c.batch_id.is_(None), UPLOADS.c.expires_at > now, UPLOADS.c.id.is_distinct_from(but)
    )
    if member_id is not None:
        statement = statement.where(UPLOADS.c.member_id == member_id)
    count, size = connection.execute(statement).one()
    return int(count), int(size)


def unfinished(connection: Connection, spool: str) -> set[str]:
    """The ids of a spool's uploads that are not whole yet."""
    return set(
        connection.execute(select(UPLOADS.c.id).where(UPLOADS.c.spool == spool, UPLOADS.c.batch_id.is_(None))).scalars()
    )


def batch_id_of(upload_id: str) -> str:
    """The id of the batch that an upload becomes; its content is under it in the spool from the first piece on."""
    return f"bat_{upload_id.removeprefix('upl_')}"


def upload_id_of(batch_id: str) -> str:
    """The id of the upload that a batch was, if it was one."""
    return f"upl_{batch_id.removeprefix('bat_')}"


def expired(connection: Connection, spool: str, *, now: datetime, limit: int) -> list[str]:
    """Some uploads of a spool that ran out, whole ones too."""
    statement = select(UPLOADS.c.id).where(UPLOADS.c.spool == spool, UPLOADS.c.expires_at <= now).limit(limit)
    return list(connection.execute(statement).scalars())


def count_expired(connection: Connection, spool: str, *, now: datetime) -> int:
    """How many uploads of a spool ran out."""
    statement = select(func.count()).where(UPLOADS.c.spool == spool, UPLOADS.c.expires_at <= now)
    return int(connection.execute(statement).scalar_one())


def remove(connection: Connection, upload_ids: Sequence[str]) -> list[str]:
    """Forget uploads; those that were not whole by then, whose content nobody needs."""
    statement = delete(UPLOADS).where(UPLOADS.c.id.in_(upload_ids)).returning(UPLOADS.c.id, UPLOADS.c.batch_id)
    return [upload_id for upload_id, batch_id in connection.execute(statement) if batch_id is None]
