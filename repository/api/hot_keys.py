"""The keys that look-ups skip, for operators and auditors."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields

from repository.api import cursors
from repository.api.base import Blueprint, json_response, requires
from repository.api.context import services
from repository.api.problems import ProblemError
from repository.services import hot_keys

blueprint = Blueprint("hot_keys", __name__, description="For those who watch over the pool")

_SCOPE = ("hot keys",)
_ID = "Names the key again in another answer; nobody can look anything up by it"
_ROWS = "Records that share it, of others than who met it first; of one member at most half the limit"
_AGAIN = "From then on the next look-up reads it, and it is forgotten unless it is hot still"
_SCREENINGS = "Subjects asked about since it was found that have it: they were not looked for under it"


class HotKeySchema(Schema):
    """A key that too many records share to tell anything."""

    id = fields.String(required=True, metadata={"description": _ID})
    rows = fields.Integer(required=True, metadata={"description": _ROWS})
    found_at = fields.AwareDateTime(required=True)
    look_again_at = fields.AwareDateTime(required=True, metadata={"description": _AGAIN})
    screenings = fields.Integer(required=True, metadata={"description": _SCREENINGS})


class HotKeyPageSchema(Schema):
    """A page of hot keys."""

    items = fields.List(fields.Nested(HotKeySchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


@blueprint.route("/v1/admin/hot-keys")
@requires("operator", "auditor")
@blueprint.arguments(cursors.PageSchema, location="query")
@blueprint.response(200, HotKeyPageSchema)
def list_all(query: dict[str, Any]) -> Response:
    """The keys that look-ups skip now, the most crowded first: what they would find is not found by them."""
    made, limit = services(), query["limit"]
    known = cursors.decode(_SCOPE, query.get("cursor"), [int, str])
    after = hot_keys.position(made.sealer, int(known[0]), str(known[1])) if known else None
    if known and after is None:
        raise ProblemError("invalid-cursor")
    made.met.add_up()
    with made.database.reading() as connection:
        items = hot_keys.listed(connection, made.sealer, made.rulebook, after=after, limit=limit + 1)
    more = len(items) > limit
    items = items[:limit]
    cursor = cursors.encode(_SCOPE, [items[-1]["rows"], items[-1]["id"]]) if more else None
    return json_response({"items": items, "next_cursor": cursor})
