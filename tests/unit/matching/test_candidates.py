"""Candidates are exactly the pairs that share a key."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from matching.candidates import between, within
from matching.columns import Columns

Rows = list[list[int]]
ROWS = st.lists(st.lists(st.integers(0, 4), min_size=3, max_size=3), min_size=1, max_size=12)


def columns(rows: Rows) -> Columns:
    """Columns with these keys and no sketches."""
    keys = np.array(rows, np.uint64)
    return Columns(keys, np.zeros((len(rows), 0, 0), np.uint8), np.zeros(len(rows), np.uint64), (None,) * len(rows))


def share(one: list[int], other: list[int]) -> bool:
    """Whether two rows share a key that is there."""
    return any(a == b != 0 for a, b in zip(one, other, strict=True))


@given(ROWS)
def test_within(rows: Rows) -> None:
    """Inside one set: each pair once, the lower row first, and only pairs that share a key."""
    found = within(columns(rows))
    expected = {(i, j) for i in range(len(rows)) for j in range(i + 1, len(rows)) if share(rows[i], rows[j])}
    assert list(zip(found.rows.tolist(), found.others.tolist(), strict=True)) == sorted(expected)


@given(ROWS, ROWS)
def test_between(left: Rows, right: Rows) -> None:
    """Between two sets: each pair once, and only pairs that share a key."""
    found = between(columns(left), columns(right))
    expected = {(i, j) for i, one in enumerate(left) for j, other in enumerate(right) if share(one, other)}
    assert list(zip(found.rows.tolist(), found.others.tolist(), strict=True)) == sorted(expected)


def test_hot_keys_are_left_out_and_counted() -> None:
    """A key that more records share than the cap gives no candidates, and is reported."""
    rows = [[1, 0, 0]] * 4 + [[2, 0, 0]] * 2
    found = within(columns(rows), cap=3)
    assert found.rows.tolist() == [4]
    assert found.capped == 1
    assert between(columns(rows), columns(rows), cap=3).capped == 1
