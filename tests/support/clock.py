"""A clock that tests set."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class FakeClock:
    """Stands still until it is moved. Called like the service's clock, it returns the time in UTC."""

    def __init__(self, start: datetime = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)) -> None:
        self.time = start

    def __call__(self) -> datetime:
        """The time now."""
        return self.time

    def advance(self, step: timedelta | None = None, **parts: float) -> None:
        """Move on by a step, given as a timedelta or as its parts (`days=1`, `seconds=-5`)."""
        self.time += step if step is not None else timedelta(**parts)
