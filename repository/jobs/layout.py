"""The columns of a batch as Arrow or Parquet: one row a filing, subjects as a list, keys and sketches as bytes."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped] # pyarrow ships no types
import pyarrow.compute as pc  # type: ignore[import-untyped] # pyarrow ships no types

from matching.vocabulary import BASIS, LABELS
from matching.wire import FACTS
from repository.domain.errors import FieldError
from repository.jobs.lines import StreamError

BASES = tuple(name for names in BASIS.values() for name in names)
CLAIM = ("incident_date", "notification_date", "kind", "amount_band", "status")
SUBJECT = ("kind", "role", "mask", "keys", "observed", "sketches", "facts", "name")


@dataclass(frozen=True, slots=True)
class Shape:
    """What a column is: text, bytes, whole numbers, a structure of `members`, or a list of such."""

    kind: str
    members: tuple[tuple[str, Shape], ...] = ()


TEXT, BYTES, NUMBER, DAY = Shape("text"), Shape("bytes"), Shape("whole numbers"), Shape("text or dates")
_SUBJECT = Shape(
    "a list of structures",
    (
        *((name, TEXT) for name in ("kind", "role", "mask")),
        *(("keys", BYTES), ("observed", TEXT), ("sketches", BYTES)),
        *(("facts", Shape("a structure", tuple((name, NUMBER) for name in FACTS))), ("name", TEXT)),
    ),
)
_CLAIM = Shape("a structure", tuple((name, DAY if name.endswith("date") else TEXT) for name in CLAIM))
COLUMNS: dict[str, Shape] = {
    **dict.fromkeys(("schema", "fingerprint", "ref", "class", "line"), TEXT),
    "date": DAY,
    "claim": _CLAIM,
    "basis": Shape("a structure", tuple((name, TEXT if name == "customer_kind" else DAY) for name in BASES)),
    "labels": Shape("a structure", tuple((name, TEXT) for name in LABELS)),
    "subjects": _SUBJECT,
}


def check(schema: Any) -> None:
    """Raises StreamError unless every column is known, there once, and of a type that is read."""
    try:
        _check_members([(field.name, field.type) for field in schema], tuple(COLUMNS.items()), "(columns)")
    except UnicodeDecodeError:
        raise StreamError("(columns)", "names in UTF-8") from None


def _check_members(found: list[tuple[str, Any]], wanted: tuple[tuple[str, Shape], ...], where: str) -> None:
    shapes = dict(wanted)
    names = [name for name, _ in found]
    if not names or not shapes.keys() >= set(names) or len(names) != len(set(names)):
        raise StreamError(where, f"no other columns than {', '.join(shapes)}, each once")
    for name, kind in found:
        path = name if where == "(columns)" else f"{where}.{name}"
        _check_type(kind, shapes[name], path)


def _check_type(kind: Any, shape: Shape, where: str) -> None:
    types = pa.types
    if types.is_null(kind):
        return
    inner = kind
    if shape.kind.startswith("a list") and (types.is_list(kind) or types.is_large_list(kind)):
        inner = kind.value_type
    if shape.members and types.is_struct(inner) and (inner is not kind) == shape.kind.startswith("a list"):
        _check_members([(field.name, field.type) for field in inner], shape.members, where)
        return
    if types.is_dictionary(kind):
        kind = kind.value_type
    text = types.is_string(kind) or types.is_large_string(kind)
    fits = {
        "text": text,
        "text or dates": text or types.is_date32(kind),
        "bytes": types.is_binary(kind) or types.is_large_binary(kind),
        "whole numbers": types.is_integer(kind) and not types.is_uint64(kind),
    }
    if not fits.get(shape.kind, False):
        raise StreamError(where, f"a column of {shape.kind}")


def column(batch: Any, name: str) -> Any:
    """A column of a checked record batch in the one type of its kind; nulls where it is not there."""
    at = batch.schema.get_field_index(name)
    return plain(batch.column(at) if at >= 0 else None, COLUMNS[name], batch.num_rows)


def members(array: Any, shape: Shape) -> dict[str, Any]:
    """The members of a column of structures (or None, for one that is not there), null where the structure is."""
    length = len(array)
    found = {}
    if pa.types.is_struct(array.type):
        found = dict(zip((field.name for field in array.type), array.flatten(), strict=True))
    return {name: plain(found.get(name), inner, length) for name, inner in shape.members}


def plain(array: Any, shape: Shape, length: int) -> Any:
    """An array in the one type of its kind; `length` nulls where there is none."""
    if array is None:
        array = pa.nulls(length)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if shape.members:
        return array
    if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        return _checked(pc.cast(array, pa.large_binary()))
    wanted = {"bytes": pa.large_binary(), "whole numbers": pa.int64()}.get(shape.kind, pa.large_string())
    return pc.cast(array, wanted)


def _checked(text: Any) -> Any:
    """Bytes as text; where they are none in UTF-8, an empty text stands for them, which no column takes."""
    try:
        return pc.cast(text, pa.large_string())
    except pa.ArrowInvalid:
        return pa.array([None if each is None else _decoded(each) for each in text.to_pylist()], pa.large_string())


def _decoded(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError:
        return ""


def as_json(value: Any, where: str) -> Any:
    """A value of a row as it is in JSON: bytes as base64, dates as text, and what is null is not there.

    Raises FieldError for text that is not in UTF-8, which JSON cannot say.
    """
    if not value.is_valid:
        return None
    if isinstance(value, pa.StructScalar):
        return {name: as_json(each, f"{where}.{name}") for name, each in value.items() if each.is_valid}
    if isinstance(value, pa.ListScalar):  # of either size
        return [as_json(each, f"{where}[{place}]") for place, each in enumerate(value.values)]
    try:
        found = value.as_py()
    except UnicodeDecodeError:
        raise FieldError(where, "text in UTF-8") from None
    except OverflowError:  # a date that Python has no day for
        return ""
    if isinstance(found, bytes):
        return base64.b64encode(found).decode()
    return found.isoformat() if isinstance(found, date) else found
