"""What speaks against a pair, and how much it lacks."""

from __future__ import annotations

from matching.types import Band
from repository.domain.why_not import why_not

BANDS = {Band.POSSIBLE: 0.5, Band.PROBABLE: 0.9, Band.STRONG: 0.99}
ROWS = [
    {"field": "prior", "level": "pool of 100", "weight": -6.6},
    {"field": "family_name", "level": "exact", "weight": 11.2},
    {"field": "birth_date", "level": "else", "weight": -4.1},
]


def test_what_differs_and_what_nobody_compared() -> None:
    """Comparisons that weigh against it, and those without a row; how rare a pair is before is not one."""
    told = why_not(ROWS, ["family_name", "birth_date", "phone"], 0.995, BANDS)
    assert told == {"differs": [ROWS[2]], "not_observed": ["phone"]}


def test_bits_to_the_next_band() -> None:
    """In log odds: from even to nine to one are log2(9) bits; in the highest band nothing is lacking."""
    assert why_not([], [], 0.5, BANDS)["next_band"] == {"band": "probable", "bits": 3.2}
    assert why_not([], [], 0.9, BANDS)["next_band"]["band"] == "strong"
    assert "next_band" not in why_not([], [], 1.0, BANDS)
