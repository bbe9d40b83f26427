"""Cases of members: the hits in them, their moves, notes and findings. Words are sealed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    ForeignKey,
    Index,
    LargeBinary,
    RowMapping,
    Select,
    UniqueConstraint,
    func,
    insert,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from repository.domain.casework import Case, CaseStatus, Finding
from repository.storage import dialect
from repository.storage.base import Base
from repository.storage.hits import HIT_SIDES
from repository.storage.members import MemberRow
from repository.storage.screenings import SCREENINGS


class CaseRow(Base):
    """A member's work on one subject. `version` counts its moves, from 1: each is made on the one before."""

    __tablename__ = "cases"
    __table_args__ = (Index("ix_cases_queue", "member_id", "status", "due_on"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    member_id: Mapped[str] = mapped_column(ForeignKey("members.id"))
    version: Mapped[int]
    status: Mapped[str]
    assignee_id: Mapped[str | None] = mapped_column(ForeignKey("actors.id"))
    due_on: Mapped[date]
    snoozed_until: Mapped[date | None]
    opened_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    proposed_by: Mapped[str | None] = mapped_column(ForeignKey("actors.id"))
    finding: Mapped[str | None]
    merged_into: Mapped[str | None] = mapped_column(ForeignKey("cases.id"), index=True)


class CaseHitRow(Base):
    """A hit in a member's case; it is in one at a time."""

    __tablename__ = "case_hits"

    member_id: Mapped[str] = mapped_column(ForeignKey("members.id"), primary_key=True)
    hit_id: Mapped[str] = mapped_column(ForeignKey("hits.id"), primary_key=True, index=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"), index=True)
    added_at: Mapped[datetime]


class CaseMoveRow(Base):
    """A move, by the version it made. The id is its event's; no actor where the pool moved the case itself."""

    __tablename__ = "case_moves"
    __table_args__ = (UniqueConstraint("case_id", "version"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    member_id: Mapped[str] = mapped_column(ForeignKey("members.id"))
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"))
    version: Mapped[int]
    at: Mapped[datetime]
    actor_id: Mapped[str | None] = mapped_column(ForeignKey("actors.id"))
    move: Mapped[str]
    status: Mapped[str]
    reason: Mapped[bytes | None] = mapped_column(LargeBinary)


class CaseNoteRow(Base):
    """A note on a case, never changed. Attachments stay with the member, whose reference it has."""

    __tablename__ = "case_notes"

    id: Mapped[str] = mapped_column(primary_key=True)
    member_id: Mapped[str] = mapped_column(ForeignKey("members.id"))
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"), index=True)
    at: Mapped[datetime]
    actor_id: Mapped[str] = mapped_column(ForeignKey("actors.id"))
    text: Mapped[bytes] = mapped_column(LargeBinary)
    attachment_reference: Mapped[str | None]


class FindingRow(Base):
    """What was found of a case, and who decided it. `words` are the evidence, and of the subject's own word."""

    __tablename__ = "findings"

    id: Mapped[str] = mapped_column(primary_key=True)
    member_id: Mapped[str] = mapped_column(ForeignKey("members.id"))
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"), index=True)
    finding: Mapped[str]
    proposed_at: Mapped[datetime]
    proposed_by: Mapped[str] = mapped_column(ForeignKey("actors.id"))
    words: Mapped[bytes] = mapped_column(LargeBinary)
    evidence_reference: Mapped[str | None]
    subject_could_speak: Mapped[bool | None]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None] = mapped_column(ForeignKey("actors.id"))
    approved: Mapped[bool | None]


CASES = Base.metadata.tables["cases"]
CASE_HITS = Base.metadata.tables["case_hits"]
CASE_MOVES = Base.metadata.tables["case_moves"]
CASE_NOTES = Base.metadata.tables["case_notes"]
FINDINGS = Base.metadata.tables["findings"]
_MEMBERS = Base.metadata.tables[MemberRow.__tablename__]
_NEXT = (CaseStatus.NEW.value, CaseStatus.OPEN.value)
Place = tuple[str, int]
"""A subject: id of a filing or screening, and its place in it."""


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Which cases of a member: `unassigned` asks for those of nobody; days are those on which they were opened."""

    statuses: Sequence[str] | None = None
    assignee_id: str | None = None
    unassigned: bool = False
    due_by: date | None = None
    opened_from: datetime | None = None
    opened_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Filed:
    """A hit that is in a case: its two sides."""

    case_id: str
    own: Place
    their: Place


def lock(connection: Connection, member_id: str) -> None:
    """Let one at a time work on several cases of a member. SQLite's BEGIN IMMEDIATE has done it already."""
    lock_all(connection, [member_id])


def lock_all(connection: Connection, member_ids: Sequence[str]) -> None:
    """The same for members, in the order of their ids."""
    wanted = select(_MEMBERS.c.id).where(_MEMBERS.c.id.in_(member_ids)).order_by(_MEMBERS.c.id)
    connection.execute(wanted.with_for_update(key_share=True))


def add(connection: Connection, case: Case) -> None:
    """Store a new case."""
    connection.execute(insert(CASES), [_row(case)])


def save(connection: Connection, case: Case) -> bool:
    """Store a case after a move; False when it is not at the version before this one any more."""
    mine = (CASES.c.id == case.id, CASES.c.member_id == case.member_id, CASES.c.version == case.version - 1)
    return connection.execute(update(CASES).where(*mine).values(_row(case))).rowcount == 1


def find(connection: Connection, member_id: str, case_id: str) -> Case | None:
    """A member's case."""
    statement = select(CASES).where(CASES.c.member_id == member_id, CASES.c.id == case_id)
    row = connection.execute(statement).mappings().one_or_none()
    return None if row is None else _case(row)


def of_ids(connection: Connection, member_id: str, case_ids: Sequence[str]) -> list[Case]:
    """Some of a member's cases, the oldest first: by the id, so that a row refers to one that sorts before it."""
    statement = select(CASES).where(CASES.c.member_id == member_id, CASES.c.id.in_(case_ids))
    rows = connection.execute(statement.order_by(CASES.c.id))
    return [_case(row) for row in rows.mappings()]


def page(
    connection: Connection,
    member_id: str,
    chosen: CaseFilter,
    among: Select[Any] | None,
    *,
    before: str | None,
    limit: int,
) -> list[Case]:
    """A member's cases, newest first, with ids less than `before`; `among` selects the ids of those to look at."""
    conditions = _conditions(chosen)
    if among is not None:
        conditions.append(CASES.c.id.in_(among))
    if before is not None:
        conditions.append(CASES.c.id < before)
    statement = select(CASES).where(CASES.c.member_id == member_id, *conditions)
    rows = connection.execute(statement.order_by(CASES.c.id.desc()).limit(limit))
    return [_case(row) for row in rows.mappings()]


def next_unassigned(connection: Connection, member_id: str) -> Case | None:
    """The case that is due first of those that nobody has; nobody else gets it until this transaction ends."""
    mine = (CASES.c.member_id == member_id, CASES.c.status.in_(_NEXT), CASES.c.assignee_id.is_(None))
    statement = select(CASES).where(*mine).order_by(CASES.c.due_on, CASES.c.id).limit(1)
    row = connection.execute(statement.with_for_update(skip_locked=True)).mappings().one_or_none()
    return None if row is None else _case(row)


def over_snoozed(connection: Connection, member_id: str, today: date, limit: int) -> list[Case]:
    """The cases that were put off until today or before."""
    snoozed = (CASES.c.member_id == member_id, CASES.c.status == CaseStatus.SNOOZED.value)
    statement = select(CASES).where(*snoozed, CASES.c.snoozed_until <= today).order_by(CASES.c.id).limit(limit)
    return [_case(row) for row in connection.execute(statement).mappings()]


def put_hits(connection: Connection, member_id: str, hits: Mapping[str, str], *, now: datetime) -> None:
    """Put hits into cases, by hit id."""
    rows = [{"member_id": member_id, "hit_id": hit, "case_id": hits[hit], "added_at": now} for hit in sorted(hits)]
    dialect.insert_missing(connection, CASE_HITS, rows)


def move_content(connection: Connection, member_id: str, old: str, new: str, *, now: datetime) -> None:
    """Put hits, notes and findings of one case into another; a finding that waits for its decision gets none."""
    waits = (FINDINGS.c.member_id == member_id, FINDINGS.c.case_id == old, FINDINGS.c.decided_at.is_(None))
    connection.execute(update(FINDINGS).where(*waits).values(decided_at=now))
    for table in (CASE_HITS, CASE_NOTES, FINDINGS):
        mine = (table.c.member_id == member_id, table.c.case_id == old)
        connection.execute(update(table).where(*mine).values(case_id=new))


def filed(connection: Connection, member_id: str, own: Sequence[Place], their: Sequence[Place]) -> list[Filed]:
    """The hits in cases that have one of these subjects at either side."""
    side = HIT_SIDES.c
    involved: list[ColumnElement[bool]] = [
        tuple_(side.own_filing_id, side.own_position).in_(own),
        tuple_(side.own_screening_id, side.own_position).in_(own),
    ]
    if their:
        involved.append(tuple_(side.their_filing_id, side.their_position).in_(their))
    statement = (
        select(
            CASE_HITS.c.case_id,
            func.coalesce(side.own_filing_id, side.own_screening_id),
            side.own_position,
            side.their_filing_id,
            side.their_position,
        )
        .select_from(
            CASE_HITS.join(HIT_SIDES, (side.hit_id == CASE_HITS.c.hit_id) & (side.member_id == CASE_HITS.c.member_id))
        )
        .where(CASE_HITS.c.member_id == member_id, or_(*involved))
    )
    return [Filed(row[0], (row[1], row[2]), (row[3], row[4])) for row in connection.execute(statement)]


def searchers(connection: Connection, member_id: str, case_id: str) -> set[str]:
    """Who of the member asked the pool the questions that hit a record of a case, whether those hits are in it or not.

    A hit that is in no case, as one that was answered before, was asked for all the same.
    """
    there, side = HIT_SIDES.alias("there"), HIT_SIDES.c
    joined = CASE_HITS.join(there, (there.c.hit_id == CASE_HITS.c.hit_id) & (there.c.member_id == member_id))
    of_record = (side.their_filing_id == there.c.their_filing_id) & (side.their_position == there.c.their_position)
    joined = joined.join(HIT_SIDES, of_record & (side.member_id == member_id))
    joined = joined.join(SCREENINGS, SCREENINGS.c.id == side.own_screening_id)
    mine = (CASE_HITS.c.member_id == member_id, CASE_HITS.c.case_id == case_id)
    return set(connection.scalars(select(SCREENINGS.c.actor_id).select_from(joined).where(*mine)))


def own_filings(connection: Connection, member_id: str, case_id: str) -> list[str]:
    """The member's filings whose hits are in a case."""
    side = HIT_SIDES.c
    joined = CASE_HITS.join(HIT_SIDES, (side.hit_id == CASE_HITS.c.hit_id) & (side.member_id == CASE_HITS.c.member_id))
    mine = (CASE_HITS.c.member_id == member_id, CASE_HITS.c.case_id == case_id, side.own_filing_id.is_not(None))
    return sorted(connection.scalars(select(side.own_filing_id).select_from(joined).where(*mine).distinct()))


def hit_ids(connection: Connection, member_id: str, case_id: str) -> list[str]:
    """The hits in a case, whether they may be seen now or not."""
    mine = (CASE_HITS.c.member_id == member_id, CASE_HITS.c.case_id == case_id)
    return list(connection.scalars(select(CASE_HITS.c.hit_id).where(*mine).order_by(CASE_HITS.c.hit_id)))


def note_move(connection: Connection, row: Mapping[str, Any]) -> None:
    """Store a move."""
    connection.execute(insert(CASE_MOVES), [dict(row)])


def moves(connection: Connection, member_id: str, case_id: str) -> list[RowMapping]:
    """The moves of a case, the first one first."""
    mine = (CASE_MOVES.c.member_id == member_id, CASE_MOVES.c.case_id == case_id)
    return list(connection.execute(select(CASE_MOVES).where(*mine).order_by(CASE_MOVES.c.version)).mappings())


def add_note(connection: Connection, row: Mapping[str, Any]) -> None:
    """Store a note."""
    connection.execute(insert(CASE_NOTES), [dict(row)])


def notes(connection: Connection, member_id: str, case_ids: Sequence[str]) -> list[RowMapping]:
    """The notes on cases, the first one first."""
    mine = (CASE_NOTES.c.member_id == member_id, CASE_NOTES.c.case_id.in_(case_ids))
    return list(connection.execute(select(CASE_NOTES).where(*mine).order_by(CASE_NOTES.c.id)).mappings())


def one_note(connection: Connection, member_id: str, note_id: str) -> RowMapping | None:
    """A member's note."""
    mine = (CASE_NOTES.c.member_id == member_id, CASE_NOTES.c.id == note_id)
    return connection.execute(select(CASE_NOTES).where(*mine)).mappings().one_or_none()


def add_finding(connection: Connection, row: Mapping[str, Any]) -> None:
    """Store a finding."""
    connection.execute(insert(FINDINGS), [dict(row)])


def decide(connection: Connection, case: Case, *, approved: bool | None, actor_id: str) -> None:
    """Note the decision on the finding of a case that waited for one; neither where it was withdrawn."""
    of_case = (FINDINGS.c.member_id == case.member_id, FINDINGS.c.case_id == case.id)
    decided = {"approved": approved, "decided_by": actor_id, "decided_at": case.changed_at}
    connection.execute(update(FINDINGS).where(*of_case, FINDINGS.c.decided_at.is_(None)).values(decided))


def confirm(connection: Connection, case: Case, *, actor_id: str) -> bool:
    """Note who confirmed that a case is clear; False where somebody did before."""
    of_case = (FINDINGS.c.member_id == case.member_id, FINDINGS.c.case_id == case.id)
    last = select(func.max(FINDINGS.c.id)).where(*of_case, FINDINGS.c.finding == Finding.CLEAR.value).scalar_subquery()
    open_still = (*of_case, FINDINGS.c.id == last, FINDINGS.c.decided_by.is_(None))
    confirmed = {"decided_by": actor_id, "decided_at": case.changed_at}
    return connection.execute(update(FINDINGS).where(*open_still).values(confirmed)).rowcount == 1


def findings(connection: Connection, member_id: str, case_id: str) -> list[RowMapping]:
    """The findings on a case, the first one first."""
    mine = (FINDINGS.c.member_id == member_id, FINDINGS.c.case_id == case_id)
    return list(connection.execute(select(FINDINGS).where(*mine).order_by(FINDINGS.c.id)).mappings())


def _conditions(chosen: CaseFilter) -> list[ColumnElement[bool]]:
    conditions = [CASES.c.status != CaseStatus.MERGED.value]
    if chosen.statuses is not None:
        conditions = [CASES.c.status.in_(chosen.statuses)]
    if chosen.unassigned:
        conditions.append(CASES.c.assignee_id.is_(None))
    if chosen.assignee_id is not None:
        conditions.append(CASES.c.assignee_id == chosen.assignee_id)
    if chosen.due_by is not None:
        conditions.append(CASES.c.due_on <= chosen.due_by)
    if chosen.opened_from is not None:
        conditions.append(CASES.c.opened_at >= chosen.opened_from)
    if chosen.opened_before is not None:
        conditions.append(CASES.c.opened_at < chosen.opened_before)
    return conditions


def _row(case: Case) -> dict[str, Any]:
    return {name: getattr(case, name) for name in Case.__slots__} | {
        "status": case.status.value,
        "finding": None if case.finding is None else case.finding.value,
    }


def _case(row: RowMapping) -> Case:
    finding = None if row["finding"] is None else Finding(row["finding"])
    return Case(**{**row, "status": CaseStatus(row["status"]), "finding": finding})
