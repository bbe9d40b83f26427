"""What a run comes to for each member: the figures of the table, and the state of each day for the chart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from repository.domain.ladder import Step
from repository.domain.rulebook import HIT_TIER, Rulebook
from repository.simulation.profiles import CLASSES
from repository.simulation.running import STEPS, Course

_RESTRICTED = STEPS.index(Step.RESTRICTED)
_SUSPENDED = STEPS.index(Step.SUSPENDED)
_FRAUD = [CLASSES.index("suspected"), CLASSES.index("proven")]


class State(IntEnum):
    """What a day of a member looks like on the chart."""

    ABSENT = 0
    NOTHING = 1
    HITS = 2
    PARTLY = 3
    FULL = 4
    WARNED = 5
    RESTRICTED = 6
    SUSPENDED = 7


@dataclass(frozen=True, slots=True)
class Summary:
    """One member's row. Days count from its admission, 0 being the day of it.

    `steps` has the days on each step; `tiers` those at the end, by class. `first_restricted` is the first day
    restricted or suspended by the ladder; `held_from` the day from which nothing was seen above tier 1 any more, None
    if something is at the end, and `above_days` those on which something was. `fraud_until` is the day from which
    suspected and proven cases were at tier 1 or less for good, or that of the end. `claims_from` is the first day with
    the highest tier on claims, `lost_claim_days` those after it with less; `full_share` is the share of its days on
    which every class was seen at the highest tier that standing gives.
    """

    member: str
    group: str
    label: str
    line: str
    days: int
    steps: dict[str, int]
    last_step: str
    tiers: dict[str, int]
    first_restricted: int | None
    held_from: int | None
    above_days: int
    fraud_until: int
    claims_from: int | None
    lost_claim_days: int
    full_share: float
    asked: int
    refused: int

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def summarise(course: Course, rulebook: Rulebook) -> Summary:
    """One member's row of the table."""
    limited = np.flatnonzero(course.steps >= _RESTRICTED)
    above = np.flatnonzero(course.tiers.max(axis=1) > HIT_TIER)
    fraud = np.flatnonzero(course.tiers[:, _FRAUD].max(axis=1) > HIT_TIER)
    days = len(course.steps)
    held_from = int(above[-1]) + 1 if len(above) else 0
    claims = course.tiers[:, CLASSES.index("claim")] >= rulebook.level.highest
    return Summary(
        member=course.player.member.id,
        group=course.player.group,
        label=course.player.label,
        line=course.player.line,
        days=days,
        steps={step.value: int((course.steps == place).sum()) for place, step in enumerate(STEPS)},
        last_step=STEPS[course.steps[-1]].value,
        tiers={record_class: int(course.tiers[-1, place]) for place, record_class in enumerate(CLASSES)},
        first_restricted=int(limited[0]) if len(limited) else None,
        held_from=held_from if held_from < days else None,
        above_days=len(above),
        fraud_until=int(fraud[-1]) + 1 if len(fraud) else 0,
        claims_from=int(claims.argmax()) if claims.any() else None,
        lost_claim_days=int((~claims[int(claims.argmax()) :]).sum()) if claims.any() else 0,
        full_share=float((course.tiers.min(axis=1) >= rulebook.level.highest).mean()),
        asked=int(course.asked.sum()),
        refused=int(course.refused.sum()),
    )


def states(courses: Sequence[Course], days: int, rulebook: Rulebook) -> npt.NDArray[np.int8]:
    """The state of every member on every day of the market: (members, days)."""
    drawn = np.full((len(courses), days), State.ABSENT, np.int8)
    for row, course in zip(drawn, courses, strict=True):
        lowest, highest = course.tiers.min(axis=1), course.tiers.max(axis=1)
        kinds = np.full(len(highest), State.PARTLY, np.int8)
        kinds[lowest >= rulebook.level.highest] = State.FULL
        kinds[(course.steps > 0) & (highest > HIT_TIER)] = State.WARNED
        kinds[highest == HIT_TIER] = State.HITS
        kinds[highest < HIT_TIER] = State.NOTHING
        kinds[course.steps == _RESTRICTED] = State.RESTRICTED
        kinds[course.steps == _SUSPENDED] = State.SUSPENDED
        row[course.player.start : course.player.start + len(kinds)] = kinds
    return drawn
