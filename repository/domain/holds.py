"""Legal holds: what keeps a filing past its time, for a reason, until a day. Pure rules."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from repository.domain.errors import FieldError
from repository.domain.retention import months_later

LONGEST_MONTHS = 24
"""A hold that is needed for longer is placed again: somebody has to think of it."""


class HoldReason(StrEnum):
    """Why a filing is held. From a closed list: words of people would outlive the record."""

    LITIGATION = "litigation"
    POLICE_REQUEST = "police_request"
    REGULATOR_REQUEST = "regulator_request"
    SUBJECT_REQUEST = "subject_request"
    AUDIT = "audit"


def checked_end(ends_on: date, today: date, field: str = "ends_on") -> date:
    """The day on which a hold ends by itself; raises FieldError for one that is past, or too far off."""
    last = months_later(today, LONGEST_MONTHS)
    if not today < ends_on <= last:
        raise FieldError(field, f"a day after today, and not after {LONGEST_MONTHS} months")
    return ends_on
