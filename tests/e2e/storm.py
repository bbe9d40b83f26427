"""What kills the service while members send: its web process, its worker and its database, at drawn points."""

from __future__ import annotations

import random
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
import psycopg

from tests.support import postgres
from tests.support.processes import Command

WEB, WORKER, STORE = "web", "worker", "store"
CONSTANTS: Mapping[str, Any] = {
    "repository.jobs.intake.CHUNK_LINES": 20,
    "repository.jobs.worker.POLL_SECONDS": 0.02,
    "repository.jobs.worker.FIRST_PAUSE": timedelta(seconds=0.1),
    "repository.jobs.worker.LONGEST_PAUSE": timedelta(seconds=0.5),
    "repository.jobs.worker.MAX_ATTEMPTS": 100,
}
"""Small chunks make many points to die at; little time goes by in waiting, however often a batch is struck."""
_WRITING = (
    "SELECT pid FROM pg_stat_activity WHERE backend_xid IS NOT NULL AND datname = %s AND application_name = ANY(%s)"
)
_CONTENT = ("/v1/batches", "/v1/uploads")
_PATIENCE = 120.0
_MOMENT = 0.015
"""Seconds: about what a piece or a chunk takes."""


class Watching(httpx.BaseTransport):
    """What the kit sends through; it knows whether content is on its way."""

    def __init__(self) -> None:
        self._inner = httpx.HTTPTransport(trust_env=False)
        self._lock = threading.Lock()
        self.sending = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on."""
        content = request.method in ("POST", "PATCH") and request.url.path.startswith(_CONTENT)
        with self._lock:
            self.sending += content
        try:
            return self._inner.handle_request(request)
        finally:
            with self._lock:
                self.sending -= content

    def close(self) -> None:
        """Close all connections."""
        self._inner.close()


class Database:
    """A PostgreSQL server that may be killed: what was committed is there when it is started again."""

    def __init__(self) -> None:
        self._server = postgres.start(postgres.DURABLE)

    def url(self, name: str) -> str:
        """A SQLAlchemy URL for one of its databases."""
        return self._server.url(name)

    def connect(self, name: str) -> psycopg.Connection[Any]:
        """A connection to one of its databases, each statement its own transaction."""
        server = self._server
        return psycopg.connect(f"host={server.base} user={server.user} dbname={name}", autocommit=True)

    def kill(self, first: Iterable[int]) -> None:
        """Kill every process of it, some first, and start it again."""
        self._server.kill(first)
        self._server = self._server.again()

    def stop(self) -> None:
        """Stop it, and remove its files."""
        self._server.stop()


class Service:
    """The web process and the worker of a pool, and its database; what died is started again."""

    def __init__(self, environment: dict[str, str], database: Database, name: str, log: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._environment, self._log, self._name = environment, log, name
        self._database = database
        self._commands: dict[str, Command] = {}
        self._connection = database.connect(name)

    def __enter__(self) -> Service:
        self.revive()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()
        for each in self._commands.values():
            each.kill()

    def revive(self) -> None:
        """Start what does not run, as an init system would."""
        asked = {WEB: ["serve", "--port", str(self.port), "--no-worker"], WORKER: ["worker", "run"]}
        for name, arguments in asked.items():
            if name not in self._commands or not self._commands[name].running:
                named = self._environment | {"PGAPPNAME": name}
                self._commands[name] = Command(arguments, named, self._log, CONSTANTS)

    def kill_at_work(self, victim: str, receiving: Callable[[], bool]) -> bool:
        """Kill one of the three with -9 if it is at work; who might end the work stands still while that is looked at.

        The web process is at work while content is on its way to it, the worker while a transaction of its has written,
        the database while anyone's has.
        """
        stopped = [self._commands[each] for each in (WEB, WORKER) if victim in (each, STORE)]
        for each in stopped:
            each.signal_all(signal.SIGSTOP)
        writing = self.writing(victim)
        at_work = receiving() if victim == WEB else bool(writing)
        if at_work and victim == STORE:
            self._database.kill(writing)
        elif at_work:
            self._commands[victim].kill()
        for each in stopped:
            each.signal_all(signal.SIGCONT)
        if at_work and victim == STORE:
            self._connection.close()
            self._connection = self._database.connect(self._name)
        return at_work

    def writing(self, victim: str) -> list[int]:
        """The processes of the database that are in transactions which have written, for one of the two or for both."""
        names = [WEB, WORKER] if victim == STORE else [victim]
        return [row[0] for row in self._connection.execute(_WRITING, (self._name, names))]

    def has_read(self, rows: int) -> bool:
        """Whether so many rows are taken in, refused ones too."""
        row = self._connection.execute("SELECT coalesce(sum(rows_read), 0) FROM batches").fetchone()
        assert row is not None
        return int(row[0]) >= rows


class Storm:
    """Kills each of `victims` once some more rows were taken in, at a drawn moment of its work."""

    def __init__(self, service: Service, wires: list[Watching], victims: Counter[str], draw: random.Random) -> None:
        self._service, self._wires, self._draw = service, wires, draw
        self._victims = list(victims.elements())
        draw.shuffle(self._victims)
        self.killed: Counter[str] = Counter()
        self.spared = 0

    def rage(self, rows: int) -> None:
        """Kill all of them, spread over the first `rows` rows."""
        points = sorted(self._draw.randrange(rows) for _ in self._victims)
        for point, victim in zip(points, self._victims, strict=True):
            self._wait_for(partial(self._service.has_read, point), 0.005)
            self._strike(victim)
            self.killed[victim] += 1
            self._service.revive()

    def _strike(self, victim: str) -> None:
        """Kill at a drawn moment after work began; where the work was done by then, draw again."""
        while True:
            self._wait_for(lambda: self._receiving() if victim == WEB else bool(self._service.writing(victim)), 0.001)
            time.sleep(self._draw.uniform(0, _MOMENT))
            if self._service.kill_at_work(victim, self._receiving):
                return
            self.spared += 1

    def _wait_for(self, come: Callable[[], bool], pause: float) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not come():
            assert time.monotonic() < deadline, "nothing goes on any more"
            self._service.revive()
            time.sleep(pause)

    def _receiving(self) -> bool:
        """Whether content is being received."""
        return any(wire.sending for wire in self._wires)


@contextmanager
def sending(senders: list[threading.Thread], over: threading.Event) -> Iterator[None]:
    """Have members send until it is `over`, and wait for them."""
    for each in senders:
        each.start()
    try:
        yield
    finally:
        over.set()
        for each in senders:
            each.join(_PATIENCE)
    assert not any(each.is_alive() for each in senders), "a sender is not done"
