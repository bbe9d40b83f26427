"""A worker hangs, or is killed, in the middle of a rescreen: another goes on, and every filing is scored once."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, func, select

from repository.domain.jobs import JobKind
from repository.domain.members import Actor, Role
from repository.jobs.worker import IntakeWorker
from repository.services import Services, batches, rescreening
from repository.services.batches import Upload
from repository.services.compose import compose
from repository.services.onboarding import admit_member, issue_credential
from repository.services.operator import accept_fingerprint
from repository.settings import Settings
from repository.storage.hits import HIT_SIDES, HITS
from repository.storage.jobs import JOBS
from tests.support.encodings import FINGERPRINT, filing, ndjson, subject
from tests.support.serving import environment_of, wait_for, working

ROWS = 1500
KEYS = range(4)
LIMITS = {"FRANKPLEDGE_LEASE_SECONDS": "4", "FRANKPLEDGE_DB_LONG_SECONDS": "4", "FRANKPLEDGE_DB_STATEMENT_SECONDS": "4"}
LIMITS |= {"FRANKPLEDGE_DB_LOCK_SECONDS": "4", "FRANKPLEDGE_DB_IDLE_SECONDS": "4"}


@pytest.fixture
def environment(tmp_path: Path, database_url: str) -> dict[str, str]:
    """The environment of a pool on either store."""
    return environment_of(tmp_path, database_url, **LIMITS)


@pytest.fixture
def services(environment: dict[str, str]) -> Iterator[Services]:
    """The same pool with two members who know the same people, and no hit between them yet."""
    made = compose(Settings.from_environment(environment))
    now = made.clock()
    with made.database.write() as session:
        accept_fingerprint(session, "guarded/1", FINGERPRINT, now=now)
    for name in ("Alpha", "Beta"):
        with made.database.write() as session:
            today = now.date()
            member = admit_member(session, name, ["motor"], now=now, agreement_signed_on=today, attested_on=today)
            credential = issue_credential(session, member.id, ["contributor"], now=now)
        rows = [filing(f"{name}-{number}", subject(number, only=KEYS)) for number in range(ROWS)]
        content = ndjson(rows)
        actor = Actor(credential.client_id, frozenset({Role.CONTRIBUTOR}), member)
        upload = Upload([content], len(content), "ndjson", gzipped=False, dry_run=False, idempotency_key="k")
        batches.receive(made, actor, member, upload)
    assert IntakeWorker(made).run_pending() == 2
    with made.database.writing() as connection:
        for table in (HIT_SIDES, HITS):
            connection.execute(delete(table))
    yield made
    made.database.close()


def state(services: Services) -> Any:
    """The one rescreen as it is."""
    with services.database.reading() as connection:
        rescreen = select(JOBS).where(JOBS.c.kind == JobKind.RESCREEN.value)
        return connection.execute(rescreen).mappings().one()


@pytest.mark.parametrize(
    ("store", "how"), [("sqlite", signal.SIGKILL), ("postgresql", signal.SIGSTOP)], indirect=["store"]
)
def test_another_worker_goes_on(
    environment: dict[str, str], services: Services, tmp_path: Path, how: signal.Signals
) -> None:
    """From the cursor of the last chunk; the hits between both members are there once, with both sides."""
    rescreening.ask_for_all(services)
    with working(environment, tmp_path / "one") as one:
        wait_for(lambda: state(services)["done"] > 0)
        one.signal(how)
        if how is signal.SIGKILL:
            one.ended()
        stopped_at = state(services)["done"]
        assert 0 < stopped_at < 2 * ROWS
        with working(environment, tmp_path / "two"):
            wait_for(lambda: state(services)["done"] > stopped_at)
            if how is signal.SIGSTOP:
                one.signal(signal.SIGCONT)
            wait_for(lambda: state(services)["finished_at"] is not None)
            time.sleep(0.5)
    done = state(services)
    assert (done["status"], done["done"], done["total"], done["error"]) == ("done", 2 * ROWS, 2 * ROWS, None)
    with services.database.reading() as connection:
        found = [connection.execute(select(func.count()).select_from(each)).scalar_one() for each in (HITS, HIT_SIDES)]
    assert found == [ROWS, 2 * ROWS]
    for log in ("one", "two"):
        assert b"Traceback" not in (tmp_path / log).read_bytes()
