"""The service as processes, with a client that is logged in."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

ADMIN = [sys.executable, "-m", "repository.cli"]
PATIENCE = 120.0


@contextmanager
def served(environment: dict[str, str], log: Path, credential: dict[str, str]) -> Iterator[httpx.Client]:
    """The service as processes of their own, and a client that is logged in; killed with -9 at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*ADMIN, "serve", "--port", str(port)],
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60)
    try:
        wait_for(lambda: answers(client))
        tokens = client.post("/v1/auth/token", json=credential).json()
        client.headers["Authorization"] = f"Bearer {tokens['access_token']}"
        yield client
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(PATIENCE)
        client.close()


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
