"""What kills the service while members send: its web process, its worker and its database, at drawn points."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
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
}
"""Small chunks make many points to die at; and little time goes by in waiting."""
_WRITING = "SELECT count(*) FROM pg_stat_activity WHERE backend_xid IS NOT NULL AND datname = %s"
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
        content = request.method in ("POST", "PATCH")
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

    def kill(self) -> None:
        """Kill every process of it, and start it again."""
        self._server.kill()
        self._server = self._server.again()

    def stop(self) -> None:
        """Stop it, and remove its files."""
        self._server.stop()


class Service:
    """The web process and the worker of a pool, and its database; what died is started again."""

    def __init__(self, environment: Mapping[str, str], database: Database, name: str, log: Path) -> None:
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
                self._commands[name] = Command(arguments, self._environment, self._log, CONSTANTS)

    def kill(self, victim: str) -> None:
        """Kill one of the three with -9."""
        if victim == STORE:
            self._database.kill()
            self._connection.close()
            self._connection = self._database.connect(self._name)
        else:
            self._commands[victim].kill()

    def writing(self) -> int:
        """How many transactions are under way that have written."""
        return int(self._one(_WRITING, (self._name,)))

    def rows(self) -> int:
        """How many rows are taken in, refused ones too."""
        return int(self._one("SELECT coalesce(sum(rows_read), 0) FROM batches"))

    def _one(self, statement: str, parameters: tuple[Any, ...] = ()) -> Any:
        row = self._connection.execute(statement, parameters).fetchone()
        assert row is not None
        return row[0]


class Storm:
    """Kills each of `victims` once some more rows were taken in, at a drawn moment; counts those that hit work."""

    def __init__(self, service: Service, wires: list[Watching], victims: Counter[str], draw: random.Random) -> None:
        self._service, self._wires, self._draw = service, wires, draw
        self._victims = list(victims.elements())
        draw.shuffle(self._victims)
        self.hit: Counter[str] = Counter()
        self.killed: Counter[str] = Counter()

    def rage(self, rows: int, senders: list[threading.Thread]) -> None:
        """Kill all of them, spread over the first `rows` rows."""
        points = sorted(self._draw.randrange(rows) for _ in self._victims)
        for point, victim in zip(points, self._victims, strict=True):
            self._wait_for(victim, point, senders)
            busy = self._busy(victim)
            self._service.kill(victim)
            self.killed[victim] += 1
            self.hit[victim] += busy
            self._service.revive()

    def _wait_for(self, victim: str, point: int, senders: list[threading.Thread]) -> None:
        """Until so many rows are in and the victim is at work, and a moment longer."""
        deadline = time.monotonic() + _PATIENCE
        while self._service.rows() < point and any(each.is_alive() for each in senders):
            assert time.monotonic() < deadline, "nothing goes on any more"
            self._service.revive()
            time.sleep(0.005)
        busy_until = time.monotonic() + 0.5
        while time.monotonic() < busy_until and not self._busy(victim):
            time.sleep(0.002)
        time.sleep(self._draw.uniform(0, _MOMENT))

    def _busy(self, victim: str) -> bool:
        """Whether content is being received, or written by a transaction that goes on."""
        return any(wire.sending for wire in self._wires) if victim == WEB else self._service.writing() > 0


@contextmanager
def sending(senders: list[threading.Thread]) -> Iterator[None]:
    """Have members send, and wait for them at the end."""
    for each in senders:
        each.start()
    yield
    for each in senders:
        each.join(_PATIENCE)
        assert not each.is_alive(), "a sender is not done"
