"""Is the process alive, is it ready for traffic, and what has it counted."""

from __future__ import annotations

from flask import Response
from marshmallow import Schema, fields
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from repository.api.base import Blueprint, json_response, services
from repository.services import health

blueprint = Blueprint("health", __name__, description="For orchestrators and monitoring")


class AliveSchema(Schema):
    """Alive."""

    status = fields.Constant("alive")


class ReadySchema(Schema):
    """Each check, and whether it passed."""

    status = fields.String(required=True, metadata={"enum": ["ready", "not ready"]})
    checks = fields.Dict(keys=fields.String(), values=fields.Boolean(), required=True)


@blueprint.route("/livez")
@blueprint.response(200, AliveSchema)
def alive() -> Response:
    """The process answers. Says nothing of what it depends on."""
    return json_response({"status": "alive"})


@blueprint.route("/readyz")
@blueprint.response(200, ReadySchema)
@blueprint.alt_response(503, schema=ReadySchema, description="Not ready: at least one check failed")
def ready() -> Response:
    """Database reachable and migrated, the right operator secret, the worker alive where this process runs one."""
    checks = health.checks(services())
    good = all(checks.values())
    return json_response({"status": "ready" if good else "not ready", "checks": checks}, 200 if good else 503)


@blueprint.route("/metrics")
@blueprint.response(200, {"type": "string"}, content_type="text/plain")
def metrics() -> Response:
    """Prometheus metrics of this process."""
    return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)
