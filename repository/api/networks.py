"""Networks of claims that were reported to a member, each as far as it may see it."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from matching.vocabulary import PURPOSES, RECORD_CLASSES
from repository.api import cursors
from repository.api.base import Blueprint, json_response, requires
from repository.api.context import current_actor, services
from repository.api.own import own_member, path_id, refusal
from repository.api.problems import ProblemError
from repository.domain.networks import LinkKind
from repository.domain.patterns import PatternName
from repository.services import network_reading
from repository.services.entitlements import DEFAULT_PURPOSE, RefusedError

blueprint = Blueprint("networks", __name__, description="Claims linked by the people in them, across members")

_PATTERNS = tuple(each.value for each in PatternName)
_LINKS = tuple(each.value for each in LinkKind)
_READERS = ("investigator", "member_admin")


class NetworkReadSchema(Schema):
    """What it is read for."""

    purpose = fields.String(validate=validate.OneOf(PURPOSES), load_default=DEFAULT_PURPOSE)


class NetworkQuerySchema(cursors.PageSchema, NetworkReadSchema):
    """A page of networks."""


class NetworkSchema(Schema):
    """A network that was reported to the own member: of what it may see now."""

    id = fields.String(required=True)
    raised_at = fields.AwareDateTime(required=True)
    score = fields.Float(required=True, metadata={"description": "Bits, of all patterns together"})
    patterns = fields.List(fields.String(validate=validate.OneOf(_PATTERNS)), required=True)
    claims = fields.Integer(required=True)
    members = fields.Integer(required=True)


class NetworkPageSchema(Schema):
    """A page of networks."""

    items = fields.List(fields.Nested(NetworkSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class NetworkNodeSchema(Schema):
    """A claim: of another member's, at tier 2, class and age; at 3 facts, and whose it is. Below there is no node."""

    node = fields.Integer(required=True)
    own = fields.Boolean(required=True)
    flag = fields.String()
    record_class = fields.String(data_key="class", required=True, validate=validate.OneOf(RECORD_CLASSES))
    age_band = fields.String(required=True)
    filing = fields.String()
    contributor = fields.String()
    line = fields.String()
    date = fields.Date()
    claim = fields.Dict(allow_none=True)
    labels = fields.Dict(allow_none=True)
    roles = fields.List(fields.String())
    reference = fields.String(metadata={"description": "Of an own claim"})


class NetworkEdgeSchema(Schema):
    """Two claims, by the numbers of their nodes, and what they have in common."""

    low = fields.Integer(data_key="from", required=True)
    high = fields.Integer(data_key="to", required=True)
    shared = fields.List(fields.String(validate=validate.OneOf(_LINKS)), required=True)


class NetworkRuleSchema(Schema):
    """A pattern that the network has, in figures and words, with the numbers of the nodes that it stands on."""

    pattern = fields.String(required=True, validate=validate.OneOf(_PATTERNS))
    bits = fields.Float(required=True)
    says = fields.String(required=True)
    would_change_it = fields.String(required=True)
    figures = fields.Dict(required=True)
    claims = fields.List(fields.Integer(), required=True)


class WholeNetworkSchema(NetworkSchema):
    """A network with what a page needs to draw it."""

    rulebook = fields.String(required=True)
    nodes = fields.List(fields.Nested(NetworkNodeSchema), required=True)
    edges = fields.List(fields.Nested(NetworkEdgeSchema), required=True)
    more_edges = fields.Boolean(required=True)
    measures = fields.Dict(required=True)
    rules = fields.List(fields.Nested(NetworkRuleSchema), required=True)


class CaseNetworksSchema(Schema):
    """The networks that the own claims of a case are in."""

    items = fields.List(fields.Nested(NetworkSchema), required=True)


@blueprint.route("/v1/networks")
@requires(*_READERS)
@blueprint.arguments(NetworkQuerySchema, location="query")
@blueprint.response(200, NetworkPageSchema)
def list_own(query: dict[str, Any]) -> Response:
    """The networks that were reported to the member, latest first. What may not be seen now is not there."""
    member = own_member()
    scope = ("networks", member.id, query["purpose"])
    position = cursors.decode(scope, query.get("cursor"), [str])
    before = str(position[0]) if position else None
    try:
        items, more = network_reading.list_own(
            services(), current_actor(), member, query["purpose"], before=before, limit=query["limit"]
        )
    except RefusedError as error:
        raise refusal(error.granted) from None
    return json_response({"items": items, "next_cursor": cursors.encode(scope, [items[-1]["id"]]) if more else None})


@blueprint.route("/v1/networks/<string:network_id>")
@requires(*_READERS)
@blueprint.arguments(NetworkReadSchema, location="query")
@blueprint.response(200, WholeNetworkSchema)
@blueprint.problems(404)
def show(query: dict[str, Any], network_id: str) -> Response:
    """One network: its claims as far as they may be seen, what links them, and the patterns in words."""
    wanted = path_id(network_id, "net")
    try:
        found = network_reading.one(services(), current_actor(), own_member(), wanted, query["purpose"])
    except RefusedError as error:
        raise refusal(error.granted) from None
    if found is None:
        raise ProblemError("not-found")
    return json_response(found)


@blueprint.route("/v1/cases/<string:case_id>/networks")
@requires(*_READERS)
@blueprint.arguments(NetworkReadSchema, location="query")
@blueprint.response(200, CaseNetworksSchema)
@blueprint.problems(404)
def of_case(query: dict[str, Any], case_id: str) -> Response:
    """The networks that the own claims of a case are in."""
    actor, member, purpose = current_actor(), own_member(), query["purpose"]
    try:
        items = network_reading.of_case(services(), actor, member, path_id(case_id, "cas"), purpose)
    except RefusedError as error:
        raise refusal(error.granted) from None
    if items is None:
        raise ProblemError("not-found")
    return json_response({"items": items})
