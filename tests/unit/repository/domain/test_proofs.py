"""A proof as it is entered: four pillars, and whether the subject was told."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from repository.domain.errors import FieldError
from repository.domain.proofs import Proof, ProofState, proof_from_json, state
from tests.support.proofs import proof
from tests.support.rulebooks import DEFAULT_RULEBOOK

TODAY = date(2026, 3, 2)


def read(**changes: Any) -> Proof:
    """A proof with changes; None leaves a field out."""
    return proof_from_json(proof(**{"reference": "S-1"} | changes), TODAY, DEFAULT_RULEBOOK.proof)


def test_a_whole_proof_is_read() -> None:
    """The pillars, the place of the evidence, and the day on which the subject was told."""
    assert read() == Proof("S-1", "claim_fraud", "refused", None, "case file 17", date(2026, 2, 27), None)


def test_an_exception_and_a_deferral_stand_in() -> None:
    """For the product's end, and for telling the subject."""
    found = read(
        product_action=None, exception="vulnerable_customer", notified_on=None, deferral_reason="police ask so"
    )
    assert (found.product_action, found.exception) == (None, "vulnerable_customer")
    assert (found.notified_on, found.deferral_reason) == (None, "police ask so")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"grounds": None}, "grounds"),
        ({"grounds": False}, "grounds"),
        ({"grounds": 1}, "grounds"),
        ({"grounds": "true"}, "grounds"),
        ({"evidence": None}, "evidence"),
        ({"evidence": False}, "evidence"),
        ({"case_type": None}, "case_type"),
        ({"case_type": "rudeness"}, "case_type"),
        ({"product_action": None}, "product_action"),
        ({"product_action": "shouted"}, "product_action"),
        ({"exception": "vulnerable_customer"}, "exception"),
        ({"product_action": None, "exception": "laziness"}, "exception"),
        ({"reference": None}, "reference"),
        ({"reference": "é"}, "reference"),
        ({"evidence_reference": None}, "evidence_reference"),
        ({"evidence_reference": "x" * 65}, "evidence_reference"),
        ({"notified_on": None}, "notified_on"),
        ({"notified_on": "2026-03-03"}, "notified_on"),
        ({"notified_on": "2026-02-30"}, "notified_on"),
        ({"deferral_reason": "police ask so"}, "deferral_reason"),
        ({"notified_on": None, "deferral_reason": " "}, "deferral_reason"),
        ({"notified_on": None, "deferral_reason": "x" * 201}, "deferral_reason"),
        ({"notified_on": None, "deferral_reason": "a\x00b"}, "deferral_reason"),
        ({"notified_on": None, "deferral_reason": 7}, "deferral_reason"),
        ({"name": "Ann Smith"}, "(record)"),
    ],
)
def test_what_is_missing_or_wrong_is_named(changes: dict[str, Any], field: str) -> None:
    """Each pillar, each choice of one of two, and every other field."""
    with pytest.raises(FieldError) as caught:
        read(**changes)
    assert caught.value.field == field


@pytest.mark.parametrize("reason", ["x", "x" * 200])
def test_a_deferral_reason_has_one_to_two_hundred_characters(reason: str) -> None:
    """Both ends."""
    assert read(notified_on=None, deferral_reason=reason).deferral_reason == reason


def test_told_today_is_not_in_the_future() -> None:
    """The last day that is taken."""
    assert read(notified_on="2026-03-02").notified_on == TODAY


def test_a_withdrawn_proof_is_withdrawn_whether_or_not_it_was_approved() -> None:
    """Withdrawal comes last."""
    assert state(approved=False, withdrawn=False) is ProofState.ENTERED
    assert state(approved=True, withdrawn=False) is ProofState.APPROVED
    assert state(approved=False, withdrawn=True) is ProofState.WITHDRAWN
    assert state(approved=True, withdrawn=True) is ProofState.WITHDRAWN
