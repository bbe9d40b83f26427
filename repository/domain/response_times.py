"""How quickly members answer requests for detail: a row for each, with small numbers kept back. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from statistics import median
from typing import Any

from repository.domain.disclosure import suppressed
from repository.domain.rulebook import Rulebook


@dataclass(frozen=True, slots=True)
class Timed:
    """One request for the clock: who was asked, until when it was in time, when it was answered and after how long."""

    contributor_id: str
    due_at: datetime
    answered_at: datetime | None
    took: int | None


@dataclass(frozen=True, slots=True)
class Times:
    """What a member was asked that is answered or overdue, and how. What is open and not yet due counts nowhere."""

    member_id: str
    counted: int
    in_time: int
    overdue: int
    median_working_days: float | None

    def as_dict(self, rulebook: Rulebook, *, whole: bool) -> dict[str, Any]:
        """As JSON; for other members the figures of few requests are kept back: they are of single cases."""
        if not whole and self.counted < rulebook.disclosure.suppress_below:
            told = {"requests": suppressed(self.counted, rulebook), "share_in_time": None, "overdue": None}
            return told | {"median_working_days": None}
        return {
            "requests": self.counted,
            "share_in_time": round(self.in_time / self.counted, 4) if self.counted else None,
            "overdue": self.overdue,
            "median_working_days": self.median_working_days,
        }


def times(requests: Iterable[Timed], now: datetime) -> list[Times]:
    """A row for each member that was asked, by its id. Requests that were withdrawn are not to be among them."""
    by_member = groupby(sorted(requests, key=attrgetter("contributor_id")), key=attrgetter("contributor_id"))
    return [_of(member_id, tuple(each), now) for member_id, each in by_member]


def _of(member_id: str, requests: Sequence[Timed], now: datetime) -> Times:
    answered = [each for each in requests if each.answered_at is not None]
    overdue = sum(each.answered_at is None and now >= each.due_at for each in requests)
    in_time = sum(each.answered_at is not None and each.answered_at < each.due_at for each in requests)
    took = [each.took for each in answered if each.took is not None]
    return Times(member_id, len(answered) + overdue, in_time, overdue, float(median(took)) if took else None)
