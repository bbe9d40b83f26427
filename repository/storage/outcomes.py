"""Outcomes: what members say of the hits they were shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    ForeignKey,
    FromClause,
    Select,
    and_,
    bindparam,
    delete,
    not_,
    or_,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column

from repository.domain.outcomes import Given, HitOutcome
from repository.storage import dialect
from repository.storage.base import Base


class OutcomeRow(Base):
    """What a member says of a hit now; what it said before is in the events.

    `carried_from` is another hit of the same pair, of which it was said: nobody said it of this one.
    """

    __tablename__ = "outcomes"

    member_id: Mapped[str] = mapped_column(ForeignKey("members.id"), primary_key=True)
    hit_id: Mapped[str] = mapped_column(ForeignKey("hits.id"), primary_key=True, index=True)
    outcome: Mapped[str]
    note_reference: Mapped[str | None]
    given_at: Mapped[datetime]
    actor_id: Mapped[str] = mapped_column(ForeignKey("actors.id"))
    carried_from: Mapped[str | None]


OUTCOMES = Base.metadata.tables["outcomes"]


def give(connection: Connection, member_id: str, hit_id: str, given: Given, *, actor_id: str) -> None:
    """Store what a member says of a hit, in the place of what it said before."""
    row = {
        "member_id": member_id,
        "hit_id": hit_id,
        "outcome": given.outcome.value,
        "note_reference": given.note_reference,
        "given_at": given.given_at,
        "actor_id": actor_id,
        "carried_from": given.carried_from,
    }
    dialect.put(connection, OUTCOMES, [row])


def carry(connection: Connection, member_id: str, hit_id: str, origin: str) -> bool:
    """Give a hit the outcome of another of the same pair; False when that has none (any more)."""
    row = OUTCOMES.c
    found = connection.execute(select(OUTCOMES).where(row.member_id == member_id, row.hit_id == origin))
    said = found.mappings().one_or_none()
    if said is None:
        return False
    dialect.insert_missing(connection, OUTCOMES, [{**said, "hit_id": hit_id, "carried_from": origin}])
    return True


def take_back(connection: Connection, member_id: str, origin: str) -> int:
    """Take an outcome back, and those that were carried from it; how many."""
    row = OUTCOMES.c
    of_pair = or_(row.hit_id == origin, row.carried_from == origin)
    return connection.execute(delete(OUTCOMES).where(row.member_id == member_id, of_pair)).rowcount


def given(connection: Connection, member_id: str, hit_ids: Sequence[str]) -> dict[str, Given]:
    """What a member says of these hits, by hit; those without an outcome are left out."""
    if not hit_ids:
        return {}
    name = connection.dialect.name
    rows = connection.execute(_given(name), {"member": member_id, **dialect.wanted(name, list(hit_ids))})
    return {row[0]: Given(HitOutcome(row[1]), *row[2:]) for row in rows}


def listed(side: FromClause, *, answered: bool | None, outcome: str | None) -> list[ColumnElement[bool]]:
    """What a list of hits, each a row of `side`, asks of their member's outcomes.

    Pairs that are not the same are there only for who asks for just those.
    """
    if outcome is not None:
        return [_says(side, outcome)]
    conditions = [not_(_says(side, HitOutcome.NOT_SAME.value))]
    if answered is not None:
        conditions.append(_says(side) if answered else not_(_says(side)))
    return conditions


def _says(side: FromClause, outcome: str | None = None) -> ColumnElement[bool]:
    mine = and_(OUTCOMES.c.member_id == side.c.member_id, OUTCOMES.c.hit_id == side.c.hit_id)
    found = select(OUTCOMES.c.hit_id).where(mine).correlate(side)
    return (found if outcome is None else found.where(OUTCOMES.c.outcome == outcome)).exists()


@cache
def _given(dialect_name: str) -> Select[Any]:
    hits, row = dialect.wanted_texts(dialect_name), OUTCOMES.c
    joined = dialect.looked_up(hits, OUTCOMES, row.hit_id == hits.c.value)
    found = select(row.hit_id, row.outcome, row.note_reference, row.given_at, row.carried_from).select_from(joined)
    return found.where(row.member_id == bindparam("member"))
