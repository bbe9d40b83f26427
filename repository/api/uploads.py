"""Uploading a large batch in pieces, and going on after a cut: in the manner of tus (resumable uploads)."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from flask import Response, request, url_for
from marshmallow import Schema, fields, validate
from sqlalchemy import RowMapping

from repository.api import idempotency
from repository.api.base import Blueprint, json_response, requires
from repository.api.batches import FORMATS, length, parts, queue_full
from repository.api.context import current_actor, services
from repository.api.own import own_member, path_id
from repository.api.problems import ProblemError
from repository.services import uploads
from repository.services.batches import OtherContentError
from repository.services.pressure import QueueFullError
from repository.services.uploads import Announced, ChecksumError, Piece, TooLongError, WrongOffsetError

blueprint = Blueprint("uploads", __name__, description="Uploading large batches in pieces")

PIECE_TYPE = "application/offset+octet-stream"
_OFFSET, _LENGTH, _CHECKSUM = "Upload-Offset", "Upload-Length", "Upload-Checksum"
_HEADERS = [
    {"in": "header", "name": _OFFSET, "required": True, "schema": {"type": "integer", "minimum": 0}},
    {
        "in": "header",
        "name": _CHECKSUM,
        "required": False,
        "schema": {"type": "string"},
        "description": "Of the piece: sha256, a space, and the digest in base64",
    },
]


class AnnouncedSchema(Schema):
    """A batch that will come in pieces."""

    length = fields.Integer(required=True, strict=True, validate=validate.Range(min=1))
    sha256 = fields.String(
        required=True, validate=validate.Regexp(r"[0-9a-f]{64}\Z"), metadata={"description": "Of all bytes"}
    )
    format = fields.String(load_default="ndjson", validate=validate.OneOf(list(FORMATS.values())))
    gzip = fields.Boolean(load_default=False, metadata={"description": "The bytes are under gzip; not for Parquet"})
    dry_run = fields.Boolean(load_default=False)


class UploadSchema(Schema):
    """An upload and how much of it is there; `batch` is what it became."""

    id = fields.String(required=True)
    length = fields.Integer(required=True)
    offset = fields.Integer(required=True)
    expires_at = fields.AwareDateTime(required=True)
    batch = fields.String(required=True, allow_none=True)


@blueprint.route("/v1/uploads", methods=["POST"])
@requires("contributor", while_suspended=True)
@blueprint.arguments(AnnouncedSchema)
@blueprint.response(201, UploadSchema)
@blueprint.alt_response(200, schema=UploadSchema, description="The same upload, as far as it is there")
@blueprint.problems(400, 413, 415, 429, 503)
@blueprint.doc(parameters=[idempotency.parameter(required=True)])
def begin(body: dict[str, Any]) -> Response:
    """Begin an upload. The same key with the same announcement is the same upload, to go on with."""
    limit = services().settings.max_upload_bytes
    if body["length"] > limit:
        raise ProblemError("too-large", figures={"limit_bytes": limit})
    if body["gzip"] and body["format"] == "parquet":
        raise ProblemError("invalid", errors=[{"field": "gzip", "expected": "false, as the format is parquet"}])
    announced = Announced(
        length=body["length"],
        sha256=body["sha256"],
        format=body["format"],
        gzipped=body["gzip"],
        dry_run=body["dry_run"],
        idempotency_key=idempotency.idempotency_key(required=True),
    )
    try:
        upload, new = uploads.begin(services(), current_actor(), own_member(), announced)
    except OtherContentError:
        raise ProblemError("idempotency-conflict") from None
    except QueueFullError as error:
        raise queue_full(error) from None
    return _answer(upload, 201 if new else 200)


@blueprint.route("/v1/uploads/<string:upload_id>")
@requires("contributor", while_suspended=True)
@blueprint.response(200, UploadSchema)
@blueprint.problems(404)
def show(upload_id: str) -> Response:
    """How much of an upload is there; HEAD tells it by its headers alone."""
    return _answer(_own(upload_id), 200)


@blueprint.route("/v1/uploads/<string:upload_id>", methods=["PATCH"])
@requires("contributor", while_suspended=True)
@blueprint.response(200, UploadSchema)
@blueprint.problems(400, 404, 409, 411, 413, 415, 422, 429, 503, 507)
@blueprint.doc(
    parameters=_HEADERS,
    requestBody={"required": True, "content": {PIECE_TYPE: {"schema": {"type": "string", "format": "binary"}}}},
)
def take(upload_id: str) -> Response:
    """Send the next piece. The last one queues the batch; an empty one at the end asks for that again."""
    upload = _own(upload_id)
    if request.mimetype != PIECE_TYPE:
        raise ProblemError("wrong-content-type", f"Expected {PIECE_TYPE}.")
    request.max_content_length = services().settings.max_batch_bytes
    size = length()
    piece = Piece(_offset(), size, parts(size), _checksum())
    try:
        upload = uploads.take(services(), current_actor(), own_member(), upload, piece)
    except WrongOffsetError as error:
        raise ProblemError("wrong-offset", headers={_OFFSET: str(error.received)}) from None
    except TooLongError:
        raise ProblemError("too-large", figures={"limit_bytes": upload["length"]}) from None
    except ChecksumError:
        raise ProblemError("checksum") from None
    except OtherContentError:
        raise ProblemError("idempotency-conflict") from None
    except QueueFullError as error:
        raise queue_full(error) from None
    return _answer(upload, 200)


@blueprint.route("/v1/uploads/<string:upload_id>", methods=["DELETE"])
@requires("contributor", while_suspended=True)
@blueprint.response(204)
@blueprint.problems(404)
def remove(upload_id: str) -> Response:
    """Give an upload up, and remove what came of it. A batch that it became stays."""
    uploads.remove(services(), _own(upload_id))
    return Response(status=204)


def _own(upload_id: str) -> RowMapping:
    upload = uploads.find(services(), own_member(), path_id(upload_id, "upl"))
    if upload is None:
        raise ProblemError("not-found")
    return upload


def _offset() -> int:
    raw = request.headers.get(_OFFSET, "")
    if not (raw.isascii() and raw.isdigit() and len(raw) < 16):
        raise ProblemError("invalid", errors=[{"field": _OFFSET, "expected": "a whole number of bytes"}])
    return int(raw)


def _checksum() -> bytes | None:
    raw = request.headers.get(_CHECKSUM)
    if raw is None:
        return None
    name, _, digest = raw.partition(" ")
    try:
        found = base64.b64decode(digest, validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if name != "sha256" or len(found) != 32:
        expected = "sha256, a space, and 32 bytes in base64"
        raise ProblemError("invalid", errors=[{"field": _CHECKSUM, "expected": expected}])
    return found


def _answer(upload: RowMapping, status: int) -> Response:
    body = {
        "id": upload["id"],
        "length": upload["length"],
        "offset": upload["received"],
        "expires_at": upload["expires_at"].isoformat(),
        "batch": upload["batch_id"],
    }
    headers = {_OFFSET: str(upload["received"]), _LENGTH: str(upload["length"]), "Cache-Control": "no-store"}
    return json_response(body, status, headers | {"Location": url_for("uploads.show", upload_id=upload["id"])})
