"""The service is killed in the middle of a batch, twice: the batch completes, and each row is in the pool once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Connection, Table, func, select

from repository.services import Services
from repository.storage.filings import FILINGS, SUBJECTS, VERSIONS
from repository.storage.index import KEY_INDEX, POOL_COUNTS
from tests.support.encodings import filing, ndjson, subject
from tests.support.serving import served, wait_for

ROWS = 5000
KEYS = range(8)


@pytest.fixture(scope="module")
def content() -> bytes:
    """A batch that takes some seconds; few keys a subject keep it small."""
    return ndjson([filing(f"P-{number}", subject(number, only=KEYS)) for number in range(ROWS)])


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
