"""Standing: what a member had accepted, what it may see for it, and what would change that."""

from __future__ import annotations

from typing import Any

from matching.vocabulary import RECORD_CLASSES
from repository.domain.members import Member
from repository.domain.reciprocity import Contribution, Inputs, entitlement, level, may_ask, may_see
from repository.services import Services, reciprocity


def standing(services: Services, member: Member) -> dict[str, Any]:
    """A member's standing as JSON: its membership (R1), and for each of its lines contributions and tiers (R2)."""
    with services.database.read() as session:
        inputs = reciprocity.inputs(services, session.connection(), member)
    right = may_see(inputs, services.rulebook)
    may = entitlement(inputs.contributions, services.rulebook)
    lines = sorted(member.lines | {each.line for each in inputs.contributions})
    return {
        "member": {"id": member.id, "name": member.name},
        "membership": {
            "status": member.status.value,
            "lines": sorted(member.lines),
            "agreement_signed_on": inputs.as_dict()["agreement_signed_on"],
            "attested_on": inputs.as_dict()["attested_on"],
            "allowed": right.allowed,
            "rule": right.rule,
            "figures": dict(right.figures),
            "detail": right.detail,
            "remedy": right.remedy,
        },
        "rulebook": services.rulebook.version,
        "window_days": services.rulebook.window.days,
        "lines": [
            _line(services, inputs, line, {kind: may.tier(line, kind) for kind in RECORD_CLASSES}) for line in lines
        ],
    }


def _line(services: Services, inputs: Inputs, line: str, tiers: dict[str, int]) -> dict[str, Any]:
    decision = may_ask(inputs, line, services.rulebook)
    contributed = [each for each in inputs.contributions if each.line == line]
    return {
        "line": line,
        "level": level(each.record_class for each in contributed).value,
        "contributions": [_contribution(each) for each in contributed],
        "tiers": tiers,
        "may_screen": decision.allowed,
        "rule": decision.rule,
        "figures": dict(decision.figures),
        "detail": decision.detail,
        "remedy": decision.remedy,
    }


def _contribution(each: Contribution) -> dict[str, Any]:
    return {
        "class": each.record_class,
        "accepted_in_window": each.accepted,
        "last": each.last_at.isoformat(),
    }
