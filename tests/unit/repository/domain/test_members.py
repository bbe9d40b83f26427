"""Rule R1: who has a right to ask."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from repository.domain.members import Actor, Member, MemberStatus, Role, membership_refusal, query_refusal
from tests.support.rulebooks import DEFAULT_RULEBOOK

TODAY = date(2026, 3, 2)
RULES = DEFAULT_RULEBOOK.membership
GOOD = Member("mem_1", "Alpha", MemberStatus.ACTIVE, frozenset({"motor"}), TODAY, TODAY)


def test_an_active_attested_member_may_ask() -> None:
    """Active, signed and attested: no refusal."""
    assert query_refusal(GOOD, TODAY, RULES) is None


def test_an_attestation_holds_for_365_days() -> None:
    """The day after, it is too old, and the figures say since when."""
    assert query_refusal(GOOD, TODAY + timedelta(days=365), RULES) is None
    refusal = query_refusal(GOOD, TODAY + timedelta(days=366), RULES)
    assert refusal is not None
    assert refusal.rule == "R1"
    assert refusal.figures == {"attested_on": "2026-03-02", "holds_days": 365}
    assert "Attest again" in refusal.remedy


@pytest.mark.parametrize(
    ("change", "figures"),
    [
        ({"attested_on": None}, {"attested_on": None, "holds_days": 365}),
        ({"agreement_signed_on": None}, {"agreement_signed_on": None}),
        ({"agreement_signed_on": date(2026, 3, 3)}, {"agreement_signed_on": "2026-03-03"}),
        ({"status": MemberStatus.SUSPENDED}, {"status": "suspended"}),
        ({"status": MemberStatus.WITHDRAWN}, {"status": "withdrawn"}),
    ],
)
def test_what_is_missing_is_named(change: dict[str, object], figures: dict[str, object]) -> None:
    """Each missing part refuses by itself, with its figures and a remedy."""
    refusal = query_refusal(replace(GOOD, **change), TODAY, RULES)  # type: ignore[arg-type] # one field of any type
    assert refusal is not None
    assert refusal.figures == figures
    assert refusal.detail
    assert refusal.remedy


def test_membership_alone_asks_for_no_attestation() -> None:
    """What is not a query needs an active membership only."""
    assert membership_refusal(replace(GOOD, attested_on=None, agreement_signed_on=None)) is None


def test_an_operator_belongs_to_no_member() -> None:
    """`member_id` is None for those outside of membership."""
    assert Actor("act_1", frozenset({Role.OPERATOR})).member_id is None
    assert Actor("act_2", frozenset({Role.SCREENER}), GOOD).member_id == "mem_1"
