"""Taking screenings out of the tables that point to them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, select

from repository.storage.disputes import DISPUTES
from repository.storage.duties import DUTIES
from repository.storage.hits import HIT_SIDES, HITS
from repository.storage.outcomes import OUTCOMES
from repository.storage.screenings import SCREENINGS


def in_cases(connection: Connection, screening_ids: Sequence[str]) -> set[str]:
    """Those of these screenings that have a hit on which an outcome, a dispute or a duty stands."""
    of_these = select(HITS.c.id).where(HITS.c.screening_id.in_(screening_ids))
    told = [select(table.c.hit_id).where(table.c.hit_id.in_(of_these)) for table in (OUTCOMES, DISPUTES, DUTIES)]
    statement = select(HITS.c.screening_id).where(HITS.c.id.in_(told[0].union(*told[1:]))).distinct()
    return set(connection.execute(statement).scalars())


def remove(connection: Connection, screening_ids: Sequence[str]) -> None:
    """Remove screenings with their hits, on which nothing stands."""
    if not screening_ids:
        return
    hits = select(HITS.c.id).where(HITS.c.screening_id.in_(screening_ids))
    connection.execute(delete(HIT_SIDES).where(HIT_SIDES.c.hit_id.in_(hits)))
    connection.execute(delete(HITS).where(HITS.c.screening_id.in_(screening_ids)))
    connection.execute(delete(SCREENINGS).where(SCREENINGS.c.id.in_(screening_ids)))
