"""Refutations: own filings that other members refuted, and the contributor's answer."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from matching.vocabulary import LINES, RECORD_CLASSES
from repository.api import cursors
from repository.api.base import Blueprint, json_response, requires
from repository.api.context import current_actor, services
from repository.api.own import field_problem, own_member, path_id
from repository.api.problems import ProblemError
from repository.api.shapes import note_field, optional_reference
from repository.domain.errors import FieldError
from repository.domain.refutations import RefutationError, RefutationStatus
from repository.services import refuting
from repository.services.refuting import Answer

blueprint = Blueprint("refutations", __name__, description="Own filings that other members refuted")

_STATUSES = [status.value for status in RefutationStatus]
_REFERENCE = "Of the filing; null once that is not in the pool any more"


class RefutationAnswerSchema(Schema):
    """Accepted, it counts at once; contested, the operator decides."""

    accepts = fields.Boolean(required=True, truthy={True}, falsy={False})
    note_reference = note_field()


class RefutationSchema(Schema):
    """A refutation as the contributor sees it: not by whom."""

    id = fields.String(required=True)
    filing = fields.String(required=True)
    reference = fields.String(required=True, allow_none=True, metadata={"description": _REFERENCE})
    version = fields.Integer(required=True)
    line = fields.String(required=True, validate=validate.OneOf(LINES))
    record_class = fields.String(data_key="class", required=True, validate=validate.OneOf(RECORD_CLASSES))
    status = fields.String(required=True, validate=validate.OneOf(_STATUSES))
    noticed_on = fields.Date(required=True)
    contest_until = fields.Date(required=True, metadata={"description": "Uncontested after it, it counts"})
    answered_on = fields.Date(required=True, allow_none=True)
    closed_on = fields.Date(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True, metadata={"description": "Why the operator decided so"})
    note_reference = fields.String(required=True, allow_none=True)


class RefutationPageSchema(Schema):
    """A page of refutations."""

    items = fields.List(fields.Nested(RefutationSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


@blueprint.route("/v1/refutations")
@requires("screener", "contributor", "investigator", "member_admin", while_suspended=True)
@blueprint.arguments(cursors.PageSchema, location="query")
@blueprint.response(200, RefutationPageSchema)
def list_own(query: dict[str, Any]) -> Response:
    """The refutations of the member's filings, latest first."""
    member = own_member()
    scope = ("refutations", member.id)
    position = cursors.decode(scope, query.get("cursor"), [str])
    before = str(position[0]) if position else None
    items, more = refuting.listed(services(), member, before=before, limit=query["limit"])
    return json_response({"items": items, "next_cursor": cursors.encode(scope, [items[-1]["id"]]) if more else None})


@blueprint.route("/v1/refutations/<string:refutation_id>/answer", methods=["POST"])
@requires("contributor", "investigator", "member_admin", while_suspended=True)
@blueprint.arguments(RefutationAnswerSchema)
@blueprint.response(200, RefutationSchema)
@blueprint.problems(400, 404, 409, 413, 415)
def answer(body: dict[str, Any], refutation_id: str) -> Response:
    """Accept or contest the refutation of an own filing, until its day. The same again changes nothing."""
    try:
        given = Answer(body["accepts"], optional_reference(body, "note_reference"))
        told = refuting.answer(services(), current_actor(), own_member(), path_id(refutation_id, "rft"), given)
    except FieldError as error:
        raise field_problem(error) from None
    except RefutationError as error:
        text = str(error)
        raise ProblemError("conflict", f"{text[0].upper()}{text[1:]}.") from None
    if told is None:
        raise ProblemError("not-found")
    return json_response(told)
