"""Agreeing on the linkage key: members' public keys, keys sealed to them, and how far each is with a new one."""

from __future__ import annotations

from typing import Any

from flask import Response, url_for
from marshmallow import Schema, fields, validate

from repository.api import cursors
from repository.api.base import Blueprint, json_response, requires
from repository.api.context import current_actor, services
from repository.api.own import field_problem, own_member, path_id
from repository.api.problems import ProblemError
from repository.domain.agreement import LONGEST_EPOCH, LONGEST_SEALED
from repository.domain.errors import FieldError
from repository.services import agreement, epochs

blueprint = Blueprint("keys", __name__, description="Agreeing on the linkage key, which the pool never sees")

_RECIPIENT = "An X25519 recipient of age. Compare its fingerprint with the member itself before sealing a key to it"
_SEALED = "The linkage key sealed by age to the recipient, in base64; the pool cannot open it"
_ONCE = "For the member that it is for, until it is accepted; else null"
_MOST_BASE64 = -(-LONGEST_SEALED // 3) * 4


class RecipientRequestSchema(Schema):
    """The own public key."""

    recipient = fields.String(required=True, validate=validate.Length(1, 100), metadata={"description": _RECIPIENT})


class RecipientSchema(Schema):
    """A member's public key."""

    member = fields.String(required=True)
    name = fields.String(required=True)
    recipient = fields.String(required=True, metadata={"description": _RECIPIENT})
    published_at = fields.AwareDateTime(required=True)


class RecipientListSchema(Schema):
    """The public keys of the active members, by name."""

    items = fields.List(fields.Nested(RecipientSchema), required=True)


class OfferRequestSchema(Schema):
    """A linkage key for another member."""

    to = fields.String(required=True, validate=validate.Length(1, 100), metadata={"description": "A member's id"})
    recipient = fields.String(
        required=True, validate=validate.Length(1, 100), metadata={"description": "What it is sealed to"}
    )
    fingerprint = fields.String(required=True, validate=validate.Length(16, 16))
    epoch = fields.Integer(required=True, strict=True, validate=validate.Range(1, LONGEST_EPOCH))
    sealed = fields.String(required=True, validate=validate.Length(1, _MOST_BASE64), metadata={"description": _SEALED})


class OfferSchema(Schema):
    """A linkage key that was offered to the own member (`received`), or by it; `member` is the other one."""

    id = fields.String(required=True)
    received = fields.Boolean(required=True)
    member = fields.String(required=True)
    name = fields.String(required=True)
    recipient = fields.String(required=True)
    fingerprint = fields.String(required=True)
    epoch = fields.Integer(required=True)
    created_at = fields.AwareDateTime(required=True)
    expires_at = fields.AwareDateTime(required=True)
    accepted_at = fields.AwareDateTime(required=True, allow_none=True)


class SealedOfferSchema(OfferSchema):
    """An offer with what is sealed."""

    sealed = fields.String(required=True, allow_none=True, metadata={"description": _ONCE})


class OfferPageSchema(Schema):
    """A page of offers; they are kept for thirty days."""

    items = fields.List(fields.Nested(OfferSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class EpochSchema(Schema):
    """A linkage key that is or was accepted, and how many of the own filings are under it."""

    schema = fields.String(required=True)
    fingerprint = fields.String(required=True)
    epoch = fields.Integer(required=True, allow_none=True)
    accepted = fields.Boolean(required=True)
    until = fields.AwareDateTime(required=True, allow_none=True)
    filings = fields.Integer(required=True)


class EpochListSchema(Schema):
    """The linkage keys of the scheme, oldest first."""

    items = fields.List(fields.Nested(EpochSchema), required=True)


@blueprint.route("/v1/keys/epochs")
@requires("member_admin", "contributor", while_suspended=True)
@blueprint.response(200, EpochListSchema)
def list_epochs() -> Response:
    """The linkage keys of the scheme, and how many of the own filings are encoded under each."""
    return json_response({"items": epochs.progress(services(), own_member())})


@blueprint.route("/v1/keys/recipients")
@requires("member_admin")
@blueprint.response(200, RecipientListSchema)
def list_recipients() -> Response:
    """The public keys of all active members, the own one too."""
    own_member()
    return json_response({"items": agreement.published(services())})


@blueprint.route("/v1/keys/recipient", methods=["PUT"])
@requires("member_admin")
@blueprint.arguments(RecipientRequestSchema)
@blueprint.response(200, RecipientSchema)
@blueprint.problems(400, 413, 415)
def publish(body: dict[str, Any]) -> Response:
    """Publish the own public key, in the place of the one before."""
    try:
        return json_response(agreement.publish(services(), current_actor(), own_member(), body))
    except FieldError as error:
        raise field_problem(error) from None


@blueprint.route("/v1/keys/recipient", methods=["DELETE"])
@requires("member_admin")
@blueprint.response(204)
@blueprint.problems(404)
def unpublish() -> Response:
    """Take the own public key away."""
    if not agreement.unpublish(services(), current_actor(), own_member()):
        raise ProblemError("not-found")
    return Response(status=204)


@blueprint.route("/v1/keys/offers", methods=["POST"])
@requires("member_admin")
@blueprint.arguments(OfferRequestSchema)
@blueprint.response(201, OfferSchema)
@blueprint.problems(400, 409, 413, 415)
def offer(body: dict[str, Any]) -> Response:
    """Offer a linkage key to a member. The same key offered to it before, and not accepted, is forgotten."""
    try:
        made = agreement.offer(services(), current_actor(), own_member(), body)
    except FieldError as error:
        raise field_problem(error) from None
    except agreement.OutdatedError:
        raise ProblemError("conflict", "The member has published another public key. Seal to that one.") from None
    except agreement.TooManyError:
        raise ProblemError("conflict", "There are as many open offers to that member as may be.") from None
    return json_response(made, 201, {"Location": url_for("keys.show", offer_id=made["id"])})


@blueprint.route("/v1/keys/offers")
@requires("member_admin")
@blueprint.arguments(cursors.PageSchema, location="query")
@blueprint.response(200, OfferPageSchema)
def list_offers(query: dict[str, Any]) -> Response:
    """The keys offered to the own member and by it, latest first."""
    member = own_member()
    scope = ("offers", member.id)
    position = cursors.decode(scope, query.get("cursor"), [str])
    before = str(position[0]) if position else None
    items, more = agreement.listed(services(), member, before=before, limit=query["limit"])
    return json_response({"items": items, "next_cursor": cursors.encode(scope, [items[-1]["id"]]) if more else None})


@blueprint.route("/v1/keys/offers/<string:offer_id>")
@requires("member_admin")
@blueprint.response(200, SealedOfferSchema)
@blueprint.problems(404)
def show(offer_id: str) -> Response:
    """An offer of the own member or to it. What is sealed is there for who may open it."""
    return _answer(agreement.find(services(), own_member(), path_id(offer_id, "off")))


@blueprint.route("/v1/keys/offers/<string:offer_id>", methods=["DELETE"])
@requires("member_admin")
@blueprint.response(204)
@blueprint.problems(404)
def withdraw(offer_id: str) -> Response:
    """Withdraw an offer, or decline it."""
    if not agreement.withdraw(services(), current_actor(), own_member(), path_id(offer_id, "off")):
        raise ProblemError("not-found")
    return Response(status=204)


@blueprint.route("/v1/keys/offers/<string:offer_id>/acceptance", methods=["POST"])
@requires("member_admin")
@blueprint.response(200, OfferSchema)
@blueprint.problems(404, 409)
def accept(offer_id: str) -> Response:
    """Say that the key was opened and stored: what is sealed is forgotten, and who offered it sees so."""
    try:
        return _answer(agreement.accept(services(), current_actor(), own_member(), path_id(offer_id, "off")))
    except agreement.NotOpenError:
        raise ProblemError("conflict", "It was accepted already, or is an offer of your own.") from None


def _answer(found: dict[str, Any] | None) -> Response:
    if found is None:
        raise ProblemError("not-found")
    return json_response(found)
