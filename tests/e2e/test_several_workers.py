"""Two worker processes over one spool on PostgreSQL: one hangs, one is killed, and the other takes over."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from repository.domain.members import Actor, Role
from repository.services import Services, batches
from repository.services.batches import Upload
from repository.services.compose import compose
from repository.services.onboarding import admit_member, issue_credential
from repository.services.operator import accept_fingerprint
from repository.settings import Settings
from repository.storage.batches import BATCHES
from repository.storage.filings import FILINGS, SUBJECTS
from repository.storage.index import KEY_INDEX
from tests.support.encodings import FINGERPRINT, filing, ndjson, subject
from tests.support.serving import ADMIN, wait_for
from tests.support.stores import PostgresStores

ROWS = 4000
KEYS = range(8)
LIMITS = {"FRANKPLEDGE_LEASE_SECONDS": "6", "FRANKPLEDGE_DB_LONG_SECONDS": "6", "FRANKPLEDGE_DB_STATEMENT_SECONDS": "6"}
"""Short times: a lease of six seconds, and a transaction that hangs is ended by the database after as many."""
LIMITS |= {"FRANKPLEDGE_DB_LOCK_SECONDS": "6", "FRANKPLEDGE_DB_IDLE_SECONDS": "6"}


@pytest.fixture
def environment(tmp_path: Path, postgresql_stores: PostgresStores) -> Iterator[dict[str, str]]:
    """The environment of a pool on PostgreSQL."""
    with postgresql_stores.fresh(tmp_path) as url:
        made = os.environ | LIMITS | {"FRANKPLEDGE_DATA_DIR": str(tmp_path / "pool"), "FRANKPLEDGE_DATABASE_URL": url}
        made["FRANKPLEDGE_OPERATOR_PASSWORD"] = "p" * 16
        subprocess.run([*ADMIN, "init"], env=made, check=True, capture_output=True)
        yield made


@pytest.fixture
def services(environment: dict[str, str]) -> Iterator[Services]:
    """The same pool, seen past the workers."""
    made = compose(Settings.from_environment(environment))
    yield made
    made.database.close()


def queue(services: Services) -> str:
    """A member's batch that takes some seconds; its id."""
    now = services.clock()
    with services.database.write() as session:
        accept_fingerprint(session, "guarded/1", FINGERPRINT, now=now)
        today = now.date()
        member = admit_member(session, "Alpha", ["motor"], now=now, agreement_signed_on=today, attested_on=today)
        made = issue_credential(session, member.id, ["contributor"], now=now)
    content = ndjson([filing(f"P-{number}", subject(number, only=KEYS)) for number in range(ROWS)])
    actor = Actor(made.client_id, frozenset({Role.CONTRIBUTOR}), member)
    upload = Upload([content], len(content), "ndjson", gzipped=False, dry_run=False, idempotency_key="the-batch")
    return str(batches.receive(services, actor, member, upload)[0]["id"])


@contextmanager
def worker(environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A worker process, killed at the end."""
    with log.open("ab") as output:
        process = subprocess.Popen([*ADMIN, "worker", "run"], env=environment, stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.kill()
        process.wait(60)


def state(services: Services) -> Any:
    """The one batch as it is."""
    with services.database.read() as session:
        return session.execute(select(BATCHES)).mappings().one()


@pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGKILL])
def test_another_worker_takes_over(
    environment: dict[str, str], services: Services, tmp_path: Path, how: signal.Signals
) -> None:
    """From one that hangs, when its lease ran out, and from one that is dead; let go on later, it changes nothing."""
    queue(services)
    with worker(environment, tmp_path / "one") as one:
        wait_for(lambda: state(services)["rows_created"] > 0)
        one.send_signal(how)
        stopped_at = state(services)["rows_created"]
        assert stopped_at < ROWS
        with worker(environment, tmp_path / "two"):
            wait_for(lambda: state(services)["rows_created"] > stopped_at + 500)
            if how is signal.SIGSTOP:
                one.send_signal(signal.SIGCONT)
            wait_for(lambda: state(services)["status"] not in ("queued", "running"))
            time.sleep(1)
    done = state(services)
    assert (done["status"], done["rows_read"], done["rows_created"], done["rows_unchanged"]) == ("done", ROWS, ROWS, 0)
    with services.database.reading() as connection:
        tables = (FILINGS, SUBJECTS, KEY_INDEX)
        found = [connection.execute(select(func.count()).select_from(each)).scalar_one() for each in tables]
    assert found == [ROWS, ROWS, ROWS * len(KEYS)]
