"""Linking whole sets: two sets of encodings, or one within itself, from candidates to weights, trained on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from matching.candidates import Candidates, within
from matching.clusters import gather_clusters
from matching.columns import stack
from matching.linkage import CompareResult, compare_pairs
from matching.model import KindModel, household_discount, probability, weigh
from matching.schema import LinkageSchema
from matching.training import Trained, TrainingPairs, train
from matching.types import EncodedSubject, Kind


@dataclass(frozen=True, slots=True)
class Compared:
    """Candidate pairs of one kind with their levels, ready to train on or to weigh.

    `candidates` number all records, those of the first set before those of the second, which start at `second` (None
    where there is one set); `records` is how many. `training` are the pairs sought: those across the two sets.
    """

    kind: Kind
    candidates: Candidates
    result: CompareResult
    training: TrainingPairs
    pool_size: int
    records: int
    second: int | None


@dataclass(frozen=True, slots=True)
class Linked:
    """Scored pairs: total weights in bits (log2 odds, the prior included) and match probabilities.

    `candidates.rows` number the records of the first set, `candidates.others` those of the second, if there is one.
    """

    candidates: Candidates
    weights: npt.NDArray[np.float64]
    probabilities: npt.NDArray[np.float64]


def compare_sets(
    left: Sequence[EncodedSubject], right: Sequence[EncodedSubject] | None, kind: Kind, schema: LinkageSchema
) -> Compared:
    """Find and compare the candidates between two sets, or within `left` when there is no right set.

    Pairs within each of two sets are compared as well: what they say bears on those across (`matching.clusters`).
    """
    spec = schema.kinds[kind]
    columns = stack([*left, *(right or [])], spec)
    found = within(columns, spec.index_bits)
    result = compare_pairs(columns, columns, found, kind, schema)
    second = None if right is None else len(left)
    sought = _sought(found, second)
    if right is None:
        # Every pair is looked up from one of its sides only: half the records do the asking.
        records, possible = len(left) / 2, len(left) * (len(left) - 1) / 2
    else:
        records, possible = float(len(left)), float(len(left)) * len(right)
    training = TrainingPairs(result.levels[sought], result.lone[sought], records, possible)
    pool_size = len(left if right is None else right)
    return Compared(kind, found, result, training, pool_size, len(columns), second)


def weigh_sets(compared: Compared, model: KindModel, *, alone: bool = False) -> Linked:
    """Weigh compared pairs by a model: in company of all others (`matching.clusters`), or each alone."""
    levels, pairs = compared.result.levels, compared.candidates
    weights = weigh(levels, compared.kind, model).sum(axis=1) + model.prior(compared.pool_size)
    weights += household_discount(levels, compared.kind, model, compared.pool_size)
    if not alone:
        gathered = gather_clusters(compared.records, pairs, weights)
        pairs, weights = gathered.pairs, gathered.weights
    sought = _sought(pairs, compared.second)
    across = Candidates(pairs.rows[sought], pairs.others[sought] - (compared.second or 0), pairs.capped)
    return Linked(across, weights[sought], probability(weights[sought]))


def link_sets(compared: Compared) -> tuple[Linked, Trained]:
    """Train on the compared pairs, without labels, and weigh them in company."""
    trained = train(compared.training, compared.kind)
    return weigh_sets(compared, trained.model), trained


def _sought(pairs: Candidates, second: int | None) -> npt.NDArray[np.bool_]:
    """Pairs across two sets; of one set, all."""
    if second is None:
        return np.ones(len(pairs), np.bool_)
    across: npt.NDArray[np.bool_] = (pairs.rows < second) & (pairs.others >= second)
    return across
