"""A person's request by the commands: entered and confirmed at one member, decided at another, printed at the first."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from flask import Flask

from frankpledge import keys
from frankpledge.cli import main
from frankpledge.keys import LinkageKey
from frankpledge.records import RecordEncoder
from matching.wire import subject_to_json
from repository.cli import main as admin
from repository.services.operator import accept_fingerprint
from repository.settings import Settings
from tests.support.clock import FakeClock
from tests.support.encodings import filing
from tests.support.members import Admissions, TestMember
from tests.support.proofs import colleague

KEY = LinkageKey(bytes(range(32)))
PERSON = {"given_name": "Peggy", "family_name": "OBrien", "date_of_birth": "1980-03-09", "postcode": "wr90ae"}


class Office:
    """A person of a member at the command."""

    def __init__(self, home: Path, member: TestMember) -> None:
        self.home = home
        self._environment = {
            "XDG_DATA_HOME": str(home),
            "XDG_CONFIG_HOME": str(home),
            "FRANKPLEDGE_SERVER": "http://127.0.0.1",
            "FRANKPLEDGE_CLIENT_ID": member.client_id,
            "FRANKPLEDGE_CLIENT_SECRET": member.client_secret,
        }

    def __call__(self, *words: object, code: int = 0) -> str:
        """Run a command; what it prints."""
        done = CliRunner(env=self._environment).invoke(main, list(map(str, words)))
        assert done.exit_code == code, done.output
        return done.stdout if code == 0 else done.stderr


@pytest.fixture
def offices(app: Flask, member: Admissions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Office]:
    """Two people of Alder, and one of Birch, which filed a claim of the person."""
    client, services = app.test_client(), member.services
    real = httpx.Client
    monkeypatch.setattr(httpx, "Client", lambda **given: real(**given | {"transport": httpx.WSGITransport(app)}))
    with services.database.write() as session:
        accept_fingerprint(session, "guarded/1", KEY.fingerprint, now=services.clock())
    alder, birch = member("Alder"), member("Birch")
    encoded = [subject_to_json(each) for each in RecordEncoder.for_key(KEY).subjects(PERSON, "driver")]
    body = filing("B-1", record_class="claim") | {"subjects": encoded, "fingerprint": KEY.fingerprint}
    assert client.post("/v1/filings", json=body, headers=birch.headers).status_code == 201
    keys.store(tmp_path / "key", KEY)
    (tmp_path / "person.json").write_text(json.dumps(PERSON))
    return [Office(tmp_path, each) for each in (alder, colleague(client, services, alder), birch)]


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_person_is_answered_by_the_commands(
    offices: list[Office], settings: Settings, clock: FakeClock, tmp_path: Path
) -> None:
    """Encoded here, entered, confirmed by a colleague; deferred by the operator, decided, and stored for the person."""
    desk, other, holder = offices
    words = ("--record", tmp_path / "person.json", "--reference", "D-1", "--identity-reference", "ID-1")
    day = ("--received", "2026-03-02", "--key-file", tmp_path / "key")
    made = desk("subject", "enter", "--kind", "erasure", *words, *day).split()[0]
    assert "second person" in desk("subject", "confirm", made, code=2)
    assert "to be read after 2026-03-16" in other("subject", "confirm", made)
    part = holder("subject", "inbox", "--undecided").split()[0]
    run: dict[str, Any] = {"args": ["--data-dir", str(settings.data_dir), "subject", "list", "--json"]}
    environment = {"FRANKPLEDGE_DATABASE_URL": settings.database_url}
    assert json.loads(CliRunner(env=environment).invoke(admin, **run).stdout)[0]["id"] == part
    assert "deferred up to 2026-03-20" in holder(
        "subject", "defer", part, "--reason", "legal_proceedings", "--until", "2026-03-20"
    )
    assert "refuse" in holder("subject", "decide", part, "refuse", "--reason", "legal_claims")
    assert "may be read after" in desk("subject", "report", made, tmp_path / "early.json", code=2)
    clock.advance(timedelta(days=19))
    for name in ("report.json", "report.pdf"):
        desk("subject", "report", made, tmp_path / name)
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
    (record,) = json.loads((tmp_path / "report.json").read_bytes())["records"]
    assert (record["held_by"], record["decision"]["reason"], record["roles"]) == ("Birch", "legal_claims", ["driver"])
    assert made in desk("subject", "list", "--status", "confirmed")
