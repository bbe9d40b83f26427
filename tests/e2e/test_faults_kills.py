"""Web, worker and PostgreSQL are killed at work, fifty times, while members send: all is as if nothing had happened."""

from __future__ import annotations

import os
import random
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from app import create_app
from frankpledge import uploading
from frankpledge.client import Pool
from frankpledge.credentials import Credentials
from frankpledge.session import Retry
from frankpledge.submission import follow, send
from repository.api.base import EXTENSION
from repository.jobs.worker import ABANDONED, IntakeWorker
from repository.services import Services
from repository.services.clock import now
from repository.services.compose import compose
from repository.services.onboarding import admit_member, issue_credential
from repository.services.operator import accept_fingerprint
from repository.settings import Settings
from tests.e2e.storm import STORE, WEB, WORKER, Database, Service, Storm, Watching, sending
from tests.support.columns import content
from tests.support.contents import Contents, contents, differences, index_faults
from tests.support.encodings import FINGERPRINT, filing, ndjson, subject
from tests.support.processes import Command

SEED = int(os.environ.get("STORM_SEED", "20240"))
VICTIMS = Counter({WEB: 14, WORKER: 18, STORE: 18})
MEMBERS = ("Alpha", "Beta")
FILES, NEW_ROWS, KNOWN = 6, 110, 150
"""The kills are spread over so many files of each member, who go on sending until the last."""
KEYS = range(8)
KINDS = ("parquet", "ndjson", "arrow")

pytestmark = pytest.mark.no_cover  # the work is done by other processes; and what takes long begins first


def rows_of(member: str, number: int) -> list[dict[str, Any]]:
    """A file: new rows, changed ones of the file before, bad ones, and references that come twice."""
    made = []
    for place in range(NEW_ROWS):
        name = f"{member}-{number}-{place}"
        person = f"known-{place + MEMBERS.index(member)}" if place % 10 == 0 else name
        line = "pet" if place % 12 == 5 else "motor"
        made.append(filing(name, subject(person, only=KEYS), line=line))
    if number:
        again = [f"{member}-{number - 1}-{place}" for place in range(1, NEW_ROWS, 9)]
        made += [filing(name, subject(f"{name}/changed", only=KEYS)) for name in again]
    made += [made[1], made[2], filing(made[3]["ref"], subject("another", only=KEYS))]
    return made


def files_of(member: str, directory: Path) -> Iterator[Path]:
    """The files that a member sends, one after the other, each made when it is wanted."""
    for number in count():
        kind = KINDS[number % len(KINDS)]
        path = directory / f"{member}-{number}.{kind}"
        rows = rows_of(member, number)
        path.write_bytes(ndjson(rows) if kind == "ndjson" else content(kind, rows, at_once=25))
        yield path


def admit(services: Services) -> dict[str, Credentials]:
    """The members, of which one has filed what the others' rows meet; how they log in."""
    today = services.clock()
    made = {}
    with services.database.write() as session:
        accept_fingerprint(session, "guarded/1", FINGERPRINT, now=today)
        for name in (*MEMBERS, "Gamma"):
            member = admit_member(
                session, name, ["motor"], now=today, agreement_signed_on=today.date(), attested_on=today.date()
            )
            issued = issue_credential(session, member.id, ["contributor"], now=today)
            made[name] = Credentials(issued.client_id, issued.client_secret)
    return made


@pytest.fixture
def database() -> Iterator[Database]:
    """A PostgreSQL server of this test's own."""
    made = Database()
    yield made
    made.stop()


def calm_copy(database: Database, settings: Settings, directory: Path) -> Settings:
    """The same pool once more, as it is now: another database, another directory, the same secret."""
    with database.connect("postgres") as connection:
        connection.execute("CREATE DATABASE calm TEMPLATE pool")
    shutil.copytree(settings.data_dir, directory)
    return replace(Settings.under(directory), database_url=database.url("calm"))


def submit(pool: Pool, paths: Iterable[Path], pause: Callable[[float], object]) -> None:
    """Send files one after the other, each when the one before is done; `pause` is what is done between two looks."""
    for path in paths:
        for sent in list(send(pool, path, run="of-the-test", dry_run=False)):
            assert follow(pool, sent.batch, lambda _: None, sleep=pause).status == "done"


def undisturbed(settings: Settings, files: Mapping[Credentials, Sequence[Path]]) -> Contents:
    """What is in the pool after files that one process took in, and nobody disturbed."""
    app = create_app(settings)
    services: Services = app.extensions[EXTENSION]
    worker = IntakeWorker(services)
    for own, paths in files.items():
        with Pool("http://127.0.0.1", own, transport=httpx.WSGITransport(app)) as pool:
            submit(pool, paths, lambda _: worker.run_pending())
    found = contents(services)
    services.database.close()
    return found


@dataclass(frozen=True, slots=True)
class Prepared:
    """A pool in which one member has filed; what the others will send, and a copy of it for comparison."""

    settings: Settings
    calm: Settings
    environment: dict[str, str]
    senders: dict[str, Credentials]


@pytest.fixture
def prepared(database: Database, tmp_path: Path) -> Prepared:
    """The pool before anybody sends."""
    with database.connect("postgres") as connection:
        connection.execute("CREATE DATABASE pool")
    settings = replace(Settings.under(tmp_path / "pool"), database_url=database.url("pool"))
    environment = dict(os.environ) | {
        "FRANKPLEDGE_DATA_DIR": str(settings.data_dir),
        "FRANKPLEDGE_DATABASE_URL": settings.database_url,
        "FRANKPLEDGE_OPERATOR_PASSWORD": "p" * 16,
        "FRANKPLEDGE_DB_CONNECT_SECONDS": "2",
    }
    assert Command(["init"], environment, tmp_path / "init.log").ended() == 0
    services = compose(settings)
    credentials = admit(services)
    services.database.close()
    known = tmp_path / "known.ndjson"
    known.write_bytes(ndjson([filing(f"G-{number}", subject(f"known-{number}", only=KEYS)) for number in range(KNOWN)]))
    undisturbed(settings, {credentials.pop("Gamma"): [known]})
    return Prepared(settings, calm_copy(database, settings, tmp_path / "calm"), environment, credentials)


def sender(own: Credentials, paths: Iterable[Path], port: int, wire: Watching) -> threading.Thread:
    """A member that sends its files, however often it is cut off."""
    retry = Retry(attempts=1000, base=0.02, cap=0.1, sleep=lambda seconds: time.sleep(min(seconds, 0.1)))

    def work() -> None:
        with Pool(f"http://127.0.0.1:{port}", own, retry=retry, transport=wire) as pool:
            submit(pool, paths, lambda _: time.sleep(0.02))

    return threading.Thread(target=work)


def test_fifty_kills_lose_nothing_and_double_nothing(
    database: Database, prepared: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Filings, versions, subjects, index, hits, ledger, refused rows and events are those of an undisturbed run."""
    monkeypatch.setattr(uploading, "LARGE_BYTES", 1000)
    monkeypatch.setattr(uploading, "PIECE_BYTES", 8_000)
    print(f"seed {SEED}")  # noqa: T201 - shown when the test fails
    wires, over = [Watching() for _ in MEMBERS], threading.Event()
    sent: dict[Credentials, list[Path]] = {who: [] for who in prepared.senders.values()}

    def until_over(name: str) -> Iterator[Path]:
        for path in files_of(name, tmp_path):
            if over.is_set():
                return
            sent[prepared.senders[name]].append(path)
            yield path

    with Service(prepared.environment, database, "pool", tmp_path / "log") as service:
        own = zip(prepared.senders.items(), wires, strict=True)
        senders = [sender(who, until_over(name), service.port, wire) for (name, who), wire in own]
        storm = Storm(service, wires, VICTIMS, random.Random(SEED))  # noqa: S311 - when it kills is drawn
        with sending(senders, over):
            storm.rage(sum(len(rows_of(name, number)) for name in MEMBERS for number in range(FILES)))
    services = compose(prepared.settings, lambda: now() + 2 * ABANDONED)
    found, faults = contents(services), index_faults(services)
    IntakeWorker(services).run_pending()  # removes what was cut off on its way in, by then
    services.database.close()
    assert faults == (0, 0)
    assert differences(found, undisturbed(prepared.calm, sent)) == {}
    assert list((prepared.settings.data_dir / "spool").glob("*.sealed")) == []
    print({len(paths) for paths in sent.values()}, "files,", storm.spared, "spared")  # noqa: T201 - as above
    assert storm.killed == VICTIMS  # each at work: it is killed in no other moment
    assert all(len(paths) >= len(KINDS) for paths in sent.values())
