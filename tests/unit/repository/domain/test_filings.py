"""The facts of a filing: what is taken, and what is said of what is not."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from repository.domain.errors import FieldError
from repository.domain.filings import Accepts, Claim, StatedBasis, facts_from_json
from tests.support.rulebooks import DEFAULT_RULEBOOK

ACCEPTS = Accepts({"guarded/1": ("0123456789abcdef",)}, frozenset({"motor"}), date(2026, 3, 2), DEFAULT_RULEBOOK)


def customer(**changes: Any) -> dict[str, Any]:
    """A customer's facts, with some changed; None takes a field out."""
    body: dict[str, Any] = {
        "schema": "guarded/1",
        "fingerprint": "0123456789abcdef",
        "ref": "P-1",
        "class": "customer",
        "line": "motor",
        "date": "2026-03-01",
        "subjects": [],
    }
    return {name: value for name, value in (body | changes).items() if value is not None}


def claim(**changes: Any) -> dict[str, Any]:
    """A claim's facts."""
    facts = {
        "incident_date": "2026-02-26",
        "notification_date": "2026-02-27",
        "kind": "theft",
        "amount_band": "100k+",
        "status": "open",
    }
    return customer(**{"class": "claim", "claim": facts | changes})


def test_a_customer_has_no_claim() -> None:
    """The facts come back typed, and the claim is None."""
    facts = facts_from_json(customer(), ACCEPTS)
    assert (facts.reference, facts.record_class, facts.line) == ("P-1", "customer", "motor")
    assert facts.triggered_on == date(2026, 3, 1)
    assert facts.claim is None


def test_a_claim_keeps_its_facts() -> None:
    """A claim's facts come back typed, and as JSON as they were."""
    facts = facts_from_json(claim(), ACCEPTS)
    assert facts.claim == Claim(date(2026, 2, 26), date(2026, 2, 27), "theft", "100k+", "open")
    assert facts.claim.as_dict() == claim()["claim"]


@pytest.mark.parametrize(
    ("body", "stated", "told"),
    [
        (customer(), StatedBasis(), {}),
        (customer(basis={}), StatedBasis(), {}),
        (customer(basis={"customer_kind": "quote"}), StatedBasis("quote"), {"customer_kind": "quote"}),
        (
            customer(basis={"policy_end": "2060-02-29", "customer_kind": None}),
            StatedBasis("policy", date(2060, 2, 29)),
            {"customer_kind": "policy", "policy_end": "2060-02-29"},
        ),
        (
            claim(status="closed") | {"basis": {"closed_on": "2026-03-01"}},
            StatedBasis(None, date(2026, 3, 1)),
            {"closed_on": "2026-03-01"},
        ),
        (
            customer(**{"class": "proven", "basis": {"decided_on": "2024-02-29"}}),
            StatedBasis(None, date(2024, 2, 29)),
            {"decided_on": "2024-02-29"},
        ),
    ],
)
def test_a_filing_may_say_from_when_it_is_kept(body: dict[str, Any], stated: StatedBasis, told: dict[str, str]) -> None:
    """Whether a customer is a quote or a policy, and the end of a policy, past or ahead; a closure; a decision."""
    facts = facts_from_json(body, ACCEPTS)
    assert facts.basis == stated
    assert facts.basis.as_dict(facts.record_class) == told


@pytest.mark.parametrize(
    ("body", "field", "expected"),
    [
        (customer(basis="quote"), "basis", "an object of customer_kind, policy_end"),
        (customer(basis={"closed_on": "2026-03-01"}), "basis", "no other fields than customer_kind, policy_end"),
        (customer(basis={"customer_kind": "lead"}), "basis.customer_kind", "one of quote, policy"),
        (customer(basis={"policy_end": "soon"}), "basis.policy_end", "a date as YYYY-MM-DD"),
        (
            customer(basis={"policy_end": "2099-01-01"}),
            "basis.policy_end",
            "a date not after 2076-04-08 (by the pool's clock)",
        ),
        (
            customer(basis={"customer_kind": "quote", "policy_end": "2026-03-01"}),
            "basis.policy_end",
            "nothing, as basis.customer_kind is quote",
        ),
        (claim() | {"basis": {"closed_on": "2026-03-01"}}, "basis.closed_on", "nothing, as claim.status is open"),
        (
            claim(status="closed") | {"basis": {"closed_on": "2026-02-26"}},
            "basis.closed_on",
            "a date not before claim.notification_date",
        ),
        (
            claim(status="closed") | {"basis": {"closed_on": "2026-03-04"}},
            "basis.closed_on",
            "a date not after 2026-03-03 (by the pool's clock)",
        ),
        (
            customer(**{"class": "proven", "basis": {"decided_on": "2026-03-04"}}),
            "basis.decided_on",
            "a date not after 2026-03-03 (by the pool's clock)",
        ),
        (
            customer(**{"class": "victim", "basis": {"decided_on": "2026-03-01"}}),
            "basis",
            "nothing, as the class is victim",
        ),
    ],
)
def test_what_does_not_say_from_when_is_named(body: dict[str, Any], field: str, expected: str) -> None:
    """Each field by its path, with what is expected there."""
    with pytest.raises(FieldError) as caught:
        facts_from_json(body, ACCEPTS)
    assert (caught.value.field, caught.value.expected) == (field, expected)


def test_an_amount_band_may_be_unknown() -> None:
    """Without one the claim is taken, and shows none."""
    facts = facts_from_json(claim(amount_band=None), ACCEPTS)
    assert facts.claim is not None
    assert "amount_band" not in facts.claim.as_dict()


@pytest.mark.parametrize(
    ("body", "field", "expected"),
    [
        (customer(schema="guarded/9"), "schema", "guarded/1"),
        (customer(schema=None), "schema", "guarded/1"),
        (customer(fingerprint="fedcba9876543210"), "fingerprint", "another key"),
        (customer(fingerprint="0123"), "fingerprint", "16 hex digits"),
        (customer(ref=""), "ref", "1 to 64"),
        (customer(ref="x" * 65), "ref", "1 to 64"),
        (customer(ref="Müller"), "ref", "printable ASCII"),
        (customer(ref=" P-1"), "ref", "no spaces"),
        (customer(ref=17), "ref", "1 to 64"),
        (customer(**{"class": "suspicious"}), "class", "one of customer"),
        (customer(**{"class": ["customer"]}), "class", "one of customer"),
        (customer(line="pet"), "line", "motor"),
        (customer(line="marine"), "line", "one of motor"),
        (customer(date="01/03/2026"), "date", "YYYY-MM-DD"),
        (customer(date="2026-02-30"), "date", "exists"),
        (customer(date="1899-12-31"), "date", "from 1900"),
        (customer(date="2027-03-04"), "date", "not after 2027-03-03"),
        (customer(**{"class": "suspected", "date": "2026-03-04"}), "date", "not after 2026-03-03"),
        (customer(claim={"kind": "theft"}), "claim", "nothing"),
        (customer(**{"class": "claim"}), "claim", "the facts of the claim"),
        (customer(given_name="Ann"), "(record)", "no other fields"),
        (claim(victim="Ann"), "claim", "no other fields"),
        (claim(kind="arson"), "claim.kind", "one of theft"),
        (claim(amount_band="3k"), "claim.amount_band", "one of 0-1k"),
        (claim(status="new"), "claim.status", "one of open"),
        (claim(incident_date="2026-04-01"), "claim.incident_date", "not after"),
        (claim(notification_date="2026-02-25"), "claim.notification_date", "not before"),
    ],
)
def test_what_is_wrong_is_named(body: dict[str, Any], field: str, expected: str) -> None:
    """Each fault names its field and what was expected there."""
    with pytest.raises(FieldError) as caught:
        facts_from_json(body, ACCEPTS)
    assert caught.value.field == field
    assert expected in caught.value.expected


def test_an_error_never_shows_the_value() -> None:
    """Neither the text of the error nor its parts hold what was sent."""
    for name in ("ref", "class", "line", "date", "schema", "fingerprint"):
        with pytest.raises(FieldError) as caught:
            facts_from_json(customer(**{name: "Secret Name é"}), ACCEPTS)
        assert "Secret" not in str(caught.value)


def test_an_unknown_field_is_not_repeated() -> None:
    """The name of a field that nobody knows may hold data, too."""
    with pytest.raises(FieldError) as caught:
        facts_from_json(customer(**{"Ann Smith": 1}), ACCEPTS)
    assert "Ann" not in str(caught.value)


def test_a_fast_clock_is_borne_for_a_day() -> None:
    """A claim notified tomorrow by the member's clock is taken; a policy may start within a year."""
    facts_from_json(claim(notification_date="2026-03-03"), ACCEPTS)
    facts_from_json(customer(date="2026-12-31"), ACCEPTS)


def test_a_member_without_lines_files_nothing() -> None:
    """The remedy is said rather than an empty list."""
    none = Accepts(ACCEPTS.fingerprints, frozenset(), ACCEPTS.today, DEFAULT_RULEBOOK)
    with pytest.raises(FieldError, match="it has none"):
        facts_from_json(customer(), none)
