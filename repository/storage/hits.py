"""Hits, and one row for each member that may see one. The evidence is sealed; the band is not: lists filter by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    ForeignKey,
    FromClause,
    Index,
    LargeBinary,
    Select,
    UniqueConstraint,
    and_,
    bindparam,
    false,
    func,
    insert,
    not_,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from repository.domain.disclosure import Reach
from repository.domain.labels import Labels
from repository.storage import dialect, outcomes
from repository.storage.base import Base
from repository.storage.filings import FILINGS, LABEL_COLUMNS, MEMBERS, SUBJECTS, label_columns, with_labels
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
    their_filing_id: Mapped[str] = mapped_column(ForeignKey("filings.id"))
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
class HitView:
    """A hit from one member's side, as stored."""

    id: str
    created_at: datetime
    superseded_at: datetime | None
    band: int
    evidence: bytes
    own_filing_id: str | None
    own_screening_id: str | None
    own_position: int
    own_reference: str
    own_role: str
    own_kind: str
    their_filing_id: str
    their_position: int
    their_line: str
    their_class: str
    their_date: date
    their_claim: dict[str, Any] | None
    their_role: str
    contributor: str
    labels: Labels


@dataclass(frozen=True, slots=True)
class Filter:
    """Which hits of a member: `seen` are the other side's records that it may see; `own_line` is the line of its own.

    Of the hits of one own subject on records that are not `counted`, whose number it may not know, only the best is
    there. What is counted must be seen, too, but for a `seen` that is narrowed to a class.
    `answered` and `outcome` ask for what the member itself said of the hits.
    """

    seen: Reach
    counted: Reach
    bands: Sequence[int] | None = None
    own_line: str | None = None
    answered: bool | None = None
    outcome: str | None = None


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


def page(connection: Connection, member_id: str, chosen: Filter, *, before: str | None, limit: int) -> list[HitView]:
    """A member's live hits, newest first, with ids less than `before`."""
    if not chosen.seen.pairs:
        return []
    conditions = [HITS.c.superseded_at.is_(None), _within(_THEIR, chosen.seen), _told(chosen.seen, chosen.counted)]
    if before is not None:
        conditions.append(HIT_SIDES.c.hit_id < before)
    if chosen.bands is not None:
        conditions.append(HITS.c.band.in_(chosen.bands))
    if chosen.own_line is not None:
        conditions.append(func.coalesce(_OWN.c.line, SCREENINGS.c.line) == chosen.own_line)
    conditions += outcomes.listed(HIT_SIDES, answered=chosen.answered, outcome=chosen.outcome)
    statement = _views(member_id).where(*conditions).order_by(HIT_SIDES.c.hit_id.desc()).limit(limit)
    return [HitView(*with_labels(row)) for row in connection.execute(statement)]


def one(connection: Connection, member_id: str, hit_id: str, *, seen: Reach, counted: Reach) -> HitView | None:
    """A member's view of one hit, superseded or not; None when it is not there for this member (see Filter)."""
    told = or_(HITS.c.superseded_at.is_not(None), _told(seen, counted))
    statement = _views(member_id).where(HIT_SIDES.c.hit_id == hit_id, _within(_THEIR, seen), told)
    row = connection.execute(statement).one_or_none()
    return None if row is None else HitView(*with_labels(row))


def counts(
    connection: Connection, member_id: str, views: Sequence[HitView], counted: Reach
) -> dict[tuple[str, int, str], int]:
    """How many live hits the own subjects of these views have, by (own id, position, class of the other side).

    Only hits on records that are `counted`, those whose class the member may see.
    """
    if not (views and counted.pairs):
        return {}
    own, by = _OWN_ID, (_OWN_ID, HIT_SIDES.c.own_position, FILINGS.c.record_class)
    statement = _live(select(own, HIT_SIDES.c.own_position, FILINGS.c.record_class, func.count()), member_id, views)
    statement = statement.where(_within(FILINGS, counted)).group_by(*by)
    return {(row[0], row[1], row[2]): row[3] for row in connection.execute(statement)}


def holders(
    connection: Connection, member_id: str, views: Sequence[HitView], seen: Reach
) -> dict[tuple[str, int], int]:
    """How many other members' records the own subjects of these views hit, by (own id, position): those `seen`."""
    if not (views and seen.pairs):
        return {}
    count = func.count(FILINGS.c.member_id.distinct())
    statement = _live(select(_OWN_ID, HIT_SIDES.c.own_position, count), member_id, views)
    statement = statement.where(_within(FILINGS, seen)).group_by(_OWN_ID, HIT_SIDES.c.own_position)
    return {(row[0], row[1]): row[2] for row in connection.execute(statement)}


def note_shown(connection: Connection, member_id: str, tiers: dict[str, int], *, now: datetime) -> None:
    """Remember the highest tier each hit was shown at, and when: a correction must reach whoever saw it."""
    if not tiers:
        return
    statement = (
        update(HIT_SIDES)
        .where(
            HIT_SIDES.c.member_id == member_id,
            HIT_SIDES.c.hit_id == bindparam("hit"),
            HIT_SIDES.c.shown_tier < bindparam("tier"),
        )
        .values(shown_tier=bindparam("tier"), shown_at=now)
    )
    connection.execute(statement, [{"hit": hit_id, "tier": tier} for hit_id, tier in sorted(tiers.items())])


_OWN = FILINGS.alias("own")
_THEIR = FILINGS.alias("their")
_OWN_SUBJECT = SUBJECTS.alias("own_subject")
_THEIR_SUBJECT = SUBJECTS.alias("their_subject")
_OWN_ID = func.coalesce(HIT_SIDES.c.own_filing_id, HIT_SIDES.c.own_screening_id)


def _live(statement: Select[Any], member_id: str, views: Sequence[HitView]) -> Select[Any]:
    """Over the live hits of the own filings and screenings in these views, with the other side's filing."""
    own_ids = {view.own_filing_id or view.own_screening_id for view in views}
    involved = or_(HIT_SIDES.c.own_filing_id.in_(own_ids), HIT_SIDES.c.own_screening_id.in_(own_ids))
    joined = HIT_SIDES.join(HITS, HITS.c.id == HIT_SIDES.c.hit_id)
    joined = joined.join(FILINGS, FILINGS.c.id == HIT_SIDES.c.their_filing_id)
    return statement.select_from(joined).where(
        HIT_SIDES.c.member_id == member_id, HITS.c.superseded_at.is_(None), involved
    )


def _told(seen: Reach, counted: Reach) -> ColumnElement[bool]:
    """Whether a hit is counted, or else the best of its own subject: the highest band, the oldest of those."""
    side, hit, their = HIT_SIDES.alias("rival_side"), HITS.alias("rival"), FILINGS.alias("rival_filing")
    better = or_(
        hit.c.band > HITS.c.band,
        and_(hit.c.band == HITS.c.band, side.c.hit_id < HIT_SIDES.c.hit_id),
    )
    rivals = (
        select(side.c.hit_id)
        .select_from(side.join(hit, hit.c.id == side.c.hit_id).join(their, their.c.id == side.c.their_filing_id))
        .where(
            side.c.member_id == HIT_SIDES.c.member_id,
            side.c.own_position == HIT_SIDES.c.own_position,
            hit.c.superseded_at.is_(None),
            _within(their, seen),
            not_(_within(their, counted)),
            better,
        )
        .correlate(HITS, HIT_SIDES)
    )
    # Two searches rather than one with `or`: each column has its index.
    beaten = or_(
        rivals.where(side.c.own_filing_id == HIT_SIDES.c.own_filing_id).exists(),
        rivals.where(side.c.own_screening_id == HIT_SIDES.c.own_screening_id).exists(),
    )
    return or_(_within(_THEIR, counted), not_(beaten))


def _within(filings: FromClause, reach: Reach) -> ColumnElement[bool]:
    """Whether a filing is in reach. Never null: `not_` of it is its opposite."""
    if not reach.pairs:
        return false()
    conditions: list[ColumnElement[bool]] = [tuple_(filings.c.line, filings.c.record_class).in_(reach.pairs)]
    for name, words in reach.hidden.items():
        label = filings.c[LABEL_COLUMNS[name]]
        if words:
            conditions.append(or_(label.is_(None), label.not_in(words)))
    return and_(*conditions)


def _views(member_id: str) -> Select[Any]:
    side = HIT_SIDES.c
    return (
        select(
            HITS.c.id,
            HITS.c.created_at,
            HITS.c.superseded_at,
            HITS.c.band,
            HITS.c.evidence,
            side.own_filing_id,
            side.own_screening_id,
            side.own_position,
            func.coalesce(_OWN.c.reference, SCREENINGS.c.reference),
            func.coalesce(_OWN_SUBJECT.c.role, SCREENINGS.c.role, ""),
            func.coalesce(_OWN_SUBJECT.c.kind, SCREENINGS.c.kind, ""),
            side.their_filing_id,
            side.their_position,
            _THEIR.c.line,
            _THEIR.c.record_class,
            _THEIR.c.triggered_on,
            _THEIR.c.claim,
            func.coalesce(_THEIR_SUBJECT.c.role, ""),
            MEMBERS.c.name,
            *label_columns(_THEIR),
        )
        .select_from(
            HIT_SIDES.join(HITS, HITS.c.id == side.hit_id)
            .join(_THEIR, _THEIR.c.id == side.their_filing_id)
            .join(MEMBERS, MEMBERS.c.id == _THEIR.c.member_id)
            .outerjoin(
                _THEIR_SUBJECT,
                and_(
                    _THEIR_SUBJECT.c.filing_id == side.their_filing_id,
                    _THEIR_SUBJECT.c.position == side.their_position,
                ),
            )
            .outerjoin(_OWN, _OWN.c.id == side.own_filing_id)
            .outerjoin(
                _OWN_SUBJECT,
                and_(_OWN_SUBJECT.c.filing_id == side.own_filing_id, _OWN_SUBJECT.c.position == side.own_position),
            )
            .outerjoin(SCREENINGS, SCREENINGS.c.id == side.own_screening_id)
        )
        .where(side.member_id == member_id)
    )


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
