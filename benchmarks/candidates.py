"""Where the cut falls in a look-up: `python -m benchmarks.candidates --records 20000`.

Fills a pool with a generated market, asks about people in it under another insurer's spelling, and tells at which place
of the ranked candidates their own record stood, with no limit: how many a limit would have lost.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import select

from benchmarks.machine import show
from benchmarks.pool import Filled, fill
from repository.domain.rulebook import Rulebook
from repository.services import pool
from repository.services.rulebooks import Rulebooks
from repository.storage.engine import Database
from repository.storage.filings import FILINGS, SUBJECTS

LIMITS = (1, 2, 5, 10, 20, 30, 50, 100)
NO_LIMIT = 100_000


class _Fixed(Rulebooks):
    """One rulebook on every day, though no file may say what it says."""

    def __init__(self, database: Database, rulebook: Rulebook) -> None:
        super().__init__(database)
        self._fixed = rulebook

    def at(self, now: datetime) -> Rulebook:  # noqa: ARG002 - the same on every day
        """The one."""
        return self._fixed


def measure(filled: Filled) -> dict[str, Any]:
    """How many candidates a question has, how many found their own record, and how many limits would lose it."""
    services = filled.services
    matching = replace(services.rulebook.matching, candidates_per_subject=NO_LIMIT)
    unlimited = replace(services, rulebooks=_Fixed(services.database, replace(services.rulebook, matching=matching)))
    own = select(FILINGS.c.reference, SUBJECTS.c.id).join(SUBJECTS, SUBJECTS.c.filing_id == FILINGS.c.id)
    candidates, places = [], []
    with services.database.reading() as connection:
        contributed = own.where(FILINGS.c.member_id == filled.contributor.member.id)
        record = {row[0]: row[1] for row in connection.execute(contributed)}
        for question, truth in zip(filled.questions, filled.truths, strict=True):
            rekeyed = pool.rekeyed(services.sealer, [question])
            found = pool.link(unlimited, connection, filled.asker.member, rekeyed).keys.records[0]
            candidates.append(len(found))
            if record[truth] in found:
                places.append(found.index(record[truth]))
    return {
        "candidates": {f"p{at}": int(np.percentile(candidates, at)) for at in (50, 95, 100)},
        "asked": len(candidates),
        "found": len(places),
        "lost_by_limit": {str(limit): sum(place >= limit for place in places) for limit in LIMITS},
    }


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=20_000, help="subjects in the pool")
    parser.add_argument("--questions", type=int, default=500)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        filled = fill(Path(directory) / "pool", options.records, options.questions)
        report = measure(filled)
        filled.services.database.close()
    show({"benchmark": "candidates", "pool": options.records, **report})


if __name__ == "__main__":
    main()
