"""What an operator sees of a running pool: is a worker at it, and what waits."""

from __future__ import annotations

import fcntl
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from repository.storage.batches import OPEN_STATES, BatchRow


@dataclass(frozen=True, slots=True)
class Queue:
    """Batches by status, when the oldest unfinished one came in, and what is done of those being taken in."""

    by_status: dict[str, int]
    oldest_waiting: datetime | None
    rows_of_open: int


def queue(session: Session) -> Queue:
    """The queue of batches, of every data directory."""
    counted = session.execute(select(BatchRow.status, func.count()).group_by(BatchRow.status))
    by_status = {str(status): int(count) for status, count in counted}
    still_open = BatchRow.status.in_(OPEN_STATES)
    oldest = session.scalar(select(func.min(BatchRow.created_at)).where(still_open))
    rows = session.scalar(select(func.coalesce(func.sum(BatchRow.rows_read), 0)).where(still_open))
    return Queue(by_status, oldest, int(rows or 0))


def worker_present(data_dir: Path) -> bool:
    """Whether a process holds the lock of this data directory's worker; the kernel frees it however a process ends."""
    try:
        with (data_dir / "spool" / "worker.lock").open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
