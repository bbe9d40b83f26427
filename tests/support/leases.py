"""Leases that run out without waiting for it: they go by the clock of the database, which no test sets."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import update

from repository.services import Services
from repository.storage.base import Base


def run_out(services: Services) -> None:
    """Have every lease that is held have run out long ago, of batches and of jobs."""
    with services.database.writing() as connection:
        for table in Base.metadata.tables.values():
            if "lease_owner" in table.c:
                held = update(table).where(table.c.lease_owner.is_not(None))
                connection.execute(held.values(lease_until=datetime(2000, 1, 1, tzinfo=UTC)))
