"""Duties: the hits that were shown to members as ones to be answered, and by when (R8)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    ForeignKey,
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
from repository.storage.base import Base
from repository.storage.filings import FILINGS
from repository.storage.hits import HIT_SIDES, HITS
from repository.storage.outcomes import OUTCOMES
from repository.storage.screenings import SCREENINGS


class DutyRow(Base):
    """A hit that was shown to a member as one to be answered: by when, and where in its ledger that stands.

    `answered_at` is the first answer, in time or not. A duty is released, by the member whose new version ended the
    hit, while the hit is gone: it is not in the ledger then, and keeps its day for when the match is found again.
    """

    __tablename__ = "duties"

    member_id: Mapped[str] = mapped_column(ForeignKey("members.id"), primary_key=True)
    hit_id: Mapped[str] = mapped_column(ForeignKey("hits.id"), primary_key=True, index=True)
    due_on: Mapped[date]
    line: Mapped[str]
    record_class: Mapped[str]
    answered_at: Mapped[datetime | None]
    released_on: Mapped[date | None]
    released_by: Mapped[str | None]


DUTIES = Base.metadata.tables["duties"]
_INSERT = dialect.Prepared(lambda _name: insert(DUTIES))


@dataclass(frozen=True, slots=True)
class Duty:
    """By when a member is to answer a hit, and under which line and class of its ledger; the answer's time if given.

    `released_on` is set while the hit is gone.
    """

    member_id: str
    hit_id: str
    due_on: date
    line: str
    record_class: str
    answered_at: datetime | None = None
    released_on: date | None = None
    released_by: str | None = None


def of_hits(connection: Connection, member_id: str, hit_ids: Sequence[str]) -> dict[str, Duty]:
    """A member's duties on these hits, by hit, released ones too."""
    if not hit_ids:
        return {}
    name = connection.dialect.name
    rows = connection.execute(_duties(name), {"member": member_id, **dialect.wanted(name, list(hit_ids))})
    return {row.hit_id: Duty(*row) for row in rows}


def owe(connection: Connection, wanted: Sequence[Duty]) -> list[Duty]:
    """Add duties; returns those that were not there before, whoever else adds them at the same time."""
    new = {row[0] for row in dialect.insert_new(connection, DUTIES, _new(wanted), "hit_id")}
    return [each for each in wanted if each.hit_id in new]


def add(connection: Connection, wanted: Sequence[Duty]) -> None:
    """Add duties on hits that were not there before: nobody else can have added them."""
    if wanted:
        _INSERT.write(connection, _new(wanted))


def _new(wanted: Sequence[Duty]) -> list[dict[str, Any]]:
    return [
        {
            "member_id": each.member_id,
            "hit_id": each.hit_id,
            "due_on": each.due_on,
            "line": each.line,
            "record_class": each.record_class,
            "answered_at": None,
            "released_on": None,
            "released_by": None,
        }
        for each in sorted(wanted, key=lambda duty: duty.hit_id)
    ]


def settle(connection: Connection, duty: Duty, *, now: datetime) -> bool:
    """Note the first answer to a duty; False when there was one already, or the duty is released."""
    mine = and_(DUTIES.c.member_id == duty.member_id, DUTIES.c.hit_id == duty.hit_id)
    noted = update(DUTIES).where(mine, DUTIES.c.answered_at.is_(None)).values(answered_at=now)
    return connection.execute(noted.returning(DUTIES.c.released_on)).all() == [(None,)]


def release(connection: Connection, filing_ids: Sequence[str], *, by: str | None, today: date) -> list[Duty]:
    """Release the duties, not answered and not overdue, on hits of these filings that are superseded; returns them.

    Nobody owes an answer on a hit that is not there any more. `by` is the member that filed anew, if one did.
    """
    found = [Duty(*row) for row in _rows(connection, _superseded, filing_ids, today=today)]
    if found:
        changed = update(DUTIES).where(_is_bound()).values(released_on=today, released_by=by)
        connection.execute(changed, [_bound(each) for each in found])
    return found


def released(connection: Connection, filing_ids: Sequence[str]) -> list[tuple[Duty, str | None]]:
    """The released duties on hits that involve one of these filings, each with the live hit it is to stand on again.

    That is its own hit, when that was found again; else another hit of the same two filings, on which the member owes
    nothing and said nothing: a subject that has another place in its filing gives another hit.
    """
    found = [(Duty(*row[:-1]), row[-1]) for row in _rows(connection, _released, filing_ids)]
    taken = {(duty.member_id, duty.hit_id) for duty, gone_since in found if gone_since is None}
    again: list[tuple[Duty, str | None]] = []
    for duty, gone_since in found:
        hit_id = duty.hit_id if gone_since is None else None
        if gone_since is not None and duty.answered_at is None:
            instead = connection.execute(_INSTEAD, {"member": duty.member_id, "gone": duty.hit_id}).scalars()
            hit_id = next((each for each in instead if (duty.member_id, each) not in taken), None)
            taken.add((duty.member_id, hit_id or ""))
        again.append((duty, hit_id))
    return again


def restore(connection: Connection, restored: Sequence[tuple[Duty, Duty]]) -> None:
    """Put released duties in force again, each (as it is, as it is to be): by its day, on its hit."""
    if restored:
        changed = update(DUTIES).where(_is_bound())
        changed = changed.values(
            hit_id=bindparam("new_hit"), due_on=bindparam("new_day"), released_on=None, released_by=None
        )
        rows = [_bound(old) | {"new_hit": new.hit_id, "new_day": new.due_on} for old, new in restored]
        connection.execute(changed, rows)


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
    joined = dialect.looked_up(hits, DUTIES, DUTIES.c.hit_id == hits.c.value)
    return select(DUTIES).select_from(joined).where(DUTIES.c.member_id == bindparam("member"))


def _rows(
    connection: Connection, build: Callable[[str], Select[Any]], filing_ids: Sequence[str], **parameters: object
) -> Sequence[Any]:
    if not filing_ids:
        return []
    name = connection.dialect.name
    return connection.execute(build(name), {**parameters, **dialect.wanted(name, list(filing_ids))}).all()


def _is_bound() -> ColumnElement[bool]:
    return and_(DUTIES.c.member_id == bindparam("of_member"), DUTIES.c.hit_id == bindparam("of_hit"))


def _bound(duty: Duty) -> dict[str, Any]:
    return {"of_member": duty.member_id, "of_hit": duty.hit_id}


@cache
def _superseded(dialect_name: str) -> Select[Any]:
    gone = _involving(dialect_name, HITS.c.superseded_at.is_not(None))
    standing = and_(
        DUTIES.c.answered_at.is_(None), DUTIES.c.released_on.is_(None), DUTIES.c.due_on >= bindparam("today")
    )
    # One that is being answered at this moment is not waited for: it stands.
    return select(DUTIES).where(DUTIES.c.hit_id.in_(gone), standing).with_for_update(skip_locked=True)


@cache
def _released(dialect_name: str) -> Select[Any]:
    joined = DUTIES.join(HITS, HITS.c.id == DUTIES.c.hit_id)
    found = select(*DUTIES.columns, HITS.c.superseded_at).select_from(joined)
    found = found.where(DUTIES.c.hit_id.in_(_involving(dialect_name)), DUTIES.c.released_on.is_not(None))
    return found.order_by(DUTIES.c.due_on, DUTIES.c.hit_id)


def _involving(dialect_name: str, *conditions: ColumnElement[bool]) -> Select[Any]:
    filings = dialect.wanted_texts(dialect_name)
    involved = or_(HITS.c.low_filing_id == filings.c.value, HITS.c.high_filing_id == filings.c.value)
    return select(HITS.c.id).select_from(filings.join(HITS, involved)).where(*conditions)


def _instead() -> Select[Any]:
    gone, side = HIT_SIDES.alias("gone"), HIT_SIDES.alias("side")
    same = and_(
        side.c.member_id == gone.c.member_id,
        side.c.own_filing_id == gone.c.own_filing_id,
        side.c.their_filing_id == gone.c.their_filing_id,
    )
    joined = gone.join(side, same).join(HITS, HITS.c.id == side.c.hit_id)
    owed, said = (
        select(each.c.hit_id).where(each.c.member_id == side.c.member_id, each.c.hit_id == side.c.hit_id)
        for each in (DUTIES, OUTCOMES)
    )
    return (
        select(side.c.hit_id)
        .select_from(joined)
        .where(gone.c.member_id == bindparam("member"), gone.c.hit_id == bindparam("gone"))
        .where(HITS.c.superseded_at.is_(None), ~owed.exists(), ~said.exists())
        .order_by(HITS.c.band.desc(), side.c.hit_id)
    )


_INSTEAD = _instead()


@cache
def _own_pairs(dialect_name: str) -> Select[Any]:
    hits, side = dialect.wanted_texts(dialect_name), HIT_SIDES
    own, their = FILINGS.alias("own"), FILINGS.alias("their")
    joined = (
        dialect.looked_up(hits, side, side.c.hit_id == hits.c.value)
        .join(HITS, HITS.c.id == side.c.hit_id)
        .join(their, their.c.id == side.c.their_filing_id)
        .outerjoin(own, own.c.id == side.c.own_filing_id)
        .outerjoin(SCREENINGS, SCREENINGS.c.id == side.c.own_screening_id)
    )
    line = func.coalesce(own.c.line, SCREENINGS.c.line)
    record_class = func.coalesce(own.c.record_class, their.c.record_class)
    found = select(side.c.hit_id, line, record_class).select_from(joined)
    return found.where(side.c.member_id == bindparam("member"), HITS.c.superseded_at.is_(None))
