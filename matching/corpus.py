"""Linking whole sets: two sets of encodings, or one within itself, from candidates to weights, trained on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from matching.candidates import Candidates, between, within
from matching.columns import stack
from matching.linkage import CompareResult, compare_pairs
from matching.model import household_discount, probability, weigh
from matching.schema import LinkageSchema
from matching.training import Trained, TrainingPairs, train
from matching.types import EncodedSubject, Kind


@dataclass(frozen=True, slots=True)
class Compared:
    """Candidate pairs of one kind with their levels, ready to train on or to weigh."""

    kind: Kind
    candidates: Candidates
    result: CompareResult
    training: TrainingPairs
    pool_size: int


@dataclass(frozen=True, slots=True)
class Linked:
    """Scored candidate pairs: total weights in bits (log2 odds, the prior included) and match probabilities."""

    candidates: Candidates
    weights: npt.NDArray[np.float64]
    probabilities: npt.NDArray[np.float64]
    trained: Trained


def compare_sets(
    left: Sequence[EncodedSubject], right: Sequence[EncodedSubject] | None, kind: Kind, schema: LinkageSchema
) -> Compared:
    """Find and compare the candidates between two sets, or within `left` when there is no right set."""
    spec = schema.kinds[kind]
    ours = stack(left, spec)
    if right is None:
        theirs, found = ours, within(ours, spec.index_bits)
        # Every pair is looked up from one of its sides only: half the records do the asking.
        records, possible = len(left) / 2, len(left) * (len(left) - 1) / 2
    else:
        theirs = stack(right, spec)
        found = between(ours, theirs, spec.index_bits)
        records, possible = float(len(left)), float(len(left)) * len(right)
    result = compare_pairs(ours, theirs, found, kind, schema)
    return Compared(kind, found, result, TrainingPairs(result.levels, result.lone, records, possible), len(theirs))


def link_sets(compared: Compared) -> Linked:
    """Train on the compared pairs, without labels, and weigh them."""
    trained = train(compared.training, compared.kind)
    model, levels = trained.model, compared.result.levels
    weights = weigh(levels, compared.kind, model).sum(axis=1) + model.prior(compared.pool_size)
    weights += household_discount(levels, compared.kind, model, compared.pool_size)
    return Linked(compared.candidates, weights, probability(weights), trained)
