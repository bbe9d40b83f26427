"""What other numbers than the shipped ones would do: `python -m benchmarks.rulebooks --seeds 10`.

Judges generated markets under variants of the shipped rulebook, every third day, and counts the members for which each
of the claims of repository/simulation/claims.py does not hold.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np

from benchmarks.machine import show
from repository.domain.rulebook import Rulebook
from repository.services import rulebook_file
from repository.simulation.claims import check
from repository.simulation.market import generate, plan
from repository.simulation.profiles import CAST
from repository.simulation.running import run
from repository.simulation.summary import summarise

VARIANTS: dict[str, dict[str, dict[str, Any]]] = {
    "shipped": {},
    "tolerance 2": {"standing": {"tolerance": 2.0}},
    "tolerance 4": {"standing": {"tolerance": 4.0}},
    "spared 0": {"standing": {"spared": 0.0}},
    "spared 1": {"standing": {"spared": 1.0}},
    "counts_from 0.25": {"level": {"counts_from": 0.25}},
    "counts_from 0.75": {"level": {"counts_from": 0.75}},
    "seen_days 90": {"level": {"seen_days": 90}},
    "corroboration_expected 5, share 0.2": {"standing": {"corroboration_expected": 5.0, "corroboration_share": 0.2}},
    "corroboration_expected 10, share 0.15": {
        "standing": {"corroboration_expected": 10.0, "corroboration_share": 0.15}
    },
    "corroboration_expected 40": {"standing": {"corroboration_expected": 40.0}},
    "no corroboration": {"standing": {"corroboration_share": 0.0}},
}


def varied(rulebook: Rulebook, changes: dict[str, dict[str, Any]]) -> Rulebook:
    """A rulebook with other numbers in some of its tables."""
    tables = {name: replace(getattr(rulebook, name), **entries) for name, entries in changes.items()}
    return replace(rulebook, **tables)


def failing(rulebook: Rulebook, seeds: int, members: int, months: int, overlap: float) -> dict[str, str]:
    """For each claim, of how many members it does not hold, of how many in all."""
    failed: Counter[str] = Counter()
    judged: Counter[str] = Counter()
    for seed in range(1, seeds + 1):
        rng = np.random.default_rng(seed)
        market = generate(plan(members, months, overlap), rulebook, date(2026, 1, 1), rng)
        for claim in check(summarise(each, rulebook) for each in run(market, rulebook, rng, every=3)):
            failed[claim.claim] += len(claim.failing)
            judged[claim.claim] += claim.members
    return {claim: f"{failed[claim]} of {count}" for claim, count in judged.items()}


def main() -> None:
    """Run the variants and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--members", type=int, default=len(CAST))
    parser.add_argument("--months", type=int, default=12)
    parser.add_argument("--overlap", type=float, default=1.0)
    parser.add_argument("--variant", action="append", choices=VARIANTS, help="repeatable; by default all")
    given = parser.parse_args()
    shipped = rulebook_file.default()
    wanted = given.variant or VARIANTS
    of = (given.seeds, given.members, given.months, given.overlap)
    show(vars(given) | {"fails": {name: failing(varied(shipped, VARIANTS[name]), *of) for name in wanted}})


if __name__ == "__main__":
    main()
