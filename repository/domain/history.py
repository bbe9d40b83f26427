"""A member's scores day by day: each day is judged as of its end, under the rulebook in force on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from repository.domain.ledger import Counts, Ledger, Pair
from repository.domain.measures import DUTY, Judged, judge
from repository.domain.rulebook import Rulebook
from repository.domain.terms import MONTHS_PER_DAY, Floats, Membership, declared_rates, due_shares

Schedule = Sequence[tuple[date, Rulebook]]
"""The rulebook in force from each day on; the days rise. The first one holds before its day, too."""
Flags = npt.NDArray[np.bool_]
_BELOW = 1 - 1e-9
_DECIMALS = 9  # a running sum of thirds and sevenths is not exact, and a person's pencil is


@dataclass(frozen=True, slots=True)
class History:
    """The days from `first` to today: whether each line is below target, and today's measures of each pair.

    `below` is (lines, days), `scores` (lines) of today, `per_month` (pairs) what is declared today. `judged` (pairs):
    whether anything was declared within the window that ends today.
    """

    first: date
    below: Flags
    scores: Floats
    today: Judged
    per_month: Floats
    judged: Flags

    @property
    def days(self) -> int:
        """How many days it has; the last one is today."""
        return len(self.below.T)


def in_force(schedule: Schedule, day: date) -> Rulebook:
    """The rulebook in force on a day."""
    return next((rulebook for since, rulebook in reversed(schedule) if since <= day), schedule[0][1])


def history(
    membership: Membership,
    ledger: Ledger,
    schedule: Schedule,
    *,
    pairs: Sequence[Pair],
    peers: Mapping[Pair, float | None],
    today: date,
) -> History:
    """Judge every day from admission to today; `pairs` are sorted by line.

    Where the ledger begins after admission, the first day judged is the first whose whole window lies in it.
    """
    window = max(rulebook.window.days for _, rulebook in schedule)
    first = membership.admitted_on
    if ledger.first > first:
        first = ledger.first + timedelta(days=window)
    first = min(first, today)
    begin, days = first - timedelta(days=window), (today - first).days + 1 + window
    rates = declared_rates(membership, pairs, begin, days)
    filed = _running(ledger.between(pairs, begin, days))
    due = _running(rates * (due_shares(membership, begin, days) * MONTHS_PER_DAY))
    shares = np.array([peers.get(pair) or np.nan for pair in pairs]).reshape(-1, 1)
    lines: list[Floats] = []
    for low, high, rulebook in _segments(schedule, first, today):
        start, stop, back = (low - begin).days, (high - begin).days, rulebook.window.days
        sums = filed[..., start + 1 : stop + 1] - filed[..., start - back : stop - back]
        expected = np.round(due[:, start:stop] - due[:, start - back : stop - back], _DECIMALS)
        judged = judge(sums, expected, shares, rulebook.standing)
        declared = (rates[:, start:stop] > 0) | (expected > 0)
        lines.append(_worst(pairs, np.where(declared, judged.scores, judged.value[DUTY])))
    scores = np.concatenate(lines, axis=1)
    return History(first, scores < _BELOW, scores[:, -1], judged, rates[:, -1], declared[:, -1])


def _worst(pairs: Sequence[Pair], scores: Floats) -> Floats:
    """The lowest score of each line on each day: (lines, days)."""
    starts = [place for place, pair in enumerate(pairs) if place == 0 or pair[0] != pairs[place - 1][0]]
    worst: Floats = np.minimum.reduceat(scores, starts, axis=0) if starts else scores
    return worst


def _running(values: npt.NDArray[np.float64] | Counts) -> Floats:
    """Sums along the days with a zero in front: the sum of days a to b is [b + 1] - [a]."""
    sums = np.zeros((*values.shape[:-1], values.shape[-1] + 1))
    np.cumsum(values, axis=-1, out=sums[..., 1:])
    return sums


def _segments(schedule: Schedule, first: date, today: date) -> list[tuple[date, date, Rulebook]]:
    """(from, until, rulebook): the days from `first` to today, cut where another rulebook comes into force."""
    after = today + timedelta(days=1)
    changes = [since for since, _ in schedule[1:] if first < since < after]
    return [(low, high, in_force(schedule, low)) for low, high in pairwise([first, *changes, after])]
