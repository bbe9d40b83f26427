"""R5, the ramp: when a new member may first ask, and what follows when a covenant is missed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta

from repository.domain.history import History, clean_since
from repository.domain.rulebook import RampRules
from repository.domain.terms import Ramp


def may_ask_from(history: History, lines: Iterable[str], rules: RampRules, today: date) -> Mapping[str, date | None]:
    """The day from which the ramp lets each line ask; None as long as the back book that comes first is not loaded.

    Under contribute-first that is after the first run of clean days that is long enough; it holds for good. While there
    is none yet: the day on which the present run would be, if it goes on.
    """
    terms = history.membership
    if terms.ramp is Ramp.COVENANT:
        return dict.fromkeys(lines, terms.admitted_on)
    if terms.back_book_on is None:
        return dict.fromkeys(lines)
    begin = max(terms.back_book_on, history.first)
    # What others corroborate grows as the pool fills: judged by today's share, days that were clean would not stay so.
    alone = replace(history, peers={})
    since = clean_since(alone, lines, begin, clean_days=rules.clean_days, today=today)
    # A line that is below target today may still be at target when the day is over.
    latest = max(today, begin)
    return {line: min(start, latest) + timedelta(days=rules.clean_days) for line, start in since.items()}


def missed_covenant(ramp: Ramp, until: date | None, below_since: date | None, today: date) -> bool:
    """Whether a line was below target on the day full contribution was due, and has been so ever since."""
    if ramp is not Ramp.COVENANT or until is None or below_since is None:
        return False
    return below_since <= until <= today
