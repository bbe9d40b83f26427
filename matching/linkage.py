"""The linker: scores candidates of a subject under a schema and a model, and explains each score."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from matching.candidates import Candidates
from matching.columns import Columns, Packed, stack
from matching.comparisons import COMPARISONS, NOT_OBSERVED, Levels
from matching.evidence import gather
from matching.model import LinkageModel, household_discount, probability, weigh
from matching.schema import LinkageSchema
from matching.types import EncodedSubject, ExplanationRow, Kind, Match

PAIRS_AT_ONCE = 4096


class SchemaMismatchError(ValueError):
    """A model was made for another linkage schema than the one given."""


@dataclass(frozen=True, slots=True)
class CompareResult:
    """Levels (pairs, comparisons), and whether a pair met in one MinHash band only, of many pairs."""

    levels: Levels
    lone: npt.NDArray[np.bool_]


def compare_pairs(
    left: Columns | Packed, right: Columns | Packed, pairs: Candidates, kind: Kind, schema: LinkageSchema
) -> CompareResult:
    """Compare many pairs, some thousand at a time so that memory stays flat."""
    spec, comparisons = schema.kinds[kind], COMPARISONS[kind]
    levels = np.zeros((len(pairs), len(comparisons.comparisons)), np.int8)
    lone = np.zeros(len(pairs), np.bool_)
    for part in _slices(len(pairs)):
        evidence = gather(left, right, pairs.rows[part], pairs.others[part], spec)
        levels[part] = comparisons.levels(evidence)
        lone[part] = (evidence.shared.sum(axis=1) == 1) & evidence.shared[:, spec.band_bits].any(axis=1)
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
        return self.score_many([query], candidates, [range(len(candidates))], pool_size=pool_size)[0]

    def score_many(
        self,
        queries: Sequence[EncodedSubject],
        candidates: Sequence[EncodedSubject],
        wanted: Sequence[Sequence[int]],
        *,
        pool_size: int,
    ) -> list[list[Match]]:
        """Matches of many subjects of one kind at once; `wanted[q]` are the positions of the candidates of query q.

        For each query what `score` gives. One pass over all pairs costs a tenth of one call for each query.
        """
        if not any(map(len, wanted)):
            return [[] for _ in queries]
        kind = queries[0].kind
        spec = self.schema.kinds[kind]
        return self.score_stacked(
            stack(queries, spec), stack(candidates, spec), _pairs(wanted), kind, pool_size=pool_size
        )

    def score_stacked(
        self, queries: Columns, candidates: Columns | Packed, pairs: Candidates, kind: Kind, *, pool_size: int
    ) -> list[list[Match]]:
        """What `score_many` gives, of the pairs of columns."""
        own = self.model.kinds[kind]
        levels = compare_pairs(queries, candidates, pairs, kind, self.schema).levels
        weights = weigh(levels, kind, own)
        discounts = household_discount(levels, kind, own, pool_size)
        totals = weights.sum(axis=1) + own.prior(pool_size) + discounts
        chances = probability(totals)
        found: list[list[Match]] = [[] for _ in range(len(queries))]
        alike = np.flatnonzero(chances >= min(self.model.bands.values()))
        alike = alike[np.lexsort((pairs.others[alike], -totals[alike], pairs.rows[alike]))]
        for at in alike.tolist():
            rows = [ExplanationRow("prior", f"pool of {pool_size}", own.prior(pool_size))]
            rows += _compared(kind, levels[at], weights[at])
            if discounts[at]:
                rows.append(ExplanationRow("household", "may be family", float(discounts[at])))
            found[pairs.rows[at]].append(self._match(int(pairs.others[at]), totals[at], chances[at], rows))
        return found

    def _match(self, position: int, total: float, chance: float, rows: Sequence[ExplanationRow]) -> Match:
        return Match(position, round(float(total), 2), float(chance), self.model.band(float(chance)), tuple(rows))


def _pairs(wanted: Sequence[Sequence[int]]) -> Candidates:
    rows = np.repeat(np.arange(len(wanted), dtype=np.int64), [len(each) for each in wanted])
    return Candidates(rows, np.array([position for each in wanted for position in each], np.int64), 0)


def _compared(kind: Kind, levels: Levels, weights: npt.NDArray[np.float64]) -> list[ExplanationRow]:
    """Rows of an explanation for what was compared; what was not observed has no row, as it weighs nothing."""
    return [
        ExplanationRow(comparison.name, comparison.levels[level - 1], float(weight))
        for comparison, level, weight in zip(COMPARISONS[kind].comparisons, levels, weights, strict=True)
        if level != NOT_OBSERVED
    ]
