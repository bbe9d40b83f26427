"""Errors as RFC 9457 problems. Nothing here repeats what a caller sent: fields are named by path, never shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import orjson
import structlog
from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge

from repository.api.catalogue import BY_STATUS, PROBLEM_TYPES
from repository.api.context import services
from repository.domain.members import Refusal
from repository.services.receipts import ChangedError
from repository.storage.limits import Trouble, trouble

MEDIA_TYPE = "application/problem+json"
_TROUBLES = {Trouble.BUSY: ("busy", "2"), Trouble.UNREACHABLE: ("unavailable", "5"), Trouble.FULL: ("no-space", "60")}
_GONE = "What this is about, or something it would have named, was removed at this moment. Nothing was done."
"""The problem, and after how many seconds it is worth trying again."""
_log = structlog.get_logger("frankpledge.api")


class FieldProblem(TypedDict):
    """Which field is at fault, by its path such as `subjects[0].keys`, and what was expected in it."""

    field: str
    expected: str


class ProblemError(Exception):
    """An answer that is a problem.

    `slug` names a kind in repository.api.catalogue, which gives type, status and title. `detail` is a sentence for this
    occurrence and must not hold a value that was sent; `extensions` become members of the problem (rule, figures,
    remedy, ...), `headers` go out with it. Raises KeyError for an unknown slug.
    """

    def __init__(
        self,
        slug: str,
        detail: str | None = None,
        *,
        errors: Sequence[FieldProblem] = (),
        headers: Mapping[str, str] | None = None,
        **extensions: Any,
    ) -> None:
        self.kind = PROBLEM_TYPES[slug]
        self.detail = detail
        self.errors = errors
        self.headers = dict(headers or {})
        self.extensions = extensions
        super().__init__(slug)

    @classmethod
    def refused(cls, slug: str, refusal: Refusal) -> ProblemError:
        """A refusal under a rule of the scheme: rule, figures and remedy are part of the answer."""
        return cls(slug, refusal.detail, rule=refusal.rule, figures=refusal.figures, remedy=refusal.remedy)

    def body(self) -> dict[str, Any]:
        """The problem as a JSON object; also used for one item of a bulk answer."""
        members: dict[str, Any] = {
            "type": self.kind.uri,
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": self.detail or self.kind.text,
        }
        if "request_id" in g:
            members["instance"] = f"urn:frankpledge:request:{g.request_id}"
        if self.errors:
            members["errors"] = list(self.errors)
        return members | self.extensions

    def response(self) -> Response:
        """The problem as an HTTP response."""
        response = Response(orjson.dumps(self.body()), self.kind.status, mimetype=MEDIA_TYPE)
        response.headers.update(self.headers)
        if self.kind.status == 401:
            response.headers.setdefault("WWW-Authenticate", "Bearer")
        return response


def install(app: Flask) -> None:
    """Answer every error of the application with a problem."""
    app.register_error_handler(ProblemError, lambda error: error.response())
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(ChangedError, _restless)
    app.register_error_handler(Exception, _unexpected)


def _http_error(error: HTTPException) -> Response:
    if error.code is not None and error.code < 400 and error.response is None:
        return Response(status=error.code, headers=error.get_headers(request.environ))
    slug = BY_STATUS.get(error.code or 500, "bad-request" if (error.code or 500) < 500 else "internal")
    headers: dict[str, str] = {}
    extensions: dict[str, Any] = {}
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        headers["Allow"] = ", ".join(sorted(error.valid_methods))
    if isinstance(error, RequestEntityTooLarge) and request.max_content_length is not None:
        extensions["figures"] = {"limit_bytes": request.max_content_length}
    return ProblemError(slug, headers=headers, **extensions).response()


def _restless(_error: ChangedError) -> Response:
    """What was to be shown changed at every attempt to read it: worth another try."""
    return ProblemError("busy", headers={"Retry-After": _TROUBLES[Trouble.BUSY][1]}).response()


def _unexpected(error: Exception) -> Response:
    """Log what happened by type and place only: the message of an exception may hold a value.

    A database that is busy or away for a moment, or a disk that is full, is no fault of the service, and worth another
    try; nor is it that what somebody works on is removed meanwhile.
    """
    places = []
    trace = error.__traceback__
    while trace is not None:
        places.append(f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}")
        trace = trace.tb_next
    found = trouble(services().database.engine, error)
    if found is None:
        _log.error("unexpected", error=type(error).__qualname__, at=places[-8:])
        return ProblemError("internal").response()
    if found is Trouble.GONE:
        _log.warning("gone", error=type(error).__qualname__, at=places[-8:])
        return ProblemError("conflict", _GONE).response()
    slug, wait = _TROUBLES[found]
    tell = _log.error if found is Trouble.FULL else _log.warning
    tell(slug, error=type(error).__qualname__, at=places[-8:])
    return ProblemError(slug, headers={"Retry-After": wait}).response()
