"""The duty to act (R8): what a member found a hit to be, and which hits ask for an answer by when. Pure rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from matching.types import Band
from repository.domain.rulebook import POINTER_TIER, Rulebook

NEEDED_TIER = POINTER_TIER
"""From here on the other side is named, so that a person can find out; nobody owes an answer on less."""


class HitOutcome(StrEnum):
    """What a person found: whether the two sides are the same. It says nothing of what either did."""

    SAME_SUBJECT = "same_subject"
    NOT_SAME = "not_same"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Given:
    """A member's outcome on a hit, and its own reference to the case file, where the reasons are.

    `carried_from`: given of another hit of the same pair.
    """

    outcome: HitOutcome
    note_reference: str | None
    given_at: datetime
    carried_from: str | None = None

    def says(self, outcome: HitOutcome, note_reference: str | None) -> bool:
        """Whether this is what was given already."""
        return (self.outcome, self.note_reference, self.carried_from) == (outcome, note_reference, None)

    def as_dict(self) -> dict[str, str | None]:
        """As JSON."""
        carried = {} if self.carried_from is None else {"carried_from": self.carried_from}
        return {
            "outcome": self.outcome.value,
            "note_reference": self.note_reference,
            "given_at": self.given_at.isoformat(),
            **carried,
        }


def falls_due(tier: int, band: Band, rulebook: Rulebook) -> bool:
    """Whether a hit shown at this tier is to be answered."""
    return tier >= NEEDED_TIER and band >= rulebook.standing.duty_band


def due_on(shown_on: date, rulebook: Rulebook) -> date:
    """The last day on which an answer is in time, by the day (in UTC) on which the hit was first shown as due."""
    return shown_on + timedelta(days=rulebook.standing.answer_days)


def in_time(given_at: datetime, due: date) -> bool:
    """Whether an answer was given in time; the due day itself counts."""
    return given_at.date() <= due
