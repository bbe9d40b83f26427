"""Entitlement: what one member may see now, for one purpose, and how much it may ask. The one way to a tier.

Same arguments, same answer; every figure a refusal rests on comes back with it.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import datetime

from repository.domain.asking import SUBJECT, Figures, Quota, Request, figures, quota, refusal
from repository.domain.assessment import Standing
from repository.domain.ledger import Pair
from repository.domain.members import Member
from repository.domain.rulebook import NO_TIER, Rulebook, SubscriberClass
from repository.domain.tiers import NOTHING, Tiers, contributed, granted, with_detail

__all__ = ["DISCLOSURE", "SUBJECT", "Entitlement", "Known", "Quota", "Request", "entitle"]

DISCLOSURE = "disclosure"
"""The action of asking a contributor for detail: the only one with tier 4 among its tiers."""

Known = MutableMapping[tuple[str, str | None, SubscriberClass | None], Tiers]
"""Tiers of one standing that were worked out before, by the rulebook's digest, the purpose and the member's class."""


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


def entitle(
    member: Member,
    standing: Standing,
    request: Request,
    rulebook: Rulebook,
    now: datetime,
    *,
    known: Known | None = None,
) -> Entitlement:
    """What a member may see and ask at an instant, by its standing of that day. The first rule that fails refuses.

    What is `known` of this very standing is not worked out again, and what is worked out is added to it.
    """
    allowance = quota(member, standing, request, rulebook)
    refused = refusal(member, standing, request, rulebook, now)
    if refused is not None:
        shown = {**refused.figures, "line": request.line}
        return Entitlement(False, refused.rule, rulebook.digest, allowance, shown, refused.detail, refused.remedy)
    rule = "R7" if member.subscriber else "R1" if request.line is None else "R2"
    told = figures(standing, request, rulebook, allowance)
    if request.action == SUBJECT:
        return Entitlement(True, rule, rulebook.digest, allowance, told)
    tiers, caps = _tiers(member, standing, request.purpose, rulebook, {} if known is None else known)
    if request.action == DISCLOSURE and member.subscriber is None:
        tiers = with_detail(tiers, standing, request.purpose, rulebook)
    return Entitlement(True, rule, rulebook.digest, allowance, told, tiers=tiers, caps=caps)


def _tiers(member: Member, standing: Standing, purpose: str | None, rulebook: Rulebook, known: Known) -> Tiers:
    key = (rulebook.digest, purpose, member.subscriber)
    found = known.get(key)
    if found is None:
        if member.subscriber is None:
            found = contributed(standing, purpose, rulebook)
        else:
            found = granted(member, standing, purpose, rulebook)
        known[key] = found
    return found
