"""Nobody reads what others filed but by an entitlement: every endpoint says what it tells, and is held to it.

An endpoint that is new fails here until it is entered; one that tells of others fails unless it is decided on.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

import repository
from repository.domain import ids
from repository.jobs.running import JobWorker
from repository.jobs.worker import IntakeWorker
from repository.services import Services, entitlements
from repository.storage.decisions import DECISIONS
from repository.storage.filings import FILINGS, MEMBERS
from tests.support.clock import FakeClock
from tests.support.encodings import claim, filing, ndjson, question, subject
from tests.support.exchange import waiting
from tests.support.members import Admissions, TestMember
from tests.support.rulebooks import use_rules


class Tells(Enum):
    """Whose data an endpoint tells: that of other members, by tier; only the own; what anyone may know; cases.

    MEMBERS is what members know of each other: their public keys, with their names, and how quickly they answer.
    OWN is the caller's own filings, membership, disputes and requests, and what was said of hits that it was shown.
    PERSON is of one person, who is told it through any member, the same whatever that one may see: held to in
    pool/test_subject_requests.py. OFFICE is what operators are there for.
    """

    POOL = "pool"
    OWN = "own"
    PUBLIC = "public"
    MEMBERS = "members"
    PERSON = "person"
    OFFICE = "office"


ENDPOINTS = {
    "GET /.well-known/jwks.json": Tells.PUBLIC,
    "GET /livez": Tells.PUBLIC,
    "GET /readyz": Tells.PUBLIC,
    "GET /metrics": Tells.OFFICE,
    "GET /v1/admin/hot-keys": Tells.OFFICE,
    "GET /rulebook": Tells.PUBLIC,
    "GET /rulebook/<version>": Tells.PUBLIC,
    "GET /v1/docs": Tells.PUBLIC,
    "GET /v1/docs/<name>": Tells.PUBLIC,
    "GET /v1/openapi.json": Tells.PUBLIC,
    "GET /v1/problems/<slug>": Tells.PUBLIC,
    "GET /v1/rulebook": Tells.PUBLIC,
    "GET /v1/rulebook.toml": Tells.PUBLIC,
    "GET /v1/rulebook/<version>": Tells.PUBLIC,
    "GET /v1/scheme": Tells.PUBLIC,
    "GET /v1/retention": Tells.PUBLIC,
    "GET /v1/retention/expiring": Tells.OWN,
    "POST /v1/filings/<filing_id>/renewal": Tells.OWN,
    "POST /v1/filings/<filing_id>/holds": Tells.OWN,
    "GET /v1/holds": Tells.OWN,
    "POST /v1/holds/<hold_id>/release": Tells.OWN,
    "POST /v1/auth/token": Tells.PUBLIC,
    "POST /v1/auth/refresh": Tells.OWN,
    "POST /v1/auth/revoke": Tells.OWN,
    "POST /v1/screenings": Tells.POOL,
    "POST /v1/screenings/bulk": Tells.POOL,
    "GET /v1/watches": Tells.OWN,
    "POST /v1/watches/<watch_id>/end": Tells.OWN,
    "POST /v1/watches/<watch_id>/renewal": Tells.POOL,
    "GET /v1/alerts": Tells.POOL,
    "GET /v1/alerts/digest": Tells.POOL,
    "PUT /v1/alerts/digest": Tells.OWN,
    "DELETE /v1/alerts/digest": Tells.OWN,
    "GET /v1/rescreens/schedule": Tells.OWN,
    "PUT /v1/rescreens/schedule": Tells.OWN,
    "DELETE /v1/rescreens/schedule": Tells.OWN,
    "POST /v1/alerts/read": Tells.OWN,
    "POST /v1/alerts/<alert_id>/acknowledgement": Tells.OWN,
    "POST /v1/alerts/<alert_id>/snooze": Tells.OWN,
    "GET /v1/hits": Tells.POOL,
    "GET /v1/hits/<hit_id>": Tells.POOL,
    "GET /v1/networks": Tells.POOL,
    "GET /v1/networks/<network_id>": Tells.POOL,
    "GET /v1/cases/<case_id>/networks": Tells.POOL,
    "GET /v1/cases": Tells.POOL,
    "GET /v1/cases/<case_id>": Tells.POOL,
    "POST /v1/cases/next": Tells.POOL,
    "POST /v1/cases/search": Tells.POOL,
    "POST /v1/cases/<case_id>/moves": Tells.OWN,
    "POST /v1/cases/<case_id>/notes": Tells.OWN,
    "POST /v1/cases/<case_id>/finding": Tells.OWN,
    "POST /v1/cases/<case_id>/finding/decision": Tells.OWN,
    "POST /v1/cases/assignments": Tells.OWN,
    "POST /v1/hits/<hit_id>/outcome": Tells.OWN,
    "DELETE /v1/hits/<hit_id>/outcome": Tells.OWN,
    "POST /v1/filings": Tells.POOL,  # how many hits there are
    "GET /v1/filings/<filing_id>": Tells.OWN,
    "POST /v1/filings/<filing_id>/withdrawal": Tells.OWN,
    "GET /v1/deletions": Tells.OWN,
    "GET /v1/filings/<filing_id>/deletion": Tells.OWN,
    "POST /v1/batches": Tells.POOL,  # the same, once it is taken in
    "GET /v1/batches": Tells.OWN,
    "GET /v1/batches/<batch_id>": Tells.OWN,
    "POST /v1/batches/<batch_id>/cancel": Tells.OWN,
    "POST /v1/uploads": Tells.OWN,
    "GET /v1/uploads/<upload_id>": Tells.OWN,
    "PATCH /v1/uploads/<upload_id>": Tells.OWN,
    "DELETE /v1/uploads/<upload_id>": Tells.OWN,
    "POST /v1/rescreens": Tells.POOL,  # how many hits there are, once it is done
    "GET /v1/rescreens": Tells.OWN,
    "GET /v1/rescreens/<rescreen_id>": Tells.OWN,
    "POST /v1/rescreens/<rescreen_id>/cancel": Tells.OWN,
    "GET /v1/keys/epochs": Tells.OWN,
    "GET /v1/keys/recipients": Tells.MEMBERS,
    "PUT /v1/keys/recipient": Tells.OWN,
    "DELETE /v1/keys/recipient": Tells.OWN,
    "POST /v1/keys/offers": Tells.OWN,
    "GET /v1/keys/offers": Tells.OWN,
    "GET /v1/keys/offers/<offer_id>": Tells.OWN,
    "DELETE /v1/keys/offers/<offer_id>": Tells.OWN,
    "POST /v1/keys/offers/<offer_id>/acceptance": Tells.OWN,
    "POST /v1/webhooks": Tells.OWN,
    "GET /v1/webhooks": Tells.OWN,
    "GET /v1/webhooks/<webhook_id>": Tells.OWN,
    "PATCH /v1/webhooks/<webhook_id>": Tells.OWN,
    "DELETE /v1/webhooks/<webhook_id>": Tells.OWN,
    "POST /v1/webhooks/<webhook_id>/secret": Tells.OWN,
    "DELETE /v1/webhooks/<webhook_id>/secret/old": Tells.OWN,
    "GET /v1/webhooks/<webhook_id>/deliveries": Tells.OWN,
    "POST /v1/webhooks/<webhook_id>/deliveries/<delivery_id>/retry": Tells.OWN,
    "POST /v1/proofs": Tells.OWN,
    "GET /v1/proofs": Tells.OWN,
    "GET /v1/proofs/<proof_id>": Tells.OWN,
    "POST /v1/proofs/<proof_id>/approval": Tells.OWN,
    "POST /v1/proofs/<proof_id>/withdrawal": Tells.OWN,
    "POST /v1/disclosures": Tells.POOL,  # that there is a record of which more may be had
    "GET /v1/disclosures": Tells.OWN,
    "GET /v1/disclosures/response-times": Tells.MEMBERS,
    "GET /v1/disclosures/<disclosure_id>": Tells.OWN,
    "POST /v1/disclosures/<disclosure_id>/approval": Tells.OWN,
    "POST /v1/disclosures/<disclosure_id>/refusal": Tells.OWN,
    "POST /v1/disclosures/<disclosure_id>/escalation": Tells.OWN,
    "POST /v1/disclosures/<disclosure_id>/withdrawal": Tells.OWN,
    "GET /v1/disclosures/<disclosure_id>/sealed": Tells.POOL,
    "POST /v1/disclosures/<disclosure_id>/receipt": Tells.OWN,
    "GET /v1/corrections": Tells.OWN,
    "GET /v1/corrections/<correction_id>": Tells.OWN,
    "POST /v1/corrections/<correction_id>/acknowledgement": Tells.OWN,
    "GET /v1/corrections/<correction_id>/trail": Tells.OWN,
    "PUT /v1/filings/<filing_id>/notice": Tells.OWN,
    "DELETE /v1/filings/<filing_id>/notice": Tells.OWN,
    "POST /v1/subject-requests": Tells.OWN,
    "GET /v1/subject-requests": Tells.OWN,
    "GET /v1/subject-requests/<request_id>": Tells.OWN,
    "POST /v1/subject-requests/<request_id>/confirmation": Tells.OWN,
    "POST /v1/subject-requests/<request_id>/withdrawal": Tells.OWN,
    "POST /v1/subject-requests/<request_id>/end": Tells.OWN,
    "GET /v1/subject-requests/<request_id>/report": Tells.PERSON,
    "GET /v1/subject-requests/<request_id>/report.pdf": Tells.PERSON,
    "GET /v1/subject-parts": Tells.OWN,
    "GET /v1/subject-parts/<part_id>": Tells.OWN,
    "POST /v1/subject-parts/<part_id>/deferral": Tells.OWN,
    "POST /v1/subject-parts/<part_id>/decision": Tells.OWN,
    "GET /v1/refutations": Tells.OWN,
    "POST /v1/refutations/<refutation_id>/answer": Tells.OWN,
    "POST /v1/disputes": Tells.OWN,
    "GET /v1/disputes": Tells.OWN,
    "GET /v1/disputes/<dispute_id>": Tells.OWN,
    "POST /v1/disputes/<dispute_id>/answer": Tells.OWN,
    "GET /v1/standing": Tells.OWN,
    "GET /v1/decisions": Tells.OWN,
    "GET /v1/decisions/<decision_id>": Tells.OWN,
    "GET /v1/membership": Tells.OWN,
    "GET /v1/membership/history": Tells.OWN,
    "POST /v1/attestations": Tells.OWN,
    "POST /v1/declarations": Tells.OWN,
    "POST /v1/back-book": Tells.OWN,
    "POST /v1/withdrawal": Tells.OWN,
    "POST /v1/appeals": Tells.OWN,
    "GET /v1/appeals": Tells.OWN,
    "GET /v1/appeals/<appeal_id>": Tells.OWN,
    "POST /v1/appeals/<appeal_id>/decision": Tells.OFFICE,
    "POST /v1/applications": Tells.OFFICE,
    "GET /v1/applications": Tells.OFFICE,
    "GET /v1/applications/<application_id>": Tells.OFFICE,
    "POST /v1/applications/<application_id>/decision": Tells.OFFICE,
}
POOL = [name for name, tells in ENDPOINTS.items() if tells is Tells.POOL]
OWN_READS = [
    name for name, tells in ENDPOINTS.items() if tells is Tells.OWN and name.startswith("GET") and "<" not in name
]


def endpoints(app: Flask) -> set[str]:
    """Every method and address that is served, without converters."""
    found = set()
    for each in app.url_map.iter_rules():
        rule = each.rule.replace("<string:", "<")
        found |= {f"{method} {rule}" for method in (each.methods or set()) - {"HEAD", "OPTIONS"}}
    return found


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_every_endpoint_says_what_it_tells(app: Flask) -> None:
    """The table has every endpoint, and none that is gone."""
    served = endpoints(app)
    assert sorted(served - ENDPOINTS.keys()) == [], "new endpoints: enter what they tell, and see that it is entitled"
    assert sorted(ENDPOINTS.keys() - served) == []


@pytest.fixture
def pair(client: FlaskClient, member: Admissions) -> tuple[TestMember, TestMember]:
    """Two members that know a person in common, and hits between them."""
    alpha, beta = member("Alphonsine Mutual"), member("Bartholomew Mutual")
    for who, reference in ((beta, "BTH-1"), (alpha, "ALP-1")):
        answer = client.post("/v1/filings", json=filing(reference, subject("ann")), headers=who.headers)
        assert answer.status_code == 201, answer.get_json()
    return alpha, beta


Call = Callable[[FlaskClient, Services, TestMember], Any]


def _batch(client: FlaskClient, services: Services, member: TestMember) -> Any:
    sent = {"Content-Type": "application/x-ndjson", "Idempotency-Key": "one"}
    answer = client.post("/v1/batches", data=ndjson([filing("ALP-3", subject("ann"))]), headers=member.headers | sent)
    IntakeWorker(services).run_pending()
    return answer


def _rescreen(client: FlaskClient, services: Services, member: TestMember) -> Any:
    answer = client.post("/v1/rescreens", json={}, headers=member.headers)
    JobWorker(services).run_pending()
    return answer


def _bulk(client: FlaskClient, _: Services, member: TestMember) -> Any:
    asked = question("ann")
    body = {name: asked[name] for name in ("schema", "fingerprint", "purpose", "line")}
    body["screenings"] = [{"reference": "Q-1", "subject": asked["subject"]}]
    return client.post("/v1/screenings/bulk", json=body, headers=member.headers)


def _one_hit(client: FlaskClient, _: Services, member: TestMember) -> Any:
    (hit,) = client.get("/v1/hits", headers=member.headers).get_json()["items"]
    return client.get(f"/v1/hits/{hit['id']}", headers=member.headers)


def _gives_all(client: FlaskClient, member: TestMember) -> None:
    """Have a member give what lets it ask for detail, and a key to seal an answer to."""
    for place, each in enumerate(("claim", "suspected")):
        body = filing(f"ALP-{place + 7}", subject(f"gus-{place}"), record_class=each)
        assert client.post("/v1/filings", json=body, headers=member.headers).status_code == 201
    client.put("/v1/keys/recipient", json={"recipient": f"age1{'q' * 58}"}, headers=member.headers)


def _disclosure(client: FlaskClient, _: Services, member: TestMember) -> Any:
    hits = client.get("/v1/hits", headers=member.headers).get_json()["items"]
    _gives_all(client, member)
    missing = ids.make("hit", FakeClock()(), bytes(ids.RANDOM_BYTES))
    asking: dict[str, Any] = {"hit": hits[0]["id"] if hits else missing, "purpose": "investigation"}
    asking |= {"legal_power": "consent", "reference": "C-1", "items": ["amounts"]}
    asking |= {"third_party": False, "asked": "how much", "minimum": "no more"}
    return client.post("/v1/disclosures", json=asking, headers=member.headers)


def _sealed_answer(client: FlaskClient, services: Services, member: TestMember) -> Any:
    """One that waits, to a request put in beside the rules."""
    _gives_all(client, member)
    return client.get(f"/v1/disclosures/{waiting(services, member.id)}/sealed", headers=member.headers)


def _one_case(client: FlaskClient, _: Services, member: TestMember) -> Any:
    (case,) = client.get("/v1/cases", headers=member.headers).get_json()["items"]
    return client.get(f"/v1/cases/{case['id']}", headers=member.headers)


def _ring(client: FlaskClient, services: Services, member: TestMember) -> None:
    """Have a network reported: three claims of the member's with the same people, of which one is made another's."""
    use_rules(services, "networks", raise_at=10.0)
    roles = ("claimant", "passenger", "third_party")
    for number in range(3):
        cast = [subject(f"r{(place + number) % 3}", role=role) for place, role in enumerate(roles)]
        said = claim(incident_date=f"2026-01-{9 * number + 1:02d}")
        body = filing(f"RNG-{number}", *cast, record_class="claim", claim=said)
        assert client.post("/v1/filings", json=body, headers=member.headers).status_code == 201
    with services.database.writing() as connection:
        other = select(MEMBERS.c.id).where(MEMBERS.c.id != member.id).limit(1).scalar_subquery()
        connection.execute(update(FILINGS).where(FILINGS.c.reference == "RNG-1").values(member_id=other))
    JobWorker(services).run_pending()


def _networks(client: FlaskClient, _: Services, member: TestMember) -> Any:
    return client.get("/v1/networks", headers=member.headers)


def _one_network(client: FlaskClient, services: Services, member: TestMember) -> Any:
    (network,) = _networks(client, services, member).get_json()["items"]
    return client.get(f"/v1/networks/{network['id']}", headers=member.headers)


def _case_networks(client: FlaskClient, _: Services, member: TestMember) -> Any:
    (case,) = client.get("/v1/cases", headers=member.headers).get_json()["items"]
    return client.get(f"/v1/cases/{case['id']}/networks", headers=member.headers)


def _renewal(client: FlaskClient, _: Services, member: TestMember) -> Any:
    asked = question("ann", stands={"as": "policy"})
    stands = client.post("/v1/screenings", json=asked, headers=member.headers).get_json()["stands"]
    return client.post(f"/v1/watches/{stands['watch']}/renewal", json={}, headers=member.headers)


BEFORE = {"GET /v1/networks": _ring, "GET /v1/networks/<network_id>": _ring}
"""What is done before an endpoint is called, by others and by jobs."""
CALLS: dict[str, Call] = {
    "POST /v1/watches/<watch_id>/renewal": _renewal,
    "GET /v1/alerts/digest": lambda c, _, m: c.get("/v1/alerts/digest", headers=m.headers),
    "GET /v1/alerts": lambda c, _, m: c.get("/v1/alerts", headers=m.headers),
    "GET /v1/networks": _networks,
    "GET /v1/networks/<network_id>": _one_network,
    "GET /v1/cases/<case_id>/networks": _case_networks,
    "GET /v1/cases": lambda c, _, m: c.get("/v1/cases", headers=m.headers),
    "GET /v1/cases/<case_id>": _one_case,
    "POST /v1/cases/search": lambda c, _, m: c.post("/v1/cases/search", json={"q": "A-1"}, headers=m.headers),
    "POST /v1/cases/next": lambda c, _, m: c.post("/v1/cases/next", headers=m.headers),
    "POST /v1/disclosures": _disclosure,
    "GET /v1/disclosures/<disclosure_id>/sealed": _sealed_answer,
    "POST /v1/screenings": lambda c, _, m: c.post("/v1/screenings", json=question("ann"), headers=m.headers),
    "POST /v1/screenings/bulk": _bulk,
    "GET /v1/hits": lambda c, _, m: c.get("/v1/hits", headers=m.headers),
    "GET /v1/hits/<hit_id>": _one_hit,
    "POST /v1/filings": lambda c, _, m: c.post("/v1/filings", json=filing("ALP-2", subject("ann")), headers=m.headers),
    "POST /v1/batches": _batch,
    "POST /v1/rescreens": _rescreen,
}


@pytest.mark.parametrize("name", POOL)
def test_what_tells_of_others_is_decided_on(
    name: str,
    client: FlaskClient,
    services: Services,
    pair: tuple[TestMember, TestMember],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The one function is asked, for who calls, and its decision is stored with its standing before the answer."""
    alpha, _ = pair
    if name in BEFORE:
        BEFORE[name](client, services, alpha)
    asked = []
    original = entitlements.entitled

    def spy(*args: Any, **kwargs: Any) -> Any:
        granted = original(*args, **kwargs)
        asked.append(granted)
        return granted

    monkeypatch.setattr(entitlements, "entitled", spy)
    before = _decisions(services)
    assert CALLS[name](client, services, alpha).status_code in (200, 201, 202)
    stored = {each: row for each, row in _decisions(services).items() if each not in before}
    assert asked, "nothing was asked of the rules"
    assert stored.keys() == {each.id for each in asked}
    for row in stored.values():
        assert row["member_id"] == alpha.id
        assert row["allowed"]
        assert row["standing_id"]
        assert row["rulebook_digest"]


@pytest.mark.parametrize("name", POOL)
def test_what_tells_of_others_tells_nothing_where_nothing_is_entitled(
    name: str,
    client: FlaskClient,
    services: Services,
    pair: tuple[TestMember, TestMember],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With every tier at 0 no answer differs from that of an empty pool: no hit, no count, no name, no id."""
    alpha, beta = pair
    if name in BEFORE:
        BEFORE[name](client, services, alpha)
    hit_id = client.get("/v1/hits", headers=alpha.headers).get_json()["items"][0]["id"]
    case = client.get("/v1/cases", headers=alpha.headers).get_json()["items"][0] if "<case_id>" in name else {}
    original = entitlements.entitled

    def nothing(*args: Any, **kwargs: Any) -> Any:
        granted = original(*args, **kwargs)
        tiers = granted.entitlement.tiers
        return replace(granted, entitlement=replace(granted.entitlement, tiers=dict.fromkeys(tiers, 0)))

    monkeypatch.setattr(entitlements, "entitled", nothing)
    if name == "GET /v1/hits/<hit_id>":
        assert client.get(f"/v1/hits/{hit_id}", headers=alpha.headers).status_code == 404
        return
    if name == "GET /v1/cases/<case_id>":
        whole = client.get(f"/v1/cases/{case['id']}", headers=alpha.headers).get_json()
        assert (whole["hits"], whole["hit_count"], whole["band"], whole["classes"]) == ([], 0, None, [])
        assert whole["sightings"] == {"members": 0, "named": [], "classes": {}}
        return
    if name == "GET /v1/networks/<network_id>":
        assert _networks(client, services, alpha).get_json()["items"] == []
        return
    if name == "POST /v1/cases/next":
        assert client.post("/v1/cases/next", headers=alpha.headers).status_code == 204
        return
    answer = CALLS[name](client, services, alpha)
    told = answer.get_json()
    if name in ("POST /v1/batches", "POST /v1/rescreens"):
        told = client.get(f"{name.removeprefix('POST ')}/{told['id']}", headers=alpha.headers).get_json()
        assert told["status"] == "done"
    for each in told.get("results", [told]):
        assert each.get("hits", 0) in (0, [])
        assert each.get("items", []) == []
        assert each.get("answer", "clear") == "clear"
    assert beta.name not in answer.get_data(as_text=True)


@pytest.mark.parametrize("name", OWN_READS)
def test_what_tells_of_the_own_names_nobody_else(
    name: str, client: FlaskClient, pair: tuple[TestMember, TestMember]
) -> None:
    """Neither the other side's name nor id nor reference is in it, though there are hits between the two."""
    alpha, beta = pair
    answer = client.get(name.removeprefix("GET "), headers=alpha.headers)
    assert answer.status_code == 200, answer.get_json()
    for theirs in (beta.name, beta.id, "BTH-1"):
        assert theirs not in answer.get_data(as_text=True)


def _decisions(services: Services) -> dict[str, dict[str, Any]]:
    with services.database.reading() as connection:
        return {row["id"]: dict(row) for row in connection.execute(select(DECISIONS)).mappings()}


# The source: who may touch what others filed

OF_OTHERS = {
    "storage.hit_views": {"page", "one", "counts", "holders", "uncased", "of_cases", "in_cases", "visible"},
    "storage.hits": set(),
    "storage.filings": {"candidates", "held", "sealed"},
    "storage.index": {"look_up"},
    "services.pool": {"find", "hold", "link", "link_found", "open_subject", "open_evidence"},
    "services.hits": {"list_hits", "one_hit", "show", "visible_by"},
    "services.networks": {"load", "views", "told"},
    "services.network_reading": {"list_own", "one", "of_case"},
    "services.casefile": {"queue", "search", "one", "take_next", "decide"},
    "services.screening": {"screen", "screen_one"},
    "services.exchange_asking": {"ask", "fetch"},
}
"""Functions that give what other members filed, by module. Every other function of three of them is listed below."""
NOT_OF_OTHERS = {
    # Of filings that are being changed: who they hit is worked out, and told to nobody.
    "storage.hits": {"of_screenings", "pairs_of", "supersede", "comparable", "revive", "move", "add"},
    "storage.hit_views": set(),
    # Of one's own, by member, by own proof, or for what the intake itself has just read; `sample` is the operator's.
    "storage.filings": {
        "label_values",
        "labels_of",
        "label_columns",
        "with_labels",
        "by_reference",
        "of_member",
        "on_proof",
        "sample",
        "kinds_and_roles",
        "insert_filings",
        "update_filings",
        "note_batch",
        "insert_versions",
        "insert_subjects",
        "update_roles",
        "take_out_subjects",
    },
}
READERS = {
    "services.hits": {"storage.hit_views", "services.pool"},
    "services.screening": {"services.pool"},
    "services.shelving": {"services.pool"},  # puts keys back, and tells nothing
    "services.exchange_asking": {"storage.hit_views"},
    "services.foresight": {"services.pool"},  # its sightings are counted in services.crediting, by an entitlement
    "services.rescreening": {"services.pool"},
    "services.learning": {"services.pool"},  # rates of all that was judged, for the operator
    "services.monitoring": {"services.hits", "services.pool", "storage.filings"},
    "services.watches": {"services.screening"},
    "services.pool": {"storage.filings", "storage.index"},  # finds and scores; who calls it decides what is told
    "services.subject_search": {"services.pool", "storage.index"},  # for the person alone; no tier gives or takes it
    "services.casemaking": {"storage.hit_views"},  # by the reaches it is given
    "services.casefile": {"storage.hit_views", "services.hits"},
    "api.casework": {"services.casefile"},
    "services.alerting": {"services.hits", "services.networks"},
    "services.network_findings": {"services.networks"},
    "services.network_reading": {"services.networks"},
    "services.linking": {"storage.filings", "storage.index"},  # links claims, and tells nobody
    "api.networks": {"services.network_reading"},
    "api.hits": {"services.hits"},
    "api.screenings": {"services.screening"},
    "api.disclosures": {"services.exchange_asking"},
}
"""The modules that use them, and from where. Those that make an answer of them ask for an entitlement themselves."""
DECIDE = (
    *("services.rescreening", "services.hits", "services.screening", "services.crediting"),
    "services.exchange_asking",
    "services.monitoring",
    "services.network_findings",
    "services.network_reading",
)
TABLES = {"FILINGS", "VERSIONS", "SUBJECTS", "HITS", "HIT_SIDES"}
SOURCE = Path(repository.__file__).parent


def _modules(*packages: str) -> Iterator[tuple[str, ast.Module]]:
    for package in packages:
        for path in sorted((SOURCE / package).rglob("*.py")):
            yield ".".join(path.relative_to(SOURCE).with_suffix("").parts), ast.parse(path.read_text("utf-8"))


def _imports(module: ast.Module) -> Iterator[tuple[str, str, str]]:
    """(name here, module it is of, name there) of everything taken from the package `repository`."""
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("repository"):
            for alias in node.names:
                yield alias.asname or alias.name, (node.module or "")[len("repository") :].lstrip("."), alias.name


def _uses(module: ast.Module) -> set[tuple[str, str]]:
    """(module, function) of the functions in OF_OTHERS that a module names, however it imports them."""
    found, aliases = set(), {}
    for here, home, there in _imports(module):
        if there in OF_OTHERS.get(home, ()):
            found.add((home, there))
        aliases[here] = f"{home}.{there}"
    for node in ast.walk(module):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            home = aliases.get(node.value.id, "")
            if node.attr in OF_OTHERS.get(home, ()):
                found.add((home, node.attr))
    return found


def test_only_known_modules_read_what_others_filed() -> None:
    """Whoever uses a function that gives others' data is in the list, and everyone in the list still does."""
    found = {
        name: {home for home, _ in used}
        for name, module in _modules("api", "services", "jobs", "cli")
        if (used := _uses(module))
    }
    assert found == READERS


def test_what_makes_an_answer_of_it_asks_for_an_entitlement() -> None:
    """Hits, screenings and counts of hits name the service of entitlements; nothing else makes a tier of a standing."""
    modules = dict(_modules("services", "api"))
    for name in DECIDE:
        taken = {(home, there) for _, home, there in _imports(modules[name])}
        assert {("services", "entitlements"), ("services.entitlements", "decide")} & taken, name
    makers = {
        name
        for name, module in modules.items()
        if ("domain.entitlement", "entitle") in {i[1:] for i in _imports(module)}
    }
    assert makers <= {"services.entitlements", "services.replay", "services.rulebook_effects", "services.standing"}, (
        makers
    )


def test_tables_are_read_in_storage_only() -> None:
    """No view and no service builds a statement of its own over filings, subjects or hits."""
    for name, module in _modules("api", "services", "jobs"):
        assert not TABLES & {there for _, _, there in _imports(module)}, name


def test_every_function_over_filings_and_hits_is_told_apart() -> None:
    """A new function in storage.hits, storage.hit_views or storage.filings says whether it gives what others filed."""
    for home, others in NOT_OF_OTHERS.items():
        tree = ast.parse((SOURCE / f"{home.replace('.', '/')}.py").read_text("utf-8"))
        public = {each.name for each in tree.body if isinstance(each, ast.FunctionDef) and each.name[0] != "_"}
        assert public == others | OF_OTHERS[home], home
