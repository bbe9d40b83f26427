"""The kit sends a large file in pieces through a connection that is cut again and again; it lands whole, once."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from frankpledge import uploading
from frankpledge.client import Pool
from frankpledge.credentials import Credentials
from frankpledge.results import Upload
from frankpledge.session import Retry
from frankpledge.submission import follow, send
from repository.services import Services
from repository.storage.filings import FILINGS
from tests.support.columns import content
from tests.support.encodings import filing, subject
from tests.support.serving import served

ROWS = 600
CUTS = 4


def rows() -> list[dict[str, Any]]:
    """Filings that make some hundreds of kilobytes."""
    return [filing(f"P-{number}", subject(number, only=range(8))) for number in range(ROWS)]


class Cutting:
    """A relay to the service that cuts the first connections after some bytes of an upload went through."""

    def __init__(self, port: int, cuts: int) -> None:
        self._target = port
        self.left = cuts
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._draw = random.Random(1)  # noqa: S311 - where it cuts is drawn
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                for one, two, cutting in ((client, server, True), (server, client, False)):
                    threading.Thread(target=self._pass, args=(one, two, cutting), daemon=True).start()

    def _pass(self, one: socket.socket, two: socket.socket, cutting: bool) -> None:
        room = self._draw.randrange(60_000, 400_000)
        with suppress(OSError), closing(one), closing(two):
            while part := one.recv(1 << 14):
                room -= len(part)
                if cutting and room < 0 and self.left > 0:
                    self.left -= 1
                    for each in (one, two):
                        each.shutdown(socket.SHUT_RDWR)
                    return
                two.sendall(part)

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()


@contextmanager
def cutting(port: int) -> Iterator[Cutting]:
    """A relay to a port."""
    with closing(Cutting(port, CUTS)) as relay:
        yield relay


def test_an_upload_goes_on_after_each_cut(
    environment: dict[str, str],
    services: Services,
    credential: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Cut in the middle of pieces: each begins where the service says, and every row is there once."""
    monkeypatch.setattr(uploading, "LARGE_BYTES", 1000)
    monkeypatch.setattr(uploading, "PIECE_BYTES", 200_000)
    path = tmp_path / "out.parquet"
    path.write_bytes(content("parquet", rows(), at_once=50))
    known = Credentials(credential["client_id"], credential["client_secret"])
    with served(environment, tmp_path / "log", credential) as direct, cutting(direct.base_url.port or 0) as relay:
        retry = Retry(base=0.05, cap=0.2)
        with Pool(f"http://127.0.0.1:{relay.port}", known, retry=retry) as pool:
            (sent,) = send(pool, path, run="r1", dry_run=False)
            done = follow(pool, sent.batch, lambda _: None)
        assert relay.left < CUTS
        assert (done.status, done.rows["created"]) == ("done", ROWS)
        assert len(direct.get("/v1/batches").json()["items"]) == 1
    with services.database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(FILINGS)).scalar_one() == ROWS
    assert list((services.settings.data_dir / "spool").glob("*.sealed")) == []


def test_the_command_goes_on_where_it_was_killed(
    environment: dict[str, str], credential: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service dies after some pieces; the next run of the same file sends only what is missing."""
    monkeypatch.setattr(uploading, "LARGE_BYTES", 1000)
    monkeypatch.setattr(uploading, "PIECE_BYTES", 100_000)
    path = tmp_path / "out.arrow"
    path.write_bytes(content("arrow", rows()))
    known = Credentials(credential["client_id"], credential["client_secret"])
    sent: list[int] = []
    piece = Pool.upload_piece

    def counting(pool: Pool, upload: Upload, content: bytes) -> Upload:
        if len(sent) == 3:
            raise KeyboardInterrupt
        sent.append(len(content))
        return piece(pool, upload, content)

    with served(environment, tmp_path / "log", credential) as direct, monkeypatch.context() as patch:
        patch.setattr(Pool, "upload_piece", counting)
        with Pool(str(direct.base_url), known) as pool, pytest.raises(KeyboardInterrupt):
            list(send(pool, path, run="r1", dry_run=False))
    with served(environment, tmp_path / "log", credential) as direct:
        assert direct.get("/v1/batches").json()["items"] == []
        offsets: list[int] = []

        def noting(pool: Pool, upload: Upload, content: bytes) -> Upload:
            offsets.append(upload.offset)
            return piece(pool, upload, content)

        with monkeypatch.context() as patch, Pool(str(direct.base_url), known) as pool:
            patch.setattr(Pool, "upload_piece", noting)
            (again,) = send(pool, path, run="r1", dry_run=False)
            done = follow(pool, again.batch, lambda _: None)
        assert offsets[0] == sum(sent) == 300_000
        assert (done.status, done.rows["created"]) == ("done", ROWS)
