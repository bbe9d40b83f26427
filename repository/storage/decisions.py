"""Every allow and every deny, stored with what it was made from, so that it can be made again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Connection, ForeignKey, RowMapping, Select, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from repository.storage import dialect
from repository.storage.base import Base

_PAGE = 1000


class DecisionRow(Base):
    """One decision: who asked for what, and the rule, rulebook and figures that answered.

    `request` is what was asked and the member's facts at the time; the standing it rests on is in `standings`, stored
    with it. `rulebook` is a version, for reading. `answer` has the tiers and the quota. A decision without a standing
    was taken before standings were kept, and cannot be taken again.
    """

    __tablename__ = "decisions"

    id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    member_id: Mapped[str] = mapped_column(ForeignKey("members.id"), index=True)
    actor_id: Mapped[str] = mapped_column(ForeignKey("actors.id"))
    action: Mapped[str]
    allowed: Mapped[bool]
    rule: Mapped[str]
    rulebook: Mapped[str]
    figures: Mapped[dict[str, Any]]
    request: Mapped[dict[str, Any]]
    standing_id: Mapped[str | None]
    rulebook_digest: Mapped[str | None]
    answer: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


DECISIONS = Base.metadata.tables["decisions"]
_INSERT = dialect.Prepared(lambda _name: insert(DECISIONS))


def add(connection: Connection, row: Mapping[str, Any]) -> None:
    """Store a decision; `row` has every column."""
    _INSERT.write(connection, [row])


def find(connection: Connection, decision_id: str) -> RowMapping | None:
    """One decision, None when there is none of this id."""
    return connection.execute(select(DECISIONS).where(DECISIONS.c.id == decision_id)).mappings().one_or_none()


def between(
    connection: Connection, since: datetime, until: datetime, *, member_id: str | None = None
) -> Iterator[RowMapping]:
    """The decisions from one instant up to another, oldest first; of one member or of all."""
    statement = select(DECISIONS).where(DECISIONS.c.at >= since, DECISIONS.c.at < until)
    if member_id is not None:
        statement = statement.where(DECISIONS.c.member_id == member_id)
    yield from _pages(connection, statement)


def of_member(connection: Connection, member_id: str, *, action: str) -> list[dict[str, Any]]:
    """The decisions of one kind that were taken on a member, oldest first."""
    statement = select(DECISIONS).where(DECISIONS.c.member_id == member_id, DECISIONS.c.action == action)
    return [dict(row) for row in _pages(connection, statement)]


def _pages(connection: Connection, statement: Select[Any]) -> Iterator[RowMapping]:
    """Rows by id, which sorts by time, a thousand at a time: there may be millions."""
    last = ""
    while True:
        page = statement.where(DECISIONS.c.id > last).order_by(DECISIONS.c.id).limit(_PAGE)
        rows = connection.execute(page).mappings().all()
        yield from rows
        if len(rows) < _PAGE:
            return
        last = rows[-1]["id"]
