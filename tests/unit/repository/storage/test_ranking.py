"""Ranking what a look-up found."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest

from repository.domain.members import NUMBER_BITS
from repository.storage import ranking
from repository.storage.sealing import Integers

LIMIT = 4


def _found(rows: int) -> tuple[Integers, Integers, Integers]:
    """Rows of forty owners who share keys, some of them several, with records of three members, half with one's."""
    drawn = np.random.default_rng(7)
    owner = drawn.integers(0, 40, rows)
    records = drawn.integers(0, 60, rows) << NUMBER_BITS | np.where(owner < 20, 1, drawn.integers(1, 4, rows))
    return owner, records, drawn.integers(1, 5, rows)


def _plainly(owner: Integers, records: Integers, weights: Integers) -> list[tuple[int, ...]]:
    """What `ranked` gives of the rows, said one by one."""
    shared: dict[int, Counter[int]] = defaultdict(Counter)
    for at, record, weight in zip(owner.tolist(), records.tolist(), weights.tolist(), strict=True):
        shared[at][record] += weight
    ranked = []
    for at in range(40):
        best = sorted(shared[at], key=lambda record: (-shared[at][record], record))
        if len(best) > LIMIT:
            met: Counter[int] = Counter()
            beyond = {}
            for record in best:
                member = record & (1 << NUMBER_BITS) - 1
                beyond[record] = met[member] >= LIMIT // 2
                met[member] += 1
            best.sort(key=beyond.__getitem__)
        ranked.append(tuple(best[:LIMIT]))
    return ranked


@pytest.mark.parametrize("rows", [0, 60, 3000])
@pytest.mark.parametrize("cut", [1, 10_000])
def test_the_best_of_each_come_first(rows: int, cut: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many rows, of which most are left out before they are sorted, give what sorting them all does."""
    monkeypatch.setattr(ranking, "_WORTH_CUTTING", cut)
    found = _found(rows)
    assert list(ranking.ranked(*found, 40, LIMIT)) == _plainly(*found)


def test_records_that_make_the_same_number_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the number that records are sorted by is the same for all, they are sorted by themselves."""
    monkeypatch.setattr(ranking, "_MIX", np.uint64(0))
    found = _found(500)
    assert list(ranking.ranked(*found, 40, LIMIT)) == _plainly(*found)
