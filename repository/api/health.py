"""Is the process alive, is it ready for traffic, and what has it counted.

The counters are not for everyone: who files and then sees a counter of hits move knows what only a tier may tell.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable

from flask import Flask, Response, current_app, request
from marshmallow import Schema, fields
from prometheus_client import CONTENT_TYPE_LATEST

from repository import metrics
from repository.api.base import Blueprint, json_response, requires, services
from repository.services import gauges, health
from repository.settings import Settings, read_metrics_token

_CHECKS = "frankpledge.checks"
_SCRAPER = "frankpledge.scraper"

blueprint = Blueprint("health", __name__, description="For orchestrators and monitoring")


def install(app: Flask, settings: Settings) -> None:
    """Read the token that may scrape the metrics; raises SettingsError when its file is unsafe."""
    app.extensions[_SCRAPER] = read_metrics_token(settings.metrics_token_file)


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


def _scraping() -> bool:
    token: bytes | None = current_app.extensions[_SCRAPER]
    kind, _, sent = request.headers.get("Authorization", "").partition(" ")
    return token is not None and kind == "Bearer" and hmac.compare_digest(sent.encode(errors="replace"), token)


@blueprint.route("/metrics")
@requires("operator", "auditor", unless=_scraping)
@blueprint.response(200, {"type": "string"}, content_type="text/plain")
def scrape() -> Response:
    """Prometheus metrics, for operators, auditors, and who has the operator's token for metrics.

    Of every process that serves or works here, where they share a directory for it (FRANKPLEDGE_METRICS_DIR).
    """
    return Response(metrics.exposition(gauges.reading(services())), content_type=CONTENT_TYPE_LATEST)
