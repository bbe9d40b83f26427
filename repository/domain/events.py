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
    BATCH_RECEIVED = "batch.received"
    BATCH_DONE = "batch.done"
    BATCH_FAILED = "batch.failed"
    SCREENING_ANSWERED = "screening.answered"
    SCREENING_REFUSED = "screening.refused"
    HITS_READ = "hits.read"
    HITS_REFUSED = "hits.refused"


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
