"""The duty to act: which hits ask for an answer, by when, and what is in time."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from matching.types import Band
from repository.domain.outcomes import Given, HitOutcome, due_on, falls_due, in_time
from tests.support.rulebooks import DEFAULT_RULEBOOK

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("tier", "band", "due"),
    [
        (3, Band.STRONG, True),
        (4, Band.STRONG, True),
        (2, Band.STRONG, False),
        (1, Band.STRONG, False),
        (3, Band.PROBABLE, False),
        (3, Band.POSSIBLE, False),
    ],
)
def test_only_what_was_shown_in_full_and_matches_well_is_due(tier: int, band: Band, due: bool) -> None:
    """By the rulebook: strong hits; and none below the tier that names the contributor."""
    assert falls_due(tier, band, DEFAULT_RULEBOOK) is due


@pytest.mark.parametrize(
    ("shown", "due"),
    [
        (date(2026, 3, 2), date(2026, 4, 1)),
        (date(2028, 2, 1), date(2028, 3, 2)),
        (date(2026, 12, 31), date(2027, 1, 30)),
    ],
)
def test_an_answer_is_due_after_the_days_of_the_rulebook(shown: date, due: date) -> None:
    """Thirty days, over the ends of months and years and over leap days."""
    assert due_on(shown, DEFAULT_RULEBOOK) == due


@pytest.mark.parametrize(
    ("given", "timely"),
    [
        (datetime(2026, 4, 1, 23, 59, 59, tzinfo=UTC), True),
        (datetime(2026, 4, 2, tzinfo=UTC), False),
        (datetime(2026, 3, 2, 9, tzinfo=UTC), True),
    ],
)
def test_the_due_day_is_in_time_to_its_end(given: datetime, timely: bool) -> None:
    """Days end at midnight UTC."""
    assert in_time(given, date(2026, 4, 1)) is timely


def test_the_same_answer_is_recognised() -> None:
    """Outcome and reference make the content; the time does not."""
    given = Given(HitOutcome.NOT_SAME, "CASE-1", NOON)
    assert given.says(HitOutcome.NOT_SAME, "CASE-1")
    assert not given.says(HitOutcome.NOT_SAME, None)
    assert not given.says(HitOutcome.SAME_SUBJECT, "CASE-1")
