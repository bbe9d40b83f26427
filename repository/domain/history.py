"""A member's scores day by day: each day is judged as of its end, under the rulebook in force on it.

Few days are looked at: today, and from there back only the lines that are below target, as far as they are so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from repository.domain.ledger import Floats, Ledger, Pair
from repository.domain.measures import DUTY, Judged, judge
from repository.domain.rulebook import Rulebook
from repository.domain.terms import MONTHS_PER_DAY, Membership, declared_rates, due_shares

Schedule = Sequence[tuple[date, Rulebook]]
"""The rulebook in force from each day on; the days rise. The first one holds before its day, too."""
Flags = npt.NDArray[np.bool_]

AT_TARGET = 1 - 1e-9
"""A score from which a line is at target."""
_DECIMALS = 9  # a running sum of thirds and sevenths is not exact, and a person's pencil is
_STRIDE = 64
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Days:
    """Some days in a row, under one rulebook; arrays are (days, pairs).

    `scores` is what each pair brings to its line: the product of its measures, or its duty alone where nothing was
    `declared` within the window. `per_month` is what was declared on the day.
    """

    scores: Floats
    measures: Judged
    per_month: Floats
    declared: Flags


@dataclass(frozen=True, slots=True)
class History:
    """What a member's days are judged on."""

    membership: Membership
    ledger: Ledger
    schedule: Schedule
    peers: Mapping[Pair, float | None]

    @property
    def first(self) -> date:
        """The first day that can be judged: admission, or where the ledger begins later, the first whole window."""
        if self.ledger.first <= self.membership.admitted_on:
            return self.membership.admitted_on
        return self.ledger.first + timedelta(days=max(rulebook.window.days for _, rulebook in self.schedule))

    def judge(self, pairs: Sequence[Pair], first: date, last: date) -> list[Days]:
        """Judge the days from `first` to `last`, one entry for each rulebook."""
        after = last + _DAY
        changes = [since for since, _ in self.schedule[1:] if first < since < after]
        spans = pairwise([first, *changes, after])
        return [self._judge(pairs, low, (high - low).days, in_force(self.schedule, low)) for low, high in spans]

    def below(self, pairs: Sequence[Pair], first: date, last: date) -> dict[str, Flags]:
        """For each line, whether one of these pairs was below target on each of the days from `first` to `last`."""
        if not pairs:
            return {}
        flags = np.concatenate([days.scores for days in self.judge(pairs, first, last)]) < AT_TARGET
        found: dict[str, Flags] = {}
        for place, (line, _) in enumerate(pairs):
            found[line] = found[line] | flags[:, place] if line in found else flags[:, place]
        return found

    def idle(self, lines: Collection[str], first: date, last: date) -> dict[str, Flags]:
        """For each of these lines, whether nothing was declared of it on each of the days from `first` to `last`."""
        pairs, days = self.pairs(lines, last), (last - first).days + 1
        declared = declared_rates(self.membership, pairs, first, days) > 0
        idle: dict[str, Flags] = {}
        for line in lines:
            own = [place for place, pair in enumerate(pairs) if pair[0] == line]
            idle[line] = np.logical_not(np.any(declared[:, own], axis=1))
        return idle

    def pairs(self, lines: Collection[str], day: date) -> list[Pair]:
        """Every (line, class) of these lines that was declared by a day, or is in the ledger."""
        return [pair for pair in listed(self.membership, self.ledger, day) if pair[0] in lines]

    def _judge(self, pairs: Sequence[Pair], first: date, days: int, rulebook: Rulebook) -> Days:
        back = rulebook.window.days
        begin, length = first - timedelta(days=back), back + days
        rates = declared_rates(self.membership, pairs, begin, length)
        due = rates * (due_shares(self.membership, begin, length) * MONTHS_PER_DAY)[:, np.newaxis]
        # What is expected of a day is due when the day is over; what was filed counts at once.
        expected = np.round(_windows(due[:-1], back), _DECIMALS)
        sums = _windows(self.ledger.between(pairs, begin, length), back + 1)
        shares = np.array([self.peers.get(pair) or np.nan for pair in pairs])
        judged = judge(sums, expected, shares, rulebook.standing)
        declared = (rates[back:] > 0) | (expected > 0)
        scores = np.where(declared, judged.scores, judged.value[DUTY])
        return Days(scores, judged, rates[back:], declared)


def in_force(schedule: Schedule, day: date) -> Rulebook:
    """The rulebook in force on a day."""
    return next((rulebook for since, rulebook in reversed(schedule) if since <= day), schedule[0][1])


def below_since(history: History, weakest: Mapping[str, Pair], today: date) -> dict[str, date]:
    """For each of these lines, which are below target today, the first of the days in a row that it has been so.

    `weakest` has today's weakest pair of each line. Mostly it was below target all along, and tells by itself.
    """
    since: dict[str, date] = {}
    pending = set(weakest)
    last, stride = today - _DAY, _STRIDE
    while pending and last >= history.first:
        first = max(history.first, last - timedelta(days=stride - 1))
        found = history.below([weakest[line] for line in sorted(pending)], first, last)
        doubts = {line: int(np.flatnonzero(~below)[-1]) for line, below in found.items() if not below.all()}
        until = first + timedelta(days=max(doubts.values(), default=0))
        for line, below in history.below(history.pairs(doubts, until), first, until).items():
            at_target = np.flatnonzero(~below)
            if len(at_target):
                since[line] = first + timedelta(days=int(at_target[-1]) + 1)
        pending -= since.keys()
        last, stride = first - _DAY, stride * 2
    return since | dict.fromkeys(pending, last + _DAY)


def clean_since(
    history: History, lines: Iterable[str], begin: date, *, clean_days: int, today: date
) -> dict[str, date]:
    """For each line the start of its first run of that many days at target, all over; else of the present run.

    A day on which nothing of the line is declared is no such day: there is no target.
    """
    since = dict.fromkeys(lines, begin)
    pending = set(since)
    first, stride = begin, _STRIDE
    while pending and first <= today:
        last = min(today, first + timedelta(days=stride - 1))
        below = history.below(history.pairs(pending, last), first, last)
        for line, idle in history.idle(pending, first, last).items():
            for place in np.flatnonzero(idle | below.get(line, idle)).tolist():
                if (first - since[line]).days + place >= clean_days:
                    break
                since[line] = first + timedelta(days=place + 1)
        pending = {line for line in pending if (last - since[line]).days < clean_days}
        first, stride = last + _DAY, stride * 2
    return since


def listed(membership: Membership, ledger: Ledger, day: date) -> list[Pair]:
    """Every (line, class) declared by a day or in the ledger, sorted by line."""
    return sorted(
        {(each.line, each.record_class) for each in membership.declared if each.since <= day} | {*ledger.pairs}
    )


def _windows(values: Floats, length: int) -> Floats:
    """The sums of every `length` days in a row."""
    if len(values) == length:
        only: Floats = values.sum(axis=0, keepdims=True)
        return only
    sums = np.zeros((len(values) + 1, *values.shape[1:]))
    np.cumsum(values, axis=0, out=sums[1:])
    return sums[length:] - sums[:-length]
