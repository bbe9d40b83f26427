"""Pairs that a member found not to be the same: what of its own is kept apart from which record of another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    Connection,
    ForeignKey,
    LargeBinary,
    Select,
    UniqueConstraint,
    bindparam,
    delete,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column

from repository.storage import dialect
from repository.storage.base import Base
from repository.storage.filings import SUBJECTS
from repository.storage.hits import HIT_SIDES, HITS
from repository.storage.screenings import SCREENINGS


class SuppressedPairRow(Base):
    """A pair that a member is not to be shown again, by the hit it said so of.

    `ends` are digests of both sides' encodings as they were then, sealed: they tell the same two again when the hit's
    place in a filing is gone, or its screening's encoding. Not bound to the hit: it goes with the screening, or the
    filing, of either side.
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
