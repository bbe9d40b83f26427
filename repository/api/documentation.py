"""The OpenAPI document, the page to browse it, and the text of each problem: all served from this machine."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from flask import Blueprint as PlainBlueprint
from flask import Flask, Response, send_file

from repository import __version__
from repository.api.base import BEARER, Api, Blueprint
from repository.api.catalogue import PROBLEM_TYPES
from repository.api.problems import ProblemError

_DESCRIPTION = """A shared fraud register. Members contribute encoded records, and may ask as far as they contribute.

Nothing that identifies a person is sent or stored: subjects are encoded by the member's kit. Errors are problems as in
RFC 9457 and never repeat a value."""

_OWN = Path(__file__).parent / "static"
_OWN_FILES = {"start.js": "text/javascript"}
_SWAGGER_FILES = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "index.css": "text/css",
    "favicon-32x32.png": "image/png",
}
# Swagger UI sets style attributes; scripts are files of ours only, and nothing is asked of another host.
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self';"
    " frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)

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


@pages.get("/v1/docs")
def browse() -> Response:
    """The page on which the interface can be browsed and tried."""
    html = (_OWN / "docs.html").read_bytes()
    return Response(html, mimetype="text/html", headers={"Content-Security-Policy": _PAGE_POLICY})


@pages.get("/v1/docs/<name>")
def asset(name: str) -> Response:
    """A file of that page: ours, or of the Swagger UI that the package flask-swagger-ui carries."""
    if name in _OWN_FILES:
        return Response((_OWN / name).read_bytes(), mimetype=_OWN_FILES[name])
    if name in _SWAGGER_FILES:
        return send_file(_swagger_ui() / name, mimetype=_SWAGGER_FILES[name], max_age=3600)
    raise ProblemError("not-found")


def _swagger_ui() -> Path:
    spec = find_spec("flask_swagger_ui")
    if spec is None or spec.origin is None:
        raise ProblemError("unavailable")
    return Path(spec.origin).parent / "dist"


@pages.get("/v1/problems/<slug>")
def problem_text(slug: str) -> Response:
    """What a kind of problem means, as plain text."""
    kind = PROBLEM_TYPES.get(slug)
    if kind is None:
        raise ProblemError("not-found")
    text = f"{kind.title} ({kind.status})\n\n{kind.text}\n"
    return Response(text, mimetype="text/plain", headers={"Cache-Control": "public, max-age=3600"})
