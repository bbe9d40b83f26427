"""What members were shown: a member answers and disputes what it was shown once, whatever it may see today."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from repository.domain.disputes import Disputed
from repository.domain.rulebook import NO_TIER
from repository.storage.filings import FILINGS
from repository.storage.hits import HIT_SIDES, HITS


@dataclass(frozen=True, slots=True)
class Shown:
    """A hit that a member was shown: the highest tier, the other side's filing now, and whether the hit is gone."""

    tier: int
    about: Disputed
    superseded: bool


def hit(connection: Connection, member_id: str, hit_id: str) -> Shown | None:
    """A hit that was shown to a member; None when there is no such hit of this member, or it was never shown."""
    side, filing = HIT_SIDES.c, FILINGS.c
    joined = HIT_SIDES.join(HITS, HITS.c.id == side.hit_id).join(FILINGS, filing.id == side.their_filing_id)
    statement = (
        select(side.shown_tier, HITS.c.superseded_at)
        .add_columns(filing.id, filing.version, filing.member_id, filing.line, filing.record_class)
        .select_from(joined)
        .where(side.member_id == member_id, side.hit_id == hit_id, side.shown_tier > NO_TIER)
    )
    row = connection.execute(statement).one_or_none()
    return None if row is None else Shown(row[0], Disputed(*row[2:]), superseded=row[1] is not None)
