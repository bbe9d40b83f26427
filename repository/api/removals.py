"""Taking own filings out of the pool, and the proofs that filings are gone."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from repository.api import cursors
from repository.api.base import Blueprint, json_response, requires
from repository.api.context import current_actor, services
from repository.api.own import own_member, path_id
from repository.api.problems import ProblemError
from repository.domain.removal import Cause, HeldError, WithdrawalReason
from repository.services import withdrawal

blueprint = Blueprint("removals", __name__, description="Withdrawing filings, and proofs that filings are gone")

_COMMITMENT = "SHA-256 over these facts, the salt and the digest of the content, which is not kept; in hex"


class FilingWithdrawalSchema(Schema):
    """Why a filing is withdrawn."""

    reason = fields.String(required=True, validate=validate.OneOf([each.value for each in WithdrawalReason]))


class DeletionSchema(Schema):
    """The proof that a filing of the own member is not in the pool any more."""

    id = fields.String(required=True)
    filing = fields.String(required=True)
    line = fields.String(required=True)
    record_class = fields.String(required=True, data_key="class")
    version = fields.Integer(required=True, metadata={"description": "The last one"})
    cause = fields.String(required=True, validate=validate.OneOf([each.value for each in Cause]))
    reason = fields.String(required=True, allow_none=True, metadata={"description": "Of a withdrawal"})
    kept_from = fields.Date(required=True, metadata={"description": "The day its time counted from"})
    removed_on = fields.Date(required=True)
    removed_at = fields.AwareDateTime(required=True)
    rulebook = fields.String(required=True)
    salt = fields.String(required=True, metadata={"description": "In hex"})
    commitment = fields.String(required=True, metadata={"description": _COMMITMENT})


class DeletionPageSchema(Schema):
    """A page of proofs."""

    items = fields.List(fields.Nested(DeletionSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


@blueprint.route("/v1/filings/<string:filing_id>/withdrawal", methods=["POST"])
@requires("contributor", "member_admin", while_suspended=True)
@blueprint.arguments(FilingWithdrawalSchema)
@blueprint.response(200, DeletionSchema)
@blueprint.problems(400, 404, 409, 413, 415)
def withdraw(body: dict[str, Any], filing_id: str) -> Response:
    """Take an own filing out of the pool, for good: with its hits, and what anybody said of these.

    Disputes about it that are not closed are accepted by this. Once more changes nothing.
    """
    own, reason = path_id(filing_id, "fil"), WithdrawalReason(body["reason"])
    try:
        return _answer(withdrawal.withdraw(services(), current_actor(), own_member(), own, reason))
    except HeldError:
        raise ProblemError("conflict", "The filing is under a legal hold, which has to end first.") from None


@blueprint.route("/v1/deletions")
@requires("contributor", "investigator", "member_admin", while_suspended=True)
@blueprint.arguments(cursors.PageSchema, location="query")
@blueprint.response(200, DeletionPageSchema)
def list_own(query: dict[str, Any]) -> Response:
    """The proofs of the member's filings that are gone, latest first."""
    member = own_member()
    scope = ("deletions", member.id)
    position = cursors.decode(scope, query.get("cursor"), [str])
    before = str(position[0]) if position else None
    items, more = withdrawal.listed(services(), member, before=before, limit=query["limit"])
    return json_response({"items": items, "next_cursor": cursors.encode(scope, [items[-1]["id"]]) if more else None})


@blueprint.route("/v1/filings/<string:filing_id>/deletion")
@requires("contributor", "investigator", "member_admin", while_suspended=True)
@blueprint.response(200, DeletionSchema)
@blueprint.problems(404)
def show(filing_id: str) -> Response:
    """The proof that a filing of the member is gone, by the filing's id."""
    return _answer(withdrawal.find(services(), own_member(), path_id(filing_id, "fil")))


def _answer(found: dict[str, Any] | None) -> Response:
    if found is None:
        raise ProblemError("not-found")
    return json_response(found)
