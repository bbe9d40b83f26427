"""What a rulebook is for, checked on a run: whom it has to leave alone, and whom it has to stop."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from repository.domain.ladder import Step
from repository.domain.rulebook import POINTER_TIER
from repository.simulation.profiles import SMALL, Archetype
from repository.simulation.summary import Summary

HELD_WITHIN = 90
"""Days from admission within which free riders and junk are at tier 1 or nothing."""


@dataclass(frozen=True, slots=True)
class Claim:
    """How many members a claim is about, and of which ones it does not hold."""

    claim: str
    members: int
    failing: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether it holds of all of them."""
        return not self.failing

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self) | {"failing": list(self.failing), "holds": self.holds}


def check(summaries: Iterable[Summary]) -> tuple[Claim, ...]:
    """Every claim that the market has members for."""
    rows = tuple(summaries)
    found = []
    for words, about, holds in _CLAIMS:
        judged = [row for row in rows if about(row)]
        if judged:
            failing = tuple(f"{row.group}: {row.label}" for row in judged if not holds(row))
            found.append(Claim(words, len(judged), failing))
    return tuple(found)


def _are(*groups: Archetype) -> Callable[[Summary], bool]:
    return lambda row: row.group in groups


def _held(row: Summary) -> bool:
    return row.held_from is not None and row.held_from <= HELD_WITHIN


def _invented_small(row: Summary) -> bool:
    return row.group == Archetype.JUNK and row.label == f"{SMALL.name}, invented"


def _recovered(row: Summary) -> bool:
    return row.last_step == Step.GOOD and min(row.tiers.values()) >= POINTER_TIER


_CLAIMS: tuple[tuple[str, Callable[[Summary], bool], Callable[[Summary], bool]], ...] = (
    (
        "An honest small insurer is never restricted",
        _are(Archetype.HONEST_SMALL),
        lambda row: row.first_restricted is None,
    ),
    (
        "An honest small insurer, once at tier 3 on claims, stays there",
        _are(Archetype.HONEST_SMALL),
        lambda row: row.tiers["claim"] >= POINTER_TIER and row.lost_claim_days == 0,
    ),
    (
        "No other honest insurer is restricted either",
        _are(Archetype.HONEST_LARGE, Archetype.HONEST_MID, Archetype.NEWCOMER),
        lambda row: row.first_restricted is None,
    ),
    (f"A free rider is held at tier 1 within {HELD_WITHIN} days", _are(Archetype.FREE_RIDER), _held),
    (
        "A free rider never sees more than tier 1 of suspected and proven cases",
        _are(Archetype.FREE_RIDER),
        lambda row: row.fraud_days == 0,
    ),
    (
        f"Junk is held at tier 1 within {HELD_WITHIN} days",
        lambda row: row.group == Archetype.JUNK and not _invented_small(row),
        _held,
    ),
    (
        "An invented book of a few records a day is held at tier 1 at the end",
        _invented_small,
        lambda row: row.held_from is not None,
    ),
    (
        "A late giant is warned, and then on a plan",
        _are(Archetype.LATE_GIANT),
        lambda row: min(row.steps[Step.WARNED], row.steps[Step.PLAN]) > 0,
    ),
    ("An outage is recovered from", _are(Archetype.OUTAGE), _recovered),
)
