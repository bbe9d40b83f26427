"""The numbers of a rulebook as people write them, and its words in full."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from repository.domain.rulebook import Rulebook

LEVELS = {
    "nothing": "No class of the line",
    "marks": "Something, but neither customers nor claims as declared",
    "customers": "Customers, but no claims",
    "claims": "Claims, but no suspected or proven cases",
    "full": "Claims, and suspected or proven cases",
}
CLASSES = {
    "customer": "Customer",
    "claim": "Claim",
    "suspected": "Suspected",
    "proven": "Proven",
    "victim": "Victim",
    "protective": "Protective",
}
TIERS = {
    "0": "nothing",
    "1": "that there is a hit, or none",
    "2": "the class, how many, and how old",
    "3": "who contributed it, and the record's facts",
    "4": "the detail, which the contributor gives case by case",
}
BASES = {
    "quote": "its date, or its first filing if that is earlier",
    "policy_end": "its end; as long as none is said, the day on which it was last filed or named in a batch",
    "last_said": "the day on which it was last filed or named in a batch",
    "closure": "its closure; as long as none is said its date, or its first filing if that is earlier",
    "notification": "its date, or its first filing if that is earlier",
    "first_filing": "its first filing",
    "decision": "the decision, else its date, or its first filing if that is earlier",
}
KINDS = {
    "quote": "Customer: a quote",
    "policy": "Customer: a policy",
    "customer": "Customer: not said which",
}
_DAYS_A_MONTH = 365.25 / 12
_EXAMPLE_PER_MONTH = 400


def number(value: float) -> str:
    """A number with its thousands apart; a whole one without decimals."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.6g}"


def share(value: float) -> str:
    """A share as a percentage."""
    return f"{value * 100:.4g} %"


def many(count: float, one: str, more: str = "") -> str:
    """A number with its noun: `1 day`, `7 days`."""
    return f"{number(count)} {one if count == 1 else more or one + 's'}"


def listed(words: Iterable[str]) -> str:
    """Words of a rulebook in a sentence: `refused, withdrawn or ended`."""
    *others, last = [word.replace("_", " ") for word in words] or ["nothing"]
    return f"{', '.join(others)} or {last}" if others else last


def value(entry: Any) -> str:
    """The value of any entry as a person reads it; `-` for None."""
    if entry is None:
        return "-"
    if isinstance(entry, Mapping):
        return ", ".join(f"{name} {value(each)}" for name, each in entry.items())
    if isinstance(entry, list):
        apart = "; " if any(isinstance(each, Mapping) for each in entry) else ", "
        return apart.join(map(value, entry)) or "(none)"
    return entry if isinstance(entry, str) else number(entry)


@dataclass(frozen=True, slots=True)
class Example:
    """R3 and R4 worked out for one insurer: what it declared, what is due of it, and what it filed.

    `by_chance`: whether the allowance is the tolerance's, and not the records that are spared in any case.
    """

    per_month: int
    due: float
    filed: int
    allowance: float
    by_chance: bool
    needed: float
    value: float


def example(rulebook: Rulebook) -> Example:
    """Completeness of an insurer that declared 400 customers a month and filed 360 of each 400."""
    rules = rulebook.standing
    due = _EXAMPLE_PER_MONTH * rulebook.window.days / _DAYS_A_MONTH
    filed = round(due * 0.9)
    chance = rules.tolerance * math.sqrt(due)
    allowance, needed = max(rules.spared, chance), rules.completeness_target * due
    value = min(1.0, (filed + allowance) / needed)
    return Example(_EXAMPLE_PER_MONTH, due, filed, allowance, chance >= rules.spared, needed, value)
