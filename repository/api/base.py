"""What every blueprint is made with: the composition, the actor of the request, roles, and documented problems."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from copy import deepcopy
from http import HTTPStatus
from typing import Any, Protocol, TypeVar, cast

import flask_smorest  # type: ignore[import-untyped] # ships no types; Blueprint below gives it some
import orjson
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask, Response
from marshmallow import Schema, fields

from repository.api import tokens
from repository.api.catalogue import PROBLEM_TYPES
from repository.api.context import EXTENSION, current_actor, services
from repository.api.problems import MEDIA_TYPE, ProblemError
from repository.api.reading import Parser
from repository.domain.members import Actor, MemberStatus, Role, membership_refusal

__all__ = ["EXTENSION", "Api", "Blueprint", "current_actor", "json_response", "requires", "services"]

BEARER = "bearer"

_View = TypeVar("_View", bound=Callable[..., Any])


class Decorator(Protocol):
    """Takes a view and gives one of the same type."""

    def __call__(self, view: _View, /) -> _View:
        """Decorate."""
        ...


def json_response(body: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer built from plain dicts and lists, without a pass through a schema: for hot paths."""
    return Response(orjson.dumps(body), status, headers, mimetype="application/json")


def requires(*roles: str, while_suspended: bool = False, unless: Callable[[], bool] | None = None) -> Decorator:
    """Let a view be called with the access token of an actor that has one of the roles (any, if none is named).

    An actor of a member that is not active is refused under rule R1; `while_suspended` leaves the view open to
    suspended members (R6: they may still file, correct and answer). A request for which `unless` is true needs no
    actor; in the view it has none. Raises ValueError for an unknown role.
    """
    wanted = frozenset(Role(role) for role in roles)

    def decorate(view: _View) -> _View:
        @functools.wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if unless is None or not unless():
                tokens.verify_access(services())
                _check(current_actor(), wanted, while_suspended=while_suspended)
            return view(*args, **kwargs)

        apidoc = deepcopy(getattr(guarded, "_apidoc", {}))
        apidoc.setdefault("manual_doc", {})["security"] = [{BEARER: []}]
        responses = apidoc.setdefault("response", {}).setdefault("responses", {})
        for status in (401, 403):
            responses.setdefault(status, []).append(HTTPStatus(status).name)
        guarded._apidoc = apidoc  # type: ignore[attr-defined] # where flask-smorest looks for it
        return cast(_View, guarded)

    return decorate


def _check(actor: Actor, wanted: frozenset[Role], *, while_suspended: bool) -> None:
    if wanted and not wanted & actor.roles:
        roles = ", ".join(sorted(wanted))
        raise ProblemError("wrong-role", f"This needs one of the roles: {roles}.")
    if actor.member is None or (while_suspended and actor.member.status is MemberStatus.SUSPENDED):
        return
    refusal = membership_refusal(actor.member)
    if refusal:
        raise ProblemError.refused("membership", refusal)


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc] # untyped, see the import
    """A blueprint whose bodies and queries are read by our parser, and whose problems are documented by status.

    The overrides only give types to what flask-smorest leaves untyped.
    """

    ARGUMENTS_PARSER = Parser()

    def route(self, rule: str, *, methods: Sequence[str] = ("GET",)) -> Decorator:
        """Serve and document a view at an address such as /v1/hits/<hit_id>."""
        return cast(Decorator, super().route(rule, methods=list(methods)))

    def arguments(self, schema: type[Schema] | Schema, *, location: str = "json", **options: Any) -> Decorator:
        """Read the body, or with `location="query"` the query, by a schema: the first argument of the view."""
        # One instance: of a class each request would make another, with a copy of every field.
        made = schema() if isinstance(schema, type) else schema
        return cast(Decorator, super().arguments(made, location=location, **options))

    def response(
        self, status: int, schema: type[Schema] | Schema | dict[str, Any] | None = None, **options: Any
    ) -> Decorator:
        """Document the answer; a Response that a view returns (see `json_response`) is left as it is."""
        return cast(Decorator, super().response(status, schema, **options))

    def alt_response(self, status: int, response: str | None = None, **options: Any) -> Decorator:
        """Document another answer."""
        return cast(Decorator, super().alt_response(status, response, **options))

    @staticmethod
    def doc(**parts: Any) -> Decorator:
        """Add to the documentation of a view, word for word."""
        return cast(Decorator, flask_smorest.Blueprint.doc(**parts))

    def problems(self, *statuses: int) -> Decorator:
        """Document the problems a view may answer with; 401 and 403 come with `requires`, 422 with `arguments`."""

        def decorate(view: _View) -> _View:
            for status in statuses:
                view = self.alt_response(status, HTTPStatus(status).name)(view)
            return view

        return decorate


class FieldProblemSchema(Schema):
    """One field at fault."""

    field = fields.String(required=True, metadata={"description": "Path, such as subjects[0].keys"})
    expected = fields.String(required=True)


class ProblemSchema(Schema):
    """A problem as in RFC 9457. Refusals under the scheme's rules also have rule, figures, remedy and the decision."""

    type = fields.String(required=True, metadata={"format": "uri-reference"})
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    instance = fields.String(metadata={"format": "uri-reference"})
    errors = fields.List(fields.Nested(FieldProblemSchema))
    rule = fields.String()
    figures = fields.Dict()
    remedy = fields.String()
    rulebook = fields.String()
    decision = fields.String(metadata={"description": "The id under which it is stored; an appeal names it"})


class Api(flask_smorest.Api):  # type: ignore[misc] # untyped, see the import
    """The OpenAPI document, with every error response a problem. It is written when it is first asked for."""

    ERROR_SCHEMA = ProblemSchema

    def __init__(self, app: Flask, **options: Any) -> None:
        self._undocumented: list[Blueprint] = []
        self._writing = threading.Lock()
        super().__init__(app, **options)

    def register_blueprint(self, blueprint: Blueprint) -> None:
        """Serve a blueprint now, and document it with the others."""
        self._app.extensions["flask-smorest"]["blp_name_to_api"][blueprint.name] = self
        self._app.register_blueprint(blueprint)
        self._undocumented.append(blueprint)

    def _openapi_json(self) -> Response:
        with self._writing:
            if self._undocumented:
                self._describe_problems()
            while self._undocumented:
                blueprint = self._undocumented.pop(0)
                blueprint.register_views_in_doc(self, self._app, self.spec, name=blueprint.name, parameters=None)
                self.spec.tag({"name": blueprint.name, "description": blueprint.description})
        return cast(Response, super()._openapi_json())

    def _register_responses(self) -> None:
        """Nothing yet: the document is written when it is first asked for."""

    def _describe_problems(self) -> None:
        for status in HTTPStatus:
            if status < 400:
                continue
            kinds = [kind.slug for kind in PROBLEM_TYPES.values() if kind.status == status]
            described = f"{status.phrase} ({', '.join(kinds)})" if kinds else status.phrase
            self._register_problem(status.name, described)
        self._register_problem("DEFAULT_ERROR", "Any other problem")

    def _register_problem(self, name: str, description: str) -> None:
        response = {"description": description, "content": {MEDIA_TYPE: {"schema": ProblemSchema}}}
        self.spec.components.response(name, response, lazy=True)

    def _register_error_handlers(self) -> None:
        """Nothing: repository.api.problems answers every error."""

    @staticmethod
    def plugin() -> MarshmallowPlugin:
        """Names schemas in the document by their class, without the suffix Schema."""
        return MarshmallowPlugin(schema_name_resolver=_schema_name)


def _schema_name(schema: type[Schema] | Schema | str) -> str:
    kind = schema if isinstance(schema, type) else type(schema)
    return kind.__name__.removesuffix("Schema")
