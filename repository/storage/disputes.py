"""Disputes about filings. A row is kept after its end: it says what came of it and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, ForeignKey, Index, Row, select, text, update
from sqlalchemy.orm import Mapped, mapped_column

from repository.domain.disputes import Decider, Dispute, Disputed, DisputeStatus, Ground
from repository.domain.flags import Flag
from repository.storage import dialect
from repository.storage.base import Base
from repository.storage.filings import FILINGS
from repository.storage.flags import FLAGS


class DisputeRow(Base):
    """One dispute; of one raiser about one filing at most one is not closed.

    `filing_version`, `line` and `record_class` are those of the filing when the dispute was raised. It outlives the
    filing and the hit, which may be gone.
    """

    __tablename__ = "disputes"
    __table_args__ = (
        Index(
            "uq_disputes_unclosed",
            "raiser_id",
            "filing_id",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index("ix_disputes_raiser_id", "raiser_id", "id"),
        Index("ix_disputes_contributor_id", "contributor_id", "id"),
        Index("ix_disputes_answer_until", "answer_until"),
        Index("ix_disputes_filing_id", "filing_id", "raiser_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    raiser_id: Mapped[str] = mapped_column(ForeignKey("members.id"))
    contributor_id: Mapped[str] = mapped_column(ForeignKey("members.id"))
    hit_id: Mapped[str]
    filing_id: Mapped[str]
    filing_version: Mapped[int]
    line: Mapped[str]
    record_class: Mapped[str]
    ground: Mapped[str]
    statement_reference: Mapped[str]
    raised_at: Mapped[datetime]
    status: Mapped[str]
    accepts: Mapped[bool | None]
    note_reference: Mapped[str | None]
    answered_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None]
    reason: Mapped[str | None]
    answer_by: Mapped[date | None]
    answer_until: Mapped[datetime | None]


class UpheldRow(Base):
    """A version of a filing about which a dispute was upheld, or that was refuted: it counts once.

    The filing may be gone; a dispute about it may be decided still.
    """

    __tablename__ = "upheld_versions"

    filing_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    dispute_id: Mapped[str | None] = mapped_column(ForeignKey("disputes.id"))


DISPUTES = Base.metadata.tables["disputes"]
UPHELD = Base.metadata.tables["upheld_versions"]


@dataclass(frozen=True, slots=True)
class Of:
    """Whose disputes, and in which status; what is None is not asked for."""

    raiser_id: str | None = None
    contributor_id: str | None = None
    statuses: Sequence[str] | None = None


def add(connection: Connection, dispute: Dispute) -> bool:
    """Store a dispute; False when its raiser has one about the filing that is not closed."""
    row = {
        "id": dispute.id,
        "raiser_id": dispute.raiser_id,
        "contributor_id": dispute.about.contributor_id,
        "hit_id": dispute.hit_id,
        "filing_id": dispute.about.filing_id,
        "filing_version": dispute.about.version,
        "line": dispute.about.line,
        "record_class": dispute.about.record_class,
        "ground": dispute.ground.value,
        "statement_reference": dispute.statement_reference,
        "raised_at": dispute.raised_at,
        "answer_by": dispute.answer_by,
        "answer_until": dispute.answer_until,
        **_state(dispute),
    }
    return bool(dialect.insert_new(connection, DISPUTES, [row], "id"))


def save(connection: Connection, dispute: Dispute) -> None:
    """Store what has become of a dispute, read by `one` in the same writing transaction."""
    connection.execute(update(DISPUTES).where(DISPUTES.c.id == dispute.id).values(_state(dispute)))


def one(connection: Connection, dispute_id: str, *, for_change: bool = False) -> Dispute | None:
    """A dispute, whoever's it is; `for_change` keeps others from changing it until this transaction ends."""
    statement = select(DISPUTES).where(DISPUTES.c.id == dispute_id)
    row = connection.execute(statement.with_for_update() if for_change else statement).one_or_none()
    return None if row is None else _dispute(row)


def unclosed(connection: Connection, raiser_id: str, filing_id: str) -> Dispute | None:
    """The dispute that a member has about a filing and that is not closed."""
    mine = (DISPUTES.c.raiser_id == raiser_id, DISPUTES.c.filing_id == filing_id, DISPUTES.c.closed_at.is_(None))
    row = connection.execute(select(DISPUTES).where(*mine)).one_or_none()
    return None if row is None else _dispute(row)


def is_decided(connection: Connection, raiser_id: str, about: Disputed) -> bool:
    """Whether a member's dispute about this version of a filing is closed."""
    same = (DISPUTES.c.filing_id == about.filing_id, DISPUTES.c.filing_version == about.version)
    mine = select(DISPUTES.c.id).where(DISPUTES.c.raiser_id == raiser_id, *same, DISPUTES.c.closed_at.is_not(None))
    return connection.execute(mine.limit(1)).first() is not None


def unclosed_about(connection: Connection, filing_id: str) -> list[Dispute]:
    """The disputes about a filing that are not closed, whoever raised them; nobody changes them until this ends."""
    open_ones = (DISPUTES.c.filing_id == filing_id, DISPUTES.c.closed_at.is_(None))
    statement = select(DISPUTES).where(*open_ones).order_by(DISPUTES.c.id).with_for_update()
    return [_dispute(row) for row in connection.execute(statement)]


def page(connection: Connection, of: Of, *, before: str | None, limit: int) -> list[Dispute]:
    """Disputes, latest first, with ids less than `before`."""
    conditions: list[ColumnElement[bool]] = []
    if of.raiser_id is not None:
        # One that was raised for a person is told in that person's report, and not before it.
        conditions += [DISPUTES.c.raiser_id == of.raiser_id, ~DISPUTES.c.hit_id.startswith("sbr_", autoescape=True)]
    if of.contributor_id is not None:
        conditions.append(DISPUTES.c.contributor_id == of.contributor_id)
    if of.statuses is not None:
        conditions.append(DISPUTES.c.status.in_(of.statuses))
    if before is not None:
        conditions.append(DISPUTES.c.id < before)
    statement = select(DISPUTES).where(*conditions).order_by(DISPUTES.c.id.desc()).limit(limit)
    return [_dispute(row) for row in connection.execute(statement)]


def overdue(connection: Connection, *, now: datetime, limit: int) -> list[str]:
    """Some disputes, whosever, that are still open after their time, the longest first."""
    late = (DISPUTES.c.status == DisputeStatus.OPEN.value, DISPUTES.c.answer_until <= now)
    suppressed = select(FLAGS.c.filing_id).where(
        FLAGS.c.filing_id == DISPUTES.c.filing_id,
        FLAGS.c.cause == DISPUTES.c.id,
        FLAGS.c.flag == Flag.SUPPRESSED.value,
    )
    there = select(FILINGS.c.id).where(FILINGS.c.id == DISPUTES.c.filing_id)
    statement = select(DISPUTES.c.id).where(*late, there.exists(), ~suppressed.exists())
    return list(connection.execute(statement.order_by(DISPUTES.c.answer_until, DISPUTES.c.id).limit(limit)).scalars())


def count_upheld(connection: Connection, dispute: Dispute) -> bool:
    """Note that a version of a filing was disputed rightly; False when that was noted before."""
    return count_version(connection, dispute.about.filing_id, dispute.about.version, dispute_id=dispute.id)


def count_version(connection: Connection, filing_id: str, version: int, *, dispute_id: str | None = None) -> bool:
    """Note that a version of a filing counts against its contributor; False when that was noted before."""
    row = {"filing_id": filing_id, "version": version, "dispute_id": dispute_id}
    return bool(dialect.insert_new(connection, UPHELD, [row], "filing_id"))


def references(connection: Connection, filing_ids: Sequence[str]) -> dict[str, str]:
    """The references of filings that are there still, by filing: for their own member, or the operator."""
    name = connection.dialect.name
    filings = dialect.wanted_texts(name)
    statement = select(FILINGS.c.id, FILINGS.c.reference).select_from(
        filings.join(FILINGS, FILINGS.c.id == filings.c.value)
    )
    return {row[0]: row[1] for row in connection.execute(statement, dialect.wanted(name, list(filing_ids)))}


def _state(dispute: Dispute) -> dict[str, Any]:
    return {
        "status": dispute.status.value,
        "accepts": dispute.accepts,
        "note_reference": dispute.note_reference,
        "answered_at": dispute.answered_at,
        "closed_at": dispute.closed_at,
        "closed_by": None if dispute.closed_by is None else dispute.closed_by.value,
        "reason": dispute.reason,
    }


def _dispute(row: Row[Any]) -> Dispute:
    return Dispute(
        id=row.id,
        raiser_id=row.raiser_id,
        hit_id=row.hit_id,
        about=Disputed(row.filing_id, row.filing_version, row.contributor_id, row.line, row.record_class),
        ground=Ground(row.ground),
        statement_reference=row.statement_reference,
        raised_at=row.raised_at,
        status=DisputeStatus(row.status),
        accepts=row.accepts,
        note_reference=row.note_reference,
        answered_at=row.answered_at,
        closed_at=row.closed_at,
        closed_by=None if row.closed_by is None else Decider(row.closed_by),
        reason=row.reason,
        answer_by=row.answer_by,
        answer_until=row.answer_until,
    )
