"""Making the next chunk while the one before is taken in."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from repository.jobs.intake import ahead


def test_the_next_is_made_while_one_is_worked_on() -> None:
    """While the first is at work the second is made, and no third."""
    made = [threading.Event() for _ in range(4)]

    def items() -> Iterator[int]:
        for number, event in enumerate(made):
            event.set()
            yield number

    given = ahead(items())
    assert next(given) == 0
    assert made[1].wait(10)
    assert not made[2].is_set()
    assert list(given) == [1, 2, 3]


def test_what_goes_wrong_is_told_after_what_was_made_before() -> None:
    """An error comes in its place, and nothing after it."""

    def items() -> Iterator[int]:
        yield 1
        raise ValueError("damaged")

    given = ahead(items())
    assert next(given) == 1
    with pytest.raises(ValueError, match="damaged"):
        next(given)
    assert list(given) == []
