"""Fixtures of the tests that run the service as processes: a pool on disk and a member of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from repository.services import Services
from repository.services.compose import compose
from repository.services.onboarding import admit_member, issue_credential
from repository.services.operator import accept_fingerprint
from repository.settings import Settings
from tests.support.encodings import FINGERPRINT
from tests.support.serving import environment_of
from tests.support.stores import SqliteStores


@pytest.fixture
def environment(tmp_path: Path, sqlite_stores: SqliteStores) -> Iterator[dict[str, str]]:
    """The environment of a pool that was set up."""
    with sqlite_stores.fresh(tmp_path) as url:
        yield environment_of(tmp_path, url)


@pytest.fixture
def services(environment: dict[str, str]) -> Iterator[Services]:
    """The same pool, seen past the server."""
    made = compose(Settings.from_environment(environment))
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
