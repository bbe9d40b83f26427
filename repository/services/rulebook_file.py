"""Rulebook files: TOML, read into the domain's Rulebook with errors that name the entry."""

from __future__ import annotations

import difflib
import functools
import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any

from marshmallow import Schema, ValidationError, fields

from repository.domain.rulebook import Rulebook
from repository.services.rulebook_schema import UNKNOWN, RulebookSchema

MAX_BYTES = 256 * 1024
_FILE = "(file)"
_PLACE = re.compile(r" \(at (line \d+, column \d+|end of document)\)\Z")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]{1,60}\Z")


class RulebookFileError(ValueError):
    """A file that is no rulebook. `errors` are (entry, what was expected), such as ("ladder.plan", ...)."""

    def __init__(self, errors: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{entry}: {expected}" for entry, expected in errors))
        self.errors = errors


def read(text: str) -> Rulebook:
    """The rulebook in a TOML text. Raises RulebookFileError with every entry at fault."""
    return _load(_parse(text), digest(text))


def read_bytes(content: bytes) -> str:
    """The text of a rulebook file, exactly as it is, for its digest. Raises RulebookFileError if it is not UTF-8."""
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise RulebookFileError([(f"(line {line})", "text in UTF-8")]) from None


def read_stored(text: str) -> tuple[Rulebook, Mapping[str, Any]]:
    """A rulebook that was accepted once, and its entries, though this version may know other entries than that one.

    An entry that came with a later version has the shipped value, one that went has none: decisions of years ago can
    be looked at after an upgrade. Raises RulebookFileError if it cannot be read even so.
    """
    raw = _parse(text)
    try:
        return _load(raw, digest(text)), raw
    except RulebookFileError:
        completed = _completed(raw, tomllib.loads(default_text()), RulebookSchema())
        return _load(completed, digest(text)), completed


def digest(text: str) -> str:
    """The SHA-256 of a rulebook file, in hex: what decisions name."""
    return hashlib.sha256(text.encode()).hexdigest()


def default_text() -> str:
    """The shipped rulebook file."""
    return resources.files("repository.rulebooks").joinpath("default.toml").read_bytes().decode()


@functools.cache
def default() -> Rulebook:
    """The shipped rulebook."""
    return read(default_text())


def _parse(text: str) -> dict[str, Any]:
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise RulebookFileError([(_FILE, "text in UTF-8")]) from None
    if size > MAX_BYTES:
        raise RulebookFileError([(_FILE, f"at most {MAX_BYTES} bytes")])
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _PLACE.search(str(error))
        entry = f"({place[1]})" if place else _FILE
        raise RulebookFileError([(entry, f"TOML; {_PLACE.sub('', str(error))}")]) from None
    except (ValueError, RecursionError):  # a number of thousands of digits; brackets in thousands of brackets
        raise RulebookFileError([(_FILE, "TOML of reasonable numbers and depth")]) from None


def _load(raw: Mapping[str, Any], hexadecimal: str) -> Rulebook:
    schema = RulebookSchema()
    try:
        loaded: dict[str, Any] = schema.load(raw)
    except ValidationError as error:
        raise RulebookFileError(list(_flat(error.messages_dict, schema))) from None
    return Rulebook(digest=hexadecimal, **loaded)


def _flat(messages: Mapping[Any, Any], schema: Schema | None, path: str = "") -> Iterator[tuple[str, str]]:
    """The messages of marshmallow as (entry, what was expected)."""
    for name, found in messages.items():
        if name == "_schema":
            where, below = path, None
        elif isinstance(name, int):
            where, below = f"{path}[{name}]", schema
        else:
            where, below = _joined(path, str(name)), _below(schema, str(name))
        if isinstance(found, Mapping):
            yield from _flat(found, below, where)
        elif UNKNOWN in found:
            yield where, _instead(str(name), schema)
        else:
            yield where or _FILE, "; ".join(str(each) for each in found)


def _joined(path: str, name: str) -> str:
    shown = name if _BARE_KEY.match(name) else ascii(name[:60])
    return f"{path}.{shown}" if path else shown


def _instead(name: str, schema: Schema | None) -> str:
    """That there is no such entry, and which one may be meant."""
    close = difflib.get_close_matches(name, _known(schema), 1)
    return f"{UNKNOWN}; is {close[0]} meant?" if close else UNKNOWN


def _known(schema: Schema | None) -> dict[str, fields.Field[Any]]:
    return {field.data_key or name: field for name, field in schema.fields.items()} if schema else {}


def _below(schema: Schema | None, name: str) -> Schema | None:
    field: Any = _known(schema).get(name)
    if isinstance(field, fields.List):
        field = field.inner
    return field.schema if isinstance(field, fields.Nested) else None


def _completed(raw: Mapping[str, Any], shipped: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    """The entries this version knows: those of `raw`, and the shipped ones that it lacks."""
    made: dict[str, Any] = {}
    for name, field in _known(schema).items():
        if isinstance(field, fields.Nested) and isinstance(raw.get(name, {}), Mapping):
            made[name] = _completed(raw.get(name, {}), shipped.get(name, {}), field.schema)
        elif name in raw:
            made[name] = raw[name]
        elif field.required and name in shipped:
            made[name] = shipped[name]
    return made
