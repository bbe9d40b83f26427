"""Figures of quality, against counts made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from matching.evaluation import band_quality, best_point, calibration_error
from matching.types import Band

WEIGHTS = np.array([9.0, 8.0, 7.0, 7.0, 1.0])
TRUE = np.array([True, True, False, True, False])


def test_best_point() -> None:
    """Taking everything from 7 bits gives 3 of 4 right out of 4 true pairs: F1 = 0.75."""
    best = best_point(WEIGHTS, TRUE, 4)
    assert (best.f1, best.precision, best.recall, best.weight) == (0.75, 0.75, 0.75, 7.0)


def test_equal_weights_stand_or_fall_together() -> None:
    """No threshold can take one of two pairs of equal weight, so the order of ties cannot flatter."""
    flattering = np.array([True, True, True, False, False])
    assert best_point(WEIGHTS, flattering, 3).precision in {1.0, 0.75}
    assert best_point(np.full(4, 5.0), np.array([True, False, False, False]), 1).precision == 0.25


def test_nothing_to_score() -> None:
    """Without pairs or without truth all figures are zero."""
    assert best_point(np.zeros(0), np.zeros(0, bool), 5).f1 == 0.0
    assert calibration_error(np.zeros(0), np.zeros(0, bool)) == 0.0


def test_band_quality() -> None:
    """Each band counts itself and all above it; an empty one has no precision."""
    found = band_quality(np.array([0.995, 0.6, 0.6, 0.01]), TRUE[:4], 4, {Band.PROBABLE: 0.5, Band.STRONG: 0.999})
    precision, recall = found[Band.PROBABLE]
    assert precision == pytest.approx(2 / 3)
    assert recall == 0.5
    assert found[Band.STRONG] == (None, 0.0)


def test_calibration_error() -> None:
    """Saying 0.9 of pairs that are all true is off by 0.1; saying 0.5 of half true is not off."""
    assert calibration_error(np.array([0.9, 0.9]), np.array([True, True])) == pytest.approx(0.1)
    assert calibration_error(np.array([0.55, 0.45]), np.array([True, False])) == pytest.approx(0.45)
    assert calibration_error(np.array([0.55, 0.55]), np.array([True, False])) == pytest.approx(0.05)
