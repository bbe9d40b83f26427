"""Proofs: what a member states it holds before it files a case as proven. The evidence stays with the member."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, ForeignKey, Index, RowMapping, Select, and_, bindparam, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from repository.storage import dialect
from repository.storage.base import Base


class ProofRow(Base):
    """One proof, as entered by one person of a member, approved by another, and withdrawn if it no longer holds.

    `grounds` and `evidence` are always ticked: without them there is no row. `rulebook` is the version whose lists
    the words are of.
    """

    __tablename__ = "proofs"
    __table_args__ = (Index("ix_proofs_member_id_reference", "member_id", "reference"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    member_id: Mapped[str] = mapped_column(ForeignKey("members.id"))
    reference: Mapped[str]
    case_type: Mapped[str]
    product_action: Mapped[str | None]
    exception: Mapped[str | None]
    evidence_reference: Mapped[str]
    notified_on: Mapped[date | None]
    deferral_reason: Mapped[str | None]
    rulebook: Mapped[str]
    entered_at: Mapped[datetime]
    entered_by: Mapped[str] = mapped_column(ForeignKey("actors.id"))
    approved_at: Mapped[datetime | None]
    approved_by: Mapped[str | None] = mapped_column(ForeignKey("actors.id"))
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[str | None] = mapped_column(ForeignKey("actors.id"))


PROOFS = Base.metadata.tables["proofs"]


def add(connection: Connection, row: dict[str, Any]) -> None:
    """Store a proof as entered."""
    connection.execute(insert(PROOFS), row)


def of_member(connection: Connection, member_id: str, proof_id: str) -> RowMapping | None:
    """A member's proof; None when there is none of that id for this member."""
    statement = select(PROOFS).where(PROOFS.c.member_id == member_id, PROOFS.c.id == proof_id)
    return connection.execute(statement).mappings().one_or_none()


def page(connection: Connection, member_id: str, *, before: str | None, limit: int) -> list[RowMapping]:
    """A member's proofs, newest first."""
    statement = select(PROOFS).where(PROOFS.c.member_id == member_id).order_by(PROOFS.c.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(PROOFS.c.id < before)
    return list(connection.execute(statement).mappings())


def approve(connection: Connection, proof_id: str, *, actor_id: str, now: datetime) -> bool:
    """Approve a proof that somebody else entered; False when it is not open (any more), or this actor's own."""
    is_open = and_(PROOFS.c.approved_at.is_(None), PROOFS.c.withdrawn_at.is_(None))
    statement = (
        update(PROOFS)
        .where(PROOFS.c.id == proof_id, is_open, PROOFS.c.entered_by != actor_id)
        .values(approved_at=now, approved_by=actor_id)
    )
    return connection.execute(statement).rowcount == 1


def withdraw(connection: Connection, proof_id: str, *, actor_id: str, now: datetime) -> bool:
    """Withdraw a proof; False when it is withdrawn already."""
    statement = (
        update(PROOFS)
        .where(PROOFS.c.id == proof_id, PROOFS.c.withdrawn_at.is_(None))
        .values(withdrawn_at=now, withdrawn_by=actor_id)
    )
    return connection.execute(statement).rowcount == 1


def approved(connection: Connection, member_id: str, references: Sequence[str]) -> dict[str, str]:
    """The latest approved proof of a member for each of these references that has one: reference to proof id.

    Within a writing transaction none of them can be withdrawn before its end.
    """
    if not references:
        return {}
    name = connection.dialect.name
    parameters = {"member": member_id, **dialect.wanted(name, sorted(set(references)))}
    return {row[0]: row[1] for row in connection.execute(_approved(name), parameters)}


def _approved(dialect_name: str) -> Select[Any]:
    references = dialect.wanted_texts(dialect_name)
    stands = and_(PROOFS.c.approved_at.is_not(None), PROOFS.c.withdrawn_at.is_(None))
    return (
        select(PROOFS.c.reference, PROOFS.c.id)
        .select_from(references.join(PROOFS, PROOFS.c.reference == references.c.value))
        .where(PROOFS.c.member_id == bindparam("member"), stands)
        .order_by(PROOFS.c.id)
        .with_for_update(read=True, of=PROOFS)
    )
