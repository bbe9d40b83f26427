"""Having the own filings looked for in the pool again, and watching that."""

from __future__ import annotations

from typing import Any

from flask import Response, url_for
from marshmallow import Schema, fields, validate

from matching.vocabulary import PURPOSES
from repository.api import cursors
from repository.api.base import Blueprint, json_response, requires
from repository.api.context import current_actor, services
from repository.api.own import field_problem, own_member, path_id, refusal
from repository.api.problems import ProblemError
from repository.api.shapes import ScheduleRequestSchema, ScheduleSchema
from repository.domain.errors import FieldError
from repository.domain.jobs import JobStatus
from repository.domain.schedules import Task
from repository.services import rescreening, schedules
from repository.services.entitlements import DEFAULT_PURPOSE, RefusedError

blueprint = Blueprint("rescreens", __name__, description="Looking for the hits of one's filings again")

_STATES = tuple(status.value for status in JobStatus)
_PURPOSE = "What for: one of the purposes that the rulebook, or the grant, gives the member"
_HITS = "Hits of the filings done so far that the member may see, those known before too"
_ERROR = (
    "A code: `refused`, a rule of the scheme does not allow it any more; `fault`, of the service, which is tried again"
    " while the rescreen is not over; `disk-full`, it waits for room; `other-model`, for a worker that has the model"
)


class RescreenRequestSchema(Schema):
    """What a rescreen is for."""

    purpose = fields.String(
        validate=validate.OneOf(PURPOSES), load_default=DEFAULT_PURPOSE, metadata={"description": _PURPOSE}
    )


class BookScheduleSchema(ScheduleRequestSchema):
    """When the own book is looked for again, and what for."""

    purpose = fields.String(validate=validate.OneOf(PURPOSES), metadata={"description": _PURPOSE})


class BookSchema(Schema):
    """When the own book is looked for again by itself; null where it is not."""

    schedule = fields.Nested(ScheduleSchema, required=True, allow_none=True)


class RescreenSchema(Schema):
    """A rescreen and how far it is. What was filed after it was asked for was matched when it came in."""

    id = fields.String(required=True)
    status = fields.String(required=True, validate=validate.OneOf(_STATES))
    cancelling = fields.Boolean(required=True, metadata={"description": "Cancelled, and about to stop"})
    purpose = fields.String(required=True)
    created_at = fields.AwareDateTime(required=True)
    finished_at = fields.AwareDateTime(required=True, allow_none=True)
    filings_total = fields.Integer(required=True)
    filings_done = fields.Integer(required=True)
    hits = fields.Integer(required=True, metadata={"description": _HITS})
    error = fields.String(required=True, allow_none=True, metadata={"description": _ERROR})


class RescreenPageSchema(Schema):
    """A page of rescreens."""

    items = fields.List(fields.Nested(RescreenSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


@blueprint.route("/v1/rescreens", methods=["POST"])
@requires("investigator", "member_admin")
@blueprint.arguments(RescreenRequestSchema)
@blueprint.response(202, RescreenSchema)
@blueprint.problems(400, 409, 413, 415, 429)
def ask(body: dict[str, Any]) -> Response:
    """Look for the hits of all own filings again; done after this answer. One at a time, and so many a day."""
    try:
        job = rescreening.ask(services(), current_actor(), own_member(), body["purpose"])
    except RefusedError as error:
        raise refusal(error.granted) from None
    except rescreening.OneAtATimeError as error:
        there = f"{error.job_id} is not over. Follow it, or cancel it."
        raise ProblemError("conflict", there) from None
    except rescreening.DailyLimitError as error:
        wait = {"Retry-After": str(error.retry_after)}
        raise ProblemError("daily-limit", figures={"rescreens_limit": error.limit}, headers=wait) from None
    return json_response(rescreening.as_json(job), 202, {"Location": url_for("rescreens.show", rescreen_id=job["id"])})


@blueprint.route("/v1/rescreens")
@requires("investigator", "member_admin", while_suspended=True)
@blueprint.arguments(cursors.PageSchema, location="query")
@blueprint.response(200, RescreenPageSchema)
def list_own(query: dict[str, Any]) -> Response:
    """The member's own rescreens, latest first."""
    member = own_member()
    scope = ("rescreens", member.id)
    position = cursors.decode(scope, query.get("cursor"), [str])
    before = str(position[0]) if position else None
    found, more = rescreening.list_own(services(), member, before=before, limit=query["limit"])
    items = [rescreening.as_json(each) for each in found]
    return json_response({"items": items, "next_cursor": cursors.encode(scope, [items[-1]["id"]]) if more else None})


@blueprint.route("/v1/rescreens/schedule")
@requires("investigator", "member_admin", while_suspended=True)
@blueprint.response(200, BookSchema)
def schedule() -> Response:
    """When the member's book is looked for again by itself."""
    return json_response({"schedule": schedules.find(services(), own_member(), Task.RESCREEN)})


@blueprint.route("/v1/rescreens/schedule", methods=["PUT"])
@requires("investigator", "member_admin")
@blueprint.arguments(BookScheduleSchema)
@blueprint.response(200, ScheduleSchema)
@blueprint.problems(400, 413, 415)
def set_schedule(body: dict[str, Any]) -> Response:
    """Have the member's book looked for again by itself: within half an hour of the time said, and the daily limit."""
    try:
        if body.setdefault("purpose", DEFAULT_PURPOSE) not in PURPOSES:
            raise FieldError("purpose", f"one of: {', '.join(PURPOSES)}")
        return json_response(schedules.put(services(), current_actor(), own_member(), Task.RESCREEN, body))
    except FieldError as error:
        raise field_problem(error) from None


@blueprint.route("/v1/rescreens/schedule", methods=["DELETE"])
@requires("investigator", "member_admin", while_suspended=True)
@blueprint.response(204)
@blueprint.problems(404)
def end_schedule() -> Response:
    """Have it looked for by itself no more."""
    if not schedules.remove(services(), current_actor(), own_member(), Task.RESCREEN):
        raise ProblemError("not-found")
    return Response(status=204)


@blueprint.route("/v1/rescreens/<string:rescreen_id>")
@requires("investigator", "member_admin", while_suspended=True)
@blueprint.response(200, RescreenSchema)
@blueprint.problems(404)
def show(rescreen_id: str) -> Response:
    """One of the member's own rescreens."""
    job = rescreening.find(services(), own_member(), path_id(rescreen_id, "job"))
    if job is None:
        raise ProblemError("not-found")
    return json_response(rescreening.as_json(job))


@blueprint.route("/v1/rescreens/<string:rescreen_id>/cancel", methods=["POST"])
@requires("investigator", "member_admin", while_suspended=True)
@blueprint.response(202, RescreenSchema)
@blueprint.alt_response(200, schema=RescreenSchema, description="It is over; if it was before, it stays as it is")
@blueprint.problems(404)
def cancel(rescreen_id: str) -> Response:
    """Cancel a rescreen: it stops after the chunk at hand, and what was found stays."""
    job = rescreening.cancel(services(), own_member(), path_id(rescreen_id, "job"))
    if job is None:
        raise ProblemError("not-found")
    return json_response(rescreening.as_json(job), 202 if job["finished_at"] is None else 200)
