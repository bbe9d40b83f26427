"""Screenings: who asked, why, and what was answered; the encoding is sealed for its retention."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    ForeignKey,
    Index,
    LargeBinary,
    Select,
    and_,
    bindparam,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from repository.storage import dialect
from repository.storage.base import Base, UtcDateTime


class ScreeningRow(Base):
    """One question and its answer. The envelope holds the re-keyed encoding until `expires_at`.

    `subject_digest` tells whether a member asked the same subject before. `release_checks` are the three of a data
    release as they were answered; null where the purpose asks none.
    """

    __tablename__ = "screenings"
    __table_args__ = (Index("ix_screenings_member_id_reference", "member_id", "reference"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    member_id: Mapped[str] = mapped_column(ForeignKey("members.id"))
    actor_id: Mapped[str] = mapped_column(ForeignKey("actors.id"))
    decision_id: Mapped[str] = mapped_column(ForeignKey("decisions.id"))
    purpose: Mapped[str]
    lawful_basis: Mapped[str | None]
    reference: Mapped[str]
    line: Mapped[str]
    kind: Mapped[str]
    role: Mapped[str]
    schema_id: Mapped[str]
    fingerprint: Mapped[str]
    answer: Mapped[str]
    hits: Mapped[int]
    capped_keys: Mapped[int]
    pool_size: Mapped[int]
    model_id: Mapped[str]
    envelope: Mapped[bytes] = mapped_column(LargeBinary)
    subject_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    release_checks: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


SCREENINGS = Base.metadata.tables["screenings"]
_INSERT = dialect.Prepared(lambda _name: insert(SCREENINGS))


def _asked_under(dialect_name: str) -> Select[Any]:
    references = dialect.wanted_texts(dialect_name)
    asked = SCREENINGS.c
    return (
        select(asked.reference, asked.subject_digest)
        .select_from(references.join(SCREENINGS, asked.reference == references.c.value))
        .where(
            asked.member_id == bindparam("member"),
            asked.purpose == bindparam("purpose"),
            asked.at >= bindparam("start", type_=UtcDateTime()),
            asked.subject_digest.is_not(None),
        )
        .distinct()
    )


_ASKED_UNDER = dialect.Prepared(_asked_under)


def add(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Store screenings."""
    if rows:
        _INSERT.write(connection, rows)


def asked_under(
    connection: Connection, member_id: str, purpose: str, references: Iterable[str], *, since: datetime
) -> dict[str, set[bytes]]:
    """The digests of the subjects that a member asked under each of these references for a purpose."""
    wanted = dialect.wanted(connection.dialect.name, sorted(set(references)))
    found: dict[str, set[bytes]] = {}
    for reference, digest in _ASKED_UNDER.rows(
        connection, {"member": member_id, "purpose": purpose, "start": since, **wanted}
    ):
        found.setdefault(reference, set()).add(bytes(digest))
    return found


@dataclass(frozen=True, slots=True)
class Expired:
    """A screening that is kept no longer; `wholly` where not even who asked, when and why is."""

    id: str
    member_id: str
    wholly: bool


def _over(now: datetime, footprint: datetime) -> ColumnElement[bool]:
    """Whether a screening expired and has its encoding still, or was asked before `footprint` and is there at all."""
    still = or_(func.length(SCREENINGS.c.envelope) > 0, SCREENINGS.c.at < footprint)
    return and_(SCREENINGS.c.expires_at <= now, still)


def expired(connection: Connection, *, now: datetime, footprint: datetime, limit: int) -> list[Expired]:
    """Some screenings that are kept no longer, or not with their encoding, the oldest first."""
    statement = (
        select(SCREENINGS.c.id, SCREENINGS.c.member_id, SCREENINGS.c.at < footprint)
        .where(_over(now, footprint))
        .order_by(SCREENINGS.c.expires_at, SCREENINGS.c.id)
        .limit(limit)
    )
    return [Expired(*row) for row in connection.execute(statement)]


def count_expired(connection: Connection, *, now: datetime, footprint: datetime) -> int:
    """How many screenings are kept no longer, or not with their encoding."""
    statement = select(func.count()).where(_over(now, footprint))
    return int(connection.execute(statement).scalar_one())


def keep_until(connection: Connection, member_id: str, screening_id: str, until: datetime) -> None:
    """Keep a member's screening no longer than until an instant."""
    this = update(SCREENINGS).where(SCREENINGS.c.member_id == member_id, SCREENINGS.c.id == screening_id)
    connection.execute(this.where(SCREENINGS.c.expires_at > until).values(expires_at=until))


def erase(connection: Connection, screening_ids: Sequence[str]) -> None:
    """Take the encodings out of screenings; who asked, when and why stays."""
    if screening_ids:
        statement = update(SCREENINGS).where(SCREENINGS.c.id.in_(screening_ids))
        connection.execute(statement.values(envelope=b"", subject_digest=None))
