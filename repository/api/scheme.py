"""What anyone may know of the scheme: which encodings it accepts, its purposes and lines, and its clock."""

from __future__ import annotations

from flask import Response
from marshmallow import Schema, fields

from matching.vocabulary import LINES, PURPOSES
from repository.api.base import Blueprint, json_response, services
from repository.storage.operator import accepted_fingerprints

blueprint = Blueprint("scheme", __name__, description="What the scheme accepts")


class AcceptedSchemaSchema(Schema):
    """A linkage schema, and the linkage keys (by fingerprint) under which records of it are accepted."""

    id = fields.String(required=True)
    fingerprints = fields.List(fields.String(), required=True)


class SchemeSchema(Schema):
    """The scheme in public."""

    name = fields.String(required=True)
    schemas = fields.List(fields.Nested(AcceptedSchemaSchema), required=True)
    purposes = fields.List(fields.String(), required=True)
    lines = fields.List(fields.String(), required=True)
    time = fields.AwareDateTime(required=True)


@blueprint.route("/v1/scheme")
@blueprint.response(200, SchemeSchema)
def scheme() -> Response:
    """The scheme's name, accepted schemas and linkage keys, purposes, lines, and the server's time."""
    here = services()
    with here.database.read() as session:
        accepted = accepted_fingerprints(session)
    schemas = [{"id": name, "fingerprints": list(prints)} for name, prints in accepted.items()]
    return json_response(
        {
            "name": here.settings.scheme_name,
            "schemas": schemas,
            "purposes": list(PURPOSES),
            "lines": list(LINES),
            "time": here.clock().isoformat(timespec="seconds").replace("+00:00", "Z"),
        }
    )
