"""A viewing: that a member was shown another member's record. Who looked, when, for what, and how much was shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum


class Via(StrEnum):
    """By which way a record was shown."""

    SCREENING = "screening"
    HITS = "hits"
    HIT = "hit"
    CASE = "case"
    DISCLOSURE = "disclosure"
    NOTICE = "notice"
    REPORT = "report"
    NETWORK = "network"


@dataclass(frozen=True, slots=True)
class Reader:
    """Who is shown records: a member's actor, for a purpose, by a way, at a time."""

    member_id: str
    actor_id: str
    purpose: str
    via: Via
    at: datetime

    def saw(self, filing_id: str, version: int, tier: int) -> Viewing:
        """That it was shown a version of a filing, at a tier."""
        return Viewing(filing_id, version, tier, self)


@dataclass(frozen=True, slots=True)
class Viewing:
    """A version of a filing as it was shown, at a tier, to a reader."""

    filing_id: str
    version: int
    tier: int
    reader: Reader

    @property
    def day(self) -> date:
        """The day on which it was, in UTC: of one day the same is one viewing."""
        return self.reader.at.astimezone(UTC).date()
