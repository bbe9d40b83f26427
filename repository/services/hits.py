"""Reading hits: a member's own list and single hits, each shown as far as its contributions reach today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from matching.types import Band
from repository.domain import disclosure
from repository.domain.asking import Request
from repository.domain.disclosure import Reach
from repository.domain.events import EventKind
from repository.domain.hits import Hit, Own, Theirs, disclose
from repository.domain.members import Actor, Member
from repository.domain.rulebook import CLASS_TIER, HIT_TIER
from repository.domain.viewings import Reader, Via
from repository.services import Services, entitlements, outcomes, pool, receipts
from repository.services.entitlements import DEFAULT_PURPOSE, Granted
from repository.storage import hit_views
from repository.storage.hit_views import Filter, HitView

ACTION = "hits"


@dataclass(frozen=True, slots=True)
class Counts:
    """Of own subjects, by (own id, position): hits that may be seen for each class, and members whose records hit."""

    of_class: Mapping[tuple[str, int, str], int]
    members: Mapping[tuple[str, int], int]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of the list is wanted, and for what: bands, the line of the own side, the class of the other side, outcomes.

    Hits whose two sides the member found not to be the same are listed for `outcome` only.
    """

    bands: Sequence[Band] | None = None
    line: str | None = None
    record_class: str | None = None
    answered: bool | None = None
    outcome: str | None = None
    purpose: str = DEFAULT_PURPOSE


@receipts.steady
def list_hits(
    services: Services, actor: Actor, member: Member, wanted: Wanted, *, before: str | None, limit: int
) -> tuple[list[dict[str, Any]], bool]:
    """A page of a member's live hits as JSON, newest first, and whether there are more. Raises RefusedError (R1).

    A filter by class finds only hits whose class the member may see: it would tell the class otherwise.
    """
    granted = entitled(services, actor, member, wanted.purpose)
    seen, counted = reaches(granted)
    wanted_only = seen if wanted.record_class is None else counted.of_class(wanted.record_class)
    bands = None if wanted.bands is None else [int(band) for band in wanted.bands]
    with services.database.read() as session:
        connection = session.connection()
        chosen = Filter(wanted_only, counted, bands, wanted.line, wanted.answered, wanted.outcome)
        views = hit_views.page(connection, member.id, chosen, before=before, limit=limit + 1)
        views, more = views[:limit], len(views) > limit
        counts = count(connection, member, views, seen, counted)
    return show(services, granted, views, counts, Via.HITS), more


@receipts.steady
def one_hit(
    services: Services, actor: Actor, member: Member, hit_id: str, purpose: str = DEFAULT_PURPOSE
) -> dict[str, Any] | None:
    """One of a member's hits as JSON, None when there is none that the member may see. Raises RefusedError."""
    granted = entitled(services, actor, member, purpose)
    with services.database.read() as session:
        connection = session.connection()
        seen, counted = reaches(granted)
        view = hit_views.one(connection, member.id, hit_id, seen=seen, counted=counted)
        if view is None:
            return None
        counts = count(connection, member, [view], seen, counted)
    return show(services, granted, [view], counts, Via.HIT)[0]


def visible_ids(services: Services, actor: Actor, member: Member, hit_ids: Sequence[str]) -> list[str]:
    """Those of some live hits that the member may see. Raises RefusedError."""
    granted = entitled(services, actor, member, DEFAULT_PURPOSE)
    with services.database.reading() as connection:
        return visible_by(connection, member.id, granted, hit_ids)


def visible_by(connection: Connection, member_id: str, granted: Granted, hit_ids: Sequence[str]) -> list[str]:
    """Those of some live hits that a member may see by a decision on it."""
    seen, counted = reaches(granted)
    return hit_views.visible(connection, member_id, hit_ids, seen=seen, counted=counted)


def entitled(services: Services, actor: Actor, member: Member, purpose: str) -> Granted:
    """What the member may see of others' records; the decision is stored, with an event. Raises RefusedError."""
    request = Request(ACTION, purpose, None, asked=0)
    return entitlements.decide(services, actor, member, request, (EventKind.HITS_READ, EventKind.HITS_REFUSED))


def reaches(granted: Granted) -> tuple[Reach, Reach]:
    """What is seen at all, and what is seen with its class and may therefore be counted."""
    may, rulebook = granted.entitlement, granted.rulebook
    seen, counted = (disclosure.reach(may.from_tier(tier), tier, rulebook) for tier in (HIT_TIER, CLASS_TIER))
    return seen, counted


def count(connection: Connection, member: Member, views: Sequence[HitView], seen: Reach, counted: Reach) -> Counts:
    """How many hits and members there are of the own subjects of these views."""
    live = [view for view in views if view.superseded_at is None]
    of_class = hit_views.counts(connection, member.id, live, counted)
    return Counts(of_class, hit_views.holders(connection, member.id, live, seen))


def reader(granted: Granted, via: Via) -> Reader:
    """Who reads by a decision."""
    return Reader(granted.member.id, granted.actor.id, granted.request.purpose or "", via, granted.now)


def show(
    services: Services, granted: Granted, views: Sequence[HitView], counts: Counts, via: Via
) -> list[dict[str, Any]]:
    """Views as JSON, each as far as its tier allows, noted as shown, with what is due and what was said of them.

    Raises ChangedError where one of the records changed since it was read.
    """
    told = []
    tiers = {}
    may, rulebook, now = granted.entitlement, granted.rulebook, granted.now
    for view in views:
        tier = disclosure.tier_of(may.tier(view.their_line, view.their_class), view.labels, rulebook)
        tiers[view.id] = tier if view.superseded_at is None else HIT_TIER
        hit = _hit(services, view, counts)
        told.append(disclose(hit, tier, today=now.date(), rulebook=rulebook))
    if tiers:
        with services.database.write() as session:
            connection = session.connection()
            seen = [(view, tiers[view.id]) for view in views]
            receipts.note_shown(connection, reader(granted, via), seen)
            outcomes.add_own(services, connection, granted.member.id, told, now=now)
    return told


def _hit(services: Services, view: HitView, counts: Counts) -> Hit:
    _, probability, rows = pool.open_evidence(services.sealer, view.id, view.evidence)
    own_id = view.own_filing_id or view.own_screening_id or ""
    return Hit(
        id=view.id,
        created_at=view.created_at,
        band=Band(view.band),
        probability=probability,
        explanation=rows,
        own=Own(
            reference=view.own_reference,
            subject=view.own_position,
            role=view.own_role,
            kind=view.own_kind,
            filing_id=view.own_filing_id,
            screening_id=view.own_screening_id,
        ),
        theirs=Theirs(
            contributor=view.contributor,
            filing_id=view.their_filing_id,
            line=view.their_line,
            record_class=view.their_class,
            triggered_on=view.their_date,
            role=view.their_role,
            claim=view.their_claim,
            labels=view.labels,
            notice=pool.open_notice(services.sealer, view.their_filing_id, view.notice),
        ),
        count=counts.of_class.get((own_id, view.own_position, view.their_class), 1),
        seen_by=counts.members.get((own_id, view.own_position), 1),
        superseded_at=view.superseded_at,
        model=view.model_id,
    )
