"""What a Parquet file would become in memory, told from its page headers alone, before anything of it is inflated.

A few bytes of Parquet may stand for gigabytes: pages that inflate, dictionary entries that are repeated, run lengths.
So every page header is read, and each row group weighed; only dictionaries, which are
bounded themselves, are inflated, for their longest entry.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any

import pyarrow as pa  # type: ignore[import-untyped] # pyarrow ships no types

from repository.jobs import thrift
from repository.jobs.lines import StreamError
from repository.jobs.parquet_footer import BYTE_ARRAY, CODECS, DAMAGED, Chunk, Footer, number

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
_HEADER: thrift.Wanted = dict.fromkeys((1, 2, 3)) | {
    5: {1: None, 2: None},
    7: {1: None, 2: None},
    8: {1: None, 4: None},
}
_MOST = (1 << 31) - 1  # numbers of a page header have 32 bits


def weigh(handle: IO[bytes], footer: Footer, limit: int = MAX_GROUP_BYTES) -> Iterator[int]:
    """The bytes that each row group takes in memory at most. Raises StreamError when it is more than `limit`."""
    for group in footer.groups:
        weight = 0
        for chunk in group.chunks:
            weight += _chunk(handle, chunk, limit)
            if weight > limit:
                raise StreamError(
                    "(file)", f"row groups of at most {limit >> 20} MiB once inflated; write fewer rows in each"
                )
        yield weight


def weigh_all(handle: IO[bytes], footer: Footer, limit: int) -> None:
    """Weigh every row group, and all together. Raises StreamError."""
    total = 0
    for weight in weigh(handle, footer):
        total += weight
        if total > limit:
            raise StreamError("(file)", f"at most {limit} bytes once inflated")


def _chunk(handle: IO[bytes], chunk: Chunk, limit: int) -> int:
    position, end = chunk.start, chunk.start + chunk.stored
    weight, values, longest = 0, 0, 0
    while position < end and values < chunk.values and weight <= limit:
        header, size = _header(handle, position)
        page = _Page.of(header)
        if page.kind == _DICTIONARY:
            longest = _longest_entry(handle, position + size, page, chunk)
        weight += page.inflated + page.values * (_VALUE_BYTES + (longest if page.by_dictionary else 0))
        values += 0 if page.kind == _DICTIONARY else page.values
        position += size + page.stored
    if weight <= limit and (values != chunk.values or position > end):
        raise DAMAGED
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
        kind, inflated, stored = (number(header, field, _MOST) for field in (1, 2, 3))
        inner = header.get({_DATA: 5, _DICTIONARY: 7, _DATA_V2: 8}.get(kind, 0))
        if not isinstance(inner, dict):
            raise DAMAGED
        values, encoding = number(inner, 1, _MOST), number(inner, 4 if kind == _DATA_V2 else 2)
        if encoding not in _ENCODINGS:
            raise StreamError("(file)", "Parquet in plain or dictionary encoding, or with delta lengths")
        if inflated > (_DICTIONARY_BYTES if kind == _DICTIONARY else _PAGE_BYTES):
            raise StreamError(
                "(file)", f"pages of at most {_PAGE_BYTES >> 20} MiB, dictionaries of {_DICTIONARY_BYTES >> 20}"
            )
        repeated = kind != _DICTIONARY and encoding in (_PLAIN_DICTIONARY, _RLE_DICTIONARY)
        return cls(kind, inflated, stored, values, repeated)


def _longest_entry(handle: IO[bytes], position: int, page: _Page, chunk: Chunk) -> int:
    if chunk.physical != BYTE_ARRAY:
        return _VALUE_BYTES
    handle.seek(position)
    content = handle.read(page.stored)
    if (codec := CODECS[chunk.codec]) is not None:
        try:
            content = pa.Codec(codec).decompress(content, decompressed_size=page.inflated, asbytes=True)
        except (pa.ArrowException, OSError):
            raise DAMAGED from None
    at, longest = 0, 0
    while at + 4 <= len(content):
        length = int.from_bytes(content[at : at + 4], "little")
        longest = max(longest, length)
        at += 4 + length
    return longest


def _header(handle: IO[bytes], position: int) -> tuple[dict[int, Any], int]:
    handle.seek(position)
    reader = thrift.Reader(handle.read(_PAGE_HEADER_BYTES), len(_HEADER) * 3)
    try:
        return reader.struct(_HEADER), reader.at
    except thrift.ThriftError:
        raise DAMAGED from None
