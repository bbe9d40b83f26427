"""What every request and answer passes through: the request id, limits, security headers, and the log line."""

from __future__ import annotations

import re
import time
import uuid

import orjson
import structlog
from flask import Flask, Response, g, request
from flask.json.provider import JSONProvider
from werkzeug.middleware.proxy_fix import ProxyFix

from repository import metrics, tracing
from repository.settings import Settings

REQUEST_ID = "X-Request-ID"
_REQUEST_ID_SHAPE = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{16,64}", re.IGNORECASE)
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Strict-Transport-Security": "max-age=31536000",
    "Cache-Control": "no-store",
}
_log = structlog.get_logger("frankpledge.request")


class OrjsonProvider(JSONProvider):
    """JSON by orjson."""

    def dumps(self, obj: object, **_options: object) -> str:
        """To text."""
        return orjson.dumps(obj).decode()

    def loads(self, s: str | bytes, **_options: object) -> object:
        """From text or bytes."""
        return orjson.loads(s)


def install(app: Flask, settings: Settings) -> None:
    """Limits, request ids, security headers, measurements and the request log for one application."""
    app.json = OrjsonProvider(app)
    # No view is a coroutine: Flask would look whether it is one ten times a request.
    app.ensure_sync = lambda func: func  # type: ignore[method-assign] # as Flask documents it
    app.config["MAX_CONTENT_LENGTH"] = settings.max_json_bytes
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    if settings.trusted_proxies:
        # Only the address: host and prefix are of no use here, and would be one more thing that a caller can send.
        fixed = ProxyFix(app.wsgi_app, x_for=settings.trusted_proxies, x_proto=0, x_host=0, x_port=0, x_prefix=0)
        app.wsgi_app = fixed  # type: ignore[method-assign] # as Flask documents it
    app.before_request(_begin)
    app.after_request(_finish)
    app.teardown_request(_leave)


def route_template() -> str:
    """The route that serves this request, such as /v1/hits/<hit_id>, and never the address itself."""
    return request.url_rule.rule if request.url_rule else "(none)"


def _begin() -> None:
    g.started = time.perf_counter()
    sent = request.headers.get(REQUEST_ID, "")
    # An id of another shape is replaced: it would be repeated, and could hold anything.
    g.request_id = sent.lower() if _REQUEST_ID_SHAPE.fullmatch(sent) else str(uuid.uuid4())
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)
    metrics.IN_FLIGHT.inc()
    route, method = _served()
    g.span = tracing.span(
        f"{method} {route}",
        {"http.request.method": method, "http.route": route, "frankpledge.request_id": g.request_id},
        request=True,
    )
    g.span.__enter__()


def _leave(_error: BaseException | None) -> None:
    """Out of what is in flight, however the request ended."""
    if span := g.pop("span", None):
        span.__exit__(None, None, None)
        metrics.IN_FLIGHT.dec()


def _served() -> tuple[str, str]:
    """Route template and method; of an address that is served by nothing neither, for they could be anything."""
    return route_template(), request.method if request.url_rule else "(none)"


def _finish(response: Response) -> Response:
    given = {name.lower() for name, _ in response.headers}
    for name, value in _HEADERS.items():
        if name.lower() not in given:
            response.headers.add(name, value)
    response.headers[REQUEST_ID] = g.request_id
    seconds = time.perf_counter() - g.started
    route, method = _served()
    tracing.note("http.response.status_code", response.status_code)
    metrics.REQUESTS.labels(method=method, route=route, status=response.status_code).observe(seconds)
    actor = g.get("actor")
    _log.info(
        "request",
        method=method,
        route=route,
        status=response.status_code,
        milliseconds=round(seconds * 1000, 2),
        member=actor.member_id if actor else None,
        actor=actor.id if actor else None,
    )
    return response
