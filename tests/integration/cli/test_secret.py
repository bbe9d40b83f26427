"""`frankpledge-admin secret`: another operator secret under everything, without the members' help."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import select

from app import create_app
from matching.wire import subject_to_json
from repository.api.base import EXTENSION
from repository.cli import main
from repository.jobs.worker import IntakeWorker
from repository.services import Services, backup, compose, rotation
from repository.services.archive import BackupError
from repository.services.operator import WrongSecretError, check_value
from repository.services.rotation import RotationError, Secrets
from repository.settings import Settings, read_operator_secret
from repository.storage import rotation as stored
from repository.storage.dialect.fencing import SecretChangedError, SecretInUseError
from repository.storage.engine import Database, create_engine
from repository.storage.events import EVENTS
from repository.storage.index import HOT_KEYS, KEY_INDEX
from repository.storage.operator import OPERATOR_CHECK, fact
from repository.storage.sealing import Sealer, SealError
from repository.storage.webhooks import WEBHOOKS
from tests.integration.pool.conftest import Desk
from tests.support.clock import FakeClock
from tests.support.contents import contents, differences, index_faults
from tests.support.encodings import FINGERPRINT, SCHEMA, claim, filing, ndjson, question, subject
from tests.support.exchange import waiting
from tests.support.members import Admissions
from tests.support.proofs import colleague

WEBHOOK = {"url": "https://receiver.example/pool", "kinds": ["batch.finished"]}
ASKED = {"kind": "access", "reference": "D-1", "identity_reference": "ID-1", "received_on": "2026-03-02"}
Admin = Callable[..., Result]


@dataclass
class World:
    """A pool with something of everything, closed; how it is opened again, and its members."""

    settings: Settings
    clock: FakeClock
    desks: dict[str, Desk]
    filed: list[tuple[str, dict[str, Any]]]
    hits: dict[str, list[dict[str, Any]]]
    upload: str

    def open(self) -> Services:
        """The service, started anew; the members work with it."""
        app: Flask = create_app(self.settings, self.clock)
        services: Services = app.extensions[EXTENSION]
        for desk in self.desks.values():
            desk.client, desk.services = app.test_client(), services
        return services

    def database(self) -> Database:
        """The database for the operator's commands."""
        return Database(create_engine(self.settings.database_url))


@pytest.fixture
def world(services: Services, member: Admissions, clock: FakeClock) -> World:
    """Filings of each kind and state, hits, a screening, a webhook, a request; a batch and a piece of one that wait."""
    client = member._client
    desks = {name: Desk(client, services, member(name, lines=("motor", "home"))) for name in ("Alpha", "Beta")}
    alpha, beta = desks.values()
    filed = [
        ("Alpha", filing("A-1", subject("ann"))),
        (
            "Alpha",
            filing(
                "A-2",
                subject("bob", role="driver"),
                subject("car", kind="vehicle", role="insured_vehicle"),
                record_class="claim",
            ),
        ),
        ("Alpha", filing("A-3", subject("ann"), labels={"tlp": "amber"}, basis={"policy_end": "2027-01-31"})),
        ("Beta", filing("B-1", subject("ann"))),
        ("Beta", filing("B-2", subject("bob"), line="home")),
        ("Beta", filing("B-3", subject("cat", only=range(3)))),
    ]
    own = [desks[name].file(body)["id"] for name, body in filed]
    beta.client.put(f"/v1/filings/{own[3]}/notice", json={"notice": "Not I."}, headers=beta.member.headers)
    again = filing(
        "A-2",
        subject("bob", role="passenger"),
        subject("car", kind="vehicle", role="insured_vehicle"),
        record_class="claim",
    )
    filed[1] = ("Alpha", again | {"claim": claim(status="closed")})
    alpha.file(filed[1][1])
    assert alpha.screen(question("ann", stands={"as": "quote"}))["answer"] == "enquire"
    alpha.client.post("/v1/webhooks", json=WEBHOOK, headers=alpha.member.headers)
    alpha.upload(ndjson([filing("A-9", subject("dan"))]), "waiting")
    key = beta.member.headers | {"Idempotency-Key": "pieces"}
    upload = beta.client.post("/v1/uploads", json={"length": 4, "sha256": "0" * 64}, headers=key).get_json()
    sent = beta.member.headers | {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
    assert beta.client.patch(f"/v1/uploads/{upload['id']}", data=b"{}", headers=sent).status_code == 200
    hits = {name: _hits(desk) for name, desk in desks.items()}
    assert all(hits.values())
    assert "Not I." in [each.get("notice") for each in hits["Alpha"]]
    waiting(services, alpha.member.id)
    person = {"schema": SCHEMA.id, "fingerprint": FINGERPRINT, "subjects": [subject_to_json(subject("ann"))]}
    entered = alpha.client.post("/v1/subject-requests", json=ASKED | person, headers=alpha.member.headers)
    assert entered.status_code == 201, entered.get_json()
    worked(alpha)
    with services.database.writing() as connection:
        met = {"key": min(connection.scalars(select(KEY_INDEX.c.key))), "records": 99, "found_at": clock()}
        connection.execute(HOT_KEYS.insert().values(met))
    services.database.close()
    return World(services.settings, clock, desks, filed, hits, upload["id"])


def worked(desk: Desk) -> dict[str, Any]:
    """A case of a member with words of every sort: a note, a finding, and why it was opened again; as it is read."""
    case = desk.get("/v1/cases")["items"][0]
    for path, body in (
        ("notes", {"text": "Called the garage."}),
        ("moves", {"move": "claim", "version": 1}),
        ("finding", {"finding": "clear", "version": 2, "evidence": "Two invoices, one car."}),
        ("moves", {"move": "reopen", "version": 3, "reason": "A third invoice."}),
    ):
        done = desk.client.post(f"/v1/cases/{case['id']}/{path}", json=body, headers=desk.member.headers)
        assert done.status_code in (200, 201), done.get_json()
    return words_of(desk)


def words_of(desk: Desk) -> dict[str, Any]:
    """What is written in a member's first case."""
    case = desk.get("/v1/cases?status=open")["items"][0]
    whole = desk.get(f"/v1/cases/{case['id']}")
    return {name: whole[name] for name in ("notes", "findings", "history")}


@pytest.fixture
def admin(world: World, monkeypatch: pytest.MonkeyPatch) -> Admin:
    """Runs a command on that pool."""
    monkeypatch.setenv("FRANKPLEDGE_DATABASE_URL", world.settings.database_url)
    return lambda *words: CliRunner().invoke(main, ["--data-dir", str(world.settings.data_dir), *words])


def _hits(desk: Desk) -> list[dict[str, Any]]:
    """Every hit of a member as it is shown, with its evidence."""
    return [desk.get(f"/v1/hits/{each['id']}") for each in desk.hits()]


def _hot(services: Services) -> list[int]:
    with services.database.reading() as connection:
        return sorted(connection.scalars(select(HOT_KEYS.c.key)))


def check_all_is_there(world: World, old: bytes) -> None:
    """All that was there before works under the new secret, and nothing opens under the old one."""
    services = world.open()
    alpha, beta = world.desks.values()
    assert index_faults(services) == (0, 0)
    assert {name: _hits(desk) for name, desk in world.desks.items()} == world.hits
    for name, body in world.filed:
        assert world.desks[name].file(body, status=200)["result"] == "unchanged", body["ref"]
    assert alpha.screen(question("ann", reference="Q-2"))["answer"] == "enquire"
    assert alpha.get("/v1/webhooks")["items"][0]["url"] == WEBHOOK["url"]
    IntakeWorker(services).run_pending()
    (batch,) = alpha.get("/v1/batches")["items"]
    assert (batch["status"], batch["rows"]["created"]) == ("done", 1)
    again = alpha.upload(ndjson([filing("A-9", subject("dan"))]), "waiting", status=200)
    assert again["id"] == batch["id"]
    assert beta.get(f"/v1/uploads/{world.upload}")["offset"] == 2
    assert alpha.get("/v1/disclosures?side=sent")["items"][0]["asked"] == "how much"
    (asked,) = alpha.get("/v1/subject-requests")["items"]
    second = colleague(alpha.client, services, alpha.member)
    alpha.client.post(f"/v1/subject-requests/{asked['id']}/confirmation", headers=second.headers)
    assert sorted(each["reference"] for each in alpha.get("/v1/subject-parts")["items"]) == ["A-1", "A-3"]
    words = words_of(alpha)
    assert words["notes"][0]["text"] == "Called the garage."
    assert words["findings"][0]["evidence"] == "Two invoices, one car."
    assert "A third invoice." in [each["reason"] for each in words["history"]]
    with services.database.reading() as connection:
        (webhook,) = connection.execute(select(WEBHOOKS)).mappings()
        assert list(connection.scalars(select(EVENTS.c.kind).where(EVENTS.c.kind == "secret.rotated")))
    for name in ("url", "secret"):
        with pytest.raises(SealError):
            Sealer(old).unseal(f"{webhook['id']}/{name}".encode(), webhook[name])
    services.database.close()


def test_a_pool_is_put_under_another_secret(world: World, admin: Admin) -> None:
    """Everything works as before, hot keys and digests too; the old file is kept beside the new one."""
    current = world.settings.operator_secret_file
    old = read_operator_secret(current)
    services = world.open()
    before, hot = contents(services), _hot(services)
    services.database.close()
    assert hot
    done = admin("secret", "rotate", "--json")
    assert done.exit_code == 0, done.output
    new = read_operator_secret(current)
    assert new != old
    assert read_operator_secret(current.with_name(f"operator.secret.{check_value(old)}")) == old
    assert not current.with_name("operator.secret.next").exists()
    report = json.loads(done.stdout)["rows"]
    assert report["index rows checked"]["rows"] == before["keys"].total()
    services = world.open()
    assert set(differences(before, contents(services))) <= {"filings", "keys"}  # digests and re-keyed keys
    assert len(_hot(services)) == len(hot)
    services.database.close()
    assert admin("secret", "verify").exit_code == 0
    check_all_is_there(world, old)


def test_a_rotation_that_is_cut_off_goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut off after any step, or in the middle of one, no service starts; run again it goes on to the same end."""
    for name in ("FILINGS_AT_ONCE", "ROWS_AT_ONCE"):
        monkeypatch.setattr(rotation, name, 2)
    stages = [(table, columns, 2, step) for table, columns, _, step in rotation._STAGES]
    monkeypatch.setattr(rotation, "_STAGES", stages)
    old = read_operator_secret(world.settings.operator_secret_file)
    both, database = Secrets(old, secrets.token_bytes(32)), world.database()
    moved = stored.move_index_rows

    def fail(*_: Any) -> int:
        raise RuntimeError("cut off")

    for cut, steps in enumerate((0, 1, 1, 2, 1, 1, 3, 2)):
        cutting = rotation.rotate(world.settings, database, both, world.clock)
        monkeypatch.setattr("repository.storage.rotation.move_index_rows", fail if cut == 1 else moved)
        try:
            for _ in range(steps):
                next(cutting)
        except RuntimeError:
            assert cut == 1
        cutting.close()
        if steps:
            with pytest.raises((SecretChangedError, AssertionError)):
                _start(world)
    with pytest.raises(WrongSecretError):
        list(rotation.rotate(world.settings, database, replace(both, new=bytes(32)), world.clock))
    assert list(rotation.rotate(world.settings, database, both, world.clock))
    assert list(rotation.rotate(world.settings, database, both, world.clock)) == []
    assert list(rotation.verify(world.settings, database, both.new))
    database.close()
    following = world.settings.operator_secret_file.with_name("operator.secret.next")
    following.touch(0o600)
    following.write_text(both.new.hex())
    rotation.install(world.settings.operator_secret_file, following, old)
    check_all_is_there(world, old)


def _start(world: World) -> None:
    """What `serve` and `worker run` do before they start."""
    services = compose.compose(world.settings, world.clock)
    try:
        with services.database.read() as session:
            assert fact(session, OPERATOR_CHECK) == check_value(
                read_operator_secret(world.settings.operator_secret_file)
            )
    finally:
        services.database.close()


def test_nobody_else_works_under_the_secret_meanwhile(world: World, admin: Admin, tmp_path: Path) -> None:
    """While a service is there nothing begins; while it goes on no service starts, wherever its directory is."""
    services = world.open()
    refused = admin("secret", "rotate")
    assert refused.exit_code == 1
    assert "others work under the operator secret" in refused.output
    services.database.close()
    database = world.database()
    old = read_operator_secret(world.settings.operator_secret_file)
    going = rotation.rotate(world.settings, database, Secrets(old, bytes(31) + b"1"), world.clock)
    next(going)
    with pytest.raises(SecretChangedError):
        compose.compose(world.settings, world.clock)
    if database.engine.dialect.name == "postgresql":
        elsewhere = replace(world.settings, data_dir=tmp_path / "elsewhere")
        with pytest.raises(SecretChangedError):
            _start(replace_settings(world, elsewhere))
    with pytest.raises(BackupError, match="is being changed"):
        backup.take(world.settings, database, tmp_path / "half.zip", world.clock())
    going.close()
    if database.engine.dialect.name == "postgresql":
        with pytest.raises(SecretChangedError):
            _start(replace_settings(world, elsewhere))
    database.close()


def replace_settings(world: World, settings: Settings) -> World:
    """The same pool as another machine has it."""
    return replace(world, settings=settings)


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_a_service_of_another_machine_stands_against_it(world: World, tmp_path: Path) -> None:
    """PostgreSQL's sessions tell of it, whatever directory the other process has."""
    elsewhere = replace_settings(world, replace(world.settings, data_dir=tmp_path / "elsewhere")).open()
    with elsewhere.database.reading() as connection:
        connection.execute(select(1))
    database = world.database()
    old = read_operator_secret(world.settings.operator_secret_file)
    with pytest.raises(SecretInUseError):
        list(rotation.rotate(world.settings, database, Secrets(old, bytes(32)), world.clock))
    elsewhere.database.close()
    database.close()


def test_what_does_not_open_is_told(world: World, admin: Admin) -> None:
    """A changed byte is found by `verify`, and a rotation does not come to its end with it."""
    database = world.database()
    with database.writing() as connection:
        url = connection.execute(select(WEBHOOKS.c.url)).scalar_one()
        connection.execute(WEBHOOKS.update().values(url=url[:-1] + bytes([url[-1] ^ 1])))
    found = admin("secret", "verify")
    assert found.exit_code == 1
    assert "a url does not open under the secret" in found.output
    old = read_operator_secret(world.settings.operator_secret_file)
    with pytest.raises((RotationError, SealError)):
        list(rotation.rotate(world.settings, database, Secrets(old, bytes(32)), world.clock))
    database.close()
