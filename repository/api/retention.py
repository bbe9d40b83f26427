"""How long what is kept: the published schedule, what of one's own expires when, renewals and legal holds."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from matching.vocabulary import RECORD_CLASSES
from repository.api import cursors
from repository.api.base import Blueprint, json_response, requires
from repository.api.context import current_actor, services
from repository.api.own import field_problem, own_member, path_id
from repository.api.problems import ProblemError
from repository.api.shapes import note_field, optional_reference
from repository.domain.errors import FieldError
from repository.domain.holds import HoldReason
from repository.domain.retention import Basis, RenewalError, RenewalReason, months_later
from repository.services import holds, publishing, retention
from repository.services.holds import Placing
from repository.services.lifecycle import Act

blueprint = Blueprint("retention", __name__, description="How long filings are kept, and legal holds on them")


def basis_field() -> fields.String:
    """What the time of a filing counts from."""
    return fields.String(required=True, validate=validate.OneOf([each.value for each in Basis]))


class RetainedClassSchema(Schema):
    """How long filings of a class, and customers of a kind, are kept."""

    record_class = fields.String(required=True, data_key="class", validate=validate.OneOf(RECORD_CLASSES))
    customer_kind = fields.String(
        required=True, allow_none=True, metadata={"description": "Null of other classes, and where it is not said"}
    )
    basis = basis_field()
    keep = fields.String(required=True, metadata={"description": "By the rulebook in force, such as 90 days"})
    cap = fields.String(required=True, metadata={"description": "By the rulebook in force, with renewals"})
    cap_of_any_scheme = fields.String(required=True, metadata={"description": "What no rulebook exceeds"})
    renewable = fields.Boolean(required=True)


class RetainedScreeningsSchema(Schema):
    """How long screenings are kept."""

    keep_days = fields.Integer(required=True, metadata={"description": "With the encoding"})
    cap_months = fields.Integer(required=True, metadata={"description": "Also where work stands on it"})


class RetainedOtherSchema(Schema):
    """How long something is kept on account of records: who saw them, what was told, asked and answered."""

    what = fields.String(required=True)
    keep = fields.String(required=True)


class RetentionSchema(Schema):
    """The schedule of the rulebook in force."""

    rulebook = fields.String(required=True)
    classes = fields.List(fields.Nested(RetainedClassSchema), required=True)
    screenings = fields.Nested(RetainedScreeningsSchema, required=True)
    others = fields.List(fields.Nested(RetainedOtherSchema), required=True)


class ExpiringQuerySchema(cursors.PageSchema):
    """By which day."""

    until = fields.Date(metadata={"description": "The last day looked at, in UTC; without it a year from today"})


class ExpiringFilingSchema(Schema):
    """An own filing that expires by then."""

    filing = fields.String(required=True)
    reference = fields.String(required=True)
    line = fields.String(required=True)
    record_class = fields.String(required=True, data_key="class")
    basis = basis_field()
    kept_from = fields.Date(required=True, metadata={"description": "The day its time counts from"})
    expires_on = fields.Date(required=True, metadata={"description": "The first day on which it is not kept"})
    held_until = fields.Date(required=True, allow_none=True, metadata={"description": "By a legal hold"})


class ExpiringPageSchema(Schema):
    """A page of own filings that expire, in the order of their ids."""

    items = fields.List(fields.Nested(ExpiringFilingSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class RenewingSchema(Schema):
    """Why a filing is kept for longer."""

    reason = fields.String(required=True, validate=validate.OneOf([each.value for each in RenewalReason]))
    note_reference = note_field()


class RenewedSchema(Schema):
    """The days of a filing."""

    filing = fields.String(required=True)
    basis = basis_field()
    kept_from = fields.Date(required=True)
    expires_on = fields.Date(required=True)


class HoldingSchema(Schema):
    """Why a filing is held, and until when."""

    reason = fields.String(required=True, validate=validate.OneOf([each.value for each in HoldReason]))
    ends_on = fields.Date(required=True, metadata={"description": "The day on which the hold ends by itself"})
    note_reference = note_field()


class HoldSchema(Schema):
    """A legal hold on an own filing."""

    id = fields.String(required=True)
    filing = fields.String(required=True)
    by = fields.String(required=True, validate=validate.OneOf(("member", "operator")))
    reason = fields.String(required=True)
    note_reference = fields.String(required=True, allow_none=True)
    placed_at = fields.AwareDateTime(required=True)
    ends_on = fields.Date(required=True)
    released_at = fields.AwareDateTime(required=True, allow_none=True)


class HoldPageSchema(Schema):
    """A page of holds."""

    items = fields.List(fields.Nested(HoldSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


@blueprint.route("/v1/retention")
@blueprint.response(200, RetentionSchema)
def schedule() -> Response:
    """How long filings of each class, and screenings, are kept by the rulebook in force."""
    return json_response(publishing.schedule(services().rulebook))


@blueprint.route("/v1/retention/expiring")
@requires("contributor", "investigator", "member_admin", while_suspended=True)
@blueprint.arguments(ExpiringQuerySchema, location="query")
@blueprint.response(200, ExpiringPageSchema)
def expiring(query: dict[str, Any]) -> Response:
    """The member's filings that expire by a day, those that are held too."""
    member = own_member()
    until = query.get("until") or months_later(retention.today(services()), 12)
    scope = ("expiring", member.id, until.isoformat())
    position = cursors.decode(scope, query.get("cursor"), [str])
    after = str(position[0]) if position else ""
    items, more = retention.expiring(services(), member, until, after=after, limit=query["limit"])
    following = cursors.encode(scope, [items[-1]["filing"]]) if more else None
    return json_response({"items": items, "next_cursor": following})


@blueprint.route("/v1/filings/<string:filing_id>/renewal", methods=["POST"])
@requires("contributor", "investigator", "member_admin", while_suspended=True)
@blueprint.arguments(RenewingSchema)
@blueprint.response(200, RenewedSchema)
@blueprint.problems(400, 404, 409, 413, 415)
def renew(body: dict[str, Any], filing_id: str) -> Response:
    """Keep a suspicion for as long again, from today, up to its cap. Once more that day changes nothing."""
    try:
        given = (RenewalReason(body["reason"]), optional_reference(body, "note_reference"))
        return _answer(retention.renew(services(), current_actor(), own_member(), path_id(filing_id, "fil"), given))
    except FieldError as error:
        raise field_problem(error) from None
    except RenewalError as error:
        raise ProblemError("conflict", str(error).capitalize() + ".") from None


@blueprint.route("/v1/filings/<string:filing_id>/holds", methods=["POST"])
@requires("member_admin", while_suspended=True)
@blueprint.arguments(HoldingSchema)
@blueprint.response(201, HoldSchema)
@blueprint.problems(400, 404, 413, 415)
def hold(body: dict[str, Any], filing_id: str) -> Response:
    """Keep an own filing past its time, for a reason, until a day. It is not withdrawn meanwhile either."""
    here, act = services(), Act(services().clock(), current_actor().id)
    try:
        note = optional_reference(body, "note_reference")
        placing = Placing(path_id(filing_id, "fil"), HoldReason(body["reason"]), body["ends_on"], note)
        with here.database.writing() as connection:
            return _answer(holds.place(connection, act, placing, own_member()), 201)
    except FieldError as error:
        raise field_problem(error) from None


@blueprint.route("/v1/holds")
@requires("contributor", "investigator", "member_admin", while_suspended=True)
@blueprint.arguments(cursors.PageSchema, location="query")
@blueprint.response(200, HoldPageSchema)
def list_holds(query: dict[str, Any]) -> Response:
    """The holds in force on the member's filings, its own and the operator's, latest first."""
    member, today = own_member(), retention.today(services())
    scope = ("holds", member.id)
    position = cursors.decode(scope, query.get("cursor"), [str])
    before = str(position[0]) if position else None
    with services().database.reading() as connection:
        items, more = holds.listed(connection, today, member, before=before, limit=query["limit"])
    return json_response({"items": items, "next_cursor": cursors.encode(scope, [items[-1]["id"]]) if more else None})


@blueprint.route("/v1/holds/<string:hold_id>/release", methods=["POST"])
@requires("member_admin", while_suspended=True)
@blueprint.response(200, HoldSchema)
@blueprint.problems(404)
def release(hold_id: str) -> Response:
    """End a hold that the member placed, before its day. Once more changes nothing."""
    act = Act(services().clock(), current_actor().id)
    with services().database.writing() as connection:
        return _answer(holds.release(connection, act, path_id(hold_id, "hld"), own_member()))


def _answer(found: dict[str, Any] | None, status: int = 200) -> Response:
    if found is None:
        raise ProblemError("not-found")
    return json_response(found, status)
