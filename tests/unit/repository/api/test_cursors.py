"""Cursors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repository.api import cursors
from repository.api.problems import ProblemError

SCOPE = ("hits", "mem_1", {"band": None})


@given(text=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=128), number=st.integers(0, 2**31 - 1))
def test_a_cursor_gives_back_its_position(text: str, number: int) -> None:
    """What went in comes out, and the cursor needs no escaping in a URL."""
    cursor = cursors.encode(SCOPE, [text, number])
    assert cursors.decode(SCOPE, cursor, (str, int)) == [text, number]
    assert set(cursor) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_no_cursor_is_the_first_page() -> None:
    """None stays None."""
    assert cursors.decode(SCOPE, None, (str,)) is None


@pytest.mark.parametrize(
    "scope", [("hits", "mem_2", {"band": None}), ("hits", "mem_1", {"band": "strong"}), ("batches",)]
)
def test_a_cursor_fits_its_list_only(scope: tuple[object, ...]) -> None:
    """Another member's list, other filters, another resource: refused."""
    with pytest.raises(ProblemError, match="invalid-cursor"):
        cursors.decode(scope, cursors.encode(SCOPE, ["a"]), (str,))


@pytest.mark.parametrize("position", [["a", 1], [1], [], [True], [None]])
def test_a_position_of_other_types_is_refused(position: list[object]) -> None:
    """Length and types are checked, so that a query never sees anything else; True is no number."""
    cursor = cursors.encode(SCOPE, position)  # type: ignore[arg-type] # what a forger might put in
    with pytest.raises(ProblemError, match="invalid-cursor"):
        cursors.decode(SCOPE, cursor, (str,))
    with pytest.raises(ProblemError, match="invalid-cursor"):
        cursors.decode(SCOPE, cursors.encode(SCOPE, [True]), (int,))


@pytest.mark.parametrize("part", [-1, 2**31, 2**63, 2**64 - 1, "hit_\0", "hit_\n", "hit_\u00e9", "x" * 129])
def test_a_forged_position_reaches_no_query(part: str | int) -> None:
    """The digest has no key, so anyone can make a cursor up: what a database would refuse is refused before."""
    with pytest.raises(ProblemError, match="invalid-cursor"):
        cursors.decode(SCOPE, cursors.encode(SCOPE, [part]), (type(part),))


@given(st.text(max_size=80))
def test_garbage_is_refused(text: str) -> None:
    """Any text that is no cursor is a problem, and no fault."""
    with pytest.raises(ProblemError, match="invalid-cursor"):
        cursors.decode(SCOPE, text, (str,))
