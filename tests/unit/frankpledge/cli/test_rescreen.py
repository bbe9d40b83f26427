"""`frankpledge rescreen`."""

from __future__ import annotations

import orjson
import pytest

from frankpledge import following
from tests.unit.frankpledge.cli.conftest import Run
from tests.unit.frankpledge.fakes import FakePool


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "FIRST_LOOK", 0.0)


def test_asked_for_it_says_how_to_follow(run: Run, fake: FakePool) -> None:
    """The purpose goes with it; the id leads to the rest."""
    shown = run("rescreen", "--purpose", "claim_validation")
    assert shown.exit_code == 0, shown.output
    first, second = shown.stdout.splitlines()
    assert first == "job_1  queued, 0 of 500 filings, 0 hits."
    assert "frankpledge rescreen job_1 --follow" in second
    assert orjson.loads(fake.sent("/v1/rescreens")[0].content) == {"purpose": "claim_validation"}


def test_followed_to_its_end(run: Run, fake: FakePool) -> None:
    """By its id it goes on being watched, whoever asked for it, and is not asked for again."""
    shown = run("rescreen", "job_1", "--follow", "--json")
    assert shown.exit_code == 0, shown.output
    assert orjson.loads(shown.stdout)["status"] == "done"
    assert len(fake.sent("/v1/rescreens/job_1")) == 3
    assert fake.sent("/v1/rescreens") == []


def test_one_that_failed_is_told(run: Run, fake: FakePool) -> None:
    """Exit code 2, and the code of the pool."""
    fake.rescreen |= {"status": "failed", "error": "refused"}
    shown = run("rescreen", "--follow")
    assert shown.exit_code == 2
    assert "refused" in shown.stderr


def test_cancelled(run: Run) -> None:
    """By its id only."""
    assert run("rescreen", "--cancel").exit_code == 2
    shown = run("rescreen", "job_1", "--cancel")
    assert shown.exit_code == 0
    assert "cancelled" in shown.stdout
