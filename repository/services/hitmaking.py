"""Writing hits down: between two filings for both their members, and of a screening for who asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from matching.types import EncodedSubject, Match
from matching.wire import unpack
from repository import metrics
from repository.domain.members import Member
from repository.services import Services, outbox, pool, reciprocity, suppression
from repository.services.pool import Linked, Sighting
from repository.storage import hits, index
from repository.storage.hits import Pair, ScreeningHit
from repository.storage.sealing import named_context

Found = tuple[str, int, Sighting]
"""(own filing id, position of the own subject in it, what was seen)."""


@dataclass(frozen=True, slots=True)
class Source:
    """Whose filings or questions they are, who sends them, in which batch, and when."""

    member: Member
    actor_id: str
    batch_id: str | None
    now: datetime


def record_hits(
    services: Services,
    connection: Connection,
    source: Source,
    found: Sequence[Found],
    linked: Linked,
    *,
    replaced: Sequence[str],
) -> None:
    """Store the hits between filings, for both sides.

    Hits of the `replaced` filings are superseded first; those found again are brought back under their old id.
    """
    hits.supersede(connection, replaced, now=source.now)
    before = hits.pairs_of(connection, replaced) if replaced else {}
    write_hits(services, connection, source, found, linked, before=before)


def write_hits(
    services: Services,
    connection: Connection,
    source: Source,
    found: Sequence[Found],
    linked: Linked,
    *,
    before: Mapping[Pair, str],
) -> set[str]:
    """Store what was found, for both sides; pairs that were hits `before`, by id, are so again. The ids of all."""
    new, sides, revived = [], [], []
    for filing_id, place, sighting in found:
        pair = _pair(filing_id, place, sighting)
        row = _evidence(services, before.get(pair) or reciprocity.new_id(services, "hit"), sighting, linked)
        if pair in before:
            revived.append({"hit": row["id"], **row})
            continue
        metrics.HITS.labels(band=sighting.match.band.label).inc()
        low, low_place, high, high_place = pair
        ends = {"low_filing_id": low, "low_position": low_place, "high_filing_id": high, "high_position": high_place}
        new.append({**row, **ends, "screening_id": None, "created_at": source.now, "superseded_at": None})
        other = sighting.candidate
        mine, theirs = (filing_id, place), (other.filing_id, other.position)
        sides.append(_side(source.member.id, row["id"], own=mine, their=theirs))
        sides.append(_side(other.member_id, row["id"], own=theirs, their=mine))
    hits.revive(connection, revived)
    suppression.reviewed(services, connection, {row["hit"]: row["band"] for row in revived})
    hits.add(connection, new, sides)
    sides_of = [(side["member_id"], side["hit_id"]) for side in sides]
    known = suppression.carry(services, connection, sides, {row["id"]: row["band"] for row in new})
    outbox.tell_hits(services, connection, [each for each in sides_of if each not in known])
    return {row["id"] for row in (*new, *revived)}


def record_screening_hits(
    services: Services,
    connection: Connection,
    source: Source,
    found: Sequence[tuple[str, str, int, Sighting]],
    linked: Linked,
) -> None:
    """Store the hits of screenings, each (hit id, screening id, tier shown, what was seen), for who asked."""
    new, sides = [], []
    for hit_id, screening_id, tier, sighting in found:
        other = sighting.candidate
        row = _evidence(services, hit_id, sighting, linked)
        ends = {"low_filing_id": None, "low_position": None, "screening_id": screening_id}
        there = {"high_filing_id": other.filing_id, "high_position": other.position}
        new.append({**row, **ends, **there, "created_at": source.now, "superseded_at": None})
        side = _side(source.member.id, hit_id, own=(None, 0), their=(other.filing_id, other.position))
        sides.append({**side, "own_screening_id": screening_id, "shown_tier": tier, "shown_at": source.now})
    hits.add(connection, new, sides)


def rescore_screening_hits(
    services: Services,
    connection: Connection,
    source: Source,
    filed: Mapping[tuple[str, int], EncodedSubject],
    *,
    replaced: Sequence[str],
) -> set[str]:
    """Score the screenings that hit `replaced` filings against their encodings now, in `filed`.

    `record_hits` has superseded these hits; those that still match are brought back under their old id, also when
    the subject has another place in its filing now. Returns the ids of those that match no more.
    """
    standing = hits.of_screenings(connection, replaced, now=source.now) if replaced else []
    revived, moved = [], []
    for member_id, kind in sorted({(each.member_id, each.kind) for each in standing}):
        group = [each for each in standing if (each.member_id, each.kind) == (member_id, kind)]
        there = [place for place, subject in filed.items() if subject.kind == kind]
        pool_size = index.pool_sizes(connection, other_than=member_id).get(kind, 0)
        matches = services.linker.score_many(
            [_question(services, each) for each in group],
            [filed[place] for place in there],
            [[at for at, (filing_id, _) in enumerate(there) if filing_id == each.filing_id] for each in group],
            pool_size=pool_size,
        )
        found = [{there[match.position][1]: match for match in each} for each in matches]
        for each, position in _placed(group, found):
            match = found[group.index(each)][position]
            revived.append({"hit": each.hit_id, **scored(services, each.hit_id, match, pool_size)})
            if position != each.position:
                moved.append((each.hit_id, position))
    hits.revive(connection, revived)
    hits.move(connection, moved)
    suppression.reviewed(services, connection, {row["hit"]: row["band"] for row in revived})
    return {each.hit_id for each in standing} - {row["hit"] for row in revived}


def _placed(standing: Sequence[ScreeningHit], found: Sequence[Mapping[int, Match]]) -> list[tuple[ScreeningHit, int]]:
    """Where each hit's subject is now: in its old place if that matches, else in the best that no other hit has."""
    placed = [(each, each.position) for each, matches in zip(standing, found, strict=True) if each.position in matches]
    taken = {(each.screening_id, each.filing_id, position) for each, position in placed}
    for each, matches in zip(standing, found, strict=True):
        free = [at for at in matches if (each.screening_id, each.filing_id, at) not in taken]
        if each.position not in matches and free:
            placed.append((each, free[0]))
            taken.add((each.screening_id, each.filing_id, free[0]))
    return placed


def _question(services: Services, standing: ScreeningHit) -> EncodedSubject:
    return unpack(services.sealer.unseal(named_context(standing.screening_id), standing.envelope))


def _pair(filing_id: str, place: int, sighting: Sighting) -> Pair:
    ends = sorted([(filing_id, place), (sighting.candidate.filing_id, sighting.candidate.position)])
    return (*ends[0], *ends[1])


def _evidence(services: Services, hit_id: str, sighting: Sighting, linked: Linked) -> dict[str, Any]:
    pool_size = linked.pool_sizes.get(sighting.candidate.kind, 0)
    return {"id": hit_id, **scored(services, hit_id, sighting.match, pool_size)}


def scored(services: Services, hit_id: str, match: Match, pool_size: int) -> dict[str, Any]:
    """What is stored of how two subjects match."""
    return {
        "band": int(match.band),
        "evidence": pool.seal_evidence(services.sealer, hit_id, match),
        "model_id": services.linker.model_id,
        "pool_size": pool_size,
    }


def _side(member_id: str, hit_id: str, *, own: tuple[str | None, int], their: tuple[str, int]) -> dict[str, Any]:
    return {
        "member_id": member_id,
        "hit_id": hit_id,
        "own_filing_id": own[0],
        "own_screening_id": None,
        "own_position": own[1],
        "their_filing_id": their[0],
        "their_position": their[1],
        "shown_tier": 0,
        "shown_at": None,
    }
