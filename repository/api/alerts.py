"""The inbox of a member: what it is alerted of, as far as it may see it when it reads."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from matching.vocabulary import PURPOSES
from repository.api import cursors
from repository.api.base import Blueprint, json_response, requires
from repository.api.context import current_actor, services
from repository.api.own import field_problem, own_member, path_id
from repository.api.problems import ProblemError
from repository.api.shapes import ScheduleRequestSchema, ScheduleSchema
from repository.domain.alerts import AlertKind
from repository.domain.errors import FieldError
from repository.domain.schedules import Task
from repository.services import alerting, schedules
from repository.services.entitlements import DEFAULT_PURPOSE
from repository.storage.alerts import Chosen

blueprint = Blueprint("alerts", __name__, description="What a member is alerted of")

_KINDS = tuple(kind.value for kind in AlertKind)
_ABOUT = "Ids by what they are of. More of each is read at its own address, by the rules of that"
_TOLD = "Of `record.asked`, what was asked on that day of that record: `purpose` from tier 2, `member` at tier 3"
_PURPOSE = "What alerts of hits are read for, as in the list of hits"
_MOST_READ = 500
EVERYONE = ("screener", "contributor", "investigator", "member_admin")


class AlertQuerySchema(cursors.PageSchema):
    """Which alerts. Those put away until later are not listed."""

    kind = fields.String(validate=validate.OneOf(_KINDS))
    unread = fields.Boolean(truthy={"true"}, falsy={"false"}, load_default=False)
    purpose = fields.String(
        validate=validate.OneOf(PURPOSES), load_default=DEFAULT_PURPOSE, metadata={"description": _PURPOSE}
    )


class AlertSchema(Schema):
    """An alert of the own member."""

    id = fields.String(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(_KINDS))
    at = fields.AwareDateTime(required=True)
    about = fields.Dict(keys=fields.String(), values=fields.String(), required=True, metadata={"description": _ABOUT})
    told = fields.Dict(required=True, allow_none=True, metadata={"description": _TOLD})
    read_at = fields.AwareDateTime(required=True, allow_none=True)
    acknowledged_at = fields.AwareDateTime(required=True, allow_none=True)
    snoozed_until = fields.AwareDateTime(required=True, allow_none=True)


class AlertPageSchema(Schema):
    """A page of alerts."""

    items = fields.List(fields.Nested(AlertSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class DigestSchema(Schema):
    """Alerts by kind, as far as they may be seen."""

    since = fields.AwareDateTime(required=True)
    counts = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    schedule = fields.Nested(ScheduleSchema, required=True, allow_none=True)


class ReadSchema(Schema):
    """Which alerts were read."""

    ids = fields.List(fields.String(), required=True, validate=validate.Length(1, _MOST_READ))


class SnoozeSchema(Schema):
    """Until when an alert is put away."""

    until = fields.AwareDateTime(required=True, metadata={"description": "Within 90 days"})


@blueprint.route("/v1/alerts")
@requires(*EVERYONE, while_suspended=True)
@blueprint.arguments(AlertQuerySchema, location="query")
@blueprint.response(200, AlertPageSchema)
def list_own(query: dict[str, Any]) -> Response:
    """The member's inbox, latest first. What may not be seen now is not there."""
    member = own_member()
    kind = AlertKind(query["kind"]) if "kind" in query else None
    chosen = Chosen(services().clock(), kind, query["unread"])
    scope = ("alerts", member.id, kind, query["unread"], query["purpose"])
    position = cursors.decode(scope, query.get("cursor"), [str])
    items, more = alerting.list_own(
        services(),
        current_actor(),
        member,
        chosen,
        purpose=query["purpose"],
        before=str(position[0]) if position else None,
        limit=query["limit"],
    )
    return json_response({"items": items, "next_cursor": cursors.encode(scope, [items[-1]["id"]]) if more else None})


@blueprint.route("/v1/alerts/read", methods=["POST"])
@requires(*EVERYONE, while_suspended=True)
@blueprint.arguments(ReadSchema)
@blueprint.response(204)
@blueprint.problems(400, 413, 415)
def read(body: dict[str, Any]) -> Response:
    """Note that alerts were read, by whoever of the member. Ids that are none of its own change nothing."""
    alerting.read(services(), current_actor(), own_member(), body["ids"])
    return Response(status=204)


@blueprint.route("/v1/alerts/digest")
@requires(*EVERYONE, while_suspended=True)
@blueprint.response(200, DigestSchema)
def digest() -> Response:
    """How many alerts of each kind there are since the digest before, and how that recurs."""
    actor, member, now = current_actor(), own_member(), services().clock()
    return json_response(schedules.digest(services(), actor, member, now))


@blueprint.route("/v1/alerts/digest", methods=["PUT"])
@requires("member_admin", while_suspended=True)
@blueprint.arguments(ScheduleRequestSchema)
@blueprint.response(200, ScheduleSchema)
@blueprint.problems(400, 413, 415)
def set_digest(body: dict[str, Any]) -> Response:
    """Have a digest recur: counts by kind, to the webhooks that want `alerts.digest`."""
    try:
        return json_response(schedules.put(services(), current_actor(), own_member(), Task.DIGEST, body))
    except FieldError as error:
        raise field_problem(error) from None


@blueprint.route("/v1/alerts/digest", methods=["DELETE"])
@requires("member_admin", while_suspended=True)
@blueprint.response(204)
@blueprint.problems(404)
def end_digest() -> Response:
    """Have it recur no more."""
    if not schedules.remove(services(), current_actor(), own_member(), Task.DIGEST):
        raise ProblemError("not-found")
    return Response(status=204)


@blueprint.route("/v1/alerts/<string:alert_id>/acknowledgement", methods=["POST"])
@requires(*EVERYONE, while_suspended=True)
@blueprint.response(200, AlertSchema)
@blueprint.problems(404)
def acknowledge(alert_id: str) -> Response:
    """Say that an alert was dealt with. Again changes nothing."""
    return _answer(alerting.acknowledge(services(), current_actor(), own_member(), path_id(alert_id, "alt")))


@blueprint.route("/v1/alerts/<string:alert_id>/snooze", methods=["POST"])
@requires(*EVERYONE, while_suspended=True)
@blueprint.arguments(SnoozeSchema)
@blueprint.response(200, AlertSchema)
@blueprint.problems(400, 404, 413, 415)
def snooze(body: dict[str, Any], alert_id: str) -> Response:
    """Put an alert away: it is listed again from a time on."""
    actor, member = current_actor(), own_member()
    try:
        return _answer(alerting.snooze(services(), actor, member, path_id(alert_id, "alt"), body["until"]))
    except FieldError as error:
        raise field_problem(error) from None


def _answer(found: dict[str, Any] | None) -> Response:
    if found is None:
        raise ProblemError("not-found")
    return json_response(found)
