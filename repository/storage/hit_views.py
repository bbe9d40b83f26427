"""Hits as one member sees them: found and counted only within what it may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Select, and_, case, false, func, not_, or_, select, tuple_

from repository.domain.disclosure import Reach
from repository.domain.labels import Labels
from repository.storage import outcomes
from repository.storage.casework import CASE_HITS, Place
from repository.storage.filings import FILINGS, MEMBERS, REACH_COLUMNS, SUBJECTS, label_columns, with_labels
from repository.storage.hits import HIT_SIDES, HITS
from repository.storage.screenings import SCREENINGS


@dataclass(frozen=True, slots=True)
class HitView:
    """A hit from one member's side, as stored."""

    id: str
    created_at: datetime
    superseded_at: datetime | None
    band: int
    evidence: bytes
    model_id: str
    own_filing_id: str | None
    own_screening_id: str | None
    own_position: int
    own_reference: str
    own_role: str
    own_kind: str
    their_filing_id: str
    their_version: int
    their_position: int
    their_line: str
    their_class: str
    their_date: date
    their_claim: dict[str, Any] | None
    their_role: str
    contributor: str
    notice: bytes | None
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
class Loose:
    """A hit that is in no case: the own and the other subject, each as (id, place). `counted`: its class is seen."""

    hit_id: str
    own: Place
    their: Place
    counted: bool


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


def visible(
    connection: Connection, member_id: str, hit_ids: Sequence[str], *, seen: Reach, counted: Reach
) -> list[str]:
    """Those of some hits that are live and that a member may see, in their order."""
    if not (hit_ids and seen.pairs):
        return []
    side = HIT_SIDES.c
    joined = HIT_SIDES.join(HITS, HITS.c.id == side.hit_id).join(_THEIR, _THEIR.c.id == side.their_filing_id)
    statement = (
        select(side.hit_id)
        .select_from(joined)
        .where(side.member_id == member_id, side.hit_id.in_(hit_ids), HITS.c.superseded_at.is_(None))
        .where(_within(_THEIR, seen), _told(seen, counted))
    )
    found = set(connection.execute(statement).scalars())
    return [each for each in hit_ids if each in found]


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


def uncased(connection: Connection, member_id: str, seen: Reach, counted: Reach, *, limit: int) -> list[Loose]:
    """A member's live hits that it may see and that are in no case yet, the oldest first."""
    if not seen.pairs:
        return []
    there = select(CASE_HITS.c.hit_id).where(
        CASE_HITS.c.member_id == HIT_SIDES.c.member_id, CASE_HITS.c.hit_id == HIT_SIDES.c.hit_id
    )
    side = HIT_SIDES.c
    joined = HIT_SIDES.join(HITS, HITS.c.id == side.hit_id).join(_THEIR, _THEIR.c.id == side.their_filing_id)
    named = case((_within(_THEIR, counted), 1), else_=0)
    statement = (
        select(side.hit_id, _OWN_ID, side.own_position, side.their_filing_id, side.their_position, named)
        .select_from(joined)
        .where(side.member_id == member_id, HITS.c.superseded_at.is_(None), ~there.correlate(HIT_SIDES).exists())
        .where(_within(_THEIR, seen), _told(seen, counted), *outcomes.listed(HIT_SIDES, answered=None, outcome=None))
        .order_by(side.hit_id)
        .limit(limit)
    )
    rows = connection.execute(statement)
    return [Loose(row[0], (row[1], row[2]), (row[3], row[4]), bool(row[5])) for row in rows]


def of_cases(
    connection: Connection, member_id: str, case_ids: Sequence[str], *, seen: Reach, counted: Reach
) -> list[tuple[str, str, HitView]]:
    """The live hits of cases that a member may see, whatever it said of them: (case id, model, view)."""
    if not (case_ids and seen.pairs):
        return []
    at = (CASE_HITS.c.member_id == HIT_SIDES.c.member_id) & (CASE_HITS.c.hit_id == HIT_SIDES.c.hit_id)
    statement = (
        _views(member_id)
        .join(CASE_HITS, at)
        .where(CASE_HITS.c.case_id.in_(case_ids), HITS.c.superseded_at.is_(None))
        .where(_within(_THEIR, seen), _told(seen, counted))
        .order_by(HITS.c.band.desc(), HITS.c.id)
    )
    rows = connection.execute(statement.add_columns(CASE_HITS.c.case_id, HITS.c.model_id))
    return [(row[-2], row[-1], HitView(*with_labels(row[:-2]))) for row in rows]


def in_cases(member_id: str, chosen: Filter, *, named: Reach | None = None, members: int = 0) -> Select[Any]:
    """Selects the ids of a member's cases that have such a hit; of at least so many `members` among those `named`."""
    side = HIT_SIDES.c
    joined = (
        CASE_HITS.join(HIT_SIDES, (side.hit_id == CASE_HITS.c.hit_id) & (side.member_id == CASE_HITS.c.member_id))
        .join(HITS, HITS.c.id == side.hit_id)
        .join(_THEIR, _THEIR.c.id == side.their_filing_id)
        .outerjoin(_OWN, _OWN.c.id == side.own_filing_id)
        .outerjoin(SCREENINGS, SCREENINGS.c.id == side.own_screening_id)
    )
    found = select(CASE_HITS.c.case_id).select_from(joined).where(CASE_HITS.c.member_id == member_id)
    found = found.where(HITS.c.superseded_at.is_(None), _within(_THEIR, chosen.seen))
    found = found.where(_told(chosen.seen, chosen.counted))
    if chosen.bands is not None:
        found = found.where(HITS.c.band.in_(chosen.bands))
    if chosen.own_line is not None:
        found = found.where(func.coalesce(_OWN.c.line, SCREENINGS.c.line) == chosen.own_line)
    if named is not None:
        known = case((_within(_THEIR, named), _THEIR.c.member_id))
        found = found.group_by(CASE_HITS.c.case_id).having(func.count(known.distinct()) >= members)
    return found


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
        label = filings.c[REACH_COLUMNS[name]]
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
            HITS.c.model_id,
            side.own_filing_id,
            side.own_screening_id,
            side.own_position,
            func.coalesce(_OWN.c.reference, SCREENINGS.c.reference),
            func.coalesce(_OWN_SUBJECT.c.role, SCREENINGS.c.role, ""),
            func.coalesce(_OWN_SUBJECT.c.kind, SCREENINGS.c.kind, ""),
            side.their_filing_id,
            _THEIR.c.version,
            side.their_position,
            _THEIR.c.line,
            _THEIR.c.record_class,
            _THEIR.c.triggered_on,
            _THEIR.c.claim,
            func.coalesce(_THEIR_SUBJECT.c.role, ""),
            MEMBERS.c.name,
            _THEIR.c.notice,
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
