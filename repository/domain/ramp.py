"""R5, the ramp: when a new member may first ask, and what follows when a covenant is missed."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from repository.domain.history import Flags
from repository.domain.rulebook import RampRules
from repository.domain.terms import Membership, Ramp


def may_ask_from(membership: Membership, below: Flags, first: date, rules: RampRules) -> date | None:
    """The day from which the ramp lets a line ask; None as long as the back book that comes first is not loaded.

    Under contribute-first that is after the first run of clean days that is long enough; it holds for good. While there
    is none yet: the day on which the present run would be, if it goes on. `below` has the days from `first` to today.
    """
    if membership.ramp is Ramp.COVENANT:
        return membership.admitted_on
    if membership.back_book_on is None:
        return None
    today = first + timedelta(days=len(below) - 1)
    begin = max(first, membership.back_book_on)
    start = begin
    broken = np.flatnonzero(below[(begin - first).days :]).tolist()
    for place in broken:
        end = begin + timedelta(days=place)
        if (end - start).days >= rules.clean_days:
            break
        start = min(end + timedelta(days=1), max(today, begin))
    return start + timedelta(days=rules.clean_days)


def missed_covenant(ramp: Ramp, until: date | None, below_since: date | None, today: date) -> bool:
    """Whether a line was below target on the day full contribution was due, and has been so ever since."""
    if ramp is not Ramp.COVENANT or until is None or below_since is None:
        return False
    return below_since <= until <= today
