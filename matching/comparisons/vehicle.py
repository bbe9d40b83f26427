"""How two vehicles are compared: by registration mark and by vehicle identification number (ISO 3779)."""

from __future__ import annotations

from matching.comparisons.base import Comparison, ComparisonSet, Levels, choose, shared_key
from matching.evidence import PairEvidence


def vin(evidence: PairEvidence) -> Levels:
    """Vehicle identification numbers: equal, equal in the last eight characters, or different."""
    both, same = evidence.key("vin")
    _, tail = evidence.key("vin_tail")
    return choose(len(evidence), {1: same, 2: tail, 3: both})


VEHICLE = ComparisonSet(
    (
        shared_key("registration", m=0.95, u=0.03),
        Comparison("vin", ("exact", "last eight", "differs"), (0.93, 0.05, 0.02), (0.02, 0.01, 0.97), vin),
    ),
    chance_rate=0.000001,
)
