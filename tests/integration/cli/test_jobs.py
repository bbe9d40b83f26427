"""Rescreening the pool from the command line, and looking at jobs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from repository.cli import main
from repository.jobs.running import JobWorker
from repository.services.compose import compose
from repository.settings import Settings


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    """A pool that was set up."""
    directory = tmp_path / "pool"
    assert admin(directory, "init").exit_code == 0
    return directory


def admin(pool: Path, *words: str) -> Result:
    """Run a command on a pool."""
    return CliRunner().invoke(main, ["--data-dir", str(pool), *words])


def test_a_rescreen_is_asked_for_once_and_done_by_a_worker(pool: Path) -> None:
    """One at a time; listed, shown and followed by its id."""
    asked = json.loads(admin(pool, "rescreen", "--json").output)
    assert (asked["status"], asked["member"], asked["total"]) == ("queued", None, 0)
    refused = admin(pool, "rescreen")
    assert refused.exit_code == 1
    assert asked["id"] in refused.output
    services = compose(Settings.under(pool))
    assert JobWorker(services).run_pending() == 1
    services.database.close()
    followed = admin(pool, "job", "show", asked["id"], "--follow")
    assert "done, 0 of 0" in followed.output
    (listed,) = json.loads(admin(pool, "job", "list", "--kind", "rescreen", "--json").output)
    assert listed["status"] == "done"
    assert asked["id"] in admin(pool, "job", "list").output


def test_a_rescreen_is_cancelled(pool: Path) -> None:
    """At once while no worker is at it; what is not there cannot be."""
    assert "No jobs." in admin(pool, "job", "list").output
    asked = json.loads(admin(pool, "rescreen", "--json").output)
    assert "cancelled" in admin(pool, "job", "cancel", asked["id"]).output
    assert admin(pool, "job", "cancel", "job_0").exit_code == 1
    assert admin(pool, "job", "show", "job_0").exit_code == 1
