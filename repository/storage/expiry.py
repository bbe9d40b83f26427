"""Taking screenings out of the tables that point to them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from repository.storage import removal
from repository.storage.disputes import DISPUTES
from repository.storage.duties import DUTIES
from repository.storage.hits import HITS
from repository.storage.outcomes import OUTCOMES


def in_cases(connection: Connection, screening_ids: Sequence[str]) -> set[str]:
    """Those of these screenings that have a hit on which an outcome, a dispute or a duty stands."""
    of_these = select(HITS.c.id).where(HITS.c.screening_id.in_(screening_ids))
    told = [select(table.c.hit_id).where(table.c.hit_id.in_(of_these)) for table in (OUTCOMES, DISPUTES, DUTIES)]
    statement = select(HITS.c.screening_id).where(HITS.c.id.in_(told[0].union(*told[1:]))).distinct()
    return set(connection.execute(statement).scalars())


def remove(connection: Connection, screening_ids: Sequence[str]) -> None:
    """Remove screenings with their hits, and what stands on these."""
    removal.remove_screenings(connection, screening_ids)
