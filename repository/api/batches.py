"""Uploading batches, and watching them being taken in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import Response, request, url_for
from marshmallow import Schema, fields, validate

from repository.api import cursors, idempotency
from repository.api.base import Blueprint, json_response, requires
from repository.api.context import current_actor, services
from repository.api.own import own_member, path_id
from repository.api.problems import ProblemError
from repository.api.shapes import CAPPED_IN_ALL
from repository.services import batches
from repository.services.batches import Upload
from repository.services.pressure import QueueFullError

blueprint = Blueprint("batches", __name__, description="Filing many records")

FORMATS = {
    "application/x-ndjson": "ndjson",
    "application/vnd.apache.arrow.stream": "arrow",
    "application/vnd.apache.parquet": "parquet",
}
"""The media types of a batch and what they are called."""
_STATES = ("queued", "running", "done", "failed", "cancelled")
_PART = 256 * 1024


class BatchQuerySchema(Schema):
    """How a batch is to be taken in."""

    dry_run = fields.Boolean(load_default=False, metadata={"description": "Check every row and store nothing"})


class RowsSchema(Schema):
    """Rows by what became of them."""

    read = fields.Integer(required=True)
    created = fields.Integer(required=True)
    new_version = fields.Integer(required=True)
    unchanged = fields.Integer(required=True)
    rejected = fields.Integer(required=True)


class RowErrorSchema(Schema):
    """A row that was refused. Row numbers are line numbers, or rows of the columns, from 1."""

    row = fields.Integer(required=True)
    ref = fields.String(required=True, allow_none=True)
    field = fields.String(required=True)
    expected = fields.String(required=True)


class FailureSchema(Schema):
    """Why a batch was not read to its end, or why it waits for another attempt. The good rows before stay."""

    field = fields.String(required=True)
    expected = fields.String(required=True)


class BatchSchema(Schema):
    """A batch and how far it is. Of many row errors the first thousand are kept."""

    id = fields.String(required=True)
    status = fields.String(required=True, validate=validate.OneOf(_STATES))
    format = fields.String(required=True, validate=validate.OneOf(list(FORMATS.values())))
    cancelling = fields.Boolean(required=True, metadata={"description": "Cancelled, and about to stop"})
    dry_run = fields.Boolean(required=True)
    created_at = fields.AwareDateTime(required=True)
    finished_at = fields.AwareDateTime(required=True, allow_none=True)
    bytes_total = fields.Integer(required=True)
    bytes_done = fields.Integer(required=True)
    rows = fields.Nested(RowsSchema, required=True)
    hits = fields.Integer(required=True, metadata={"description": "Hits found that the member may see"})
    capped_keys = fields.Integer(required=True, metadata={"description": CAPPED_IN_ALL})
    failure = fields.Nested(FailureSchema, required=True, allow_none=True)
    errors = fields.List(fields.Nested(RowErrorSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class BatchPageSchema(Schema):
    """A page of batches."""

    items = fields.List(fields.Nested(BatchSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


@blueprint.route("/v1/batches", methods=["POST"])
@requires("contributor", while_suspended=True)
@blueprint.arguments(BatchQuerySchema, location="query")
@blueprint.response(202, BatchSchema)
@blueprint.alt_response(200, schema=BatchSchema, description="The same batch, finished already")
@blueprint.problems(400, 411, 413, 415, 429, 503, 507)
@blueprint.doc(
    parameters=[idempotency.parameter(required=True)],
    requestBody={
        "required": True,
        "description": "One filing a line or row; Content-Encoding may be gzip, but not for Parquet",
        "content": {
            media_type: {"schema": {"type": "string", **({} if name == "ndjson" else {"format": "binary"})}}
            for media_type, name in FORMATS.items()
        },
    },
)
def upload(query: dict[str, Any]) -> Response:
    """Upload a batch; it is taken in after this answer.

    The same key with the same content is the same batch, which is queued again if it has failed.
    """
    member = own_member()
    key = idempotency.idempotency_key(required=True)
    kind, gzipped = _format()
    request.max_content_length = services().settings.max_batch_bytes
    size = length()
    taken = Upload(
        parts=parts(size), size=size, format=kind, gzipped=gzipped, dry_run=query["dry_run"], idempotency_key=key
    )
    try:
        batch, _ = batches.receive(services(), current_actor(), member, taken)
    except batches.OtherContentError:
        raise ProblemError("idempotency-conflict") from None
    except QueueFullError as error:
        raise queue_full(error) from None
    status = 202 if batch["finished_at"] is None else 200
    return json_response(batches.as_json(batch), status, {"Location": url_for("batches.show", batch_id=batch["id"])})


@blueprint.route("/v1/batches")
@requires("contributor", "member_admin", while_suspended=True)
@blueprint.arguments(cursors.PageSchema, location="query")
@blueprint.response(200, BatchPageSchema)
def list_own(query: dict[str, Any]) -> Response:
    """The member's own batches, latest first, without their row errors."""
    member = own_member()
    scope = ("batches", member.id)
    after = cursors.decode(scope, query.get("cursor"), [str])
    before = str(after[0]) if after else None
    items = batches.list_batches(services(), member, before=before, limit=query["limit"] + 1)
    more = len(items) > query["limit"]
    items = items[: query["limit"]]
    return json_response({"items": items, "next_cursor": cursors.encode(scope, [items[-1]["id"]]) if more else None})


@blueprint.route("/v1/batches/<string:batch_id>")
@requires("contributor", "member_admin", while_suspended=True)
@blueprint.arguments(cursors.PageSchema, location="query")
@blueprint.response(200, BatchSchema)
@blueprint.problems(404)
def show(query: dict[str, Any], batch_id: str) -> Response:
    """One of the member's own batches, with a page of its row errors."""
    batch = batches.find(services(), own_member(), path_id(batch_id, "bat"))
    if batch is None:
        raise ProblemError("not-found")
    scope = ("batch errors", batch["id"])
    position = cursors.decode(scope, query.get("cursor"), [int])
    after = int(position[0]) if position else 0
    errors = batches.row_errors(services(), batch, after=after, limit=query["limit"] + 1)
    more = len(errors) > query["limit"]
    errors = errors[: query["limit"]]
    next_cursor = cursors.encode(scope, [errors[-1]["row"]]) if more else None
    return json_response(batches.as_json(batch, errors) | {"next_cursor": next_cursor})


@blueprint.route("/v1/batches/<string:batch_id>/cancel", methods=["POST"])
@requires("contributor", while_suspended=True)
@blueprint.response(202, BatchSchema)
@blueprint.alt_response(200, schema=BatchSchema, description="The batch is over; if it was before, it stays as it is")
@blueprint.problems(404)
def cancel(batch_id: str) -> Response:
    """Cancel a batch: it stops after the chunk at hand, and what was taken in stays."""
    batch = batches.cancel(services(), current_actor(), own_member(), path_id(batch_id, "bat"))
    if batch is None:
        raise ProblemError("not-found")
    return json_response(batches.as_json(batch), 202 if batch["finished_at"] is None else 200)


def queue_full(error: QueueFullError) -> ProblemError:
    """The answer when there is no room for another batch, or the day's share is used up."""
    return ProblemError(error.slug, figures=error.figures, headers={"Retry-After": str(error.retry_after)})


def _format() -> tuple[str, bool]:
    """The format of the body, and whether it is under gzip."""
    kind = FORMATS.get(request.mimetype)
    encoding = (request.content_encoding or "identity").strip().lower()
    if kind is None or encoding not in ("identity", "gzip") or (kind == "parquet" and encoding == "gzip"):
        expected = f"Expected one of {', '.join(FORMATS)}, the first two with or without Content-Encoding: gzip."
        raise ProblemError("wrong-content-type", expected)
    return kind, encoding == "gzip"


def length() -> int:
    """The announced length; without one, a body that was cut off cannot be told from a whole one."""
    if request.content_length is None:
        raise ProblemError("length-required", "A batch is sent with a Content-Length header, and not in chunks.")
    return request.content_length


def parts(announced: int) -> Iterator[bytes]:
    """The body as it comes in; raises RequestEntityTooLarge past the limit, and ProblemError when it ends early."""
    received = 0
    # Counted here: the server marks its input as terminated, so that nothing below takes an early end for an error.
    while part := request.stream.read(_PART):
        received += len(part)
        yield part
    if received != announced:
        raise ProblemError("incomplete-body", figures={"announced_bytes": announced, "received_bytes": received})
