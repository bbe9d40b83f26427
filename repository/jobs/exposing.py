"""What a worker has counted, for Prometheus: a worker of its own machine or container answers nothing else."""

from __future__ import annotations

import hmac
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from prometheus_client import CONTENT_TYPE_LATEST

from repository import metrics
from repository.services import Services, gauges
from repository.settings import SettingsError, read_metrics_token

_PATIENCE = 10.0
"""Seconds for a request to come in, and for its answer to be taken."""


class Exposing:
    """Answers GET /metrics to who has the token, as the service does, until it is stopped. Raises SettingsError."""

    def __init__(self, services: Services, host: str, port: int) -> None:
        token = read_metrics_token(services.settings.metrics_token_file)
        if token is None:
            raise SettingsError("metrics need a token, and there is none: run `frankpledge-admin init`")
        try:
            self._server = ThreadingHTTPServer((host, port), _handler(services, token))
        except OSError as error:
            raise SettingsError(f"{host}:{port} cannot be used: {error.strerror}") from None
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, name="metrics", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.server_port

    def stop(self) -> None:
        """Answer nobody any more."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _handler(services: Services, token: bytes) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = _PATIENCE
        server_version, sys_version = "frankpledge", ""

        def do_GET(self) -> None:
            kind, _, sent = self.headers.get("Authorization", "").partition(" ")
            if self.path != "/metrics":
                self._answer(404, b"")
            elif kind != "Bearer" or not hmac.compare_digest(sent.encode(errors="replace"), token):
                self._answer(401, b"")
            else:
                self._answer(200, metrics.exposition(gauges.reading(services)))

        def _answer(self, status: int, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", CONTENT_TYPE_LATEST if content else "text/plain")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Nothing that was sent is logged."""

    return Handler
