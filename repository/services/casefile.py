"""Reading cases: the queue with its filters, and one case with both sides as far as the member may see them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from matching.types import Band
from repository.domain import disclosure
from repository.domain.casework import Case, Finding
from repository.domain.members import Actor, Member
from repository.domain.rulebook import CLASS_TIER, POINTER_TIER
from repository.domain.viewings import Via
from repository.services import Services, casework, hits, receipts, refuting, review
from repository.services.casemaking import gather, gather_within
from repository.services.casework import At, Verdict
from repository.services.entitlements import DEFAULT_PURPOSE, Granted, RefusedError
from repository.services.hits import Counts
from repository.storage import casework as stored
from repository.storage import hit_views
from repository.storage.casework import CaseFilter
from repository.storage.hit_views import Filter, HitView

MOST_SEARCHED = 2000
"""Cases, the newest, that a search for words looks through."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which cases: of the case itself, and of the hits in it that may be seen. `members`: at least so many named."""

    of_case: CaseFilter
    bands: Sequence[Band] | None = None
    line: str | None = None
    record_class: str | None = None
    members: int | None = None
    purpose: str = DEFAULT_PURPOSE

    @property
    def by_hits(self) -> bool:
        """Whether the hits decide."""
        return any(each is not None for each in (self.bands, self.line, self.record_class, self.members))


@dataclass(frozen=True, slots=True)
class Contents:
    """The hits of cases that a member may see, by case: model and view of each."""

    granted: Granted
    of_case: Mapping[str, Sequence[tuple[str, HitView]]]
    counts: Counts


@dataclass(frozen=True, slots=True)
class Words:
    """Words that cases are to be like, and which page of them: so many after the best `after`."""

    like: str
    after: int
    limit: int


@receipts.steady
def queue(
    services: Services, actor: Actor, member: Member, wanted: Wanted, *, before: str | None, limit: int
) -> tuple[list[dict[str, Any]], bool]:
    """A page of a member's cases, newest first, and whether there are more. Raises RefusedError."""
    granted = hits.entitled(services, actor, member, wanted.purpose)
    seen, counted = hits.reaches(granted)
    gather(services, member, seen, counted)
    with services.database.reading() as connection:
        found = _page(connection, granted, wanted, before, limit + 1)
        contents = _contents(connection, granted, found[:limit])
    return _told(services, found[:limit], contents), len(found) > limit


@receipts.steady
def search(
    services: Services, actor: Actor, member: Member, wanted: Wanted, words: Words
) -> tuple[list[dict[str, Any]], bool]:
    """A page of the cases whose own references or organisations are most like some words, and whether there are more.

    The best first. Raises RefusedError.
    """
    granted = hits.entitled(services, actor, member, wanted.purpose)
    seen, counted = hits.reaches(granted)
    gather(services, member, seen, counted)
    with services.database.reading() as connection:
        found = _page(connection, granted, wanted, None, MOST_SEARCHED)
        contents = _contents(connection, granted, found)
        texts = review.searched(services, connection, granted, found, contents.of_case)
    ranked = review.ranked(words.like, texts)[words.after :]
    by_id = {case.id: case for case in found}
    page = _told(services, [by_id[case_id] for case_id in ranked[: words.limit]], contents)
    return page, len(ranked) > words.limit


def take_next(services: Services, actor: Actor, member: Member) -> dict[str, Any] | None:
    """Claim the case that is due first of those that nobody has, as JSON; None for none. Raises RefusedError."""
    granted = hits.entitled(services, actor, member, DEFAULT_PURPOSE)
    gather(services, member, *hits.reaches(granted))
    return casework.claim_next(services, actor, member)


def decide(services: Services, at: At, said: Verdict) -> dict[str, Any] | None:
    """Decide a finding on all that there is by now: a hit that nobody has read makes the version another one.

    None where there is no case. Raises SecondPersonError, StaleError, CaseError and FieldError.
    """
    try:
        granted = hits.entitled(services, at.actor, at.member, DEFAULT_PURPOSE)
    except RefusedError as error:  # it may see nothing that is new, and decides on its own case still
        granted = error.granted
    with services.database.writing() as connection:
        if granted.entitlement.allowed:
            gather_within(services, connection, at.member, *hits.reaches(granted))
        decided = casework.decide(services, connection, at, said)
    if decided is not None and decided["finding"] == Finding.CLEAR.value:
        # Once more now that it is there for all to see: of members that confirm at once, none sees the others before.
        with services.database.writing() as connection:
            refuting.look(services, connection, at.member.id, at.case_id)
    return decided


@receipts.steady
def one(
    services: Services, actor: Actor, member: Member, case_id: str, purpose: str = DEFAULT_PURPOSE
) -> dict[str, Any] | None:
    """A member's case with all that is in it, None when it has none of this id. Raises RefusedError."""
    granted = hits.entitled(services, actor, member, purpose)
    gather(services, member, *hits.reaches(granted))
    with services.database.reading() as connection:
        case = stored.find(connection, member.id, case_id)
        if case is None:
            return None
        contents = _contents(connection, granted, [case])
        own = review.of_member(services, connection, case)
    found = contents.of_case.get(case.id, ())
    bodies = hits.show(services, granted, [view for _, view in found], contents.counts, Via.CASE)
    told = [review.reviewed(services, body, model, view) for body, (model, view) in zip(bodies, found, strict=True)]
    sightings = review.sightings(granted, [view for _, view in found])
    return summary(case, contents) | {"hits": told, "sightings": sightings} | own


def summary(case: Case, contents: Contents) -> dict[str, Any]:
    """A case in the queue: with the best band, and what is told of the others at each tier."""
    views = [view for _, view in contents.of_case.get(case.id, ())]
    best = max((view.band for view in views), default=None)
    classes, named = set(), set()
    for view in views:
        tier = tier_of(contents.granted, view)
        if tier >= CLASS_TIER:
            classes.add(view.their_class)
        if tier >= POINTER_TIER:
            named.add(view.contributor)
    return casework.to_json(case) | {
        "band": None if best is None else Band(best).label,
        "hit_count": len(views),
        "references": sorted({view.own_reference for view in views}),
        "classes": sorted(classes),
        "members": len(named),
    }


def _told(services: Services, cases: Sequence[Case], contents: Contents) -> list[dict[str, Any]]:
    """Cases in the queue; their hits are noted as shown, so that a correction reaches who saw that there are any.

    Those of tier 3 as of tier 2: no hit is named here that an answer could be owed on.
    """
    granted = contents.granted
    views = [view for case in cases for _, view in contents.of_case.get(case.id, ())]
    if views:
        with services.database.writing() as connection:
            seen = [(view, min(CLASS_TIER, tier_of(granted, view))) for view in views]
            receipts.note_shown(connection, hits.reader(granted, Via.CASE), seen)
    return [summary(each, contents) for each in cases]


def tier_of(granted: Granted, view: HitView) -> int:
    """The tier of the other side of a hit."""
    entitled_tier = granted.entitlement.tier(view.their_line, view.their_class)
    return disclosure.tier_of(entitled_tier, view.labels, granted.rulebook)


def _page(connection: Connection, granted: Granted, wanted: Wanted, before: str | None, limit: int) -> list[Case]:
    among = None
    if wanted.by_hits:
        seen, counted = hits.reaches(granted)
        told = seen if wanted.record_class is None else counted.of_class(wanted.record_class)
        bands = None if wanted.bands is None else [int(band) for band in wanted.bands]
        rulebook, may = granted.rulebook, granted.entitlement
        pointed = disclosure.reach(may.from_tier(POINTER_TIER), POINTER_TIER, rulebook)
        named = None if wanted.members is None else pointed
        chosen = Filter(told, counted, bands, wanted.line)
        among = hit_views.in_cases(granted.member.id, chosen, named=named, members=wanted.members or 0)
    return stored.page(connection, granted.member.id, wanted.of_case, among, before=before, limit=limit)


def _contents(connection: Connection, granted: Granted, cases: Sequence[Case]) -> Contents:
    seen, counted = hits.reaches(granted)
    ids = [case.id for case in cases]
    of_case: dict[str, list[tuple[str, HitView]]] = defaultdict(list)
    found = hit_views.of_cases(connection, granted.member.id, ids, seen=seen, counted=counted)
    for case_id, model, view in found:
        of_case[case_id].append((model, view))
    counts = hits.count(connection, granted.member, [view for _, _, view in found], seen, counted)
    return Contents(granted, of_case, counts)
