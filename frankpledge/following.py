"""Watching a job of the pool until it is over."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol, TypeVar

FIRST_LOOK, SLOWEST_LOOK = 0.2, 5.0
"""Seconds between looks at a job: the first wait, doubled each time up to the longest."""


class Watched(Protocol):
    """A job as it was at one look."""

    @property
    def finished(self) -> bool:
        """Whether it is over, well or not."""

    @property
    def position(self) -> int:
        """How far it is."""


Job = TypeVar("Job", bound=Watched)


def until_over(
    job: Job, look: Callable[[], Job], seen: Callable[[Job], None], *, sleep: Callable[[float], object] = time.sleep
) -> Job:
    """Look at a job until it is over, ever less often while nothing moves; `seen` is told each time."""
    pause = FIRST_LOOK
    seen(job)
    while not job.finished:
        sleep(pause)
        latest = look()
        pause = FIRST_LOOK if latest.position > job.position else min(pause * 2, SLOWEST_LOOK)
        job = latest
        seen(job)
    return job
