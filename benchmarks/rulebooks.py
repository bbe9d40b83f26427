"""What other numbers than the shipped ones would do: `python -m benchmarks.rulebooks`.

Judges generated markets under variants of the shipped rulebook, every third day, and counts the members of which each
of the claims of repository/simulation/claims.py does not hold; the days are those of the middle member and of the last.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np

from benchmarks.machine import show
from repository.domain.rulebook import Rulebook
from repository.services import rulebook_file
from repository.simulation.claims import Claim, check, told
from repository.simulation.market import generate, plan
from repository.simulation.profiles import CAST
from repository.simulation.running import run
from repository.simulation.summary import Summary, summarise

VARIANTS: dict[str, dict[str, dict[str, Any]]] = {
    "shipped": {},
    "counts_tolerance 0.5": {"level": {"counts_tolerance": 0.5}},
    "counts_tolerance 2": {"level": {"counts_tolerance": 2.0}},
    "counts_tolerance 3": {"level": {"counts_tolerance": 3.0}},
    "counted_over 15": {"level": {"counted_over": 15}},
    "counted_over 60": {"level": {"counted_over": 60}},
    "counted_days 90": {"level": {"counted_days": 90}},
    "counted_days 180": {"level": {"counted_days": 180}},
    "met_from 1": {"level": {"met_from": 1}},
    "met_from 3": {"level": {"met_from": 3}},
    "no corroboration": {"level": {"met_from": 0}, "standing": {"corroboration_share": 0.0}},
    "corroboration_share 0.05": {"standing": {"corroboration_share": 0.05}},
    "corroboration_share 0.15": {"standing": {"corroboration_share": 0.15}},
    "corroboration_share 0.2": {"standing": {"corroboration_share": 0.2}},
    "corroboration_share 0.3": {"standing": {"corroboration_share": 0.3}},
    "corroboration_expected 5": {"standing": {"corroboration_expected": 5.0}},
    "corroboration_expected 40": {"standing": {"corroboration_expected": 40.0}},
    "nobody to compare with": {"standing": {"corroboration_peers": 10**6}},
    "counts_from 0.25": {"level": {"counts_from": 0.25}},
    "counts_from 0.65": {"level": {"counts_from": 0.65}},
    "counts_from 0.75": {"level": {"counts_from": 0.75}},
    "seen_days 90": {"level": {"seen_days": 90}},
    "seen_days 180": {"level": {"seen_days": 180}},
    "spared 0": {"standing": {"spared": 0.0}},
    "spared 1": {"standing": {"spared": 1.0}},
    "tolerance 2": {"standing": {"tolerance": 2.0}},
    "tolerance 4": {"standing": {"tolerance": 4.0}},
}
_DAYS = ("claims_from", "held_from", "first_restricted")
_Found = tuple[list[Claim], list[Summary]]


def varied(rulebook: Rulebook, changes: dict[str, dict[str, Any]]) -> Rulebook:
    """A rulebook with other numbers in some of its tables."""
    tables = {name: replace(getattr(rulebook, name), **entries) for name, entries in changes.items()}
    return replace(rulebook, **tables)


def judged(rulebook: Rulebook, seed: int, members: int, months: int, overlap: float) -> _Found:
    """One market: the claims, and the rows they are about."""
    rng = np.random.default_rng(seed)
    market = generate(plan(members, months, overlap), rulebook, date(2026, 1, 1), rng)
    rows = [summarise(each, rulebook) for each in run(market, rulebook, rng, every=3)]
    return list(check(rows)), rows


def of_claims(markets: Sequence[_Found]) -> dict[str, dict[str, str]]:
    """For each claim, of how many members of several markets it does not hold, of how many in all, and their days."""
    by_words: dict[str, list[Claim]] = {}
    for claim in (claim for claims, _ in markets for claim in claims):
        by_words.setdefault(claim.claim, []).append(claim)
    return {
        words: {
            "fails": f"{sum(len(each.failing) for each in claims)} of {sum(each.members for each in claims)}",
            "days": told(day for each in claims for day in each.days),
        }
        for words, claims in by_words.items()
    }


def of_members(markets: Sequence[_Found]) -> dict[str, dict[str, str]]:
    """For each kind of member its days: tier 3 on claims from, tier 1 or less from, restricted by the ladder from."""
    by_kind: dict[str, list[Summary]] = {}
    for row in (row for _, rows in markets for row in rows):
        by_kind.setdefault(f"{row.group}: {row.label}", []).append(row)
    return {
        kind: {name: told(getattr(each, name) for each in rows) for name in _DAYS} for kind, rows in by_kind.items()
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
    parser.add_argument("--each", action="store_true", help="the days of each kind of member, instead of the claims")
    given = parser.parse_args()
    shipped, wanted = rulebook_file.default(), given.variant or [*VARIANTS]
    books = {name: varied(shipped, VARIANTS[name]) for name in wanted}
    with ProcessPoolExecutor(given.jobs) as pool:
        of = (given.members, given.months, given.overlap)
        runs = {
            name: [pool.submit(judged, book, seed, *of) for seed in range(1, given.seeds + 1)]
            for name, book in books.items()
        }
        found = {name: [each.result() for each in of_one] for name, of_one in runs.items()}
    asked = of_members if given.each else of_claims
    show(vars(given) | {"variants": {name: asked(markets) for name, markets in found.items()}})


if __name__ == "__main__":
    main()
