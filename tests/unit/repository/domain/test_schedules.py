"""What recurs does so at its time of day, whatever the clocks of its zone do."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from repository.domain.errors import FieldError
from repository.domain.schedules import SPREAD, Every, Schedule, schedule_from_json, spread

LONDON, KIRITIMATI = "Europe/London", "Pacific/Kiritimati"


@pytest.mark.parametrize(
    ("schedule", "after", "following"),
    [
        # The night in which clocks go forward leaves 01:30 out; the night in which they go back has it twice.
        (Schedule(Every.DAILY, time(1, 30), LONDON), "2026-03-28T12:00", "2026-03-29T01:30"),
        (Schedule(Every.DAILY, time(1, 30), LONDON), "2026-03-29T01:30", "2026-03-30T00:30"),
        (Schedule(Every.DAILY, time(1, 30), LONDON), "2026-10-24T12:00", "2026-10-25T00:30"),
        (Schedule(Every.DAILY, time(1, 30), LONDON), "2026-10-25T00:30", "2026-10-26T01:30"),
        (Schedule(Every.DAILY, time(8), KIRITIMATI), "2026-03-01T17:59", "2026-03-01T18:00"),
        (Schedule(Every.DAILY, time(8), KIRITIMATI), "2026-03-01T18:00", "2026-03-02T18:00"),
        (Schedule(Every.WEEKLY, time(8), LONDON, weekday=0), "2026-03-02T08:00", "2026-03-09T08:00"),
        (Schedule(Every.WEEKLY, time(8), KIRITIMATI, weekday=0), "2026-02-28T00:00", "2026-03-01T18:00"),
        (Schedule(Every.MONTHLY, time(2), "UTC", day=31), "2028-01-31T02:00", "2028-02-29T02:00"),
        (Schedule(Every.MONTHLY, time(2), "UTC", day=31), "2027-01-31T02:00", "2027-02-28T02:00"),
        (Schedule(Every.MONTHLY, time(2), "UTC", day=29), "2028-02-29T01:59", "2028-02-29T02:00"),
    ],
)
def test_the_next_time(schedule: Schedule, after: str, following: str) -> None:
    """Across both changes of the clock, the date line, short months and leap days; strictly after."""
    found = schedule.after(datetime.fromisoformat(after).replace(tzinfo=UTC))
    assert found == datetime.fromisoformat(following).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"every": "hourly", "at": "02:00"}, "every"),
        ({"every": "daily"}, "at"),
        ({"every": "daily", "at": "24:00"}, "at"),
        ({"every": "daily", "at": "02:00", "zone": "Mars/Olympus"}, "zone"),
        ({"every": "daily", "at": "02:00", "weekday": "monday"}, "weekday"),
        ({"every": "weekly", "at": "02:00"}, "weekday"),
        ({"every": "monthly", "at": "02:00", "day": 32}, "day"),
        ({"every": "monthly", "at": "02:00", "day": True}, "day"),
    ],
)
def test_what_is_no_schedule_is_refused(body: dict[str, Any], field: str) -> None:
    """By the field that is wrong."""
    with pytest.raises(FieldError) as caught:
        schedule_from_json(body, LONDON)
    assert caught.value.field == field


def test_a_schedule_is_told_as_it_was_given() -> None:
    """As JSON and back it is the same, in the scheme's zone where none is named."""
    given = {"every": "weekly", "at": "02:30", "weekday": "sunday"}
    read = schedule_from_json(given, LONDON)
    assert read.as_dict() == given | {"zone": LONDON}
    assert schedule_from_json(read.as_dict(), "UTC") == read


def test_members_do_not_begin_at_once() -> None:
    """Each as late as ever, and within the spread."""
    later = [spread(f"mem_{number}") for number in range(50)]
    assert len(set(later)) > 40
    assert timedelta() <= min(later) <= max(later) < SPREAD
    assert spread("mem_1") == later[1]
