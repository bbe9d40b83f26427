"""The footer of a Parquet file, read by us and written anew: pyarrow sees only what was checked, and nothing else.

A footer comes from outside, and pyarrow ends the whole process over some of what may stand in one: an unknown codec, a
histogram of the wrong length. So only what rows are read by is kept: names and types of columns, and where their pages
are. Statistics, indexes, encryption and metadata of other programs are left out.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

from repository.jobs import thrift
from repository.jobs.lines import StreamError

MAX_FOOTER_BYTES = 8 << 20
MAGIC = b"PAR1"
CODECS = {0: None, 1: "snappy", 2: "gzip", 6: "zstd", 7: "lz4_raw"}
"""How pages may be compressed, by Parquet's number, and what pyarrow calls it."""
BYTE_ARRAY = 6
_BOOLEAN, _INT32, _INT64, _DOUBLE = 0, 1, 2, 5
_MAX_VALUES = 1_000_000
_MAX_ELEMENTS = 500
_MAX_DEPTH = 16
_REPEATED = 2
_UTF8, _LIST, _DATE, _NULLS, _OTHER = 0, 3, 6, -1, -2
_LOGICAL = {1: _UTF8, 3: _LIST, 6: _DATE, 11: _NULLS}
_INTEGERS = {(8, False): 11, (16, False): 12, (32, False): 13, (64, False): 14} | {
    (8, True): 15,
    (16, True): 16,
    (32, True): 17,
    (64, True): 18,
}
_LEAVES = frozenset(
    {
        *((BYTE_ARRAY, each) for each in (None, _UTF8)),
        *((_INT32, each) for each in (None, _DATE, 11, 12, 13, 15, 16, 17)),
        *((_INT64, each) for each in (None, 14, 18)),
        *((each, _NULLS) for each in (_BOOLEAN, _INT32, _INT64, BYTE_ARRAY)),
    }
)
"""Types of values, and how they are annotated, of which a column may be."""
_ANNOTATION: thrift.Wanted = {1: {}, 3: {}, 6: {}, 10: {1: None, 2: None}, 11: {}}
_ELEMENT: thrift.Wanted = {1: None, 3: None, 4: None, 5: None, 6: None, 10: _ANNOTATION}
_CHUNK: thrift.Wanted = {3: {4: None, 5: None, 7: None, 9: None, 11: None}}
_FOOTER: thrift.Wanted = {2: _ELEMENT, 3: None, 4: {1: _CHUNK, 3: None}}
_ENCODINGS = (0, 3, 8)  # a footer has to name some; they are not looked at
DAMAGED = StreamError("(file)", "a whole Parquet file")


@dataclass(frozen=True, slots=True)
class Element:
    """A node of the schema: a group of `children`, or a column of values of a `physical` type."""

    name: bytes
    repetition: int
    children: int
    physical: int
    annotation: int | None


@dataclass(frozen=True, slots=True)
class Leaf:
    """A column of values: its type, the way to it, and whether it has one value a row."""

    physical: int
    path: tuple[bytes, ...]
    flat: bool


@dataclass(frozen=True, slots=True)
class Chunk:
    """The pages of a column in a row group: where they are, how many values, and how they are compressed."""

    physical: int
    codec: int
    values: int
    start: int
    stored: int


@dataclass(frozen=True, slots=True)
class Group:
    """A row group that has rows."""

    rows: int
    chunks: tuple[Chunk, ...]


@dataclass(frozen=True, slots=True)
class Footer:
    """What is kept of a footer."""

    elements: tuple[Element, ...]
    leaves: tuple[Leaf, ...]
    groups: tuple[Group, ...]

    @property
    def rows(self) -> int:
        """Rows of all groups."""
        return sum(group.rows for group in self.groups)

    def alone(self) -> bytes:
        """The footer as a Parquet file that has nothing else."""
        root, *others = self.elements
        content = thrift.struct(
            {
                1: thrift.i32(1),
                2: thrift.items(
                    [
                        thrift.struct({4: thrift.text(b"schema"), 5: thrift.i32(root.children)}),
                        *map(_written_element, others),
                    ]
                ),
                3: thrift.i64(self.rows),
                4: thrift.items(self._written(group) for group in self.groups),
            }
        )[1]
        return MAGIC + content + len(content).to_bytes(4, "little") + MAGIC

    def _written(self, group: Group) -> thrift.Value:
        chunks = map(_written_chunk, group.chunks, self.leaves)
        size = sum(chunk.stored for chunk in group.chunks)
        return thrift.struct({1: thrift.items(chunks), 2: thrift.i64(size), 3: thrift.i64(group.rows)})


def read(handle: IO[bytes]) -> Footer:
    """The footer of a file. Raises StreamError unless it is whole, and of bounded size."""
    size = handle.seek(0, os.SEEK_END)
    handle.seek(max(0, size - 8))
    end = handle.read(8)
    if len(end) < 8 or end[4:] != MAGIC:
        raise DAMAGED
    length = int.from_bytes(end[:4], "little")
    if length > min(MAX_FOOTER_BYTES, size):
        raise StreamError("(file)", f"Parquet with a footer of at most {MAX_FOOTER_BYTES >> 20} MiB")
    handle.seek(max(0, size - 8 - length))
    try:
        found = thrift.Reader(handle.read(length), _MAX_VALUES).struct(_FOOTER)
    except thrift.ThriftError:
        raise DAMAGED from None
    elements = tuple(map(_element, _structs(found.get(2), _MAX_ELEMENTS)))
    leaves = tuple(_leaves(elements))
    groups = tuple(_group(each, leaves, size) for each in _structs(found.get(4)))
    if sum(group.rows for group in groups) != number(found, 3):
        raise DAMAGED
    return Footer(elements, leaves, tuple(group for group in groups if group.rows))


def number(fields: Mapping[int, Any], field: int, most: int = (1 << 63) - 1, *, default: int | None = None) -> int:
    """A field, which has to be there unless there is a default: a whole number from 0 to `most`. Raises StreamError."""
    found = fields.get(field, default)
    if type(found) is not int or not 0 <= found <= most:
        raise DAMAGED
    return found


def _structs(found: object, most: int | None = None) -> Sequence[Mapping[int, Any]]:
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise DAMAGED
    if most is not None and not 0 < len(found) <= most:
        raise DAMAGED
    return found


def _element(raw: Mapping[int, Any]) -> Element:
    name, children = raw.get(4), number(raw, 5, _MAX_ELEMENTS, default=0)
    repetition = number(raw, 3, _REPEATED, default=0)
    if not isinstance(name, bytes):
        raise DAMAGED
    try:
        name.decode()
    except UnicodeDecodeError:
        raise StreamError("(columns)", "names in UTF-8") from None
    annotation = _annotation(raw)
    if children:
        if annotation not in (None, _LIST):
            raise StreamError("(columns)", "columns of text, bytes, whole numbers, dates, structures and lists")
        return Element(name, repetition, children, _DOUBLE, annotation)
    physical = number(raw, 1)
    if (physical, annotation) not in _LEAVES:
        # No column is of such numbers: so it is refused by its name, as any column of another type is.
        physical, annotation = _DOUBLE, None
    return Element(name, repetition, 0, physical, annotation)


def _annotation(raw: Mapping[int, Any]) -> int | None:
    """The converted type of an element, which says the same as the newer logical type wherever a column has one."""
    logical = raw.get(10)
    if not isinstance(logical, dict):
        return None if 6 not in raw else number(raw, 6)
    if isinstance(integer := logical.get(10), dict):
        return _INTEGERS.get((number(integer, 1), integer.get(2) is True), _OTHER)
    return next((_LOGICAL[each] for each in logical if each in _LOGICAL), _OTHER)


def _leaves(elements: Sequence[Element]) -> Iterator[Leaf]:
    """The columns of values of a schema that is a tree. Raises StreamError."""
    left = [elements[0].children]
    path: list[bytes] = []
    repeated = [False]
    for element in elements[1:]:
        while left and left[-1] == 0:
            left.pop()
            repeated.pop()
            path = path[:-1]
        if not left or len(left) > _MAX_DEPTH:
            raise DAMAGED
        left[-1] -= 1
        below = repeated[-1] or element.repetition == _REPEATED
        if element.children:
            left.append(element.children)
            repeated.append(below)
            path = [*path, element.name]
        else:
            yield Leaf(element.physical, (*path, element.name), not below)
    if any(left):
        raise DAMAGED


def _group(raw: Mapping[int, Any], leaves: Sequence[Leaf], size: int) -> Group:
    rows, chunks = number(raw, 3), _structs(raw.get(1))
    if not rows:
        return Group(0, ())
    if len(chunks) != len(leaves):
        raise DAMAGED
    found = zip(chunks, leaves, strict=True)
    return Group(rows, tuple(_chunk(chunk.get(3), leaf, rows, size) for chunk, leaf in found))


def _chunk(raw: object, leaf: Leaf, rows: int, size: int) -> Chunk:
    if not isinstance(raw, dict):
        raise DAMAGED
    codec, values, stored = (number(raw, field) for field in (4, 5, 7))
    if codec not in CODECS:
        known = ", ".join(name.upper() for name in CODECS.values() if name)
        raise StreamError("(file)", f"Parquet compressed by none or one of {known}")
    start = min((at for at in (number(raw, each, default=0) for each in (9, 11)) if at), default=0)
    if values < rows or (leaf.flat and values != rows) or start < len(MAGIC) or start + stored > size:
        raise DAMAGED
    return Chunk(leaf.physical, codec, values, start, stored)


def _written_element(element: Element) -> thrift.Value:
    fields = {3: thrift.i32(element.repetition), 4: thrift.text(element.name)}
    if element.children:
        fields[5] = thrift.i32(element.children)
    else:
        fields = {1: thrift.i32(element.physical)} | fields
    if element.annotation == _NULLS:
        fields[10] = thrift.struct({11: thrift.struct({})})
    elif element.annotation is not None:
        fields[6] = thrift.i32(element.annotation)
    return thrift.struct(fields)


def _written_chunk(chunk: Chunk, leaf: Leaf) -> thrift.Value:
    about = {
        1: thrift.i32(leaf.physical),
        2: thrift.items(thrift.i32(each) for each in _ENCODINGS),
        3: thrift.items(thrift.text(each) for each in leaf.path),
        4: thrift.i32(chunk.codec),
        5: thrift.i64(chunk.values),
        6: thrift.i64(chunk.stored),
        7: thrift.i64(chunk.stored),
        9: thrift.i64(chunk.start),  # that of the dictionary where there is one: its page says what it is
    }
    return thrift.struct({2: thrift.i64(0), 3: thrift.struct(about)})
