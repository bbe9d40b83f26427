"""Questions that wait at the same time, answered together: as a group commit does for commits.

Who asks alone is answered at once and alone. While an answer is being made, those who ask the like wait, and the first
of them then takes all that wait with it. So a service that is asked more than it can answer one by one gets cheaper
with each more: what a look-up, a decision and a commit cost is shared.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

_Question = TypeVar("_Question")
_Answer = TypeVar("_Answer")

MOST_TOGETHER = 16
AT_WORK = 1
"""Groups of one kind under way. With two, groups are half as large, and all that they share is paid for twice."""


@dataclass(slots=True)
class _Waiting(Generic[_Question, _Answer]):
    """One who asks: told by `turn` that it has its answer, or is to answer others with its own."""

    question: _Question
    turn: threading.Event = field(default_factory=threading.Event)
    leads: bool = False
    answer: _Answer | None = None
    error: BaseException | None = None


@dataclass(slots=True)
class _Line(Generic[_Question, _Answer]):
    """Those who ask the like: how many answer now, and who waits."""

    at_work: int = 0
    waiting: deque[_Waiting[_Question, _Answer]] = field(default_factory=deque)


class Joining(Generic[_Question, _Answer]):
    """Answers questions of any number of threads in groups of the like. Nobody waits where nobody is before it."""

    def __init__(self, most: int = MOST_TOGETHER, at_work: int = AT_WORK) -> None:
        self._most, self._at_work = most, at_work
        self._lock = threading.Lock()
        self._lines: dict[Hashable, _Line[_Question, _Answer]] = {}

    def ask(
        self, alike: Hashable, question: _Question, answer: Callable[[Sequence[_Question]], Sequence[_Answer | None]]
    ) -> _Answer | None:
        """The answer to one question: what `answer` of some thread gave for it, or raised for all that it was given.

        `alike` is the same for those who may be answered together, whose `answer` does the same.
        """
        mine: _Waiting[_Question, _Answer] = _Waiting(question)
        with self._lock:
            line = self._lines.setdefault(alike, _Line())
            mine.leads = line.at_work < self._at_work
            if mine.leads:
                line.at_work += 1
            else:
                line.waiting.append(mine)
        if not mine.leads:
            mine.turn.wait()
        if mine.leads:
            self._lead(alike, mine, answer)
        if mine.error is not None:
            raise mine.error
        return mine.answer

    def _lead(
        self,
        alike: Hashable,
        mine: _Waiting[_Question, _Answer],
        answer: Callable[[Sequence[_Question]], Sequence[_Answer | None]],
    ) -> None:
        with self._lock:
            waiting = self._lines[alike].waiting
            group = [mine, *(waiting.popleft() for _ in range(min(len(waiting), self._most - 1)))]
        try:
            answers = answer([each.question for each in group])
            for each, given in zip(group, answers, strict=True):
                each.answer = given
        except BaseException as error:  # noqa: BLE001 - raised again by each thread of the group
            for each in group:
                each.error = error
        finally:
            self._hand_on(alike)
            for each in group[1:]:
                each.turn.set()

    def _hand_on(self, alike: Hashable) -> None:
        with self._lock:
            line = self._lines[alike]
            if line.waiting:
                following = line.waiting.popleft()
                following.leads = True
                following.turn.set()
                return
            line.at_work -= 1
            if not line.at_work:
                del self._lines[alike]
