"""Applications to become a member: entered, listed and decided by operators."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from matching.vocabulary import LINES
from repository.api.base import Blueprint, json_response, requires
from repository.api.cases import act, clocks, page, problems, wanted
from repository.api.context import services
from repository.api.cursors import PageSchema
from repository.api.own import path_id
from repository.api.problems import ProblemError
from repository.domain.membership import MOST_PER_MONTH, Applying, CaseStatus, Verdict
from repository.domain.standing import Ramp
from repository.services import applications
from repository.services.applications import LONGEST_NAME, RULES
from repository.services.lifecycle import LONGEST_REASON

blueprint = Blueprint("applications", __name__, description="Applications to become a member, for operators")

STATUSES = (CaseStatus.OPEN.value, CaseStatus.ACCEPTED.value, CaseStatus.REFUSED.value)
_RAMPS = [each.value for each in Ramp]
_VOLUMES: dict[str, Any] = {
    "keys": fields.String(),
    "values": fields.Integer(strict=True, validate=validate.Range(0, MOST_PER_MONTH)),
    "metadata": {"description": "Volume a month by line/class, such as motor/customer"},
}


class ApplyingSchema(Schema):
    """What an applicant says of itself, and how it starts (R5)."""

    name = fields.String(required=True, validate=validate.Length(1, LONGEST_NAME))
    lines = fields.List(fields.String(validate=validate.OneOf(LINES)), required=True, validate=validate.Length(1))
    declared = fields.Dict(load_default=dict, **_VOLUMES)
    ramp = fields.String(load_default=Ramp.COVENANT.value, validate=validate.OneOf(_RAMPS))
    covenant_until = fields.Date(load_default=None, allow_none=True)
    agreement_version = fields.String(load_default=None, allow_none=True, validate=validate.Length(1, 64))
    agreement_signed_on = fields.Date(load_default=None, allow_none=True)


class ApplicationSchema(Schema):
    """An application. `due_on` is its clock (R9); a refusal has `reason`, `rule`, `decided_at` and how to `appeal`."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    lines = fields.List(fields.String(), required=True)
    declared = fields.Dict(required=True, **_VOLUMES)
    ramp = fields.String(required=True, validate=validate.OneOf(_RAMPS))
    covenant_until = fields.Date(required=True, allow_none=True)
    agreement_version = fields.String(required=True, allow_none=True)
    agreement_signed_on = fields.Date(required=True, allow_none=True)
    entered_at = fields.AwareDateTime(required=True)
    entered_by = fields.String(required=True)
    due_on = fields.Date(required=True)
    overdue = fields.Boolean(required=True)
    status = fields.String(required=True, validate=validate.OneOf(STATUSES))
    decided_at = fields.AwareDateTime(required=True, allow_none=True)
    decided_by = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)
    rule = fields.String(required=True, allow_none=True)
    member = fields.String(required=True, allow_none=True)
    appeal = fields.String()


class ApplicationsSchema(Schema):
    """A page of applications, those due first first."""

    items = fields.List(fields.Nested(ApplicationSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class ApplicationQuerySchema(PageSchema):
    """Which applications: all, or those of one status."""

    status = fields.String(validate=validate.OneOf(STATUSES))


class DecidingApplicationSchema(Schema):
    """The officer's decision. `rule` is what a refusal rests on; `covenant_until` replaces the date applied for."""

    accept = fields.Boolean(required=True)
    reason = fields.String(required=True, validate=validate.Length(1, LONGEST_REASON))
    rule = fields.String(load_default="R9", validate=validate.OneOf(RULES))
    covenant_until = fields.Date(load_default=None, allow_none=True)


@blueprint.route("/v1/applications", methods=["POST"])
@requires("operator")
@blueprint.arguments(ApplyingSchema)
@blueprint.response(201, ApplicationSchema)
@blueprint.problems(400, 409, 413, 415)
def enter(body: dict[str, Any]) -> Response:
    """Enter an application. Another operator decides it, by its clock (R9)."""
    with services().database.write() as session, problems():
        applying = Applying(
            name=body["name"],
            lines=tuple(body["lines"]),
            declared=applications.volumes_from_json(body["declared"]),
            ramp=Ramp(body["ramp"]),
            covenant_until=body["covenant_until"],
            agreement_version=body["agreement_version"],
            agreement_signed_on=body["agreement_signed_on"],
        )
        row = applications.enter(session, act(), applying, services().rulebook)
        return json_response(applications.as_json(row, clocks()), 201)


@blueprint.route("/v1/applications")
@requires("operator")
@blueprint.arguments(ApplicationQuerySchema, location="query")
@blueprint.response(200, ApplicationsSchema)
def list_all(query: dict[str, Any]) -> Response:
    """The applications, those due first first."""
    asked = wanted(query, "applications")
    with services().database.read() as session:
        items = [applications.as_json(row, clocks()) for row in applications.listed(session, asked)]
    return page(asked, "applications", items)


@blueprint.route("/v1/applications/<string:application_id>")
@requires("operator")
@blueprint.response(200, ApplicationSchema)
@blueprint.problems(404)
def show(application_id: str) -> Response:
    """One application."""
    with services().database.read() as session:
        row = applications.find(session, path_id(application_id, "app"))
        if row is None:
            raise ProblemError("not-found")
        return json_response(applications.as_json(row, clocks()))


@blueprint.route("/v1/applications/<string:application_id>/decision", methods=["POST"])
@requires("operator")
@blueprint.arguments(DecidingApplicationSchema)
@blueprint.response(200, ApplicationSchema)
@blueprint.problems(400, 404, 409, 413, 415)
def decide(body: dict[str, Any], application_id: str) -> Response:
    """Accept or refuse an application that another operator entered. Accepting admits the member."""
    verdict = Verdict(body["accept"], body["rule"], body["covenant_until"])
    identifier = path_id(application_id, "app")
    with services().database.write() as session, problems():
        row = applications.decide(session, identifier, act(body["reason"]), verdict, services().rulebook)
        if row is None:
            raise ProblemError("not-found")
        return json_response(applications.as_json(row, clocks()))
