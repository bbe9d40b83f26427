"""Two worker processes over one spool on PostgreSQL: one hangs, one is killed, and the other takes over."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from repository.domain.members import Actor, Role
from repository.services import Services, batches
from repository.services.batches import Upload
from repository.storage.batches import BATCHES
from repository.storage.filings import FILINGS, SUBJECTS
from repository.storage.index import KEY_INDEX
from repository.storage.members import MemberRow
from tests.support.encodings import filing, ndjson, subject
from tests.support.serving import environment_of, wait_for, working
from tests.support.stores import PostgresStores

ROWS, CHUNK = 1500, 100
KEYS = range(8)
SMALL_CHUNKS = {"repository.jobs.intake.CHUNK_LINES": CHUNK}
LIMITS = {f"FRANKPLEDGE_{name}_SECONDS": "3" for name in ("LEASE", "DB_LONG", "DB_STATEMENT", "DB_LOCK", "DB_IDLE")}
"""Short times: a lease of three seconds, and a transaction that hangs is ended by the database after as many."""


@pytest.fixture
def environment(tmp_path: Path, postgresql_stores: PostgresStores) -> Iterator[dict[str, str]]:
    """The environment of a pool on PostgreSQL."""
    with postgresql_stores.fresh(tmp_path) as url:
        yield environment_of(tmp_path, url, **LIMITS)


def queue(services: Services, credential: dict[str, str]) -> None:
    """A member's batch that takes some seconds."""
    content = ndjson([filing(f"P-{number}", subject(number, only=KEYS)) for number in range(ROWS)])
    with services.database.read() as session:
        member = session.scalars(select(MemberRow)).one().as_member()
    actor = Actor(credential["client_id"], frozenset({Role.CONTRIBUTOR}), member)
    upload = Upload([content], len(content), "ndjson", gzipped=False, dry_run=False, idempotency_key="the-batch")
    batches.receive(services, actor, member, upload)


def state(services: Services) -> Any:
    """The one batch as it is."""
    with services.database.read() as session:
        return session.execute(select(BATCHES)).mappings().one()


@pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGKILL])
def test_another_worker_takes_over(
    environment: dict[str, str],
    services: Services,
    credential: dict[str, str],
    tmp_path: Path,
    how: signal.Signals,
) -> None:
    """From one that hangs, when its lease ran out, and from one that is dead; let go on later, it changes nothing."""
    queue(services, credential)
    with working(environment, tmp_path / "one", SMALL_CHUNKS) as one:
        wait_for(lambda: state(services)["rows_created"] > 0)
        one.signal(how)
        stopped_at = state(services)["rows_created"]
        assert stopped_at < ROWS
        with working(environment, tmp_path / "two", SMALL_CHUNKS):
            wait_for(lambda: state(services)["rows_created"] > stopped_at + CHUNK)
            if how is signal.SIGSTOP:
                one.signal(signal.SIGCONT)
            wait_for(lambda: state(services)["status"] not in ("queued", "running"))
            time.sleep(1)
    done = state(services)
    assert (done["status"], done["rows_read"], done["rows_created"], done["rows_unchanged"]) == ("done", ROWS, ROWS, 0)
    with services.database.reading() as connection:
        tables = (FILINGS, SUBJECTS, KEY_INDEX)
        found = [connection.execute(select(func.count()).select_from(each)).scalar_one() for each in tables]
    assert found == [ROWS, ROWS, ROWS * len(KEYS)]
