"""The member's own standing."""

from __future__ import annotations

from flask import Response
from marshmallow import Schema, fields

from repository.api.base import Blueprint, json_response, requires
from repository.api.context import services
from repository.api.own import own_member
from repository.services.standing import standing

blueprint = Blueprint("standing", __name__, description="What is given, and what may be seen for it")


class StandingMemberSchema(Schema):
    """Whose standing it is."""

    id = fields.String(required=True)
    name = fields.String(required=True)


class RuledSchema(Schema):
    """What a rule says: which one, on what figures, and what would change the answer."""

    rule = fields.String(required=True)
    figures = fields.Dict(required=True)
    detail = fields.String(required=True)
    remedy = fields.String(required=True)


class MembershipSchema(RuledSchema):
    """The membership under rule R1."""

    status = fields.String(required=True)
    lines = fields.List(fields.String(), required=True)
    agreement_signed_on = fields.Date(required=True, allow_none=True)
    attested_on = fields.Date(required=True, allow_none=True)
    allowed = fields.Boolean(required=True)


class ContributionSchema(Schema):
    """What was accepted of one class within the window."""

    record_class = fields.String(required=True, data_key="class")
    accepted_in_window = fields.Integer(required=True)
    last = fields.AwareDateTime(required=True)


class LineStandingSchema(RuledSchema):
    """One line under rule R2: contributions, the level they amount to, the tier for each class."""

    line = fields.String(required=True)
    level = fields.String(required=True)
    contributions = fields.List(fields.Nested(ContributionSchema), required=True)
    tiers = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    may_screen = fields.Boolean(required=True)


class StandingSchema(Schema):
    """The whole standing."""

    member = fields.Nested(StandingMemberSchema, required=True)
    membership = fields.Nested(MembershipSchema, required=True)
    rulebook = fields.String(required=True)
    window_days = fields.Integer(required=True)
    lines = fields.List(fields.Nested(LineStandingSchema), required=True)


@blueprint.route("/v1/standing")
@requires("screener", "contributor", "investigator", "member_admin", while_suspended=True)
@blueprint.response(200, StandingSchema)
def show() -> Response:
    """What the member contributes, what it may see for it, and what would change that."""
    return json_response(standing(services(), own_member()))
