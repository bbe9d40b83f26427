"""Pairs that a member found not to be the same: what of its own is kept apart from which record of another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    Connection,
    ForeignKey,
    LargeBinary,
    Select,
    UniqueConstraint,
    and_,
    bindparam,
    delete,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column

from repository.domain.outcomes import HitOutcome
from repository.storage import dialect
from repository.storage.base import Base
from repository.storage.filings import SUBJECTS
from repository.storage.hits import HIT_SIDES, HITS
from repository.storage.outcomes import OUTCOMES
from repository.storage.screenings import SCREENINGS


class SuppressedPairRow(Base):
    """A pair that a member is not to be shown again, by the hit it said so of.

    `ends` are digests of both sides' encodings as they were then, and the encodings of those that were filed, sealed.
    They tell the same two again when another is filed in the hit's place, or a screening's encoding is gone. Not bound
    to the hit: it goes with the screening, or the filing, of either side.
    """

    __tablename__ = "suppressed_pairs"
    __table_args__ = (UniqueConstraint("member_id", "hit_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    member_id: Mapped[str] = mapped_column(ForeignKey("members.id"))
    hit_id: Mapped[str]
    at: Mapped[datetime]
    band: Mapped[int]
    own_filing_id: Mapped[str | None] = mapped_column(ForeignKey("filings.id"), index=True)
    own_position: Mapped[int]
    own_screening_id: Mapped[str | None] = mapped_column(index=True)
    their_filing_id: Mapped[str] = mapped_column(ForeignKey("filings.id"), index=True)
    their_position: Mapped[int]
    ends: Mapped[bytes | None] = mapped_column(LargeBinary)


SUPPRESSED_PAIRS = Base.metadata.tables["suppressed_pairs"]


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A suppressed pair, as stored."""

    id: str
    member_id: str
    hit_id: str
    at: datetime
    band: int
    own_filing_id: str | None
    own_position: int
    own_screening_id: str | None
    their_filing_id: str
    their_position: int
    ends: bytes | None


@dataclass(frozen=True, slots=True)
class Ends:
    """The two sides of a member's hit, and its band."""

    band: int
    own_filing_id: str | None
    own_position: int
    own_screening_id: str | None
    their_filing_id: str
    their_position: int


@dataclass(frozen=True, slots=True)
class RuledOut:
    """A live hit that a member says is not of the same subject, with its two sides as they are now."""

    member_id: str
    hit_id: str
    carried_from: str | None
    ends: Ends


def ruled_out(connection: Connection, hit_ids: Sequence[str]) -> list[RuledOut]:
    """Which of these hits members say are not the same, each with its sides."""
    if not hit_ids:
        return []
    name = connection.dialect.name
    rows = connection.execute(_ruled_out(name), dialect.wanted(name, list(hit_ids)))
    return [RuledOut(row[0], row[1], row[2], Ends(*row[3:])) for row in rows]


def ends_of(connection: Connection, member_id: str, hit_id: str) -> Ends:
    """The two sides of a hit that a member has."""
    side = HIT_SIDES.c
    statement = (
        select(
            HITS.c.band,
            side.own_filing_id,
            side.own_position,
            side.own_screening_id,
            side.their_filing_id,
            side.their_position,
        )
        .select_from(HIT_SIDES.join(HITS, HITS.c.id == side.hit_id))
        .where(side.member_id == member_id, side.hit_id == hit_id)
    )
    return Ends(*connection.execute(statement).one())


def put(connection: Connection, pair: Suppressed) -> None:
    """Suppress a pair; once more changes nothing."""
    row = {name: getattr(pair, name) for name in Suppressed.__slots__}
    dialect.insert_missing(connection, SUPPRESSED_PAIRS, [row])


def lift(connection: Connection, member_id: str, hit_id: str) -> None:
    """Suppress the pair of a hit no more."""
    pair = SUPPRESSED_PAIRS.c
    connection.execute(delete(SUPPRESSED_PAIRS).where(pair.member_id == member_id, pair.hit_id == hit_id))


def on_filings(connection: Connection, filing_ids: Sequence[str]) -> list[Suppressed]:
    """The suppressed pairs whose other side is one of these filings, whoever's."""
    if not filing_ids:
        return []
    parameters = dialect.wanted(connection.dialect.name, sorted(set(filing_ids)))
    return [Suppressed(*row) for row in _ON_FILINGS.rows(connection, parameters)]


def against(connection: Connection, member_id: str, record_ids: Sequence[int]) -> Callable[[], list[Suppressed]]:
    """A member's suppressed pairs whose other side is in the filing of one of these records: asked now, had later."""
    if not record_ids:
        return list
    wanted = dialect.wanted(connection.dialect.name, list(record_ids))
    answer = _AGAINST.ask(connection, {"member": member_id, **wanted})
    return lambda: [Suppressed(*row) for row in dict.fromkeys(answer())]


def subject(connection: Connection, filing_id: str, position: int) -> tuple[int, bytes] | None:
    """Record id and envelope of a subject that is in its place still, and whose encoding was not erased."""
    row = SUBJECTS.c
    statement = select(row.id, row.envelope).where(row.filing_id == filing_id, row.position == position)
    found = connection.execute(statement).one_or_none()
    return (found[0], found[1]) if found and found[1] else None


def question(connection: Connection, member_id: str, screening_id: str) -> bytes | None:
    """The envelope of a member's screening, if it is kept still."""
    row = SCREENINGS.c
    statement = select(row.envelope).where(row.id == screening_id, row.member_id == member_id)
    return connection.execute(statement).scalar() or None


@cache
def _ruled_out(dialect_name: str) -> Select[Any]:
    wanted, side = dialect.wanted_texts(dialect_name), HIT_SIDES.c
    said = and_(OUTCOMES.c.hit_id == wanted.c.value, OUTCOMES.c.outcome == HitOutcome.NOT_SAME.value)
    joined = wanted.join(OUTCOMES, said).join(HITS, HITS.c.id == OUTCOMES.c.hit_id)
    joined = joined.join(HIT_SIDES, and_(side.hit_id == OUTCOMES.c.hit_id, side.member_id == OUTCOMES.c.member_id))
    return select(
        OUTCOMES.c.member_id,
        OUTCOMES.c.hit_id,
        OUTCOMES.c.carried_from,
        HITS.c.band,
        side.own_filing_id,
        side.own_position,
        side.own_screening_id,
        side.their_filing_id,
        side.their_position,
    ).select_from(joined)


def _on_filings(dialect_name: str) -> Select[tuple[object, ...]]:
    wanted = dialect.wanted_texts(dialect_name)
    joined = dialect.looked_up(wanted, SUPPRESSED_PAIRS, SUPPRESSED_PAIRS.c.their_filing_id == wanted.c.value)
    return select(*SUPPRESSED_PAIRS.columns).select_from(joined)


def _against(dialect_name: str) -> Select[tuple[object, ...]]:
    wanted = dialect.wanted_integers(dialect_name)
    pair = SUPPRESSED_PAIRS.c
    joined = dialect.looked_up(wanted, SUBJECTS, SUBJECTS.c.id == wanted.c.value)
    joined = dialect.looked_up(joined, SUPPRESSED_PAIRS, pair.their_filing_id == SUBJECTS.c.filing_id)
    return select(*SUPPRESSED_PAIRS.columns).select_from(joined).where(pair.member_id == bindparam("member"))


_ON_FILINGS, _AGAINST = map(dialect.Prepared, (_on_filings, _against))
