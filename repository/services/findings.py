"""What a check of the configuration finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as expected; the service should not be started with a `problem`."""

    setting: str
    expected: str
    problem: bool = True

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "level": "problem" if self.problem else "warning",
            "setting": self.setting,
            "expected": self.expected,
        }
