"""Every allow and every deny, stored with what it was made from, so that it can be made again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import JSON, Connection, ForeignKey, Index, RowMapping, Select, func, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from repository.domain import ids
from repository.storage import dialect
from repository.storage.base import Base

PAGE = 1000
"""How many decisions are read at once."""
_SLACK = timedelta(hours=1)  # an id is made a moment after the decision, and clocks are put back now and then
_FIRST = datetime(1970, 1, 2, tzinfo=UTC)


class DecisionRow(Base):
    """One decision: who asked for what, and the rule, rulebook and figures that answered.

    `request` is what was asked and the member's facts at the time; the standing it rests on is in `standings`, stored
    with it. `rulebook` is a version, for reading. `answer` has the tiers and the quota. A decision without a standing
    was taken before standings were kept, and cannot be taken again.
    """

    __tablename__ = "decisions"
    __table_args__ = (Index("ix_decisions_member_id_id", "member_id", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    member_id: Mapped[str] = mapped_column(ForeignKey("members.id"))
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


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which decisions: from one instant up to another, of one member or of all, only refusals or all."""

    since: datetime | None = None
    until: datetime | None = None
    member_id: str | None = None
    refused: bool = False
    action: str | None = None

    def among(self, statement: Select[Any]) -> Select[Any]:
        """Restrict a select to these."""
        conditions = (
            (self.since, lambda value: DECISIONS.c.at >= value),
            (self.until, lambda value: DECISIONS.c.at < value),
            (self.member_id, lambda value: DECISIONS.c.member_id == value),
            (self.action, lambda value: DECISIONS.c.action == value),
            (self.refused or None, lambda _: DECISIONS.c.allowed.is_(False)),
        )
        for value, condition in conditions:
            if value is not None:
                statement = statement.where(condition(value))
        return statement


def count(connection: Connection, chosen: Chosen) -> int:
    """How many decisions there are."""
    return int(connection.execute(chosen.among(select(func.count()).select_from(DECISIONS))).scalar_one())


def page(connection: Connection, chosen: Chosen, after: str, limit: int = PAGE) -> Sequence[RowMapping]:
    """Decisions after an id, oldest first: ids sort by time. The first page comes after the empty id."""
    statement = chosen.among(select(DECISIONS)).where(DECISIONS.c.id > max(after, _before(chosen.since)))
    return connection.execute(statement.order_by(DECISIONS.c.id).limit(limit)).mappings().all()


def latest(connection: Connection, chosen: Chosen, before: str | None, limit: int) -> Sequence[RowMapping]:
    """Decisions before an id, or the last ones of all, latest first."""
    statement = chosen.among(select(DECISIONS))
    if before is not None:
        statement = statement.where(DECISIONS.c.id < before)
    return connection.execute(statement.order_by(DECISIONS.c.id.desc()).limit(limit)).mappings().all()


def of_member(connection: Connection, member_id: str, *, action: str) -> list[dict[str, Any]]:
    """The decisions of one kind that were taken on a member, oldest first."""
    return [dict(row) for row in every(connection, Chosen(member_id=member_id, action=action))]


def every(connection: Connection, chosen: Chosen) -> Iterator[RowMapping]:
    """All of them, oldest first, a page at a time."""
    last = ""
    while rows := page(connection, chosen, last):
        yield from rows
        last = rows[-1]["id"]


def _before(since: datetime | None) -> str:
    """An id before those of a time: the rows of earlier ones need not be looked at."""
    if since is None or since <= _FIRST:
        return ""
    return ids.make("dec", since - _SLACK, bytes(ids.RANDOM_BYTES))
