"""Reading JSON with limits, for any JSON."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
import orjson
from hypothesis import given
from hypothesis import strategies as st

from repository.api.reading import _deeper_than, field_problems

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=40,
)


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max((_depth(each) for each in value.values()), default=0)
    if isinstance(value, list):
        return 1 + max((_depth(each) for each in value), default=0)
    return 0


@given(value=JSON, limit=st.integers(0, 8))
def test_depth_is_told_without_parsing(value: Any, limit: int) -> None:
    """What the scan says of the text is what nesting the parsed value has."""
    assert _deeper_than(orjson.dumps(value), limit) == (_depth(value) > limit)


@given(body=st.binary(max_size=200), limit=st.integers(0, 4))
def test_any_bytes_can_be_scanned(body: bytes, limit: int) -> None:
    """No input is a fault, malformed strings and lone backslashes included."""
    assert _deeper_than(body, limit) in {True, False}


def test_a_string_that_never_ends_costs_one_pass() -> None:
    """A megabyte of escaped quotes in a string that is never closed is scanned in linear time."""
    assert not _deeper_than(b'[[{"' + b'\\"' * (1 << 19), 3)
    assert _deeper_than(b"[" * 3 + b'"\\' * (1 << 19), 2)


class _Leaf(ma.Schema):
    number = ma.fields.Integer(required=True)


class _Tree(ma.Schema):
    word = ma.fields.String(required=True)
    leaf = ma.fields.Nested(_Leaf)
    leaves = ma.fields.List(ma.fields.Nested(_Leaf))
    table = ma.fields.Dict(keys=ma.fields.Integer(), values=ma.fields.Integer())


NAMES = {"word", "leaf", "leaves", "table", "number", "body"}


@given(
    st.dictionaries(st.sampled_from(["word", "leaf", "leaves", "table"]) | st.text(max_size=6), JSON, max_size=5) | JSON
)
def test_only_names_of_the_schema_are_shown(value: Any) -> None:
    """Whatever is sent, the fields named in the errors are those of the schema and places in lists."""
    errors = _Tree().validate(value) if isinstance(value, dict) else {"_schema": ["Invalid input type."]}
    for problem in field_problems(errors, _Tree()):
        parts = problem["field"].replace("[", ".").replace("]", "").split(".")
        assert all(part in NAMES or part.isdigit() for part in parts), problem["field"]
        assert problem["expected"]
