"""R6, the ladder: how long a line has been below target, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from repository.domain.rulebook import LadderRules


class Step(StrEnum):
    """Where a line stands. Restricted lowers what is seen; suspended lets nothing be asked or seen."""

    GOOD = "good"
    WARNED = "warned"
    PLAN = "plan"
    RESTRICTED = "restricted"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class Rung:
    """A step, and the next one with the day it holds from if the line stays below target."""

    step: Step
    next_step: Step | None = None
    next_on: date | None = None


def rung(below_since: date | None, rules: LadderRules, today: date) -> Rung:
    """The step of a line that has been below target since that day; None is not below."""
    if below_since is None:
        return Rung(Step.GOOD)
    step = Step.GOOD
    for following, days in _steps(rules):
        begins = below_since + timedelta(days=days)
        if begins > today:
            return Rung(step, following, begins)
        step = following
    return Rung(step)


def _steps(rules: LadderRules) -> tuple[tuple[Step, int], ...]:
    return (
        (Step.WARNED, rules.warned),
        (Step.PLAN, rules.plan),
        (Step.RESTRICTED, rules.restricted),
        (Step.SUSPENDED, rules.suspended),
    )
