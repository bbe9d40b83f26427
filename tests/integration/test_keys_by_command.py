"""The linkage key from one member to another by the commands, through a real pool that can neither open nor swap it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import select, update

from frankpledge import agreement, keys, protection
from frankpledge.cli import main
from frankpledge.keys import LinkageKey
from repository.services import Services
from repository.services.operator import accept_fingerprint
from repository.storage.agreement import OFFERS, RECIPIENTS
from repository.storage.dump import lines, tables
from repository.storage.events import EVENTS
from tests.support.clock import FakeClock
from tests.support.members import Admissions

PASSPHRASE = "correct horse battery"
Run = Callable[..., Result]


@dataclass(frozen=True)
class Office:
    """A member's machine: its files, and its command."""

    id: str
    home: Path
    run: Run

    def __call__(self, *words: object, **options: Any) -> str:
        """Run `frankpledge keys` with success; what it prints."""
        done = self.run("keys", *words, **options)
        assert done.exit_code == 0, done.output
        return done.stdout

    def refused(self, *words: object) -> str:
        """Run it without; what it says."""
        done = self.run("keys", *words)
        assert done.exit_code == 2, done.output
        return done.stderr


@pytest.fixture
def offices(app: Flask, member: Admissions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Office]:
    """Alder, Birch and Cedar, each with an identity that is published, and Alder with the key."""
    real = httpx.Client
    monkeypatch.setattr(httpx, "Client", lambda **given: real(**given | {"transport": httpx.WSGITransport(app)}))
    monkeypatch.setattr(protection.seal, "__defaults__", (protection.Cost(memory_kib=64, iterations=1, lanes=1),))
    found = {}
    for name in ("Alder", "Birch", "Cedar"):
        who, home = member(name), tmp_path / name
        home.mkdir()
        environment = {
            "XDG_DATA_HOME": str(home),
            "XDG_CONFIG_HOME": str(home),
            "FRANKPLEDGE_SERVER": "http://127.0.0.1",
            "FRANKPLEDGE_KEY_FILE": str(home / "linkage.key"),
            "FRANKPLEDGE_CLIENT_ID": who.client_id,
            "FRANKPLEDGE_CLIENT_SECRET": who.client_secret,
            "FRANKPLEDGE_PASSPHRASE": "",
        }

        def run(*words: object, _environment: dict[str, str] = environment, **options: Any) -> Result:
            return CliRunner(env=_environment).invoke(main, list(map(str, words)), **options)

        found[name] = Office(who.id, home, run)
        found[name]("identity", "init")
        found[name]("identity", "publish")
    found["Alder"]("init")
    return found


@pytest.fixture
def alder(offices: dict[str, Office]) -> Office:
    """Who has the key."""
    return offices["Alder"]


@pytest.fixture
def birch(offices: dict[str, Office]) -> Office:
    """Who is to have it."""
    return offices["Birch"]


@pytest.fixture
def key(alder: Office, services: Services, clock: FakeClock) -> LinkageKey:
    """The members' key, which the pool accepts."""
    made = keys.load(alder.home / "linkage.key")
    with services.database.write() as session:
        accept_fingerprint(session, "guarded/1", made.fingerprint, now=clock(), epoch=1)
    return made


def told(office: Office, what: str = "fingerprint") -> str:
    """What a member reads out on the telephone."""
    shown = re.search(rf"{what} +([0-9a-f ]+)", office("identity", "show"))
    assert shown
    return shown[1]


def offered(alder: Office, birch: Office, *more: str) -> str:
    """The id of the key offered to Birch, once its fingerprint was compared."""
    return alder("offer", "Birch", "--fingerprint", told(birch), *more).split()[0]


def everything(services: Services) -> str:
    """All that the service stores."""
    with services.database.reading() as connection:
        return b"".join(b"".join(lines(connection, each)) for each in tables()).decode()


def test_the_key_goes_from_one_member_to_another(
    alder: Office, birch: Office, key: LinkageKey, services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    """Offered, listed, opened, stored; the pool has had ciphertext only, then nothing, and an event of each step."""
    offer = offered(alder, birch)
    with services.database.reading() as connection:
        sealed = connection.execute(select(OFFERS.c.sealed)).scalar_one()
    assert sealed.startswith(b"age-encryption.org/v1")
    assert "from Alder, open until" in birch("offers")
    shown = birch("accept", offer, "--check", key.check.upper())
    assert keys.load(birch.home / "linkage.key") == key
    assert key.fingerprint in shown
    assert "to Birch, accepted" in alder("offers")
    secrets = [
        keys.dump(key).decode(),
        key.secret.hex(),
        agreement.load(birch.home / "frankpledge/identity.key").secret,
    ]
    kept = everything(services) + caplog.text
    assert not any(each in kept for each in secrets)
    with services.database.reading() as connection:
        kinds = list(connection.scalars(select(EVENTS.c.kind).where(EVENTS.c.subject_id == offer)))
        assert connection.execute(select(OFFERS.c.sealed)).scalar_one() is None
    assert sorted(kinds) == ["key.accepted", "key.offered"]


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_nothing_is_sealed_before_the_fingerprint_was_compared(
    alder: Office, birch: Office, key: LinkageKey, services: Services
) -> None:
    """Not without it, not with half of it, not with another; compared once it is known."""
    assert "--fingerprint" in alder.refused("offer", "Birch")
    assert "not all of it" in alder.refused("offer", "Birch", "--fingerprint", told(birch)[:19])
    assert "not the same" in alder.refused("offer", "Birch", "--fingerprint", "0" * 32)
    assert alder("offers") == ""
    offered(alder, birch)
    alder("offer", "Birch")
    assert len(alder("offers").splitlines()) == 1, "the same key again takes the place of the first"


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_public_key_that_was_swapped_is_noticed(
    alder: Office, birch: Office, offices: dict[str, Office], key: LinkageKey, services: Services
) -> None:
    """Whoever runs the pool puts another key under a member's name, or a known key under another name: refused."""
    offered(alder, birch)
    cedar = agreement.load(offices["Cedar"].home / "frankpledge/identity.key").recipient
    mine = update(RECIPIENTS).where(RECIPIENTS.c.member_id == birch.id)
    with services.database.writing() as connection:
        connection.execute(mine.values(recipient=cedar))
    assert "CHANGED" in alder("recipients")
    assert "known with another public key" in alder.refused("offer", "Birch")
    assert "not the same" in alder.refused("offer", "Birch", "--fingerprint", told(birch))
    assert len(alder("offers").splitlines()) == 1


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_key_of_the_operators_own_is_not_taken(
    alder: Office, birch: Office, key: LinkageKey, services: Services, clock: FakeClock
) -> None:
    """A key that was swapped under way is refused: by its check, also where the pool accepts it; nothing is stored."""
    offer = offered(alder, birch)
    forged = LinkageKey(bytes(32))
    recipient = agreement.load(birch.home / "frankpledge/identity.key").recipient
    swapped = {"sealed": agreement.seal(forged, recipient)}
    with services.database.writing() as connection:
        connection.execute(update(OFFERS).values(swapped))
    assert "not the one that the offer names" in birch.refused("accept", offer, "--check", key.check)
    with services.database.writing() as connection:
        connection.execute(update(OFFERS).values(fingerprint=forged.fingerprint))
    assert "does not accept the key" in birch.refused("accept", offer, "--check", key.check)
    with services.database.write() as session:
        accept_fingerprint(session, "guarded/1", forged.fingerprint, now=clock())
    assert "not the same" in birch.refused("accept", offer, "--check", key.check)
    assert "--check" in birch.refused("accept", offer)
    assert not (birch.home / "linkage.key").exists()


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_key_file_is_never_overwritten_and_is_protected_if_asked(
    alder: Office, birch: Office, key: LinkageKey, tmp_path: Path
) -> None:
    """A second key goes into another file; with a passphrase it is sealed under it. An identity may be, too."""
    words = tmp_path / "words"
    words.touch(0o600)
    words.write_text(PASSPHRASE)
    offer = offered(alder, birch)
    (birch.home / "linkage.key").touch(0o600)
    assert "exists already" in birch.refused("accept", offer, "--check", key.check)
    new = birch.home / "new.key"
    birch("accept", offer, "--check", key.check, "--key-file", new, "--passphrase-file", words)
    assert keys.load(new, PASSPHRASE) == key
    assert "nothing to open" in birch.refused("accept", offer, "--check", key.check, "--key-file", tmp_path / "x")
    other = tmp_path / "identity"
    birch("identity", "init", "--identity", other, "--identity-passphrase-file", words)
    assert b"AGE-SECRET" not in other.read_bytes()
    assert "protected by a passphrase" in birch.refused("identity", "show", "--identity", other)
    birch("identity", "show", "--identity", other, "--identity-passphrase-file", words)


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_what_another_member_was_offered_is_not_there(
    alder: Office, birch: Office, offices: dict[str, Office], key: LinkageKey
) -> None:
    """A third member neither lists, opens, accepts nor withdraws it; either of the two withdraws."""
    offer, cedar = offered(alder, birch), offices["Cedar"]
    assert cedar("offers") == ""
    assert "ids of other members" in cedar.refused("accept", offer, "--check", key.check)
    cedar.refused("withdraw", offer)
    assert "nothing to open" in alder.refused("accept", offer, "--key-file", alder.home / "x", "--check", key.check)
    birch("withdraw", offer)
    assert alder("offers") == ""


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_leaver_is_followed_by_another_epoch(
    offices: dict[str, Office], key: LinkageKey, services: Services, clock: FakeClock
) -> None:
    """One command makes the next key and offers it to who stays and is known; the leaver gets none."""
    alder, birch, cedar = offices.values()
    offer = offered(alder, birch)
    birch("accept", offer, "--check", key.check)
    new = alder.home / "second.key"
    shown = alder("rotate", new, "--without", "Cedar")
    second = keys.load(new)
    assert (second.epoch, second.check in shown) == (2, True)
    assert f"fingerprint add {second.fingerprint} --epoch 2 --replaces {key.fingerprint}" in shown
    assert cedar("offers") == ""
    with services.database.write() as session:
        accept_fingerprint(session, "guarded/1", second.fingerprint, now=clock(), epoch=2)
    (newest,) = [line.split()[0] for line in birch("offers").splitlines() if second.fingerprint in line]
    birch("accept", newest, "--check", second.check, "--key-file", birch.home / "second.key")
    assert keys.load(birch.home / "second.key") == second
    assert keys.load(birch.home / "linkage.key") == key
    assert {key.fingerprint, second.fingerprint} <= set(birch("progress").split())
    assert f"offer {cedar.id}" in alder("rotate", alder.home / "third.key", "--key-file", new)


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_what_is_typed_is_what_was_told(
    alder: Office, birch: Office, key: LinkageKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a terminal the fingerprint is asked for: a yes to what is shown would be said without looking."""
    seen: list[str] = []

    def prompt(text: str, **_: Any) -> str:
        seen.append(text)
        return told(birch)

    terminal = SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("frankpledge.cli.agreement.sys", terminal)
    monkeypatch.setattr("frankpledge.cli.agreement.click.prompt", prompt)
    alder("offer", "Birch")
    assert seen == ["The fingerprint that Birch told you"]
    assert told(birch) not in seen[0]
