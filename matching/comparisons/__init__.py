"""The comparison set of each kind of subject: what is compared, and the levels a comparison can reach."""

from matching.comparisons.base import NOT_OBSERVED, Comparison, ComparisonSet, Levels
from matching.comparisons.organisation import ORGANISATION
from matching.comparisons.person import PERSON
from matching.comparisons.vehicle import VEHICLE
from matching.types import Kind

COMPARISONS: dict[Kind, ComparisonSet] = {"person": PERSON, "vehicle": VEHICLE, "organisation": ORGANISATION}

__all__ = ["COMPARISONS", "NOT_OBSERVED", "Comparison", "ComparisonSet", "Levels"]
