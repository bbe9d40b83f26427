"""Where a member's own systems are told of what happened, and what was sent there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Response, url_for
from marshmallow import Schema, fields, validate

from repository.api import cursors
from repository.api.base import Blueprint, json_response, requires
from repository.api.context import current_actor, services
from repository.api.own import field_problem, own_member, path_id
from repository.api.problems import ProblemError
from repository.domain.errors import FieldError
from repository.domain.webhooks import LONGEST_OVERLAP, LONGEST_URL, OVERLAP, Notice
from repository.services import webhooks

blueprint = Blueprint("webhooks", __name__, description="Telling a member's own systems")

_KINDS = tuple(kind.value for kind in Notice)
_URL = "https, of a public address; it is kept sealed"
_SECRET = "Signs what is sent, by Standard Webhooks; told this once"  # noqa: S105 - what is said of it
_OVERLAP = "How long what is sent is signed by both secrets, the new one first; 0 is not at all"
_OLD = "Until when the secret before this one signs, too"
_FAILING = "Since when nothing gets through; after three days it is disabled"
_ATTEMPTS = "Of the last queueing; fifteen within some four days"
_ANSWERED = "The status that was answered to the delivery"
_ERROR = (
    "A code, of the last attempt that failed: http- and the status, `timeout`, `dns`, `connection`, `tls`,"
    " `address-refused`, `disabled`, `removed`, `fault`"
)
_STATES = ("queued", "running", "done", "skipped", "failed", "cancelled")


class WebhookRequestSchema(Schema):
    """Where to send, and of what."""

    url = fields.String(required=True, validate=validate.Length(1, LONGEST_URL), metadata={"description": _URL})
    kinds = fields.List(
        fields.String(validate=validate.OneOf(_KINDS)), required=True, validate=validate.Length(1, len(_KINDS))
    )


class WebhookChangeSchema(Schema):
    """What is to be another one; the rest stays."""

    url = fields.String(validate=validate.Length(1, LONGEST_URL), metadata={"description": _URL})
    kinds = fields.List(fields.String(validate=validate.OneOf(_KINDS)), validate=validate.Length(1, len(_KINDS)))
    enabled = fields.Boolean()


class WebhookSchema(Schema):
    """A webhook of the own member."""

    id = fields.String(required=True)
    url = fields.String(required=True)
    kinds = fields.List(fields.String(validate=validate.OneOf(_KINDS)), required=True)
    enabled = fields.Boolean(required=True)
    old_secret_until = fields.AwareDateTime(required=True, allow_none=True, metadata={"description": _OLD})
    created_at = fields.AwareDateTime(required=True)
    failing_since = fields.AwareDateTime(required=True, allow_none=True, metadata={"description": _FAILING})
    disabled_at = fields.AwareDateTime(required=True, allow_none=True)


class NewWebhookSchema(WebhookSchema):
    """A webhook that was just registered, or has another secret."""

    secret = fields.String(required=True, metadata={"description": _SECRET})


class SecretRequestSchema(Schema):
    """How long the secret until now is to sign as well."""

    overlap_seconds = fields.Integer(
        validate=validate.Range(0, int(LONGEST_OVERLAP.total_seconds())),
        load_default=int(OVERLAP.total_seconds()),
        metadata={"description": _OVERLAP},
    )


class WebhookListSchema(Schema):
    """The webhooks of a member, ten at most."""

    items = fields.List(fields.Nested(WebhookSchema), required=True)


class DeliverySchema(Schema):
    """A notice that was sent, or is to be. `skipped`: there was nothing in it that the member may see."""

    id = fields.String(required=True, metadata={"description": "The webhook-id that it is sent with, each time"})
    kind = fields.String(required=True, validate=validate.OneOf(_KINDS))
    status = fields.String(required=True, validate=validate.OneOf(_STATES))
    created_at = fields.AwareDateTime(required=True)
    finished_at = fields.AwareDateTime(required=True, allow_none=True)
    attempts = fields.Integer(required=True, metadata={"description": _ATTEMPTS})
    next_attempt_at = fields.AwareDateTime(required=True, allow_none=True)
    answered = fields.Integer(required=True, allow_none=True, metadata={"description": _ANSWERED})
    error = fields.String(required=True, allow_none=True, metadata={"description": _ERROR})


class DeliveryPageSchema(Schema):
    """A page of deliveries; they are kept for thirty days."""

    items = fields.List(fields.Nested(DeliverySchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


@blueprint.route("/v1/webhooks", methods=["POST"])
@requires("member_admin", while_suspended=True)
@blueprint.arguments(WebhookRequestSchema)
@blueprint.response(201, NewWebhookSchema)
@blueprint.problems(400, 409, 413, 415)
def add(body: dict[str, Any]) -> Response:
    """Register a webhook. The answer has its secret, which is not told again."""
    try:
        made = webhooks.add(services(), current_actor(), own_member(), body)
    except FieldError as error:
        raise field_problem(error) from None
    except webhooks.TooManyError:
        raise ProblemError("conflict", "There are as many webhooks as may be. Remove one.") from None
    return json_response(made, 201, {"Location": url_for("webhooks.show", webhook_id=made["id"])})


@blueprint.route("/v1/webhooks")
@requires("member_admin", while_suspended=True)
@blueprint.response(200, WebhookListSchema)
def list_own() -> Response:
    """The member's own webhooks, oldest first."""
    return json_response({"items": webhooks.list_own(services(), own_member())})


@blueprint.route("/v1/webhooks/<string:webhook_id>")
@requires("member_admin", while_suspended=True)
@blueprint.response(200, WebhookSchema)
@blueprint.problems(404)
def show(webhook_id: str) -> Response:
    """One of the member's own webhooks."""
    return _answer(webhooks.find(services(), own_member(), path_id(webhook_id, "whk")))


@blueprint.route("/v1/webhooks/<string:webhook_id>", methods=["PATCH"])
@requires("member_admin", while_suspended=True)
@blueprint.arguments(WebhookChangeSchema)
@blueprint.response(200, WebhookSchema)
@blueprint.problems(400, 404, 413, 415)
def change(body: dict[str, Any], webhook_id: str) -> Response:
    """Change a webhook, or enable one again that was disabled. Its secret stays."""
    try:
        return _answer(webhooks.change(services(), current_actor(), own_member(), path_id(webhook_id, "whk"), body))
    except FieldError as error:
        raise field_problem(error) from None


@blueprint.route("/v1/webhooks/<string:webhook_id>", methods=["DELETE"])
@requires("member_admin", while_suspended=True)
@blueprint.response(204)
@blueprint.problems(404)
def remove(webhook_id: str) -> Response:
    """Remove a webhook. What waits to be sent there is not sent any more."""
    if not webhooks.remove(services(), current_actor(), own_member(), path_id(webhook_id, "whk")):
        raise ProblemError("not-found")
    return Response(status=204)


@blueprint.route("/v1/webhooks/<string:webhook_id>/secret", methods=["POST"])
@requires("member_admin", while_suspended=True)
@blueprint.arguments(SecretRequestSchema)
@blueprint.response(200, NewWebhookSchema)
@blueprint.problems(400, 404, 413, 415)
def rotate(body: dict[str, Any], webhook_id: str) -> Response:
    """Give a webhook another secret, told this once. For a while both sign; one of an earlier change no more."""
    identifier, overlap = path_id(webhook_id, "whk"), timedelta(seconds=body["overlap_seconds"])
    return _answer(webhooks.rotate(services(), current_actor(), own_member(), identifier, overlap))


@blueprint.route("/v1/webhooks/<string:webhook_id>/secret/old", methods=["DELETE"])
@requires("member_admin", while_suspended=True)
@blueprint.response(204)
@blueprint.problems(404)
def drop_old(webhook_id: str) -> Response:
    """Have the secret before this one sign no more, from now on; also where there is none."""
    if not webhooks.drop_old(services(), current_actor(), own_member(), path_id(webhook_id, "whk")):
        raise ProblemError("not-found")
    return Response(status=204)


@blueprint.route("/v1/webhooks/<string:webhook_id>/deliveries")
@requires("member_admin", while_suspended=True)
@blueprint.arguments(cursors.PageSchema, location="query")
@blueprint.response(200, DeliveryPageSchema)
@blueprint.problems(404)
def list_deliveries(query: dict[str, Any], webhook_id: str) -> Response:
    """What was sent to a webhook, or is to be, latest first."""
    member = own_member()
    scope = ("deliveries", member.id, webhook_id)
    position = cursors.decode(scope, query.get("cursor"), [str])
    before = str(position[0]) if position else None
    identifier = path_id(webhook_id, "whk")
    found = webhooks.deliveries(services(), member, identifier, before=before, limit=query["limit"])
    if found is None:
        raise ProblemError("not-found")
    items, more = found
    return json_response({"items": items, "next_cursor": cursors.encode(scope, [items[-1]["id"]]) if more else None})


@blueprint.route("/v1/webhooks/<string:webhook_id>/deliveries/<string:delivery_id>/retry", methods=["POST"])
@requires("member_admin", while_suspended=True)
@blueprint.response(202, DeliverySchema)
@blueprint.problems(404, 409)
def retry(webhook_id: str, delivery_id: str) -> Response:
    """Send a notice again that did not get through, from its first attempt on, with the same id."""
    named = path_id(webhook_id, "whk"), path_id(delivery_id, "job")
    try:
        found = webhooks.retry(services(), own_member(), *named)
    except webhooks.BusyError:
        raise ProblemError("conflict", "It was delivered, or is being sent now.") from None
    return _answer(found, 202)


def _answer(found: dict[str, Any] | None, status: int = 200) -> Response:
    if found is None:
        raise ProblemError("not-found")
    return json_response(found, status)
