"""What anyone may know of the scheme: which encodings it accepts, its purposes and lines, and its clock."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any

from flask import Response
from marshmallow import Schema, fields

from matching.vocabulary import LINES, PURPOSES
from repository.api.base import Blueprint, json_response, services
from repository.storage.operator import FingerprintRow, keys_known

blueprint = Blueprint("scheme", __name__, description="What the scheme accepts")


class AcceptedKeySchema(Schema):
    """A linkage key whose records are accepted. Where a newer one follows it, `until` says how long."""

    fingerprint = fields.String(required=True)
    epoch = fields.Integer(required=True, allow_none=True)
    until = fields.AwareDateTime(required=True, allow_none=True)


class AcceptedSchemaSchema(Schema):
    """A linkage schema, and the linkage keys (by fingerprint) under which records of it are accepted."""

    id = fields.String(required=True)
    fingerprints = fields.List(fields.String(), required=True)
    keys = fields.List(fields.Nested(AcceptedKeySchema), required=True)


class SchemeSchema(Schema):
    """The scheme in public."""

    name = fields.String(required=True)
    schema = fields.String(
        required=True, metadata={"description": "The linkage schema of the pool, under which all records are encoded"}
    )
    schemas = fields.List(fields.Nested(AcceptedSchemaSchema), required=True)
    purposes = fields.List(fields.String(), required=True)
    lines = fields.List(fields.String(), required=True)
    time = fields.AwareDateTime(required=True)


@blueprint.route("/v1/scheme")
@blueprint.response(200, SchemeSchema)
def scheme() -> Response:
    """The scheme's name, its linkage schema and accepted linkage keys, purposes, lines, and the server's time."""
    here = services()
    with here.database.read() as session:
        known = [each for each in keys_known(session) if each.schema_id == here.schema.id]
    accepted = [each for each in known if each.is_accepted(here.clock())]
    schemas = [_schema(name, list(rows)) for name, rows in groupby(accepted, key=attrgetter("schema_id"))]
    return json_response(
        {
            "name": here.settings.scheme_name,
            "schema": here.schema.id,
            "schemas": schemas,
            "purposes": list(PURPOSES),
            "lines": list(LINES),
            "time": here.clock().isoformat(timespec="seconds").replace("+00:00", "Z"),
        }
    )


def _schema(name: str, rows: Sequence[FingerprintRow]) -> dict[str, Any]:
    keys = [
        {
            "fingerprint": each.fingerprint,
            "epoch": each.epoch,
            "until": None if each.accepted_until is None else each.accepted_until.isoformat(),
        }
        for each in rows
    ]
    return {"id": name, "fingerprints": [each.fingerprint for each in rows], "keys": keys}
