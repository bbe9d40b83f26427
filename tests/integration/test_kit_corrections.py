"""`frankpledge dispute` and `correction` against the real pool, in one process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from click.testing import CliRunner, Result
from flask import Flask
from flask.testing import FlaskClient

from frankpledge.cli import main
from repository.cli.corrections import correction
from repository.domain.jobs import JobKind
from repository.jobs.running import JobWorker
from repository.services import Services
from tests.support.encodings import filing, subject
from tests.support.members import Admissions, TestMember

pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)
Run = Callable[..., Result]


@pytest.fixture
def run(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command as a member."""
    (tmp_path / "config.toml").write_text('[profiles.default]\nserver = "http://127.0.0.1"\n')
    monkeypatch.setenv("FRANKPLEDGE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("FRANKPLEDGE_CONFIG", str(tmp_path / "config.toml"))
    real = httpx.Client
    transport = httpx.WSGITransport(app)
    monkeypatch.setattr(httpx, "Client", lambda **options: real(**{**options, "transport": transport}))

    def runner(who: TestMember, *arguments: str) -> Result:
        monkeypatch.setenv("FRANKPLEDGE_CLIENT_ID", who.client_id)
        monkeypatch.setenv("FRANKPLEDGE_CLIENT_SECRET", who.client_secret)
        return CliRunner().invoke(main, arguments)

    return runner


def _read(shown: Result) -> list[dict[str, Any]]:
    assert shown.exit_code == 0, shown.output
    return [orjson.loads(line) for line in shown.stdout.splitlines()]


def test_from_a_dispute_to_the_trail(
    run: Run, client: FlaskClient, services: Services, member: Admissions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Raised, listed with its day, accepted; the correction listed, acknowledged, and proven to the contributor."""
    monkeypatch.setenv("COLUMNS", "160")
    alpha, beta = member("Alpha"), member("Beta")
    for who, reference in ((beta, "B-1"), (alpha, "A-1")):
        body = filing(reference, subject("ann"), record_class="claim")
        assert client.post("/v1/filings", json=body, headers=who.headers).status_code == 201
    (hit,) = client.get("/v1/hits", headers=alpha.headers).get_json()["items"]
    said = ("--ground", "not_the_person", "--statement-reference", "S-1", "--notice", "It was my cousin.")
    (raised,) = _read(run(alpha, "dispute", "raise", hit["id"], *said, "--json"))
    assert "2026-03-30" in run(beta, "dispute", "list").stdout
    (known,) = _read(run(alpha, "dispute", "list", "--raised", "--json"))
    (answered,) = _read(run(beta, "dispute", "answer", known["id"], "--accept", "--json"))
    assert (raised["id"], answered["status"]) == (known["id"], "upheld")
    JobWorker(services, [JobKind.CORRECTION]).run_pending()
    found = _read(run(alpha, "correction", "list", "--outstanding", "--json"))
    assert sorted(each["kind"] for each in found) == ["disputed", "notice", "suppressed"]
    assert run(alpha, "correction", "ack", *(each["id"] for each in found)).exit_code == 0
    assert _read(run(alpha, "correction", "list", "--outstanding", "--json")) == []
    made = _read(run(beta, "correction", "list", "--made", "--filing", answered["filing"], "--json"))
    assert [(each["state"], each["members"]) for each in made] == [("acknowledged", {"fewer_than": 3})] * 3
    (trail,) = _read(run(beta, "correction", "trail", made[0]["id"], "--json"))
    assert (trail["receipts"], trail["on"]) == ([], "2026-03-02")
    assert run(beta, "correction", "trail", made[0]["id"]).exit_code == 0
    assert "acknowledged" in run(beta, "correction", "list", "--made").stdout
    pool = type("Opened", (), {"database": services.database})()
    shown = CliRunner().invoke(correction, ["trail", made[0]["id"]], obj=pool)
    assert "Alpha" in shown.stdout, shown.output
    assert "outstanding: 0" in CliRunner().invoke(correction, ["show"], obj=pool).stdout
