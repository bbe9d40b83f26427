"""Appeals: entered by members against what befell them, decided by an operator who did not do it."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from repository.api.base import Blueprint, json_response, requires
from repository.api.cases import act, clocks, page, problems, wanted
from repository.api.context import current_actor, services
from repository.api.cursors import PageSchema
from repository.api.own import path_id
from repository.api.problems import ProblemError
from repository.domain.membership import CaseStatus, Verdict
from repository.services import appeals
from repository.services.appeals import Appealing
from repository.services.lifecycle import LONGEST_REASON

blueprint = Blueprint("appeals", __name__, description="Appeals, and how they are decided")

STATUSES = (CaseStatus.OPEN.value, CaseStatus.UPHELD.value, CaseStatus.DISMISSED.value)
_REASON = validate.Length(1, LONGEST_REASON)
_AGAINST = "Id of an own decision (dec_...) or event (evt_...); for operators, of a refused application (app_...)"


class AppealingSchema(Schema):
    """What is appealed against, and why."""

    against = fields.String(required=True, validate=validate.Length(1, 64), metadata={"description": _AGAINST})
    grounds = fields.String(required=True, validate=_REASON)


class AppealSchema(Schema):
    """An appeal. `due_on` is its clock (R9). The last four fields are for operators only."""

    id = fields.String(required=True)
    against = fields.String(required=True)
    grounds = fields.String(required=True)
    entered_at = fields.AwareDateTime(required=True)
    due_on = fields.Date(required=True)
    overdue = fields.Boolean(required=True)
    status = fields.String(required=True, validate=validate.OneOf(STATUSES))
    decided_at = fields.AwareDateTime(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)
    member = fields.String(allow_none=True)
    entered_by = fields.String()
    taken_by = fields.String(metadata={"description": "Who took what is appealed against"})
    decided_by = fields.String(allow_none=True)


class AppealsSchema(Schema):
    """A page of appeals, those due first first."""

    items = fields.List(fields.Nested(AppealSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class AppealQuerySchema(PageSchema):
    """Which appeals: all, or those of one status."""

    status = fields.String(validate=validate.OneOf(STATUSES))


class DecidingAppealSchema(Schema):
    """The officer's decision."""

    uphold = fields.Boolean(required=True)
    reason = fields.String(required=True, validate=_REASON)


@blueprint.route("/v1/appeals", methods=["POST"])
@requires("member_admin", "operator", while_suspended=True)
@blueprint.arguments(AppealingSchema)
@blueprint.response(201, AppealSchema)
@blueprint.problems(400, 404, 409, 413, 415)
def enter(body: dict[str, Any]) -> Response:
    """Appeal against a decision or event of the own membership; for operators, enter that of a refused applicant."""
    member_id = current_actor().member_id
    appealing = Appealing(body["against"], body["grounds"])
    with services().database.write() as session, problems():
        row = appeals.enter(session, act(), member_id, appealing, services().rulebook)
        if row is None:
            raise ProblemError("not-found")
        return json_response(appeals.as_json(row, clocks(), to_member=member_id is not None), 201)


@blueprint.route("/v1/appeals")
@requires("member_admin", "operator", while_suspended=True)
@blueprint.arguments(AppealQuerySchema, location="query")
@blueprint.response(200, AppealsSchema)
def list_all(query: dict[str, Any]) -> Response:
    """The own appeals, or for operators all, those due first first."""
    member_id = current_actor().member_id
    asked = wanted(query, "appeals", member_id)
    with services().database.read() as session:
        rows = appeals.listed(session, asked)
        items = [appeals.as_json(row, clocks(), to_member=member_id is not None) for row in rows]
    return page(asked, "appeals", items)


@blueprint.route("/v1/appeals/<string:appeal_id>")
@requires("member_admin", "operator", while_suspended=True)
@blueprint.response(200, AppealSchema)
@blueprint.problems(404)
def show(appeal_id: str) -> Response:
    """One appeal. Another member's is not found."""
    member_id = current_actor().member_id
    with services().database.read() as session:
        row = appeals.find(session, path_id(appeal_id, "apl"), member_id)
        if row is None:
            raise ProblemError("not-found")
        return json_response(appeals.as_json(row, clocks(), to_member=member_id is not None))


@blueprint.route("/v1/appeals/<string:appeal_id>/decision", methods=["POST"])
@requires("operator")
@blueprint.arguments(DecidingAppealSchema)
@blueprint.response(200, AppealSchema)
@blueprint.problems(400, 404, 409, 413, 415)
def decide(body: dict[str, Any], appeal_id: str) -> Response:
    """Uphold or dismiss an appeal, by an operator who took no part in what is appealed against."""
    identifier = path_id(appeal_id, "apl")
    with services().database.write() as session, problems():
        row = appeals.decide(session, identifier, act(body["reason"]), Verdict(body["uphold"]), services().rulebook)
        if row is None:
            raise ProblemError("not-found")
        return json_response(appeals.as_json(row, clocks(), to_member=False))
