"""Posting to an address of someone else's choice."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import httpcore
import pytest

from repository.services import posting
from repository.services.posting import PostError, post

OK = b"HTTP/1.1 204 No Content\r\n\r\n"


@contextmanager
def listening(*answers: bytes, pause: float = 0.0) -> Iterator[tuple[int, list[bytes]]]:
    """A server that answers each connection with some bytes, a byte at a time where there is a pause; what it got."""
    got: list[bytes] = []
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def serve() -> None:
            for answer in answers:
                connection, _ = server.accept()
                with connection:
                    got.append(_request(connection))
                    for part in [answer] if not pause else [answer[at : at + 1] for at in range(len(answer))]:
                        try:
                            connection.sendall(part)
                        except OSError:
                            return
                        time.sleep(pause)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1], got


def _request(connection: socket.socket) -> bytes:
    """A whole request, in however many pieces it comes; of what is no HTTP the first."""
    received = connection.recv(65536)
    while received.startswith(b"POST") and not received.endswith(b"\r\n\r\n{}"):
        received += connection.recv(65536)
    return received


def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Have every name stand for these addresses; the names that were asked for."""
    asked: list[str] = []

    def resolve(host: str, port: int, **_: object) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return asked


def test_the_status_is_given() -> None:
    """Body and headers arrive; Host is as in the URL."""
    with listening(OK) as (port, got):
        assert post(f"http://localhost:{port}/in?x=1", {"webhook-id": "w"}, b"{}", loopback=True) == 204
    head, _, body = got[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /in?x=1 HTTP/1.1\r\n")
    assert f"Host: localhost:{port}".encode() in head
    assert b"webhook-id: w" in head
    assert body == b"{}"


def test_redirects_are_not_followed() -> None:
    """The status of the redirect is what was answered."""
    with listening(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n") as (port, got):
        assert post(f"http://127.0.0.1:{port}/", {}, b"{}", loopback=True) == 302
    assert len(got) == 1


@pytest.mark.parametrize(
    "addresses", [("10.0.0.1",), ("127.0.0.1",), ("8.8.8.8", "10.0.0.1"), ("169.254.169.254",), ()]
)
def test_a_name_that_stands_for_a_private_address_is_refused(
    addresses: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where only one of its addresses is: nothing is connected to."""
    resolving(monkeypatch, *addresses)
    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", lambda *_: pytest.fail("connected"))
    with pytest.raises(PostError, match="address-refused"):
        post("https://receiver.example/", {}, b"{}", loopback=False)


def test_the_address_that_was_checked_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name is looked up once: what it stands for afterwards changes nothing."""
    asked = resolving(monkeypatch, "93.184.216.34")
    connected: list[tuple[str, int]] = []

    def connect(_: object, host: str, port: int, *__: object) -> Any:
        connected.append((host, port))
        raise httpcore.ConnectTimeout

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    with pytest.raises(PostError, match="timeout"):
        post("https://receiver.example:8443/", {}, b"{}", loopback=False)
    assert connected == [("93.184.216.34", 8443)]
    assert asked == ["receiver.example"]


def test_plain_http_goes_to_this_machine_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where trials are allowed, too."""
    resolving(monkeypatch, "93.184.216.34")
    with pytest.raises(PostError, match="address-refused"):
        post("http://receiver.example/", {}, b"{}", loopback=True)


def test_one_who_answers_slowly_does_not_hold_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte now and then is within each single wait, and past the deadline for all of it."""
    monkeypatch.setattr(posting, "LONGEST", 0.4)
    begun = time.monotonic()
    with listening(OK, pause=0.1) as (port, _), pytest.raises(PostError, match="timeout"):
        post(f"http://127.0.0.1:{port}/", {}, b"{}", loopback=True)
    assert time.monotonic() - begun < 2


def test_what_else_goes_wrong_has_a_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """No server, no HTTP, no TLS, no name: never a message with what was sent."""
    with closing(socket.create_server(("127.0.0.1", 0))) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(PostError, match="connection"):
        post(f"http://127.0.0.1:{port}/", {}, b"{}", loopback=True)
    with listening(b"220 mail.example ESMTP\r\n\r\n") as (port, _), pytest.raises(PostError, match="connection"):
        post(f"http://127.0.0.1:{port}/", {}, b"{}", loopback=True)
    with listening(b"HTTP/1.1 400 Bad Request\r\n\r\n") as (port, _), pytest.raises(PostError, match="tls"):
        post(f"https://127.0.0.1:{port}/", {}, b"{}", loopback=True)

    def nowhere(*_: object, **__: object) -> Any:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    with pytest.raises(PostError, match="dns"):
        post("https://receiver.example/", {}, b"{}", loopback=True)
