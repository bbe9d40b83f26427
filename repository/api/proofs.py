"""The proof a case stands on before it is filed as proven: entered by one person of a member, approved by another."""

from __future__ import annotations

from typing import Any

from flask import Response, url_for
from marshmallow import Schema, fields, validate

from repository.api import cursors
from repository.api.base import Blueprint, json_response, requires
from repository.api.context import current_actor, services
from repository.api.idempotency import idempotent
from repository.api.own import field_problem, own_member, path_id
from repository.api.problems import ProblemError
from repository.api.shapes import DomainSchema, reference_field
from repository.domain.errors import FieldError
from repository.domain.proofs import MAX_REASON_LENGTH, ProofState
from repository.services import proofs

blueprint = Blueprint("proofs", __name__, description="Proof before a case is filed as proven")

_LISTED = {"description": "A word of the rulebook, see GET /v1/rulebook"}
_ACTION = {"description": "What became of the product because of the case; or else `exception`"}
_ALLOWED = {"description": "Why nothing became of it, of the exceptions that the rulebook allows"}
_GROUNDS = {"description": "There are reasonable grounds; true"}
_EVIDENCE = {"description": "There is evidence that is clear, relevant and rigorous; true"}
_NOTIFIED = {"description": "When the subject was told, not in the future; or else `deferral_reason`"}
_DEFERRED = {"description": "Why telling the subject is put off; no names, it is stored as it is"}
_PLACE = "Where the member keeps the evidence, in its own words; the evidence itself is never sent"


class ProofRequestSchema(DomainSchema):
    """Four pillars: grounds, evidence, a recognised case type, and what became of the product."""

    reference = reference_field("That of the filing that is to be proven")
    grounds = fields.Boolean(required=True, metadata=_GROUNDS)
    evidence = fields.Boolean(required=True, metadata=_EVIDENCE)
    case_type = fields.String(required=True, metadata=_LISTED)
    product_action = fields.String(metadata=_ACTION)
    exception = fields.String(metadata=_ALLOWED)
    evidence_reference = reference_field(_PLACE)
    notified_on = fields.Date(metadata=_NOTIFIED)
    deferral_reason = fields.String(validate=validate.Length(1, MAX_REASON_LENGTH), metadata=_DEFERRED)


class ProofSchema(Schema):
    """A proof of the own member."""

    id = fields.String(required=True)
    reference = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf([state.value for state in ProofState]))
    grounds = fields.Boolean(required=True)
    evidence = fields.Boolean(required=True)
    case_type = fields.String(required=True)
    product_action = fields.String(required=True, allow_none=True)
    exception = fields.String(required=True, allow_none=True)
    evidence_reference = fields.String(required=True)
    notified_on = fields.Date(required=True, allow_none=True)
    deferral_reason = fields.String(required=True, allow_none=True)
    rulebook = fields.String(required=True, metadata={"description": "The version whose lists the words are of"})
    entered_at = fields.AwareDateTime(required=True)
    entered_by = fields.String(required=True, metadata={"description": "Actor id"})
    approved_at = fields.AwareDateTime(required=True, allow_none=True)
    approved_by = fields.String(required=True, allow_none=True)
    withdrawn_at = fields.AwareDateTime(required=True, allow_none=True)
    withdrawn_by = fields.String(required=True, allow_none=True)
    filings = fields.Integer(required=True, metadata={"description": "Filings that stand on it"})


class ProofPageSchema(Schema):
    """A page of proofs."""

    items = fields.List(fields.Nested(ProofSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


@blueprint.route("/v1/proofs", methods=["POST"])
@requires("contributor", "investigator", "member_admin", while_suspended=True)
@idempotent
@blueprint.arguments(ProofRequestSchema)
@blueprint.response(201, ProofSchema)
@blueprint.problems(400, 413, 415)
def enter(body: dict[str, Any]) -> Response:
    """Enter a proof. It counts once a second person of the member has approved it."""
    try:
        entered = proofs.enter(services(), current_actor(), own_member(), body)
    except FieldError as error:
        raise field_problem(error) from None
    return json_response(entered, 201, {"Location": url_for("proofs.show", proof_id=entered["id"])})


@blueprint.route("/v1/proofs")
@requires("contributor", "investigator", "member_admin", while_suspended=True)
@blueprint.arguments(cursors.PageSchema, location="query")
@blueprint.response(200, ProofPageSchema)
def list_own(query: dict[str, Any]) -> Response:
    """The member's proofs, newest first."""
    member = own_member()
    scope = ("proofs", member.id)
    position = cursors.decode(scope, query.get("cursor"), [str])
    before = str(position[0]) if position else None
    items, more = proofs.list_own(services(), member, before=before, limit=query["limit"])
    return json_response({"items": items, "next_cursor": cursors.encode(scope, [items[-1]["id"]]) if more else None})


@blueprint.route("/v1/proofs/<string:proof_id>")
@requires("contributor", "investigator", "member_admin", while_suspended=True)
@blueprint.response(200, ProofSchema)
@blueprint.problems(404)
def show(proof_id: str) -> Response:
    """One of the member's proofs."""
    return _answer(proofs.find(services(), own_member(), path_id(proof_id, "prf")))


@blueprint.route("/v1/proofs/<string:proof_id>/approval", methods=["POST"])
@requires("investigator", "member_admin", while_suspended=True)
@blueprint.response(200, ProofSchema)
@blueprint.problems(404, 409)
def approve(proof_id: str) -> Response:
    """Approve a proof, as a second person: not as who entered it. Once more changes nothing."""
    try:
        return _answer(proofs.approve(services(), current_actor(), own_member(), path_id(proof_id, "prf")))
    except proofs.SamePersonError:
        raise ProblemError("second-person") from None
    except proofs.WithdrawnError:
        raise ProblemError("conflict", "The proof was withdrawn. Enter another one.") from None


@blueprint.route("/v1/proofs/<string:proof_id>/withdrawal", methods=["POST"])
@requires("investigator", "member_admin", while_suspended=True)
@blueprint.response(200, ProofSchema)
@blueprint.problems(404)
def withdraw(proof_id: str) -> Response:
    """Withdraw a proof that does not hold (any more): nothing more is filed on it. Once more changes nothing."""
    return _answer(proofs.withdraw(services(), current_actor(), own_member(), path_id(proof_id, "prf")))


def _answer(found: dict[str, Any] | None) -> Response:
    if found is None:
        raise ProblemError("not-found")
    return json_response(found)
