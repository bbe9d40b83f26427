"""Record batches from an Arrow IPC stream, one at a time, none larger than allowed, nothing inflated.

The frames of the stream are cut here, so that what a message announces is checked before memory is taken for it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped] # pyarrow ships no types
import pyarrow.compute as pc  # type: ignore[import-untyped] # pyarrow ships no types

from repository.jobs.lines import StreamError

MAX_BODY_BYTES = 64 << 20
MAX_DICTIONARY_BYTES = 2 << 20
"""Bytes of all dictionaries together, those of before that are replaced left out."""
MAX_WRITTEN_OUT_BYTES = 64 << 20
"""Bytes of what the dictionaries of a record batch stand for, at most: each value as long as the longest entry."""
_MAX_METADATA_BYTES = 1 << 20
_CONTINUATION = b"\xff\xff\xff\xff"
RECORDS, DICTIONARY = 3, 2
"""The kinds of messages that hold rows, and words that stand for numbers in the rows that follow."""
_SCHEMA = 1
_VALUE_BYTES = 8
_FILE_MAGIC = b"ARROW1"


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the stream as it is, and what its head says.

    That is its kind, the rows of a record batch, and whose words a dictionary has, and whether they are more of them.
    """

    content: bytes
    kind: int
    rows: int
    words_of: int
    more: bool


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
            about, body = _about(metadata)
        except (struct.error, IndexError):
            raise _damaged() from None
        yield Message(head + metadata + reader.take(body), *about)


class Batches:
    """The schema that a stream begins with, the dictionaries met since, and record batches by both."""

    def __init__(self, first: Message) -> None:
        if first.kind != _SCHEMA:
            raise _damaged()
        try:
            self.schema = pa.ipc.read_schema(pa.py_buffer(first.content))
        except (pa.ArrowException, OSError, ValueError):
            raise _damaged() from None
        self._first = first.content
        self._words: dict[int, list[bytes]] = {}

    def learn(self, message: Message) -> None:
        """Take in a dictionary, in place of the one of before unless it is more of it. Raises StreamError."""
        before = self._words.get(message.words_of, []) if message.more else []
        self._words[message.words_of] = [*before, message.content]
        if sum(len(content) for held in self._words.values() for content in held) > MAX_DICTIONARY_BYTES:
            raise StreamError("(file)", f"dictionaries of at most {MAX_DICTIONARY_BYTES >> 20} MiB in all")

    def of(self, message: Message) -> Any:
        """The record batch of a message, checked down to its offsets. Raises StreamError.

        Text is taken for bytes while it is checked: whether it is text is a question to each row, and not to all.
        """
        if message.kind != RECORDS:
            raise _damaged()
        try:
            content = pa.ipc.read_message(message.content)
            pa.ipc.read_record_batch(content, _as_bytes(self.schema)).validate(full=True)
            if not self._words:
                return pa.ipc.read_record_batch(content, self.schema)
            held = b"".join([self._first, *(each for words in self._words.values() for each in words), message.content])
            batch = pa.ipc.open_stream(pa.py_buffer(held)).read_next_batch()
            written_out = sum(map(_written_out, batch.columns))
        except (pa.ArrowException, OSError, ValueError, IndexError, StopIteration):
            raise _damaged() from None
        if written_out > MAX_WRITTEN_OUT_BYTES:
            raise StreamError(
                "(file)", f"text of at most {MAX_WRITTEN_OUT_BYTES >> 20} MiB once dictionaries are undone"
            )
        return batch


def _written_out(array: Any) -> int:
    """Bytes of what the dictionaries of a column stand for, at most; checks them, and that all numbers are in them."""
    kind = array.type
    if pa.types.is_struct(kind):
        return sum(map(_written_out, array.flatten()))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _written_out(array.flatten())
    if not pa.types.is_dictionary(kind):
        return 0
    words = array.dictionary.view(_bytes_for(kind.value_type))
    words.validate(full=True)
    pa.DictionaryArray.from_arrays(array.indices, words).validate(full=True)
    sized = pa.types.is_binary(words.type) or pa.types.is_large_binary(words.type)
    longest = (pc.max(pc.binary_length(words)).as_py() or 0) if sized else 0
    return len(array) * (longest + _VALUE_BYTES)


def _as_bytes(schema: Any) -> Any:
    """The same columns, which lie the same in memory, with bytes for text, and numbers for what is in dictionaries."""
    return pa.schema([(field.name, _bytes_for(field.type)) for field in schema])


def _bytes_for(kind: Any) -> Any:
    if pa.types.is_struct(kind):
        return pa.struct([(field.name, _bytes_for(field.type)) for field in kind])
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        listed = pa.list_ if pa.types.is_list(kind) else pa.large_list
        return listed(_bytes_for(kind.value_type))
    if pa.types.is_dictionary(kind):
        return kind.index_type
    return {pa.string(): pa.binary(), pa.large_string(): pa.large_binary()}.get(kind, kind)


def _damaged() -> StreamError:
    return StreamError("(file)", "a whole Arrow IPC stream; what follows is not read")


def _about(metadata: bytes) -> tuple[tuple[int, int, int, bool], int]:
    """What the head of a message says of it, and the length of its body, from its FlatBuffer."""
    message = _Table(metadata, struct.unpack_from("<I", metadata)[0])
    kind, body = message.scalar(1, "<B"), message.scalar(3, "<q")
    rows, words_of, more = 0, 0, False
    if kind in (RECORDS, DICTIONARY):
        records = message.table(2)
        if kind == DICTIONARY:
            words_of, more = records.scalar(0, "<q"), records.scalar(2, "<B") == 1
            records = records.table(1)
        rows = records.scalar(0, "<q")
        if records.has(3):
            raise StreamError("(file)", "record batches that are not compressed; use Content-Encoding: gzip")
    if not 0 <= body <= MAX_BODY_BYTES:
        raise StreamError("(file)", f"record batches of at most {MAX_BODY_BYTES >> 20} MiB; write fewer rows in each")
    if not 0 <= rows <= body:  # every row has bytes: there is no column without offsets
        raise _damaged()
    return (kind, rows, words_of, more), body


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
