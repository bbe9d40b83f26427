"""R2 and what lowers it: the tier of every (line, class), by what was contributed or granted."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from matching.vocabulary import LINES, RECORD_CLASSES
from repository.domain.assessment import LineStanding, Standing
from repository.domain.ladder import Step
from repository.domain.ledger import Pair
from repository.domain.members import Member
from repository.domain.ramp import missed_covenant
from repository.domain.rulebook import DETAIL_TIER, NO_TIER, Rulebook

Tiers = tuple[Mapping[Pair, int], Mapping[Pair, str]]
"""Tiers by pair, and for those that a rule lowers, which one."""
NOTHING: Mapping[Pair, int] = MappingProxyType({(line, kind): NO_TIER for line in LINES for kind in RECORD_CLASSES})
"""Every pair at tier 0."""


def contributed(standing: Standing, purpose: str | None, rulebook: Rulebook) -> Tiers:
    """R2: what a contributing member sees, where neither the ramp, the ladder nor a closed purpose lowers it."""
    tiers = dict(NOTHING)
    caps: dict[Pair, str] = {}
    for line in standing.lines:
        row = rulebook.tiers[line.level]
        counted = {each.record_class for each in line.pairs if each.counts}
        highest, rule = _highest(standing, line, rulebook)
        for record_class in RECORD_CLASSES:
            at_par = rulebook.level.at_par if record_class in counted else NO_TIER
            tier = min(max(row[record_class], at_par), rulebook.level.highest)
            if tier > highest:
                caps[line.line, record_class] = rule
            tiers[line.line, record_class] = min(tier, highest)
    _close(tiers, caps, purpose, rulebook)
    return MappingProxyType(tiers), MappingProxyType(caps)


def with_detail(
    tiers: Mapping[Pair, int], standing: Standing, purpose: str | None, rulebook: Rulebook
) -> Mapping[Pair, int]:
    """R2: the same tiers, with 4 where the level lets a contributing member ask a contributor for the detail.

    Only where nothing lowers what it sees: neither ramp, nor ladder, nor a closed purpose.
    """
    raised = dict(tiers)
    for line in standing.lines:
        counted = {each.record_class for each in line.pairs if each.counts}
        highest, _ = _highest(standing, line, rulebook)
        for record_class in RECORD_CLASSES:
            at_par = rulebook.level.at_par if record_class in counted else NO_TIER
            if min(max(rulebook.tiers[line.level][record_class], at_par), highest) == DETAIL_TIER:
                raised[line.line, record_class] = DETAIL_TIER
    _close(raised, {}, purpose, rulebook)
    return MappingProxyType(raised)


def granted(member: Member, standing: Standing, purpose: str | None, rulebook: Rulebook) -> Tiers:
    """R7: what a subscriber sees: the narrower of its grant and what the rulebook gives its class."""
    tiers = dict(NOTHING)
    caps: dict[Pair, str] = {}
    if member.subscriber is not None and standing.grant is not None:
        rules = rulebook.subscribers[member.subscriber]
        for line in standing.grant.lines:
            for record_class in set(standing.grant.classes).intersection(rules.classes):
                tiers[line, record_class] = min(standing.grant.tier, rules.tier)
    _close(tiers, caps, purpose, rulebook)
    return MappingProxyType(tiers), MappingProxyType(caps)


def _highest(standing: Standing, line: LineStanding, rulebook: Rulebook) -> tuple[int, str]:
    """The highest tier that ramp (R5) and ladder (R6) leave a line, and the rule."""
    if line.may_ask_from is None or line.may_ask_from > standing.on:
        return NO_TIER, "R5"
    if line.step is Step.SUSPENDED:
        missed = missed_covenant(standing.ramp, standing.covenant_until, line.below_since, standing.on)
        return NO_TIER, "R5" if missed else "R6"
    if line.step is Step.RESTRICTED:
        return rulebook.ladder.restricted_tier, "R6"
    return DETAIL_TIER, "R2"


def _close(tiers: dict[Pair, int], caps: dict[Pair, str], purpose: str | None, rulebook: Rulebook) -> None:
    for each in rulebook.purposes.closed:
        pair = (each.line, each.record_class)
        if each.purpose == purpose and tiers[pair] > NO_TIER:
            tiers[pair] = NO_TIER
            caps[pair] = "PURPOSE"
