"""Retention as the operator sees it on the command line: what expires when, removing it, and legal holds."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import update

from repository.cli.context import Pool
from repository.cli.retention import command
from repository.services import Services
from repository.services.clock import now
from repository.storage.filings import FILINGS
from tests.support.encodings import filing
from tests.support.members import Admissions

pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)
Admin = Callable[..., Result]


class _Pool(Pool):
    """The pool of a test as the commands see it."""

    def __init__(self, services: Services) -> None:
        super().__init__(services.settings)
        self.__dict__["database"] = services.database


@pytest.fixture
def admin(services: Services) -> Admin:
    """Runs a command on the pool of the test."""
    return lambda *words: CliRunner().invoke(command, list(words), obj=_Pool(services))


@pytest.fixture
def old(services: Services, member: Admissions) -> str:
    """A claim of Alpha's that is over."""
    who = member("Alpha")
    body = filing("X-1", record_class="claim")
    filed = member._app.test_client().post("/v1/filings", json=body, headers=who.headers).get_json()["id"]
    with services.database.writing() as connection:
        changed = update(FILINGS).where(FILINGS.c.id == filed)
        connection.execute(changed.values(created_at=now() - timedelta(days=6 * 366)))
    return str(filed)


def test_what_is_over_is_counted_held_and_removed(admin: Admin, old: str) -> None:
    """What is held is not queued for removal; the operator releases what it held, by its id."""
    until = (now().date() + timedelta(days=30)).isoformat()
    placed = json.loads(admin("hold", "add", old, "--reason", "police_request", "--until", until, "--json").stdout)
    claims = [each for each in json.loads(admin("report", "--json").stdout) if each["kind"] == "claim"]
    assert [(each["within_days"], each["filings"], each["held"]) for each in claims[:2]] == [(0, 1, 1), (30, 1, 1)]
    assert "claim" in admin("report").stdout
    assert json.loads(admin("run", "--json").stdout) == {"over": 0}
    assert [each["id"] for each in json.loads(admin("hold", "list", "--json").stdout)] == [placed["id"]]
    assert old in admin("hold", "list").stdout.replace("\n", "")
    assert "is released" in admin("hold", "release", placed["id"]).stdout
    assert "No holds." in admin("hold", "list").stdout
    assert "1 filings are over" in admin("run").stdout


def test_what_is_not_there_or_does_not_fit_is_said(admin: Admin, old: str) -> None:
    """A filing or hold that is none, and a day that is past."""
    add = ("hold", "add", "--reason", "audit", "--until")
    assert "no such filing" in admin(*add, (now().date() + timedelta(days=1)).isoformat(), "fil_none").output
    assert "ends_on: expected a day after today" in admin(*add, "2020-01-01", old).output
    assert "no such hold" in admin("hold", "release", "hld_none").output
