"""Alerts: what a member is told of in its inbox, and by webhook under the same ids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from repository.domain.errors import FieldError

LONGEST_SNOOZE = timedelta(days=90)
KEPT_MONTHS = 12
"""How long an alert is kept: no longer than the enquiry that it may tell of."""


class AlertKind(StrEnum):
    """What a member is alerted of. Each is a notice of the same word, too (`domain.webhooks.Notice`)."""

    RECORD_ASKED = "record.asked"
    WATCH_HIT = "watch.hit"
    WATCH_ENDED = "watch.ended"
    DISCLOSURE_REQUESTED = "disclosure.requested"
    DISCLOSURE_ANSWERED = "disclosure.answered"
    DISCLOSURE_WITHDRAWN = "disclosure.withdrawn"
    DISCLOSURE_ESCALATED = "disclosure.escalated"
    NETWORK_RAISED = "network.raised"
    DISCLOSURE_REMOVED = "disclosure.removed"
    CORRECTION_MADE = "correction.made"
    CORRECTION_OVERDUE = "correction.overdue"
    CASE_REMOVED = "case.removed"
    DISPUTE_RAISED = "dispute.raised"
    DISPUTE_OVERDUE = "dispute.overdue"
    FILING_REFUTED = "filing.refuted"
    SUBJECT_RECEIVED = "subject.received"
    SUBJECT_READY = "subject.ready"
    SUBJECT_COMPLETED = "subject.completed"


@dataclass(frozen=True, slots=True)
class Alert:
    """An entry in a member's inbox. `about` has ids only: what is shown of it is decided when it is read.

    `dedupe` is what it is the only one of, of this member. `told` is what is added when it is read, and not stored.
    """

    id: str
    member_id: str
    kind: AlertKind
    at: datetime
    dedupe: str
    about: Mapping[str, str]
    read_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    snoozed_until: datetime | None = None
    told: Mapping[str, Any] | None = None


def checked_snooze(until: datetime, now: datetime) -> datetime:
    """Until when an alert is put away. Raises FieldError."""
    if not now < until <= now + LONGEST_SNOOZE:
        raise FieldError("until", f"a time to come, within {LONGEST_SNOOZE.days} days")
    return until
