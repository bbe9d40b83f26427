"""Writing hits down: between two filings for both their members, and of a screening for who asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from repository import metrics
from repository.domain.members import Member
from repository.services import Services, pool, reciprocity
from repository.services.pool import Linked, Sighting
from repository.storage import hits
from repository.storage.hits import Pair

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
    hits.add(connection, new, sides)


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


def _pair(filing_id: str, place: int, sighting: Sighting) -> Pair:
    ends = sorted([(filing_id, place), (sighting.candidate.filing_id, sighting.candidate.position)])
    return (*ends[0], *ends[1])


def _evidence(services: Services, hit_id: str, sighting: Sighting, linked: Linked) -> dict[str, Any]:
    return {
        "id": hit_id,
        "band": int(sighting.match.band),
        "evidence": pool.seal_evidence(services.sealer, hit_id, sighting.match),
        "model_id": services.linker.model_id,
        "pool_size": linked.pool_sizes.get(sighting.candidate.kind, 0),
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
