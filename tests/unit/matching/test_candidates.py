"""Candidates are exactly the pairs that share a key."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from matching.candidates import Index, within
from matching.columns import Columns
from matching.schema import KindSchema, load_schema

Rows = list[list[int]]
PERSON = load_schema().kinds["person"]
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
    found = within(columns(rows), range(3))
    expected = {(i, j) for i in range(len(rows)) for j in range(i + 1, len(rows)) if share(rows[i], rows[j])}
    assert list(zip(found.rows.tolist(), found.others.tolist(), strict=True)) == sorted(expected)


def test_hot_keys_are_left_out_and_counted() -> None:
    """A key that more records share than the cap gives no candidates, and is reported."""
    rows = [[1, 0, 0]] * 4 + [[2, 0, 0]] * 2
    found = within(columns(rows), range(3), cap=3)
    assert found.rows.tolist() == [4]
    assert found.capped == 1


@given(ROWS, ROWS, st.integers(1, 3))
def test_likeliest_are_those_of_the_rarest_shared_keys(left: Rows, right: Rows, most: int) -> None:
    """Of the pairs that share a key each record keeps those whose shared keys are the rarest, the first on ties."""
    found = Index(columns(right), three_keys(2)).likeliest(columns(left), most)
    expected = set()
    for i, one in enumerate(left):
        ranked = sorted((-rarity(one, other, right), j) for j, other in enumerate(right) if share(one, other))
        expected |= {(i, j) for _, j in ranked[:most]}
    assert list(zip(found.rows.tolist(), found.others.tolist(), strict=True)) == sorted(expected)


def test_a_hot_key_makes_nobody_likely() -> None:
    """A key that more records share than the cap gives no candidates in an index either."""
    rows = [[1, 0, 0]] * 4 + [[2, 0, 0]]
    found = Index(columns(rows), three_keys(2), cap=3).likeliest(columns(rows), 9)
    assert found.rows.tolist() == found.others.tolist() == [4]
    assert found.capped == 1


def three_keys(composites: int) -> KindSchema:
    """A schema of three keys, so many of them composites and the others bands."""
    bands = tuple(key for key in PERSON.keys if key.band is not None)
    return replace(PERSON, keys=(*PERSON.keys[:composites], *bands[: 3 - composites]))


def rarity(one: list[int], other: list[int], pool: Rows) -> int:
    """What two rows share, in sixteenths of a bit: composites count eight times a band."""
    total = 0
    for at, (a, b) in enumerate(zip(one, other, strict=True)):
        if a == b != 0:
            bits = 17 - math.log2(sum(row[at] == a for row in pool))
            total += int(bits * 16 * (8 if at < 2 else 1))
    return total
