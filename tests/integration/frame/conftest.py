"""Views that tests probe the frame with."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from flask import Flask
from flask.typing import ResponseReturnValue
from marshmallow import Schema, fields, validate

from repository.api.base import Blueprint, current_actor, requires
from repository.api.idempotency import idempotent
from repository.api.problems import ProblemError

CANARY = "Zebedee-Quartermaine-1961"
"""A value that must never come back, in an answer or in a log."""


class InnerSchema(Schema):
    """Nested fields."""

    count = fields.Integer(required=True)


class ProbeSchema(Schema):
    """One field of each kind."""

    word = fields.String(required=True, validate=validate.OneOf(["yes", "no"]))
    day = fields.Date()
    inner = fields.Nested(InnerSchema)
    many = fields.List(fields.Nested(InnerSchema), validate=validate.Length(max=3))


class ProbeQuerySchema(Schema):
    """A query."""

    number = fields.Integer()


@dataclass
class Calls:
    """How often a view ran."""

    count: int = 0


@pytest.fixture
def calls() -> Calls:
    """Counts the calls of /probe/once."""
    return Calls()


@pytest.fixture
def app(app: Flask, calls: Calls) -> Flask:
    """Adds views under /probe: any actor, screeners, suspended members, a body, a query, a fault, an idempotent one."""
    blueprint = Blueprint("probe", __name__)

    @blueprint.route("/probe/any")
    @requires()
    def anyone() -> ResponseReturnValue:
        actor = current_actor()
        return {"actor": actor.id, "member": actor.member_id, "roles": sorted(actor.roles)}

    @blueprint.route("/probe/screener")
    @requires("screener")
    def screener() -> ResponseReturnValue:
        return {}

    @blueprint.route("/probe/suspended")
    @requires("contributor", while_suspended=True)
    def suspended() -> ResponseReturnValue:
        return {}

    @blueprint.route("/probe/body", methods=["POST"])
    @blueprint.arguments(ProbeSchema)
    def body(_body: object) -> ResponseReturnValue:
        return {}

    @blueprint.route("/probe/query")
    @blueprint.arguments(ProbeQuerySchema, location="query")
    def query(_query: object) -> ResponseReturnValue:
        return {}

    @blueprint.route("/probe/fault")
    def fault() -> ResponseReturnValue:
        raise RuntimeError(CANARY)

    @blueprint.route("/probe/once", methods=["POST"])
    @requires()
    @idempotent
    @blueprint.arguments(ProbeSchema)
    def once(_body: object) -> ResponseReturnValue:
        calls.count += 1
        if _body == {"word": "no"}:
            raise ProblemError("conflict")
        return {"calls": calls.count}, 201

    app.register_blueprint(blueprint)
    return app
