"""A dispute about a filing: who raised it on what ground, the contributor's answer, and what came of it. Pure rules.

open -> answered by the contributor -> upheld or dismissed by the operator; upheld at once if it is accepted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum


class Ground(StrEnum):
    """What is said to be wrong with a filing."""

    NOT_THE_PERSON = "not_the_person"
    WRONG_FACTS = "wrong_facts"
    OUT_OF_DATE = "out_of_date"
    UNLAWFUL = "unlawful"


class DisputeStatus(StrEnum):
    """Where a dispute stands. The last two are for good."""

    OPEN = "open"
    ANSWERED = "answered"
    UPHELD = "upheld"
    DISMISSED = "dismissed"


CLOSED = frozenset({DisputeStatus.UPHELD, DisputeStatus.DISMISSED})


class Decider(StrEnum):
    """Who ended a dispute: the contributor by accepting it, or the operator."""

    CONTRIBUTOR = "contributor"
    OPERATOR = "operator"


class DisputeError(ValueError):
    """What was asked does not fit the present state; the message says why, and holds nothing that was sent."""


@dataclass(frozen=True, slots=True)
class Disputed:
    """The filing a dispute is about, as it stood when the dispute was raised."""

    filing_id: str
    version: int
    contributor_id: str
    line: str
    record_class: str


@dataclass(frozen=True, slots=True)
class Dispute:
    """A dispute. References are each side's own, and are shown to that side only.

    Unanswered by `answer_until`, the end of the day `answer_by`, the record is suppressed. `hit_id` is the id of the
    request where it is the person in the record that raised it.
    """

    id: str
    raiser_id: str
    hit_id: str
    about: Disputed
    ground: Ground
    statement_reference: str
    raised_at: datetime
    status: DisputeStatus = DisputeStatus.OPEN
    accepts: bool | None = None
    note_reference: str | None = None
    answered_at: datetime | None = None
    closed_at: datetime | None = None
    closed_by: Decider | None = None
    reason: str | None = None
    answer_by: date | None = None
    answer_until: datetime | None = None

    @property
    def on_hit(self) -> bool:
        """Whether it was raised on a hit of the member's own."""
        return self.hit_id.startswith("hit_")

    def says(self, hit_id: str, ground: Ground, statement_reference: str) -> bool:
        """Whether this is what was raised already."""
        return (self.hit_id, self.ground, self.statement_reference) == (hit_id, ground, statement_reference)


def opened(dispute: Dispute) -> Dispute:
    """The dispute as it is raised. Raises DisputeError about an own filing: a member corrects those itself."""
    if dispute.raiser_id == dispute.about.contributor_id:
        raise DisputeError("the filing is the member's own: correct it by filing it again")
    return dispute


def answered(dispute: Dispute, *, accepts: bool, note_reference: str | None, now: datetime) -> Dispute:
    """The dispute after the contributor's answer; the same answer again changes nothing.

    Accepting ends it, upheld, also after the contributor had not accepted. Raises DisputeError where it is closed, or
    was answered otherwise.
    """
    if dispute.answered_at is not None and (dispute.accepts, dispute.note_reference) == (accepts, note_reference):
        return dispute
    if dispute.status in CLOSED:
        raise DisputeError(f"the dispute is closed: it was {dispute.status}")
    if dispute.answered_at is not None and not accepts:
        raise DisputeError("the dispute was answered before")
    given = replace(dispute, accepts=accepts, note_reference=note_reference, answered_at=now)
    if accepts:
        return replace(given, status=DisputeStatus.UPHELD, closed_at=now, closed_by=Decider.CONTRIBUTOR)
    return replace(given, status=DisputeStatus.ANSWERED)


def decided(dispute: Dispute, *, upheld: bool, reason: str, unheard: bool, now: datetime) -> Dispute:
    """The dispute after the operator's decision, with its reason.

    `unheard`: decide though the contributor has not answered; without it the contributor is heard first. Raises
    DisputeError for a dispute that is closed, or not answered yet.
    """
    if dispute.status in CLOSED:
        raise DisputeError(f"the dispute is closed: it was {dispute.status}")
    if dispute.status is DisputeStatus.OPEN and not unheard:
        raise DisputeError("the contributor has not answered yet")
    status = DisputeStatus.UPHELD if upheld else DisputeStatus.DISMISSED
    return replace(dispute, status=status, closed_at=now, closed_by=Decider.OPERATOR, reason=reason)
