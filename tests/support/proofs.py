"""Proofs for tests: a second person of a member, and cases that may be filed as proven."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask.testing import FlaskClient

from repository.services import Services
from repository.services.onboarding import issue_credential
from tests.support.members import ALL_ROLES, TestMember


def proof(reference: str, **changes: Any) -> dict[str, Any]:
    """A proof as a member enters it; what is changed to None is left out."""
    body = {
        "reference": reference,
        "grounds": True,
        "evidence": True,
        "case_type": "claim_fraud",
        "product_action": "refused",
        "evidence_reference": "case file 17",
        "notified_on": "2026-02-27",
    } | changes
    return {name: value for name, value in body.items() if value is not None}


def colleague(
    client: FlaskClient, services: Services, member: TestMember, roles: tuple[str, ...] = ALL_ROLES
) -> TestMember:
    """Another person of the same member, logged in."""
    with services.database.write() as session:
        credential = issue_credential(session, member.id, roles, now=services.clock())
    body = {
        "grant_type": "client_credentials",
        "client_id": credential.client_id,
        "client_secret": credential.client_secret,
    }
    tokens = client.post("/v1/auth/token", json=body).get_json()
    return replace(
        member,
        client_id=credential.client_id,
        client_secret=credential.client_secret,
        access_token=tokens["access_token"],
        refresh_token=tokens["refresh_token"],
    )


def prove(client: FlaskClient, services: Services, member: TestMember, *references: str) -> list[str]:
    """Enter a proof for each reference, and have a second person approve it; their ids."""
    second, ids = colleague(client, services, member), []
    for reference in references:
        entered = client.post("/v1/proofs", json=proof(reference), headers=member.headers)
        assert entered.status_code == 201, entered.get_json()
        ids.append(entered.get_json()["id"])
        approved = client.post(f"/v1/proofs/{ids[-1]}/approval", headers=second.headers)
        assert approved.status_code == 200, approved.get_json()
    return ids
