"""The member's own decisions: every allow and every deny, and why."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from repository.api import cursors
from repository.api.base import Blueprint, json_response, requires
from repository.api.context import services
from repository.api.own import own_member, path_id
from repository.api.problems import ProblemError
from repository.services import explanation

blueprint = Blueprint("decisions", __name__, description="What was allowed or refused, and why")

_ACTION = "What was asked: screening, hits, standing, ..."
_REPLAYED = "Whether it came out the same when it was taken again, from what is stored of it, for this answer"
_CAPS = "The rule that lowers the tier, where one does"


class DecisionRulebookSchema(Schema):
    """The rulebook that was applied: GET /v1/rulebook/{version} has its text."""

    version = fields.String(required=True)
    digest = fields.String(required=True, allow_none=True, metadata={"description": "SHA-256 of the file, in hex"})


class DecisionSchema(Schema):
    """A decision: what was asked, and the rule that allowed or refused it."""

    id = fields.String(required=True)
    at = fields.AwareDateTime(required=True)
    actor = fields.String(required=True, metadata={"description": "Who asked, of the member"})
    action = fields.String(required=True, metadata={"description": _ACTION})
    purpose = fields.String(required=True, allow_none=True)
    line = fields.String(required=True, allow_none=True)
    asked = fields.Integer(required=True, allow_none=True, metadata={"description": "How many questions at once"})
    allowed = fields.Boolean(required=True)
    rule = fields.String(required=True)
    rulebook = fields.Nested(DecisionRulebookSchema, required=True)


class WorkingSchema(Schema):
    """One sum, and what it is of."""

    about = fields.String(required=True)
    sum = fields.String(required=True)


class SeenSchema(Schema):
    """The tier at which a class of a line was seen."""

    line = fields.String(required=True)
    record_class = fields.String(required=True, data_key="class")
    tier = fields.Integer(required=True)
    lowered_by = fields.String(required=True, allow_none=True, metadata={"description": _CAPS})


class ExplanationSchema(DecisionSchema):
    """A decision explained: the rule, the sums as one does them with a pencil, the ladder, what would change it."""

    figures = fields.Dict(required=True)
    replayed = fields.Boolean(required=True, metadata={"description": _REPLAYED})
    rule_says = fields.String(required=True)
    because = fields.String(required=True)
    workings = fields.List(fields.Nested(WorkingSchema), required=True)
    ladder = fields.String(required=True, metadata={"description": "The line's step and since when (R6)"})
    remedy = fields.String(required=True, metadata={"description": "What would change the answer"})
    appeal = fields.String(required=True, metadata={"description": "How to appeal (R9)"})
    seen = fields.List(fields.Nested(SeenSchema), required=True)


class DecisionPageSchema(Schema):
    """A page of decisions."""

    items = fields.List(fields.Nested(DecisionSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class DecisionQuerySchema(cursors.PageSchema):
    """Which decisions: of some days (UTC, both included), of one action, refusals only."""

    since = fields.Date()
    until = fields.Date()
    action = fields.String(validate=validate.Length(1, 40))
    refused = fields.Boolean(truthy={"true"}, falsy={"false"}, load_default=False)


@blueprint.route("/v1/decisions")
@requires("investigator", "member_admin", while_suspended=True)
@blueprint.arguments(DecisionQuerySchema, location="query")
@blueprint.response(200, DecisionPageSchema)
def list_own(query: dict[str, Any]) -> Response:
    """The decisions taken on the member's own requests, latest first."""
    member = own_member()
    filters = {name: query.get(name) for name in ("action", "refused")}
    days = query.get("since"), query.get("until")
    scope = ("decisions", member.id, *days, *filters.values())
    position = cursors.decode(scope, query.get("cursor"), [str])
    chosen = explanation.between(*days, member_id=member.id, **filters)
    before = str(position[0]) if position else None
    with services().database.reading() as connection:
        items, more = explanation.listed(connection, chosen, before, query["limit"])
    return json_response({"items": items, "next_cursor": cursors.encode(scope, [items[-1]["id"]]) if more else None})


@blueprint.route("/v1/decisions/<string:decision_id>")
@requires("investigator", "member_admin", while_suspended=True)
@blueprint.response(200, ExplanationSchema)
@blueprint.problems(404)
def show(decision_id: str) -> Response:
    """Why one of the member's requests was allowed or refused. Those of others are not found."""
    member, wanted = own_member(), path_id(decision_id, "dec")
    with services().database.reading() as connection:
        found = explanation.explain(connection, wanted, member.id)
    if found is None:
        raise ProblemError("not-found")
    return json_response(found)
