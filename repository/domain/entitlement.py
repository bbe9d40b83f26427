"""Entitlement: what one member may see now, for one purpose, and how much it may ask. The one way to a tier.

Same arguments, same answer; every figure a refusal rests on comes back with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from repository.domain.asking import Figures, Quota, Request, figures, quota, refusal
from repository.domain.assessment import Standing
from repository.domain.ledger import Pair
from repository.domain.members import Member
from repository.domain.rulebook import NO_TIER, Rulebook
from repository.domain.tiers import NOTHING, contributed, granted

__all__ = ["Entitlement", "Quota", "Request", "entitle"]


@dataclass(frozen=True, slots=True)
class Entitlement:
    """An allow or a deny: the rule that made it, the figures it used, and what would change the answer.

    `tiers` has every (line, class), after a refusal all at 0. `caps` names, for a pair seen at less than its level or
    the grant gives, the rule that lowers it.
    """

    allowed: bool
    rule: str
    rulebook: str
    quota: Quota
    figures: Figures = field(default_factory=dict)
    detail: str = ""
    remedy: str = ""
    tiers: Mapping[Pair, int] = field(default_factory=lambda: NOTHING)
    caps: Mapping[Pair, str] = field(default_factory=dict)

    def tier(self, line: str, record_class: str) -> int:
        """The tier for one record's line and class; 0 for what is not listed."""
        return self.tiers.get((line, record_class), NO_TIER)

    def from_tier(self, tier: int) -> list[Pair]:
        """The (line, class) pairs seen at this tier or better, sorted."""
        return sorted(pair for pair, reached in self.tiers.items() if reached >= tier)

    def at_tier(self, tier: int) -> list[Pair]:
        """The (line, class) pairs seen at just this tier, sorted."""
        return sorted(pair for pair, reached in self.tiers.items() if reached == tier)

    def all_from_tier(self, tier: int) -> bool:
        """Whether every class of every line is seen at this tier or better."""
        return min(self.tiers.values()) >= tier


def entitle(member: Member, standing: Standing, request: Request, rulebook: Rulebook, now: datetime) -> Entitlement:
    """What a member may see and ask at an instant, by its standing of that day. The first rule that fails refuses."""
    allowance = quota(member, standing, request, rulebook)
    refused = refusal(member, standing, request, rulebook, now)
    if refused is not None:
        shown = {**refused.figures, "line": request.line}
        return Entitlement(False, refused.rule, rulebook.digest, allowance, shown, refused.detail, refused.remedy)
    if member.subscriber is None:
        rule = "R1" if request.line is None else "R2"
        tiers, caps = contributed(standing, request.purpose, rulebook)
    else:
        rule = "R7"
        tiers, caps = granted(member, standing, request.purpose, rulebook)
    told = figures(standing, request, rulebook, allowance)
    return Entitlement(True, rule, rulebook.digest, allowance, told, tiers=tiers, caps=caps)
