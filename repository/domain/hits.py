"""A hit: two subjects of different members that are probably the same, and what each side may see of it (R2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from matching.types import Band, ExplanationRow
from repository.domain import disclosure
from repository.domain.labels import UNLABELLED, Labels
from repository.domain.rulebook import CLASS_TIER, HIT_TIER, NO_TIER, POINTER_TIER, Rulebook


@dataclass(frozen=True, slots=True)
class Own:
    """The asking member's own side: a filing of its own, or a screening."""

    reference: str
    subject: int
    role: str
    kind: str
    filing_id: str | None = None
    screening_id: str | None = None

    def as_dict(self) -> dict[str, object]:
        """As JSON; `subject` is its place in the filing, from 0."""
        side = {"filing": self.filing_id} if self.filing_id else {"screening": self.screening_id}
        return {**side, "reference": self.reference, "subject": self.subject, "role": self.role, "kind": self.kind}


@dataclass(frozen=True, slots=True)
class Theirs:
    """The other member's side: the facts of its filing. No reference: that is the contributor's own."""

    contributor: str
    filing_id: str
    line: str
    record_class: str
    triggered_on: date
    role: str
    claim: Mapping[str, str] | None
    labels: Labels = UNLABELLED
    notice: str | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A hit from one member's side.

    `count`: hits of this class on the same own subject, this one included; `seen_by`: how many other members' records
    that subject hit. Both count only what the member may see: hits whose class it sees, records that it sees at all.
    `model` is the linkage model that scored it.
    """

    id: str
    created_at: datetime
    band: Band
    probability: float
    explanation: tuple[ExplanationRow, ...]
    own: Own
    theirs: Theirs
    count: int
    seen_by: int = 1
    superseded_at: datetime | None = None
    model: str = ""


def disclose(hit: Hit, tier: int, *, today: date, rulebook: Rulebook) -> dict[str, object]:
    """The hit as JSON as far as `tier` and the record's labels allow; what they do not allow is not in the dict.

    Of a superseded hit only that it was one: the other side has changed since, and what it is now matches no more.

    Weights are rounded to a tenth of a bit row by row and the total is the sum of the rounded rows: raw scores would
    let a caller tell near-equal values apart, and a sum must add up on paper. Raises ValueError for tier 0, at which
    there is no hit to show.
    """
    tier = disclosure.tier_of(tier, hit.theirs.labels, rulebook)
    if tier <= NO_TIER:
        raise ValueError("a hit at tier 0 is not shown")
    shown: dict[str, object] = {
        "id": hit.id,
        "created_at": hit.created_at.isoformat(),
        "band": hit.band.label,
        "tier": tier if hit.superseded_at is None else HIT_TIER,
        "own": hit.own.as_dict(),
    }
    if hit.superseded_at is not None:
        return shown | {"superseded_at": hit.superseded_at.isoformat()}
    if hit.theirs.labels.flag is not None:
        shown["flag"] = hit.theirs.labels.flag
    shown["model"] = hit.model
    if tier >= CLASS_TIER:
        named = tier >= POINTER_TIER
        shown["class"] = hit.theirs.record_class
        shown["count"] = hit.count if named else disclosure.suppressed(hit.count, rulebook)
        shown["age_band"] = age_band(hit.theirs.triggered_on, today, rulebook)
        shown |= disclosure.caution(hit.theirs.record_class)
        if labels := hit.theirs.labels.as_dict():
            shown["labels"] = labels
        if hit.theirs.notice is not None:
            shown["notice"] = hit.theirs.notice
    if tier < POINTER_TIER:
        return shown | {"seen_by": disclosure.seen_by(hit.seen_by, rulebook)}
    return shown | _pointer(hit)


def age_band(triggered_on: date, today: date, rulebook: Rulebook) -> str:
    """How old a record is, in the rulebook's words; a date still to come counts as today."""
    days = max(0, (today - triggered_on).days)
    for below, label in rulebook.disclosure.age_bands:
        if days < below:
            return label
    return rulebook.disclosure.oldest_age_band


def _pointer(hit: Hit) -> dict[str, object]:
    """What tier 3 adds: the contributor, the record's facts, and why it matched."""
    rows = [{"field": row.field, "level": row.level, "weight": round(row.weight, 1)} for row in hit.explanation]
    theirs: dict[str, object] = {
        "filing": hit.theirs.filing_id,
        "line": hit.theirs.line,
        "class": hit.theirs.record_class,
        "date": hit.theirs.triggered_on.isoformat(),
        "role": hit.theirs.role,
    }
    if hit.theirs.claim is not None:
        theirs["claim"] = dict(hit.theirs.claim)
    return {
        "probability": round(hit.probability, 3),
        "weight": round(sum(round(row.weight, 1) for row in hit.explanation), 1),
        "contributor": hit.theirs.contributor,
        "theirs": theirs,
        "explanation": rows,
    }
