"""A filled pool behind the real server, asked over HTTP by clients that keep their connections."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass

import orjson

from benchmarks.pool import LINE, Filled
from frankpledge.questions import Asking, Question
from matching.types import EncodedSubject

_PATIENCE = 60.0
_JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Served:
    """A server at work: its process, and what its clients send with each question."""

    process: int
    port: int
    headers: dict[str, str]

    def ask(self, bodies: Sequence[bytes], clients: int = 1) -> list[float]:
        """Ask each question once, so many at a time: how long each took in milliseconds, in the order of the answers.

        The bodies are made before, so that it is the service that is timed. Raises RuntimeError for a refusal.
        """
        waiting = iter(bodies)
        spent: list[float] = []
        failed: list[int] = []
        lock = threading.Lock()

        def client() -> None:
            with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE)) as connection:
                while True:
                    with lock:
                        body = None if failed else next(waiting, None)
                    if body is None:
                        return
                    started = time.perf_counter()
                    connection.request("POST", "/v1/screenings", body, self.headers)
                    answer = connection.getresponse()
                    answer.read()
                    spent.append((time.perf_counter() - started) * 1000)
                    if answer.status != 200:
                        failed.append(answer.status)

        threads = [threading.Thread(target=client) for _ in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failed or len(spent) != len(bodies):
            raise RuntimeError(f"a screening was answered with {failed or 'nothing'}")
        return spent


def body_of(filled: Filled, reference: str, subject: EncodedSubject) -> bytes:
    """What is sent to ask about a subject under a reference."""
    asking = Asking(filled.services.schema.id, filled.fingerprint, "new_business", LINE)
    return orjson.dumps(asking.document() | Question(reference, subject).document())


@contextmanager
def served(filled: Filled, *, worker: bool = False) -> Iterator[Served]:
    """The server of a pool, as long as the context lasts. Raises RuntimeError when it does not get ready."""
    settings = filled.services.settings
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "repository.cli", "serve", "--port", str(port)]
    environment = os.environ | {
        "FRANKPLEDGE_DATA_DIR": str(settings.data_dir),
        "FRANKPLEDGE_DATABASE_URL": settings.database_url,
        "FRANKPLEDGE_SCHEMA": settings.schema,
    }
    if not worker:
        command.append("--no-worker")
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        yield Served(process.pid, port, _JSON | {"Authorization": f"Bearer {_log_in(port, filled)}"})
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(_PATIENCE)


def _log_in(port: int, filled: Filled) -> str:
    deadline = time.monotonic() + _PATIENCE
    while _sent(port, "GET", "/readyz", b"")[0] != 200:
        if time.monotonic() > deadline:
            raise RuntimeError("the server did not get ready")
        time.sleep(0.05)
    asker = filled.asker
    said = {"grant_type": "client_credentials", "client_id": asker.actor.id, "client_secret": asker.secret}
    status, answer = _sent(port, "POST", "/v1/auth/token", orjson.dumps(said))
    if status != 200:
        raise RuntimeError(f"the log-in was answered with {status}")
    return str(orjson.loads(answer)["access_token"])


def _sent(port: int, method: str, path: str, body: bytes) -> tuple[int, bytes]:
    """Status and body of an answer; status 0 where nobody listens yet."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)) as connection:
        try:
            connection.request(method, path, body, _JSON)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except OSError:
            return 0, b""
