"""Whether some people are missed, or taken for others, more often: by the origin, length and frequency of their names.

A record of the left book is asked about. It is *missed* where its person is in the right book and is not linked, and
*wronged* where a link of it leads to somebody else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.quality.sets import DataSet
from benchmarks.spellings import ROMANISED
from matching.evaluation import wilson

ORIGINS = {
    "en_GB": "British", "en_US": "American", "en_AU": "Australian", "en_IE": "Irish", "en_IN": "Indian",
    "en_NG": "Nigerian", "pl_PL": "Polish", ROMANISED: "Arabic, Urdu",
}  # fmt: skip
SHORT, LONG = 4, 8
"""Letters of a short family name at most, of a long one at least."""
SELDOM, OFTEN = 2e-4, 2e-3
"""Shares of a book's records with a rare family name, below, and with a frequent one, above."""


def fairness(rows: npt.NDArray[np.int64], others: npt.NDArray[np.int64], data: DataSet) -> dict[str, dict[str, Any]]:
    """Rates of records missed and wronged by these links, by each grouping, with 95 % intervals."""
    match = data.is_match(rows, others)
    there = np.isin(data.left, data.right)
    found, wronged = (np.zeros(len(data.left), np.bool_) for _ in range(2))
    found[rows[match]] = True
    wronged[rows[~match]] = True
    groupings = {
        "origin": _origins,
        "length of the family name": _lengths,
        "frequency of the family name": _frequencies,
    }
    return {
        name: {
            group: {"missed": _rate(~found[own & there]), "wronged": _rate(wronged[own])}
            for group, own in _members(grouping(data)).items()
        }
        for name, grouping in groupings.items()
    }


Grouping = Callable[[DataSet], list[str]]


def _members(groups: list[str]) -> dict[str, npt.NDArray[np.bool_]]:
    every = np.array(groups, np.str_)
    return {group: every == group for group in sorted(set(groups))}


def _rate(is_so: npt.NDArray[np.bool_]) -> dict[str, Any]:
    """A share with its interval, of so many; by Wilson (1927), which holds for rare things too."""
    times, of = int(is_so.sum()), len(is_so)
    low, high = wilson(times, of)
    return {"of": of, "rate": round(times / of, 4) if of else None, "low": round(low, 4), "high": round(high, 4)}


def _origins(data: DataSet) -> list[str]:
    return [ORIGINS[tagged.origin] for tagged in data.tags[0]]


def _family_names(data: DataSet) -> list[str]:
    return [tagged.raw["family_name"].casefold() for tagged in data.tags[0]]


def _lengths(data: DataSet) -> list[str]:
    def group(letters: int) -> str:
        if letters <= SHORT:
            return f"1: at most {SHORT} letters"
        return f"2: {SHORT + 1} to {LONG - 1}" if letters < LONG else f"3: {LONG} or more"

    return [group(len(name)) for name in _family_names(data)]


def _frequencies(data: DataSet) -> list[str]:
    names = _family_names(data)
    times = Counter(names)

    def group(share: float) -> str:
        if share < SELDOM:
            return f"1: rarer than {SELDOM:.2%}"
        return f"2: up to {OFTEN:.1%}" if share <= OFTEN else f"3: more frequent than {OFTEN:.1%}"

    return [group(times[name] / len(names)) for name in names]
