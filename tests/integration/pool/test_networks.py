"""Networks of claims: linked as they are filed, and reported to who has part in them, as far as each may see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from repository.domain.flags import Flag
from repository.jobs.running import JobWorker
from repository.services import Services, corrections, linking, unlinking
from repository.services.lifecycle import Act
from repository.storage import networks
from repository.storage.filings import FILINGS
from repository.storage.networks import CLAIMS, FINDING_CLAIMS, FINDINGS, LINKS, PROVIDERS
from tests.integration.pool.conftest import Desk
from tests.support.encodings import claim, filing, subject
from tests.support.members import Admissions
from tests.support.rulebooks import use_rules


@pytest.fixture(autouse=True)
def soon(services: Services, alpha: Desk, beta: Desk) -> None:
    """Little is enough to be reported."""
    use_rules(services, "networks", raise_at=13.0)


@pytest.fixture
def gamma(client: FlaskClient, services: Services, member: Admissions) -> Desk:
    """A third member in motor."""
    return Desk(client, services, member("Gamma", lines=("motor",)))


def work(services: Services) -> int:
    """Do what is due."""
    return JobWorker(services).run_pending()


def staged(reference: str, day: int, *cast: str, firms: Sequence[str] = ("g", "s")) -> dict[str, Any]:
    """A claim of an incident on a day, with people in the roles of a staged accident."""
    roles = ("claimant", "passenger", "third_party", "witness")
    people = [subject(who, role=role) for who, role in zip(cast, roles, strict=False)]
    providers = [
        subject(firm, kind="organisation", role=role)
        for firm, role in zip(firms, ("garage", "solicitor"), strict=False)
    ]
    said = claim(incident_date=f"2026-01-{day:02d}", kind="injury")
    return filing(reference, *people, *providers, record_class="claim", claim=said)


def ring(alpha: Desk, beta: Desk) -> None:
    """Three people who act in three accidents, in other roles each time, at two insurers."""
    alpha.file(staged("A-1", 3, "ann", "bob", "cid"))
    beta.file(staged("B-1", 9, "bob", "cid", "ann"))
    alpha.file(staged("A-2", 20, "cid", "ann", "bob"))


def withdraw(services: Services, desk: Desk, reference: str) -> None:
    """Have a member withdraw a claim."""
    with services.database.reading() as connection:
        filing_id = connection.execute(select(FILINGS.c.id).where(FILINGS.c.reference == reference)).scalar_one()
    path, body = f"/v1/filings/{filing_id}/withdrawal", {"reason": "duplicate"}
    answer = desk.client.post(path, json=body, headers=desk.member.headers)
    assert answer.status_code == 200, answer.get_json()


def count(services: Services, table: Any) -> int:
    """How many rows a table has."""
    with services.database.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def test_a_ring_across_members_is_raised_in_the_batch_that_completes_it(
    services: Services, alpha: Desk, beta: Desk
) -> None:
    """Nothing after the second claim; after the third each member with a claim in it has one finding."""
    alpha.file(staged("A-1", 3, "ann", "bob", "cid"))
    beta.file(staged("B-1", 9, "bob", "cid", "ann"))
    work(services)
    assert count(services, FINDINGS) == 0
    alpha.file(staged("A-2", 20, "cid", "ann", "bob"))
    work(services)
    assert count(services, FINDINGS) == 2


def test_each_member_sees_the_claims_of_a_ring(services: Services, alpha: Desk, beta: Desk) -> None:
    """Own claims with their references, the other's with its facts; what links them; and the patterns in words."""
    ring(alpha, beta)
    work(services)
    (summary,) = alpha.get("/v1/networks")["items"]
    assert (summary["claims"], summary["members"]) == (3, 2)
    told = alpha.get(f"/v1/networks/{summary['id']}")
    assert [each.get("reference") for each in told["nodes"]] == ["A-1", "A-2", None]
    assert told["nodes"][2]["contributor"] == "Beta"
    assert {(each["from"], each["to"]) for each in told["edges"]} == {(0, 1), (0, 2), (1, 2)}
    assert told["edges"][0]["shared"] == ["person"]
    assert "staged_ring" in summary["patterns"]
    assert "3 people of several households" in str([each["says"] for each in told["rules"]])
    case = alpha.get("/v1/cases")["items"][0]
    assert alpha.get(f"/v1/cases/{case['id']}/networks")["items"] == [summary]
    (alert,) = alpha.get("/v1/alerts?kind=network.raised")["items"]
    assert alert["about"] == {"network": summary["id"]}
    beta.get(f"/v1/networks/{summary['id']}", status=404)


def test_nothing_is_told_of_a_network_by_claims_of_which_only_a_hit_may_be_told(
    services: Services, alpha: Desk, beta: Desk
) -> None:
    """The other's claims red or grey: at tier 0 and 1 there is no network, no alert, and nothing under its id."""
    ring(alpha, beta)
    work(services)
    (seen,) = alpha.get("/v1/networks")["items"]
    for tlp in ("red", "amber_strict"):
        beta.file(staged("B-1", 9, "bob", "cid", "ann") | {"labels": {"tlp": tlp}})
        if tlp == "red":
            assert alpha.get("/v1/networks")["items"] == []
            alpha.get(f"/v1/networks/{seen['id']}", status=404)
            assert alpha.get("/v1/alerts?kind=network.raised")["items"] == []


def test_a_twin_without_the_hidden_claims_is_told_the_same(
    services: Services, alpha: Desk, beta: Desk, gamma: Desk
) -> None:
    """Hidden claims of a third member, with the same people and the same garage, change nothing of what is told."""
    ring(alpha, beta)
    work(services)
    (before,) = alpha.get("/v1/networks")["items"]
    whole = alpha.get(f"/v1/networks/{before['id']}")
    for number in range(3):
        hidden = staged(f"C-{number}", 10 + 5 * number, "ann", "bob", "cid") | {"labels": {"tlp": "red"}}
        gamma.file(hidden)
    work(services)
    assert alpha.get("/v1/networks")["items"] == [before]
    assert alpha.get(f"/v1/networks/{before['id']}") == whole
    assert len(alpha.get("/v1/alerts?kind=network.raised")["items"]) == 1


def test_a_claim_that_is_withdrawn_leaves_nothing(services: Services, alpha: Desk, beta: Desk) -> None:
    """At once it is in no answer; with the others gone, too, no row of any table of networks is left."""
    ring(alpha, beta)
    work(services)
    for desk, references in ((alpha, ("A-1", "A-2")), (beta, ("B-1",))):
        for reference in references:
            withdraw(services, desk, reference)
            assert alpha.get("/v1/networks")["items"] == []
    work(services)
    assert [count(services, table) for table in (LINKS, CLAIMS, FINDINGS, FINDING_CLAIMS, PROVIDERS)] == [0] * 5


def test_a_pair_that_was_ruled_out_makes_no_network(services: Services, alpha: Desk, beta: Desk) -> None:
    """Found not to be the same by one member, the pairs do not count for it; for the other they do."""
    ring(alpha, beta)
    work(services)
    for hit in alpha.hits():
        body = {"outcome": "not_same"}
        answer = alpha.client.post(f"/v1/hits/{hit['id']}/outcome", json=body, headers=alpha.member.headers)
        assert answer.status_code < 300, answer.get_json()
    assert alpha.get("/v1/networks")["items"] == []
    assert len(beta.get("/v1/networks")["items"]) == 1


def test_a_claim_costs_what_its_neighbourhood_costs(services: Services, alpha: Desk, beta: Desk) -> None:
    """With ten times as many strangers in the pool as many records are compared, and claims put together anew."""
    costs = []
    for size in (10, 100):
        strangers = [staged(f"S-{size}-{n}", 1, f"x{size}-{n}", f"y{size}-{n}") for n in range(size)]
        alpha.batch(strangers, key=f"key-{size}")
        for number, desk in enumerate((alpha, beta, alpha)):
            desk.file(staged(f"R-{size}-{number}", 3 + number * 9, *(f"{who}{size}" for who in ("ann", "bob", "cid"))))
        with services.database.reading() as connection:
            ids = list(connection.execute(select(FILINGS.c.id).where(FILINGS.c.reference == f"R-{size}-2")).scalars())
        work(services)
        with services.database.writing() as connection:
            found = linking.find(services, connection, ids)
            linking.settle(services, connection, found)
        costs.append((found.compared, len(found.links), found.regrouped))
    assert costs[0] == costs[1] == (6, 6, 3)


def test_a_suppressed_claim_is_linked_no_more(services: Services, alpha: Desk, beta: Desk) -> None:
    """Its links go, and with them what the other was told; lifted, they are there again."""
    ring(alpha, beta)
    work(services)
    with services.database.reading() as connection:
        filing_id = connection.execute(select(FILINGS.c.id).where(FILINGS.c.reference == "B-1")).scalar_one()
    for word, links, told in ((Flag.SUPPRESSED, 3, 0), (None, 9, 1)):
        with services.database.writing() as connection:
            act = Act(services.clock())
            corrections.flag(services, connection, act, filing_id, word, cause="dsp_1")
        work(services)
        assert (count(services, LINKS), len(alpha.get("/v1/networks")["items"])) == (links, told)


def test_claims_are_linked_anew_by_command(services: Services, alpha: Desk, beta: Desk) -> None:
    """With the same links, networks and findings, and the same count of providers."""
    ring(alpha, beta)
    work(services)
    before = [count(services, table) for table in (LINKS, CLAIMS, FINDINGS, PROVIDERS)]
    with services.database.writing() as connection:
        networks.forget_providers(connection)
    assert unlinking.queue_all(services) == 3
    work(services)
    assert [count(services, table) for table in (LINKS, CLAIMS, FINDINGS, PROVIDERS)] == before
