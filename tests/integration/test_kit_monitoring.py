"""`frankpledge alerts`, `frankpledge watch` and screenings that stand, against the real pool, in one process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import orjson
import pytest
from click.testing import CliRunner, Result
from flask import Flask
from flask.testing import FlaskClient

from frankpledge.cli import main
from repository.domain.jobs import JobKind
from repository.jobs.running import JobWorker
from repository.services import Services
from tests.support.encodings import filing, question, subject
from tests.support.members import Admissions, TestMember

pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)
Run = Callable[..., Result]


@pytest.fixture
def run(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command as a member."""
    (tmp_path / "config.toml").write_text('[profiles.default]\nserver = "http://127.0.0.1"\n')
    monkeypatch.setenv("FRANKPLEDGE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("FRANKPLEDGE_CONFIG", str(tmp_path / "config.toml"))
    real, transport = httpx.Client, httpx.WSGITransport(app)
    monkeypatch.setattr(httpx, "Client", lambda **options: real(**{**options, "transport": transport}))

    def runner(who: TestMember, *arguments: str) -> Result:
        monkeypatch.setenv("FRANKPLEDGE_CLIENT_ID", who.client_id)
        monkeypatch.setenv("FRANKPLEDGE_CLIENT_SECRET", who.client_secret)
        done = CliRunner().invoke(main, arguments)
        assert done.exit_code in (0, 2), done.output
        return done

    return runner


def test_a_watch_from_its_hit_to_its_end(run: Run, client: FlaskClient, services: Services, member: Admissions) -> None:
    """Listed, met, read, put away, dealt with, renewed and ended."""
    alpha, beta = member("Alpha"), member("Beta")
    client.post("/v1/filings", json=filing("A-0", record_class="claim"), headers=alpha.headers)
    client.post("/v1/screenings", json=question("ann", stands={"as": "policy"}), headers=alpha.headers)
    client.post("/v1/filings", json=filing("B-1", subject("ann"), record_class="claim"), headers=beta.headers)
    JobWorker(services, [JobKind.MONITOR]).run_pending()
    assert "until 2027-03-01" in run(alpha, "watch", "list", "--standing").stdout
    (alert,) = map(orjson.loads, run(alpha, "alerts", "list", "--unread", "--read", "--json").stdout.splitlines())
    assert (alert["kind"], sorted(alert["about"])) == ("watch.hit", ["hit", "watch"])
    assert run(alpha, "alerts", "list", "--unread").stdout == "There are no alerts.\n"
    assert "watch.hit" in run(alpha, "alerts", "snooze", alert["id"], "--until", "2026-03-03T00:00:00Z").stdout
    assert run(alpha, "alerts", "list").stdout == "There are no alerts.\n"
    assert "read" in run(alpha, "alerts", "acknowledge", alert["id"]).stdout
    watch = alert["about"]["watch"]
    assert "enquire" in run(alpha, "watch", "renew", watch).stdout
    assert "ended: renewed" in run(alpha, "watch", "list", "--ended").stdout
    (standing,) = map(orjson.loads, run(alpha, "watch", "list", "--standing", "--json").stdout.splitlines())
    assert "ended: member" in run(alpha, "watch", "end", standing["id"]).stdout


def test_what_recurs_is_set_shown_and_ended(run: Run, member: Admissions) -> None:
    """The book and digests, each with its next time; half a schedule is refused here."""
    alpha = member("Alpha")
    nightly = ("--every", "weekly", "--weekday", "monday", "--at", "02:00", "--zone", "Europe/London")
    assert "weekly monday at 02:00 Europe/London; next 2026-03-09T02:" in run(alpha, "watch", "book", *nightly).stdout
    assert "Europe/London" in run(alpha, "watch", "book").stdout
    assert "any more" in run(alpha, "watch", "book", "--end").stdout
    assert "next 2026-03-03T08:00 UTC" in run(alpha, "alerts", "digest", "--every", "daily", "--at", "08:00").stdout
    assert orjson.loads(run(alpha, "alerts", "digest").stdout)["counts"] == {}
    assert "recurs any more" in run(alpha, "alerts", "digest", "--end").stdout
    assert run(alpha, "alerts", "digest", "--every", "daily").exit_code == 2
