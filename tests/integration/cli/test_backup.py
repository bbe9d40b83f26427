"""Back-ups: what was taken from one store is restored into another, is the same there, and answers as before."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskClient
from sqlalchemy import text, update

from app import create_app
from repository.cli import main
from repository.jobs.worker import IntakeWorker
from repository.services import Services, backup, restoring
from repository.services.archive import BackupError
from repository.services.operator import WrongSecretError
from repository.settings import Settings, read_operator_secret, write_private_file
from repository.storage import dump
from repository.storage.engine import Database, create_engine
from repository.storage.filings import FILINGS
from tests.support.clock import FakeClock
from tests.support.encodings import filing, ndjson, question, subject
from tests.support.exchange import waiting
from tests.support.members import Admissions, TestMember
from tests.support.processes import PATIENCE, Command
from tests.support.stores import PostgresStores


@pytest.fixture
def asker(client: FlaskClient, services: Services, member: Admissions) -> TestMember:
    """Who asks about Ann, in a pool with filings of two members, a hit, a screening, a model and a batch that waits."""
    alpha, beta = member("Alpha"), member("Beta")
    client.post("/v1/filings", json=filing("A-1", subject("ann"), record_class="claim"), headers=alpha.headers)
    _upload(client, beta, "k-1", [filing("B-1", subject("ann"), record_class="claim"), {"reference": 1}])
    IntakeWorker(services).run_pending()
    assert client.post("/v1/screenings", json=question("ann"), headers=beta.headers).get_json()["answer"] == "enquire"
    _upload(client, alpha, "k-2", [filing("A-2", subject("bob"))])
    waiting(services, beta.id)
    (case,) = client.get("/v1/cases", headers=beta.headers).get_json()["items"]
    noted = client.post(f"/v1/cases/{case['id']}/notes", json={"text": "Called."}, headers=beta.headers)
    assert noted.status_code == 201
    services.settings.model_file.write_text("{}")
    return beta


def _upload(client: FlaskClient, member: TestMember, key: str, rows: list[dict[str, Any]]) -> None:
    headers = member.headers | {"Content-Type": "application/x-ndjson", "Idempotency-Key": key}
    assert client.post("/v1/batches", data=ndjson(rows), headers=headers).status_code == 202


@contextmanager
def _target(kind: str, services: Services, tmp_path: Path, stores: PostgresStores) -> Iterator[Settings]:
    """Settings of an empty installation with the same secrets: SQLite without a file, PostgreSQL without tables."""
    settings = Settings.under(tmp_path / "restored")
    settings.data_dir.mkdir(mode=0o700)
    write_private_file(settings.operator_secret_file, services.settings.operator_secret_file.read_bytes())
    shutil.copytree(services.settings.signing_keys_dir, settings.signing_keys_dir)
    if kind == "sqlite":
        yield settings
        return
    with stores.fresh(tmp_path) as url:
        with _opened(replace(settings, database_url=url)) as database, database.writing() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        yield replace(settings, database_url=url)


@contextmanager
def _opened(settings: Settings) -> Iterator[Database]:
    database = Database(create_engine(settings.database_url))
    try:
        yield database
    finally:
        database.close()


@pytest.mark.parametrize("into", ["sqlite", "postgresql"])
def test_a_backup_restores_into_either_store_and_is_the_same(
    *,
    into: str,
    services: Services,
    client: FlaskClient,
    asker: TestMember,
    clock: FakeClock,
    tmp_path: Path,
    postgresql_stores: PostgresStores,
) -> None:
    """Every table has the same digest, the batch that waited is taken in, and the same question finds the same hit."""
    path, manifest = backup.take(services.settings, services.database, tmp_path / "taken.zip", clock())
    assert path.stat().st_mode & 0o077 == 0
    assert backup.verified(path) == manifest
    assert manifest.store == services.database.engine.dialect.name
    assert manifest.tables["filings"].rows == 2
    written = ("disclosure_requests", "cases", "case_hits", "case_moves", "case_notes")
    assert all(manifest.tables[name].rows for name in written)
    before = client.post("/v1/screenings", json=question("ann"), headers=asker.headers).get_json()
    (case,) = client.get("/v1/cases", headers=asker.headers).get_json()["items"]
    with _target(into, services, tmp_path, postgresql_stores) as settings:
        restoring.restore(settings, path)
        with _opened(settings) as database:
            assert backup.differences(manifest, database) == []
        (settings.data_dir / "model.json").unlink()  # a stand-in, only to be taken along
        restored = create_app(settings, clock)
        again: Services = restored.extensions["frankpledge"]
        after = restored.test_client().post("/v1/screenings", json=question("ann"), headers=asker.headers).get_json()
        assert [hit["contributor"] for hit in after["hits"]] == ["Alpha"]
        assert [hit["weight"] for hit in after["hits"]] == [hit["weight"] for hit in before["hits"]]
        (request,) = restored.test_client().get("/v1/disclosures?side=sent", headers=asker.headers).get_json()["items"]
        assert request["asked"] == "how much"
        whole = restored.test_client().get(f"/v1/cases/{case['id']}", headers=asker.headers).get_json()
        assert [note["text"] for note in whole["notes"]] == ["Called."]
        assert IntakeWorker(again).run_pending() == 1
        with again.database.reading() as connection:
            assert b"".join(dump.lines(connection, FILINGS)).count(b"\n") == 3
        again.database.close()


def test_no_secret_is_in_a_backup(services: Services, asker: TestMember, clock: FakeClock, tmp_path: Path) -> None:
    """Neither operator secret nor signing keys, under any form; batches that wait and the model are in it."""
    path, _ = backup.take(services.settings, services.database, tmp_path / "taken.zip", clock())
    with zipfile.ZipFile(path) as archive:
        content = b"".join(archive.read(name) for name in archive.namelist())
        names = archive.namelist()
    secret = read_operator_secret(services.settings.operator_secret_file)
    assert secret not in content
    assert secret.hex().encode() not in content
    assert b"PRIVATE KEY" not in content
    assert "files/model.json" in names
    assert sum(name.endswith(".sealed") for name in names) == 1
    assert [name for name in names if "signing" in name or "secret" in name] == []
    assert list(services.settings.data_dir.glob(".backup-*")) == []


def _left(services: Services, directory: Path) -> list[str]:
    held = services.settings.data_dir.glob(".backup-*")
    return sorted(each.name for each in (*held, *directory.glob(".frankpledge-*")))


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGKILL])
def test_a_backup_that_is_ended_leaves_nothing_for_long(
    by: signal.Signals, services: Services, asker: TestMember, clock: FakeClock, tmp_path: Path
) -> None:
    """Told to end it cleans up; where it is killed the next one does, and removes nothing of one that goes on."""
    directory = tmp_path / "backups"
    directory.mkdir()
    environment = dict(os.environ) | {"FRANKPLEDGE_DATABASE_URL": services.settings.database_url}
    words = ["--data-dir", str(services.settings.data_dir), "backup", str(directory)]
    with services.database.writing() as connection:
        connection.execute(text("LOCK TABLE webhooks IN ACCESS EXCLUSIVE MODE"))  # the last table: it waits there
        running = Command(words, environment, tmp_path / "log")
        deadline = time.monotonic() + PATIENCE
        while len(_left(services, directory)) < 2:
            assert time.monotonic() < deadline, (tmp_path / "log").read_text()
            time.sleep(0.01)
        mine = _left(services, directory)
        with backup._holding(services.settings):
            assert set(mine) < set(_left(services, directory))
        assert _left(services, directory) == mine
        running.signal(by)
        assert running.ended() == (-by if by == signal.SIGKILL else 128 + by)
    assert _left(services, directory) == (mine if by == signal.SIGKILL else [])
    backup.take(services.settings, services.database, directory, clock())
    assert _left(services, directory) == []


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_no_older_backup_is_given_up_for_one_that_is_not_whole(
    services: Services, asker: TestMember, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new one is verified before the oldest are removed."""
    older = tmp_path / "frankpledge-20200101T000000Z.zip"
    older.write_bytes(b"")
    taken = backup.take

    def cut_short(*arguments: Any) -> Any:
        path, manifest = taken(*arguments)
        path.write_bytes(path.read_bytes()[:-100])
        return path, manifest

    monkeypatch.setattr(backup, "take", cut_short)
    done = _run(services.settings, "backup", str(tmp_path), "--keep", "1")
    assert (done.exit_code, "cut short" in done.output, older.exists()) == (1, True, True)


def test_a_change_of_one_value_is_found(
    services: Services, asker: TestMember, clock: FakeClock, tmp_path: Path
) -> None:
    """Compared against the database, the table that differs is named, and no value of it."""
    path, manifest = backup.take(services.settings, services.database, tmp_path / "taken.zip", clock())
    assert backup.differences(manifest, services.database) == []
    with services.database.writing() as connection:
        connection.execute(update(FILINGS).where(FILINGS.c.reference == "A-1").values(reference="A-9"))
    (difference,) = backup.differences(manifest, services.database)
    assert difference.startswith("filings: 2 rows")
    assert "A-9" not in difference
    assert path.exists()


def test_a_backup_is_of_one_instant(services: Services, asker: TestMember, clock: FakeClock, tmp_path: Path) -> None:
    """What is committed while a backup is under way is in none of its tables, however late they are read."""
    with services.database.snapshot() as connection:
        first = b"".join(dump.lines(connection, FILINGS))
        with services.database.writing() as other:
            other.execute(update(FILINGS).values(reference="Z"))
        assert b"".join(dump.lines(connection, FILINGS)) == first


def _rewritten(path: Path, to: Path, change: dict[str, bytes | None]) -> Path:
    """A copy with entries replaced, or left out."""
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(to, "w") as target:
        for name in source.namelist():
            content = change.get(name, source.read(name))
            if content is not None:
                target.writestr(name, content)
    return to


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_what_is_damaged_or_does_not_fit_is_refused(
    services: Services, asker: TestMember, clock: FakeClock, tmp_path: Path
) -> None:
    """A changed, missing or added entry, a file cut short, another schema: each is named, and nothing is made."""
    path, manifest = backup.take(services.settings, services.database, tmp_path / "taken.zip", clock())
    settings = Settings.under(tmp_path / "restored")
    other = manifest.as_json() | {"schema": "0001"}
    fewer = manifest.as_json() | {"tables": {k: v for k, v in manifest.as_json()["tables"].items() if k != "hits"}}
    cases: list[tuple[dict[str, bytes | None], str]] = [
        ({"tables/filings.ndjson": b""}, r"tables/filings\.ndjson is not what the manifest says"),
        ({"tables/filings.ndjson": None}, r"tables/filings\.ndjson is damaged or missing"),
        ({"manifest.json": None}, "no manifest"),
        ({"manifest.json": b"{}"}, "manifest"),
        ({"manifest.json": json.dumps(other).encode()}, "revision 0001"),
        ({"manifest.json": json.dumps(fewer).encode()}, "not in the manifest"),
        ({"manifest.json": json.dumps(fewer).encode(), "tables/hits.ndjson": None}, "does not fit the tables"),
    ]
    for number, (change, said) in enumerate(cases):
        with pytest.raises(BackupError, match=said):
            restoring.restore(settings, _rewritten(path, tmp_path / f"{number}.zip", change))
    cut = tmp_path / "cut.zip"
    cut.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(BackupError, match="cut short"):
        restoring.restore(settings, cut)
    assert not (settings.data_dir / "frankpledge.db").exists()


def test_a_target_that_is_not_empty_or_has_another_secret_is_left_alone(
    services: Services, asker: TestMember, clock: FakeClock, tmp_path: Path, postgresql_stores: PostgresStores
) -> None:
    """Restoring over a pool, and under another operator secret, is refused: no row and no file is left."""
    path, _ = backup.take(services.settings, services.database, tmp_path / "taken.zip", clock())
    services.settings.data_dir.chmod(0o700)
    with pytest.raises(BackupError, match="already"):
        restoring.restore(services.settings, path)
    with _target("sqlite", services, tmp_path, postgresql_stores) as settings:
        aside = replace(settings, database_url=services.settings.database_url)
        with pytest.raises(BackupError, match="not empty"):
            restoring.restore(aside, path)
        settings.operator_secret_file.write_text("ab" * 32)
        with pytest.raises(WrongSecretError):
            restoring.restore(settings, path)
        assert not (settings.data_dir / "model.json").exists()
        assert list((settings.data_dir / "spool").glob("*")) == []
        with _opened(settings) as database, database.reading() as connection:
            assert [each.name for each in dump.tables() if dump.count_any(connection, each)] == []


def test_every_column_can_be_written(services: Services) -> None:
    """No table has a column of a type that a line could not hold without loss."""
    for table in dump.tables():
        assert list(dump.rows(table, [])) == []


def _run(settings: Settings, *words: str) -> Result:
    environment = {"FRANKPLEDGE_DATABASE_URL": settings.database_url}
    return CliRunner().invoke(main, ["--data-dir", str(settings.data_dir), *words], env=environment)


def test_the_commands(
    services: Services, asker: TestMember, clock: FakeClock, tmp_path: Path, postgresql_stores: PostgresStores
) -> None:
    """Into a directory under a name with the time, verified, restored and compared; the oldest make room."""
    directory = tmp_path / "backups"
    directory.mkdir()
    older = directory / "frankpledge-20200101T000000Z.zip"
    older.write_bytes(b"")
    taken = _run(services.settings, "backup", str(directory), "--keep", "1", "--json")
    assert taken.exit_code == 0, taken.output
    path = json.loads(taken.output)["file"]
    assert not older.exists()
    assert _run(services.settings, "verify", path, "--against-database").exit_code == 0
    with services.database.writing() as connection:
        connection.execute(update(FILINGS).values(reference="Z"))
    told = _run(services.settings, "verify", path, "--against-database")
    assert (told.exit_code, "filings" in told.output) == (1, True)
    with _target("sqlite", services, tmp_path, postgresql_stores) as settings:
        done = _run(settings, "restore", path)
        assert done.exit_code == 0, done.output
        assert _run(settings, "verify", path, "--against-database").exit_code == 0
        refused = _run(settings, "restore", path)
        assert (refused.exit_code, "already" in refused.output) == (1, True)
