"""What another rulebook would change for which member, if each had always been in force."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from matching.vocabulary import RECORD_CLASSES
from repository.domain.entitlement import Entitlement, Request, entitle
from repository.domain.members import Member, MemberStatus
from repository.domain.rulebook import Rulebook
from repository.domain.standing import Standing
from repository.services import Services
from repository.services.rulebooks import BEGINNING
from repository.services.standing import assess_all


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that differs for a member under another rulebook; `line` is None for what holds for all its lines.

    `what` is step, level, asks (whether it may ask, or the rule that refuses), tiers (by class) or quota (a day).
    """

    member: Member
    line: str | None
    what: str
    old: Any
    new: Any

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        named = {"member": self.member.id, "name": self.member.name, "line": self.line}
        return named | {"what": self.what, "old": self.old, "new": self.new}


@dataclass(frozen=True, slots=True)
class Under:
    """A member's standing under a rulebook that had always been in force."""

    standing: Standing
    rulebook: Rulebook


def member_effects(services: Services, old: Rulebook, new: Rulebook) -> Iterator[Effect]:
    """What changes today, member after member; those who left are passed over."""
    with services.database.reading(long=True) as connection:
        standings = (assess_all(services, connection, [(BEGINNING, each)]) for each in (old, new))
        for (member, before), (_, after) in zip(*standings, strict=True):
            if member.status is not MemberStatus.WITHDRAWN:
                yield from compared(member, Under(before, old), Under(after, new), services.clock())


def compared(member: Member, old: Under, new: Under, now: datetime) -> Iterator[Effect]:
    """What differs for one member."""
    before, after = (_entitled(member, each, None, now) for each in (old, new))
    if before.quota.per_day != after.quota.per_day:
        yield Effect(member, None, "quota", before.quota.per_day, after.quota.per_day)
    for line in _lines(member, old.standing, new.standing):
        facts = [_facts(member, each, line, now) for each in (old, new)]
        for what in facts[0]:
            if facts[0][what] != facts[1][what]:
                yield Effect(member, line, what, facts[0][what], facts[1][what])
        tiers = {
            record_class: (before.tier(line, record_class), after.tier(line, record_class))
            for record_class in RECORD_CLASSES
        }
        changed = {record_class: pair for record_class, pair in tiers.items() if pair[0] != pair[1]}
        if changed:
            was = {record_class: tier for record_class, (tier, _) in changed.items()}
            yield Effect(
                member, line, "tiers", was, {record_class: tier for record_class, (_, tier) in changed.items()}
            )


def _facts(member: Member, under: Under, line: str, now: datetime) -> dict[str, str | None]:
    found = under.standing.line(line)
    asking = _entitled(member, under, line, now)
    return {
        "step": found.step.value if found else None,
        "level": found.level.value if found else None,
        "asks": "yes" if asking.allowed else asking.rule,
    }


def _entitled(member: Member, under: Under, line: str | None, now: datetime) -> Entitlement:
    request = Request("screening", None, line, used_today=0, used_this_minute=0, asked=0 if line is None else 1)
    return entitle(member, under.standing, request, under.rulebook, now)


def _lines(member: Member, *standings: Standing) -> Iterable[str]:
    found = {line.line for standing in standings for line in standing.lines}
    granted = {line for standing in standings if standing.grant for line in standing.grant.lines}
    return sorted(member.lines | found | granted)
