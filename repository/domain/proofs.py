"""The proof behind a filing of class proven: four pillars, stated by one person of a member, approved by another.

The evidence stays with the member; the pool has its reference only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from repository.domain.errors import FieldError
from repository.domain.filings import day, one_of, reference_from_json, refuse_unknown
from repository.domain.rulebook import ProofRules

PROVEN = "proven"
MAX_REASON_LENGTH = 200
FIELDS = frozenset(
    {
        *("reference", "grounds", "evidence", "case_type", "product_action", "exception"),
        *("evidence_reference", "notified_on", "deferral_reason"),
    }
)
NEEDED = (
    "an approved proof of the same reference, as the class is proven: enter one (POST /v1/proofs) and have a second"
    " person approve it; or the class suspected"
)
"""What a filing of class proven is told that has none."""

_PILLARS = {
    "grounds": "true: there are reasonable grounds",
    "evidence": "true: there is evidence that is clear, relevant and rigorous",
}


class ProofState(StrEnum):
    """A proof counts from its approval until it is withdrawn."""

    ENTERED = "entered"
    APPROVED = "approved"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Proof:
    """What a proof states; of `product_action` and `exception`, and of the last two, there is one each.

    That there are grounds and evidence is not kept as a value: without them there is no proof.
    """

    reference: str
    case_type: str
    product_action: str | None
    exception: str | None
    evidence_reference: str
    notified_on: date | None
    deferral_reason: str | None


def proof_from_json(body: Mapping[str, object], today: date, rules: ProofRules) -> Proof:
    """A proof as it is entered. Raises FieldError for the first pillar that is not there, and for any other fault."""
    refuse_unknown(body, FIELDS)
    reference = reference_from_json(body, "reference")
    for name, expected in _PILLARS.items():
        if body.get(name) is not True:
            raise FieldError(name, expected)
    case_type = one_of(body, "case_type", rules.case_types)
    action, exception = _product(body, rules)
    evidence_reference = reference_from_json(body, "evidence_reference")
    notified_on, deferral_reason = _notice(body, today)
    return Proof(reference, case_type, action, exception, evidence_reference, notified_on, deferral_reason)


def state(*, approved: bool, withdrawn: bool) -> ProofState:
    """Where a proof stands."""
    if withdrawn:
        return ProofState.WITHDRAWN
    return ProofState.APPROVED if approved else ProofState.ENTERED


def _product(body: Mapping[str, object], rules: ProofRules) -> tuple[str | None, str | None]:
    """What became of the product because of the case, or why nothing did."""
    if body.get("exception") is None:
        if body.get("product_action") is None:
            exceptions = ", ".join(rules.exceptions)
            raise FieldError(
                "product_action", f"one of {', '.join(rules.product_actions)}; or an exception of {exceptions}"
            )
        return one_of(body, "product_action", rules.product_actions), None
    if body.get("product_action") is not None:
        raise FieldError("exception", "nothing, as there is a product_action")
    return None, one_of(body, "exception", rules.exceptions)


def _notice(body: Mapping[str, object], today: date) -> tuple[date | None, str | None]:
    """When the person was told, or why that is put off."""
    reason = body.get("deferral_reason")
    if reason is None:
        if body.get("notified_on") is None:
            raise FieldError(
                "notified_on", "the day on which the subject was told, as YYYY-MM-DD; or a deferral_reason"
            )
        return day(body, "notified_on", latest=today), None
    if body.get("notified_on") is not None:
        raise FieldError("deferral_reason", "nothing, as there is a notified_on")
    if not isinstance(reason, str) or not 0 < len(reason.strip()) <= len(reason) <= MAX_REASON_LENGTH:
        raise FieldError("deferral_reason", f"1 to {MAX_REASON_LENGTH} characters")
    if not reason.isprintable():
        raise FieldError("deferral_reason", "printable characters in one line")
    return None, reason
