"""Answering hits (R8): what a person found out about one."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from repository.api.base import Blueprint, json_response, requires
from repository.api.context import current_actor, services
from repository.api.own import field_problem, own_member, path_id
from repository.api.problems import ProblemError
from repository.api.shapes import OUTCOMES, GivenSchema, note_field, optional_reference
from repository.domain.errors import FieldError
from repository.domain.outcomes import HitOutcome
from repository.services import outcomes
from repository.services.outcomes import Answer

blueprint = Blueprint("outcomes", __name__, description="What became of hits")

_IN_TIME = "Whether the first answer came by then; that one counts"


class OutcomeRequestSchema(Schema):
    """Whether the two sides of a hit are the same; the reasons stay in the member's own case file."""

    outcome = fields.String(required=True, validate=validate.OneOf(OUTCOMES))
    note_reference = note_field()


class OutcomeSchema(GivenSchema):
    """The outcome of a hit, and whether it was due."""

    hit = fields.String(required=True)
    answer_by = fields.Date(metadata={"description": "The last day in time, of a hit that was to be answered"})
    in_time = fields.Boolean(metadata={"description": _IN_TIME})


@blueprint.route("/v1/hits/<string:hit_id>/outcome", methods=["POST"])
@requires("screener", "investigator", while_suspended=True)
@blueprint.arguments(OutcomeRequestSchema)
@blueprint.response(200, OutcomeSchema)
@blueprint.problems(400, 404, 413, 415)
def answer(body: dict[str, Any], hit_id: str) -> Response:
    """Answer a hit that the member was shown. The same again changes nothing; another outcome takes its place."""
    try:
        note = optional_reference(body, "note_reference")
        said = Answer(HitOutcome(body["outcome"]), note)
    except FieldError as error:
        raise field_problem(error) from None
    told = outcomes.answer(services(), current_actor(), own_member(), path_id(hit_id, "hit"), said)
    if told is None:
        raise ProblemError("not-found")
    return json_response(told)


@blueprint.route("/v1/hits/<string:hit_id>/outcome", methods=["DELETE"])
@requires("screener", "investigator", while_suspended=True)
@blueprint.response(204)
@blueprint.problems(404)
def take_back(hit_id: str) -> Response:
    """Take the member's outcome back: a pair that was not the same is shown again."""
    if not outcomes.take_back(services(), current_actor(), own_member(), path_id(hit_id, "hit")):
        raise ProblemError("not-found")
    return Response(status=204)
