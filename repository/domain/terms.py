"""The terms of a membership that standing is judged on: admission, ramp (R5), declared volumes (R4), grant (R7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

import numpy as np

from repository.domain.ledger import Floats, Pair

MONTHS_PER_DAY = 12 / 365.25


class Ramp(StrEnum):
    """R5: how a member started. It filed first and asked later, or asked at once under a dated covenant."""

    CONTRIBUTE_FIRST = "contribute_first"
    COVENANT = "covenant"


@dataclass(frozen=True, slots=True)
class Declared:
    """R4: the volume a member declared for a (line, class). It holds from `since` until the pair's next one."""

    line: str
    record_class: str
    since: date
    per_month: int


@dataclass(frozen=True, slots=True)
class Grant:
    """R7: what one subscriber may see, under which purposes, and until when: on `expires_on` it holds no more."""

    lines: tuple[str, ...]
    classes: tuple[str, ...]
    purposes: tuple[str, ...]
    tier: int
    quota_per_day: int
    expires_on: date

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "lines": list(self.lines),
            "classes": list(self.classes),
            "purposes": list(self.purposes),
            "tier": self.tier,
            "quota_per_day": self.quota_per_day,
            "expires_on": self.expires_on.isoformat(),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Grant:
        """From what `as_dict` gave."""
        return cls(
            tuple(stored["lines"]),
            tuple(stored["classes"]),
            tuple(stored["purposes"]),
            stored["tier"],
            stored["quota_per_day"],
            date.fromisoformat(stored["expires_on"]),
        )


@dataclass(frozen=True, slots=True)
class Membership:
    """The terms one member was admitted on.

    `covenant_until` is the day on which full contribution is due; `back_book_on` the day on which a member that
    contributes first had loaded what it held from before.
    """

    admitted_on: date
    ramp: Ramp
    covenant_until: date | None
    back_book_on: date | None
    declared: tuple[Declared, ...]
    grant: Grant | None = None


def declared_rates(membership: Membership, pairs: Sequence[Pair], first: date, days: int) -> Floats:
    """What was declared per month for each pair on each of `days` days from `first` on: (days, pairs)."""
    rates = np.zeros((days, len(pairs)))
    places = {pair: place for place, pair in enumerate(pairs)}
    for each in sorted(membership.declared, key=lambda each: each.since):
        place = places.get((each.line, each.record_class))
        if place is not None:
            rates[max(0, (each.since - first).days) :, place] = each.per_month
    return rates


def due_shares(membership: Membership, first: date, days: int) -> Floats:
    """R5: which share of the declared volume is due on each of `days` days from `first` on.

    None before admission, or before the back book was loaded; under a covenant one that grows until its date.
    """
    since_admission = (first - membership.admitted_on).days + np.arange(days, dtype=np.float64)
    if membership.ramp is Ramp.CONTRIBUTE_FIRST:
        if membership.back_book_on is None:
            return np.zeros(days)
        loaded = (membership.back_book_on - membership.admitted_on).days
        return (since_admission >= max(0, loaded)).astype(np.float64)
    length = (membership.covenant_until - membership.admitted_on).days if membership.covenant_until else 0
    if length <= 0:
        return (since_admission >= 0).astype(np.float64)
    return np.clip(since_admission / length, 0.0, 1.0)
