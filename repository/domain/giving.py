"""R2 in figures: what was given of each class, of how much and over how long, and whether anyone else ever meets it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import sqrt

import numpy as np

from matching.vocabulary import RECORD_CLASSES
from repository.domain.ledger import COUNTS, Floats, Ledger, Pair
from repository.domain.measures import CONTRIBUTION, Measure
from repository.domain.rulebook import Rulebook
from repository.domain.terms import MONTHS_PER_DAY, Membership, declared_rates

_DECIMALS = 9  # as in `history`: a running sum is not exact, and a person's pencil is
_ACCEPTED, _BACK_BOOK, _THIN, _CORROBORATED = map(COUNTS.index, ("accepted", "back_book", "thin", "corroborated"))


@dataclass(frozen=True, slots=True)
class Given:
    """What was given of each pair, in the order of the pairs.

    `days` is how far back a pair was looked at, `total` what was declared for so many days, `accepted` what came in of
    it, without thin ones.
    """

    days: tuple[int, ...]
    total: tuple[float, ...]
    accepted: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Meeting:
    """How many records of one line met another member's, and how many have to; 0 where nothing is asked."""

    met: int = 0
    needed: float = 0.0

    @property
    def enough(self) -> bool:
        """Whether they are as many as needed."""
        return self.met >= self.needed


def given(
    membership: Membership, ledger: Ledger, uncorroborated: Mapping[Pair, float], rulebook: Rulebook, today: date
) -> Given:
    """What was given of each of these pairs; `uncorroborated` has what the window's corroboration takes off each.

    The window is too short to tell who files one of twelve from who had a quiet quarter. So a pair is looked at as far
    back as `counted_over` records were declared, and at most `counted_days`, or since admission. Neither a short
    membership nor a covenant makes the volume smaller: what is seen follows what was given.
    """
    pairs, rules, window = tuple(uncorroborated), rulebook.level, rulebook.window.days
    longest, as_member = max(window, rules.counted_days), max((today - membership.admitted_on).days, 1)
    rates = declared_rates(membership, pairs, today - timedelta(days=longest), longest + 1)
    declared = np.cumsum(rates[-2::-1], axis=0)  # by how many days back
    enough = declared * MONTHS_PER_DAY >= rules.counted_over
    reached = np.where(enough.any(axis=0), enough.argmax(axis=0) + 1, longest)
    days = np.clip(reached, window, max(window, min(rules.counted_days, as_member)))
    places = np.arange(len(pairs))
    mean = np.round(declared[days - 1, places] / np.minimum(days, as_member), _DECIMALS)
    total = np.maximum(rates[-1], mean) * (MONTHS_PER_DAY * days)
    counts = ledger.between(pairs, today - timedelta(days=longest), longest + 1)
    full = np.cumsum((counts[:, _ACCEPTED] - counts[:, _THIN])[::-1], axis=0)[days, places]
    accepted = np.maximum(np.maximum(full, 0) - np.array([*uncorroborated.values()]), 0)
    return Given(tuple(days.tolist()), tuple(total.tolist()), tuple(np.floor(accepted).astype(np.int64).tolist()))


def contribution(accepted: int, total: float, rulebook: Rulebook) -> Measure:
    """R2: what was accepted of the `total` declared; chance may take `counts_tolerance` standard errors of it."""
    rules, target = rulebook.standing, rulebook.standing.completeness_target
    allowance = max(rules.spared, rulebook.level.counts_tolerance * sqrt(total)) if total > 0 else 0.0
    value = min(1.0, (accepted + allowance) / (target * total)) if total > 0 else 1.0
    return Measure(CONTRIBUTION, float(accepted), total, target, allowance, value)


def meetings(
    ledger: Ledger, lines: Sequence[str], peers: Mapping[Pair, float | None], rulebook: Rulebook, today: date
) -> dict[str, Meeting]:
    """How many records of each line met another member's within `counted_days`, and how many have to.

    An invented book is too small to be compared with others' by its share before it was of use. So a line proves
    itself first: `met_from` of its records, or where others' shares lead one to expect more than chance gives, so many.
    Where no other members can be compared with, nothing is asked.
    """
    pairs = [(line, record_class) for line in lines for record_class in RECORD_CLASSES]
    back = rulebook.level.counted_days
    sums = ledger.between(pairs, today - timedelta(days=back), back + 1).sum(axis=0)
    genuine = np.maximum(sums[_ACCEPTED] - sums[_THIN] - sums[_BACK_BOOK], 0)
    shares = np.array([peers.get(pair) or 0.0 for pair in pairs])
    by_line = (len(lines), len(RECORD_CLASSES))
    met = sums[_CORROBORATED].reshape(by_line).sum(axis=1)
    expected = (genuine * shares).reshape(by_line).sum(axis=1) * rulebook.standing.corroboration_share
    comparable = shares.reshape(by_line).max(axis=1, initial=0.0) > 0
    needed: Floats = np.where(comparable, np.maximum(rulebook.level.met_from, np.round(expected, _DECIMALS)), 0.0)
    return {line: Meeting(int(met[place]), float(needed[place])) for place, line in enumerate(lines)}
