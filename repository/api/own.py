"""What the views of a member's own things share: the member who asks, and rules and fields as problems."""

from __future__ import annotations

from datetime import UTC, timedelta
from math import ceil

from repository.api.context import current_actor
from repository.api.problems import FieldProblem, ProblemError
from repository.domain.errors import FieldError
from repository.domain.ids import Prefix, is_id
from repository.domain.members import Member
from repository.services.entitlements import Granted

_SLUGS = {"schema": "unknown-schema", "fingerprint": "another-key"}
_RULES = {
    "R1": "membership",
    "R2": "reciprocity",
    "R5": "reciprocity",
    "R6": "reciprocity",
    "R7": "membership",
    "R10": "quota",
    "PURPOSE": "purpose",
}


def own_member() -> Member:
    """The member of who makes this request; raises ProblemError for an operator or auditor, who has none."""
    member = current_actor().member
    if member is None:
        raise ProblemError("wrong-role")
    return member


def path_id(text: str, prefix: Prefix) -> str:
    """The id in a path; raises ProblemError, before anything is asked, for what cannot be the id of such a thing."""
    if not is_id(text, prefix):
        raise ProblemError("not-found")
    return text


def field_problem(error: FieldError) -> ProblemError:
    """A problem that names one field and what was expected in it."""
    return ProblemError(
        _SLUGS.get(error.field, "invalid"), errors=[FieldProblem(field=error.field, expected=error.expected)]
    )


def refusal(granted: Granted) -> ProblemError:
    """A problem that names the rule, the figures, what would change the answer, and the decision, for an appeal."""
    found = granted.entitlement
    return ProblemError(
        _RULES[found.rule],
        found.detail,
        headers=_retry_after(granted) if found.rule == "R10" else None,
        rule=found.rule,
        rulebook=granted.rulebook.version,
        figures=dict(found.figures),
        remedy=found.remedy,
        decision=granted.id,
    )


def _retry_after(granted: Granted) -> dict[str, str]:
    """Until the minute, or the day, is over for which there is no quota left."""
    now = granted.now.astimezone(UTC)
    minute = now.replace(second=0, microsecond=0)
    by_day = "per_day" in granted.entitlement.figures
    following = minute.replace(hour=0, minute=0) + timedelta(days=1) if by_day else minute + timedelta(minutes=1)
    return {"Retry-After": str(ceil((following - now).total_seconds()))}
