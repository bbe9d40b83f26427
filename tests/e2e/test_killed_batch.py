"""The service is killed in the middle of a batch, twice: the batch completes, and each row is in the pool once."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Connection, Table, func, select

from repository.services import Services
from repository.services.compose import compose
from repository.services.onboarding import admit_member, issue_credential
from repository.services.operator import accept_fingerprint
from repository.settings import Settings
from repository.storage.filings import FILINGS, SUBJECTS, VERSIONS
from repository.storage.index import KEY_INDEX, POOL_COUNTS
from tests.support.encodings import FINGERPRINT, filing, ndjson, subject

ADMIN = [sys.executable, "-m", "repository.cli"]
PATIENCE = 120.0
ROWS = 8000
KEYS = range(8)


@pytest.fixture(scope="module")
def content() -> bytes:
    """A batch that takes some seconds; few keys a subject keep it small."""
    return ndjson([filing(f"P-{number}", subject(number, only=KEYS)) for number in range(ROWS)])


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment of a pool that was set up."""
    made = os.environ | {"FRANKPLEDGE_DATA_DIR": str(tmp_path / "pool"), "FRANKPLEDGE_OPERATOR_PASSWORD": "p" * 16}
    made.pop("FRANKPLEDGE_DATABASE_URL", None)
    subprocess.run([*ADMIN, "init"], env=made, check=True, capture_output=True)
    return made


@pytest.fixture
def services(environment: dict[str, str]) -> Iterator[Services]:
    """The same pool, seen past the server."""
    made = compose(Settings.under(Path(environment["FRANKPLEDGE_DATA_DIR"])))
    yield made
    made.database.close()


@pytest.fixture
def credential(services: Services) -> dict[str, str]:
    """A member's log-in."""
    now = services.clock()
    with services.database.write() as session:
        accept_fingerprint(session, "guarded/1", FINGERPRINT, now=now)
        member = admit_member(
            session, "Alpha", ["motor"], now=now, agreement_signed_on=now.date(), attested_on=now.date()
        )
        made = issue_credential(session, member.id, ["contributor"], now=now)
    return {"grant_type": "client_credentials", "client_id": made.client_id, "client_secret": made.client_secret}


@contextmanager
def served(environment: dict[str, str], log: Path, credential: dict[str, str]) -> Iterator[httpx.Client]:
    """The service as processes of their own, and a client that is logged in; killed with -9 at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*ADMIN, "serve", "--port", str(port)],
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60)
    try:
        wait_for(lambda: answers(client))
        tokens = client.post("/v1/auth/token", json=credential).json()
        client.headers["Authorization"] = f"Bearer {tokens['access_token']}"
        yield client
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(PATIENCE)
        client.close()


def answers(client: httpx.Client) -> bool:
    """Whether the service is ready."""
    try:
        return client.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False


def wait_for(true: Callable[[], bool]) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.02)


def progress(client: httpx.Client, batch_id: str) -> dict[str, Any]:
    """The batch as it is."""
    found: dict[str, Any] = client.get(f"/v1/batches/{batch_id}").json()
    return found


def count(connection: Connection, table: Table) -> int:
    """How many rows a table has."""
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def test_a_killed_batch_completes_and_each_row_lands_once(
    environment: dict[str, str], services: Services, credential: dict[str, str], content: bytes, tmp_path: Path
) -> None:
    """Killed after the first rows, and again later: filings, versions, subjects and index rows are all there once."""
    log = tmp_path / "log"
    headers = {"Content-Type": "application/x-ndjson", "Idempotency-Key": "the-batch"}
    with served(environment, log, credential) as client:
        received = client.post("/v1/batches", content=content, headers=headers)
        assert received.status_code == 202
        batch_id = received.json()["id"]
        wait_for(lambda: progress(client, batch_id)["rows"]["created"] > 0)
        first = progress(client, batch_id)
    assert first["status"] == "running"
    with served(environment, log, credential) as client:
        wait_for(lambda: progress(client, batch_id)["rows"]["created"] > first["rows"]["created"])
        second = progress(client, batch_id)
        assert client.post("/v1/batches", content=content, headers=headers).json()["id"] == batch_id
    with served(environment, log, credential) as client:
        wait_for(lambda: progress(client, batch_id)["status"] not in ("queued", "running"))
        done = progress(client, batch_id)
    assert 0 < first["rows"]["created"] < second["rows"]["created"] <= ROWS
    assert done["status"] == "done"
    assert done["rows"] == {"read": ROWS, "created": ROWS, "new_version": 0, "unchanged": 0, "rejected": 0}
    with services.database.read() as session:
        connection = session.connection()
        assert (count(connection, FILINGS), count(connection, VERSIONS)) == (ROWS, ROWS)
        assert count(connection, SUBJECTS) == ROWS
        assert count(connection, KEY_INDEX) == ROWS * len(KEYS)
        assert connection.execute(select(POOL_COUNTS.c.subjects)).scalar_one() == ROWS
        references = connection.execute(select(func.count(FILINGS.c.reference.distinct()))).scalar_one()
        assert references == ROWS
    assert list((services.settings.data_dir / "spool").glob("*.sealed")) == []
    assert b"Traceback" not in log.read_bytes()
