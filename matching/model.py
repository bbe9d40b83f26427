"""A linkage model: the m and u probabilities of every level, the prior, the bands, and a card that says whence.

Fellegi and Sunter (1969), 'A theory for record linkage'. Weights are in bits: log2(m / u).
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt

from matching.comparisons import COMPARISONS, Comparison, Levels
from matching.types import KINDS, Band, Kind

DEFAULT_MODEL = "default-1.json"
SMALLEST_POOL = 1000
"""A smaller pool is weighed as one of this size: a chance match is rare there, but the estimate of it is too rough."""

_FLOAT = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LevelRates:
    """m and u probability of each level of one comparison."""

    m: tuple[float, ...]
    u: tuple[float, ...]

    @property
    def weights(self) -> tuple[float, ...]:
        """Match weight of each level in bits, rounded to 0.01 so that explanations add up as printed."""
        return tuple(round(math.log2(m / u), 2) for m, u in zip(self.m, self.u, strict=True))


@dataclass(frozen=True, slots=True)
class KindModel:
    """The rates of one kind of subject.

    `matches_per_record`: true matches a record has in the pool, on average;
    `chance_rate`: share of the pool that a record meets as a candidate by chance.
    """

    rates: Mapping[str, LevelRates]
    matches_per_record: float
    chance_rate: float

    def prior(self, pool_size: int) -> float:
        """Log2 odds that a candidate is a match before anything is compared; one bit less when the pool doubles."""
        chance = self.chance_rate * max(pool_size, SMALLEST_POOL)
        return round(math.log2(self.matches_per_record / chance), 2)

    def weight_table(self, comparison: Comparison) -> _FLOAT:
        """Weights in bits by level; level 0 (not observed) weighs nothing."""
        return np.array([0.0, *self.rates[comparison.name].weights])


@dataclass(frozen=True, slots=True)
class LinkageModel:
    """A model for one linkage schema. `bands` are the lowest probabilities of possible, probable and strong."""

    id: str
    schema: str
    kinds: Mapping[Kind, KindModel]
    bands: Mapping[Band, float]
    card: Mapping[str, Any] = field(default_factory=dict)

    def band(self, probability: float) -> Band:
        """The band of a match probability."""
        return max((band for band, lowest in self.bands.items() if probability >= lowest), default=Band.NONE)


DEFAULT_BANDS = {Band.POSSIBLE: 0.05, Band.PROBABLE: 0.5, Band.STRONG: 0.99}


def reference_rates(comparison: Comparison) -> LevelRates:
    """The rates a comparison starts from before any training."""
    return LevelRates(comparison.m, comparison.u)


def reference_kind(kind: Kind) -> KindModel:
    """An untrained model of one kind, from the reference rates."""
    rates = {comparison.name: reference_rates(comparison) for comparison in COMPARISONS[kind].comparisons}
    return KindModel(rates, matches_per_record=0.5, chance_rate=0.002)


def weigh(levels: Levels, kind: Kind, model: KindModel) -> _FLOAT:
    """Weights in bits of each pair and comparison, shape (pairs, comparisons), without the prior."""
    tables = [model.weight_table(comparison) for comparison in COMPARISONS[kind].comparisons]
    return np.stack([table[levels[:, at]] for at, table in enumerate(tables)], axis=1)


def probability(weight: _FLOAT) -> _FLOAT:
    """Match probability of total weights (log2 odds)."""
    return 1.0 / (1.0 + np.exp2(-np.clip(weight, -60.0, 60.0)))


def to_json(model: LinkageModel) -> dict[str, Any]:
    """The model as its JSON file has it: levels by name, so that a person can read and compare models."""
    kinds = {}
    for kind, rates in model.kinds.items():
        comparisons = {
            comparison.name: {
                level: {"m": float(f"{m:.6g}"), "u": float(f"{u:.6g}")}
                for level, m, u in zip(
                    comparison.levels,
                    rates.rates[comparison.name].m,
                    rates.rates[comparison.name].u,
                    strict=True,
                )
            }
            for comparison in COMPARISONS[kind].comparisons
        }
        kinds[kind] = {
            "matches_per_record": float(f"{rates.matches_per_record:.6g}"),
            "chance_rate": float(f"{rates.chance_rate:.6g}"),
            "comparisons": comparisons,
        }
    bands = {band.label: lowest for band, lowest in model.bands.items()}
    return {"id": model.id, "schema": model.schema, "card": dict(model.card), "bands": bands, "kinds": kinds}


def from_json(raw: Mapping[str, Any]) -> LinkageModel:
    """Read a model; raises KeyError naming a kind, comparison or level that is missing."""
    kinds: dict[Kind, KindModel] = {}
    for kind in KINDS:
        entry = raw["kinds"][kind]
        rates = {}
        for comparison in COMPARISONS[kind].comparisons:
            levels = entry["comparisons"][comparison.name]
            rates[comparison.name] = LevelRates(
                tuple(levels[level]["m"] for level in comparison.levels),
                tuple(levels[level]["u"] for level in comparison.levels),
            )
        kinds[kind] = KindModel(rates, entry["matches_per_record"], entry["chance_rate"])
    bands = {Band[label.upper()]: lowest for label, lowest in raw["bands"].items()}
    return LinkageModel(raw["id"], raw["schema"], kinds, bands, raw.get("card", {}))


@functools.cache
def load_default() -> LinkageModel:
    """The shipped model."""
    text = resources.files("matching.models").joinpath(DEFAULT_MODEL).read_text("utf-8")
    return from_json(json.loads(text))
