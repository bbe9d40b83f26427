"""The Idempotency-Key header: the same request sent again is answered as before and done once."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any, Literal, TypeVar, cast, overload

import orjson
from flask import Response, make_response, request
from flask_smorest.utils import deepupdate  # type: ignore[import-untyped] # ships no types
from sqlalchemy.exc import IntegrityError

from repository.api.context import current_actor, services
from repository.api.problems import ProblemError
from repository.storage import idempotency
from repository.storage.idempotency import KEPT, IdempotentReplyRow

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
_SHAPE = re.compile(r"[\x21-\x7e]{1,128}")

_View = TypeVar("_View", bound=Callable[..., Any])


@overload
def idempotency_key(*, required: Literal[True]) -> str: ...
@overload
def idempotency_key(*, required: Literal[False]) -> str | None: ...
def idempotency_key(*, required: bool) -> str | None:
    """The key of this request; raises ProblemError when it is missing though required, or cannot be one."""
    key = request.headers.get(HEADER)
    if key is None and not required:
        return None
    if key is None or not _SHAPE.fullmatch(key):
        raise ProblemError("idempotency-key")
    return key


def parameter(*, required: bool) -> dict[str, Any]:
    """The header as an OpenAPI parameter, for a view that reads the key itself."""
    schema = {"type": "string", "minLength": 1, "maxLength": 128}
    described = "The same key with the same content is done once"
    return {"in": "header", "name": HEADER, "required": required, "schema": schema, "description": described}


@overload
def idempotent(view: _View) -> _View: ...
@overload
def idempotent(*, told: Callable[..., Response]) -> Callable[[_View], _View]: ...
def idempotent(view: Any = None, *, told: Callable[..., Response] | None = None) -> Any:
    """Keep the answer of a view for a day under the caller's key, if one is sent. Goes below `requires`.

    Of an answer that may not be kept as it is only its id is: `told` then gives it again, of that id and the arguments
    of the view. The answer is kept after the view's own transaction: a crash in between leaves the work done and the
    answer not kept, so the view must itself bear repetition.
    """
    if view is None:
        return functools.partial(_idempotent, told)
    return _idempotent(None, view)


def _idempotent(told: Callable[..., Response] | None, view: _View) -> _View:
    @functools.wraps(view)
    def once(*args: Any, **kwargs: Any) -> Response:
        key = idempotency_key(required=False)
        if key is None:
            return make_response(view(*args, **kwargs))
        digest = _digest()
        kept = _kept(key, digest)
        if kept is not None:
            return kept if told is None else _again(told(kept.get_json()["id"], *args, **kwargs))
        response = make_response(view(*args, **kwargs))
        if response.status_code < 300:
            body = response.get_data() if told is None else orjson.dumps({"id": response.get_json()["id"]})
            _keep(key, digest, response.status_code, body)
        return response

    apidoc = dict(getattr(once, "_apidoc", {}))
    documented = {"parameters": [parameter(required=False)]}
    apidoc["manual_doc"] = deepupdate(dict(apidoc.get("manual_doc", {})), documented)
    once._apidoc = apidoc  # type: ignore[attr-defined] # where flask-smorest looks for it
    return cast(_View, once)


def _again(response: Response) -> Response:
    response.headers[REPLAYED] = "true"
    return response


def _digest() -> str:
    """Of everything that makes the request: method, address with query, and body.

    Keyed, since a body holds keys as members make them: a thief of the table could else test guesses at a request.
    """
    parts = (request.method.encode(), request.full_path.encode(), request.get_data(cache=True))
    return services().sealer.digest(b"idempotency", b"\0".join(parts)).hex()


def _kept(key: str, digest: str) -> Response | None:
    with services().database.read() as session:
        row = idempotency.reply(session, current_actor().id, key)
    if row is None or row.created_at < services().clock() - KEPT:
        return None
    if row.digest not in (idempotency.NOT_KNOWN, digest):
        raise ProblemError("idempotency-conflict")
    return Response(row.body, row.status, {REPLAYED: "true"}, mimetype="application/json")


def _keep(key: str, digest: str, status: int, body: bytes) -> None:
    now = services().clock()
    row = IdempotentReplyRow(
        actor_id=current_actor().id,
        key=key,
        digest=digest,
        status=status,
        body=body,
        created_at=now,
    )
    try:
        with services().database.write() as session:
            idempotency.keep(session, row, forget_before=now - KEPT)
    except IntegrityError:
        # Two at once under one key: both were answered, the first answer is the one kept.
        return
