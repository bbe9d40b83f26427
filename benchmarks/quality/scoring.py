"""Figures of a linkage whose true links are known. The truth is read here, after the linking, and nowhere before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.quality.sets import DataSet
from matching.evaluation import (
    OperatingPoint,
    average_precision,
    band_quality,
    best_point,
    calibration_error,
    precision_recall,
    reliability,
)
from matching.model import DEFAULT_BANDS
from matching.types import Band

CURVE_POINTS = 120
_FLOAT = npt.NDArray[np.float64]
_INT = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Scored:
    """Pairs that a tool told, each with its score: the higher the likelier.

    `probabilities` where the tool gives any; `asked`: how many rows of the left file it looked up, where not all;
    `seconds`: processor time.
    """

    rows: _INT
    others: _INT
    scores: _FLOAT
    probabilities: _FLOAT | None = None
    asked: int | None = None
    seconds: float = 0.0


def measure(scored: Scored, data: DataSet) -> dict[str, Any]:
    """Everything that is told of one tool on one set."""
    match, true_pairs = data.is_match(scored.rows, scored.others), data.true_pairs(scored.asked)
    best = best_point(scored.scores, match, true_pairs)
    told: dict[str, Any] = {
        "best": _point(best),
        "auc_pr": _short(average_precision(scored.scores, match, true_pairs)),
        "pairs_completeness": _short(int(match.sum()) / true_pairs) if true_pairs else None,
        "pairs": len(match),
        "true_pairs": true_pairs,
        "processor_seconds": round(scored.seconds, 1),
    }
    if not data.duplicates:
        kept = one_to_one(scored)
        told["one_to_one"] = _point(best_point(scored.scores[kept], match[kept], true_pairs))
    if scored.asked is not None:
        told["sampled_rows"] = scored.asked
    if scored.probabilities is not None:
        told |= calibrated(scored.probabilities, match, true_pairs, best)
    if data.tags[1]:
        told["disguised"] = disguised(scored, data, match, best)
    return told


def calibrated(
    probabilities: _FLOAT, match: npt.NDArray[np.bool_], true_pairs: int, best: OperatingPoint
) -> dict[str, Any]:
    """What probabilities and bands are worth: `gap` is what any other threshold would have added to the F1."""
    quality = band_quality(probabilities, match, true_pairs, DEFAULT_BANDS)
    bands = {
        band.label: {"precision": None if precision is None else _short(precision), "recall": _short(recall)}
        for band, (precision, recall) in quality.items()
    }
    taken = probabilities >= DEFAULT_BANDS[Band.PROBABLE]
    f1 = 2 * int(match[taken].sum()) / (int(taken.sum()) + true_pairs)
    shown = probabilities >= DEFAULT_BANDS[Band.POSSIBLE]
    return {
        "bands": bands,
        "probable_f1": _short(f1),
        "gap": _short(best.f1 - f1),
        "calibration_error": _short(calibration_error(probabilities, match)),
        "calibration_error_of_shown": _short(calibration_error(probabilities[shown], match[shown])),
        "shown_pairs": int(shown.sum()),
    }


def disguised(scored: Scored, data: DataSet, match: npt.NDArray[np.bool_], best: OperatingPoint) -> dict[str, Any]:
    """The recall of pairs whose further record was altered on purpose: at the best threshold, and by band."""
    altered = np.array([tagged.disguised for tagged in data.tags[1]], np.bool_)
    pool = set(data.right[altered].tolist())
    there = sum(person in pool for person in data.left[: scored.asked].tolist())
    found = match & altered[scored.others]
    told: dict[str, Any] = {
        "pairs": there,
        "recall_at_best": _share(found & (scored.scores >= best.weight), there),
    }
    if scored.probabilities is not None:
        for band in (Band.STRONG, Band.PROBABLE, Band.POSSIBLE):
            told[band.label] = _share(found & (scored.probabilities >= DEFAULT_BANDS[band]), there)
    return told


def one_to_one(scored: Scored) -> _INT:
    """The pairs that are left where each record is in one at most, the highest scores first."""
    ours: set[int] = set()
    theirs: set[int] = set()
    kept = []
    order = np.lexsort((scored.others, scored.rows, -scored.scores))
    for at, row, other in zip(order.tolist(), scored.rows[order].tolist(), scored.others[order].tolist(), strict=True):
        if row not in ours and other not in theirs:
            ours.add(row)
            theirs.add(other)
            kept.append(at)
    return np.array(kept, np.int64)


def curve(scored: Scored, data: DataSet) -> list[list[float]]:
    """Recall and precision at some of the thresholds, evenly along the curve."""
    match = data.is_match(scored.rows, scored.others)
    recall, precision = precision_recall(scored.scores, match, data.true_pairs(scored.asked))
    if not len(recall):
        return []
    along = np.cumsum(np.abs(np.diff(recall, prepend=0.0)) + np.abs(np.diff(precision, prepend=1.0)))
    at = np.unique(np.searchsorted(along, np.linspace(along[0], along[-1], CURVE_POINTS)))
    return [[_short(float(recall[each])), _short(float(precision[each]))] for each in at]


def diagram(scored: Scored, data: DataSet) -> list[list[float]]:
    """What was said, what was true, and of how many pairs, by bins of probability; nothing without probabilities."""
    if scored.probabilities is None:
        return []
    bins = reliability(scored.probabilities, data.is_match(scored.rows, scored.others))
    return [[_short(said), _short(true), count] for said, true, count in bins]


def _point(best: OperatingPoint) -> dict[str, float]:
    return {"f1": _short(best.f1), "precision": _short(best.precision), "recall": _short(best.recall)}


def _share(found: npt.NDArray[np.bool_], there: int) -> float | None:
    return _short(int(found.sum()) / there) if there else None


def _short(value: float) -> float:
    return round(value, 4)
