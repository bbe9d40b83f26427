"""What the pool found, set against the truth: pairs of customers by band, and the rings among the claims.

Works on the hits of `GET /v1/hits` alone. A hit names the other side's filing by its id only, so the pages of both
members are put together: what one calls theirs, the other calls its own, with the reference it was filed under.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

BANDS = ("strong", "probable", "possible")
SURE = frozenset({"strong", "probable"})
RING_PEOPLE = 2  # two claims that share so many people belong together: one may be chance, or the same customer

Hit = Mapping[str, Any]
Pair = tuple[str, str]


@dataclass(frozen=True)
class BandScore:
    """Pairs found in this band or a better one: how many, how many of them true, and of all true ones how many."""

    band: str
    pairs: int
    true: int
    all_true: int

    @property
    def precision(self) -> float:
        """The share of the pairs that are true."""
        return self.true / self.pairs if self.pairs else 0.0

    @property
    def recall(self) -> float:
        """The share of the true pairs that were found."""
        return self.true / self.all_true if self.all_true else 0.0


@dataclass(frozen=True)
class FoundRing:
    """Claims, of both insurers, that hang together by shared people, and the planted ring they are (None: chance)."""

    claims: frozenset[str]
    planted: int | None


def references(pages: Iterable[Hit]) -> dict[str, str]:
    """Return the reference of every filing that is `own` in these hits, by filing id; a screening's hits have none."""
    return {hit["own"]["filing"]: hit["own"]["reference"] for hit in pages if hit["own"].get("filing")}


def customer_pairs(own: Iterable[Hit], names: Mapping[str, str], customers: frozenset[str]) -> dict[Pair, str]:
    """Return the best band of each pair of customers (own reference, their reference) among one member's hits."""
    best: dict[Pair, str] = {}
    for hit in own:
        pair = _pair(hit, names)
        if pair and pair[0] in customers and pair[1] in customers:
            best[pair] = min(best.get(pair, hit["band"]), hit["band"], key=BANDS.index)
    return best


def by_band(found: Mapping[Pair, str], left: Mapping[str, str], right: Mapping[str, str]) -> list[BandScore]:
    """Score pairs from the best band downwards; `left` and `right` give the true person of each reference."""
    everyone = len(set(left.values()) & set(right.values()))
    scores = []
    for last in range(1, len(BANDS) + 1):
        pairs = [pair for pair, band in found.items() if band in BANDS[:last]]
        true = sum(left[mine] == right[theirs] for mine, theirs in pairs)
        scores.append(BandScore(BANDS[last - 1], len(pairs), true, everyone))
    return scores


def rings(own: Iterable[Hit], names: Mapping[str, str], planted: Sequence[frozenset[str]]) -> list[FoundRing]:
    """Return the groups of claims that share at least two people across insurers, biggest first."""
    shared: dict[Pair, set[str]] = defaultdict(set)
    for hit in own:
        pair = _pair(hit, names)
        if pair and hit["band"] in SURE and hit["own"]["kind"] == "person" and hit["theirs"]["class"] == "claim":
            shared[pair].add(str(hit["own"]["subject"]))
    groups = _joined(pair for pair, people in shared.items() if len(people) >= RING_PEOPLE)
    found = [
        FoundRing(group, next((at for at, claims in enumerate(planted) if group == claims), None)) for group in groups
    ]
    return sorted(found, key=lambda ring: (-len(ring.claims), sorted(ring.claims)))


def _pair(hit: Hit, names: Mapping[str, str]) -> Pair | None:
    theirs = names.get(hit.get("theirs", {}).get("filing", ""))
    return (hit["own"]["reference"], theirs) if theirs else None


def _joined(edges: Iterable[Pair]) -> list[frozenset[str]]:
    """Return the connected components of a graph given by its edges."""
    group: dict[str, set[str]] = {}
    for left, right in edges:
        merged = group.get(left, {left}) | group.get(right, {right})
        for member in merged:
            group[member] = merged
    return list({frozenset(members) for members in group.values()})
