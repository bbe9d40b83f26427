"""Corrections of records that others were shown: seeing them, saying that one was taken in, and the trail."""

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
from repository.api.shapes import count_field
from repository.domain.corrections import LONGEST_NOTICE, CorrectionKind, NoticeError, notice_from_json
from repository.domain.errors import FieldError
from repository.domain.filings import refuse_unknown
from repository.domain.ids import is_id
from repository.services import corrections

blueprint = Blueprint("corrections", __name__, description="Corrections of records, pushed to everyone who saw them")

SIDES = ("received", "made")
STATES = ("open", "told", "acknowledged")
_VIEWER = "Only for who was shown the record"
_CONTRIBUTOR = "Only for the contributor"
_POINTER = "From tier 3, or for the contributor"


class CorrectionSchema(Schema):
    """A correction as one side sees it: who was shown the record learns no more of it than it was shown."""

    id = fields.String(required=True)
    side = fields.String(required=True, validate=validate.OneOf(SIDES))
    kind = fields.String(required=True, validate=validate.OneOf([each.value for each in CorrectionKind]))
    at = fields.AwareDateTime(metadata={"description": _VIEWER})
    on = fields.Date(metadata={"description": _CONTRIBUTOR})
    hits = fields.List(fields.String(), metadata={"description": f"The member's own, which may be gone. {_VIEWER}"})
    subject_requests = fields.List(
        fields.String(), metadata={"description": f"The member's own for persons, whose reports told of it. {_VIEWER}"}
    )
    tier = fields.Integer(metadata={"description": f"The highest at which it was shown. {_VIEWER}"})
    record_class = fields.String(
        data_key="class", validate=validate.OneOf(RECORD_CLASSES), metadata={"description": "From tier 2"}
    )
    line = fields.String(validate=validate.OneOf(LINES), metadata={"description": _POINTER})
    filing = fields.String(metadata={"description": _POINTER})
    version = fields.Integer(metadata={"description": f"Of the filing now, or at its end. {_POINTER}"})
    seen_version = fields.Integer(allow_none=True, metadata={"description": f"The last that was shown. {_VIEWER}"})
    told_at = fields.AwareDateTime(allow_none=True, metadata={"description": _VIEWER})
    delivered_at = fields.AwareDateTime(allow_none=True, metadata={"description": f"By webhook, first. {_VIEWER}"})
    acknowledge_by = fields.Date(allow_none=True, metadata={"description": _VIEWER})
    acknowledged_at = fields.AwareDateTime(allow_none=True, metadata={"description": _VIEWER})
    reference = fields.String(allow_none=True, metadata={"description": _CONTRIBUTOR})
    state = fields.String(
        validate=validate.OneOf(STATES), metadata={"description": f"As far as all have come. {_CONTRIBUTOR}"}
    )
    members = count_field(f"How many were shown the record. {_CONTRIBUTOR}")
    acknowledged = count_field(f"How many have acknowledged it. {_CONTRIBUTOR}")


class ReceiptSchema(Schema):
    """What came of a correction at one member, which is not named."""

    member = fields.Integer(required=True, metadata={"description": "A number within this correction, no more"})
    role = fields.String(required=True, allow_none=True, metadata={"description": "That acknowledged it"})
    told_on = fields.Date(required=True, allow_none=True)
    delivered_on = fields.Date(required=True, allow_none=True)
    acknowledge_by = fields.Date(required=True, allow_none=True)
    acknowledged_on = fields.Date(required=True, allow_none=True)


class TrailSchema(CorrectionSchema):
    """A correction with what came of it at each member that was shown the record; few are not told one by one."""

    receipts = fields.List(fields.Nested(ReceiptSchema), required=True)


class CorrectionQuerySchema(cursors.PageSchema):
    """Which corrections: those the member is told of, or those of its own records."""

    side = fields.String(load_default="received", validate=validate.OneOf(SIDES))
    outstanding = fields.Boolean(metadata={"description": "Of those received: not acknowledged, or acknowledged"})
    filing = fields.String(metadata={"description": "Of those made: of one filing, which may be gone"})


class CorrectionPageSchema(Schema):
    """A page of corrections."""

    items = fields.List(fields.Nested(CorrectionSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class NoticeSchema(Schema):
    """The words of the person in a record."""

    notice = fields.String(required=True, validate=validate.Length(1, LONGEST_NOTICE))


@blueprint.route("/v1/corrections")
@requires("screener", "contributor", "investigator", "member_admin", while_suspended=True)
@blueprint.arguments(CorrectionQuerySchema, location="query")
@blueprint.response(200, CorrectionPageSchema)
@blueprint.problems(400)
def list_own(query: dict[str, Any]) -> Response:
    """The corrections that the member is told of, or those of its own records, latest first."""
    member, filing = own_member(), query.get("filing")
    if filing is not None and not is_id(filing, "fil"):
        raise field_problem(FieldError("filing", "the id of a filing"))
    scope = ("corrections", member.id, query["side"], query.get("outstanding"), filing)
    position = cursors.decode(scope, query.get("cursor"), [str])
    page: dict[str, Any] = {"before": str(position[0]) if position else None, "limit": query["limit"]}
    if query["side"] == "made":
        items, more = corrections.made(services(), current_actor(), member, filing_id=filing, **page)
    else:
        items, more = corrections.received(services(), member, outstanding=query.get("outstanding"), **page)
    return json_response({"items": items, "next_cursor": cursors.encode(scope, [items[-1]["id"]]) if more else None})


@blueprint.route("/v1/corrections/<string:correction_id>")
@requires("screener", "contributor", "investigator", "member_admin", while_suspended=True)
@blueprint.response(200, CorrectionSchema)
@blueprint.problems(404)
def show(correction_id: str) -> Response:
    """One correction that the member is told of, or of a record of its own."""
    return _found(corrections.find(services(), current_actor(), own_member(), path_id(correction_id, "cor")))


@blueprint.route("/v1/corrections/<string:correction_id>/acknowledgement", methods=["POST"])
@requires("contributor", "investigator", "member_admin", while_suspended=True)
@blueprint.response(200, CorrectionSchema)
@blueprint.problems(404)
def acknowledge(correction_id: str) -> Response:
    """Say that a correction was taken in, where the record was used. Once more changes nothing."""
    own = path_id(correction_id, "cor")
    return _found(corrections.acknowledge(services(), current_actor(), own_member(), own))


@blueprint.route("/v1/corrections/<string:correction_id>/trail")
@requires("contributor", "investigator", "member_admin", while_suspended=True)
@blueprint.response(200, TrailSchema)
@blueprint.problems(404)
def trail(correction_id: str) -> Response:
    """On which day each that was shown a record of the own member's was told of a correction, and acknowledged it."""
    return _found(corrections.trail(services(), current_actor(), own_member(), path_id(correction_id, "cor")))


@blueprint.route("/v1/filings/<string:filing_id>/notice", methods=["PUT"])
@requires("contributor", "investigator", "member_admin", while_suspended=True)
@blueprint.arguments(NoticeSchema)
@blueprint.response(204)
@blueprint.problems(400, 404, 409, 413, 415)
def put_notice(body: dict[str, Any], filing_id: str) -> Response:
    """Put the words of the person in an own filing on it, in place of own ones. Whoever was shown it is told."""
    refuse_unknown(body, frozenset({"notice"}))
    try:
        words = notice_from_json(body, services().rulebook.disputes)
    except FieldError as error:
        raise field_problem(error) from None
    return _noticed(filing_id, words)


@blueprint.route("/v1/filings/<string:filing_id>/notice", methods=["DELETE"])
@requires("contributor", "investigator", "member_admin", while_suspended=True)
@blueprint.response(204)
@blueprint.problems(404, 409)
def remove_notice(filing_id: str) -> Response:
    """Take the words of the person in an own filing off it, if the member alone put them there."""
    return _noticed(filing_id, None)


def _noticed(filing_id: str, words: str | None) -> Response:
    own = path_id(filing_id, "fil")
    try:
        if not corrections.notice_own(services(), current_actor(), own_member(), own, words):
            raise ProblemError("not-found")
    except NoticeError as error:
        text = str(error)
        raise ProblemError("conflict", f"{text[0].upper()}{text[1:]}.") from None
    return Response(status=204)


def _found(told: dict[str, Any] | None) -> Response:
    if told is None:
        raise ProblemError("not-found")
    return json_response(told)
