"""The detail of a record by the commands: sealed on one machine, opened on another, through a pool that reads none."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from frankpledge import agreement, disclosure
from frankpledge.cli import main
from repository.cli import main as admin
from repository.services import Services
from repository.storage.agreement import RECIPIENTS
from repository.storage.dump import lines, tables
from repository.storage.exchange import DISCLOSURES
from tests.support.clock import FakeClock
from tests.support.encodings import filing, subject
from tests.support.members import Admissions, TestMember

pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)
SECRET = "Zebedee Quartermaine drove the blue car"


@dataclass(frozen=True)
class Office:
    """A member's machine: its files, and its command."""

    member: TestMember
    home: Path
    run: Callable[..., Result]

    def __call__(self, *words: object, **options: Any) -> str:
        """Run a command with success; what it prints."""
        done = self.run(*words, **options)
        assert done.exit_code == 0, done.output
        return done.stdout

    def refused(self, *words: object, **options: Any) -> str:
        """Run it without; what it says."""
        done = self.run(*words, **options)
        assert done.exit_code == 2, done.output
        return done.stderr

    @property
    def fingerprint(self) -> str:
        """What the member reads out on the telephone."""
        shown = re.search(r"fingerprint +([0-9a-f ]+)", self("keys", "identity", "show"))
        assert shown
        return shown[1]


@pytest.fixture
def offices(app: Flask, member: Admissions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Office]:
    """Alder, who asks and has published a public key, and Birch."""
    real = httpx.Client
    monkeypatch.setattr(httpx, "Client", lambda **given: real(**given | {"transport": httpx.WSGITransport(app)}))
    found = []
    for name in ("Alder", "Birch"):
        who, home = member(name), tmp_path / name
        home.mkdir()
        environment = {
            "XDG_DATA_HOME": str(home),
            "XDG_CONFIG_HOME": str(home),
            "FRANKPLEDGE_SERVER": "http://127.0.0.1",
            "FRANKPLEDGE_CLIENT_ID": who.client_id,
            "FRANKPLEDGE_CLIENT_SECRET": who.client_secret,
        }

        def run(*words: object, _environment: dict[str, str] = environment, **options: Any) -> Result:
            return CliRunner(env=_environment).invoke(main, list(map(str, words)), **options)

        found.append(Office(who, home, run))
    found[0]("keys", "identity", "init")
    found[0]("keys", "identity", "publish")
    return found


@pytest.fixture
def hit(offices: list[Office], client: FlaskClient) -> str:
    """Alder was shown Birch's claim, and gives enough to ask for its detail."""
    alder, birch = offices
    for who, ref, name, record_class in (
        (birch, "B-1", "ann", "claim"),
        (alder, "A-0", "zoe", "suspected"),
        (alder, "A-1", "ann", "claim"),
    ):
        body = filing(ref, subject(name), record_class=record_class)
        assert client.post("/v1/filings", json=body, headers=who.member.headers).status_code == 201
    return str(json.loads(alder("hits", "--json"))["id"])


def request(alder: Office, hit: str) -> str:
    """The id of a request for the circumstances and the statements."""
    words = ("--purpose", "investigation", "--legal-power", "legal_claims", "--reference", "C-7", "--no-third-party")
    items = ("--item", "circumstances", "--item", "statements")
    why = ("--asked", "Who drove?", "--minimum", "Nothing less tells it.")
    return alder("disclosure", "request", hit, *words, *items, *why).split()[0]


def test_the_answer_goes_from_one_machine_to_the_other(
    offices: list[Office], hit: str, services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    """Asked, listed, answered in part, opened into a private file; the pool never held a byte of it in clear."""
    (alder, birch), file = offices, offices[1].home / "answer.json"
    made = request(alder, hit)
    assert f"{made}  from Alder, due 2026-03-09 (5 working days)" in birch("disclosure", "inbox")
    assert "Who drove?" in birch("disclosure", "show", made)
    file.write_text(json.dumps({"circumstances": SECRET}))
    part = ("--withheld", "not_held", "--reason", "We heard nobody.")
    assert "--fingerprint" in birch.refused("disclosure", "answer", made, file, *part)
    wrong = ("--fingerprint", "0" * 32)
    assert "not the same" in birch.refused("disclosure", "answer", made, file, *wrong, *part)
    told = birch("disclosure", "answer", made, file, "--fingerprint", alder.fingerprint, *part)
    check = re.search(r"check +([0-9a-f ]+)", told)
    assert check
    with services.database.reading() as connection:
        carried = connection.execute(select(DISCLOSURES.c.sealed)).scalar_one()
        kept = b"".join(b"".join(lines(connection, each)) for each in tables())
    assert carried.startswith(b"age-encryption.org/v1")
    assert SECRET.encode() not in carried + kept + caplog.text.encode()
    opened = alder.home / "opened.json"
    assert "not the same" in alder.refused("disclosure", "open", made, opened, "--check", "0" * 32)
    alder("disclosure", "open", made, opened, "--check", check[1])
    assert json.loads(opened.read_text()) == {"circumstances": SECRET}
    assert opened.stat().st_mode & 0o077 == 0
    assert "to Birch, approved in part" in alder("disclosure", "sent")
    assert "nothing to open" in alder.refused("disclosure", "open", made, alder.home / "again.json")
    assert birch("disclosure", "inbox") == ""
    assert "fewer than 3" in alder("disclosure", "times")
    assert "100%" in birch("disclosure", "times")


def test_an_answer_of_another_request_is_not_taken(offices: list[Office], hit: str, services: Services) -> None:
    """Whoever runs the pool seals one of its own, or swaps two: refused by what is sealed, and nothing is stored."""
    (alder, birch), file = offices, offices[1].home / "answer.json"
    made = request(alder, hit)
    file.write_text(json.dumps({"circumstances": SECRET, "statements": "none"}))
    birch("disclosure", "answer", made, file, "--fingerprint", alder.fingerprint)
    recipient = agreement.load(alder.home / "frankpledge/identity.key").recipient
    for forged in (
        disclosure.seal("drq_other", {"circumstances": "x", "statements": "y"}, recipient),
        disclosure.seal(made, {"circumstances": "x"}, recipient),
    ):
        with services.database.writing() as connection:
            connection.execute(update(DISCLOSURES).values(sealed=forged))
        assert "no answer to this request" in alder.refused("disclosure", "open", made, alder.home / "x.json")
    assert not (alder.home / "x.json").exists()


def test_a_key_in_the_place_of_the_askers_is_noticed(offices: list[Office], hit: str, services: Services) -> None:
    """Whoever runs the pool puts a key of its own under the name of who asks: nothing is sealed to it."""
    (alder, birch), file = offices, offices[1].home / "answer.json"
    made = request(alder, hit)
    file.write_text(json.dumps({"circumstances": "x", "statements": "y"}))
    from pyrage import x25519

    with services.database.writing() as connection:
        connection.execute(update(RECIPIENTS).values(recipient=str(x25519.Identity.generate().to_public())))
    said = birch.refused("disclosure", "answer", made, file, "--fingerprint", alder.fingerprint)
    assert "not the same" in said
    file.write_text(json.dumps({"shoe_size": "x"}))
    assert "not asked for" in birch.refused("disclosure", "answer", made, file)
    file.write_text("[]")
    assert "JSON object" in birch.refused("disclosure", "answer", made, file)


def test_refused_escalated_and_what_the_operator_sees(
    offices: list[Office], hit: str, services: Services, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operator's command has counts and what is overdue, by members and days; no word of what was asked."""
    alder, birch = offices
    made = request(alder, hit)
    assert "not overdue" in alder.refused("disclosure", "escalate", made, "--reason", "No answer came.")
    clock.advance(timedelta(days=8))
    assert "overdue since 2026-03-09 (-1 working days)" in birch("disclosure", "inbox", "--overdue")
    alder("disclosure", "escalate", made, "--reason", "No answer came.")
    monkeypatch.setenv("FRANKPLEDGE_DATABASE_URL", services.settings.database_url)
    monkeypatch.setattr("repository.cli.exchange.now", clock)
    command = ["--data-dir", str(services.settings.data_dir), "exchange"]
    shown = [CliRunner().invoke(admin, [*command, *more, "--json"]).stdout for more in (["overdue"], ["show"])]
    (late,), counted = map(json.loads, shown)
    assert (late["requester"], late["contributor"], late["due_on"]) == ("Alder", "Birch", "2026-03-09")
    assert (late["working_days_over"], late["escalated_on"]) == (1, "2026-03-10")
    assert counted["requests"] | {"open": 1, "overdue": 1, "escalated": 1, "sealed": 0} == counted["requests"]
    assert [(each["name"], each["overdue"]) for each in counted["response_times"]["items"]] == [("Birch", 1)]
    for text in ("Who drove?", "C-7", "B-1", "No answer came.", hit, "circumstances"):
        assert text not in "".join(shown)
    for more in (["overdue"], ["show"]):
        assert "Birch" in CliRunner().invoke(admin, [*command, *more]).stdout
    birch("disclosure", "refuse", made, "--withheld", "not_held", "--reason", "We hold none of it.")
    assert "We hold none of it." in alder("disclosure", "show", made)
    again = request(alder, hit)
    assert "withdrawn" in alder("disclosure", "withdraw", again)
