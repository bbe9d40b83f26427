"""The invented claims: repeatable, as many as promised, and with the rings where the truth says they are."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from demo.market import RING_CLAIMS, Market, invent, monthly, read_rows

DATA = Path(__file__).parents[3] / "demo" / "data"
TODAY = dt.date(2026, 3, 1)


@pytest.fixture(scope="module")
def market() -> Market:
    """Return a market over the first 400 rows of each book."""
    books = {
        name: read_rows(DATA / f"febrl4_{end}.csv")[:400] for name, end in (("aldwick", "a"), ("brambledown", "b"))
    }
    return invent(books, TODAY, newcomer="corvane")


def people(claim: dict[str, object]) -> list[dict[str, str]]:
    """Return the persons among a claim's subjects."""
    subjects = claim["subjects"]
    assert isinstance(subjects, list)
    return [subject for subject in subjects if subject["kind"] == "person"]


def test_the_same_seed_gives_the_same_market(market: Market) -> None:
    """Two runs with one seed and one date are equal, claim by claim."""
    books = {
        name: read_rows(DATA / f"febrl4_{end}.csv")[:400] for name, end in (("aldwick", "a"), ("brambledown", "b"))
    }
    assert invent(books, TODAY, newcomer="corvane") == market


def test_a_quarter_of_each_book_claims(market: Market) -> None:
    """Each insurer has one claim for every four customers, and the claims of the rings besides."""
    for claims in market.claims.values():
        assert len(claims) == 400 // 4 + RING_CLAIMS * len(market.rings)
        assert len({claim["ref"] for claim in claims}) == len(claims)


def test_no_claim_carries_the_truth(market: Market) -> None:
    """The column that names the true person reaches no subject of any claim."""
    subjects = [subject for claims in market.claims.values() for claim in claims for subject in people(claim)]
    assert not any("cluster" in subject for subject in subjects)


def test_no_claim_lies_in_the_future(market: Market) -> None:
    """An incident comes before its notification, and neither after today."""
    for claims in market.claims.values():
        for claim in claims:
            facts = claim["claim"]
            assert isinstance(facts, dict)
            assert facts["incident_date"] <= facts["notification_date"] <= TODAY.isoformat()


def test_each_ring_shares_people_and_a_phone_across_insurers(market: Market) -> None:
    """All claims of a ring, at both insurers, hold as many people as the ring has, and they give one phone."""
    for ring in market.rings:
        assert len(ring.claims) == 2
        for name, references in ring.claims.items():
            staged = [claim for claim in market.claims[name] if claim["ref"] in references]
            assert len(staged) == RING_CLAIMS
            assert all(len(people(claim)) == ring.people for claim in staged)
            numbers = {
                person["phone"].removeprefix("+44 ").removeprefix("0") for claim in staged for person in people(claim)
            }
            assert len(numbers) == 1


def test_the_newcomer_is_asked_by_one_of_a_ring(market: Market) -> None:
    """The quote is of someone in the first ring: the street is the same, the phone is new to everyone."""
    staged = {reference for references in market.rings[0].claims.values() for reference in references}
    everyone = [subject for filed in market.claims.values() for claim in filed for subject in people(claim)]
    ring = [
        subject
        for filed in market.claims.values()
        for claim in filed
        if claim["ref"] in staged
        for subject in people(claim)
    ]
    quote = market.newcomer.quote
    assert quote["street"] in {person["street"] for person in ring}
    assert quote["phone"] not in {person["phone"] for person in everyone}


def test_the_newcomers_customers_carry_no_truth(market: Market) -> None:
    """Neither the true person nor another insurer's identifier is in the newcomer's extract."""
    assert not any("cluster" in row or "national_id" in row for row in market.newcomer.book)


def test_honest_volumes_are_those_of_the_books(market: Market) -> None:
    """A twelfth of the policies, and the claims of the invented weeks scaled to a month, line by line."""
    volumes = monthly(400, market.claims["aldwick"])
    assert volumes["motor/customer"] == 34
    claims = len(market.claims["aldwick"]) * 30.4 / 80
    assert abs(volumes["motor/claim"] + volumes["home/claim"] - claims) <= 1
    assert monthly(60, market.newcomer.claims).keys() == {"motor/customer", "motor/claim"}
