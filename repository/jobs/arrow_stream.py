"""Record batches from an Arrow IPC stream, one at a time, none larger than allowed, nothing inflated.

The frames of the stream are cut here, so that what a message announces is checked before memory is taken for it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped] # pyarrow ships no types

from repository.jobs.lines import StreamError

MAX_BODY_BYTES = 64 << 20
_MAX_METADATA_BYTES = 1 << 20
_CONTINUATION = b"\xff\xff\xff\xff"
RECORDS = 3
"""The kind of a message that holds rows."""
_SCHEMA = 1
_FILE_MAGIC = b"ARROW1"


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the stream as it is, and what its head says: its kind, and the rows of a record batch."""

    content: bytes
    kind: int
    rows: int


def messages(parts: Iterable[bytes]) -> Iterator[Message]:
    """The messages of a stream. Raises StreamError for one that is damaged, compressed or too large."""
    reader = _Reader(parts)
    while (head := reader.take(8)) and head != _CONTINUATION + bytes(4):
        if head.startswith(_FILE_MAGIC):
            raise StreamError("(file)", "an Arrow IPC stream; this is an Arrow file, which is another format")
        size = int.from_bytes(head[4:], "little", signed=True)
        if head[:4] != _CONTINUATION or not 0 < size <= _MAX_METADATA_BYTES:
            raise _damaged()
        metadata = reader.take(size)
        try:
            kind, rows, body = _about(metadata)
        except (struct.error, IndexError):
            raise _damaged() from None
        yield Message(head + metadata + reader.take(body), kind, rows)


def schema_of(message: Message) -> Any:
    """The schema that a stream begins with."""
    if message.kind != _SCHEMA:
        raise _damaged()
    try:
        return pa.ipc.read_schema(pa.py_buffer(message.content))
    except (pa.ArrowException, OSError, ValueError):
        raise _damaged() from None


def batch_of(message: Message, schema: Any) -> Any:
    """The record batch of a message, checked down to its offsets. Raises StreamError.

    Text is taken for bytes while it is checked: whether it is text is a question to each row, and not to all of them.
    """
    if message.kind != RECORDS:
        raise StreamError("(file)", "record batches without dictionaries: write text columns as plain text")
    try:
        content = pa.ipc.read_message(message.content)
        pa.ipc.read_record_batch(content, _as_bytes(schema)).validate(full=True)
        return pa.ipc.read_record_batch(content, schema)
    except (pa.ArrowException, OSError, ValueError):
        raise _damaged() from None


def _as_bytes(schema: Any) -> Any:
    """The same columns, which lie the same in memory, with bytes for text."""
    return pa.schema([(field.name, _bytes_for(field.type)) for field in schema])


def _bytes_for(kind: Any) -> Any:
    if pa.types.is_struct(kind):
        return pa.struct([(field.name, _bytes_for(field.type)) for field in kind])
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        listed = pa.list_ if pa.types.is_list(kind) else pa.large_list
        return listed(_bytes_for(kind.value_type))
    return {pa.string(): pa.binary(), pa.large_string(): pa.large_binary()}.get(kind, kind)


def _damaged() -> StreamError:
    return StreamError("(file)", "a whole Arrow IPC stream; what follows is not read")


def _about(metadata: bytes) -> tuple[int, int, int]:
    """Kind, rows and length of the body, from the FlatBuffer of a message."""
    message = _Table(metadata, struct.unpack_from("<I", metadata)[0])
    kind, body = message.scalar(1, "<B"), message.scalar(3, "<q")
    rows = 0
    if kind == RECORDS:
        records = message.table(2)
        rows = records.scalar(0, "<q")
        if records.has(3):
            raise StreamError("(file)", "record batches that are not compressed; use Content-Encoding: gzip")
    if not 0 <= body <= MAX_BODY_BYTES:
        raise StreamError("(file)", f"record batches of at most {MAX_BODY_BYTES >> 20} MiB; write fewer rows in each")
    if not 0 <= rows <= body:  # every row has bytes: there is no column without offsets
        raise _damaged()
    return kind, rows, body


class _Table:
    """A table of a FlatBuffer."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self._at = at
        self._fields = at - struct.unpack_from("<i", data, at)[0]
        if self._fields < 0:
            raise IndexError
        self._size = struct.unpack_from("<H", data, self._fields)[0]

    def has(self, number: int) -> bool:
        """Whether a field is there."""
        return self._offset(number) > 0

    def scalar(self, number: int, shape: str) -> int:
        """A number; 0 where the field is not there."""
        offset = self._offset(number)
        return int(struct.unpack_from(shape, self._data, self._at + offset)[0]) if offset else 0

    def table(self, number: int) -> _Table:
        """A table that this one points to."""
        at = self._at + self._offset(number)
        return _Table(self._data, at + struct.unpack_from("<I", self._data, at)[0])

    def _offset(self, number: int) -> int:
        place = 4 + 2 * number
        return int(struct.unpack_from("<H", self._data, self._fields + place)[0]) if place + 2 <= self._size else 0


class _Reader:
    """Takes exact numbers of bytes from parts."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        self._parts = iter(parts)
        self._held = bytearray()

    def take(self, count: int) -> bytes:
        """The next `count` bytes, none at the end. Raises StreamError when the stream ends within them."""
        while len(self._held) < count:
            part = next(self._parts, None)
            if part is None:
                if self._held:
                    raise _damaged()
                return b""
            self._held += part
        taken = bytes(self._held[:count])
        del self._held[:count]
        return taken
