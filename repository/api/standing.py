"""The member's own standing."""

from __future__ import annotations

from flask import Response
from marshmallow import Schema, fields

from repository.api.base import Blueprint, json_response, requires
from repository.api.context import current_actor, services
from repository.api.own import own_member
from repository.services.standing import standing

blueprint = Blueprint("standing", __name__, description="What is given, and what may be seen for it")

_COVENANT = "The day on which full contribution is due; what is due grows day by day until then"
_MAY_ASK = "The day from which the ramp lets the line ask, if it goes on so; null before the back book is loaded"
_CAPS = "The rule that lowers the tier of a class, where one does"


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


class StandingGrantSchema(Schema):
    """What a member that never contributes may ask (R7)."""

    lines = fields.List(fields.String(), required=True)
    classes = fields.List(fields.String(), required=True)
    purposes = fields.List(fields.String(), required=True)
    tier = fields.Integer(required=True)
    quota_per_day = fields.Integer(required=True)
    expires_on = fields.Date(required=True)


class StandingMembershipSchema(RuledSchema):
    """The membership: R1, the ramp (R5), and the grant of who never contributes (R7)."""

    status = fields.String(required=True)
    lines = fields.List(fields.String(), required=True)
    agreement_signed_on = fields.Date(required=True, allow_none=True)
    attested_on = fields.Date(required=True, allow_none=True)
    subscriber = fields.String(required=True, allow_none=True, metadata={"description": "Class of a non-contributor"})
    grant = fields.Nested(StandingGrantSchema, required=True, allow_none=True)
    ramp = fields.String(required=True)
    covenant_until = fields.Date(required=True, allow_none=True, metadata={"description": _COVENANT})
    allowed = fields.Boolean(required=True)


class ContributionSchema(Schema):
    """What was accepted of one class within the window."""

    record_class = fields.String(required=True, data_key="class")
    accepted_in_window = fields.Integer(required=True)
    last = fields.AwareDateTime(required=True)


class MeasureSchema(Schema):
    """One measure with its arithmetic: value = (met + allowance) / (target x total), at most 1; 1 when total is 0."""

    name = fields.String(required=True)
    met = fields.Float(required=True)
    allowance = fields.Float(required=True, metadata={"description": "What chance alone may make of it"})
    total = fields.Float(required=True)
    target = fields.Float(required=True)
    value = fields.Float(required=True)


class ClassStandingSchema(Schema):
    """One class of a line. The score is the product of the measures' values."""

    record_class = fields.String(required=True, data_key="class")
    per_month = fields.Integer(required=True, metadata={"description": "The volume declared"})
    accepted = fields.Integer(required=True, metadata={"description": "Within the window, without those that are thin"})
    thin = fields.Integer(required=True, metadata={"description": "With too few keys in every subject"})
    uncorroborated = fields.Integer(required=True, metadata={"description": "Such as nobody else ever meets"})
    judged = fields.Boolean(required=True, metadata={"description": "Whether its score counts for the line's"})
    measures = fields.List(fields.Nested(MeasureSchema), required=True)
    score = fields.Float(required=True)
    contribution = fields.Nested(MeasureSchema, required=True)
    contributed_over = fields.Integer(required=True, metadata={"description": "The days its contribution is of"})
    counts = fields.Boolean(required=True, metadata={"description": "Whether it counts as contributed (R2)"})


class QuotaSchema(Schema):
    """R10: how much may be asked a day and a minute (UTC), and how much was."""

    per_day = fields.Integer(required=True)
    used = fields.Integer(required=True)
    per_minute = fields.Integer(required=True)
    used_this_minute = fields.Integer(required=True)


class LineStandingSchema(RuledSchema):
    """One line: what is given (R2), its score (R3, the least of its classes'), the ladder's step (R6), the tiers."""

    line = fields.String(required=True)
    level = fields.String(required=True)
    contribution = fields.Nested(MeasureSchema, required=True, metadata={"description": "That of all classes (R2)"})
    met = fields.Integer(required=True, metadata={"description": "Records that met another member's"})
    met_needed = fields.Float(required=True, metadata={"description": "How many have to, before any class counts"})
    score = fields.Float(required=True)
    step = fields.String(required=True)
    below_since = fields.Date(required=True, allow_none=True)
    next_step = fields.String(required=True, allow_none=True)
    next_on = fields.Date(required=True, allow_none=True, metadata={"description": "If it stays below target"})
    may_ask_from = fields.Date(required=True, allow_none=True, metadata={"description": _MAY_ASK})
    improve = fields.String(required=True, metadata={"description": "The smallest thing that would help"})
    contributions = fields.List(fields.Nested(ContributionSchema), required=True)
    classes = fields.List(fields.Nested(ClassStandingSchema), required=True)
    tiers = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    lowered_by = fields.Dict(
        keys=fields.String(), values=fields.String(), required=True, metadata={"description": _CAPS}
    )
    may_screen = fields.Boolean(required=True)


class StandingSchema(Schema):
    """The whole standing."""

    member = fields.Nested(StandingMemberSchema, required=True)
    membership = fields.Nested(StandingMembershipSchema, required=True)
    on = fields.Date(required=True)
    rulebook = fields.String(required=True)
    quota = fields.Nested(QuotaSchema, required=True)
    window_days = fields.Integer(required=True)
    lines = fields.List(fields.Nested(LineStandingSchema), required=True)


@blueprint.route("/v1/standing")
@requires("screener", "contributor", "investigator", "member_admin", while_suspended=True)
@blueprint.response(200, StandingSchema)
def show() -> Response:
    """What the member contributes, what it may see for it, and what would change that."""
    return json_response(standing(services(), current_actor(), own_member()))
