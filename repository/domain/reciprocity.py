"""Who may ask, and how much of an answer they may see: rules R1 and R2 as pure functions.

Same inputs, same decision: everything used is in the arguments and comes back in `figures`, so that a stored
decision can be replayed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from matching.vocabulary import LINES, RECORD_CLASSES
from repository.domain.filings import FRAUD_CLASSES
from repository.domain.members import Member, MemberStatus, query_refusal
from repository.domain.rulebook import CLASS_TIER, HIT_TIER, NO_TIER, POINTER_TIER, Level, Rulebook

__all__ = ["CLASS_TIER", "HIT_TIER", "NO_TIER", "POINTER_TIER"]


@dataclass(frozen=True, slots=True)
class Contribution:
    """What a member had accepted in one (line, class) since the window began."""

    line: str
    record_class: str
    accepted: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Decision:
    """An allow or a deny: the rule that made it, the figures it used, and what would change the answer."""

    allowed: bool
    rule: str
    rulebook: str
    figures: Mapping[str, str | int | float | None] = field(default_factory=dict)
    detail: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a decision is made from. Stored with it as JSON, so that it can be made again."""

    member: Member
    contributions: tuple[Contribution, ...]
    now: datetime

    def as_dict(self) -> dict[str, object]:
        """As JSON; the member's name is left out."""
        return {
            "member": self.member.id,
            "status": self.member.status.value,
            "agreement_signed_on": _iso(self.member.agreement_signed_on),
            "attested_on": _iso(self.member.attested_on),
            "contributions": [
                [each.line, each.record_class, each.accepted, each.last_at.isoformat()] for each in self.contributions
            ],
            "now": self.now.isoformat(),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Inputs:
        """From what `as_dict` gave."""
        member = Member(
            id=stored["member"],
            name="",
            status=MemberStatus(stored["status"]),
            agreement_signed_on=_day(stored["agreement_signed_on"]),
            attested_on=_day(stored["attested_on"]),
        )
        contributions = tuple(
            Contribution(line, record_class, accepted, datetime.fromisoformat(last_at))
            for line, record_class, accepted, last_at in stored["contributions"]
        )
        return cls(member, contributions, datetime.fromisoformat(stored["now"]))


@dataclass(frozen=True, slots=True)
class Entitlement:
    """What one member may see, as far as its contributions reach: a tier for each (line, class)."""

    tiers: Mapping[tuple[str, str], int]

    def tier(self, line: str, record_class: str) -> int:
        """The tier for one record's line and class; 0 for what is not listed."""
        return self.tiers.get((line, record_class), NO_TIER)

    def from_tier(self, tier: int) -> list[tuple[str, str]]:
        """The (line, class) pairs seen at this tier or better, sorted."""
        return sorted(pair for pair, reached in self.tiers.items() if reached >= tier)

    def at_tier(self, tier: int) -> list[tuple[str, str]]:
        """The (line, class) pairs seen at just this tier, sorted."""
        return sorted(pair for pair, reached in self.tiers.items() if reached == tier)

    def all_from_tier(self, tier: int, line: str) -> bool:
        """Whether every class of a line is seen at this tier or better."""
        return all(self.tier(line, record_class) >= tier for record_class in RECORD_CLASSES)


def window_start(now: datetime, rulebook: Rulebook) -> datetime:
    """The instant from which contributions count."""
    return now - timedelta(days=rulebook.window.days)


def may_ask(inputs: Inputs, line: str, rulebook: Rulebook) -> Decision:
    """Whether a member may screen in a line: R1 (an active membership, signed and attested), then R2's floor."""
    refusal = query_refusal(inputs.member, inputs.now.date(), rulebook.membership)
    if refusal is not None:
        figures = {**refusal.figures, "line": line}
        return Decision(False, refusal.rule, rulebook.version, figures, refusal.detail, refusal.remedy)
    accepted = sum(each.accepted for each in inputs.contributions if each.line == line)
    figures = {
        "accepted_in_window": accepted,
        "needed": rulebook.window.accepted_to_ask,
        "window_days": rulebook.window.days,
        "line": line,
    }
    if accepted >= rulebook.window.accepted_to_ask:
        return Decision(True, "R2", rulebook.version, figures)
    return Decision(
        False,
        "R2",
        rulebook.version,
        figures,
        f"Only those who contribute may ask: {accepted} filings of line {line} were accepted from this member "
        f"in the last {rulebook.window.days} days.",
        f"File at least {rulebook.window.accepted_to_ask} record of line {line};"
        f" it counts for {rulebook.window.days} days.",
    )


def may_see(inputs: Inputs, rulebook: Rulebook) -> Decision:
    """Whether a member may read hits at all: R1. How much of each is R2's, see `entitlement`."""
    refusal = query_refusal(inputs.member, inputs.now.date(), rulebook.membership)
    if refusal is not None:
        return Decision(False, refusal.rule, rulebook.version, refusal.figures, refusal.detail, refusal.remedy)
    return Decision(True, "R1", rulebook.version, {"status": inputs.member.status.value})


def level(classes: Iterable[str]) -> Level:
    """What the classes a member contributes to one line amount to."""
    contributed = frozenset(classes)
    if "claim" in contributed:
        return Level.FULL if contributed & FRAUD_CLASSES else Level.CLAIMS
    if "customer" in contributed:
        return Level.CUSTOMERS
    return Level.MARKS if contributed else Level.NOTHING


def entitlement(contributions: Iterable[Contribution], rulebook: Rulebook) -> Entitlement:
    """R2: the tier of every (line, class) from what was accepted in the window."""
    by_line: dict[str, set[str]] = {line: set() for line in LINES}
    for each in contributions:
        if each.accepted > 0:
            by_line[each.line].add(each.record_class)
    tiers: dict[tuple[str, str], int] = {}
    for line, classes in by_line.items():
        row = rulebook.tiers[level(classes)]
        for record_class in RECORD_CLASSES:
            at_par = rulebook.level.at_par if record_class in classes else NO_TIER
            tiers[line, record_class] = min(max(row[record_class], at_par), rulebook.level.highest)
    return Entitlement(tiers)


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
