"""The disclosure exchange: asking a contributor for the detail of a record, answering, and how quickly members do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Response, url_for
from marshmallow import Schema, fields, validate

from matching.vocabulary import LINES, PURPOSES, RECORD_CLASSES
from repository.api import cursors
from repository.api.base import Blueprint, json_response, requires
from repository.api.context import current_actor, services
from repository.api.own import field_problem, own_member, path_id, refusal
from repository.api.problems import ProblemError
from repository.api.shapes import DomainSchema, note_field, reference_field
from repository.domain import exchange as rules
from repository.domain.errors import FieldError
from repository.domain.exchange import LONGEST_SEALED, LONGEST_WORDS, ExchangeError, RequestStatus, Withheld
from repository.domain.ids import is_id
from repository.domain.rulebook import DETAIL_TIER
from repository.services import exchange, exchange_asking, response_times
from repository.services.entitlements import RefusedError
from repository.services.exchange import Wanted
from repository.services.exchange_asking import NotAskedForError

blueprint = Blueprint("disclosures", __name__, description="Asking for the detail of a record (tier 4)")

SIDES = ("sent", "received")
STATUSES, WITHHELD = ([word.value for word in kind] for kind in (RequestStatus, Withheld))
_MOST_BASE64 = -(-LONGEST_SEALED // 3) * 4
_LISTED = {"description": "A word of the rulebook's [exchange], see GET /v1/rulebook"}
_ASKED = {"description": "What exactly is asked for; both members read it"}
_MINIMUM = {"description": "Why nothing less will do; both members read it"}
_THIRD = {"description": "Whether what is given may reach anyone else"}
_KEPT_BACK = {"description": "Why not all of it is given; left out where it is"}
_SEALED = {"description": "The answer sealed by age to `recipient`, in base64; the service cannot open it"}
_RECIPIENT = {"description": "The public key of who asks, as published now; received only"}
_LEFT = {"description": "Of an open request: working days to its last day in time, less than none once that is over"}
_THEIRS = {"description": "The other side's own reference; the contributor's comes with an approval only"}
_NOTE = {"description": "The contributor's own; received only"}
_UNTIL = {"description": "Until when the sealed answer is kept, unless it was opened"}
_MAY_NOT = (
    "The detail of this record is not to be had: its line, class or labels, or what you contribute, are below it."
)
_REMEDY = (
    f"Tier {DETAIL_TIER} takes claims and a fraud class in the line, contributed as declared, in good standing (R2)."
)


class DisclosureRequestSchema(DomainSchema):
    """What is asked of the contributor behind a hit, by which power, and why it is the minimum."""

    hit = fields.String(required=True)
    purpose = fields.String(required=True, validate=validate.OneOf(PURPOSES))
    legal_power = fields.String(required=True, metadata=_LISTED)
    reference = reference_field("The own case; the contributor is told it")
    items = fields.List(fields.String(), required=True, validate=validate.Length(1), metadata=_LISTED)
    third_party = fields.Boolean(required=True, metadata=_THIRD)
    asked = fields.String(required=True, validate=validate.Length(1, LONGEST_WORDS), metadata=_ASKED)
    minimum = fields.String(required=True, validate=validate.Length(1, LONGEST_WORDS), metadata=_MINIMUM)


class ApprovalSchema(DomainSchema):
    """What of it is given, sealed to who asks; with a reason where it is not all."""

    granted = fields.List(fields.String(), required=True, validate=validate.Length(1))
    recipient = fields.String(required=True, metadata={"description": "The public key that it is sealed to"})
    sealed = fields.String(required=True, validate=validate.Length(1, _MOST_BASE64), metadata=_SEALED)
    withheld = fields.String(validate=validate.OneOf(WITHHELD), metadata=_KEPT_BACK)
    reason = fields.String(validate=validate.Length(1, LONGEST_WORDS), metadata=_KEPT_BACK)
    note_reference = note_field()


class RefusalSchema(DomainSchema):
    """Why nothing of it is given."""

    withheld = fields.String(required=True, validate=validate.OneOf(WITHHELD))
    reason = fields.String(required=True, validate=validate.Length(1, LONGEST_WORDS))
    note_reference = note_field()


class EscalationSchema(DomainSchema):
    """What to say to the contributor; the operator learns that the request is overdue, and reads none of it."""

    reason = fields.String(required=True, validate=validate.Length(1, LONGEST_WORDS))


class DisclosureSchema(Schema):
    """A request as one of its two members sees it; `member` is the other one."""

    id = fields.String(required=True)
    side = fields.String(required=True, validate=validate.OneOf(SIDES))
    status = fields.String(required=True, validate=validate.OneOf(STATUSES))
    overdue = fields.Boolean(required=True)
    member = fields.String(required=True)
    name = fields.String(required=True)
    asked_at = fields.AwareDateTime(required=True)
    due_on = fields.Date(required=True, metadata={"description": "The last day in time, in the rulebook's zone"})
    working_days_left = fields.Integer(required=True, allow_none=True, metadata=_LEFT)
    line = fields.String(required=True, validate=validate.OneOf(LINES))
    record_class = fields.String(required=True, data_key="class", validate=validate.OneOf(RECORD_CLASSES))
    purpose = fields.String(required=True, validate=validate.OneOf(PURPOSES))
    legal_power = fields.String(required=True)
    reference = fields.String(required=True, allow_none=True, metadata={"description": "The own one"})
    their_reference = fields.String(required=True, allow_none=True, metadata=_THEIRS)
    items = fields.List(fields.String(), required=True)
    third_party = fields.Boolean(required=True)
    asked = fields.String(required=True)
    minimum = fields.String(required=True)
    granted = fields.List(fields.String(), required=True)
    withheld = fields.String(required=True, allow_none=True, validate=validate.OneOf(WITHHELD))
    reason = fields.String(required=True, allow_none=True, metadata={"description": "The contributor's"})
    answered_at = fields.AwareDateTime(required=True, allow_none=True)
    working_days = fields.Integer(required=True, allow_none=True, metadata={"description": "That the answer took"})
    in_time = fields.Boolean(required=True, allow_none=True)
    escalated_at = fields.AwareDateTime(required=True, allow_none=True)
    escalation = fields.String(required=True, allow_none=True)
    withdrawn_at = fields.AwareDateTime(required=True, allow_none=True)
    available_until = fields.AwareDateTime(required=True, allow_none=True, metadata=_UNTIL)
    sha256 = fields.String(required=True, allow_none=True, metadata={"description": "Of the sealed answer"})
    bytes = fields.Integer(required=True, allow_none=True)
    opened_at = fields.AwareDateTime(required=True, allow_none=True)
    hit = fields.String(metadata={"description": "Sent only"})
    recipient = fields.String(allow_none=True, metadata=_RECIPIENT)
    filing = fields.String(metadata={"description": "The own one; received only"})
    version = fields.Integer(metadata={"description": "Of the filing, when it was asked about; received only"})
    note_reference = fields.String(allow_none=True, metadata=_NOTE)


class SealedAnswerSchema(Schema):
    """An answer as the contributor sealed it."""

    id = fields.String(required=True)
    sealed = fields.String(required=True, metadata=_SEALED)
    sha256 = fields.String(required=True)
    recipient = fields.String(required=True)


class DisclosureQuerySchema(cursors.PageSchema):
    """Which requests: the inbox or those sent, in a status, or overdue only."""

    side = fields.String(load_default="received", validate=validate.OneOf(SIDES))
    status = fields.String(validate=validate.OneOf(STATUSES))
    overdue = fields.Boolean(load_default=False, truthy={"true"}, falsy={"false"})


class DisclosurePageSchema(Schema):
    """A page of requests."""

    items = fields.List(fields.Nested(DisclosureSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class TimesSchema(Schema):
    """One member's; of few requests only that they are fewer than a number, but for the own member."""

    member = fields.String(required=True)
    name = fields.String(required=True)
    requests = fields.Raw(required=True, metadata={"description": "Answered or overdue: a number, or `fewer_than`"})
    share_in_time = fields.Float(required=True, allow_none=True)
    overdue = fields.Integer(required=True, allow_none=True)
    median_working_days = fields.Float(required=True, allow_none=True)


class LeagueSchema(Schema):
    """How quickly members answered what was asked in the last days, by name; and the target in working days."""

    days = fields.Integer(required=True)
    working_days = fields.Integer(required=True)
    items = fields.List(fields.Nested(TimesSchema), required=True)


@contextmanager
def _problems() -> Iterator[None]:
    try:
        yield
    except FieldError as error:
        raise field_problem(error) from None
    except RefusedError as error:
        raise refusal(error.granted) from None
    except NotAskedForError as error:
        raise ProblemError(
            "reciprocity", _MAY_NOT, rule="R2", remedy=_REMEDY, decision=error.granted.id, figures={}
        ) from None
    except ExchangeError as error:
        text = str(error)
        raise ProblemError("conflict", f"{text[0].upper()}{text[1:]}.") from None


@blueprint.route("/v1/disclosures", methods=["POST"])
@requires("investigator", "member_admin")
@blueprint.arguments(DisclosureRequestSchema)
@blueprint.response(201, DisclosureSchema)
@blueprint.alt_response(200, schema=DisclosureSchema, description="The same was asked before and is open")
@blueprint.problems(400, 404, 409, 413, 415)
def request_one(body: dict[str, Any]) -> Response:
    """Ask the contributor behind a hit for the detail of its record. The same again is the same request."""
    member = own_member()
    with _problems():
        if not is_id(body.get("hit"), "hit"):
            raise FieldError("hit", "the id of a hit")
        if body.get("purpose") not in PURPOSES:
            raise FieldError("purpose", f"one of: {', '.join(PURPOSES)}")
        asking = rules.asking_from_json(body, services().rulebook.exchange)
        asked = exchange_asking.ask(services(), current_actor(), member, str(body["hit"]), asking)
    if asked is None:
        raise ProblemError("not-found")
    made, new = asked
    told = exchange.find(services(), member, made)
    where = {"Location": url_for("disclosures.show", disclosure_id=made)}
    return json_response(told, 201 if new else 200, where)


@blueprint.route("/v1/disclosures")
@requires("contributor", "investigator", "member_admin", while_suspended=True)
@blueprint.arguments(DisclosureQuerySchema, location="query")
@blueprint.response(200, DisclosurePageSchema)
def list_own(query: dict[str, Any]) -> Response:
    """The member's inbox, or what it sent, latest first."""
    member = own_member()
    status = RequestStatus(query["status"]) if "status" in query else None
    wanted = Wanted(query["side"], status, query["overdue"])
    scope = ("disclosures", member.id, wanted.side, status, wanted.overdue)
    position = cursors.decode(scope, query.get("cursor"), [str])
    before = str(position[0]) if position else None
    items, more = exchange.listed(services(), member, wanted, before=before, limit=query["limit"])
    return json_response({"items": items, "next_cursor": cursors.encode(scope, [items[-1]["id"]]) if more else None})


@blueprint.route("/v1/disclosures/response-times")
@requires("contributor", "investigator", "member_admin", while_suspended=True)
@blueprint.response(200, LeagueSchema)
def league() -> Response:
    """How quickly each member answers: share in time, median of working days, and how many are overdue."""
    own, made = own_member(), services()
    with made.database.reading() as connection:
        return json_response(response_times.league(connection, made.rulebook, made.clock(), own.id))


@blueprint.route("/v1/disclosures/<string:disclosure_id>")
@requires("contributor", "investigator", "member_admin", while_suspended=True)
@blueprint.response(200, DisclosureSchema)
@blueprint.problems(404)
def show(disclosure_id: str) -> Response:
    """One request that the member sent or received."""
    return _told(disclosure_id, found=True)


@blueprint.route("/v1/disclosures/<string:disclosure_id>/approval", methods=["POST"])
@requires("contributor", "investigator", "member_admin", while_suspended=True)
@blueprint.arguments(ApprovalSchema)
@blueprint.response(200, DisclosureSchema)
@blueprint.problems(400, 404, 409, 413, 415)
def approve(body: dict[str, Any], disclosure_id: str) -> Response:
    """Give what was asked for, or a part of it, sealed to the public key of who asks."""
    with _problems():
        done = exchange.approve(services(), current_actor(), own_member(), _id(disclosure_id), body)
    return _told(disclosure_id, found=done)


@blueprint.route("/v1/disclosures/<string:disclosure_id>/refusal", methods=["POST"])
@requires("contributor", "investigator", "member_admin", while_suspended=True)
@blueprint.arguments(RefusalSchema)
@blueprint.response(200, DisclosureSchema)
@blueprint.problems(400, 404, 409, 413, 415)
def refuse(body: dict[str, Any], disclosure_id: str) -> Response:
    """Refuse a request, with a reason that who asked reads."""
    with _problems():
        done = exchange.refuse(services(), current_actor(), own_member(), _id(disclosure_id), body)
    return _told(disclosure_id, found=done)


@blueprint.route("/v1/disclosures/<string:disclosure_id>/escalation", methods=["POST"])
@requires("investigator", "member_admin", while_suspended=True)
@blueprint.arguments(EscalationSchema)
@blueprint.response(200, DisclosureSchema)
@blueprint.problems(400, 404, 409, 413, 415)
def escalate(body: dict[str, Any], disclosure_id: str) -> Response:
    """Have the operator see that a request of the member's own is overdue."""
    with _problems():
        done = exchange.escalate(services(), current_actor(), own_member(), _id(disclosure_id), body)
    return _told(disclosure_id, found=done)


@blueprint.route("/v1/disclosures/<string:disclosure_id>/withdrawal", methods=["POST"])
@requires("investigator", "member_admin", while_suspended=True)
@blueprint.response(200, DisclosureSchema)
@blueprint.problems(404, 409)
def withdraw(disclosure_id: str) -> Response:
    """Take back a request of the member's own."""
    with _problems():
        done = exchange.withdraw(services(), current_actor(), own_member(), _id(disclosure_id))
    return _told(disclosure_id, found=done)


@blueprint.route("/v1/disclosures/<string:disclosure_id>/sealed")
@requires("investigator", "member_admin")
@blueprint.response(200, SealedAnswerSchema)
@blueprint.problems(404)
def fetch(disclosure_id: str) -> Response:
    """The sealed answer to a request of the member's own, until it was opened or its time is over."""
    with _problems():
        answer = exchange_asking.fetch(services(), current_actor(), own_member(), _id(disclosure_id))
    if answer is None:
        raise ProblemError("not-found")
    return json_response(answer)


@blueprint.route("/v1/disclosures/<string:disclosure_id>/receipt", methods=["POST"])
@requires("investigator", "member_admin", while_suspended=True)
@blueprint.response(200, DisclosureSchema)
@blueprint.problems(404, 409)
def receipt(disclosure_id: str) -> Response:
    """Say that the answer was opened and stored: what is sealed is deleted."""
    with _problems():
        done = exchange.opened(services(), current_actor(), own_member(), _id(disclosure_id))
    return _told(disclosure_id, found=done)


def _id(disclosure_id: str) -> str:
    return path_id(disclosure_id, "drq")


def _told(disclosure_id: str, *, found: bool | None) -> Response:
    """A request as it now is, for the member that asks; not found where it is none of its own."""
    told = exchange.find(services(), own_member(), _id(disclosure_id)) if found else None
    if told is None:
        raise ProblemError("not-found")
    return json_response(told)
