"""Co-occurrence: which records the operator takes for a household, by keys that they share."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.market import Raw
from benchmarks.privacy.rates import Rate
from benchmarks.privacy.views import curious_operator
from matching.schema import KindSchema
from matching.types import EncodedSubject


def households(people: Sequence[Raw], subjects: Sequence[EncodedSubject], spec: KindSchema) -> dict[str, Rate]:
    """How many pairs of one household share anything that tells; and how many pairs that do are of one household."""
    homes = [person["household"] for person in people]
    sizes: dict[str, int] = {}
    for home in homes:
        sizes[home] = sizes.get(home, 0) + 1
    true = sum(size * (size - 1) // 2 for size in sizes.values())
    linked = [
        pair
        for pair, traits in curious_operator(subjects, spec).edges.items()
        if any(
            trait[0] == "shares" or (trait[0] == "bands" and isinstance(trait[1], int) and trait[1] >= 2)
            for trait in traits
        )
    ]
    right = sum(homes[first] == homes[second] for first, second in linked)
    chance = true / (len(people) * (len(people) - 1) / 2)
    return {"pairs_seen": Rate(right, true, chance), "seen_that_are_households": Rate(right, len(linked), chance)}
