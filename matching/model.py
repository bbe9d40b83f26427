"""A linkage model: the m and u probabilities of every level, the prior, the bands, and a card that says whence.

Fellegi and Sunter (1969), 'A theory for record linkage'. Weights are in bits: log2(m / u).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from matching.comparisons import COMPARISONS, Comparison, Levels
from matching.types import KINDS, Band, Kind

DEFAULT_MODEL = "default-1.json"
SMALLEST_POOL = 1000
"""A smaller pool is weighed as one of this size: a chance match is rare there, but the estimate of it is too rough."""

TINY = 1e-6

_FLOAT = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LevelRates:
    """The probability of each level of one comparison: among matches, chance pairs, and members of a household."""

    m: tuple[float, ...]
    u: tuple[float, ...]
    h: tuple[float, ...] = ()

    @property
    def weights(self) -> tuple[float, ...]:
        """Match weight of each level in bits, rounded to 0.01 so that explanations add up as printed."""
        return tuple(round(math.log2(m / u), 2) for m, u in zip(self.m, self.u, strict=True))


@dataclass(frozen=True)
class KindModel:
    """The rates of one kind of subject.

    `matches_per_record`: true matches a record has in the pool, on average; `chance_rate`: share of the pool that a
    record meets as a candidate by chance; `kin_per_record`: members of its own household that it meets.
    """

    rates: Mapping[str, LevelRates]
    matches_per_record: float
    chance_rate: float
    kin_per_record: float = 0.0

    def prior(self, pool_size: int) -> float:
        """Log2 odds that a candidate is a match before anything is compared; one bit less when the pool doubles."""
        chance = self.chance_rate * max(pool_size, SMALLEST_POOL)
        return round(math.log2(self.matches_per_record / chance), 2)

    def kin_prior(self, pool_size: int) -> float:
        """Log2 odds that a candidate is of the same household rather than met by chance."""
        chance = self.chance_rate * max(pool_size, SMALLEST_POOL)
        return math.log2(max(self.kin_per_record, TINY) / chance)

    @functools.cached_property
    def tables(self) -> tuple[Mapping[str, int], _FLOAT]:
        """Match weights in bits, a row for each comparison, a column for each level; level 0 weighs nothing."""
        return _stacked({name: rates.weights for name, rates in self.rates.items()})

    @functools.cached_property
    def kin_tables(self) -> tuple[Mapping[str, int], _FLOAT]:
        """Evidence in bits for one household over chance, as `tables`; nothing where there are no household rates."""
        return _stacked(
            {
                name: [math.log2(h / u) for h, u in zip(rates.h, rates.u, strict=True)] if rates.h else []
                for name, rates in self.rates.items()
            }
        )


def _stacked(rows: Mapping[str, Sequence[float]]) -> tuple[Mapping[str, int], _FLOAT]:
    """Rows of different lengths as one array, with the place of each."""
    table = np.zeros((len(rows), 1 + max(len(row) for row in rows.values())))
    for place, row in enumerate(rows.values()):
        table[place, 1 : 1 + len(row)] = row
    return {name: place for place, name in enumerate(rows)}, table


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
    return LevelRates(comparison.m, comparison.u, comparison.h)


def reference_kind(kind: Kind) -> KindModel:
    """An untrained model of one kind, from the reference rates."""
    rates = {comparison.name: reference_rates(comparison) for comparison in COMPARISONS[kind].comparisons}
    has_households = all(rate.h for rate in rates.values())
    return KindModel(
        rates,
        matches_per_record=0.5,
        chance_rate=COMPARISONS[kind].chance_rate,
        kin_per_record=0.5 if has_households else 0.0,
    )


def weigh(levels: Levels, kind: Kind, model: KindModel) -> _FLOAT:
    """Weights in bits of each pair and comparison, shape (pairs, comparisons), without the prior."""
    return _look_up(levels, kind, model.tables)


def kin_weights(levels: Levels, kind: Kind, model: KindModel) -> _FLOAT:
    """Evidence in bits that each pair is two members of one household rather than strangers, shape (pairs,)."""
    total: _FLOAT = _look_up(levels, kind, model.kin_tables).sum(axis=1)
    return total


def _look_up(levels: Levels, kind: Kind, stacked: tuple[Mapping[str, int], _FLOAT]) -> _FLOAT:
    places, table = stacked
    found: _FLOAT = table[[places[each.name] for each in COMPARISONS[kind].comparisons], levels]
    return found


def household_discount(levels: Levels, kind: Kind, model: KindModel, pool_size: int) -> _FLOAT:
    """Bits to take off, at most zero, because the evidence would look the same in a family; shape (pairs,).

    Fellegi-Sunter weighs matches against strangers. Against strangers and household members together the odds are
    M / (U + H), which is the usual sum of weights less log2(1 + H / U).
    """
    if not model.kin_per_record:
        return np.zeros(len(levels))
    odds = kin_weights(levels, kind, model) + model.kin_prior(pool_size)
    discount: _FLOAT = -np.logaddexp2(0.0, odds)
    return np.round(discount, 2)


def probability(weight: _FLOAT) -> _FLOAT:
    """Match probability of total weights (log2 odds)."""
    return 1.0 / (1.0 + np.exp2(-np.clip(weight, -60.0, 60.0)))


def _named(comparison: Comparison, rates: LevelRates) -> dict[str, dict[str, float]]:
    """Rates by the names of their levels, to six digits."""
    columns = {"m": rates.m, "u": rates.u, **({"h": rates.h} if rates.h else {})}
    return {
        level: {name: float(f"{column[at]:.6g}") for name, column in columns.items()}
        for at, level in enumerate(comparison.levels)
    }


def _read_rates(comparison: Comparison, raw: Mapping[str, Mapping[str, float]]) -> LevelRates:
    m, u = ([raw[level][name] for level in comparison.levels] for name in ("m", "u"))
    h = [raw[level]["h"] for level in comparison.levels] if comparison.h else []
    return LevelRates(tuple(m), tuple(u), tuple(h))


_SCALARS = ("matches_per_record", "chance_rate", "kin_per_record")


def to_json(model: LinkageModel) -> dict[str, Any]:
    """The model as its JSON file has it: levels by name, so that a person can read and compare models."""
    kinds = {
        kind: {
            **{name: float(f"{getattr(own, name):.6g}") for name in _SCALARS},
            "comparisons": {
                comparison.name: _named(comparison, own.rates[comparison.name])
                for comparison in COMPARISONS[kind].comparisons
            },
        }
        for kind, own in model.kinds.items()
    }
    bands = {band.label: lowest for band, lowest in model.bands.items()}
    return {"id": model.id, "schema": model.schema, "card": dict(model.card), "bands": bands, "kinds": kinds}


def from_json(raw: Mapping[str, Any]) -> LinkageModel:
    """Read a model; raises KeyError naming a kind, comparison or level that is missing."""
    kinds: dict[Kind, KindModel] = {}
    for kind in KINDS:
        entry = raw["kinds"][kind]
        rates = {
            comparison.name: _read_rates(comparison, entry["comparisons"][comparison.name])
            for comparison in COMPARISONS[kind].comparisons
        }
        kinds[kind] = KindModel(rates, **{name: entry[name] for name in _SCALARS})
    bands = {Band[label.upper()]: lowest for label, lowest in raw["bands"].items()}
    return LinkageModel(raw["id"], raw["schema"], kinds, bands, raw.get("card", {}))
