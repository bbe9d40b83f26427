"""The linker: scores candidates of a subject under a schema and a model, and explains each score."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from matching.candidates import Candidates
from matching.columns import Columns, stack
from matching.comparisons import COMPARISONS, NOT_OBSERVED, Levels
from matching.evidence import gather
from matching.model import LinkageModel, household_discount, load_default, probability, weigh
from matching.schema import LinkageSchema, load_schema
from matching.types import Band, EncodedSubject, ExplanationRow, Kind, Match

PAIRS_AT_ONCE = 4096


class SchemaMismatchError(ValueError):
    """A model was made for another linkage schema than the one given."""


@dataclass(frozen=True, slots=True)
class CompareResult:
    """Levels (pairs, comparisons), and whether a pair met in one MinHash band only, of many pairs."""

    levels: Levels
    lone: npt.NDArray[np.bool_]


def compare_pairs(left: Columns, right: Columns, pairs: Candidates, kind: Kind, schema: LinkageSchema) -> CompareResult:
    """Compare many pairs, some thousand at a time so that memory stays flat."""
    spec, comparisons = schema.kinds[kind], COMPARISONS[kind]
    bands = np.array([key.band is not None for key in spec.keys])
    levels = np.zeros((len(pairs), len(comparisons.comparisons)), np.int8)
    lone = np.zeros(len(pairs), np.bool_)
    for part in _slices(len(pairs)):
        evidence = gather(left, right, pairs.rows[part], pairs.others[part], spec)
        levels[part] = comparisons.levels(evidence)
        lone[part] = (evidence.shared.sum(axis=1) == 1) & evidence.shared[:, bands].any(axis=1)
    return CompareResult(levels, lone)


def _slices(count: int) -> Iterator[slice]:
    return (slice(start, start + PAIRS_AT_ONCE) for start in range(0, count, PAIRS_AT_ONCE))


class Linker:
    """Scores pairs of encoded subjects. Both sides' keys must have been re-keyed alike, or not at all."""

    def __init__(self, schema: LinkageSchema, model: LinkageModel) -> None:
        if model.schema != schema.id:
            raise SchemaMismatchError("this model was trained for another linkage schema")
        self.schema, self.model, self.model_id = schema, model, model.id

    def score(self, query: EncodedSubject, candidates: Sequence[EncodedSubject], *, pool_size: int) -> list[Match]:
        """Matches of one subject among candidates of its kind in a pool of `pool_size` subjects of that kind.

        Only pairs of band possible or better come back, the heaviest first.
        """
        if not candidates:
            return []
        kind = query.kind
        spec = self.schema.kinds[kind]
        others = np.arange(len(candidates), dtype=np.int64)
        evidence = gather(stack([query], spec), stack(candidates, spec), np.zeros_like(others), others, spec)
        levels = COMPARISONS[kind].levels(evidence)
        own = self.model.kinds[kind]
        prior = own.prior(pool_size)
        weights = weigh(levels, kind, own)
        discounts = household_discount(levels, kind, own, pool_size)
        totals = weights.sum(axis=1) + prior + discounts
        chances = probability(totals)
        found = []
        for position in np.argsort(-totals, kind="stable").tolist():
            band = self.model.band(float(chances[position]))
            if band is Band.NONE:
                break
            rows = [ExplanationRow("prior", f"pool of {pool_size}", prior)]
            rows += _compared(kind, levels[position], weights[position])
            if discounts[position]:
                rows.append(ExplanationRow("household", "may be family", float(discounts[position])))
            found.append(
                Match(position, round(float(totals[position]), 2), float(chances[position]), band, tuple(rows))
            )
        return found


def _compared(kind: Kind, levels: Levels, weights: npt.NDArray[np.float64]) -> list[ExplanationRow]:
    """Rows of an explanation for what was compared; what was not observed has no row, as it weighs nothing."""
    return [
        ExplanationRow(comparison.name, comparison.levels[level - 1], float(weight))
        for comparison, level, weight in zip(COMPARISONS[kind].comparisons, levels, weights, strict=True)
        if level != NOT_OBSERVED
    ]


@functools.cache
def default_linker() -> Linker:
    """The shipped schema with the shipped model."""
    return Linker(load_schema(), load_default())
