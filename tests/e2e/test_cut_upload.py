"""An upload that is cut off in flight leaves nothing behind, over real sockets; sent again whole, it is taken in."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import httpx

from repository.services import Services
from tests.support.encodings import filing, ndjson
from tests.support.serving import served, wait_for

HEADERS = {"Content-Type": "application/x-ndjson", "Idempotency-Key": "the-batch"}
CONTENT = ndjson([filing(f"P-{number}") for number in range(40)])


def send_half(client: httpx.Client, *, listen: bool) -> bytes:
    """Announce the whole content, send half of it and close our side, or all; what the service answers."""
    sent = HEADERS | {"Host": client.base_url.host, "Authorization": client.headers["Authorization"]}
    lines = ["POST /v1/batches HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items())]
    head = "\r\n".join([*lines, f"Content-Length: {len(CONTENT)}", "", ""]).encode("ascii")
    with socket.create_connection((client.base_url.host, client.base_url.port or 80), timeout=30) as connection:
        connection.sendall(head + CONTENT[: len(CONTENT) // 2])
        if not listen:
            return b""
        connection.shutdown(socket.SHUT_WR)
        return connection.recv(1 << 16)


def test_an_upload_cut_off_is_no_batch_and_may_be_sent_again(
    environment: dict[str, str], services: Services, credential: dict[str, str], tmp_path: Path
) -> None:
    """Half of the announced bytes make no batch and stay nowhere; the same key with the whole body is taken in."""
    with served(environment, tmp_path / "log", credential) as client:
        assert send_half(client, listen=False) == b""
        assert send_half(client, listen=True).startswith(b"HTTP/1.1 400")
        wait_for(lambda: (tmp_path / "log").read_bytes().count(b'"status":400') == 2)
        assert list((services.settings.data_dir / "spool").glob("*.sealed")) == []
        assert client.get("/v1/batches").json()["items"] == []
        received = client.post("/v1/batches", content=CONTENT, headers=HEADERS)
        assert received.status_code == 202
        address = received.headers["Location"]
        wait_for(lambda: client.get(address).json()["finished_at"] is not None)
        done = client.get(address).json()
        assert (done["status"], done["rows"]["created"], done["rows"]["rejected"]) == ("done", 40, 0)


def test_an_upload_without_a_length_is_refused(
    environment: dict[str, str], credential: dict[str, str], tmp_path: Path
) -> None:
    """In chunks it cannot be told from one that was cut off: 411, and no batch."""

    def chunks() -> Iterator[bytes]:
        yield CONTENT

    with served(environment, tmp_path / "log", credential) as client:
        # The service may close a connection whose body it did not read: the next request must not go through it.
        answer = client.post("/v1/batches", content=chunks(), headers=HEADERS | {"Connection": "close"})
        assert answer.status_code == 411
        assert answer.json()["type"].endswith("length-required")
        assert client.get("/v1/batches").json()["items"] == []
