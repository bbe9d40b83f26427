"""The ledger of one member: what it filed, and what became of it, counted by (line, class) and UTC day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

Pair = tuple[str, str]
"""A line and a record class."""
Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

COUNTS = ("accepted", "late", "back_book", "thin", "corroborated", "upheld", "due", "answered")
"""The columns of the ledger: filings of new references accepted that day, and of these those filed late, those whose
trigger date lies before the member's admission (without thin ones: none is taken off twice), those with too few keys,
and those that met another member's record; disputes upheld, and filings refuted, that day against the member; answers
to hits that fall due that day, and those given in time."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """Counts by column (all of COUNTS), each an array of (pairs, days), the days from `first` on.

    A day not in it has no counts. `first` is the day from which the ledger is whole: the member's admission, or a day
    after it. A due day may lie ahead of today.
    """

    first: date
    pairs: tuple[Pair, ...]
    counts: Mapping[str, Counts]

    @property
    def days(self) -> int:
        """How many days it has."""
        return next(iter(self.counts.values())).shape[1] if self.counts else 0

    def between(self, pairs: Iterable[Pair], first: date, days: int) -> Floats:
        """The counts of these pairs for `days` days from `first` on, as an array of (days, columns, pairs)."""
        wanted = tuple(pairs)
        taken = np.zeros((days, len(COUNTS), len(wanted)))
        places = {pair: place for place, pair in enumerate(self.pairs)}
        here = [place for place, pair in enumerate(wanted) if pair in places]
        there = [places[wanted[place]] for place in here]
        shift = (first - self.first).days
        begin, end = max(0, -shift), min(days, self.days - shift)
        if not here or begin >= end:
            return taken
        for column, name in enumerate(COUNTS):
            taken[begin:end, column, here] = self.counts[name][there, begin + shift : end + shift].T
        return taken


def collect(first: date, rows: Iterable[tuple[date, str, str, Mapping[str, int]]]) -> Ledger:
    """The ledger of rows of (day, line, class, counts by column); rows of one pair and day add up.

    Raises ValueError for a row before `first`.
    """
    entries = [(day, (line, record_class), counts) for day, line, record_class, counts in rows]
    if any(day < first for day, _, _ in entries):
        raise ValueError("a ledger takes no rows before its first day")
    pairs = sorted({pair for _, pair, _ in entries})
    places = {pair: place for place, pair in enumerate(pairs)}
    last = max((day for day, _, _ in entries), default=first - timedelta(days=1))
    columns = {name: np.zeros((len(pairs), (last - first).days + 1), np.int64) for name in COUNTS}
    for day, pair, counts in entries:
        for name, count in counts.items():
            columns[name][places[pair], (day - first).days] += count
    return Ledger(first, tuple(pairs), columns)
