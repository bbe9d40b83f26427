"""The vocabulary of what happens in the pool: the words an event log may use, and no others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class EventKind(StrEnum):
    """What happened; noun first, then the verb in the past tense."""

    FILING_CREATED = "filing.created"
    FILING_CHANGED = "filing.changed"
    FILING_WITHDRAWN = "filing.withdrawn"
    FILING_REMOVED = "filing.removed"
    FILING_RENEWED = "filing.renewed"
    HOLD_PLACED = "hold.placed"
    HOLD_RELEASED = "hold.released"
    BATCH_RECEIVED = "batch.received"
    BATCH_DONE = "batch.done"
    BATCH_FAILED = "batch.failed"
    BATCH_CANCELLED = "batch.cancelled"
    RESCREEN_ASKED = "rescreen.asked"
    RESCREEN_REFUSED = "rescreen.refused"
    RESCREEN_DONE = "rescreen.done"
    RESCREEN_FAILED = "rescreen.failed"
    RESCREEN_CANCELLED = "rescreen.cancelled"
    KEY_PUBLISHED = "key.published"
    KEY_UNPUBLISHED = "key.unpublished"
    KEY_OFFERED = "key.offered"
    KEY_ACCEPTED = "key.accepted"
    KEY_OFFER_WITHDRAWN = "key.offer_withdrawn"
    KEY_ENCODINGS_ERASED = "key.encodings_erased"
    SECRET_ROTATED = "secret.rotated"  # noqa: S105 - a word
    WEBHOOK_ADDED = "webhook.added"
    WEBHOOK_CHANGED = "webhook.changed"
    WEBHOOK_ROTATED = "webhook.rotated"
    WEBHOOK_ROTATION_ENDED = "webhook.rotation_ended"
    WEBHOOK_REMOVED = "webhook.removed"
    WEBHOOK_DISABLED = "webhook.disabled"
    SCREENING_ANSWERED = "screening.answered"
    SCREENING_REFUSED = "screening.refused"
    SCREENINGS_EXPIRED = "screenings.expired"
    HITS_READ = "hits.read"
    HITS_REFUSED = "hits.refused"
    HIT_ANSWERED = "hit.answered"
    HIT_OUTCOME_WITHDRAWN = "hit.outcome_withdrawn"
    HIT_SUPPRESSED = "hit.suppressed"
    CASE_OPENED = "case.opened"
    CASE_MOVED = "case.moved"
    CASE_NOTED = "case.noted"
    DISCLOSURE_CHECKED = "disclosure.checked"
    DISCLOSURE_BARRED = "disclosure.barred"
    DISCLOSURE_REQUESTED = "disclosure.requested"
    DISCLOSURE_APPROVED = "disclosure.approved"
    DISCLOSURE_REFUSED = "disclosure.refused"
    DISCLOSURE_ESCALATED = "disclosure.escalated"
    DISCLOSURE_WITHDRAWN = "disclosure.withdrawn"
    DISCLOSURE_FETCHED = "disclosure.fetched"
    DISCLOSURE_OPENED = "disclosure.opened"
    DISCLOSURE_EXPIRED = "disclosure.expired"
    DISCLOSURE_REMOVED = "disclosure.removed"
    ALERT_RAISED = "alert.raised"
    ALERT_READ = "alert.read"
    ALERT_ACKNOWLEDGED = "alert.acknowledged"
    ALERT_SNOOZED = "alert.snoozed"
    DISPUTE_RAISED = "dispute.raised"
    DISPUTE_ANSWERED = "dispute.answered"
    DISPUTE_UPHELD = "dispute.upheld"
    DISPUTE_DISMISSED = "dispute.dismissed"
    PROOF_ENTERED = "proof.entered"
    PROOF_APPROVED = "proof.approved"
    PROOF_WITHDRAWN = "proof.withdrawn"
    RULEBOOK_LOADED = "rulebook.loaded"
    APPLICATION_RECEIVED = "application.received"
    APPLICATION_ACCEPTED = "application.accepted"
    APPLICATION_REFUSED = "application.refused"
    APPLICATION_REOPENED = "application.reopened"
    MEMBERSHIP_ADMITTED = "membership.admitted"
    MEMBERSHIP_AGREED = "membership.agreed"
    MEMBERSHIP_ATTESTED = "membership.attested"
    MEMBERSHIP_LINES_CHANGED = "membership.lines_changed"
    MEMBERSHIP_DECLARED = "membership.declared"
    MEMBERSHIP_DECLARED_LESS = "membership.declared_less"
    MEMBERSHIP_BACK_BOOK_LOADED = "membership.back_book_loaded"
    MEMBERSHIP_STEP_CHANGED = "membership.step_changed"
    MEMBERSHIP_SUSPENDED = "membership.suspended"
    MEMBERSHIP_REINSTATED = "membership.reinstated"
    MEMBERSHIP_WITHDRAWN = "membership.withdrawn"
    MEMBERSHIP_GRANTED = "membership.granted"
    MEMBERSHIP_GRANT_ENDED = "membership.grant_ended"
    APPEAL_RECEIVED = "appeal.received"
    APPEAL_UPHELD = "appeal.upheld"
    APPEAL_DISMISSED = "appeal.dismissed"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened: who did it, to what, and figures. Never a value from a record."""

    id: str
    at: datetime
    kind: EventKind
    actor_id: str | None
    member_id: str | None
    subject_id: str | None
    figures: Mapping[str, str | int | None] = field(default_factory=dict)
