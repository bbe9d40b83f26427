"""What every answer carries, what is logged and counted, and when the service calls itself ready."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from app import create_app
from repository.api.base import EXTENSION
from repository.services import Services
from repository.settings import Settings, SettingsError, write_private_file
from repository.storage.operator import OPERATOR_CHECK, fact, set_fact
from tests.support.clock import FakeClock
from tests.support.members import Admissions, TestUser

pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)

UUID = "0b0f5a52-6a3c-4c2e-9d3c-0d6f1a1b2c3d"


def _lines(captured: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in captured.readouterr().err.splitlines()]


@pytest.mark.parametrize("address", ["/livez", "/v1/scheme", "/v1/docs", "/v1/nowhere", "/probe/any"])
def test_every_answer_carries_the_security_headers(client: FlaskClient, address: str) -> None:
    """No sniffing, no framing, no referrer, a policy without inline scripts: on errors too."""
    headers = client.get(address).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


def test_a_request_id_is_given_back(client: FlaskClient) -> None:
    """A UUID of the caller is kept, in the header and in the problem."""
    answer = client.get("/v1/nowhere", headers={"X-Request-ID": UUID})
    assert answer.headers["X-Request-ID"] == UUID
    assert answer.get_json()["instance"] == f"urn:frankpledge:request:{UUID}"


def test_a_request_id_of_another_shape_is_replaced(client: FlaskClient) -> None:
    """What could hold anything is not repeated."""
    given = client.get("/livez", headers={"X-Request-ID": "hello"}).headers["X-Request-ID"]
    assert given != "hello"
    assert len(given) == 36


def test_the_log_names_route_and_member(client: FlaskClient, member: Admissions, capsys: Any) -> None:
    """One JSON line for each request: id, route template, status, duration, member; no address and no query."""
    alpha = member()
    capsys.readouterr()
    client.get("/probe/any?name=secret", headers=alpha.headers | {"X-Request-ID": UUID})
    (line,) = _lines(capsys)
    assert line["event"] == "request"
    assert line["request_id"] == UUID
    assert (line["method"], line["route"], line["status"]) == ("GET", "/probe/any", 200)
    assert line["member"] == alpha.id
    assert line["milliseconds"] >= 0
    assert "secret" not in json.dumps(line)


def test_an_unknown_address_is_not_logged(client: FlaskClient, capsys: Any) -> None:
    """An address that is served by nothing could hold anything: its template is a dash in brackets."""
    client.open("/v1/jane-doe", method="BREW")
    (line,) = _lines(capsys)
    assert (line["route"], line["method"]) == ("(none)", "(none)")


def test_a_fault_is_logged_by_type_and_place(client: FlaskClient, capsys: Any) -> None:
    """A fault of ours is logged with its type and where it happened, under the request id."""
    client.get("/probe/fault", headers={"X-Request-ID": UUID})
    fault = _lines(capsys)[0]
    assert (fault["event"], fault["error"], fault["request_id"]) == ("unexpected", "RuntimeError", UUID)
    assert fault["at"][-1].startswith("tests.integration.frame.conftest:") or "conftest" in fault["at"][-1]


def test_requests_are_measured_by_route_template(client: FlaskClient, operator: TestUser) -> None:
    """The metrics have a histogram by route template and status; addresses do not become labels."""
    client.get("/v1/problems/not-found")
    client.get("/v1/problems/jane-doe")
    text = client.get("/metrics", headers=operator.headers).get_data(as_text=True)
    assert 'frankpledge_request_seconds_bucket{le="0.01",method="GET",route="/v1/problems/<slug>",status="200"}' in text
    assert "jane-doe" not in text
    assert "frankpledge_capped_keys_total" in text


@pytest.mark.parametrize("role", ["operator", "auditor"])
def test_operators_and_auditors_read_the_metrics(client: FlaskClient, member: Admissions, role: str) -> None:
    """Those outside of members may see what the service counts."""
    someone = member.operator("olga", (role,))
    assert client.get("/metrics", headers=someone.headers).status_code == 200


def test_members_and_strangers_do_not_read_the_metrics(client: FlaskClient, member: Admissions) -> None:
    """Counters of candidates and hits would tell a member whether its filing met someone, whatever its tier."""
    alpha = member(roles=("screener", "contributor", "member_admin", "investigator"))
    assert client.get("/metrics", headers=alpha.headers).status_code == 403
    for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer None"}):
        answer = client.get("/metrics", headers=headers)
        assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")
        assert "frankpledge_" not in answer.get_data(as_text=True)


def test_the_token_for_metrics_reads_them_and_nothing_else(settings: Settings, clock: FakeClock, app: Flask) -> None:
    """Prometheus sends the operator's token as bearer; one that is nearly right is refused."""
    token = "scrape-token-of-32-characters-000"
    write_private_file(settings.metrics_token_file, f"{token}\n".encode())
    made = create_app(settings, clock)
    client = made.test_client()
    try:
        scraped = client.get("/metrics", headers={"Authorization": f"Bearer {token}"})
        assert (scraped.status_code, scraped.mimetype) == (200, "text/plain")
        assert "frankpledge_hits_total" in scraped.get_data(as_text=True)
        for wrong in (f"{token[:-1]}1", token[:-1], f"{token}0", "", "\xe9" * 32):
            assert client.get("/metrics", headers={"Authorization": f"Bearer {wrong}"}).status_code == 401
        assert client.get("/metrics", headers={"Authorization": f"Basic {token}"}).status_code == 401
        assert client.get("/v1/hits", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    finally:
        made.extensions[EXTENSION].database.close()


def test_a_token_for_metrics_that_others_may_read_stops_the_start(settings: Settings, app: Flask) -> None:
    """The file is as private as the other secrets."""
    write_private_file(settings.metrics_token_file, b"x" * 32)
    settings.metrics_token_file.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        create_app(settings)


def test_the_process_is_alive_without_a_database(app: Flask, client: FlaskClient, services: Services) -> None:
    """Liveness asks nothing of the database."""
    services.database.close()
    assert client.get("/livez").get_json() == {"status": "alive"}


def test_it_is_ready_when_all_checks_pass(client: FlaskClient) -> None:
    """Database, tables and operator secret are as they should be."""
    answer = client.get("/readyz")
    assert (answer.status_code, answer.get_json()["status"]) == (200, "ready")
    assert all(answer.get_json()["checks"].values())


@pytest.mark.parametrize(("number", "ready"), [("0001", False), ("9999", True)])
def test_it_stays_ready_when_the_next_version_has_migrated(
    client: FlaskClient, services: Services, number: str, ready: bool
) -> None:
    """A later version's tables are good for it until it is restarted; those of an earlier one are not."""
    with services.database.write() as session:
        session.execute(text("CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) NOT NULL)"))
        session.execute(text("DELETE FROM alembic_version"))
        session.execute(text("INSERT INTO alembic_version VALUES (:number)"), {"number": number})
    assert client.get("/readyz").get_json()["checks"]["tables"] is ready


def test_it_is_not_ready_under_another_operator_secret(client: FlaskClient, services: Services) -> None:
    """A pool written under another secret cannot be read: not ready."""
    with services.database.write() as session:
        set_fact(session, OPERATOR_CHECK, "0" * 16)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.get_json()["checks"]["operator_secret"]) == (503, False)


def test_it_is_not_ready_when_the_secret_is_open_to_others(client: FlaskClient, settings: Settings) -> None:
    """A secret file whose mode was loosened is noticed."""
    settings.operator_secret_file.chmod(0o644)
    assert client.get("/readyz").get_json()["checks"]["operator_secret"] is False


def test_it_is_not_ready_without_its_database(
    client: FlaskClient, services: Services, settings: Settings, tmp_path: Path
) -> None:
    """A database that is gone fails its checks, and answers 503 instead of a fault."""
    services.database.close()
    path = Path(settings.database_url.removeprefix("sqlite:///"))
    for leftover in path.parent.glob(f"{path.name}*"):
        leftover.unlink()
    path.mkdir()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.get_json()["checks"]["database"]) == (503, False)


def test_what_is_open_tells_nothing_of_the_installation(
    client: FlaskClient, member: Admissions, settings: Settings, services: Services
) -> None:
    """Without a log-in nobody learns of members, accounts, files, the database or a private key."""
    alpha, olga = member("Aldwick Mutual"), member.operator("olga")
    with services.database.read() as session:
        check = fact(session, OPERATOR_CHECK)
    private = ("Aldwick", alpha.id, alpha.client_id, olga.id, "olga", str(settings.data_dir), "sqlite", check or "-")
    addresses = ("/livez", "/readyz", "/v1/scheme", "/v1/docs", "/v1/docs/start.js", "/.well-known/jwks.json")
    rules = ("/rulebook", "/v1/rulebook", "/v1/rulebook.toml")
    for address in (*addresses, *rules, "/v1/openapi.json", "/v1/problems/locked", "/v1/nowhere"):
        answer = client.get(address)
        told = f"{answer.headers}\n{answer.get_data(as_text=True)}"
        assert [word for word in private if word in told] == [], address
    assert set(client.get("/v1/scheme").get_json()) == {"name", "schema", "schemas", "purposes", "lines", "time"}
    assert client.get("/livez").get_json() == {"status": "alive"}
    (key,) = client.get("/.well-known/jwks.json").get_json()["keys"]
    assert set(key) == {"crv", "kty", "x", "kid", "use", "alg"}


def test_anyone_may_read_the_scheme(client: FlaskClient, clock: FakeClock, fingerprint: str) -> None:
    """Name, linkage schema, accepted keys, purposes, lines and the server's time, without a log-in."""
    body = client.get("/v1/scheme").get_json()
    assert (body["name"], body["schema"]) == ("Frankpledge", "guarded/1")
    accepted = {"fingerprint": fingerprint, "epoch": None, "until": None}
    assert body["schemas"] == [{"id": "guarded/1", "fingerprints": [fingerprint], "keys": [accepted]}]
    assert "claim_validation" in body["purposes"]
    assert "motor" in body["lines"]
    assert body["time"] == "2026-03-02T09:00:00Z"
