"""Linkage models, none of which is ever removed; and the pairs that members judged, from which one may be learnt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Connection, RowMapping, Select, and_, func, select, update
from sqlalchemy.orm import Mapped, mapped_column

from repository.storage import dialect
from repository.storage.base import Base
from repository.storage.filings import SUBJECTS
from repository.storage.hits import HITS
from repository.storage.outcomes import OUTCOMES
from repository.storage.screenings import SCREENINGS

ROWS_AT_ONCE = 2000


class ModelRow(Base):
    """One model, as its file has it, with its card and rates and nothing of any record.

    `report` is how it did against `base_id`, the one then in use, on the outcomes held back. It is in use from
    `adopted_at` until `left_at`. People are actors' ids, or `operator` for the command line.
    """

    __tablename__ = "models"

    id: Mapped[str] = mapped_column(primary_key=True)
    schema_id: Mapped[str]
    origin: Mapped[str]
    content: Mapped[str]
    digest: Mapped[str]
    base_id: Mapped[str | None]
    report: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    made_at: Mapped[datetime]
    made_by: Mapped[str | None]
    reviewed_at: Mapped[datetime | None]
    reviewed_by: Mapped[str | None]
    review: Mapped[str | None]
    adopted_at: Mapped[datetime | None]
    adopted_by: Mapped[str | None]
    reason: Mapped[str | None]
    left_at: Mapped[datetime | None]


MODELS = Base.metadata.tables["models"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a member said of a live hit that nobody carried it to, with what that was scored on.

    `asked` is what the member's screening was of, digested; None where the pair is of two filings.
    """

    member_id: str
    hit_id: str
    outcome: str
    given_at: datetime
    filing_id: str
    position: int
    asked: bytes | None
    kind: str | None
    pool_size: int
    evidence: bytes


def add(connection: Connection, row: dict[str, Any]) -> bool:
    """Keep a model; False when there is one of its id."""
    known = dict.fromkeys(MODELS.c.keys()) | row
    return bool(dialect.insert_new(connection, MODELS, [known], "id"))


def one(connection: Connection, model_id: str, *, for_change: bool = False) -> RowMapping | None:
    """A model; `for_change` keeps others from changing it until this transaction ends."""
    statement = select(MODELS).where(MODELS.c.id == model_id)
    found = connection.execute(statement.with_for_update() if for_change else statement)
    return found.mappings().one_or_none()


def all_kept(connection: Connection) -> list[RowMapping]:
    """Every model without its content, the first made first."""
    columns = [each for each in MODELS.columns if each.name != "content"]
    return list(connection.execute(select(*columns).order_by(MODELS.c.made_at, MODELS.c.id)).mappings())


def change(connection: Connection, model_id: str, **values: Any) -> None:
    """Note a review or an adoption."""
    connection.execute(update(MODELS).where(MODELS.c.id == model_id).values(values))


def leave(connection: Connection, but: str, now: datetime) -> None:
    """Note that every model in use is so no more, except one."""
    in_use = (MODELS.c.id != but, MODELS.c.adopted_at.is_not(None), MODELS.c.left_at.is_(None))
    connection.execute(update(MODELS).where(*in_use).values(left_at=now))


def scored(connection: Connection) -> dict[str, int]:
    """How many live hits each model scored, by its id: those that are not kept, too."""
    statement = select(HITS.c.model_id, func.count()).where(HITS.c.superseded_at.is_(None)).group_by(HITS.c.model_id)
    return {row[0]: row[1] for row in connection.execute(statement)}


def verdicts(connection: Connection) -> Iterator[Verdict]:
    """What members said of hits, the first said first; one that was carried from another hit is not said again."""
    there = and_(SUBJECTS.c.filing_id == HITS.c.high_filing_id, SUBJECTS.c.position == HITS.c.high_position)
    joined = OUTCOMES.join(HITS, HITS.c.id == OUTCOMES.c.hit_id).outerjoin(SUBJECTS, there)
    joined = joined.outerjoin(SCREENINGS, SCREENINGS.c.id == HITS.c.screening_id)
    statement: Select[Any] = (
        select(
            OUTCOMES.c.member_id,
            OUTCOMES.c.hit_id,
            OUTCOMES.c.outcome,
            OUTCOMES.c.given_at,
            HITS.c.high_filing_id,
            HITS.c.high_position,
            SCREENINGS.c.subject_digest,
            func.coalesce(SCREENINGS.c.kind, SUBJECTS.c.kind),
            HITS.c.pool_size,
            HITS.c.evidence,
        )
        .select_from(joined)
        .where(OUTCOMES.c.carried_from.is_(None), HITS.c.superseded_at.is_(None))
        .order_by(OUTCOMES.c.given_at, OUTCOMES.c.hit_id, OUTCOMES.c.member_id)
    )
    options = {"yield_per": ROWS_AT_ONCE, "stream_results": True}
    for row in connection.execute(statement, execution_options=options):
        yield Verdict(*row)
