"""Reading what a caller sent: JSON with limits, and the words for what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NoReturn

import marshmallow as ma
import orjson
from flask import Request, request
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import RequestEntityTooLarge

from repository.api.context import services
from repository.api.problems import FieldProblem, ProblemError

_SCHEMA_ERRORS = "_schema"
# A string that never ends runs to the end of the body, so that no part is ever scanned twice.
_STRING_OR_BRACKET = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)


def json_body() -> Any:
    """The JSON body of this request; raises ProblemError when it is none, malformed or nested too deep.

    The size is limited by Flask's MAX_CONTENT_LENGTH, or `request.max_content_length` where a view sets it.
    """
    if request.mimetype != "application/json" or request.content_encoding:
        raise ProblemError("wrong-content-type", "Expected application/json, without a content encoding.")
    max_depth = services().settings.max_json_depth
    body = request.get_data(cache=True)
    limit = request.max_content_length
    if request.content_length is None and limit is not None and len(body) >= limit:
        raise RequestEntityTooLarge  # a body without a length is cut off at the limit, not refused
    if _deeper_than(body, max_depth):
        raise ProblemError("bad-json", f"The body nests deeper than {max_depth} levels.")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise ProblemError("bad-json", f"The body is not JSON: reading stopped at {place}.") from None


def _deeper_than(body: bytes, limit: int) -> bool:
    """Whether brackets nest deeper than `limit`, seen before anything is built; those inside strings do not count."""
    if body.count(b"[") + body.count(b"{") <= limit:
        return False
    depth = 0
    for token in _STRING_OR_BRACKET.finditer(body):
        character = token.group()[0]
        if character in b"[{":
            depth += 1
            if depth > limit:
                return True
        elif character in b"]}":
            depth -= 1
    return False


class Parser(FlaskParser):
    """webargs over json_body, answering with problems. Unknown fields are refused, in queries too."""

    DEFAULT_UNKNOWN_BY_LOCATION = {**FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION, "query": ma.RAISE}  # noqa: RUF012

    def load_json(self, req: Request, schema: ma.Schema) -> Any:  # noqa: ARG002
        """The parsed body, whatever it is; the schema judges it."""
        return json_body()

    def handle_error(
        self,
        error: ma.ValidationError,
        req: Request,  # noqa: ARG002
        schema: ma.Schema,
        **_options: Any,
    ) -> NoReturn:
        """Every field at fault, with what was expected in it."""
        messages = error.messages
        if isinstance(messages, dict) and len(messages) == 1 and next(iter(messages)) in self.__location_map__:
            messages = next(iter(messages.values()))
        raise ProblemError("invalid", errors=field_problems(messages, schema)) from None


def field_problems(messages: Any, schema: ma.Schema | None, where: str = "") -> list[FieldProblem]:
    """The messages of marshmallow as a flat list. A name the schema does not know came from the caller: never shown."""
    if not isinstance(messages, Mapping):
        return [FieldProblem(field=where or "body", expected=str(text)) for text in _texts(messages)]
    found: list[FieldProblem] = []
    unknown = False
    for name, below in messages.items():
        if name == _SCHEMA_ERRORS:
            found += field_problems(below, None, where)
        elif isinstance(name, int):
            found += field_problems(below, schema, f"{where}[{name}]")
        elif schema is not None and (field := _field(schema, name)) is not None:
            found += field_problems(below, _below(field), f"{where}.{name}" if where else str(name))
        else:
            unknown = True
    if unknown:
        allowed = ", ".join(sorted(field.data_key or name for name, field in schema.fields.items())) if schema else ""
        found.append(FieldProblem(field=where or "body", expected=f"No other fields than: {allowed}."))
    return found


def _texts(messages: Any) -> list[Any]:
    return messages if isinstance(messages, list) else [messages]


def _field(schema: ma.Schema, name: object) -> ma.fields.Field[Any] | None:
    for attribute, field in schema.fields.items():
        if name == (field.data_key or attribute):
            return field
    return None


def _below(field: ma.fields.Field[Any]) -> ma.Schema | None:
    if isinstance(field, ma.fields.List):
        return _below(field.inner)
    return field.schema if isinstance(field, ma.fields.Nested) else None
