"""The proof gate: no case is filed as proven that two people of the member have not stood up for."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from repository.domain.members import MemberStatus
from repository.services.onboarding import change_status
from repository.storage.events import EVENTS
from repository.storage.filings import FILINGS, VERSIONS
from tests.integration.pool.conftest import Counted, Desk
from tests.support.encodings import filing, subject
from tests.support.members import TestUser
from tests.support.proofs import colleague, proof


@pytest.fixture
def second(alpha: Desk) -> Desk:
    """A second person of Alpha."""
    return Desk(alpha.client, alpha.services, colleague(alpha.client, alpha.services, alpha.member))


def post(desk: Desk, path: str, body: object = None, *, status: int = 200) -> dict[str, Any]:
    """Send something, and give the JSON that came back."""
    sent = {"json": body} if body is not None else {}
    answer = desk.client.post(path, headers=desk.member.headers, **sent)
    assert answer.status_code == status, answer.get_json()
    parsed: dict[str, Any] = answer.get_json()
    return parsed


def enter(desk: Desk, reference: str = "S-1", *, status: int = 201, **changes: Any) -> dict[str, Any]:
    """Enter a proof."""
    return post(desk, "/v1/proofs", proof(reference, **changes), status=status)


def proven(reference: str = "S-1", **changes: Any) -> dict[str, Any]:
    """A filing of class proven."""
    return filing(reference, subject("ann"), record_class="proven", **changes)


def refused(desk: Desk, body: object) -> str:
    """What a filing that is refused for its class is told."""
    problem = desk.file(body, status=422)
    assert [error["field"] for error in problem["errors"]] == ["class"]
    return str(problem["errors"][0]["expected"])


def test_a_case_is_filed_as_proven_once_a_second_person_approved(alpha: Desk, second: Desk, rows: Counted) -> None:
    """Without a proof it is refused, with one that is only entered too; with an approved one it is filed on it."""
    assert "second person" in refused(alpha, proven())
    entered = enter(alpha)
    assert (entered["state"], entered["approved_at"], entered["filings"]) == ("entered", None, 0)
    refused(alpha, proven())
    assert rows("filings") == 0
    approved = post(second, f"/v1/proofs/{entered['id']}/approval")
    assert (approved["state"], approved["entered_by"]) == ("approved", alpha.member.client_id)
    assert approved["approved_by"] == second.member.client_id
    filed = alpha.file(proven())
    assert alpha.get(f"/v1/filings/{filed['id']}")["proof"] == entered["id"]
    assert alpha.get(f"/v1/proofs/{entered['id']}")["filings"] == 1
    with alpha.services.database.reading() as connection:
        assert connection.execute(select(VERSIONS.c.proof_id)).scalars().all() == [entered["id"]]


def test_only_proven_cases_need_a_proof(alpha: Desk) -> None:
    """And what is filed in another class under the same reference has none."""
    alpha.prove("S-1")
    for kind in ("customer", "claim", "suspected", "victim", "protective"):
        alpha.file(filing("S-1", subject("ann"), record_class=kind))
    with alpha.services.database.reading() as connection:
        assert set(connection.execute(select(FILINGS.c.proof_id)).scalars()) == {None}


def test_who_entered_a_proof_does_not_approve_it(alpha: Desk, second: Desk) -> None:
    """Not the same actor, whatever its roles; approving once more changes nothing."""
    entered = enter(alpha)
    problem = post(alpha, f"/v1/proofs/{entered['id']}/approval", status=403)
    assert problem["type"].endswith("second-person")
    assert alpha.get(f"/v1/proofs/{entered['id']}")["state"] == "entered"
    first = post(second, f"/v1/proofs/{entered['id']}/approval")
    third = Desk(alpha.client, alpha.services, colleague(alpha.client, alpha.services, alpha.member))
    assert post(third, f"/v1/proofs/{entered['id']}/approval") == first


def test_a_withdrawn_proof_carries_nothing(alpha: Desk, second: Desk) -> None:
    """Not approved any more, and no case is filed on it, not even one that was before; another proof carries anew."""
    entered = enter(alpha)
    withdrawn = post(second, f"/v1/proofs/{entered['id']}/withdrawal")
    assert (withdrawn["state"], withdrawn["withdrawn_by"]) == ("withdrawn", second.member.client_id)
    assert post(second, f"/v1/proofs/{entered['id']}/withdrawal") == withdrawn
    assert post(second, f"/v1/proofs/{entered['id']}/approval", status=409)["type"].endswith("conflict")
    (other,) = alpha.prove("S-1")
    filed = alpha.file(proven())
    alpha.file(proven(), status=200)
    assert post(alpha, f"/v1/proofs/{other}/withdrawal")["filings"] == 1
    refused(alpha, proven())
    refused(alpha, proven(line="home"))
    (again,) = alpha.prove("S-1")
    assert alpha.file(proven())["version"] == 2
    assert alpha.get(f"/v1/filings/{filed['id']}")["proof"] == again


def test_the_proof_of_another_reference_or_member_carries_nothing(alpha: Desk, beta: Desk) -> None:
    """The reference is the member's own."""
    alpha.prove("S-2")
    beta.prove("S-1")
    refused(alpha, proven("S-1"))
    alpha.file(proven("S-2"))


@pytest.mark.parametrize("query", ["", "?dry_run=true"])
def test_in_a_batch_the_row_is_refused(alpha: Desk, query: str, rows: Counted) -> None:
    """Row by row, in a dry run as well; the other rows are taken."""
    alpha.prove("S-1")
    batch = alpha.batch([proven("S-1"), proven("S-2"), filing("P-1")], query=query)
    assert batch["rows"] | {"unchanged": 0} == {
        "read": 3,
        "created": 2,
        "new_version": 0,
        "unchanged": 0,
        "rejected": 1,
    }
    (error,) = batch["errors"]
    assert (error["row"], error["ref"], error["field"]) == (2, "S-2", "class")
    assert "approved proof" in error["expected"]
    assert rows("filings") == (0 if query else 2)


@pytest.mark.parametrize(
    "field", ["grounds", "evidence", "case_type", "product_action", "evidence_reference", "notified_on", "reference"]
)
def test_every_pillar_is_needed(alpha: Desk, field: str, rows: Counted) -> None:
    """What is left out is named, and nothing is entered."""
    body = proof("S-1")
    del body[field]
    problem = post(alpha, "/v1/proofs", body, status=422)
    assert [error["field"] for error in problem["errors"]] == [field]
    assert rows("proofs") == 0


def test_only_the_reference_of_the_evidence_is_kept(alpha: Desk) -> None:
    """A proof comes back as it was entered; a field for the evidence itself there is not."""
    entered = enter(alpha, exception="ongoing_investigation", product_action=None, evidence_reference="vault 9")
    assert entered | {"id": ""} == {
        "id": "",
        "reference": "S-1",
        "state": "entered",
        "grounds": True,
        "evidence": True,
        "case_type": "claim_fraud",
        "product_action": None,
        "exception": "ongoing_investigation",
        "evidence_reference": "vault 9",
        "notified_on": "2026-02-27",
        "deferral_reason": None,
        "rulebook": alpha.services.rulebook.version,
        "entered_at": "2026-03-02T09:00:00+00:00",
        "entered_by": alpha.member.client_id,
        "approved_at": None,
        "approved_by": None,
        "withdrawn_at": None,
        "withdrawn_by": None,
        "filings": 0,
    }
    assert enter(alpha, evidence_document="a photograph", status=422)["errors"][0]["field"] == "(record)"


def test_each_step_is_an_event(alpha: Desk, second: Desk) -> None:
    """Who, what, and figures, once each: what is repeated is none."""
    proof_id = enter(alpha)["id"]
    for _ in range(2):
        post(second, f"/v1/proofs/{proof_id}/approval")
    for _ in range(2):
        post(alpha, f"/v1/proofs/{proof_id}/withdrawal")
    statement = select(EVENTS).where(EVENTS.c.subject_id == proof_id).order_by(EVENTS.c.kind)
    with alpha.services.database.reading() as connection:
        told = connection.execute(statement).mappings().all()
    assert [(each["kind"], each["actor_id"], each["figures"]) for each in told] == [
        ("proof.approved", second.member.client_id, {"entered_by": alpha.member.client_id}),
        (
            "proof.entered",
            alpha.member.client_id,
            {"case_type": "claim_fraud", "rulebook": alpha.services.rulebook.version},
        ),
        ("proof.withdrawn", alpha.member.client_id, {"filings": 0}),
    ]


def test_proofs_of_others_are_not_found(alpha: Desk, beta: Desk) -> None:
    """In no way: neither read, nor approved, nor withdrawn, nor listed."""
    proof_id = enter(alpha)["id"]
    for each in (proof_id, "prf_" + "0" * 26, "prf_x", "fil_" + "0" * 26):
        beta.get(f"/v1/proofs/{each}", status=404)
        for action in ("approval", "withdrawal"):
            post(beta, f"/v1/proofs/{each}/{action}", status=404)
    assert beta.get("/v1/proofs")["items"] == []
    assert alpha.get(f"/v1/proofs/{proof_id}")["state"] == "entered"


def test_own_proofs_are_listed_page_by_page(alpha: Desk) -> None:
    """Newest first, each once; a cursor fits no other list."""
    entered = sorted((enter(alpha, f"S-{number}")["id"] for number in range(5)), reverse=True)
    first = alpha.get("/v1/proofs?limit=3")
    rest = alpha.get(f"/v1/proofs?limit=3&cursor={first['next_cursor']}")
    assert [each["id"] for each in first["items"] + rest["items"]] == entered
    assert rest["next_cursor"] is None
    alpha.get(f"/v1/hits?cursor={first['next_cursor']}", status=422)


@pytest.mark.parametrize(
    ("roles", "enters", "reads", "approves"),
    [
        (("screener",), 403, 403, 403),
        (("contributor",), 201, 200, 403),
        (("investigator",), 201, 200, 200),
        (("member_admin",), 201, 200, 200),
    ],
)
def test_who_may_do_what(alpha: Desk, roles: tuple[str, ...], enters: int, reads: int, approves: int) -> None:
    """Contributors enter and read; approving and withdrawing takes an investigator or the administrator."""
    proof_id = enter(alpha)["id"]
    other = Desk(alpha.client, alpha.services, colleague(alpha.client, alpha.services, alpha.member, roles))
    post(other, "/v1/proofs", proof("S-2"), status=enters)
    other.get(f"/v1/proofs/{proof_id}", status=reads)
    other.get("/v1/proofs", status=reads)
    post(other, f"/v1/proofs/{proof_id}/approval", status=approves)
    post(other, f"/v1/proofs/{proof_id}/withdrawal", status=approves)


def test_an_operator_has_no_proofs(alpha: Desk, operator: TestUser) -> None:
    """It is no member."""
    assert alpha.client.get("/v1/proofs", headers=operator.headers).status_code == 403


def test_a_suspended_member_may_prove_and_file(alpha: Desk, second: Desk) -> None:
    """R6: filing stays open, and with it what filing takes."""
    with alpha.services.database.write() as session:
        change_status(session, alpha.member.id, MemberStatus.SUSPENDED, now=alpha.services.clock())
    post(second, f"/v1/proofs/{enter(alpha)['id']}/approval")
    alpha.file(proven())


def test_an_idempotency_key_enters_one_proof(alpha: Desk, rows: Counted) -> None:
    """The same request again has the same answer."""
    headers = alpha.member.headers | {"Idempotency-Key": "once"}
    answers = [alpha.client.post("/v1/proofs", json=proof("S-1"), headers=headers).get_json() for _ in range(2)]
    assert answers[0] == answers[1]
    assert rows("proofs") == 1
