"""`frankpledge-admin serve` as processes: it answers, stops when asked, and leaves nothing behind when killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import httpx
import pytest

from tests.support.serving import free_port, ran, serving

ADMIN = [sys.executable, "-m", "repository.cli"]
PATIENCE = 60.0


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment of a pool that was set up."""
    made = os.environ | {"FRANKPLEDGE_DATA_DIR": str(tmp_path / "pool"), "FRANKPLEDGE_OPERATOR_PASSWORD": "p" * 16}
    made.pop("FRANKPLEDGE_DATABASE_URL", None)
    ran(made, tmp_path / "init.log", "init")
    return made


@pytest.fixture
def port() -> int:
    """A port that nobody listens on."""
    return free_port()


@contextmanager
def _served(environment: dict[str, str], port: int, log: Path, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        command = [*ADMIN, "serve", "--port", str(port), *options]
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    try:
        _until(lambda: _ready(port) is not None, process)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(PATIENCE)


def _ready(port: int) -> dict[str, Any] | None:
    try:
        with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=10) as answer:
            body: dict[str, Any] = json.load(answer)
    except (OSError, HTTPException):
        return None
    return body


def _until(true: Any, process: subprocess.Popen[bytes] | None = None) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "it took too long"
        assert process is None or process.poll() is None, "the service ended"
        time.sleep(0.05)


def test_it_answers_with_its_worker_and_stops_when_asked(
    environment: dict[str, str], port: int, tmp_path: Path
) -> None:
    """Ready with the worker alive; SIGTERM ends it with exit code 0, and a second start on a taken port is refused."""
    with _served(environment, port, tmp_path / "log") as process:
        found = _ready(port)
        assert found is not None
        assert found == {
            "status": "ready",
            "checks": dict.fromkeys(("database", "tables", "operator_secret", "linkage_schema", "worker"), True),
        }
        assert "cannot be used" in ran(environment, tmp_path / "second", "serve", "--port", str(port), code=1)
        status = ran(environment, tmp_path / "status", "worker", "status")
        assert "running" in status
        assert "not running" not in status
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    assert b"Traceback" not in (tmp_path / "log").read_bytes()
    left = [path.name for path in Path(environment["FRANKPLEDGE_DATA_DIR"]).glob("frankpledge.db-*")]
    assert not left, "a write-ahead log tells the order of filings, and none is left after a stop"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="ending with the parent is asked of Linux")
def test_killed_it_leaves_nothing_behind(environment: dict[str, str], port: int, tmp_path: Path) -> None:
    """After kill -9 nothing listens and nothing works on: the next start is ready on the same port."""
    with _served(environment, port, tmp_path / "first") as process:
        process.kill()
        process.wait(PATIENCE)
        _until(lambda: _ready(port) is None)
    with _served(environment, port, tmp_path / "second"):
        found = _ready(port)
        assert found is not None
        assert found["checks"]["worker"] is True


def test_bodies_without_a_length_are_read(environment: dict[str, str], tmp_path: Path) -> None:
    """A chunked body reaches the application, and one over the limit is a 413 and no cut-off text."""

    def chunks(content: bytes) -> Iterator[bytes]:
        for start in range(0, len(content), 65536):
            yield content[start : start + 65536]

    headers = {"Content-Type": "application/json"}
    with serving(environment, tmp_path / "log", "--no-worker") as (base, _):
        address = f"{base}/v1/auth/token"
        body = b'{"grant_type": "password", "username": "operator", "password": "pppppppppppppppp"}'
        assert httpx.post(address, content=chunks(body), headers=headers, trust_env=False).status_code == 200
        large = b'"' + b"x" * (3 << 19) + b'"'
        assert httpx.post(address, content=chunks(large), headers=headers, trust_env=False).status_code == 413
        assert "worker" not in httpx.get(f"{base}/readyz", trust_env=False).json()["checks"]
