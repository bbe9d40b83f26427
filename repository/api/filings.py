"""Filing one record, and looking at one's own."""

from __future__ import annotations

from typing import Any

from flask import Response, url_for
from marshmallow import Schema, fields, validate

from matching.vocabulary import LINES, MAX_SUBJECTS, RECORD_CLASSES
from repository.api.base import Blueprint, json_response, requires
from repository.api.context import current_actor, services
from repository.api.idempotency import idempotent
from repository.api.own import field_problem, own_member, path_id
from repository.api.problems import ProblemError
from repository.api.shapes import (
    CAPPED,
    BasisSchema,
    ClaimSchema,
    DomainSchema,
    LabelsSchema,
    SubjectSchema,
    reference_field,
)
from repository.domain.errors import FieldError
from repository.domain.filings import Outcome
from repository.services import filing

blueprint = Blueprint("filings", __name__, description="Filing records")


class FilingSchema(DomainSchema):
    """One record: a customer, a claim, a mark. The same form is one line of a batch."""

    schema = fields.String(required=True, metadata={"description": "The linkage schema of the pool, such as guarded/1"})
    fingerprint = fields.String(required=True, metadata={"description": "Of the linkage key; 16 hex digits"})
    ref = reference_field("The member's own reference; with the class it identifies the filing")
    record_class = fields.String(required=True, data_key="class", validate=validate.OneOf(RECORD_CLASSES))
    line = fields.String(required=True, validate=validate.OneOf(LINES))
    date = fields.Date(required=True, metadata={"description": "Policy start, quote, notification or filing"})
    claim = fields.Nested(ClaimSchema, metadata={"description": "For the class claim, and only for it"})
    basis = fields.Nested(BasisSchema, metadata={"description": "From which day it is kept; may be left out"})
    labels = fields.Nested(LabelsSchema, metadata={"description": "How far the record may go; it is shown no further"})
    subjects = fields.List(fields.Nested(SubjectSchema), required=True, validate=validate.Length(1, MAX_SUBJECTS))


class FiledSchema(Schema):
    """What became of a filing."""

    id = fields.String(required=True)
    reference = fields.String(required=True)
    version = fields.Integer(required=True)
    result = fields.String(required=True, validate=validate.OneOf([outcome.value for outcome in Outcome]))
    hits = fields.Integer(required=True, metadata={"description": "Hits found now that the member may see"})
    capped_keys = fields.Integer(required=True, allow_none=True, metadata={"description": CAPPED})


class OwnSubjectSchema(Schema):
    """A subject of an own filing: what it is, not its encoding."""

    kind = fields.String(required=True)
    role = fields.String(required=True)


class OwnFilingSchema(Schema):
    """An own filing as it stands."""

    id = fields.String(required=True)
    reference = fields.String(required=True)
    record_class = fields.String(required=True, data_key="class")
    line = fields.String(required=True)
    version = fields.Integer(required=True)
    date = fields.Date(required=True)
    claim = fields.Nested(ClaimSchema, allow_none=True)
    basis = fields.Nested(BasisSchema, required=True, allow_none=True)
    labels = fields.Nested(LabelsSchema, required=True, allow_none=True)
    proof = fields.String(required=True, allow_none=True, metadata={"description": "What a proven case stands on"})
    created_at = fields.AwareDateTime(required=True)
    filed_at = fields.AwareDateTime(required=True)
    kept_from = fields.Date(required=True, metadata={"description": "The day that its time counts from"})
    expires_on = fields.Date(required=True, metadata={"description": "The first day on which it is not kept any more"})
    subjects = fields.List(fields.Nested(OwnSubjectSchema), required=True)


@blueprint.route("/v1/filings", methods=["POST"])
@requires("contributor", while_suspended=True)
@idempotent
@blueprint.arguments(FilingSchema)
@blueprint.response(201, FiledSchema)
@blueprint.alt_response(200, schema=FiledSchema, description="Unchanged: the same was there already")
@blueprint.problems(400, 413, 415)
def file(body: dict[str, Any]) -> Response:
    """File one record; it is checked against the pool at once. The same content again changes nothing."""
    try:
        filed = filing.file_one(services(), current_actor(), own_member(), body)
    except FieldError as error:
        raise field_problem(error) from None
    answer = {
        "id": filed.id,
        "reference": filed.reference,
        "version": filed.version,
        "result": filed.result.value,
        "hits": filed.hits,
        "capped_keys": filed.capped_keys,
    }
    status = 200 if filed.result is Outcome.UNCHANGED else 201
    return json_response(answer, status, {"Location": url_for("filings.show", filing_id=filed.id)})


@blueprint.route("/v1/filings/<string:filing_id>")
@requires("contributor", "investigator", "member_admin", while_suspended=True)
@blueprint.response(200, OwnFilingSchema)
@blueprint.problems(404)
def show(filing_id: str) -> Response:
    """One of the member's own filings."""
    found = filing.find(services(), own_member(), path_id(filing_id, "fil"))
    if found is None:
        raise ProblemError("not-found")
    return json_response(found)
