"""Lines of a batch: however the stream is cut into parts, the same lines come out."""

from __future__ import annotations

import gzip
import itertools
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from repository.jobs.lines import StreamError, inflate, lines

CONTENT = st.lists(st.sampled_from([b"\n", b"a", b"bc", b"\r", b"x" * 9])).map(b"".join)


def cut(content: bytes, places: list[int]) -> list[bytes]:
    """The content in parts."""
    bounds = sorted({0, len(content), *(place % (len(content) + 1) for place in places)})
    return [content[start:end] for start, end in itertools.pairwise(bounds)]


@given(CONTENT, st.lists(st.integers(min_value=0)))
def test_cutting_makes_no_difference(content: bytes, places: list[int]) -> None:
    """Lines are those of the whole content; those over the limit are marked."""
    whole = content.split(b"\n")
    if whole[-1] == b"":
        whole.pop()
    expected = [None if len(line) > 8 else line for line in whole]
    found = list(lines(cut(content, places), 8))
    assert [line.content for line in found] == expected
    assert [line.number for line in found] == list(range(1, len(found) + 1))


@given(st.binary(max_size=300), st.lists(st.integers(min_value=0), max_size=5), st.integers(min_value=0))
def test_gzip_cut_short_is_never_silent(content: bytes, places: list[int], kept: int) -> None:
    """Whole gzip inflates to what it was; any proper beginning of it is an error."""
    packed = gzip.compress(content)
    assert b"".join(inflate(cut(packed, places), 1000)) == content
    shorter = packed[: 1 + kept % (len(packed) - 1)]
    try:
        list(inflate(cut(shorter, places), 1000))
    except StreamError:
        return
    raise AssertionError("a truncated stream passed for a whole one")


@given(st.binary(max_size=200), st.lists(st.integers(min_value=0), max_size=5))
def test_any_bytes_inflate_or_are_refused(content: bytes, places: list[int]) -> None:
    """Nothing but StreamError comes out of reading rubbish."""
    with suppress(StreamError):
        list(inflate(cut(content, places), 1000))
