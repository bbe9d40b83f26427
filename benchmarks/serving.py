"""A filled pool behind the real server, asked over HTTP by one client that keeps its connection."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx

from benchmarks.pool import LINE, Filled
from frankpledge.questions import Asking, Question
from matching.schema import DEFAULT_SCHEMA
from matching.types import EncodedSubject

_PATIENCE = 60.0


@contextmanager
def served(filled: Filled, *, worker: bool = False) -> Iterator[tuple[Callable[[str, EncodedSubject], int], int]]:
    """A function that asks about a subject under a reference, and the process id of the server.

    The function returns how many hits were told. Raises RuntimeError when the server does not answer, or refuses.
    """
    settings = filled.services.settings
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "repository.cli", "serve", "--port", str(port)]
    environment = os.environ | {
        "FRANKPLEDGE_DATA_DIR": str(settings.data_dir),
        "FRANKPLEDGE_DATABASE_URL": settings.database_url,
    }
    if not worker:
        command.append("--no-worker")
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client:
            _log_in(client, filled)
            yield lambda reference, subject: _ask(client, filled, reference, subject), process.pid
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(_PATIENCE)


def _log_in(client: httpx.Client, filled: Filled) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not _ready(client):
        if time.monotonic() > deadline:
            raise RuntimeError("the server did not get ready")
        time.sleep(0.05)
    asker = filled.asker
    body = {"grant_type": "client_credentials", "client_id": asker.actor.id, "client_secret": asker.secret}
    answer = client.post("/v1/auth/token", json=body)
    answer.raise_for_status()
    client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"


def _ready(client: httpx.Client) -> bool:
    try:
        return client.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False


def _ask(client: httpx.Client, filled: Filled, reference: str, subject: EncodedSubject) -> int:
    asking = Asking(DEFAULT_SCHEMA, filled.fingerprint, "new_business", LINE)
    answer = client.post("/v1/screenings", json=asking.document() | Question(reference, subject).document())
    if answer.status_code != 200:
        raise RuntimeError(f"a screening was answered with {answer.status_code}")
    return len(answer.json()["hits"])
