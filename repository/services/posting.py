"""One POST to an address of a member's choice: a public one, the one that was checked, and not for long."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import httpcore

from repository.domain.webhooks import is_reachable

LONGEST = 10.0
"""Seconds for all of it, from the connection to the status; looking the name up comes before."""
DNS, REFUSED, TIMEOUT, TLS, CONNECTION = "dns", "address-refused", "timeout", "tls", "connection"


class PostError(Exception):
    """Nothing was answered; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def post(url: str, headers: Mapping[str, str], body: bytes, *, loopback: bool) -> int:
    """Send a body; the status that is answered, whatever it is: redirects are not followed. Raises PostError."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    address = _address(host, parts.port or (443 if parts.scheme == "https" else 80), loopback=loopback)
    if parts.scheme != "https" and not ipaddress.ip_address(address).is_loopback:
        raise PostError(REFUSED)
    backend = _Pinned(address, time.monotonic() + LONGEST)
    told: dict[str, Any] = {"headers": list(headers.items()), "content": body}
    told["extensions"] = {"timeout": dict.fromkeys(("connect", "read", "write", "pool"), LONGEST)}
    try:
        with (
            httpcore.ConnectionPool(ssl_context=_trusted(), network_backend=backend, max_connections=1) as pool,
            pool.stream("POST", url, **told) as response,
        ):
            return int(response.status)  # what else is answered is not read
    except httpcore.TimeoutException:
        raise PostError(TIMEOUT) from None
    except httpcore.ConnectError as error:
        raise PostError(TLS if isinstance(error.__cause__ or error.__context__, ssl.SSLError) else CONNECTION) from None
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.ConnectionNotAvailable):
        raise PostError(CONNECTION) from None


def _address(host: str, port: int, *, loopback: bool) -> str:
    """The address that a name stands for now. Raises PostError unless all that it stands for are public."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise PostError(DNS) from None
    addresses = [str(each[4][0]) for each in found]
    if not addresses or not all(is_reachable(ipaddress.ip_address(each), loopback=loopback) for each in addresses):
        raise PostError(REFUSED)
    return addresses[0]


@cache
def _trusted() -> ssl.SSLContext:
    return ssl.create_default_context()


class _Pinned(httpcore.NetworkBackend):
    """Connects to one address, whatever the name stands for by then; certificates are still checked by the name."""

    def __init__(self, address: str, deadline: float) -> None:
        self._address = address
        self._deadline = deadline
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,  # noqa: ARG002 - it was looked up before
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - what is left of the time counts
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect."""
        left = _left(self._deadline, httpcore.ConnectTimeout)
        stream = self._backend.connect_tcp(self._address, port, left, local_address, socket_options)
        return _Hurried(stream, self._deadline)


class _Hurried(httpcore.NetworkStream):
    """A connection on which nothing waits past a deadline: who answers a byte at a time would hold it for ever."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - as above
        """Read."""
        return self._stream.read(max_bytes, _left(self._deadline, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - as above
        """Write."""
        self._stream.write(buffer, _left(self._deadline, httpcore.WriteTimeout))

    def close(self) -> None:
        """Close."""
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 - as above
    ) -> httpcore.NetworkStream:
        """Go on under TLS."""
        left = _left(self._deadline, httpcore.ConnectTimeout)
        return _Hurried(self._stream.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        """Tell of the connection."""
        return self._stream.get_extra_info(info)


def _left(deadline: float, error: type[httpcore.TimeoutException]) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise error
    return left
