"""The member's own membership: what it rests on, and what the member itself does about it."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Response
from marshmallow import Schema, ValidationError, fields, validate

from matching.vocabulary import LINES, RECORD_CLASSES
from repository.api import cursors
from repository.api.base import Blueprint, json_response, requires
from repository.api.cases import act, own_row, problems
from repository.api.context import services
from repository.api.own import own_member
from repository.api.problems import FieldProblem, ProblemError
from repository.domain.members import MemberStatus
from repository.domain.membership import MOST_PER_MONTH, CaseStatus, Declaration
from repository.domain.standing import Ramp, Step
from repository.services import membership, overview
from repository.services.lifecycle import LONGEST_REASON, given_reason

blueprint = Blueprint("membership", __name__, description="The own membership, from admission to withdrawal")

_MONTH = r"^\d{4}-(0[1-9]|1[0-2])$"
_SENTENCE = validate.Length(1, LONGEST_REASON)


class SaidField(fields.Boolean):
    """Something that has to be said: true, and nothing that merely passes for it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:  # noqa: ARG002
        if value is not True:
            raise ValidationError("Expected true.")
        return True


class MembershipMemberSchema(Schema):
    """Whose membership it is."""

    id = fields.String(required=True)
    name = fields.String(required=True)


class AgreementSchema(Schema):
    """The agreement in force."""

    version = fields.String(required=True, allow_none=True)
    signed_on = fields.Date(required=True, allow_none=True)


class AttestationSchema(Schema):
    """The last yearly attestation, and the last day on which it holds."""

    attested_on = fields.Date(required=True, allow_none=True)
    holds_until = fields.Date(required=True, allow_none=True)
    holds = fields.Boolean(required=True)


class RampSchema(Schema):
    """How the member started (R5)."""

    kind = fields.String(required=True, validate=validate.OneOf([each.value for each in Ramp]))
    covenant_until = fields.Date(required=True, allow_none=True)
    back_book_on = fields.Date(required=True, allow_none=True)


class GrantSchema(Schema):
    """What a member that never contributes may ask (R7), and until when."""

    id = fields.String(required=True)
    record_class = fields.String(required=True, data_key="class")
    lines = fields.List(fields.String(), required=True)
    classes = fields.List(fields.String(), required=True)
    purposes = fields.List(fields.String(), required=True)
    tier = fields.Integer(required=True)
    quota_per_day = fields.Integer(required=True)
    expires_on = fields.Date(required=True)
    holds = fields.Boolean(required=True)


class DeclaredSchema(Schema):
    """What is going to be filed of a class of a line in a month (R4), and since when that holds."""

    line = fields.String(required=True)
    record_class = fields.String(required=True, data_key="class")
    per_month = fields.Integer(required=True)
    since = fields.Date(required=True, data_key="from")
    declared_at = fields.AwareDateTime(required=True)
    holds = fields.Boolean(required=True, metadata={"description": "Whether it is the one in force today"})


class StepSchema(Schema):
    """The last known step of a line on the ladder (R6); a line that was always good has none."""

    line = fields.String(required=True)
    step = fields.String(required=True, validate=validate.OneOf([each.value for each in Step]))
    since = fields.Date(required=True)
    below_since = fields.Date(required=True, allow_none=True)


class OwnApplicationSchema(Schema):
    """The application on which the member was admitted."""

    id = fields.String(required=True)
    entered_at = fields.AwareDateTime(required=True)
    due_on = fields.Date(required=True)
    status = fields.String(required=True)
    decided_at = fields.AwareDateTime(required=True, allow_none=True)


class OwnAppealSchema(Schema):
    """An appeal of the member."""

    id = fields.String(required=True)
    against = fields.String(required=True, metadata={"description": "Id of the decision or event"})
    grounds = fields.String(required=True)
    entered_at = fields.AwareDateTime(required=True)
    due_on = fields.Date(required=True)
    overdue = fields.Boolean(required=True)
    status = fields.String(required=True, validate=validate.OneOf([each.value for each in CaseStatus]))
    decided_at = fields.AwareDateTime(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)


class MembershipEventSchema(Schema):
    """Something that happened to the membership: by whom, under which rule, why, with its figures."""

    id = fields.String(required=True)
    at = fields.AwareDateTime(required=True)
    kind = fields.String(required=True)
    by = fields.String(required=True, metadata={"description": "Id of an own actor, `operator` or `system`"})
    rule = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)
    subject = fields.String(required=True, allow_none=True)
    figures = fields.Dict(required=True)


class OwnMembershipSchema(Schema):
    """The whole membership; `history` has its latest events, GET /v1/membership/history all of them."""

    member = fields.Nested(MembershipMemberSchema, required=True)
    status = fields.String(required=True, validate=validate.OneOf([each.value for each in MemberStatus]))
    status_since = fields.AwareDateTime(required=True)
    lines = fields.List(fields.String(), required=True)
    admitted_on = fields.Date(required=True)
    agreement = fields.Nested(AgreementSchema, required=True)
    attestation = fields.Nested(AttestationSchema, required=True)
    ramp = fields.Nested(RampSchema, required=True)
    subscriber = fields.String(required=True, allow_none=True)
    grant = fields.Nested(GrantSchema, required=True, allow_none=True)
    declarations = fields.List(fields.Nested(DeclaredSchema), required=True)
    steps = fields.List(fields.Nested(StepSchema), required=True)
    application = fields.Nested(OwnApplicationSchema, required=True, allow_none=True)
    appeals = fields.List(fields.Nested(OwnAppealSchema), required=True)
    history = fields.List(fields.Nested(MembershipEventSchema), required=True)


class MembershipHistorySchema(Schema):
    """A page of events."""

    items = fields.List(fields.Nested(MembershipEventSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class AttestingSchema(Schema):
    """The yearly attestation: that the declared volumes are true, and that the privacy notices are given."""

    volumes_true = SaidField(required=True)
    privacy_notice = SaidField(required=True)


class DeclaringSchema(Schema):
    """What is going to be filed of a class of a line in a month, from a month on."""

    line = fields.String(required=True, validate=validate.OneOf(LINES))
    record_class = fields.String(required=True, data_key="class", validate=validate.OneOf(RECORD_CLASSES))
    per_month = fields.Integer(required=True, strict=True, validate=validate.Range(0, MOST_PER_MONTH))
    month = fields.String(
        required=True, data_key="from", validate=validate.Regexp(_MONTH), metadata={"description": "YYYY-MM"}
    )


class DeclarationSchema(Schema):
    """What was declared, and the first day it holds for."""

    line = fields.String(required=True)
    record_class = fields.String(required=True, data_key="class")
    per_month = fields.Integer(required=True)
    since = fields.Date(required=True, data_key="from")


class BackBookSchema(Schema):
    """From which day the clean days count."""

    back_book_on = fields.Date(required=True)


class WithdrawingSchema(Schema):
    """Why the member leaves, and that it knows that there is no way back."""

    reason = fields.String(required=True, validate=_SENTENCE)
    for_good = SaidField(required=True)


class WithdrawnSchema(Schema):
    """The end of a membership."""

    status = fields.String(required=True)
    at = fields.AwareDateTime(required=True)


@blueprint.route("/v1/membership")
@requires("screener", "contributor", "investigator", "member_admin", while_suspended=True)
@blueprint.response(200, OwnMembershipSchema)
def show() -> Response:
    """The own membership: agreement, attestation, ramp, volumes declared, ladder, cases, and its latest events."""
    with services().database.read() as session:
        row = own_row(session)
        today = services().clock().date()
        return json_response(overview.overview(session, row, services().rulebook, today, to_member=True))


@blueprint.route("/v1/membership/history")
@requires("screener", "contributor", "investigator", "member_admin", while_suspended=True)
@blueprint.arguments(cursors.PageSchema, location="query")
@blueprint.response(200, MembershipHistorySchema)
def history(query: dict[str, Any]) -> Response:
    """All that happened to the own membership, latest first."""
    member_id = own_member().id
    scope = ("membership-history", member_id)
    position = cursors.decode(scope, query.get("cursor"), [str])
    before = str(position[0]) if position else None
    with services().database.read() as session:
        items, more = overview.history(session, member_id, before=before, limit=query["limit"], to_member=True)
    return json_response({"items": items, "next_cursor": cursors.encode(scope, [items[-1]["id"]]) if more else None})


@blueprint.route("/v1/attestations", methods=["POST"])
@requires("member_admin", while_suspended=True)
@blueprint.arguments(AttestingSchema)
@blueprint.response(201, AttestationSchema)
@blueprint.problems(400, 413, 415)
def attest(_body: dict[str, Any]) -> Response:
    """Attest for a year from today that what was declared is true and that privacy notices are given (R1)."""
    today = services().clock().date()
    with services().database.write() as session, problems():
        row = own_row(session, to_change=True)
        membership.attest(session, row, act("volumes true, privacy notices given"), today)
        return json_response(overview.attestation(row, services().rulebook, today), 201)


@blueprint.route("/v1/declarations", methods=["POST"])
@requires("member_admin", while_suspended=True)
@blueprint.arguments(DeclaringSchema)
@blueprint.response(201, DeclarationSchema)
@blueprint.problems(400, 409, 413, 415)
def declare(body: dict[str, Any]) -> Response:
    """Declare a volume a month from a month on (R4). Days that are over keep the declaration they were judged under."""
    try:
        month = date.fromisoformat(f"{body['month']}-01")
    except ValueError:
        raise ProblemError("invalid", errors=[FieldProblem(field="from", expected="a month as YYYY-MM")]) from None
    volume = Declaration(body["line"], body["record_class"], body["per_month"], month)
    with services().database.write() as session, problems():
        since = membership.declare(session, own_row(session, to_change=True), act(), volume)
    made = {"line": volume.line, "class": volume.record_class, "per_month": volume.per_month}
    return json_response(made | {"from": since.isoformat()}, 201)


@blueprint.route("/v1/back-book", methods=["POST"])
@requires("member_admin", while_suspended=True)
@blueprint.response(201, BackBookSchema)
@blueprint.problems(409)
def load_back_book() -> Response:
    """Say, once, that what was held before is filed; the clean days of a member that contributes first begin (R5)."""
    with services().database.write() as session, problems():
        day = membership.load_back_book(session, own_row(session, to_change=True), act())
    return json_response({"back_book_on": day.isoformat()}, 201)


@blueprint.route("/v1/withdrawal", methods=["POST"])
@requires("member_admin", while_suspended=True)
@blueprint.arguments(WithdrawingSchema)
@blueprint.response(200, WithdrawnSchema)
@blueprint.problems(400, 409, 413, 415)
def withdraw(body: dict[str, Any]) -> Response:
    """Leave the scheme, for good."""
    with services().database.write() as session, problems():
        doing = act(given_reason(body["reason"]))
        membership.change_status(session, own_row(session, to_change=True), doing, MemberStatus.WITHDRAWN)
    return json_response({"status": MemberStatus.WITHDRAWN.value, "at": doing.now.isoformat()})
