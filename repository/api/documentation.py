"""The OpenAPI document, the page to browse it, and the text of each problem: all served from this machine."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Blueprint as PlainBlueprint
from flask import Flask, Response

from repository import __version__
from repository.api.base import BEARER, Api, Blueprint
from repository.api.catalogue import PROBLEM_TYPES
from repository.api.problems import ProblemError

_DESCRIPTION = """A shared fraud register. Members contribute encoded records, and may ask as far as they contribute.

Nothing that identifies a person is sent or stored: subjects are encoded by the member's kit. Errors are problems as in
RFC 9457 and never repeat a value."""

pages = PlainBlueprint("pages", __name__)


def install(app: Flask, blueprints: Iterable[Blueprint]) -> None:
    """Register the blueprints, document them, and serve the documentation."""
    app.config.update(
        API_TITLE="Frankpledge",
        API_VERSION=__version__,
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/v1",
        OPENAPI_JSON_PATH="openapi.json",
    )
    about = {"description": _DESCRIPTION, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}}
    api = Api(app, spec_kwargs={"marshmallow_plugin": Api.plugin(), "info": about})
    scheme = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    api.spec.components.security_scheme(BEARER, scheme)
    for blueprint in blueprints:
        api.register_blueprint(blueprint)
    app.register_blueprint(pages)


@pages.get("/v1/problems/<slug>")
def problem_text(slug: str) -> Response:
    """What a kind of problem means, as plain text."""
    kind = PROBLEM_TYPES.get(slug)
    if kind is None:
        raise ProblemError("not-found")
    text = f"{kind.title} ({kind.status})\n\n{kind.text}\n"
    return Response(text, mimetype="text/plain", headers={"Cache-Control": "public, max-age=3600"})
