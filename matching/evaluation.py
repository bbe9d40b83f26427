"""Scoring a linkage against known links: for measurement only, never an input of a model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from matching.types import Band

CALIBRATION_BINS = 10

_FLOAT = npt.NDArray[np.float64]
_BOOL = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """Pairwise quality when every pair of at least `weight` bits counts as linked."""

    f1: float
    precision: float
    recall: float
    weight: float


def best_point(weights: _FLOAT, is_match: _BOOL, true_pairs: int) -> OperatingPoint:
    """The threshold of best pairwise F1. Pairs of equal weight stand or fall together."""
    if not len(weights) or not true_pairs:
        return OperatingPoint(0.0, 0.0, 0.0, 0.0)
    order = np.argsort(-weights, kind="stable")
    ranked = weights[order]
    found = np.cumsum(is_match[order])
    taken = np.arange(1, len(order) + 1)
    f1 = 2 * found / (taken + true_pairs)
    f1[np.r_[ranked[1:] == ranked[:-1], False]] = -1.0
    at = int(f1.argmax())
    return OperatingPoint(float(f1[at]), float(found[at] / taken[at]), float(found[at] / true_pairs), float(ranked[at]))


def band_quality(
    probabilities: _FLOAT, is_match: _BOOL, true_pairs: int, bands: Mapping[Band, float]
) -> dict[Band, tuple[float | None, float]]:
    """Precision and recall of each band and those above it; precision is None where the band is empty."""
    quality: dict[Band, tuple[float | None, float]] = {}
    for band, lowest in bands.items():
        taken = probabilities >= lowest
        right = int(is_match[taken].sum())
        count = int(taken.sum())
        quality[band] = (right / count if count else None, right / true_pairs if true_pairs else 0.0)
    return quality


def calibration_error(probabilities: _FLOAT, is_match: _BOOL) -> float:
    """Expected calibration error (Naeini, Cooper and Hauskrecht 2015): ten bins of equal width, weighted by pairs."""
    if not len(probabilities):
        return 0.0
    off = sum(abs(said - true) * count for said, true, count in reliability(probabilities, is_match))
    return off / len(probabilities)


def average_precision(weights: _FLOAT, is_match: _BOOL, true_pairs: int) -> float:
    """Area under the curve of precision over recall, by steps; matches that are no pair here are never recalled."""
    recall, precision = precision_recall(weights, is_match, true_pairs)
    return float((np.diff(recall, prepend=0.0) * precision).sum())


def precision_recall(weights: _FLOAT, is_match: _BOOL, true_pairs: int) -> tuple[_FLOAT, _FLOAT]:
    """Recall and precision at each different weight, the highest first."""
    if not len(weights) or not true_pairs:
        return np.zeros(0), np.zeros(0)
    order = np.argsort(-weights, kind="stable")
    ranked = weights[order]
    last = np.r_[ranked[1:] != ranked[:-1], True]
    found = np.cumsum(is_match[order])[last]
    taken = np.arange(1, len(order) + 1)[last]
    return found / true_pairs, found / taken


def reliability(probabilities: _FLOAT, is_match: _BOOL) -> list[tuple[float, float, int]]:
    """What was said, what was true, and of how many pairs, for each of ten bins of probability that has any."""
    bins = np.minimum((probabilities * CALIBRATION_BINS).astype(np.int64), CALIBRATION_BINS - 1)
    counts = np.bincount(bins, minlength=CALIBRATION_BINS)
    said = np.bincount(bins, weights=probabilities, minlength=CALIBRATION_BINS)
    true = np.bincount(bins, weights=is_match, minlength=CALIBRATION_BINS)
    return [
        (float(said[at] / counts[at]), float(true[at] / counts[at]), int(counts[at])) for at in np.flatnonzero(counts)
    ]


def wilson(times: int, of: int, z: float = 1.96) -> tuple[float, float]:
    """The interval that holds the true rate in 95 % of cases (Wilson 1927); all from 0 to 1 where nothing was seen."""
    if not of:
        return 0.0, 1.0
    rate, wide = times / of, z * z / of
    middle = (rate + wide / 2) / (1 + wide)
    half = z / (1 + wide) * math.sqrt(rate * (1 - rate) / of + wide / of / 4)
    return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True, slots=True)
class Judgement:
    """How well probabilities agree with what people said of the pairs, each of which has a weight.

    `bands`: precision of each band and those above it, None where there is no pair, and the share of the matches there.
    """

    log_loss: float
    brier: float
    calibration_error: float
    bands: Mapping[Band, tuple[float | None, float]]


def judgement(probabilities: _FLOAT, same: _BOOL, weights: _FLOAT, bands: Mapping[Band, float]) -> Judgement:
    """Hold probabilities against judged pairs. Of no pairs, or none that weighs anything, all is nought."""
    total, matches = float(weights.sum()), float(weights @ same)
    if not total:
        return Judgement(0.0, 0.0, 0.0, dict.fromkeys(bands, (None, 0.0)))
    said = np.clip(probabilities, 1e-9, 1 - 1e-9)
    bins = np.minimum((probabilities * CALIBRATION_BINS).astype(np.int64), CALIBRATION_BINS - 1)
    off = np.abs(np.bincount(bins, weights=weights * (probabilities - same)))
    quality: dict[Band, tuple[float | None, float]] = {}
    for band, lowest in bands.items():
        taken = weights * (probabilities >= lowest)
        right = float(taken @ same)
        quality[band] = (right / float(taken.sum()) if taken.sum() else None, right / matches if matches else 0.0)
    return Judgement(
        log_loss=float(-weights @ np.where(same, np.log(said), np.log1p(-said)) / total),
        brier=float(weights @ (probabilities - same) ** 2 / total),
        calibration_error=float(off.sum() / total),
        bands=quality,
    )
