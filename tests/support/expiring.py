"""Having what is kept no longer removed."""

from __future__ import annotations

from repository.domain.jobs import JobKind
from repository.jobs.running import JobWorker
from repository.services import Services, expiring


def expire(services: Services) -> int:
    """Queue what is over, and do it; how many things that were."""
    over = expiring.queue(services)
    JobWorker(services, [JobKind.EXPIRY]).run_pending()
    return over
