"""What persons ask through a member about the records on them, and what contributors answer."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Response, url_for
from marshmallow import Schema, fields, validate

from matching.vocabulary import LINES, RECORD_CLASSES
from repository.api import cursors
from repository.api.base import Blueprint, json_response, requires
from repository.api.context import current_actor, services
from repository.api.idempotency import idempotent
from repository.api.own import field_problem, own_member, path_id, refusal
from repository.api.problems import ProblemError
from repository.api.shapes import DomainSchema, SubjectSchema, note_field, reference_field
from repository.domain.disputes import Ground
from repository.domain.errors import FieldError
from repository.domain.removal import HeldError
from repository.domain.subject_requests import (
    MOST_SUBJECTS,
    DeferralReason,
    PartDecision,
    RefusalReason,
    RequestKind,
    RequestStatus,
    SubjectRequestError,
)
from repository.services import subject_parts, subject_pdf, subject_report, subject_requests
from repository.services.entitlements import RefusedError
from repository.services.subject_requests import TooManyError

blueprint = Blueprint("subject_requests", __name__, description="What persons ask about the records on them")

PDF = "application/pdf"
KINDS, STATUSES, DEFERRALS, DECISIONS, REFUSALS, GROUNDS = (
    [word.value for word in kind]
    for kind in (RequestKind, RequestStatus, DeferralReason, PartDecision, RefusalReason, Ground)
)
_IDENTITY = "Where the member keeps how the person's identity was proven; the proof itself is not sent"
_READY = {"description": "The first day after which the answer may be read, the same whatever was found"}
_TOLD = {"description": "Which version of the report was told last; 0 before"}


class SubjectRequestRequestSchema(DomainSchema):
    """A person's request, encoded by the member's kit: one encoding for each name or address of theirs."""

    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    reference = reference_field("The member's own")
    identity_reference = reference_field(_IDENTITY)
    received_on = fields.Date(required=True, metadata={"description": "When the person asked; the clock runs from it"})
    ground = fields.String(validate=validate.OneOf(GROUNDS), metadata={"description": "Of a dispute"})
    notice = fields.String(metadata={"description": "Of a dispute: the person's own words, which go with the record"})
    line = fields.String(validate=validate.OneOf(LINES), metadata={"description": "Of a registration"})
    schema = fields.String(required=True)
    fingerprint = fields.String(required=True)
    subjects = fields.List(fields.Nested(SubjectSchema), required=True, validate=validate.Length(1, MOST_SUBJECTS))


class SubjectRequestSchema(Schema):
    """A request as the member that entered it sees it. Nothing in it depends on what was found."""

    id = fields.String(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    status = fields.String(required=True, validate=validate.OneOf(STATUSES))
    reference = fields.String(required=True)
    identity_reference = fields.String(required=True)
    ground = fields.String(required=True, allow_none=True)
    line = fields.String(required=True, allow_none=True)
    received_on = fields.Date(required=True)
    due_on = fields.Date(required=True, metadata={"description": "The last day to answer the person, in the zone"})
    late = fields.Boolean(required=True)
    entered_at = fields.AwareDateTime(required=True)
    entered_by = fields.String(required=True)
    confirmed_at = fields.AwareDateTime(required=True, allow_none=True)
    confirmed_by = fields.String(required=True, allow_none=True)
    ready_on = fields.Date(required=True, allow_none=True, metadata=_READY)
    ready_at = fields.AwareDateTime(required=True, allow_none=True)
    report_until = fields.AwareDateTime(required=True, allow_none=True)
    told = fields.Integer(required=True, metadata=_TOLD)
    told_at = fields.AwareDateTime(required=True, allow_none=True)
    filing = fields.String(required=True, allow_none=True, metadata={"description": "That a registration filed"})
    ended_at = fields.AwareDateTime(required=True, allow_none=True)


class SubjectPartSchema(Schema):
    """A request about one own record, for its contributor. `member` is the one through which the person asks."""

    id = fields.String(required=True)
    request = fields.String(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    status = fields.String(required=True, validate=validate.OneOf(STATUSES))
    ground = fields.String(required=True, allow_none=True)
    member = fields.String(required=True)
    name = fields.String(required=True)
    filing = fields.String(required=True)
    version = fields.Integer(required=True)
    reference = fields.String(required=True, allow_none=True, metadata={"description": "Of the own filing"})
    line = fields.String(required=True, validate=validate.OneOf(LINES))
    record_class = fields.String(required=True, data_key="class", validate=validate.OneOf(RECORD_CLASSES))
    found_at = fields.AwareDateTime(required=True)
    decide_by = fields.Date(required=True, allow_none=True)
    overdue = fields.Boolean(required=True)
    decision = fields.String(required=True, allow_none=True, validate=validate.OneOf(DECISIONS))
    reason = fields.String(required=True, allow_none=True, validate=validate.OneOf(REFUSALS))
    decided_at = fields.AwareDateTime(required=True, allow_none=True)
    note_reference = fields.String(required=True, allow_none=True)
    deferred_until = fields.Date(required=True, allow_none=True)
    deferral_reason = fields.String(required=True, allow_none=True, validate=validate.OneOf(DEFERRALS))
    deferred_by = fields.String(required=True, allow_none=True, validate=validate.OneOf(["contributor", "operator"]))
    restricted_at = fields.AwareDateTime(required=True, allow_none=True)
    dispute = fields.String(required=True, allow_none=True)


class PartDeferralSchema(DomainSchema):
    """Why a record is not told yet, and the day up to the end of which."""

    reason = fields.String(required=True, validate=validate.OneOf(DEFERRALS))
    until = fields.Date(required=True)


class PartDecisionSchema(DomainSchema):
    """What becomes of a record; a reason where it stays as it is, which the person reads."""

    decision = fields.String(required=True, validate=validate.OneOf(DECISIONS))
    reason = fields.String(validate=validate.OneOf(REFUSALS))
    note_reference = note_field()


class SubjectQuerySchema(cursors.PageSchema):
    """Which requests."""

    status = fields.String(validate=validate.OneOf(STATUSES))


class PartQuerySchema(cursors.PageSchema):
    """Which parts: all, or those that the contributor is to decide still."""

    undecided = fields.Boolean(load_default=False, truthy={"true"}, falsy={"false"})


class SubjectRequestPageSchema(Schema):
    """A page of requests."""

    items = fields.List(fields.Nested(SubjectRequestSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class SubjectPartPageSchema(Schema):
    """A page of parts."""

    items = fields.List(fields.Nested(SubjectPartSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class SubjectReportSchema(Schema):
    """What a person is told. The header `Content-Digest` has its SHA-256; it stays the same until there is more."""

    request = fields.String(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    member = fields.String(required=True)
    reference = fields.String(required=True)
    received_on = fields.Date(required=True)
    due_on = fields.Date(required=True)
    made_on = fields.Date(required=True)
    version = fields.Integer(required=True)
    rulebook = fields.String(required=True)
    records = fields.List(fields.Dict(), required=True)
    registration = fields.Dict(required=True, allow_none=True)
    untold_purposes = fields.List(fields.String(), required=True)
    withheld = fields.String(required=True)
    rights = fields.List(fields.Dict(), required=True)


@contextmanager
def _problems() -> Iterator[None]:
    try:
        yield
    except FieldError as error:
        raise field_problem(error) from None
    except RefusedError as error:
        raise refusal(error.granted) from None
    except HeldError:
        raise ProblemError("conflict", "The filing is under a legal hold.") from None
    except TooManyError as error:
        detail = f"A member enters at most {error.per_day} requests of persons on a day."
        remedy = "Enter it tomorrow; its clock runs from the day on which it was received."
        raise ProblemError("quota", detail, rule="R10", figures={"per_day": error.per_day}, remedy=remedy) from None
    except SubjectRequestError as error:
        text = str(error)
        raise ProblemError("conflict", f"{text[0].upper()}{text[1:]}.") from None


@blueprint.route("/v1/subject-requests", methods=["POST"])
@requires("investigator", "member_admin", while_suspended=True)
@idempotent
@blueprint.arguments(SubjectRequestRequestSchema)
@blueprint.response(201, SubjectRequestSchema)
@blueprint.problems(400, 413, 415, 429)
def enter(body: dict[str, Any]) -> Response:
    """Enter what a person asks, or that they wish to be registered. A second person confirms it."""
    with _problems():
        made = subject_requests.enter(services(), current_actor(), own_member(), body)
    return json_response(made, 201, {"Location": url_for("subject_requests.show", request_id=made["id"])})


@blueprint.route("/v1/subject-requests")
@requires("investigator", "member_admin", while_suspended=True)
@blueprint.arguments(SubjectQuerySchema, location="query")
@blueprint.response(200, SubjectRequestPageSchema)
def list_own(query: dict[str, Any]) -> Response:
    """The requests that the member entered, latest first."""
    member, status = own_member(), RequestStatus(query["status"]) if "status" in query else None
    scope = ("subject-requests", member.id, status)
    position = cursors.decode(scope, query.get("cursor"), [str])
    before = str(position[0]) if position else None
    items, more = subject_requests.listed(services(), member, status, before=before, limit=query["limit"])
    return json_response({"items": items, "next_cursor": cursors.encode(scope, [items[-1]["id"]]) if more else None})


@blueprint.route("/v1/subject-requests/<string:request_id>")
@requires("investigator", "member_admin", while_suspended=True)
@blueprint.response(200, SubjectRequestSchema)
@blueprint.problems(404)
def show(request_id: str) -> Response:
    """One request that the member entered."""
    return _told(subject_requests.find(services(), own_member(), path_id(request_id, "sbr")))


@blueprint.route("/v1/subject-requests/<string:request_id>/confirmation", methods=["POST"])
@requires("investigator", "member_admin", while_suspended=True)
@blueprint.response(200, SubjectRequestSchema)
@blueprint.problems(404, 409)
def confirm(request_id: str) -> Response:
    """Vouch for a request that somebody else entered: its records are looked up, or it is registered, now."""
    with _problems():
        done = subject_requests.confirm(services(), current_actor(), own_member(), path_id(request_id, "sbr"))
    return _told(done)


@blueprint.route("/v1/subject-requests/<string:request_id>/withdrawal", methods=["POST"])
@requires("investigator", "member_admin", while_suspended=True)
@blueprint.response(200, SubjectRequestSchema)
@blueprint.problems(404, 409)
def withdraw(request_id: str) -> Response:
    """Take a request back, at the person's wish."""
    with _problems():
        done = subject_requests.withdraw(services(), current_actor(), own_member(), path_id(request_id, "sbr"))
    return _told(done)


@blueprint.route("/v1/subject-requests/<string:request_id>/end", methods=["POST"])
@requires("investigator", "member_admin", while_suspended=True)
@blueprint.response(200, SubjectRequestSchema)
@blueprint.problems(404, 409)
def end(request_id: str) -> Response:
    """End a registration, at the person's wish: its filing is taken out of the pool."""
    with _problems():
        done = subject_requests.end(services(), current_actor(), own_member(), path_id(request_id, "sbr"))
    return _told(done)


@blueprint.route("/v1/subject-requests/<string:request_id>/report")
@requires("investigator", "member_admin", while_suspended=True)
@blueprint.response(200, SubjectReportSchema)
@blueprint.problems(404, 409)
def report(request_id: str) -> Response:
    """What the person is told, or the receipt of a registration, as JSON."""
    found = _report(request_id)
    return Response(found.content, 200, {"Content-Digest": _digest(found)}, mimetype="application/json")


@blueprint.route("/v1/subject-requests/<string:request_id>/report.pdf")
@requires("investigator", "member_admin", while_suspended=True)
@blueprint.response(200, {"type": "string", "format": "binary"}, content_type=PDF)
@blueprint.problems(404, 409)
def report_as_pdf(request_id: str) -> Response:
    """The same to be printed and handed over: of one report always the same bytes."""
    return Response(subject_pdf.render(_report(request_id).content), 200, mimetype=PDF)


@blueprint.route("/v1/subject-parts")
@requires("contributor", "investigator", "member_admin", while_suspended=True)
@blueprint.arguments(PartQuerySchema, location="query")
@blueprint.response(200, SubjectPartPageSchema)
def list_parts(query: dict[str, Any]) -> Response:
    """What persons ask about the member's own records, latest first."""
    member, undecided = own_member(), query["undecided"]
    scope = ("subject-parts", member.id, undecided)
    position = cursors.decode(scope, query.get("cursor"), [str])
    before = str(position[0]) if position else None
    items, more = subject_parts.inbox(services(), member, undecided=undecided, before=before, limit=query["limit"])
    return json_response({"items": items, "next_cursor": cursors.encode(scope, [items[-1]["id"]]) if more else None})


@blueprint.route("/v1/subject-parts/<string:part_id>")
@requires("contributor", "investigator", "member_admin", while_suspended=True)
@blueprint.response(200, SubjectPartSchema)
@blueprint.problems(404)
def show_part(part_id: str) -> Response:
    """What a person asks about one own record."""
    return _told(subject_parts.find(services(), own_member(), path_id(part_id, "sbp")))


@blueprint.route("/v1/subject-parts/<string:part_id>/deferral", methods=["POST"])
@requires("investigator", "member_admin", while_suspended=True)
@blueprint.arguments(PartDeferralSchema)
@blueprint.response(200, SubjectPartSchema)
@blueprint.problems(400, 404, 409, 413, 415)
def defer(body: dict[str, Any], part_id: str) -> Response:
    """Have the person told of an own record later, for a reason of the law and up to a day."""
    with _problems():
        done = subject_parts.defer(services(), current_actor(), own_member(), path_id(part_id, "sbp"), body)
    return _told(done)


@blueprint.route("/v1/subject-parts/<string:part_id>/decision", methods=["POST"])
@requires("investigator", "member_admin", while_suspended=True)
@blueprint.arguments(PartDecisionSchema)
@blueprint.response(200, SubjectPartSchema)
@blueprint.problems(400, 404, 409, 413, 415)
def decide(body: dict[str, Any], part_id: str) -> Response:
    """Erase or restrict an own record, or refuse with a reason: it is done at once."""
    with _problems():
        done = subject_parts.decide(services(), current_actor(), own_member(), path_id(part_id, "sbp"), body)
    return _told(done)


def _report(request_id: str) -> subject_report.Report:
    with _problems():
        found = subject_report.read(services(), current_actor(), own_member(), path_id(request_id, "sbr"))
    if found is None:
        raise ProblemError("not-found")
    return found


def _digest(found: subject_report.Report) -> str:
    """As in RFC 9530."""
    return f"sha-256=:{base64.b64encode(bytes.fromhex(found.sha256)).decode()}:"


def _told(found: dict[str, Any] | None) -> Response:
    if found is None:
        raise ProblemError("not-found")
    return json_response(found)
