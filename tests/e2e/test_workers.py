"""`serve --workers N` as processes: what one of them did holds in all, and a stop cuts nothing off."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from repository.services import Services
from repository.services.rulebook_file import default_text
from repository.storage.batches import BATCHES
from tests.support.encodings import filing, ndjson, subject
from tests.support.serving import PATIENCE, answers, environment_of, free_port, ran, serving, wait_for

COMMAND = str(Path(sys.executable).with_name("frankpledge-admin"))
WORKERS = 2
MANY = 24
"""So many new connections that all of them ending at one process of two is out of the question."""


@pytest.fixture
def environment(database_url: str, tmp_path: Path) -> dict[str, str]:
    """The environment of a pool that was set up, on either store."""
    return environment_of(tmp_path, database_url)


@contextmanager
def counted(environment: dict[str, str], log: Path, *options: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The service as it is started from a shell, which its way of counting wants; killed where it runs still."""
    port = free_port()
    with log.open("ab") as output:
        process = subprocess.Popen(
            [COMMAND, "serve", "--port", str(port), *options],
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    base = f"http://127.0.0.1:{port}"
    try:
        with httpx.Client(base_url=base, trust_env=False, timeout=60) as client:
            wait_for(lambda: answers(client))
        yield base, process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(PATIENCE)


def each(method: str, address: str, times: int = MANY, **options: Any) -> list[httpx.Response]:
    """The same request over new connections."""
    with httpx.Client(trust_env=False, timeout=60, limits=httpx.Limits(max_keepalive_connections=0)) as client:
        return [client.request(method, address, **options) for _ in range(times)]


def bearer(base: str, credential: dict[str, str]) -> dict[str, str]:
    """Headers of a new log-in."""
    (answer,) = each("POST", f"{base}/v1/auth/token", 1, json=credential)
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def children(process: subprocess.Popen[bytes]) -> list[int]:
    """The serving processes."""
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(process.pid)], check=False, capture_output=True)
    return [int(line) for line in listed.stdout.split()]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are told apart by ps of Linux")
def test_what_one_process_did_holds_in_all(
    environment: dict[str, str], credential: dict[str, str], tmp_path: Path
) -> None:
    """Revocation, a rulebook, the pause after failed log-ins and the counters; and one that is killed is replaced."""
    together = environment | {"FRANKPLEDGE_METRICS_DIR": str(tmp_path / "metrics")}
    with counted(together, tmp_path / "log", "--workers", str(WORKERS)) as (base, process):
        headers = bearer(base, credential)
        assert {answer.status_code for answer in each("GET", f"{base}/v1/standing", headers=headers)} == {200}
        counting = {int(path.stem.rpartition("_")[2]) for path in (tmp_path / "metrics").glob("histogram_*.db")}
        assert set(children(process)) <= counting, "each process answered"

        assert each("POST", f"{base}/v1/auth/revoke", 1, headers=headers)[0].status_code == 204
        assert {answer.status_code for answer in each("GET", f"{base}/v1/standing", headers=headers)} == {401}

        _load_rulebook(environment, tmp_path)
        time.sleep(2.5)  # each process looks again after two seconds
        assert {answer.json()["version"] for answer in each("GET", f"{base}/v1/rulebook")} == {"of-the-test"}

        wrong = credential | {"client_secret": "x" * 43}
        statuses = [answer.status_code for answer in each("POST", f"{base}/v1/auth/token", 12, json=wrong)]
        assert statuses == [401] * 5 + [429] * 7

        token = (tmp_path / "pool" / "metrics.token").read_text().strip()
        read = each("GET", f"{base}/metrics", 4, headers={"Authorization": f"Bearer {token}"})
        line = 'frankpledge_request_seconds_count{method="GET",route="/v1/standing",status="200"}'
        assert {text for answer in read for text in answer.text.splitlines() if text.startswith(line)} == {
            f"{line} {float(MANY)}"
        }

        before = children(process)
        os.kill(before[0], signal.SIGKILL)
        wait_for(lambda: len(children(process)) == WORKERS and before[0] not in children(process))
        wait_for(lambda: {answer.status_code for answer in each("GET", f"{base}/readyz")} == {200})
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    assert b"Traceback" not in (tmp_path / "log").read_bytes()


def _load_rulebook(environment: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "rulebook.toml"
    lines = [
        'version = "of-the-test"' if line.startswith("version = ") else line for line in default_text().splitlines()
    ]
    path.write_text("\n".join(lines) + "\n")
    today = datetime.now(UTC).date().isoformat()
    ran(environment, tmp_path / "load.log", "rulebook", "load", str(path), "--effective", today)


def _slow_body(started: threading.Event, go_on: threading.Event, content: bytes) -> Iterator[bytes]:
    yield content[: len(content) // 2]
    started.set()
    assert go_on.wait(PATIENCE)
    time.sleep(0.5)
    yield content[len(content) // 2 :]


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
@pytest.mark.parametrize("workers", [1, 2])
def test_a_request_under_way_is_answered_before_the_end(
    environment: dict[str, str], credential: dict[str, str], tmp_path: Path, workers: int
) -> None:
    """SIGTERM in mid upload: the rest is read, the answer is 202, the process ends with 0, and the batch is there."""
    answered: list[httpx.Response] = []
    started, go_on = threading.Event(), threading.Event()
    content = ndjson([filing(f"P-{number}", subject(number, only=range(8))) for number in range(50)])
    with serving(environment, tmp_path / "log", "--workers", str(workers), "--no-worker") as (base, process):
        headers = bearer(base, credential) | {"Content-Type": "application/x-ndjson", "Idempotency-Key": "k"}
        headers["Content-Length"] = str(len(content))
        body = _slow_body(started, go_on, content)
        address = f"{base}/v1/batches"
        asking = threading.Thread(
            target=lambda: answered.append(
                httpx.post(address, content=body, headers=headers, trust_env=False, timeout=60)
            )
        )
        asking.start()
        assert started.wait(PATIENCE)
        time.sleep(0.5)
        process.signal(signal.SIGTERM)
        go_on.set()
        begun = time.monotonic()
        assert process.ended() == 0
        assert time.monotonic() - begun < 15 + 5
        asking.join(PATIENCE)
    assert [answer.status_code for answer in answered] == [202]


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_who_never_sends_the_rest_does_not_hold_up_the_end(
    environment: dict[str, str], credential: dict[str, str], tmp_path: Path
) -> None:
    """After the time given the process ends all the same, with 0."""
    with serving(environment, tmp_path / "log", "--no-worker", "--stop-within", "2") as (base, process):
        host, port = base.removeprefix("http://").split(":")
        token = bearer(base, credential)["Authorization"]
        head = f"POST /v1/batches HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\nIdempotency-Key: k\r\n"
        head += "Content-Type: application/x-ndjson\r\nContent-Length: 1000\r\n\r\n{"
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(head.encode())
            time.sleep(0.5)
            begun = time.monotonic()
            process.signal(signal.SIGTERM)
            assert process.ended() == 0
            assert time.monotonic() - begun < 8


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_batch_stops_after_its_chunk_and_goes_on_at_the_next_start(
    environment: dict[str, str], credential: dict[str, str], services: Services, tmp_path: Path
) -> None:
    """Told to stop in mid batch, the worker says where it left it; no chunk was dropped, and the next start ends it."""
    rows = 3000
    content = ndjson([filing(f"P-{number}", subject(number, only=range(4))) for number in range(rows)])

    def read() -> tuple[int, str]:
        with services.database.reading() as connection:
            done, status = connection.execute(select(BATCHES.c.rows_read, BATCHES.c.status)).one()
        return int(done), str(status)

    with serving(environment, tmp_path / "log") as (base, process):
        headers = bearer(base, credential) | {"Content-Type": "application/x-ndjson", "Idempotency-Key": "k"}
        assert each("POST", f"{base}/v1/batches", 1, content=content, headers=headers)[0].status_code == 202
        wait_for(lambda: read()[0] > 0)
        process.signal(signal.SIGTERM)
        assert process.ended() == 0
    assert b'"event":"batch left"' in (tmp_path / "log").read_bytes().replace(b'": "', b'":"')
    assert 0 < read()[0] < rows
    with serving(environment, tmp_path / "log"):
        wait_for(lambda: read() == (rows, "done"))
