"""A recording proxy: sees and keeps every byte between the members' commands and the service."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import urlsplit

HOP_BY_HOP = {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "te", "trailer", "upgrade"}


class Recording:
    """The exchanges seen so far: request line, headers and body, then status, headers and body, as bytes."""

    def __init__(self) -> None:
        self.exchanges: list[bytes] = []
        self.url = ""


class _Handler(BaseHTTPRequestHandler):
    """Forwards one request in absolute form (RFC 9112, 3.2.2) and records both directions."""

    recording: ClassVar[Recording]
    protocol_version = "HTTP/1.1"

    def _forward(self) -> None:
        body = self._body()
        target = urlsplit(self.path)
        path = target.path + (f"?{target.query}" if target.query else "")
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        if body:
            headers["Content-Length"] = str(len(body))
        upstream = http.client.HTTPConnection(target.netloc, timeout=120)
        upstream.request(self.command, path, body, headers)
        answer = upstream.getresponse()
        content = answer.read()
        upstream.close()
        sent = f"{self.requestline}\n{self.headers}".encode() + body
        self.recording.exchanges.append(sent + f"\n{answer.status}\n{answer.headers}".encode() + content)
        self._answer(answer, content)

    def _answer(self, answer: http.client.HTTPResponse, content: bytes) -> None:
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.headers.items():
            if name.lower() not in HOP_BY_HOP | {"content-length"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return b"".join(self._chunks())
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _forward  # noqa: N815 - the names http.server calls

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parameter's name in http.server
        """Keep quiet."""


@contextmanager
def recording_proxy() -> Iterator[Recording]:
    """Run the proxy on a free loopback port until the block ends; `url` is what to set HTTP_PROXY to."""
    recording = Recording()
    handler = type("Handler", (_Handler,), {"recording": recording})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        recording.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield recording
        finally:
            server.shutdown()
            thread.join()
