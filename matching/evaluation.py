"""Scoring a linkage against known links: for measurement only, never an input of a model."""

from __future__ import annotations

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
    bins = np.minimum((probabilities * CALIBRATION_BINS).astype(np.int64), CALIBRATION_BINS - 1)
    counts = np.bincount(bins, minlength=CALIBRATION_BINS)
    said = np.bincount(bins, weights=probabilities, minlength=CALIBRATION_BINS)
    true = np.bincount(bins, weights=is_match, minlength=CALIBRATION_BINS)
    filled = counts > 0
    return float(np.abs(said[filled] - true[filled]).sum() / len(probabilities))
