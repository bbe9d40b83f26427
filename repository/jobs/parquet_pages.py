"""What a Parquet file would become in memory, told from its page headers alone, before anything of it is inflated.

A few bytes of Parquet may stand for gigabytes: pages that inflate, dictionary entries that are repeated, run lengths.
So every page header is read (Thrift's compact protocol), and each row group weighed; only dictionaries, which are
bounded themselves, are inflated, for their longest entry.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any

import pyarrow as pa  # type: ignore[import-untyped] # pyarrow ships no types

from repository.jobs.lines import StreamError

MAX_FOOTER_BYTES = 8 << 20
MAX_GROUP_BYTES = 128 << 20
"""Bytes of a row group in memory; the kit writes groups of some ten."""
_PAGE_HEADER_BYTES = 64 << 10
_PAGE_BYTES = 16 << 20
_DICTIONARY_BYTES = 2 << 20
_VALUE_BYTES = 8  # levels, offsets and validity of one value
_DATA, _DICTIONARY, _DATA_V2 = 0, 2, 3
_PLAIN, _PLAIN_DICTIONARY, _RLE_DICTIONARY = 0, 2, 8
_ENCODINGS = frozenset({_PLAIN, _PLAIN_DICTIONARY, 3, 4, 5, 6, _RLE_DICTIONARY})
"""Those in which a value is no longer than its bytes: plain, run lengths, dictionary, deltas of numbers and lengths."""
_CODECS = {"SNAPPY": "snappy", "GZIP": "gzip", "ZSTD": "zstd", "LZ4_RAW": "lz4_raw"}
_DAMAGED = StreamError("(file)", "a whole Parquet file")


def weigh(handle: IO[bytes], metadata: Any, limit: int = MAX_GROUP_BYTES) -> Iterator[int]:
    """The bytes that each row group takes in memory at most. Raises StreamError when it is more than `limit`."""
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        weight = 0
        for column in range(group.num_columns):
            weight += _column(handle, group.column(column), limit)
            if weight > limit:
                raise StreamError(
                    "(file)", f"row groups of at most {limit >> 20} MiB once inflated; write fewer rows in each"
                )
        yield weight


def weigh_all(handle: IO[bytes], metadata: Any, limit: int) -> None:
    """Weigh every row group, and all together. Raises StreamError."""
    total = 0
    for weight in weigh(handle, metadata):
        total += weight
        if total > limit:
            raise StreamError("(file)", f"at most {limit} bytes once inflated")


def check_footer(handle: IO[bytes]) -> None:
    """Raises StreamError unless the end of the file says that it is Parquet, with a footer of bounded size."""
    size = handle.seek(0, os.SEEK_END)
    handle.seek(max(0, size - 8))
    end = handle.read(8)
    if len(end) < 8 or end[4:] != b"PAR1":
        raise _DAMAGED
    if int.from_bytes(end[:4], "little") > min(MAX_FOOTER_BYTES, size):
        raise StreamError("(file)", f"Parquet with a footer of at most {MAX_FOOTER_BYTES >> 20} MiB")


def _column(handle: IO[bytes], chunk: Any, limit: int) -> int:
    if chunk.compression != "UNCOMPRESSED" and chunk.compression not in _CODECS:
        raise StreamError("(file)", f"Parquet compressed by none or one of {', '.join(_CODECS)}")
    offsets = [at for at in (chunk.dictionary_page_offset, chunk.data_page_offset) if at]
    position, end = min(offsets, default=-1), min(offsets, default=-1) + chunk.total_compressed_size
    weight, values, longest = 0, 0, 0
    while 0 < position < end and values < chunk.num_values and weight <= limit:
        header, size = _header(handle, position)
        page = _Page.of(header)
        if page.kind == _DICTIONARY:
            longest = _longest_entry(handle, position + size, page, chunk)
        weight += page.inflated + page.values * (_VALUE_BYTES + (longest if page.by_dictionary else 0))
        values += 0 if page.kind == _DICTIONARY else page.values
        position += size + page.stored
    if weight <= limit and values != chunk.num_values:
        raise _DAMAGED
    return weight


@dataclass(frozen=True, slots=True)
class _Page:
    kind: int
    inflated: int
    stored: int
    values: int
    by_dictionary: bool

    @classmethod
    def of(cls, header: Mapping[int, Any]) -> _Page:
        kind, inflated, stored = (_number(header, field) for field in (1, 2, 3))
        inner = header.get({_DATA: 5, _DICTIONARY: 7, _DATA_V2: 8}.get(kind, 0))
        if not isinstance(inner, dict):
            raise _DAMAGED
        values, encoding = _number(inner, 1), _number(inner, 4 if kind == _DATA_V2 else 2)
        if encoding not in _ENCODINGS:
            raise StreamError("(file)", "Parquet in plain or dictionary encoding, or with delta lengths")
        if inflated > (_DICTIONARY_BYTES if kind == _DICTIONARY else _PAGE_BYTES):
            raise StreamError(
                "(file)", f"pages of at most {_PAGE_BYTES >> 20} MiB, dictionaries of {_DICTIONARY_BYTES >> 20}"
            )
        repeated = kind != _DICTIONARY and encoding in (_PLAIN_DICTIONARY, _RLE_DICTIONARY)
        return cls(kind, inflated, stored, values, repeated)


def _number(fields: Mapping[int, Any], number: int) -> int:
    found = fields.get(number)
    if not isinstance(found, int) or found < 0:
        raise _DAMAGED
    return found


def _longest_entry(handle: IO[bytes], position: int, page: _Page, chunk: Any) -> int:
    if chunk.physical_type != "BYTE_ARRAY":
        return _VALUE_BYTES
    handle.seek(position)
    content = handle.read(page.stored)
    if chunk.compression != "UNCOMPRESSED":
        try:
            codec = pa.Codec(_CODECS[chunk.compression])
            content = codec.decompress(content, decompressed_size=page.inflated, asbytes=True)
        except (pa.ArrowException, OSError):
            raise _DAMAGED from None
    at, longest = 0, 0
    while at + 4 <= len(content):
        length = int.from_bytes(content[at : at + 4], "little")
        longest = max(longest, length)
        at += 4 + length
    return longest


def _header(handle: IO[bytes], position: int) -> tuple[dict[int, Any], int]:
    handle.seek(position)
    reader = _Compact(handle.read(_PAGE_HEADER_BYTES))
    try:
        return reader.struct(), reader.at
    except (IndexError, RecursionError):
        raise _DAMAGED from None


class _Compact:
    """Thrift's compact protocol, as far as a page header has it: numbers are kept, all else is passed over."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def struct(self, depth: int = 0) -> dict[int, Any]:
        """The fields of a structure by number."""
        if depth > 4:
            raise _DAMAGED
        fields: dict[int, Any] = {}
        number = 0
        while (head := self._byte()) != 0:
            number = number + (head >> 4) if head >> 4 else self._zigzag()
            fields[number] = self._value(head & 15, depth)
        return fields

    def _value(self, kind: int, depth: int) -> Any:
        if kind in (1, 2):
            return kind == 1
        if kind == 3:
            return self._byte()
        if kind in (4, 5, 6):
            return self._zigzag()
        if kind in (7, 8):
            self._skip(8 if kind == 7 else self._varint())
            return None
        if kind == 12:
            return self.struct(depth + 1)
        raise _DAMAGED

    def _skip(self, count: int) -> None:
        self.at += count
        if self.at > len(self._data):
            raise _DAMAGED

    def _byte(self) -> int:
        self.at += 1
        return self._data[self.at - 1]

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
            if shift > 63:
                raise _DAMAGED

    def _zigzag(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)
