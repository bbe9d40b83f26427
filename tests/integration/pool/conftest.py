"""Fixtures of the tests of the pool: members at work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from repository.jobs.worker import IntakeWorker
from repository.services import Services
from repository.storage.base import Base
from tests.support.encodings import ndjson
from tests.support.members import Admissions, TestMember
from tests.support.proofs import prove


class Desk:
    """A member at work: files, uploads, asks and reads, and gives the JSON that came back."""

    def __init__(self, client: FlaskClient, services: Services, member: TestMember) -> None:
        self.client = client
        self.services = services
        self.member = member

    def file(self, body: object, *, status: int = 201, key: str | None = None) -> dict[str, Any]:
        """File one record, under an idempotency key if one is given."""
        headers = self.member.headers | ({"Idempotency-Key": key} if key else {})
        answer = self.client.post("/v1/filings", json=body, headers=headers)
        assert answer.status_code == status, answer.get_json()
        parsed: dict[str, Any] = answer.get_json()
        return parsed

    def upload(self, content: bytes, key: str = "key-1", *, status: int = 202, query: str = "", **headers: str) -> Any:
        """Upload a batch without having it taken in."""
        sent = {"Content-Type": "application/x-ndjson", "Idempotency-Key": key} | headers
        answer = self.client.post(f"/v1/batches{query}", data=content, headers=self.member.headers | sent)
        assert answer.status_code == status, answer.get_json()
        return answer.get_json()

    def batch(self, content: bytes | Sequence[dict[str, Any]], key: str = "key-1", **options: Any) -> dict[str, Any]:
        """Upload a batch, have it taken in, and give it as it then is."""
        data = content if isinstance(content, bytes) else ndjson(content)
        received = self.upload(data, key, **options)
        IntakeWorker(self.services).run_pending()
        return self.get(f"/v1/batches/{received['id']}")

    def screen(self, body: object, *, status: int = 200) -> dict[str, Any]:
        """Ask about one subject."""
        answer = self.client.post("/v1/screenings", json=body, headers=self.member.headers)
        assert answer.status_code == status, answer.get_json()
        parsed: dict[str, Any] = answer.get_json()
        return parsed

    def get(self, path: str, *, status: int = 200) -> dict[str, Any]:
        """Read something."""
        answer = self.client.get(path, headers=self.member.headers)
        assert answer.status_code == status, answer.get_json()
        parsed: dict[str, Any] = answer.get_json()
        return parsed

    def prove(self, *references: str) -> list[str]:
        """Have cases proven: entered, and approved by a second person. The ids of the proofs."""
        return prove(self.client, self.services, self.member, *references)

    def hits(self, query: str = "") -> list[dict[str, Any]]:
        """The first page of hits."""
        items: list[dict[str, Any]] = self.get(f"/v1/hits{query}")["items"]
        return items


@pytest.fixture
def alpha(client: FlaskClient, services: Services, member: Admissions) -> Desk:
    """A member in motor and home."""
    return Desk(client, services, member("Alpha", lines=("motor", "home")))


@pytest.fixture
def beta(client: FlaskClient, services: Services, member: Admissions) -> Desk:
    """Another member in motor and home."""
    return Desk(client, services, member("Beta", lines=("motor", "home")))


class Counted:
    """Counts the rows of tables."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def __call__(self, table: str) -> int:
        """How many rows a table has."""
        with self._services.database.read() as session:
            return int(session.execute(select(func.count()).select_from(Base.metadata.tables[table])).scalar_one())


@pytest.fixture
def rows(services: Services) -> Counted:
    """How many rows a table has: `rows("filings")`."""
    return Counted(services)
