"""What other numbers than the shipped ones would do: `python -m benchmarks.rulebooks`.

Judges generated markets under variants of the shipped rulebook, every third day, and counts the members of which each
of the claims of repository/simulation/claims.py does not hold; the days are those of the middle member and of the last.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import date
from itertools import chain
from typing import Any

import numpy as np

from benchmarks.machine import show
from repository.domain.rulebook import Rulebook
from repository.services import rulebook_file
from repository.simulation.claims import check, told
from repository.simulation.market import generate, plan
from repository.simulation.profiles import CAST
from repository.simulation.running import run
from repository.simulation.summary import summarise

VARIANTS: dict[str, dict[str, dict[str, Any]]] = {
    "shipped": {},
    "counts_tolerance 0.5": {"level": {"counts_tolerance": 0.5}},
    "counts_tolerance 2": {"level": {"counts_tolerance": 2.0}},
    "counts_tolerance 3": {"level": {"counts_tolerance": 3.0}},
    "counted_over 15": {"level": {"counted_over": 15}},
    "counted_over 60": {"level": {"counted_over": 60}},
    "counted_days 90": {"level": {"counted_days": 90}},
    "counted_days 180": {"level": {"counted_days": 180}},
    "met_from 0": {"level": {"met_from": 0}},
    "met_from 1": {"level": {"met_from": 1}},
    "met_from 3": {"level": {"met_from": 3}},
    "corroboration_share 0": {"standing": {"corroboration_share": 0.0}},
    "corroboration_share 0.05": {"standing": {"corroboration_share": 0.05}},
    "corroboration_share 0.1": {"standing": {"corroboration_share": 0.1}},
    "corroboration_share 0.2": {"standing": {"corroboration_share": 0.2}},
    "corroboration_share 0.3": {"standing": {"corroboration_share": 0.3}},
    "corroboration_expected 5": {"standing": {"corroboration_expected": 5.0}},
    "corroboration_expected 40": {"standing": {"corroboration_expected": 40.0}},
    "nobody to compare with": {"standing": {"corroboration_peers": 10**6}},
    "counts_from 0.25": {"level": {"counts_from": 0.25}},
    "counts_from 0.75": {"level": {"counts_from": 0.75}},
    "seen_days 90": {"level": {"seen_days": 90}},
    "seen_days 180": {"level": {"seen_days": 180}},
    "seen_days 365": {"level": {"seen_days": 365}},
    "spared 0": {"standing": {"spared": 0.0}},
    "spared 1": {"standing": {"spared": 1.0}},
    "tolerance 2": {"standing": {"tolerance": 2.0}},
    "tolerance 4": {"standing": {"tolerance": 4.0}},
}
_Found = list[tuple[str, int, int, tuple[int | None, ...]]]


def varied(rulebook: Rulebook, changes: dict[str, dict[str, Any]]) -> Rulebook:
    """A rulebook with other numbers in some of its tables."""
    tables = {name: replace(getattr(rulebook, name), **entries) for name, entries in changes.items()}
    return replace(rulebook, **tables)


def judged(rulebook: Rulebook, seed: int, members: int, months: int, overlap: float) -> _Found:
    """For each claim: of how many members it does not hold in one market, of how many in all, and their days."""
    rng = np.random.default_rng(seed)
    market = generate(plan(members, months, overlap), rulebook, date(2026, 1, 1), rng)
    rows = (summarise(each, rulebook) for each in run(market, rulebook, rng, every=3))
    return [(each.claim, len(each.failing), each.members, each.days) for each in check(rows)]


def together(markets: Iterable[_Found]) -> dict[str, dict[str, str]]:
    """The sums over several markets, and the days of all of their members in short."""
    sums: dict[str, tuple[int, int, tuple[int | None, ...]]] = {}
    for claim, failing, members, days in chain.from_iterable(markets):
        before = sums.get(claim, (0, 0, ()))
        sums[claim] = (before[0] + failing, before[1] + members, before[2] + days)
    return {
        claim: {"fails": f"{failing} of {members}"} | ({"days": told(days)} if days else {})
        for claim, (failing, members, days) in sums.items()
    }


def main() -> None:
    """Run the variants and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--members", type=int, default=len(CAST))
    parser.add_argument("--months", type=int, default=12)
    parser.add_argument("--overlap", type=float, default=1.0)
    parser.add_argument("--variant", action="append", choices=VARIANTS, help="repeatable; by default all")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    shipped, wanted = rulebook_file.default(), given.variant or [*VARIANTS]
    books = {name: varied(shipped, VARIANTS[name]) for name in wanted}
    with ProcessPoolExecutor(given.jobs) as pool:
        of = (given.members, given.months, given.overlap)
        runs = {
            name: [pool.submit(judged, book, seed, *of) for seed in range(1, given.seeds + 1)]
            for name, book in books.items()
        }
        show(vars(given) | {"claims": {name: together(each.result() for each in runs[name]) for name in wanted}})


if __name__ == "__main__":
    main()
