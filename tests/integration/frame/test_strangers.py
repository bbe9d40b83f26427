"""What belongs to another member does not exist."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.support.members import Admissions, TestUser

MISSING = {"filings": "fil", "batches": "bat", "hits": "hit"}


def _comparable(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "instance": ""}


def test_another_member_s_batch_is_not_found(client: FlaskClient, member: Admissions) -> None:
    """A token of another member on an object gets the very answer that an id of nothing gets."""
    alpha, beta = member("Alpha"), member("Beta")
    headers = alpha.headers | {"Idempotency-Key": "k1", "Content-Type": "application/x-ndjson"}
    sent = client.post("/v1/batches", data=b"{}\n", headers=headers)
    assert sent.status_code == 202
    address = sent.headers["Location"]
    assert client.get(address, headers=alpha.headers).status_code == 200
    stranger = client.get(address, headers=beta.headers)
    nothing = client.get(f"{address[:-1]}{'0' if address[-1] != '0' else '1'}", headers=beta.headers)
    assert stranger.status_code == nothing.status_code == 404
    assert _comparable(stranger.get_json()) == _comparable(nothing.get_json())
    assert client.get("/v1/batches", headers=beta.headers).get_json()["items"] == []


@pytest.mark.parametrize("what", MISSING)
@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_ids_of_nothing_are_not_found(client: FlaskClient, member: Admissions, what: str) -> None:
    """A well-formed id, a malformed one and one of another kind: 404 each."""
    alpha = member()
    for identifier in (f"{MISSING[what]}_{'0' * 26}", "nonsense", f"mem_{'0' * 26}", "%00", "x" * 2000):
        assert client.get(f"/v1/{what}/{identifier}", headers=alpha.headers).status_code == 404


@pytest.mark.parametrize("address", ["/v1/hits", "/v1/batches", "/v1/standing"])
@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_those_outside_of_membership_have_no_lists(client: FlaskClient, operator: TestUser, address: str) -> None:
    """An operator is no member: nothing of a member's is shown to it, and it is no fault."""
    assert client.get(address, headers=operator.headers).status_code == 403
