"""Members, the actors who work for them, and rule R1: who has a right to ask at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from repository.domain.rulebook import MembershipRules, SubscriberClass

NUMBER_BITS = 12
MOST_MEMBERS = 2**NUMBER_BITS - 1
"""Members that a scheme can admit in all: a member's number fits into `NUMBER_BITS` bits."""


class MemberStatus(StrEnum):
    """Where a membership stands: R6 suspends it (it may still file, correct and answer), and it may be left."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    WITHDRAWN = "withdrawn"


class Role(StrEnum):
    """What an actor may do. The first four belong to a member; operators and auditors stand outside of membership."""

    SCREENER = "screener"
    CONTRIBUTOR = "contributor"
    INVESTIGATOR = "investigator"
    MEMBER_ADMIN = "member_admin"
    OPERATOR = "operator"
    AUDITOR = "auditor"


MEMBER_ROLES = frozenset({Role.SCREENER, Role.CONTRIBUTOR, Role.INVESTIGATOR, Role.MEMBER_ADMIN})


@dataclass(frozen=True, slots=True)
class Member:
    """An organisation in the scheme. `lines` are the lines of business it takes part in.

    `number`, from 1 to MOST_MEMBERS, stands for it where an id is too long; 0 in a member that has no records.
    `subscriber` is set for those who never contribute and ask under a grant (R7).
    """

    id: str
    name: str
    status: MemberStatus
    lines: frozenset[str] = frozenset()
    agreement_signed_on: date | None = None
    attested_on: date | None = None
    number: int = 0
    subscriber: SubscriberClass | None = None


@dataclass(frozen=True, slots=True)
class Actor:
    """A person or a program that acts; `member` is None for operators and auditors."""

    id: str
    roles: frozenset[Role]
    member: Member | None = None

    @property
    def member_id(self) -> str | None:
        """The id of the actor's member, if it has one."""
        return self.member.id if self.member else None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a right is not there: the rule, the figures it used, and what would change the answer."""

    rule: str
    detail: str
    remedy: str
    figures: dict[str, str | int | float | None] = field(default_factory=dict)


def membership_refusal(member: Member) -> Refusal | None:
    """R1, its first part: an active membership. None when there is one."""
    if member.status is MemberStatus.ACTIVE:
        return None
    remedy = "Ask the operator of the scheme to reinstate the membership."
    if member.status is MemberStatus.WITHDRAWN:
        remedy = (
            "A withdrawn membership is not resumed: apply to the operator of the scheme again, to contribute first."
        )
    return Refusal("R1", f"The membership is {member.status}.", remedy, {"status": member.status.value})


def query_refusal(member: Member, today: date, rules: MembershipRules) -> Refusal | None:
    """R1 in full: active, the agreement signed, and attested not too long ago. None when all hold."""
    refusal = membership_refusal(member)
    if refusal:
        return refusal
    if member.agreement_signed_on is None or member.agreement_signed_on > today:
        signed_on = member.agreement_signed_on.isoformat() if member.agreement_signed_on else None
        return Refusal(
            "R1",
            "The scheme's agreement is not in force for this member.",
            "Sign the agreement and have the operator record the date.",
            {"agreement_signed_on": signed_on},
        )
    if member.attested_on is None or today - member.attested_on > timedelta(days=rules.attestation_days):
        attested_on = member.attested_on.isoformat() if member.attested_on else None
        return Refusal(
            "R1",
            "The member's yearly attestation is missing or too old.",
            f"Attest again: an attestation holds for {rules.attestation_days} days.",
            {"attested_on": attested_on, "holds_days": rules.attestation_days},
        )
    return None
