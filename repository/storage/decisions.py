"""Every allow and every deny, stored with its inputs so that it can be replayed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, ForeignKey, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from repository.domain.reciprocity import Decision
from repository.storage import dialect
from repository.storage.base import Base


class DecisionRow(Base):
    """One decision: who asked for what, and the rule, rulebook and figures that answered."""

    __tablename__ = "decisions"

    id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    member_id: Mapped[str] = mapped_column(ForeignKey("members.id"), index=True)
    actor_id: Mapped[str] = mapped_column(ForeignKey("actors.id"))
    action: Mapped[str]
    allowed: Mapped[bool]
    rule: Mapped[str]
    rulebook: Mapped[str]
    figures: Mapped[dict[str, Any]]
    inputs: Mapped[dict[str, Any]]


DECISIONS = Base.metadata.tables["decisions"]
_INSERT = dialect.Prepared(lambda _name: insert(DECISIONS))


def add(
    connection: Connection,
    decision_id: str,
    decision: Decision,
    *,
    at: datetime,
    member_id: str,
    actor_id: str,
    action: str,
    inputs: dict[str, Any],
) -> None:
    """Store a decision; `inputs` are what `repository.domain.reciprocity.Inputs` reads back."""
    _INSERT.write(
        connection,
        [
            {
                "id": decision_id,
                "at": at,
                "member_id": member_id,
                "actor_id": actor_id,
                "action": action,
                "allowed": decision.allowed,
                "rule": decision.rule,
                "rulebook": decision.rulebook,
                "figures": dict(decision.figures),
                "inputs": inputs,
            }
        ],
    )


def of_member(connection: Connection, member_id: str, *, action: str) -> list[dict[str, Any]]:
    """The decisions of one kind that were taken on a member, oldest first."""
    statement = (
        select(DECISIONS)
        .where(DECISIONS.c.member_id == member_id, DECISIONS.c.action == action)
        .order_by(DECISIONS.c.id)
    )
    return [dict(row) for row in connection.execute(statement).mappings()]
