"""Two tables of people: the one that is stored encoded, and the plain list that an attacker holds."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.linking import read_csv
from benchmarks.machine import FEBRL4
from benchmarks.market import LOCALES, MISSING, Market, Raw

Ints = npt.NDArray[np.int64]
_SEED = 5
NOT_OF_A_PERSON = frozenset({"ref", "cluster", "household"})


@dataclass(frozen=True, slots=True)
class Tables:
    """A table to be encoded, a list, and for each row of the table its row of the list, -1 where the list lacks it."""

    held: Sequence[Raw]
    listed: Sequence[Raw]
    truth: Ints

    @property
    def shared(self) -> int:
        """How many people are in both."""
        return int((self.truth >= 0).sum())


def febrl() -> list[Raw]:
    """The 5,000 people of FEBRL 4, a record each."""
    return read_csv(FEBRL4[0])


def market(people: int, seed: int = _SEED) -> list[Raw]:
    """At least so many people of a generated market, households whole, nothing missing; `household` numbers them."""
    drawn, found = Market(seed), list[Raw]()
    for number in itertools.count():
        origin = drawn.random.choices(tuple(LOCALES), tuple(LOCALES.values()))[0]
        home = [person | {"household": str(number)} for person in drawn.household(origin)]
        found += [person | {"ref": f"r{len(found) + place}"} for place, person in enumerate(home)]
        if len(found) >= people:
            break
    return found


def with_gaps(people: Sequence[Raw], seed: int, missing: Mapping[str, float] = MISSING) -> list[Raw]:
    """The people as an insurer knows them: fields left out at random, as often as `missing` says."""
    random = np.random.default_rng(seed)
    return [
        {field: "" if random.random() < missing.get(field, 0.0) else value for field, value in person.items()}
        for person in people
    ]


def pair_up(people: Sequence[Raw], size: int, overlap: float, *, listed: Sequence[Raw] | None = None) -> Tables:
    """Tables of `size` people each, of whom the share `overlap` is in both; both in an order of their own.

    The list holds what `listed` knows of the same people, in the same order, or else exactly what the table holds.
    """
    known = people if listed is None else listed
    common = round(size * overlap)
    if len(people) < 2 * size - common:
        raise ValueError(f"{2 * size - common} people are needed")
    random = np.random.default_rng(common)
    own = random.permutation(size)
    others = random.permutation(np.concatenate([np.arange(common), np.arange(size, 2 * size - common)]))
    place = {int(person): at for at, person in enumerate(others)}
    truth = np.array([place.get(int(person), -1) for person in own], np.int64)
    return Tables([people[at] for at in own], [known[at] for at in others], truth)


def fields_of(people: Sequence[Raw]) -> Iterator[str]:
    """The fields that some of the people have, references left out."""
    for field in people[0]:
        if field not in NOT_OF_A_PERSON and any(person[field] for person in people):
            yield field
