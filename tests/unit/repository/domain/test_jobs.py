"""How long jobs wait between attempts."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from repository.domain.jobs import JITTER, JobKind, Patience
from repository.domain.webhooks import DISABLED_AFTER
from repository.jobs.handlers import HANDLERS

PATIENCE = st.builds(
    Patience,
    attempts=st.integers(1, 100),
    first=st.timedeltas(timedelta(seconds=1), timedelta(minutes=1)),
    factor=st.integers(1, 10),
    longest=st.timedeltas(timedelta(minutes=2), timedelta(days=2)),
)


@given(PATIENCE, st.integers(1, 10**6), st.floats(0, 1))
def test_a_pause_grows_up_to_the_longest(patience: Patience, attempt: int, drawn: float) -> None:
    """By the factor, give or take the jitter, and never by more: however many attempts there were."""
    pause, following = patience.pause(attempt, drawn), patience.pause(attempt + 1, drawn)
    assert pause <= following <= pause * patience.factor + timedelta(milliseconds=1)
    assert timedelta() < pause <= patience.longest * (1 + JITTER) + timedelta(milliseconds=1)
    assert patience.pause(attempt, 0.0) <= pause <= patience.pause(attempt, 1.0)


def test_a_notice_is_tried_until_its_webhook_is_disabled() -> None:
    """Seconds at first, for a receiver that is just being restarted; hours at the end."""
    patience = HANDLERS[JobKind.WEBHOOK].patience
    pauses = [patience.pause(attempt, 0.5) for attempt in range(1, patience.attempts)]
    assert pauses[0] == timedelta(seconds=5)
    least = sum((patience.pause(attempt, 0.0) for attempt in range(1, patience.attempts)), timedelta())
    assert least > DISABLED_AFTER
    assert sum(pauses, timedelta()) < timedelta(days=5)
