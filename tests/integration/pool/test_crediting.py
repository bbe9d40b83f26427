"""What filings count for: what later versions take back, and what decisions on filings do not say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask.testing import FlaskClient

from matching.vocabulary import RECORD_CLASSES
from repository.services import Services
from tests.integration.pool.conftest import Desk
from tests.support.clock import FakeClock
from tests.support.encodings import filing, subject
from tests.support.members import Admissions
from tests.support.rulebooks import use_rules


def log_in(desk: Desk) -> None:
    """Log in again."""
    body = {
        "grant_type": "client_credentials",
        "client_id": desk.member.client_id,
        "client_secret": desk.member.client_secret,
    }
    token = desk.client.post("/v1/auth/token", json=body).get_json()["access_token"]
    desk.member = replace(desk.member, access_token=token)


def test_a_record_that_is_emptied_is_no_contribution_any_more(alpha: Desk) -> None:
    """Filing whole records and leaving next to no keys of them in the pool takes back what they gave, line and all."""
    for reference in ("C-1", "C-2"):
        alpha.file(filing(reference, record_class="claim"))
    assert _motor(alpha)["tiers"]["proven"] == 3
    alpha.file(filing("C-1", subject("C-1", only=[0]), record_class="claim"))
    claims = _motor(alpha)["contributions"]
    assert [(each["class"], each["accepted_in_window"]) for each in claims] == [("claim", 1)]
    alpha.file(filing("C-2", subject("C-2", only=[0]), record_class="claim", line="home"))
    motor = _motor(alpha)
    assert (motor["contributions"], motor["may_screen"]) == ([], False)
    assert set(motor["tiers"].values()) == {0}


def test_a_record_that_was_thin_all_along_is_thin_once(alpha: Desk, clock: FakeClock) -> None:
    """Nor does emptying one whose filing the window is past touch what was filed since."""
    alpha.file(filing("C-0", record_class="claim"))
    clock.advance(days=100)
    log_in(alpha)
    for reference, only in (("C-1", [0]), ("C-1", [1]), ("C-2", None), ("C-0", [0])):
        alpha.file(filing(reference, subject(reference, only=only), record_class="claim"))
    (claims,) = (each for each in _motor(alpha)["classes"] if each["class"] == "claim")
    assert (claims["accepted"], claims["thin"]) == (1, 1)


def test_a_decision_on_a_filing_says_nothing_of_hits(
    alpha: Desk, client: FlaskClient, services: Services, member: Admissions
) -> None:
    """At tier 0 there are as many decisions for a record that meets another member's as for one that does not."""
    alpha.file(filing("X-1", subject("ann"), record_class="claim"))
    late = Desk(client, services, member("Late", declared={}))
    use_rules(services, "tiers.marks", **dict.fromkeys(RECORD_CLASSES, 0))
    listed = []
    for reference, who in (("P-1", "nobody"), ("P-2", "ann"), ("P-3", "somebody")):
        assert late.file(filing(reference, subject(who)))["hits"] == 0
        listed.append(len(late.get("/v1/decisions")["items"]))
    assert listed[1] - listed[0] == listed[2] - listed[1]


def _motor(desk: Desk) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in desk.get("/v1/standing")["lines"] if each["line"] == "motor")
    return found
