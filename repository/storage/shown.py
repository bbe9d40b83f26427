"""What members were shown: a member answers and disputes what it was shown once, whatever it may see today."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, case, select, update

from repository.domain.disputes import Disputed
from repository.domain.rulebook import NO_TIER
from repository.storage.filings import FILINGS, VERSIONS
from repository.storage.hits import HIT_SIDES, HITS


@dataclass(frozen=True, slots=True)
class Shown:
    """A hit that a member was shown: the highest tier, and the other side's filing; of a hit that is gone as it was."""

    tier: int
    about: Disputed


def hit(connection: Connection, member_id: str, hit_id: str) -> Shown | None:
    """A hit that was shown to a member; None when there is no such hit of this member, or it was never shown."""
    side, filing, version = HIT_SIDES.c, FILINGS.c, VERSIONS.c
    after = case((version.filed_at < HITS.c.superseded_at, 0), (HITS.c.superseded_at.is_(None), 0), else_=1)
    joined = HIT_SIDES.join(HITS, HITS.c.id == side.hit_id).join(FILINGS, filing.id == side.their_filing_id)
    statement = (
        select(side.shown_tier, filing.id, version.version, filing.member_id, version.line, filing.record_class)
        .select_from(joined.join(VERSIONS, version.filing_id == filing.id))
        .where(side.member_id == member_id, side.hit_id == hit_id, side.shown_tier > NO_TIER)
        .order_by(after, version.version.desc())
        .limit(1)
    )
    row = connection.execute(statement).one_or_none()
    return None if row is None else Shown(row[0], Disputed(*row[1:]))


def note(connection: Connection, member_id: str, tiers: dict[str, int], *, now: datetime) -> None:
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
