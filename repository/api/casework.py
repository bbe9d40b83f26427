"""Cases: the queue of a member's hits by subject, and the moves on them. `cases` is about membership."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from matching.types import Band
from matching.vocabulary import LINES, MAX_REFERENCE_LENGTH, PURPOSES, RECORD_CLASSES
from repository.api import cursors
from repository.api.base import Blueprint, json_response, requires
from repository.api.context import current_actor, services
from repository.api.idempotency import idempotent
from repository.api.own import field_problem, own_member, path_id, refusal
from repository.api.problems import ProblemError
from repository.api.shapes import BANDS, HitSchema, optional_reference
from repository.domain.casework import CaseError, CaseStatus, Finding, Move, SecondPersonError, StaleError, Step
from repository.domain.errors import FieldError
from repository.services import casefile, casework
from repository.services.casefile import Wanted, Words
from repository.services.casework import LONGEST_WORDS, At, Found, Noted, Verdict
from repository.services.entitlements import DEFAULT_PURPOSE, RefusedError
from repository.storage.casework import CaseFilter

blueprint = Blueprint("casework", __name__, description="Cases: a member's work on what the pool found of one subject")

STATUSES = tuple(status.value for status in CaseStatus)
MOVES = tuple(
    move.value
    for move in (
        *(Move.CLAIM, Move.ASSIGN, Move.RELEASE, Move.SNOOZE, Move.WAKE),
        *(Move.WAIT, Move.RESUME, Move.DUE, Move.WITHDRAW, Move.REOPEN),
    )
)
FINDINGS = tuple(finding.value for finding in Finding)
MOST_ASSIGNED = 200
_VERSION = "The version of the case that this was decided on; 409 `stale` where it is another one now"
_AGE = "Days since the case was opened"
_QUERY = "Words like an own reference or an organisation's name, typing errors allowed: the best first"
_WORDS = "No names of others than the case is about: the text is sealed at rest, and deleted with the case"


class CaseSchema(Schema):
    """A case as it stands."""

    id = fields.String(required=True)
    version = fields.Integer(required=True)
    status = fields.String(required=True, validate=validate.OneOf(STATUSES))
    assignee = fields.String(required=True, allow_none=True, metadata={"description": "Actor id"})
    due_on = fields.Date(required=True)
    snoozed_until = fields.Date(required=True, allow_none=True)
    opened_at = fields.AwareDateTime(required=True)
    changed_at = fields.AwareDateTime(required=True)
    closed_at = fields.AwareDateTime(required=True, allow_none=True)
    finding = fields.String(required=True, allow_none=True, validate=validate.OneOf(FINDINGS))
    proposed_by = fields.String(required=True, allow_none=True)
    merged_into = fields.String(required=True, allow_none=True)


class QueuedCaseSchema(CaseSchema):
    """A case in the queue; what a tier does not allow is not counted."""

    band = fields.String(required=True, allow_none=True, validate=validate.OneOf(BANDS))
    hit_count = fields.Integer(required=True, metadata={"description": "Live hits in it that may be seen"})
    references = fields.List(fields.String(), required=True, metadata={"description": "Own references"})
    classes = fields.List(fields.String(), required=True, metadata={"description": "From tier 2"})
    members = fields.Integer(required=True, metadata={"description": "Other members that are named (tier 3)"})


class CaseHitSchema(HitSchema):
    """A hit in a case."""

    model = fields.String(required=True, metadata={"description": "The linkage model that scored it"})
    why_not = fields.Dict(metadata={"description": "At tier 3: `differs`, `not_observed`, bits to the `next_band`"})


class WholeCaseSchema(QueuedCaseSchema):
    """A case with all that is in it."""

    hits = fields.List(fields.Nested(CaseHitSchema), required=True)
    sightings = fields.Dict(required=True, metadata={"description": "Who else has what on the subject, by tier"})
    disputes = fields.List(fields.Dict(), required=True, metadata={"description": "Raised by the own member"})
    findings = fields.List(fields.Dict(), required=True)
    notes = fields.List(fields.Dict(), required=True)
    history = fields.List(fields.Dict(), required=True, metadata={"description": "Every move, the first one first"})


class CasePageSchema(Schema):
    """A page of cases."""

    items = fields.List(fields.Nested(QueuedCaseSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class CaseReadSchema(Schema):
    """What a case is read for."""

    purpose = fields.String(validate=validate.OneOf(PURPOSES), load_default=DEFAULT_PURPOSE)


class CaseQueueSchema(cursors.PageSchema):
    """Which cases. Band, line, class and members are those of hits in the case that may be seen."""

    band = fields.String(validate=validate.OneOf(BANDS))
    line = fields.String(validate=validate.OneOf(LINES), metadata={"description": "Of the own side"})
    record_class = fields.String(data_key="class", validate=validate.OneOf(RECORD_CLASSES))
    members = fields.Integer(validate=validate.Range(1, 4095), metadata={"description": "At least so many are named"})
    status = fields.String(validate=validate.OneOf(STATUSES), metadata={"description": "Merged ones only by this"})
    assignee = fields.String(validate=validate.Length(1, 40), metadata={"description": "An actor id, `me` or `none`"})
    due_by = fields.Date()
    older_than = fields.Integer(validate=validate.Range(0, 36500), metadata={"description": _AGE})
    younger_than = fields.Integer(validate=validate.Range(1, 36500), metadata={"description": _AGE})
    purpose = fields.String(validate=validate.OneOf(PURPOSES), load_default=DEFAULT_PURPOSE)


class CaseSearchSchema(CaseQueueSchema):
    """Words that cases are like, and the filters of the queue. Words may be names, and addresses are logged."""

    q = fields.String(required=True, validate=validate.Length(1, 100), metadata={"description": _QUERY})


def _version() -> fields.Integer:
    return fields.Integer(
        required=True, strict=True, validate=validate.Range(1, 2**31 - 1), metadata={"description": _VERSION}
    )


def _words(**options: Any) -> fields.String:
    return fields.String(validate=validate.Length(1, LONGEST_WORDS), metadata={"description": _WORDS}, **options)


def _reference() -> fields.String:
    described = {"description": "The member's own reference to what stays with it"}
    return fields.String(allow_none=True, validate=validate.Length(1, MAX_REFERENCE_LENGTH), metadata=described)


class CaseMoveSchema(Schema):
    """A move. `assign` takes an assignee; `snooze` and `due` take a day; `reopen` takes a reason."""

    move = fields.String(required=True, validate=validate.OneOf(MOVES))
    version = _version()
    assignee = fields.String(validate=validate.Length(1, 40))
    day = fields.Date()
    reason = _words()


class CaseAssignedSchema(Schema):
    """A case to assign, as it was read."""

    id = fields.String(required=True, validate=validate.Length(1, 40))
    version = _version()


class CaseAssignmentSchema(Schema):
    """Cases to assign to one investigator, each by itself."""

    assignee = fields.String(required=True, validate=validate.Length(1, 40))
    cases = fields.List(fields.Nested(CaseAssignedSchema), required=True, validate=validate.Length(1, MOST_ASSIGNED))


class CaseAssignmentsSchema(Schema):
    """What became of each: assigned, stale, conflict or not_found."""

    results = fields.List(fields.Dict(), required=True)


class CaseNoteSchema(Schema):
    """A note. Attachments are not sent: they stay with the member."""

    text = _words(required=True)
    attachment_reference = _reference()


class CaseNotedSchema(CaseNoteSchema):
    """A note as it was taken."""

    id = fields.String(required=True)
    at = fields.AwareDateTime(required=True)
    by = fields.String(required=True, metadata={"description": "Actor id"})


class CaseFindingSchema(Schema):
    """What was found. `clear` closes the case; an adverse finding waits for a second person."""

    finding = fields.String(required=True, validate=validate.OneOf(FINDINGS))
    version = _version()
    evidence = _words(required=True)
    evidence_reference = _reference()
    subject_could_speak = fields.Boolean(truthy={True}, falsy={False})
    subject_words = _words()


class CaseDecisionSchema(Schema):
    """The second person's decision; a finding is returned with a reason."""

    approve = fields.Boolean(required=True, truthy={True}, falsy={False})
    version = _version()
    reason = _words()


@blueprint.route("/v1/cases")
@requires("screener", "investigator", "member_admin", while_suspended=True)
@blueprint.arguments(CaseQueueSchema, location="query")
@blueprint.response(200, CasePageSchema)
def list_own(query: dict[str, Any]) -> Response:
    """The member's cases, newest first. Hits that are new are put into cases first."""
    member, scope = own_member(), _scope(query)
    position = cursors.decode(scope, query.get("cursor"), [str])
    before = str(position[0]) if position else None
    try:
        items, more = casefile.queue(
            services(), current_actor(), member, _wanted(query), before=before, limit=query["limit"]
        )
    except RefusedError as error:
        raise refusal(error.granted) from None
    return json_response({"items": items, "next_cursor": cursors.encode(scope, [items[-1]["id"]]) if more else None})


@blueprint.route("/v1/cases/search", methods=["POST"])
@requires("screener", "investigator", "member_admin", while_suspended=True)
@blueprint.arguments(CaseSearchSchema)
@blueprint.response(200, CasePageSchema)
@blueprint.problems(400, 413, 415)
def search(body: dict[str, Any]) -> Response:
    """The member's cases that are like some words, the most alike first, narrowed as the queue is."""
    member, scope = own_member(), _scope(body)
    position = cursors.decode(scope, body.get("cursor"), [int])
    after, limit = int(position[0]) if position else 0, body["limit"]
    try:
        found, more = casefile.search(
            services(), current_actor(), member, _wanted(body), Words(body["q"], after, limit)
        )
    except RefusedError as error:
        raise refusal(error.granted) from None
    return json_response({"items": found, "next_cursor": cursors.encode(scope, [after + limit]) if more else None})


@blueprint.route("/v1/cases/next", methods=["POST"])
@requires("investigator", while_suspended=True)
@blueprint.response(200, CaseSchema)
@blueprint.alt_response(204, description="Somebody has each that is open")
def take_next() -> Response:
    """Claim the case that is due first of those that nobody has. No two people get the same; 204 when there is none."""
    try:
        case = casefile.take_next(services(), current_actor(), own_member())
    except RefusedError as error:
        raise refusal(error.granted) from None
    return Response(status=204) if case is None else _answer(case)


@blueprint.route("/v1/cases/<string:case_id>")
@requires("screener", "investigator", "member_admin", while_suspended=True)
@blueprint.arguments(CaseReadSchema, location="query")
@blueprint.response(200, WholeCaseSchema)
@blueprint.problems(404)
def show(query: dict[str, Any], case_id: str) -> Response:
    """One of the member's cases: both sides as far as they may be seen, why and why not, and what was done."""
    try:
        case = casefile.one(services(), current_actor(), own_member(), path_id(case_id, "cas"), query["purpose"])
    except RefusedError as error:
        raise refusal(error.granted) from None
    return _answer(case)


@blueprint.route("/v1/cases/<string:case_id>/moves", methods=["POST"])
@requires("investigator", "member_admin", while_suspended=True)
@blueprint.arguments(CaseMoveSchema)
@blueprint.response(200, CaseSchema)
@blueprint.problems(400, 404, 409, 413, 415)
def move(body: dict[str, Any], case_id: str) -> Response:
    """Claim, assign, release, snooze, wake, wait, resume, give another due day, withdraw a finding, or open again."""
    what, actor = Move(body["move"]), current_actor()
    assignee = actor.id if what is Move.CLAIM else body.get("assignee")
    step = Step(what, body["version"], assignee_id=assignee, day=body.get("day"))
    at = _at(case_id)
    return _moved(lambda: casework.move(services(), at, step, body.get("reason")))


@blueprint.route("/v1/cases/assignments", methods=["POST"])
@requires("member_admin", while_suspended=True)
@blueprint.arguments(CaseAssignmentSchema)
@blueprint.response(200, CaseAssignmentsSchema)
@blueprint.problems(400, 409, 413, 415)
def assign(body: dict[str, Any]) -> Response:
    """Assign cases to one investigator: each that is as it was read."""
    wanted = [(each["id"], each["version"]) for each in body["cases"]]
    try:
        results = casework.assign_many(services(), current_actor(), own_member(), body["assignee"], wanted)
    except CaseError as error:
        raise ProblemError("conflict", str(error)) from None
    return json_response({"results": results})


def _noted(note_id: str, case_id: str) -> Response:
    """A note that was added under the same key before; its words are kept nowhere but in it."""
    return _answer(casework.note_again(services(), _at(case_id), note_id), 201)


@blueprint.route("/v1/cases/<string:case_id>/notes", methods=["POST"])
@requires("investigator", "member_admin", while_suspended=True)
@idempotent(told=_noted)
@blueprint.arguments(CaseNoteSchema)
@blueprint.response(201, CaseNotedSchema)
@blueprint.problems(400, 404, 409, 413, 415)
def note(body: dict[str, Any], case_id: str) -> Response:
    """Add a note to a case, whatever version it is at; not to a merged one."""
    at = _at(case_id)

    def add() -> dict[str, Any] | None:
        noted = Noted(body["text"], optional_reference(body, "attachment_reference"))
        return casework.note(services(), at, noted)

    return _moved(add, 201)


@blueprint.route("/v1/cases/<string:case_id>/finding", methods=["POST"])
@requires("investigator", "member_admin", while_suspended=True)
@blueprint.arguments(CaseFindingSchema)
@blueprint.response(200, CaseSchema)
@blueprint.problems(400, 404, 409, 413, 415)
def find(body: dict[str, Any], case_id: str) -> Response:
    """Say what was found: clear closes the case; suspicion upheld and proven wait for a second person."""
    at = _at(case_id)

    def put() -> dict[str, Any] | None:
        said = Found(
            Finding(body["finding"]),
            body["evidence"],
            optional_reference(body, "evidence_reference"),
            body.get("subject_could_speak"),
            body.get("subject_words", ""),
        )
        return casework.find(services(), at, body["version"], said)

    return _moved(put)


@blueprint.route("/v1/cases/<string:case_id>/finding/decision", methods=["POST"])
@requires("investigator", "member_admin", while_suspended=True)
@blueprint.arguments(CaseDecisionSchema)
@blueprint.response(200, CaseSchema)
@blueprint.problems(400, 404, 409, 413, 415)
def decide(body: dict[str, Any], case_id: str) -> Response:
    """Approve or return an adverse finding, or confirm a clear one, as a second person.

    That is neither who proposed it nor, to approve or confirm, who asked the pool.
    """
    at, said = _at(case_id), Verdict(body["version"], body["approve"], body.get("reason"))
    return _moved(lambda: casefile.decide(services(), at, said))


def _at(case_id: str) -> At:
    return At(current_actor(), own_member(), path_id(case_id, "cas"))


def _scope(query: dict[str, Any]) -> tuple[object, ...]:
    """The list that a cursor is of: whose, and how it is narrowed."""
    names = sorted(query.keys() - {"cursor", "limit"})
    return ("cases", own_member().id, *((name, str(query[name])) for name in names))


def _wanted(query: dict[str, Any]) -> Wanted:
    now, assignee = services().clock(), query.get("assignee")
    older, younger = query.get("older_than"), query.get("younger_than")
    of_case = CaseFilter(
        statuses=[query["status"]] if "status" in query else None,
        assignee_id=current_actor().id if assignee == "me" else None if assignee == "none" else assignee,
        unassigned=assignee == "none",
        due_by=query.get("due_by"),
        opened_from=None if younger is None else now - timedelta(days=younger),
        opened_before=None if older is None else now - timedelta(days=older),
    )
    bands = [Band[query["band"].upper()]] if "band" in query else None
    return Wanted(of_case, bands, query.get("line"), query.get("record_class"), query.get("members"), query["purpose"])


def _moved(act: Callable[[], dict[str, Any] | None], status: int = 200) -> Response:
    try:
        return _answer(act(), status)
    except StaleError as error:
        raise ProblemError("stale", str(error), version=error.version) from None
    except SecondPersonError as error:
        raise ProblemError("second-person", str(error)) from None
    except CaseError as error:
        raise ProblemError("conflict", str(error)) from None
    except FieldError as error:
        raise field_problem(error) from None


def _answer(case: dict[str, Any] | None, status: int = 200) -> Response:
    if case is None:
        raise ProblemError("not-found")
    return json_response(case, status)
