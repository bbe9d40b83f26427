"""How much a key says: the collision entropy of each composite between people of different households."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

from benchmarks.market import Raw
from matching.schema import KindSchema
from matching.types import KEY_BYTES, EncodedSubject


def collision_bits(people: Sequence[Raw], subjects: Sequence[EncodedSubject], spec: KindSchema) -> dict[str, float]:
    """Of each key -log2 of the chance that two of different households share it (Renyi's entropy of order 2).

    Keys that none share get what is sure at 95 %: no more than three pairs in all. Keys that fewer than a tenth of the
    people have are left out.
    """
    values: dict[str, list[bytes]] = defaultdict(list)
    homes: dict[str, list[str]] = defaultdict(list)
    for person, subject in zip(people, subjects, strict=True):
        present = [key.name for bit, key in enumerate(spec.keys) if subject.mask >> bit & 1]
        for place, name in enumerate(present):
            values[name].append(subject.keys[place * KEY_BYTES : (place + 1) * KEY_BYTES])
            homes[name].append(person["household"])
    return {
        key.name: bits(values[key.name], homes[key.name])
        for key in spec.keys
        if len(values[key.name]) * 10 >= len(people)
    }


def bits(values: Sequence[bytes], homes: Sequence[str]) -> float:
    """The same of one key: its values, and in which household each stands."""
    pairs = _pairs(Counter([0] * len(values))) - _pairs(Counter(homes))
    met = _pairs(Counter(values)) - _pairs(Counter(zip(values, homes, strict=True)))
    return round(math.log2(pairs / (met or 3)), 2)


def _pairs(counts: Counter[object]) -> int:
    return sum(count * (count - 1) // 2 for count in counts.values())
