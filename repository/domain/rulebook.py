"""The numbers of the scheme's rules, in one frozen place with a version that every decision names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from matching.types import Band


class Level(StrEnum):
    """What a member contributes in one line, from least to most; R2 reads its tiers from it."""

    NOTHING = "nothing"
    MARKS = "marks"
    CUSTOMERS = "customers"
    CLAIMS = "claims"
    FULL = "full"


def _tiers(**by_class: int) -> Mapping[str, int]:
    return MappingProxyType(by_class)


_TIERS: Mapping[Level, Mapping[str, int]] = MappingProxyType(
    {
        Level.NOTHING: _tiers(customer=0, claim=0, suspected=0, proven=0, victim=0, protective=0),
        # Neither customers nor claims: hit or no hit, but for the classes that are contributed (see `par_tier`).
        Level.MARKS: _tiers(customer=1, claim=1, suspected=1, proven=1, victim=1, protective=1),
        Level.CUSTOMERS: _tiers(customer=3, claim=2, suspected=1, proven=1, victim=2, protective=2),
        Level.CLAIMS: _tiers(customer=3, claim=3, suspected=3, proven=3, victim=3, protective=3),
        Level.FULL: _tiers(customer=4, claim=4, suspected=4, proven=4, victim=4, protective=4),
    }
)


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Every threshold the service applies. `tiers` is R2's table: level of contribution, then class, to tier."""

    version: str = "2026.1"
    window_days: int = 90
    accepted_to_ask: int = 1
    tiers: Mapping[Level, Mapping[str, int]] = field(default_factory=lambda: _TIERS)
    par_tier: int = 3
    """A class that is contributed in a line is seen in that line at this tier at least ('same level')."""
    highest_tier: int = 3
    """Tier 4 is given by a contributor's approval only, never by standing alone."""
    enquire_from: Band = Band.POSSIBLE
    age_bands: tuple[tuple[int, str], ...] = ((182, "0-6m"), (365, "6-12m"), (1095, "1-3y"), (2190, "3-6y"))
    """(upper limit in days, exclusive; label): how old a record is; above the last limit it is `oldest_age_band`."""
    oldest_age_band: str = "6y+"
    future_days: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({"customer": 366}))
    """How far ahead of today a trigger date may lie, by class: a policy may start next month."""
    clock_skew_days: int = 1
    """How far ahead any other date may lie: time zones and a member's clock that runs fast."""
    screening_keep_days: int = 365
    hot_key_rows: int = 500
    """A key that more rows than this share is hot: look-ups skip it. Of one member's rows at most half count."""
    hot_key_hours: int = 24
    """A hot key is looked at again after so long: it may not be hot any more."""
    candidates_per_subject: int = 30
    """The candidates with the weightiest shared keys that are scored, per subject."""
    hits_per_subject: int = 50
    """The best hits that a screening tells, and keeps, per subject; it says when there are more."""


DEFAULT_RULEBOOK = Rulebook()
