"""A rate with what chance alone gives and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from matching.evaluation import wilson


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
        return wilson(self.hits, self.of)

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
