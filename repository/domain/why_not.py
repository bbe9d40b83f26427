"""What speaks against a pair: what differs, what nobody could compare, and what it lacks to the next band. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matching.types import Band

_PRIOR = "prior"
"""The row of what is known before anything is compared: nothing differs in it."""


def why_not(
    rows: Sequence[Mapping[str, Any]], comparisons: Sequence[str], probability: float, bands: Mapping[Band, float]
) -> dict[str, Any]:
    """Of a hit that is told with its explanation `rows`, of all the comparisons of its kind.

    The bits to the next band are the distance in log odds: no value is in them that the probability does not tell.
    """
    seen = {row["field"] for row in rows}
    differs = [dict(row) for row in rows if row["weight"] < 0 and row["field"] != _PRIOR]
    told: dict[str, Any] = {"differs": differs, "not_observed": [each for each in comparisons if each not in seen]}
    above = sorted(lowest for lowest in bands.values() if lowest > probability)
    if above:
        nearest = next(band for band, lowest in bands.items() if lowest == above[0])
        told["next_band"] = {"band": nearest.label, "bits": round(max(0.0, _bits(above[0]) - _bits(probability)), 1)}
    return told


def _bits(probability: float) -> float:
    held = min(max(probability, 1e-9), 1 - 1e-9)
    return math.log2(held / (1 - held))
