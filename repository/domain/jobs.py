"""Jobs: long work that goes on step by step, whoever is at it, and how long it waits after a fault."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

FAULT, DISK_FULL = "fault", "disk-full"
"""Codes of errors of the service itself: its operator finds the first in the log, and makes room for the second."""
JITTER = 0.25
"""A pause is longer or shorter by up to this share, so that what failed together is not tried again together."""


class JobKind(StrEnum):
    """What there are jobs for."""

    RESCREEN = "rescreen"
    WEBHOOK = "webhook"
    EXPIRY = "expiry"
    RETENTION = "retention"
    NETWORK = "network"
    CORRECTION = "correction"
    MONITOR = "monitor"


class JobStatus(StrEnum):
    """How a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Job:
    """A job as a step finds it. `member_id` is None where it is the operator's; `subject_id` is what it is about.

    `cursor` is what the step before left for this one. `error` is a code, of what stood against the last attempt.
    """

    id: str
    kind: JobKind
    member_id: str | None
    actor_id: str | None
    subject_id: str | None
    created_at: datetime
    done: int
    total: int
    cursor: Mapping[str, Any]
    attempts: int
    error: str | None = None
    cancelling: bool = False


@dataclass(frozen=True, slots=True)
class Ahead:
    """Where a job is after a step. With a `status` it is over; `error` says why, as a code, where it failed."""

    done: int
    cursor: Mapping[str, Any] = field(default_factory=dict)
    status: JobStatus | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a job is tried without getting on, and the pauses in between: `factor` times as long each time."""

    attempts: int
    first: timedelta
    factor: int
    longest: timedelta

    def pause(self, attempt: int, drawn: float) -> timedelta:
        """The pause after this attempt, from 1; `drawn` is from 0 to 1. Never longer than `longest` and its jitter."""
        steps = min(attempt - 1, 64)  # beyond that any of them is the longest, and a timedelta would overflow
        longest = self.longest.total_seconds()
        seconds = min(self.first.total_seconds() * self.factor**steps, longest)
        return timedelta(seconds=seconds * (1 + JITTER * (2 * drawn - 1)))


class PutOffError(Exception):
    """A job cannot go on now, and is tried again later. `code` says why; unless it `counts`, it may wait for ever."""

    def __init__(self, code: str, *, counts: bool = True) -> None:
        super().__init__(code)
        self.code = code
        self.counts = counts
