"""The rulebook in public (R9: the rules are published, the same for all): for programs, as the file, and as a page."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from flask import Response, render_template, request
from marshmallow import Schema, fields

from matching.vocabulary import RECORD_CLASSES
from repository.api.base import Blueprint, json_response, services
from repository.api.problems import ProblemError
from repository.domain.retention import LONGEST
from repository.domain.rulebook import Level, SubscriberClass
from repository.services import rulebook_words
from repository.services.rulebook_diff import changed_entries
from repository.services.rulebooks import BEGINNING, Edition

TOML = "application/toml"
blueprint = Blueprint(
    "rulebook", __name__, description="The numbers of the scheme's rules", template_folder="templates"
)

# The page brings its style with it, so that a saved copy is whole; the policy allows this one style and nothing else.
_STYLE = (Path(__file__).parent / "templates" / "rulebook.css").read_text("utf-8")
_STYLE_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_PAGE_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_DIGEST}'; frame-ancestors 'none'; base-uri 'none';"
    " form-action 'none'"
)


class DayQuerySchema(Schema):
    """A day to look at."""

    at = fields.Date(
        format="%Y-%m-%d",
        error_messages={"invalid": "A day as YYYY-MM-DD."},
        metadata={"description": "The rulebook in force on this day (UTC) instead of today's"},
    )


class EditionSchema(Schema):
    """Which rulebook it is."""

    version = fields.String(required=True)
    title = fields.String(required=True)
    digest = fields.String(required=True, metadata={"description": "SHA-256 of the file in hexadecimal"})
    effective_from = fields.Date(
        required=True, allow_none=True, metadata={"description": "First day (UTC); null: from the scheme's beginning"}
    )


class PublishedRulebookSchema(EditionSchema):
    """A rulebook, and the one that comes into force after it."""

    next = fields.Nested(EditionSchema, required=True, allow_none=True)
    rules = fields.Dict(required=True, metadata={"description": "Every entry, nested as the tables of the file"})


_AS_FILE = {"responses": {200: {"content": {TOML: {"schema": {"type": "string"}}}}}}


@blueprint.route("/v1/rulebook")
@blueprint.doc(**_AS_FILE)
@blueprint.response(200, PublishedRulebookSchema)
@blueprint.arguments(DayQuerySchema, location="query")
def current(query: dict[str, Any]) -> Response:
    """The rulebook in force today, or on the day `at`; the file itself where application/toml is asked for."""
    return _answer(_on(query))


@blueprint.route("/v1/rulebook.toml")
@blueprint.response(200, {"type": "string"}, content_type=TOML)
@blueprint.arguments(DayQuerySchema, location="query")
def file(query: dict[str, Any]) -> Response:
    """The rulebook in force today, or on the day `at`, as the very file that was loaded."""
    return _file(_on(query))


@blueprint.route("/v1/rulebook/<version>")
@blueprint.doc(**_AS_FILE)
@blueprint.response(200, PublishedRulebookSchema)
@blueprint.problems(404)
def by_version(version: str) -> Response:
    """A rulebook by its version, in force or not; the file itself where application/toml is asked for."""
    return _answer(_found(version))


@blueprint.route("/rulebook")
@blueprint.response(200, {"type": "string"}, content_type="text/html")
@blueprint.arguments(DayQuerySchema, location="query")
def page(query: dict[str, Any]) -> Response:
    """The rules in plain words, with the numbers in force today or on the day `at`: a page to read and to print."""
    return _page(_on(query))


@blueprint.route("/rulebook/<version>")
@blueprint.response(200, {"type": "string"}, content_type="text/html")
@blueprint.problems(404)
def page_by_version(version: str) -> Response:
    """The same page for a rulebook by its version."""
    return _page(_found(version))


def _today() -> date:
    return services().clock().date()


def _on(query: Mapping[str, Any]) -> Edition:
    return services().rulebooks.on(query.get("at") or _today())


def _found(version: str) -> Edition:
    edition = services().rulebooks.find(version)
    if edition is None:
        raise ProblemError("not-found")
    return edition


def _answer(edition: Edition) -> Response:
    preferred = request.accept_mimetypes.best_match(["application/json", TOML])
    response = _file(edition) if preferred == TOML else json_response(published(edition, _next(edition)))
    response.vary.add("Accept")
    return response


def _next(edition: Edition) -> Edition | None:
    return services().rulebooks.next_after(edition.effective_from)


def _file(edition: Edition) -> Response:
    name = f'inline; filename="rulebook-{edition.rulebook.version}.toml"'
    return Response(edition.text, mimetype=TOML, headers={"Content-Disposition": name})


def published(edition: Edition, following: Edition | None) -> dict[str, Any]:
    """A rulebook as JSON."""
    rules = {name: entry for name, entry in edition.entries.items() if name not in ("version", "title")}
    return _facts(edition) | {"next": _facts(following) if following else None, "rules": rules}


def _facts(edition: Edition) -> dict[str, Any]:
    since = edition.effective_from
    return {
        "version": edition.rulebook.version,
        "title": edition.rulebook.title,
        "digest": edition.rulebook.digest,
        "effective_from": since.isoformat() if since > BEGINNING else None,
    }


def _page(edition: Edition) -> Response:
    following = _next(edition)
    html = render_template(
        "rulebook.html",
        style=_STYLE,
        scheme=services().settings.scheme_name,
        edition=edition,
        since=edition.effective_from if edition.effective_from > BEGINNING else None,
        state=_state(edition),
        r=edition.entries,
        rulebook=edition.rulebook,
        following=following,
        changes=changed_entries(edition.entries, following.entries) if following else [],
        classes=RECORD_CLASSES,
        levels=[level.value for level in Level],
        subscribers=[each.value for each in SubscriberClass],
        example=rulebook_words.example(edition.rulebook),
        **_WORDS,
    )
    return Response(html, mimetype="text/html", headers={"Content-Security-Policy": _PAGE_POLICY})


def _state(edition: Edition) -> str:
    """Whether a rulebook is in force, was, or will be."""
    if services().rulebooks.on(_today()).rulebook.digest == edition.rulebook.digest:
        return "in force"
    return "not yet in force" if edition.effective_from > _today() else "no longer in force"


_WORDS: dict[str, Callable[..., object] | Mapping[str, object]] = {
    "share": rulebook_words.share,
    "number": rulebook_words.number,
    "many": rulebook_words.many,
    "listed": rulebook_words.listed,
    "value": rulebook_words.value,
    "level_words": rulebook_words.LEVELS,
    "class_words": rulebook_words.CLASSES,
    "tier_words": rulebook_words.TIERS,
    "kind_words": rulebook_words.KINDS,
    "basis_words": rulebook_words.BASES,
    "kinds": LONGEST,
}
