"""Refuted filings: several members cleared the person whom a contributor filed as fraud. Pure rules.

The contributor is given notice and its days to contest. What it accepts, or leaves uncontested while it stands, counts
against its accuracy as a dispute that was upheld does: once for a version. What it contests the operator decides.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum


class RefutationStatus(StrEnum):
    """Where a refutation stands. `void`: it was not refuted any more when the days to contest were over."""

    NOTICED = "noticed"
    CONTESTED = "contested"
    UPHELD = "upheld"
    DISMISSED = "dismissed"
    VOID = "void"


UNCLOSED = frozenset({RefutationStatus.NOTICED, RefutationStatus.CONTESTED})


class RefutationError(Exception):
    """What cannot be done to a refutation as it stands; the message says why."""


@dataclass(frozen=True, slots=True)
class Refutation:
    """A version of a filing that was refuted, whose it is, and the last day on which that is contested."""

    id: str
    filing_id: str
    version: int
    contributor_id: str
    line: str
    record_class: str
    noticed_at: datetime
    contest_until: date
    status: RefutationStatus = RefutationStatus.NOTICED
    note_reference: str | None = None
    answered_at: datetime | None = None
    closed_at: datetime | None = None
    reason: str | None = None


def answered(
    refutation: Refutation, *, accepts: bool, note_reference: str | None, today: date, now: datetime
) -> Refutation:
    """After the contributor's answer; the same again changes nothing. Raises RefutationError."""
    after = RefutationStatus.UPHELD if accepts else RefutationStatus.CONTESTED
    if (refutation.status, refutation.note_reference) == (after, note_reference) and refutation.answered_at:
        return refutation
    if refutation.status not in UNCLOSED:
        raise RefutationError("this refutation is closed")
    if refutation.status is RefutationStatus.NOTICED and not accepts and today > refutation.contest_until:
        raise RefutationError(f"it was to be contested until {refutation.contest_until.isoformat()}")
    if refutation.status is RefutationStatus.CONTESTED and not accepts:
        raise RefutationError("it is contested already, and waits for the operator")
    closed_at = now if accepts else None
    return replace(refutation, status=after, note_reference=note_reference, answered_at=now, closed_at=closed_at)


def decided(refutation: Refutation, *, upheld: bool, reason: str, now: datetime) -> Refutation:
    """After the operator's decision on one that is contested. Raises RefutationError."""
    if refutation.status is not RefutationStatus.CONTESTED:
        raise RefutationError("only a refutation that is contested is decided")
    status = RefutationStatus.UPHELD if upheld else RefutationStatus.DISMISSED
    return replace(refutation, status=status, reason=reason, closed_at=now)


def lapsed(refutation: Refutation, *, stands: bool, now: datetime) -> Refutation:
    """After the days to contest, by whether the filing is refuted still."""
    status = RefutationStatus.UPHELD if stands else RefutationStatus.VOID
    return replace(refutation, status=status, closed_at=now)
