"""R3, R4 and R8 in figures: completeness, timeliness, accuracy and duty of a (line, class) over a window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from repository.domain.ledger import COUNTS, Floats
from repository.domain.rulebook import StandingRules

MEASURES = ("completeness", "timeliness", "accuracy", "duty")
COMPLETENESS, TIMELINESS, ACCURACY, DUTY = range(4)
CONTRIBUTION = "contribution"


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure with its arithmetic: value = (met + allowance) / (target x total), at most 1; 1 when total is 0."""

    name: str
    met: float
    total: float
    target: float
    allowance: float
    value: float

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "name": self.name,
            "met": self.met,
            "total": self.total,
            "target": self.target,
            "allowance": self.allowance,
            "value": self.value,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Measure:
        """From what `as_dict` gave."""
        return cls(**stored)


NOTHING_DECLARED = Measure(CONTRIBUTION, 0.0, 0.0, 1.0, 0.0, 1.0)
"""The contribution where nothing was declared."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The measures of many pairs and days. The arrays of measures are (measures, days, pairs).

    `thin` and `uncorroborated` are (days, pairs): what was accepted and does not count, for its few keys, or because
    nobody else ever meets such records; `accepted` is the rest.
    """

    met: Floats
    total: Floats
    allowance: Floats
    value: Floats
    accepted: Floats
    thin: Floats
    uncorroborated: Floats

    @property
    def scores(self) -> Floats:
        """The product of the measures: (days, pairs)."""
        completeness, timeliness, accuracy, duty = self.value
        product: Floats = completeness * timeliness * accuracy * duty
        return product


def targets(rules: StandingRules) -> tuple[float, float, float, float]:
    """The target of each measure."""
    return rules.completeness_target, rules.timeliness_target, rules.accuracy_target, rules.duty_target


def judge(sums: Floats, expected: Floats, peers: Floats, rules: StandingRules) -> Judged:
    """Judge sums over windows of (days, columns, pairs) against what was expected (days, pairs).

    `peers` has each pair's median share of corroborated records among other members, or NaN where there are too few.
    """
    of = dict(zip(COUNTS, sums.swapaxes(0, 1), strict=True))
    met, total = np.empty((2, len(MEASURES), *expected.shape))
    full = np.maximum(of["accepted"] - of["thin"], 0.0)  # a record may turn thin later than it was accepted
    credible = _credible(of["accepted"], of["corroborated"], peers, rules)
    accepted = np.minimum(full, credible)
    met[COMPLETENESS] = np.maximum(accepted - of["back_book"], 0.0)
    total[COMPLETENESS] = expected
    total[TIMELINESS] = of["accepted"] - of["back_book"]
    met[TIMELINESS] = np.maximum(total[TIMELINESS] - of["late"], 0.0)
    met[ACCURACY] = np.minimum(np.maximum(full - of["upheld"], 0.0), credible)
    total[ACCURACY] = of["accepted"]
    met[DUTY], total[DUTY] = of["answered"], of["due"]
    allowance, value = _valued(met, total, rules)
    return Judged(met, total, allowance, value, accepted, of["thin"], full - accepted)


def peer_share(shares: Sequence[float], rules: StandingRules) -> float | None:
    """The median share of corroborated records among other members' shares; None when there are too few members."""
    return float(median(shares)) if shares and len(shares) >= rules.corroboration_peers else None


def _credible(accepted: Floats, corroborated: Floats, peers: Floats, rules: StandingRules) -> Floats:
    """How many records their share of corroborated ones vouches for; infinitely many where nothing is concluded."""
    needed = np.broadcast_to(rules.corroboration_share * peers, accepted.shape)
    telling = accepted * peers >= rules.corroboration_expected
    judged = (needed > 0) & (accepted >= rules.corroboration_from) & telling
    vouched: Floats = np.divide(corroborated, needed, out=np.full(accepted.shape, np.inf), where=judged)
    return vouched


def _valued(met: Floats, total: Floats, rules: StandingRules) -> tuple[Floats, Floats]:
    """Allowances and values: chance alone, at the rulebook's tolerance, puts nobody below a target.

    What is to come is a count, with a variance as large as itself; the others are shares of a known total. A few
    records are spared in any case: in a class of three, one bad one is no habit.
    """
    target = np.array(targets(rules)).reshape(-1, 1, 1)
    allowance = total * (1 - target)
    allowance[COMPLETENESS] = total[COMPLETENESS]
    np.sqrt(allowance, out=allowance)
    allowance *= rules.tolerance
    np.maximum(allowance, rules.spared, out=allowance, where=total > 0)
    value = met + allowance
    np.divide(value, target * total, out=value, where=total > 0)
    value[total == 0] = 1.0
    return allowance, np.minimum(value, 1.0, out=value)
