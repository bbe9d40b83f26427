"""Hits, and one row for each member that may see one. The evidence is sealed; the band is not: lists filter by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    ForeignKey,
    Index,
    LargeBinary,
    Select,
    UniqueConstraint,
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
from repository.storage.screenings import SCREENINGS


class HitRow(Base):
    """Two subjects that are probably the same.

    Between two filings, `low` is the one with the lesser id, so that a pair is there once. For the hit of a
    screening, `low_filing_id` is null and `screening_id` is set. A hit is superseded when a later version of a
    filing no longer matches.
    """

    __tablename__ = "hits"
    __table_args__ = (
        UniqueConstraint("low_filing_id", "high_filing_id", "low_position", "high_position", name="uq_hits_pair"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[datetime]
    low_filing_id: Mapped[str | None] = mapped_column(ForeignKey("filings.id"))
    low_position: Mapped[int | None]
    screening_id: Mapped[str | None] = mapped_column(ForeignKey("screenings.id"), index=True)
    high_filing_id: Mapped[str] = mapped_column(ForeignKey("filings.id"), index=True)
    high_position: Mapped[int]
    band: Mapped[int]
    evidence: Mapped[bytes] = mapped_column(LargeBinary)
    model_id: Mapped[str]
    pool_size: Mapped[int]
    superseded_at: Mapped[datetime | None]


class HitSideRow(Base):
    """A hit as one member sees it: its own side, the other side, and the highest tier it was ever shown at."""

    __tablename__ = "hit_sides"
    __table_args__ = (
        Index("ix_hit_sides_own", "own_filing_id", "own_position"),
        Index("ix_hit_sides_hit_id", "hit_id"),
    )

    member_id: Mapped[str] = mapped_column(ForeignKey("members.id"), primary_key=True)
    hit_id: Mapped[str] = mapped_column(ForeignKey("hits.id"), primary_key=True)
    own_filing_id: Mapped[str | None] = mapped_column(ForeignKey("filings.id"))
    own_screening_id: Mapped[str | None] = mapped_column(ForeignKey("screenings.id"), index=True)
    own_position: Mapped[int]
    their_filing_id: Mapped[str] = mapped_column(ForeignKey("filings.id"), index=True)
    their_position: Mapped[int]
    shown_tier: Mapped[int] = mapped_column(default=0)
    shown_at: Mapped[datetime | None]


HITS = Base.metadata.tables["hits"]
HIT_SIDES = Base.metadata.tables["hit_sides"]
_INSERT_HITS = dialect.Prepared(lambda _name: insert(HITS))
_INSERT_SIDES = dialect.Prepared(lambda _name: insert(HIT_SIDES))

Pair = tuple[str, int, str, int]
"""(low filing, low position, high filing, high position)."""


@dataclass(frozen=True, slots=True)
class ScreeningHit:
    """A hit of a screening that is kept still, with the question's sealed encoding and the subject it hit."""

    hit_id: str
    screening_id: str
    member_id: str
    kind: str
    envelope: bytes
    filing_id: str
    position: int


def of_screenings(connection: Connection, filing_ids: Sequence[str], *, now: datetime) -> list[ScreeningHit]:
    """The hits of kept screenings on these filings, superseded ones too, where both are under the same linkage key."""
    name = connection.dialect.name
    rows = connection.execute(_of_screenings(name), {"now": now, **dialect.wanted(name, list(filing_ids))})
    return [ScreeningHit(*row) for row in rows]


def pairs_of(connection: Connection, filing_ids: Sequence[str]) -> dict[Pair, str]:
    """The hits between filings that involve one of these, superseded ones too: pair to hit id."""
    name = connection.dialect.name
    rows = connection.execute(_pairs_of(name), dialect.wanted(name, list(filing_ids)))
    return {(row[1], row[2], row[3], row[4]): row[0] for row in rows}


def supersede(connection: Connection, filing_ids: Sequence[str], *, now: datetime) -> None:
    """Mark every live hit that involves one of these filings: it was found on an encoding that is no longer there.

    What matches the new encoding is revived afterwards. A hit stands where its two ends are under different linkage
    keys now, of which no comparison says anything: until the other end is filed under the new key, too.
    """
    if filing_ids:
        involved = or_(HITS.c.low_filing_id == bindparam("filing"), HITS.c.high_filing_id == bindparam("filing"))
        statement = update(HITS).where(involved, HITS.c.superseded_at.is_(None), comparable()).values(superseded_at=now)
        connection.execute(statement, [{"filing": filing_id} for filing_id in filing_ids])


def comparable() -> ColumnElement[bool]:
    """Whether the two ends of a hit are encoded under the same linkage key, and so can be compared at all."""
    low, high, asked = FILINGS.alias(), FILINGS.alias(), SCREENINGS.alias()
    ends = [(low, low.c.id == HITS.c.low_filing_id), (asked, asked.c.id == HITS.c.screening_id)]
    same = [
        select(high.c.id)
        .select_from(end.join(high, and_(high.c.fingerprint == end.c.fingerprint, high.c.schema_id == end.c.schema_id)))
        .where(this, high.c.id == HITS.c.high_filing_id)
        .exists()
        for end, this in ends
    ]
    return or_(*same)


def revive(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Bring hits back that were found again; each row has `hit` (its id), band, evidence, model_id and pool_size."""
    if rows:
        names = ("band", "evidence", "model_id", "pool_size")
        changed: dict[str, BindParameter[Any]] = {name: bindparam(f"new_{name}") for name in names}
        statement = update(HITS).where(HITS.c.id == bindparam("hit")).values(superseded_at=None, **changed)
        connection.execute(
            statement, [{"hit": row["hit"], **{f"new_{name}": row[name] for name in names}} for row in rows]
        )


def move(connection: Connection, moved: Sequence[tuple[str, int]]) -> None:
    """Point hits of screenings, given by id, to another place in the filing they hit."""
    if moved:
        rows = [{"hit": hit_id, "place": place} for hit_id, place in moved]
        there = update(HITS).where(HITS.c.id == bindparam("hit")).values(high_position=bindparam("place"))
        connection.execute(there, rows)
        seen = update(HIT_SIDES).where(HIT_SIDES.c.hit_id == bindparam("hit"))
        connection.execute(seen.values(their_position=bindparam("place")), rows)


def add(connection: Connection, hits: Sequence[dict[str, Any]], sides: Sequence[dict[str, Any]]) -> None:
    """Store hits and the sides of those who may see them."""
    if hits:
        _INSERT_HITS.write(connection, hits)
        _INSERT_SIDES.write(connection, sides)


@cache
def _of_screenings(dialect_name: str) -> Select[Any]:
    filings = dialect.wanted_texts(dialect_name)
    hit, asked, found = HITS.c, SCREENINGS.c, FILINGS.c
    same_key = and_(found.fingerprint == asked.fingerprint, found.schema_id == asked.schema_id)
    return (
        select(hit.id, asked.id, asked.member_id, asked.kind, asked.envelope, hit.high_filing_id, hit.high_position)
        .select_from(
            filings.join(HITS, hit.high_filing_id == filings.c.value)
            .join(SCREENINGS, asked.id == hit.screening_id)
            .join(FILINGS, and_(found.id == hit.high_filing_id, same_key))
        )
        .where(asked.expires_at > bindparam("now"), func.length(asked.envelope) > 0)
    )


@cache
def _pairs_of(dialect_name: str) -> Select[Any]:
    filings = dialect.wanted_texts(dialect_name)
    hit = HITS.c
    involved = or_(hit.low_filing_id == filings.c.value, hit.high_filing_id == filings.c.value)
    return (
        select(hit.id, hit.low_filing_id, hit.low_position, hit.high_filing_id, hit.high_position)
        .select_from(filings.join(HITS, involved))
        .where(hit.low_filing_id.is_not(None))
    )
