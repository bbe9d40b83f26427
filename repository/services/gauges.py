"""What a scrape reads beside the counters: the queue, hot keys, the worker, the disk, and what version this is."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from repository import __version__
from repository.domain.jobs import JobKind
from repository.metrics import Reading
from repository.services import Services, migration, operations
from repository.storage import index, jobs

_STATES = ("queued", "running", "done", "failed", "cancelled")
_Samples = dict[str, list[tuple[tuple[str, ...], float]]]


def reading(services: Services) -> Reading:
    """The samples of now. A database that fails leaves its own out, and says so; nothing is raised."""
    found = _of_this_machine(services)
    try:
        with services.database.read() as session:
            found |= _of_the_database(services, session)
        found["frankpledge_database_up"] = [((), 1)]
    except SQLAlchemyError:
        found["frankpledge_database_up"] = [((), 0)]
    return found


def _of_the_database(services: Services, session: Session) -> _Samples:
    queue = operations.queue(session)
    waiting = 0.0
    if queue.oldest_waiting is not None:
        waiting = max(0.0, (services.clock() - queue.oldest_waiting).total_seconds())
    oldest, now = jobs.oldest_open(session.connection()), services.clock()
    ages = {kind: max(0.0, (now - oldest.get(kind, now)).total_seconds()) for kind in JobKind}
    at, fits = ",".join(migration.heads(session)), migration.at_head(session)
    return {
        "frankpledge_batches": [((status,), queue.by_status.get(status, 0)) for status in _STATES],
        "frankpledge_queue_age_seconds": [((), waiting)],
        "frankpledge_job_age_seconds": [((kind.value,), age) for kind, age in ages.items()],
        "frankpledge_hot_keys": [((), index.count_hot(session.connection()))],
        "frankpledge_schema_info": [((at, "yes" if fits else "no"), 1)],
    }


def _of_this_machine(services: Services) -> _Samples:
    data_dir = services.settings.data_dir
    disk = shutil.disk_usage(data_dir)
    return {
        "frankpledge_build_info": [((__version__, services.schema.id), 1)],
        "frankpledge_worker_alive": [((), operations.worker_present(data_dir))],
        "frankpledge_spool_bytes": [((), _size(data_dir / "spool"))],
        "frankpledge_disk_free_bytes": [((), disk.free)],
        "frankpledge_disk_size_bytes": [((), disk.total)],
    }


def _size(directory: Path) -> int:
    total = 0
    for path in directory.rglob("*"):
        with suppress(FileNotFoundError):  # a batch may be done meanwhile
            total += path.stat().st_size if path.is_file() else 0
    return total
