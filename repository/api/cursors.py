"""Pages of a list: a cursor says after which entry the next page starts, and of which list."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Sequence

import orjson
from marshmallow import Schema, fields, validate

from repository.api.problems import ProblemError

LARGEST_PAGE = 200
_LARGEST_NUMBER = 2**31 - 1
_LONGEST_TEXT = 128


class PageSchema(Schema):
    """The query of every list: where to start, and how many entries to give. Derive to add filters."""

    cursor = fields.String(validate=validate.Length(1, 512), metadata={"description": "next_cursor of the page before"})
    limit = fields.Integer(load_default=50, validate=validate.Range(1, LARGEST_PAGE))


def encode(scope: Sequence[object], position: Sequence[str | int]) -> str:
    """A cursor after the entry with this sort key. `scope` is the list with its filters: a cursor fits no other."""
    return urlsafe_b64encode(orjson.dumps([_digest(scope), *position])).rstrip(b"=").decode("ascii")


def decode(
    scope: Sequence[object], cursor: str | None, kinds: Sequence[type[str] | type[int]]
) -> list[str | int] | None:
    """The sort key in a cursor, None without one; raises ProblemError unless it is of this list and of these types.

    Whoever makes a cursor up may start anywhere in the list, which is theirs, but hands no value to the database that
    it would refuse: numbers fit 32 bits, text is visible ASCII as ids are.
    """
    if cursor is None:
        return None
    try:
        content = orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (Base64Error, ValueError):
        raise ProblemError("invalid-cursor") from None
    if not isinstance(content, list) or len(content) != len(kinds) + 1 or content[0] != _digest(scope):
        raise ProblemError("invalid-cursor")
    position = content[1:]
    if not all(type(part) is kind and _storable(part) for part, kind in zip(position, kinds, strict=True)):
        raise ProblemError("invalid-cursor")
    return position


def _storable(part: str | int) -> bool:
    if isinstance(part, int):
        return 0 <= part <= _LARGEST_NUMBER
    return len(part) <= _LONGEST_TEXT and part.isascii() and part.isprintable()


def _digest(scope: Sequence[object]) -> str:
    return hashlib.sha256(orjson.dumps(list(scope), default=str)).hexdigest()[:8]
