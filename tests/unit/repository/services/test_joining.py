"""Answering together what is asked at the same time."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from repository.services.joining import Joining

PATIENCE = 20


class Answering:
    """Doubles numbers, group by group, once it is let; remembers the groups. A group with a 13 fails."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.open = threading.Event()
        self.entered = threading.Semaphore(0)

    def __call__(self, questions: Sequence[int]) -> list[int | None]:
        """Answer one group."""
        self.groups.append(list(questions))
        self.entered.release()
        assert self.open.wait(PATIENCE)
        if 13 in questions:
            raise ValueError("unlucky")
        return [2 * each for each in questions]


def asked(
    joining: Joining[int, int], answering: Answering, threads: ThreadPoolExecutor, number: int, alike: str = "a"
) -> Future[int | None]:
    """Ask in a thread of its own, and return once it is answered, or waits."""
    waiting = sum(len(line.waiting) + line.at_work for line in joining._lines.values())
    future = threads.submit(joining.ask, alike, number, answering)
    deadline = threading.Event()
    while sum(len(line.waiting) + line.at_work for line in list(joining._lines.values())) == waiting:
        assert not deadline.wait(0.001)
    return future


def test_who_asks_alone_is_answered_alone() -> None:
    """One after the other: a group each, and nothing is kept of it."""
    joining: Joining[int, int] = Joining()
    answering = Answering()
    answering.open.set()
    assert [joining.ask("a", number, answering) for number in (1, 2)] == [2, 4]
    assert answering.groups == [[1], [2]]
    assert not joining._lines


def test_those_who_wait_are_answered_together() -> None:
    """While one is answered, the like wait: the next group has all of them up to the most, others none of them."""
    joining: Joining[int, int] = Joining(most=3, at_work=1)
    answering = Answering()
    with ThreadPoolExecutor(8) as threads:
        futures = [asked(joining, answering, threads, number) for number in range(6)]
        other = asked(joining, answering, threads, 50, "b")
        answering.open.set()
        assert [future.result(PATIENCE) for future in futures] == [0, 2, 4, 6, 8, 10]
        assert other.result(PATIENCE) == 100
    assert answering.groups[:2] == [[0], [50]]
    assert answering.groups[2:] == [[1, 2, 3], [4, 5]]
    assert not joining._lines


def test_some_groups_are_under_way_at_once() -> None:
    """The second asks without waiting for the first; the third waits for either."""
    joining: Joining[int, int] = Joining(at_work=2)
    answering = Answering()
    with ThreadPoolExecutor(3) as threads:
        futures = [asked(joining, answering, threads, number) for number in (1, 2, 3)]
        for _ in range(2):
            assert answering.entered.acquire(timeout=PATIENCE)
        assert answering.groups == [[1], [2]]
        answering.open.set()
        assert [future.result(PATIENCE) for future in futures] == [2, 4, 6]


def test_a_group_fails_as_one_and_the_next_goes_on() -> None:
    """What is raised reaches each of the group, and nobody after it."""
    joining: Joining[int, int] = Joining(most=2, at_work=1)
    answering = Answering()
    with ThreadPoolExecutor(8) as threads:
        futures = [asked(joining, answering, threads, number) for number in (1, 13, 2, 3)]
        answering.open.set()
        assert futures[0].result(PATIENCE) == 2
        for each in futures[1:3]:
            with pytest.raises(ValueError, match="unlucky"):
                each.result(PATIENCE)
        assert futures[3].result(PATIENCE) == 6
    assert not joining._lines


def test_many_threads_lose_nothing() -> None:
    """Thousands of questions of a dozen threads: each has its own answer."""
    joining: Joining[int, int] = Joining(most=4, at_work=2)
    answering = Answering()
    answering.open.set()
    with ThreadPoolExecutor(12) as threads:
        numbers = [number for number in range(3000) if number != 13]
        assert list(threads.map(lambda n: joining.ask(str(n % 2), n, answering), numbers)) == [2 * n for n in numbers]
    assert not joining._lines
    assert sorted(n for group in answering.groups for n in group) == numbers
