"""`frankpledge cases` against the real pool, in one process."""

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
from repository.services import Services
from tests.support.encodings import filing, subject
from tests.support.members import Admissions, TestMember
from tests.support.proofs import colleague

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
        return CliRunner().invoke(main, ["cases", *arguments])

    return runner


def _read(shown: Result) -> list[dict[str, Any]]:
    assert shown.exit_code == 0, shown.output
    return [orjson.loads(line) for line in shown.stdout.splitlines()]


def test_a_case_from_the_queue_to_its_end(
    run: Run, client: FlaskClient, services: Services, member: Admissions
) -> None:
    """Listed, claimed, put off, noted, answered, found and decided by two; who is slow is told so."""
    alpha, beta = member("Alpha"), member("Beta")
    for who, reference in ((beta, "B-1"), (alpha, "A-1")):
        body = filing(reference, subject("ann"), record_class="claim")
        assert client.post("/v1/filings", json=body, headers=who.headers).status_code == 201
    (case,) = _read(run(alpha, "list", "--status", "new", "--like", "A-1", "--json"))
    assert "due 2026-03-22" in run(alpha, "list").stdout
    (claimed,) = _read(run(alpha, "next", "--json"))
    assert (claimed["id"], claimed["status"]) == (case["id"], "open")
    assert run(alpha, "next").stdout == "There are no cases.\n"
    late = run(alpha, "move", case["id"], "wait", "--version", "1")
    assert late.exit_code == 2
    assert "at version 2 now" in late.stderr
    (due,) = _read(run(alpha, "move", case["id"], "due", "--day", "2026-03-09", "--json"))
    assert due["due_on"] == "2026-03-09"
    assert run(alpha, "note", case["id"], "Called the garage", "--attachment-reference", "D-1").stdout == "Noted.\n"
    (whole,) = _read(run(alpha, "show", case["id"], "--json"))
    hit = whole["hits"][0]["id"]
    assert run(alpha, "answer", hit, "not_same").stdout == "Answered.\n"
    assert run(alpha, "answer", hit, "--take-back").stdout == "Taken back.\n"
    assert run(alpha, "answer", hit, "same_subject", "--note-reference", "N-1").exit_code == 0
    stated = ("--evidence", "Two invoices with one number.", "--subject-could-speak", "--subject-words", "by letter")
    (proposed,) = _read(run(alpha, "find", case["id"], "proven", *stated, "--json"))
    assert proposed["status"] == "proposed"
    assert run(alpha, "decide", case["id"], "--approve").exit_code == 2
    second = colleague(client, services, alpha)
    (done,) = _read(run(second, "decide", case["id"], "--approve", "--json"))
    assert (done["status"], done["finding"]) == ("closed", "proven")
    shown = run(alpha, "show", case["id"]).stdout
    for each in ("Called the garage", "finding proven, stands", "approve -> closed", "not compared: "):
        assert each in shown
    results = run(alpha, "assign", whole["assignee"], case["id"])
    assert results.stdout == f"{case['id']}  conflict\n"
