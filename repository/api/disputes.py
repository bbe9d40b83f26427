"""Disputes about filings: raising one, seeing those raised and received, and answering."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Response, url_for
from marshmallow import Schema, fields, validate

from matching.vocabulary import LINES, RECORD_CLASSES
from repository.api import cursors
from repository.api.base import Blueprint, json_response, requires
from repository.api.context import current_actor, services
from repository.api.own import field_problem, own_member, path_id
from repository.api.problems import ProblemError
from repository.api.shapes import note_field, optional_reference, reference_field
from repository.domain.corrections import notice_from_json
from repository.domain.disputes import Decider, DisputeError, DisputeStatus, Ground
from repository.domain.errors import FieldError
from repository.domain.filings import reference_from_json
from repository.domain.ids import is_id
from repository.services import disputes
from repository.services.disputes import Answer, Raising

blueprint = Blueprint("disputes", __name__, description="Disputes about filings")

SIDES = ("raised", "received")
GROUNDS, STATUSES, DECIDERS = ([word.value for word in kind] for kind in (Ground, DisputeStatus, Decider))
_REFERENCE = "Of the filing; null once that is not in the pool any more. For the contributor only"
_STATEMENT = "The raiser's own reference to what the dispute is based on; the other side does not see it"
_REASON = "Why the operator decided so"
_NOTICE = "Words of the person in the record, 200 at most: they travel with it, and whoever sees its class reads them"
_RAISER = "Only for who raised it"
_CONTRIBUTOR = "Only for the contributor"


class DisputeRequestSchema(Schema):
    """What is disputed: the other side of a hit."""

    hit = fields.String(required=True)
    ground = fields.String(required=True, validate=validate.OneOf(GROUNDS))
    statement_reference = reference_field(_STATEMENT)
    notice = fields.String(metadata={"description": _NOTICE})


class TrueOrFalse(fields.Boolean):
    """JSON's own true or false: what upholds a dispute is not guessed from other values."""

    def _deserialize(self, value: object, *_args: object, **_options: object) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid")
        return value


class DisputeAnswerSchema(Schema):
    """What the contributor says."""

    accepts = TrueOrFalse(required=True)
    note_reference = note_field()


class DisputeSchema(Schema):
    """A dispute as one side sees it: the contributor is not told who raised it."""

    id = fields.String(required=True)
    side = fields.String(required=True, validate=validate.OneOf(SIDES))
    ground = fields.String(required=True, validate=validate.OneOf(GROUNDS))
    status = fields.String(required=True, validate=validate.OneOf(STATUSES))
    raised_on = fields.Date(required=True)
    answer_by = fields.Date(
        required=True, allow_none=True, metadata={"description": "Unanswered after it, the record is suppressed"}
    )
    answered_on = fields.Date(required=True, allow_none=True)
    closed_on = fields.Date(required=True, allow_none=True)
    closed_by = fields.String(required=True, allow_none=True, validate=validate.OneOf(DECIDERS))
    reason = fields.String(required=True, allow_none=True, metadata={"description": _REASON})
    hit = fields.String(metadata={"description": _RAISER})
    request = fields.String(metadata={"description": "That of the person in the record. " + _RAISER})
    statement_reference = fields.String(metadata={"description": _RAISER})
    filing = fields.String(metadata={"description": _CONTRIBUTOR})
    reference = fields.String(allow_none=True, metadata={"description": _REFERENCE})
    version = fields.Integer(metadata={"description": "Of the filing, when it was disputed. " + _CONTRIBUTOR})
    line = fields.String(validate=validate.OneOf(LINES), metadata={"description": _CONTRIBUTOR})
    record_class = fields.String(
        data_key="class", validate=validate.OneOf(RECORD_CLASSES), metadata={"description": _CONTRIBUTOR}
    )
    accepts = fields.Boolean(allow_none=True, metadata={"description": _CONTRIBUTOR})
    note_reference = fields.String(allow_none=True, metadata={"description": _CONTRIBUTOR})


class DisputeQuerySchema(cursors.PageSchema):
    """Which disputes: those the member raised, or those about its filings."""

    side = fields.String(load_default="received", validate=validate.OneOf(SIDES))


class DisputePageSchema(Schema):
    """A page of disputes."""

    items = fields.List(fields.Nested(DisputeSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


@contextmanager
def _problems() -> Iterator[None]:
    try:
        yield
    except FieldError as error:
        raise field_problem(error) from None
    except DisputeError as error:
        text = str(error)
        raise ProblemError("conflict", f"{text[0].upper()}{text[1:]}.") from None


@blueprint.route("/v1/disputes", methods=["POST"])
@requires("investigator", "member_admin", while_suspended=True)
@blueprint.arguments(DisputeRequestSchema)
@blueprint.response(201, DisputeSchema)
@blueprint.alt_response(200, schema=DisputeSchema, description="The same dispute was raised before and is not closed")
@blueprint.problems(400, 404, 409, 413, 415)
def raise_one(body: dict[str, Any]) -> Response:
    """Dispute the other side of a hit that the member was shown in full. The same again is the same dispute."""
    with _problems():
        if not is_id(body["hit"], "hit"):
            raise FieldError("hit", "the id of a hit")
        statement_reference = reference_from_json(body, "statement_reference")
        notice = notice_from_json(body, services().rulebook.disputes)
        raising = Raising(body["hit"], Ground(body["ground"]), statement_reference, notice)
        raised = disputes.raise_one(services(), current_actor(), own_member(), raising)
    if raised is None:
        raise ProblemError("not-found")
    told, new = raised
    return json_response(told, 201 if new else 200, {"Location": url_for("disputes.show", dispute_id=told["id"])})


@blueprint.route("/v1/disputes")
@requires("screener", "contributor", "investigator", "member_admin", while_suspended=True)
@blueprint.arguments(DisputeQuerySchema, location="query")
@blueprint.response(200, DisputePageSchema)
def list_own(query: dict[str, Any]) -> Response:
    """The disputes about the member's filings, or those it raised, latest first."""
    member = own_member()
    scope = ("disputes", member.id, query["side"])
    position = cursors.decode(scope, query.get("cursor"), [str])
    before = str(position[0]) if position else None
    items, more = disputes.listed(services(), member, query["side"], before=before, limit=query["limit"])
    return json_response({"items": items, "next_cursor": cursors.encode(scope, [items[-1]["id"]]) if more else None})


@blueprint.route("/v1/disputes/<string:dispute_id>")
@requires("screener", "contributor", "investigator", "member_admin", while_suspended=True)
@blueprint.response(200, DisputeSchema)
@blueprint.problems(404)
def show(dispute_id: str) -> Response:
    """One dispute that the member raised or received."""
    found = disputes.find(services(), own_member(), path_id(dispute_id, "dsp"))
    if found is None:
        raise ProblemError("not-found")
    return json_response(found)


@blueprint.route("/v1/disputes/<string:dispute_id>/answer", methods=["POST"])
@requires("contributor", "investigator", "member_admin", while_suspended=True)
@blueprint.arguments(DisputeAnswerSchema)
@blueprint.response(200, DisputeSchema)
@blueprint.problems(400, 404, 409, 413, 415)
def answer(body: dict[str, Any], dispute_id: str) -> Response:
    """Answer a dispute about an own filing. Accepting upholds it at once; else the operator decides."""
    with _problems():
        given = Answer(body["accepts"], optional_reference(body, "note_reference"))
        told = disputes.answer(services(), current_actor(), own_member(), path_id(dispute_id, "dsp"), given)
    if told is None:
        raise ProblemError("not-found")
    return json_response(told)
