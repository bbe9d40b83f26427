"""Refutations of filings, and by how many members a filing is refuted. A row is kept after its end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, ForeignKey, Index, RowMapping, Select, UniqueConstraint, delete, func, select, update
from sqlalchemy.orm import Mapped, mapped_column

from repository.domain.casework import CaseStatus, Finding
from repository.domain.outcomes import HitOutcome
from repository.domain.refutations import Refutation, RefutationStatus
from repository.domain.rulebook import CLASS_TIER
from repository.storage import dialect
from repository.storage.base import Base
from repository.storage.casework import CASE_HITS, CASES, FINDINGS
from repository.storage.filings import FILINGS, VERSIONS
from repository.storage.hits import HIT_SIDES, HITS
from repository.storage.outcomes import OUTCOMES


class RefutationRow(Base):
    """A version of a filing that was refuted; it outlives the filing, which may be gone.

    The version is the last that changed what is matched: who only corrects a date has filed the same person still.
    """

    __tablename__ = "refutations"
    __table_args__ = (
        UniqueConstraint("filing_id", "version"),
        Index("ix_refutations_contributor_id", "contributor_id", "id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    filing_id: Mapped[str]
    version: Mapped[int]
    contributor_id: Mapped[str] = mapped_column(ForeignKey("members.id"))
    line: Mapped[str]
    record_class: Mapped[str]
    noticed_at: Mapped[datetime]
    contest_until: Mapped[date]
    status: Mapped[str] = mapped_column(index=True)
    note_reference: Mapped[str | None]
    answered_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    reason: Mapped[str | None]


REFUTATIONS = Base.metadata.tables["refutations"]


def add(connection: Connection, refutation: Refutation) -> bool:
    """Store a refutation; False when this version of the filing has one."""
    row = {name: getattr(refutation, name) for name in Refutation.__slots__} | {"status": refutation.status.value}
    return bool(dialect.insert_new(connection, REFUTATIONS, [row], "id"))


def renew(connection: Connection, refutation: Refutation) -> bool:
    """Give notice again of one that was void; False when this version has one that is not."""
    of = (REFUTATIONS.c.filing_id == refutation.filing_id, REFUTATIONS.c.version == refutation.version)
    void = (*of, REFUTATIONS.c.contributor_id == refutation.contributor_id)
    names = ("id", "noticed_at", "contest_until", "note_reference", "answered_at", "closed_at", "reason")
    values = {name: getattr(refutation, name) for name in names} | {"status": refutation.status.value}
    statement = update(REFUTATIONS).where(*void, REFUTATIONS.c.status == RefutationStatus.VOID.value)
    return connection.execute(statement.values(values)).rowcount == 1


def unclosed(connection: Connection, contributor_id: str, filing_id: str) -> list[Refutation]:
    """The refutations of a filing that are not closed; nobody changes them until this transaction ends."""
    mine = (REFUTATIONS.c.contributor_id == contributor_id, REFUTATIONS.c.filing_id == filing_id)
    statement = select(REFUTATIONS).where(*mine, REFUTATIONS.c.closed_at.is_(None)).with_for_update()
    return [_refutation(row) for row in connection.execute(statement).mappings()]


def forget_over(connection: Connection, *, before: datetime, limit: int) -> int:
    """Forget refutations that were closed before a time; how many. That a version counted is kept elsewhere."""
    old = select(REFUTATIONS.c.id).where(REFUTATIONS.c.closed_at < before).order_by(REFUTATIONS.c.id).limit(limit)
    return connection.execute(delete(REFUTATIONS).where(REFUTATIONS.c.id.in_(old))).rowcount


def count_closed(connection: Connection, *, before: datetime) -> int:
    """How many refutations were closed before a time."""
    statement = select(func.count()).select_from(REFUTATIONS).where(REFUTATIONS.c.closed_at < before)
    return int(connection.execute(statement).scalar_one())


def save(connection: Connection, refutation: Refutation) -> None:
    """Store what has become of a refutation, read for change in the same transaction."""
    names = ("note_reference", "answered_at", "closed_at", "reason")
    values = {name: getattr(refutation, name) for name in names} | {"status": refutation.status.value}
    mine = (REFUTATIONS.c.id == refutation.id, REFUTATIONS.c.contributor_id == refutation.contributor_id)
    connection.execute(update(REFUTATIONS).where(*mine).values(values))


def one(connection: Connection, refutation_id: str) -> Refutation | None:
    """A refutation, whosever filing it is of; nobody else changes it until this transaction ends."""
    statement = select(REFUTATIONS).where(REFUTATIONS.c.id == refutation_id).with_for_update()
    row = connection.execute(statement).mappings().one_or_none()
    return None if row is None else _refutation(row)


def of_member(connection: Connection, member_id: str, *, before: str | None, limit: int) -> list[Refutation]:
    """Refutations of a member's filings, latest first."""
    statement = select(REFUTATIONS).where(REFUTATIONS.c.contributor_id == member_id)
    if before is not None:
        statement = statement.where(REFUTATIONS.c.id < before)
    rows = connection.execute(statement.order_by(REFUTATIONS.c.id.desc()).limit(limit)).mappings()
    return [_refutation(row) for row in rows]


def of_pool(connection: Connection, statuses: Sequence[str], *, limit: int) -> list[Refutation]:
    """The latest refutations of all filings in these statuses: for the operator."""
    statement = select(REFUTATIONS).where(REFUTATIONS.c.status.in_(statuses))
    rows = connection.execute(statement.order_by(REFUTATIONS.c.id.desc()).limit(limit)).mappings()
    return [_refutation(row) for row in rows]


def over(connection: Connection, *, today: date, limit: int) -> list[Refutation]:
    """Refutations that nobody contested until yesterday or before; nobody changes them until this transaction ends."""
    statement = select(REFUTATIONS).where(*_over(today)).order_by(REFUTATIONS.c.id).limit(limit)
    return [_refutation(row) for row in connection.execute(statement.with_for_update()).mappings()]


def count_over(connection: Connection, *, today: date) -> int:
    """How many refutations nobody contested until yesterday or before."""
    statement = select(func.count()).select_from(REFUTATIONS).where(*_over(today))
    return int(connection.execute(statement).scalar_one())


def judged(connection: Connection, member_id: str, case_id: str, classes: Sequence[str]) -> list[RowMapping]:
    """The filings of some classes that a member's case cleared: those found there to be of the same subject."""
    joined = CASE_HITS.join(HIT_SIDES, _same_side())
    joined = joined.join(OUTCOMES, _said()).join(FILINGS, FILINGS.c.id == HIT_SIDES.c.their_filing_id)
    filing = FILINGS.c
    statement = (
        select(filing.id, _matched().label("version"), filing.member_id, filing.line, filing.record_class)
        .select_from(joined)
        .where(CASE_HITS.c.member_id == member_id, CASE_HITS.c.case_id == case_id, filing.record_class.in_(classes))
        .distinct()
        .order_by(filing.id)
    )
    return list(connection.execute(statement).mappings())


def refuters(connection: Connection, filing_id: str, version: int) -> set[str]:
    """The members that refute a version of a filing.

    Each was told its class, found a live hit on it, since this version is there, to be of the same subject, and has the
    case that is about it closed as clear, which a second person of it confirmed. No other version was matched since.
    """
    statement = _refuters().where(FILINGS.c.id == filing_id, VERSIONS.c.version == version)
    return set(connection.scalars(statement))


def _refuters() -> Select[Any]:
    case, found = CASES.c, FINDINGS.c
    of_version = (VERSIONS.c.filing_id == FILINGS.c.id) & (VERSIONS.c.version == _matched())
    joined = (
        FILINGS.join(VERSIONS, of_version)
        .join(HIT_SIDES, HIT_SIDES.c.their_filing_id == FILINGS.c.id)
        .join(HITS, HITS.c.id == HIT_SIDES.c.hit_id)
        .join(OUTCOMES, _said())
        .join(CASE_HITS, _same_side())
        .join(CASES, case.id == CASE_HITS.c.case_id)
        .join(FINDINGS, (found.case_id == case.id) & (found.finding == Finding.CLEAR.value))
    )
    return (
        select(HIT_SIDES.c.member_id)
        .select_from(joined)
        .where(
            HITS.c.superseded_at.is_(None),
            HIT_SIDES.c.shown_tier >= CLASS_TIER,
            OUTCOMES.c.given_at >= VERSIONS.c.filed_at,
            HIT_SIDES.c.member_id != FILINGS.c.member_id,
            case.status == CaseStatus.CLOSED.value,
            case.finding == Finding.CLEAR.value,
            found.decided_by.is_not(None),
            found.decided_by != found.proposed_by,
            found.proposed_at == _last_found(),
        )
        .distinct()
    )


def _matched() -> Any:
    """The last version of a filing that changed what is matched."""
    version = VERSIONS.alias("matched")
    of_filing = (version.c.filing_id == FILINGS.c.id) & version.c.matched
    return select(func.max(version.c.version)).where(of_filing).correlate(FILINGS).scalar_subquery()


def _last_found() -> Any:
    """When the last finding on a case was put: one before it was opened again says nothing."""
    last = FINDINGS.alias("last")
    return select(func.max(last.c.proposed_at)).where(last.c.case_id == CASES.c.id).correlate(CASES).scalar_subquery()


def _same_side() -> Any:
    side = HIT_SIDES.c
    return (CASE_HITS.c.member_id == side.member_id) & (CASE_HITS.c.hit_id == side.hit_id)


def _said() -> Any:
    mine = (OUTCOMES.c.member_id == HIT_SIDES.c.member_id) & (OUTCOMES.c.hit_id == HIT_SIDES.c.hit_id)
    return mine & (OUTCOMES.c.outcome == HitOutcome.SAME_SUBJECT.value)


def _over(today: date) -> tuple[Any, ...]:
    return (REFUTATIONS.c.status == RefutationStatus.NOTICED.value, REFUTATIONS.c.contest_until < today)


def _refutation(row: RowMapping) -> Refutation:
    return Refutation(**{**row, "status": RefutationStatus(row["status"])})
