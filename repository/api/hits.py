"""Reading the member's own hits."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from matching.types import Band
from matching.vocabulary import LINES, PURPOSES, RECORD_CLASSES
from repository.api import cursors
from repository.api.base import Blueprint, json_response, requires
from repository.api.context import current_actor, services
from repository.api.own import own_member, path_id, refusal
from repository.api.problems import ProblemError
from repository.api.shapes import BANDS, OUTCOMES, HitSchema
from repository.services import hits
from repository.services.entitlements import DEFAULT_PURPOSE, RefusedError
from repository.services.hits import Wanted

blueprint = Blueprint("hits", __name__, description="What the pool found")


_PURPOSE = "What they are read for: one of the purposes that the rulebook, or the grant, gives the member"
_OUTCOME = "The member's own. Hits found `not_same` are listed for this only"


def _purpose_field() -> fields.String:
    described = {"description": _PURPOSE}
    return fields.String(validate=validate.OneOf(PURPOSES), load_default=DEFAULT_PURPOSE, metadata=described)


class ReadingSchema(Schema):
    """What a hit is read for."""

    purpose = _purpose_field()


class HitQuerySchema(cursors.PageSchema):
    """Which hits: by band, by the line of the own side, by the class of the other side (where it may be seen)."""

    band = fields.String(validate=validate.OneOf(BANDS))
    line = fields.String(validate=validate.OneOf(LINES))
    record_class = fields.String(data_key="class", validate=validate.OneOf(RECORD_CLASSES))
    answered = fields.Boolean(truthy={"true"}, falsy={"false"}, metadata={"description": "By the member itself"})
    outcome = fields.String(validate=validate.OneOf(OUTCOMES), metadata={"description": _OUTCOME})
    purpose = _purpose_field()


class HitPageSchema(Schema):
    """A page of hits."""

    items = fields.List(fields.Nested(HitSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


@blueprint.route("/v1/hits")
@requires("screener", "contributor", "investigator", "member_admin", while_suspended=True)
@blueprint.arguments(HitQuerySchema, location="query")
@blueprint.response(200, HitPageSchema)
def list_own(query: dict[str, Any]) -> Response:
    """The member's hits, latest first, each as far as the own contributions reach."""
    member = own_member()
    filters = ("band", "line", "record_class", "answered", "outcome")
    scope = ("hits", member.id, *(query.get(name) for name in filters), query["purpose"])
    position = cursors.decode(scope, query.get("cursor"), [str])
    bands = [Band[query["band"].upper()]] if "band" in query else None
    chosen = {name: query[name] for name in (*filters[1:], "purpose") if name in query}
    wanted = Wanted(bands, **chosen)
    before = str(position[0]) if position else None
    try:
        items, more = hits.list_hits(services(), current_actor(), member, wanted, before=before, limit=query["limit"])
    except RefusedError as error:
        raise refusal(error.granted) from None
    return json_response({"items": items, "next_cursor": cursors.encode(scope, [items[-1]["id"]]) if more else None})


@blueprint.route("/v1/hits/<string:hit_id>")
@requires("screener", "contributor", "investigator", "member_admin", while_suspended=True)
@blueprint.arguments(ReadingSchema, location="query")
@blueprint.response(200, HitSchema)
@blueprint.problems(404)
def show(query: dict[str, Any], hit_id: str) -> Response:
    """One of the member's hits. What another member may see is not found, whether or not it exists."""
    try:
        found = hits.one_hit(services(), current_actor(), own_member(), path_id(hit_id, "hit"), query["purpose"])
    except RefusedError as error:
        raise refusal(error.granted) from None
    if found is None:
        raise ProblemError("not-found")
    return json_response(found)
