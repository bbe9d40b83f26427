"""`frankpledge status`, `frankpledge hits`, `frankpledge login` and `logout`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import keyring
import orjson
import pytest

from frankpledge.credentials import PersonCredentials, find
from tests.unit.frankpledge.cli.conftest import Run
from tests.unit.frankpledge.fakes import CREDENTIALS, KEY, STANDING, FakePool, encoded_line
from tests.unit.frankpledge.test_credentials import MemoryKeyring


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryKeyring]:
    """A keyring in memory, and no credentials in the environment."""
    monkeypatch.delenv("FRANKPLEDGE_CLIENT_ID")
    monkeypatch.delenv("FRANKPLEDGE_CLIENT_SECRET")
    before = keyring.get_keyring()
    memory = MemoryKeyring()
    keyring.set_keyring(memory)
    yield memory
    keyring.set_keyring(before)


def test_status_shows_scheme_key_standing_and_batches(run: Run, home: Path) -> None:
    """Everything that one looks for first when something is odd."""
    path = home / "out.ndjson"
    path.write_bytes(encoded_line("P-1"))
    run("submit", path)
    shown = run("status")
    assert shown.exit_code == 0, shown.output
    for word in (
        "Test pool at https://pool.example",
        f"{KEY.fingerprint} is the pool's",
        "Birch Insurance, active",
        "customer 1,200",
        "customer 3, claim 2",
        "home (R2): No filing was accepted. File home customers.",
        "bat_1",
        "queued",
    ):
        assert word in shown.stdout


def test_a_profile_of_another_schema_is_told(run: Run, fake: FakePool) -> None:
    """Which the pool's is, and where to set it; the key is the same under each."""
    assert "schema " not in run("status").stdout
    fake.schema = "broad/1"
    shown = run("status").stdout
    assert 'schema   broad/1; the profile\'s is guarded/1: set schema = "broad/1" in the profile' in shown
    assert f"{KEY.fingerprint} is the pool's" in shown


def test_status_works_for_credentials_that_only_screen(run: Run, fake: FakePool) -> None:
    """The pool does not show them batches, and the rest is shown all the same."""
    run("status")
    fake.refuse_batches = True
    shown = run("status")
    assert shown.exit_code == 0, shown.output
    assert "Birch Insurance" in shown.stdout


def test_a_membership_that_stands_against_it_is_explained(run: Run, fake: FakePool) -> None:
    """A suspended member reads why, and what helps."""
    fake.standing = {"membership": {"status": "suspended", "allowed": False, "detail": "Late.", "remedy": "File."}}
    assert "suspended\n         Late. File." in run("status").stdout


def test_status_says_when_the_key_does_not_fit(run: Run, home: Path, fake: FakePool) -> None:
    """Another key, or none, is told and is no failure."""
    fake.fingerprints = ["0" * 16]
    assert "is NOT the pool's" in run("status").stdout
    (home / "linkage.key").unlink()
    shown = run("status")
    assert shown.exit_code == 0
    assert "There is no file" in shown.stdout


def test_status_as_json(run: Run) -> None:
    """Machines get the pool's own words."""
    document = orjson.loads(run("status", "--json", "--batches", 0).stdout)
    assert document == {"scheme": "Test pool", "standing": STANDING, "batches": []}


def test_hits_are_listed_and_shown(run: Run) -> None:
    """A list with dashes for what the tier hides; one hit with its explanation."""
    listed = run("hits", "--band", "strong").stdout
    assert "hit_1" in listed
    assert "hit_0" in listed
    assert "Why" not in listed
    assert "suspected (1 in all), under a year" in listed
    assert "Alder Insurance: motor, 2026-01-05, claimant" in listed
    assert "a record (tier 1 shows no more)" in listed
    assert "held by 4 other members" in listed
    assert "victim (fewer than 3), 0-6m, amber_strict, to be protected" in " ".join(listed.split())
    assert "held by fewer than 3 other members" in listed
    assert "Why hit_1" in run("hits", "hit_1").stdout
    assert [orjson.loads(line)["id"] for line in run("hits", "--json", "--limit", 1).stdout.splitlines()] == ["hit_1"]


def test_an_unknown_hit_is_explained(run: Run) -> None:
    """Ids of others are not there."""
    shown = run("hits", "hit_9")
    assert shown.exit_code == 2
    assert "ids of other members cannot be looked at" in shown.stderr


def test_login_tries_then_remembers_and_logout_forgets(run: Run, ring: MemoryKeyring) -> None:
    """The secret is asked for, not given as an argument, and is stored only when it works."""
    refused = run("login", stdin=f"{CREDENTIALS.client_id}\nwrong\n")
    assert refused.exit_code == 2
    assert ring.entries == {}
    shown = run("login", stdin=f"{CREDENTIALS.client_id}\n{CREDENTIALS.client_secret}\n")
    assert shown.exit_code == 0, shown.output
    assert CREDENTIALS.client_secret not in shown.output
    assert run("hits").exit_code == 0
    assert "no longer has" in run("logout").stdout
    assert "had no" in run("logout").stdout
    assert "frankpledge login" in run("hits").stderr


def test_a_person_logs_in_by_name(run: Run, ring: MemoryKeyring) -> None:
    """What an investigator does is done in their own name; a password keeps the spaces that its owner gave it."""
    refused = run("login", "--person", stdin=f"ann\n{CREDENTIALS.client_secret} \n")
    assert refused.exit_code == 2
    shown = run("login", "--person", stdin=f"ann\n{CREDENTIALS.client_secret}\n")
    assert shown.exit_code == 0, shown.output
    assert find("https://pool.example", {}) == PersonCredentials("ann", CREDENTIALS.client_secret)
    assert run("hits").exit_code == 0
