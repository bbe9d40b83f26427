"""Duties: the hits that were shown to members as ones to be answered, and by when (R8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    Connection,
    ForeignKey,
    Select,
    and_,
    bindparam,
    delete,
    func,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from repository.storage import dialect
from repository.storage.base import Base
from repository.storage.filings import FILINGS
from repository.storage.hits import HIT_SIDES, HITS
from repository.storage.screenings import SCREENINGS


class DutyRow(Base):
    """A hit that was shown to a member as one to be answered: by when, and where in its ledger that stands.

    `answered_at` is the first answer, in time or not.
    """

    __tablename__ = "duties"

    member_id: Mapped[str] = mapped_column(ForeignKey("members.id"), primary_key=True)
    hit_id: Mapped[str] = mapped_column(ForeignKey("hits.id"), primary_key=True, index=True)
    due_on: Mapped[date]
    line: Mapped[str]
    record_class: Mapped[str]
    answered_at: Mapped[datetime | None]


DUTIES = Base.metadata.tables["duties"]


@dataclass(frozen=True, slots=True)
class Duty:
    """By when a member is to answer a hit, and under which line and class of its ledger; the answer's time if given."""

    member_id: str
    hit_id: str
    due_on: date
    line: str
    record_class: str
    answered_at: datetime | None = None


def of_hits(connection: Connection, member_id: str, hit_ids: Sequence[str]) -> dict[str, Duty]:
    """A member's duties on these hits, by hit."""
    if not hit_ids:
        return {}
    name = connection.dialect.name
    rows = connection.execute(_duties(name), {"member": member_id, **dialect.wanted(name, list(hit_ids))})
    return {row.hit_id: Duty(*row) for row in rows}


def owe(connection: Connection, wanted: Sequence[Duty]) -> list[Duty]:
    """Add duties; returns those that were not there before, whoever else adds them at the same time."""
    rows = [
        {
            "member_id": each.member_id,
            "hit_id": each.hit_id,
            "due_on": each.due_on,
            "line": each.line,
            "record_class": each.record_class,
            "answered_at": None,
        }
        for each in sorted(wanted, key=lambda duty: duty.hit_id)
    ]
    new = {row[0] for row in dialect.insert_new(connection, DUTIES, rows, "hit_id")}
    return [each for each in wanted if each.hit_id in new]


def settle(connection: Connection, duty: Duty, *, now: datetime) -> bool:
    """Note the first answer to a duty; False when there was one already."""
    mine = and_(DUTIES.c.member_id == duty.member_id, DUTIES.c.hit_id == duty.hit_id)
    done = connection.execute(update(DUTIES).where(mine, DUTIES.c.answered_at.is_(None)).values(answered_at=now))
    return done.rowcount == 1


def release(connection: Connection, filing_ids: Sequence[str], *, today: date) -> list[Duty]:
    """Drop the duties, not answered and not overdue, on hits of these filings that are superseded; returns them.

    Nobody owes an answer on a hit that is not there any more; shown again, it falls due again.
    """
    if not filing_ids:
        return []
    name = connection.dialect.name
    rows = connection.execute(_superseded(name), {"today": today, **dialect.wanted(name, list(filing_ids))})
    found = [Duty(*row) for row in rows]
    if not found:
        return []
    same = tuple_(DUTIES.c.member_id, DUTIES.c.hit_id).in_([(each.member_id, each.hit_id) for each in found])
    connection.execute(delete(DUTIES).where(same))
    return found


def own_pairs(connection: Connection, member_id: str, hit_ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Under which (line, class) a member's answers on its hits count, by hit; superseded hits are left out.

    The own filing's; for a screening, which has no class, the line asked in and the class of the record it hit.
    """
    if not hit_ids:
        return {}
    name = connection.dialect.name
    rows = connection.execute(_own_pairs(name), {"member": member_id, **dialect.wanted(name, list(hit_ids))})
    return {row[0]: (row[1], row[2]) for row in rows}


@cache
def _duties(dialect_name: str) -> Select[Any]:
    hits = dialect.wanted_texts(dialect_name)
    joined = hits.join(DUTIES, DUTIES.c.hit_id == hits.c.value)
    return select(DUTIES).select_from(joined).where(DUTIES.c.member_id == bindparam("member"))


@cache
def _superseded(dialect_name: str) -> Select[Any]:
    filings = dialect.wanted_texts(dialect_name)
    involved = or_(HITS.c.low_filing_id == filings.c.value, HITS.c.high_filing_id == filings.c.value)
    gone = select(HITS.c.id).select_from(filings.join(HITS, involved)).where(HITS.c.superseded_at.is_not(None))
    standing = and_(DUTIES.c.answered_at.is_(None), DUTIES.c.due_on >= bindparam("today"))
    # One that is being answered at this moment is not waited for: it stands.
    return select(DUTIES).where(DUTIES.c.hit_id.in_(gone), standing).with_for_update(skip_locked=True)


@cache
def _own_pairs(dialect_name: str) -> Select[Any]:
    hits, side = dialect.wanted_texts(dialect_name), HIT_SIDES
    own, their = FILINGS.alias("own"), FILINGS.alias("their")
    joined = (
        hits.join(side, side.c.hit_id == hits.c.value)
        .join(HITS, HITS.c.id == side.c.hit_id)
        .join(their, their.c.id == side.c.their_filing_id)
        .outerjoin(own, own.c.id == side.c.own_filing_id)
        .outerjoin(SCREENINGS, SCREENINGS.c.id == side.c.own_screening_id)
    )
    line = func.coalesce(own.c.line, SCREENINGS.c.line)
    record_class = func.coalesce(own.c.record_class, their.c.record_class)
    found = select(side.c.hit_id, line, record_class).select_from(joined)
    return found.where(side.c.member_id == bindparam("member"), HITS.c.superseded_at.is_(None))
