"""What the views of a member's own things share: the member who asks, and rules and fields as problems."""

from __future__ import annotations

from repository.api.context import current_actor
from repository.api.problems import FieldProblem, ProblemError
from repository.domain.errors import FieldError
from repository.domain.ids import Prefix, is_id
from repository.domain.members import Member
from repository.domain.reciprocity import Decision

_SLUGS = {"schema": "unknown-schema", "fingerprint": "another-key"}
_RULES = {"R1": "membership", "R2": "reciprocity"}


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


def refusal(decision: Decision) -> ProblemError:
    """A problem that names the rule, the figures, and what would change the answer."""
    return ProblemError(
        _RULES[decision.rule],
        decision.detail,
        rule=decision.rule,
        rulebook=decision.rulebook,
        figures=dict(decision.figures),
        remedy=decision.remedy,
    )
