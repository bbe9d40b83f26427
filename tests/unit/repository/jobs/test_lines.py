"""Reading a batch's lines: bounded, whatever is sent."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import Iterator

import pytest

from repository.jobs.lines import Line, Meter, StreamError, inflate, lines


def test_lines_are_numbered_from_one() -> None:
    """The last line needs no newline at its end; empty lines count."""
    assert list(lines([b"a\n\nb"], 10)) == [Line(1, b"a"), Line(2, b""), Line(3, b"b")]
    assert list(lines([b"a\n"], 10)) == [Line(1, b"a")]
    assert list(lines([], 10)) == []


def test_a_line_that_is_too_long_is_one_line_without_content() -> None:
    """The lines around it are whole; at the end of the stream it counts, too."""
    assert list(lines([b"a\n" + b"x" * 11 + b"\nb\n" + b"y" * 11], 10)) == [
        Line(1, b"a"),
        Line(2, None),
        Line(3, b"b"),
        Line(4, None),
    ]


def test_a_line_of_ten_megabytes_takes_no_memory() -> None:
    """It is dropped while it comes in."""

    def parts() -> Iterator[bytes]:
        for _ in range(160):
            yield b"x" * 65536
        yield b"\nrest\n"

    tracemalloc.start()
    found = list(lines(parts(), 65536))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == [Line(1, None), Line(2, b"rest")]
    assert peak < 1_000_000


def test_gzip_in_several_members_is_one_stream() -> None:
    """As RFC 1952 has it, also cut into single bytes."""
    packed = gzip.compress(b"one\n") + gzip.compress(b"two\n")
    assert b"".join(inflate([packed], 100)) == b"one\ntwo\n"
    assert b"".join(inflate([bytes([byte]) for byte in packed], 100)) == b"one\ntwo\n"
    assert b"".join(inflate([], 100)) == b""


def test_truncated_gzip_gives_its_lines_then_says_so() -> None:
    """The part that arrived is read; the end is an error, not silence."""
    packed = gzip.compress(b"".join(b"%d\n" % number for number in range(10_000)))
    read: list[Line] = []
    with pytest.raises(StreamError, match="complete gzip") as caught:
        read.extend(lines(inflate([packed[: len(packed) // 2]], 1 << 20), 100))
    assert caught.value.field == "body"
    assert len(read) > 1000


def test_damaged_gzip_says_so() -> None:
    """Not gzip at all, a flipped byte, and something else after the end."""
    packed = bytearray(gzip.compress(b"content\n" * 100))
    packed[-6] ^= 1
    for body in (b"no gzip", bytes(packed), gzip.compress(b"x") + b"rubbish"):
        with pytest.raises(StreamError, match="damaged"):
            list(inflate([body], 1 << 20))


def test_a_bomb_is_not_inflated() -> None:
    """A gigabyte of zeros in a few kilobytes stops at the limit, without having been in memory."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(64)) + packer.flush()
    tracemalloc.start()
    with pytest.raises(StreamError, match="at most 1048576 bytes"):
        list(lines(inflate([bomb], 1 << 20), 100))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4_000_000


def test_a_meter_counts_what_was_read() -> None:
    """Part by part."""
    meter = Meter([b"abc", b"de"])
    reading = iter(meter)
    assert (next(reading), meter.count) == (b"abc", 3)
    assert (next(reading), meter.count) == (b"de", 5)
