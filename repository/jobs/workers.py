"""Everything that works in one process: the intake of batches, and beside it a thread for each kind of job."""

from __future__ import annotations

from repository.domain.jobs import JobKind
from repository.jobs.running import JobWorker
from repository.jobs.worker import IntakeWorker
from repository.services import Services

THREADS = {
    JobKind.NETWORK: 1,
    JobKind.RESCREEN: 1,
    JobKind.WEBHOOK: 2,
    JobKind.EXPIRY: 1,
    JobKind.RETENTION: 1,
    JobKind.MONITOR: 1,
    JobKind.CORRECTION: 1,
}
"""How many jobs of a kind one process does at a time."""


class Workers:
    """The threads of one process. Jobs are done while it holds the lock of its spool, as batches are."""

    def __init__(self, services: Services) -> None:
        self._intake = IntakeWorker(services)
        self._jobs = [
            JobWorker(services, [kind], lambda: self._intake.holding)
            for kind, count in THREADS.items()
            for _ in range(count)
        ]

    def start(self) -> None:
        """Work until `stop`."""
        self._intake.start()
        for each in self._jobs:
            each.start()

    def stop(self) -> None:
        """Ask all to end after what is at hand, and wait. Killing the process instead loses nothing."""
        for each in self._jobs:
            each.stop(0)
        self._intake.stop()
        for each in self._jobs:
            each.stop()

    @property
    def alive(self) -> bool:
        """Whether all are there and were not asked to end."""
        return self._intake.alive and all(each.alive for each in self._jobs)
