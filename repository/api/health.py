"""Is the process alive, is it ready for traffic, and what has it counted."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, Response, current_app
from marshmallow import Schema, fields
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from repository.api.base import Blueprint, json_response, services
from repository.services import health

_CHECKS = "frankpledge.checks"

blueprint = Blueprint("health", __name__, description="For orchestrators and monitoring")


def also(app: Flask, name: str, check: Callable[[], bool]) -> None:
    """Make readiness of an application depend on one more thing, which only the composition knows of."""
    app.extensions.setdefault(_CHECKS, {})[name] = check


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
    further: dict[str, Callable[[], bool]] = current_app.extensions.get(_CHECKS, {})
    checks = health.checks(services()) | {name: check() for name, check in further.items()}
    good = all(checks.values())
    return json_response({"status": "ready" if good else "not ready", "checks": checks}, 200 if good else 503)


@blueprint.route("/metrics")
@blueprint.response(200, {"type": "string"}, content_type="text/plain")
def metrics() -> Response:
    """Prometheus metrics of this process."""
    return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)
