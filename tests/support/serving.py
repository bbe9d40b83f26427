"""The service as processes: set up, serving with a client that is logged in, or working."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.support.processes import Command

PATIENCE = 120.0


def environment_of(directory: Path, database_url: str, **more: str) -> dict[str, str]:
    """The environment of a pool in a directory that is set up now, over a database whose tables are there."""
    made = dict(os.environ) | {
        "FRANKPLEDGE_DATA_DIR": str(directory / "pool"),
        "FRANKPLEDGE_DATABASE_URL": database_url,
        "FRANKPLEDGE_OPERATOR_PASSWORD": "p" * 16,
    }
    ran(made | more, directory / "init.log", "init")
    return made | more


def ran(environment: Mapping[str, str], log: Path, *arguments: str, code: int = 0) -> str:
    """What a command of the operator says, which ends with a code."""
    assert Command(arguments, environment, log).ended() == code, log.read_text()
    return log.read_text()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(environment: Mapping[str, str], log: Path, *options: str) -> Iterator[tuple[str, Command]]:
    """Where the service is, once it is ready, and its process; killed with -9 at the end where it runs still."""
    port = free_port()
    process = Command(["serve", "--port", str(port), *options], environment, log)
    base = f"http://127.0.0.1:{port}"
    try:
        with httpx.Client(base_url=base, trust_env=False, timeout=60) as client:
            wait_for(lambda: answers(client))
        yield base, process
    finally:
        process.kill()


@contextmanager
def served(environment: Mapping[str, str], log: Path, credential: Mapping[str, str]) -> Iterator[httpx.Client]:
    """The service in processes of its own, and a client that is logged in; killed with -9 at the end."""
    with (
        serving(environment, log) as (base, _),
        httpx.Client(base_url=base, trust_env=False, timeout=60) as client,
    ):
        tokens: dict[str, Any] = client.post("/v1/auth/token", json=dict(credential)).json()
        client.headers["Authorization"] = f"Bearer {tokens['access_token']}"
        yield client


@contextmanager
def working(environment: Mapping[str, str], log: Path, constants: Mapping[str, Any] | None = None) -> Iterator[Command]:
    """A worker process, killed at the end."""
    process = Command(["worker", "run"], environment, log, constants)
    try:
        yield process
    finally:
        process.kill()


def answers(client: httpx.Client) -> bool:
    """Whether the service is ready."""
    try:
        return client.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False


def wait_for(true: Callable[[], bool]) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.02)
