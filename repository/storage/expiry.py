"""Taking screenings out of the tables that point to them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, or_, select

from repository.storage import removal
from repository.storage.casework import CASE_HITS, CASE_MOVES, CASE_NOTES, CASES, FINDINGS
from repository.storage.disputes import DISPUTES
from repository.storage.duties import DUTIES
from repository.storage.hits import HITS
from repository.storage.outcomes import OUTCOMES


def in_cases(connection: Connection, screening_ids: Sequence[str]) -> set[str]:
    """Those of these screenings with a hit on which an outcome, a dispute or a duty stands, or people worked."""
    of_these = select(HITS.c.id).where(HITS.c.screening_id.in_(screening_ids))
    told = [select(table.c.hit_id).where(table.c.hit_id.in_(of_these)) for table in (OUTCOMES, DISPUTES, DUTIES)]
    told.append(select(CASE_HITS.c.hit_id).where(CASE_HITS.c.hit_id.in_(of_these), _worked_on()))
    statement = select(HITS.c.screening_id).where(HITS.c.id.in_(told[0].union(*told[1:]))).distinct()
    return set(connection.execute(statement).scalars())


def _worked_on() -> ColumnElement[bool]:
    """Whether the case of a hit has a note, a finding, or a move that somebody made, also before it was merged."""
    case_id, younger = CASE_HITS.c.case_id, CASES.alias()
    merged = select(younger.c.id).where(younger.c.merged_into == case_id).correlate(CASE_HITS)
    moved = CASE_MOVES.c.actor_id.is_not(None)
    return or_(
        *(select(table.c.id).where(table.c.case_id == case_id).exists() for table in (CASE_NOTES, FINDINGS)),
        select(CASE_MOVES.c.id).where(CASE_MOVES.c.case_id == case_id, moved).exists(),
        select(CASE_MOVES.c.id).where(CASE_MOVES.c.case_id.in_(merged), moved).exists(),
    )


def remove(connection: Connection, screening_ids: Sequence[str]) -> None:
    """Remove screenings with their hits, and what stands on these."""
    removal.remove_screenings(connection, screening_ids)
