"""Why a decision came out as it did, in plain words: the rule, the sums, the ladder, what would change it, R9."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from repository.domain.assessment import LineStanding
from repository.domain.improvement import NOTHING_TO_DO
from repository.domain.ladder import Step
from repository.domain.ramp import missed_covenant
from repository.domain.rulebook import NO_TIER, Rulebook
from repository.domain.workings import Case, Working, workings

RULES = {
    "R1": "A member asks on an active membership, a signed agreement and a current attestation.",
    "R2": "The same level: a member sees as much of a class in a line as it contributes to that line. Who contributes "
    "nothing to a line asks nothing in it.",
    "R5": "The ramp: a new member contributes first, and asks once it was at target for long enough; or it asks at "
    "once under a covenant, by whose date its full contribution is due.",
    "R6": "The ladder: a line that stays below target is warned, then put on a plan, restricted and suspended; at "
    "target again, it is in good standing the same day.",
    "R7": "Who never contributes asks under a grant, which has its own lines, purposes, quota and end.",
    "R10": "How much a member may ask follows what it contributes, and is never less than a floor that a small "
    "insurer can work with.",
    "PURPOSE": "Every question names a purpose that is open to the member, and a reference of the member's own case.",
}
"""What each rule that can decide says, in a sentence or two."""
_STEPS = {
    Step.GOOD: "in good standing",
    Step.WARNED: "warned",
    Step.PLAN: "on a plan",
    Step.RESTRICTED: "restricted",
    Step.SUSPENDED: "suspended",
}
_LINE_RULES = frozenset({"R2", "R5", "R6"})


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of one class of a line; `lowered_by` is the rule that lowers it, if one does."""

    line: str
    record_class: str
    tier: int
    lowered_by: str | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision in words. `remedy` is what would change it; `ladder` is empty where no line's standing bears on it."""

    rule_says: str
    because: str
    workings: tuple[Working, ...]
    ladder: str
    remedy: str
    appeal: str
    seen: tuple[Seen, ...]

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "rule_says": self.rule_says,
            "because": self.because,
            "workings": [each.as_dict() for each in self.workings],
            "ladder": self.ladder,
            "remedy": self.remedy,
            "appeal": self.appeal,
            "seen": [
                {"line": each.line, "class": each.record_class, "tier": each.tier, "lowered_by": each.lowered_by}
                for each in self.seen
            ],
        }


def explain(case: Case, decision_id: str) -> Explanation:
    """Explain a decision that was taken again from what is stored of it."""
    found, line = case.found, case.line
    bears = line is not None and case.member.subscriber is None and (found.allowed or found.rule in _LINE_RULES)
    return Explanation(
        rule_says=RULES[found.rule],
        because=found.detail or _allowed(case),
        workings=workings(case),
        ladder=ladder(case, line) if bears and line is not None else "",
        remedy=found.remedy or (line.improve if bears and line is not None and line.improve != NOTHING_TO_DO else ""),
        appeal=appeal(decision_id, case.rulebook),
        seen=tuple(_seen(case)),
    )


def appeal(decision_id: str, rulebook: Rulebook | None) -> str:
    """R9: how to appeal against a decision."""
    days = rulebook.membership.appeal_working_days if rulebook else 0
    within = f" within {days} working {'day' if days == 1 else 'days'}" if days else ""
    return (
        f"Who thinks this wrong appeals against {decision_id} (POST /v1/appeals, or a letter to the operator): an "
        f"officer who had no part in it decides{within} (R9)."
    )


def ladder(case: Case, line: LineStanding) -> str:
    """R6: the step of a line, since when, and what follows when."""
    if line.below_since is None:
        return f"Line {line.line} was at target, in good standing."
    since = _step_since(case, line)
    step = f"had been {_STEPS[line.step]} since {since}, and" if since else f"was {_STEPS[line.step]}, though"
    told = f"Line {line.line} {step} below target since {line.below_since}."
    if line.next_step is None:
        return f"{told} At target again, it is in good standing the same day."
    return f"{told} If it stays so, it is {_STEPS[line.next_step]} from {line.next_on} on."


def moment(at: datetime) -> str:
    """An instant as people write it."""
    utc = at.astimezone(UTC)
    return f"{utc.day} {utc:%B %Y at %H:%M:%S} (UTC)"


def _allowed(case: Case) -> str:
    request, line = case.request, case.line
    if case.member.subscriber is not None:
        return "The grant covers what was asked."
    if line is None:
        return "The membership is active, the agreement is signed, and the attestation is current."
    level = f"what is contributed to line {line.line} amounts to level {line.level.value}"
    return f"The membership, the purpose and the quota allow it, and {level}" + (
        f"; asked under {request.purpose}." if request.purpose else "."
    )


def _step_since(case: Case, line: LineStanding) -> date | None:
    standing, rules = case.standing, case.rulebook.ladder
    if line.below_since is None or line.step is Step.GOOD:
        return None
    if missed_covenant(standing.ramp, standing.covenant_until, line.below_since, standing.on):
        return standing.covenant_until
    after = {
        Step.WARNED: rules.warned,
        Step.PLAN: rules.plan,
        Step.RESTRICTED: rules.restricted,
        Step.SUSPENDED: rules.suspended,
    }
    return line.below_since + timedelta(days=after[line.step])


def _seen(case: Case) -> Iterable[Seen]:
    """Every class of the line that was asked in; where none was, all that something is seen of, or would be."""
    tiers, caps = case.found.tiers, case.found.caps
    if not case.found.allowed:
        return
    for (line, record_class), tier in tiers.items():
        rule = caps.get((line, record_class))
        wanted = line == case.request.line if case.request.line is not None else tier > NO_TIER or rule is not None
        if wanted:
            yield Seen(line, record_class, tier, rule)
