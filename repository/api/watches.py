"""Screenings that stand: the member's own, ended, and asked anew."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from matching.vocabulary import LINES, PURPOSES
from repository.api import cursors
from repository.api.base import Blueprint, json_response, requires
from repository.api.context import current_actor, services
from repository.api.own import field_problem, own_member, path_id, refusal
from repository.api.problems import ProblemError
from repository.api.screenings import ScreeningSchema
from repository.domain.errors import FieldError
from repository.domain.watches import EndReason, Stands, StandsAs, WatchError
from repository.services import watches
from repository.services.entitlements import RefusedError

blueprint = Blueprint("watches", __name__, description="Screenings that stand")

_UNTIL = "The last day on which it stands, in the scheme's zone; without one as the rulebook says"


class WatchQuerySchema(cursors.PageSchema):
    """Which watches."""

    stands = fields.Boolean(truthy={"true"}, falsy={"false"})


class WatchSchema(Schema):
    """A screening that stands, or stood."""

    id = fields.String(required=True)
    screening = fields.String(required=True)
    reference = fields.String(required=True)
    purpose = fields.String(required=True, validate=validate.OneOf(PURPOSES))
    line = fields.String(required=True, validate=validate.OneOf(LINES))
    stands_as = fields.String(required=True, data_key="as", validate=validate.OneOf([each.value for each in StandsAs]))
    since = fields.AwareDateTime(required=True)
    until = fields.Date(required=True, metadata={"description": _UNTIL})
    ended_at = fields.AwareDateTime(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True, validate=validate.OneOf([each.value for each in EndReason]))


class WatchPageSchema(Schema):
    """A page of watches."""

    items = fields.List(fields.Nested(WatchSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class RenewalSchema(Schema):
    """Until when."""

    until = fields.Date(metadata={"description": _UNTIL})


@blueprint.route("/v1/watches")
@requires("screener", "investigator", "member_admin", while_suspended=True)
@blueprint.arguments(WatchQuerySchema, location="query")
@blueprint.response(200, WatchPageSchema)
def list_own(query: dict[str, Any]) -> Response:
    """The member's watches, latest first. What each met is told by its alerts and in the list of hits."""
    member, stands = own_member(), query.get("stands")
    scope = ("watches", member.id, stands)
    position = cursors.decode(scope, query.get("cursor"), [str])
    before = str(position[0]) if position else None
    items, more = watches.list_own(services(), member, stands=stands, before=before, limit=query["limit"])
    return json_response({"items": items, "next_cursor": cursors.encode(scope, [items[-1]["id"]]) if more else None})


@blueprint.route("/v1/watches/<string:watch_id>/end", methods=["POST"])
@requires("screener", "investigator", "member_admin", while_suspended=True)
@blueprint.response(200, WatchSchema)
@blueprint.problems(404)
def end(watch_id: str) -> Response:
    """Have a screening stand no more. Again changes nothing."""
    return _answer(watches.end(services(), current_actor(), own_member(), path_id(watch_id, "wch")))


@blueprint.route("/v1/watches/<string:watch_id>/renewal", methods=["POST"])
@requires("screener", "investigator", while_suspended=True)
@blueprint.arguments(RenewalSchema)
@blueprint.response(200, ScreeningSchema)
@blueprint.problems(400, 404, 409, 413, 415, 429)
def renew(body: dict[str, Any], watch_id: str) -> Response:
    """Ask again what stands as a policy. It is a new enquiry, counted as one, and stands in the place of the other."""
    stands, identifier = Stands(StandsAs.POLICY, body.get("until")), path_id(watch_id, "wch")
    try:
        return _answer(watches.renew(services(), current_actor(), own_member(), identifier, stands))
    except FieldError as error:
        raise field_problem(error) from None
    except RefusedError as error:
        raise refusal(error.granted) from None
    except WatchError as error:
        text = str(error)
        raise ProblemError("conflict", f"{text[0].upper()}{text[1:]}.") from None


def _answer(found: dict[str, Any] | None) -> Response:
    if found is None:
        raise ProblemError("not-found")
    return json_response(found)
