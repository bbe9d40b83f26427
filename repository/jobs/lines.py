"""Reading the lines of a batch from a stream, within bounds: a line, and all that a gzip stream inflates to.

Memory is bounded whatever is sent: an overlong line is dropped while it comes in, and gzip (RFC 1952) is undone piece
by piece.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_GZIP = 31  # zlib's window bits for a gzip header and trailer
_PIECE = 256 * 1024


class StreamError(Exception):
    """The stream is damaged or too large. The lines before were given; `field` and `expected` say what is wrong."""

    def __init__(self, field: str, expected: str) -> None:
        super().__init__(f"{field}: expected {expected}")
        self.field = field
        self.expected = expected


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its end, numbered from 1; `content` is None when the line was longer than allowed."""

    number: int
    content: bytes | None


class Meter:
    """Counts the bytes of an upload as they are read."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        self._parts = parts
        self.count = 0

    def __iter__(self) -> Iterator[bytes]:
        for part in self._parts:
            self.count += len(part)
            yield part


def inflate(parts: Iterable[bytes], limit: int) -> Iterator[bytes]:
    """Undo gzip, of several members too. Raises StreamError when damaged, cut short, or more than `limit` bytes."""
    inflater = zlib.decompressobj(_GZIP)
    total = 0
    started = False
    for part in parts:
        pending = part
        while pending:
            if inflater.eof:
                inflater = zlib.decompressobj(_GZIP)
            started = True
            try:
                piece = inflater.decompress(pending, _PIECE)
            except zlib.error:
                raise StreamError("body", "a gzip stream; it is damaged, and what follows is not read") from None
            total += len(piece)
            if total > limit:
                raise StreamError("body", f"at most {limit} bytes once inflated; what follows is not read")
            yield piece
            pending = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
    if started and not inflater.eof:
        raise StreamError("body", "a complete gzip stream; it ends too early, after the rows that were read")


def lines(parts: Iterable[bytes], longest: int) -> Iterator[Line]:
    """Cut a stream at its newlines. Of a line longer than `longest` bytes no more than that is ever held."""
    number = 0
    carry = bytearray()
    overlong = False
    for part in parts:
        *ended, rest = part.split(b"\n")
        for end in ended:
            number += 1
            content = bytes(carry) + end if carry else end
            yield Line(number, None if overlong or len(content) > longest else content)
            carry.clear()
            overlong = False
        overlong = overlong or len(carry) + len(rest) > longest
        if overlong:
            carry.clear()
        else:
            carry += rest
    if carry or overlong:
        yield Line(number + 1, None if overlong else bytes(carry))
