"""A rate with what chance alone gives and how sure it is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

_Z = 1.959964
"""Standard errors either side that hold 95 % of a normal distribution."""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many of `of` tries came off; `chance` is the share that blind guessing would get."""

    hits: int
    of: int
    chance: float

    @property
    def share(self) -> float:
        """From 0 to 1; 0 where nothing was tried."""
        return self.hits / self.of if self.of else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % confidence interval of Wilson (1927), which holds near 0 and 1 too."""
        if not self.of:
            return 0.0, 1.0
        spread = _Z * _Z / self.of
        middle = (self.share + spread / 2) / (1 + spread)
        half = _Z * math.sqrt(self.share * (1 - self.share) / self.of + spread / (4 * self.of)) / (1 + spread)
        return max(0.0, middle - half), min(1.0, middle + half)

    def told(self) -> dict[str, Any]:
        """As the report has it."""
        low, high = self.interval
        return {
            "rate": round(self.share, 5),
            "low": round(low, 5),
            "high": round(high, 5),
            "chance": round(self.chance, 7),
            "n": self.of,
        }
