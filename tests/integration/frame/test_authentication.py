"""Logging in, and what becomes of tokens."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import create_app
from repository.api.auth import SIGNING_KEYS
from repository.api.base import EXTENSION
from repository.domain.members import MemberStatus
from repository.services import Services, authentication
from repository.services.onboarding import change_status, disable_actor, issue_credential
from repository.services.signing import SigningKeys, create_signing_key
from repository.settings import Settings
from repository.storage import tokens
from tests.support.clock import FakeClock
from tests.support.members import PASSWORD, Admissions, TestMember, TestUser


def _log_in(client: FlaskClient, member: TestMember, secret: str | None = None) -> TestResponse:
    body = {
        "grant_type": "client_credentials",
        "client_id": member.client_id,
        "client_secret": secret or member.client_secret,
    }
    return client.post("/v1/auth/token", json=body)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _slug(answer: TestResponse) -> str:
    assert answer.mimetype == "application/problem+json"
    body = answer.get_json()
    assert body["status"] == answer.status_code
    return str(body["type"]).removeprefix("/v1/problems/")


def test_a_client_logs_in_with_its_id_and_secret(client: FlaskClient, member: Admissions) -> None:
    """Client credentials give a pair of tokens that hold 15 minutes and name actor, member and roles."""
    alpha = member("Alpha", roles=("screener",))
    answer = _log_in(client, alpha)
    body = answer.get_json()
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 900)
    claims = jwt.decode(body["access_token"], options={"verify_signature": False})
    assert (claims["sub"], claims["mem"], claims["roles"]) == (alpha.client_id, alpha.id, ["screener"])
    assert claims["exp"] - claims["iat"] == 900


def test_a_person_logs_in_with_name_and_password(client: FlaskClient, operator: TestUser) -> None:
    """An operator has no member, and its token says so."""
    body = client.get("/probe/any", headers=operator.headers).get_json()
    assert body == {"actor": operator.id, "member": None, "roles": ["operator"]}


def test_a_wrong_secret_and_an_unknown_id_look_alike(client: FlaskClient, member: Admissions) -> None:
    """Nothing in the answer tells whether the id exists."""
    alpha = member()
    wrong = _log_in(client, alpha, "wrong")
    unknown = client.post(
        "/v1/auth/token",
        json={"grant_type": "client_credentials", "client_id": "act_unknown", "client_secret": "wrong"},
    )
    assert _slug(wrong) == _slug(unknown) == "wrong-credentials"
    assert {**wrong.get_json(), "instance": ""} == {**unknown.get_json(), "instance": ""}


def test_a_client_secret_does_not_open_a_person_s_account(client: FlaskClient, operator: TestUser) -> None:
    """A user's name and password sent as client credentials are refused."""
    body = {"grant_type": "client_credentials", "client_id": operator.username, "client_secret": PASSWORD}
    assert _slug(client.post("/v1/auth/token", json=body)) == "wrong-credentials"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "grant_type"),
        ({"grant_type": "magic"}, "grant_type"),
        ({"grant_type": "password", "username": "olga"}, "password"),
        ({"grant_type": "client_credentials", "client_secret": "x"}, "client_id"),
        ({"grant_type": "password", "username": "olga", "password": "x" * 300}, "password"),
        ({"grant_type": "password", "username": ["olga"], "password": "x"}, "username"),
    ],
)
@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_log_in_that_lacks_something_names_the_field(client: FlaskClient, body: dict[str, Any], field: str) -> None:
    """What is missing or malformed in the request for tokens is named."""
    answer = client.post("/v1/auth/token", json=body)
    assert _slug(answer) == "invalid"
    assert field in {error["field"] for error in answer.get_json()["errors"]}


@pytest.mark.parametrize(
    ("grant_type", "login", "secret"),
    [("password", "username", "password"), ("client_credentials", "client_id", "client_secret")],
)
@pytest.mark.parametrize("character", ["\0", "\n", "\x7f", "\u2028"])
def test_a_log_in_with_control_characters_is_no_fault(
    client: FlaskClient, grant_type: str, login: str, secret: str, character: str
) -> None:
    """Not every database takes NUL in a text: such a name is refused by field, before it reaches one."""
    answer = client.post("/v1/auth/token", json={"grant_type": grant_type, login: f"a{character}b", secret: "x"})
    assert (_slug(answer), answer.status_code) == ("invalid", 422)
    assert [error["field"] for error in answer.get_json()["errors"]] == [login]


@pytest.mark.parametrize("known", [True, False])
def test_repeated_failures_pause_the_log_in(
    client: FlaskClient, member: Admissions, clock: FakeClock, known: bool
) -> None:
    """After 5 failures even the right secret waits; each further one doubles the wait. Unknown ids are the same."""
    alpha = member()
    login = alpha.client_id if known else "act_unknown"

    def attempt(secret: str) -> TestResponse:
        body = {"grant_type": "client_credentials", "client_id": login, "client_secret": secret}
        return client.post("/v1/auth/token", json=body)

    assert [attempt("wrong").status_code for _ in range(5)] == [401] * 5
    paused = attempt(alpha.client_secret)
    assert (_slug(paused), paused.headers["Retry-After"]) == ("locked", "30")
    clock.advance(seconds=31)
    assert _slug(attempt("wrong")) == "wrong-credentials"
    assert attempt(alpha.client_secret).headers["Retry-After"] == "60"
    clock.advance(seconds=61)
    assert attempt(alpha.client_secret).status_code == (200 if known else 401)


def test_no_pause_is_longer_than_minutes(client: FlaskClient, member: Admissions, clock: FakeClock) -> None:
    """However often someone fails, after five minutes there is another try."""
    alpha = member()
    for _ in range(15):
        clock.advance(minutes=5, seconds=1)
        _log_in(client, alpha, "wrong")
    paused = _log_in(client, alpha)
    assert (_slug(paused), paused.headers["Retry-After"]) == ("locked", "300")
    clock.advance(minutes=5, seconds=1)
    assert _log_in(client, alpha).status_code == 200


def _try_from(app: Flask, member: TestMember, peer: str, secret: str, **headers: str) -> int:
    body = {"grant_type": "client_credentials", "client_id": member.client_id, "client_secret": secret}
    client = app.test_client()
    return client.post(
        "/v1/auth/token", json=body, headers=headers, environ_overrides={"REMOTE_ADDR": peer}
    ).status_code


@pytest.mark.parametrize(
    ("attacker", "neighbour", "owner"),
    [("192.0.2.1", "192.0.2.1", "192.0.2.2"), ("2001:db8:0:1::1", "2001:db8:0:1:ffff::9", "2001:db8:0:2::1")],
)
def test_a_stranger_locks_nobody_out(app: Flask, member: Admissions, attacker: str, neighbour: str, owner: str) -> None:
    """Failures pause the log-in for where they came from (of IPv6: the /64), and not for the owner of the id."""
    alpha = member()
    assert [_try_from(app, alpha, attacker, "wrong") for _ in range(6)] == [401] * 5 + [429]
    assert _try_from(app, alpha, neighbour, alpha.client_secret) == 429
    assert _try_from(app, alpha, owner, alpha.client_secret) == 200


@pytest.mark.parametrize(("trusted", "owner_gets"), [(0, 429), (1, 200)])
@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_forwarded_address_counts_only_behind_a_trusted_proxy(
    app: Flask, settings: Settings, clock: FakeClock, member: Admissions, *, trusted: int, owner_gets: int
) -> None:
    """X-Forwarded-For is anyone's to send: it tells peers apart only where the operator said there is a proxy."""
    alpha = member()
    made = create_app(replace(settings, trusted_proxies=trusted), clock)
    for _ in range(5):
        assert _try_from(made, alpha, "127.0.0.1", "wrong", **{"X-Forwarded-For": "192.0.2.1"}) == 401
    seen = _try_from(made, alpha, "127.0.0.1", alpha.client_secret, **{"X-Forwarded-For": "192.0.2.2"})
    made.extensions[EXTENSION].database.close()
    assert seen == owner_gets


def test_no_more_log_ins_than_there_is_room_for_wait(
    app: Flask, client: FlaskClient, member: Admissions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When every slot is taken a log-in is told so at once, does not count as a failure, and holds no thread."""
    alpha = member()
    with monkeypatch.context() as patched:
        patched.setattr(authentication, "_under_way", threading.BoundedSemaphore(1))
        assert authentication._under_way.acquire(blocking=False)
        started = time.monotonic()
        answers = [_log_in(client, alpha, "wrong") for _ in range(6)]
        assert time.monotonic() - started < 1
        assert client.get("/probe/any", headers=alpha.headers).status_code == 200
    assert {(_slug(answer), answer.status_code) for answer in answers} == {("unavailable", 503)}
    assert {answer.headers["Retry-After"] for answer in answers} == {"2"}
    assert _log_in(client, alpha).status_code == 200


def test_a_log_in_waits_for_a_check_but_not_for_long(
    client: FlaskClient, member: Admissions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While other secrets are being checked a log-in waits, then gives up; its place is free afterwards."""
    alpha = member()
    with monkeypatch.context() as patched:
        patched.setattr(authentication, "_checking", threading.BoundedSemaphore(1))
        patched.setattr(authentication, "LONGEST_WAIT", timedelta(milliseconds=50))
        assert authentication._checking.acquire(blocking=False)
        assert [_slug(_log_in(client, alpha)) for _ in range(authentication.IN_ALL + 1)] == ["unavailable"] * 9
        authentication._checking.release()
        assert _log_in(client, alpha).status_code == 200


def test_a_success_forgets_the_failures(client: FlaskClient, member: Admissions) -> None:
    """Failures count in a row only."""
    alpha = member()
    for _ in range(2):
        assert [_log_in(client, alpha, "wrong").status_code for _ in range(4)] == [401] * 4
        assert _log_in(client, alpha).status_code == 200


def test_failures_are_forgotten_after_a_day(client: FlaskClient, member: Admissions, clock: FakeClock) -> None:
    """Counts of failures do not pile up: a later log-in by anyone removes those of the day before."""
    alpha = member()
    for _ in range(4):
        _log_in(client, alpha, "wrong")
    clock.advance(days=1, seconds=1)
    member("Beta")
    assert [_log_in(client, alpha, "wrong").status_code for _ in range(4)] == [401] * 4
    assert _log_in(client, alpha).status_code == 200


def test_without_a_token_a_token_is_asked_for(client: FlaskClient) -> None:
    """No Authorization header: 401 with the scheme that is expected."""
    answer = client.get("/probe/any")
    assert _slug(answer) == "no-token"
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("header", ["Basic YWxwaGE6c2VjcmV0", "Bearer", "Bearer ", "bearer x", "Bearer a b", "Token x"])
@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_another_scheme_is_refused(client: FlaskClient, header: str) -> None:
    """Only `Authorization: Bearer <token>` is understood; anything else is a 401 and no fault of the server."""
    answer = client.get("/probe/any", headers={"Authorization": header})
    assert answer.status_code == 401
    assert _slug(answer) in {"no-token", "invalid-token"}


def test_an_expired_token_is_refused(client: FlaskClient, member: Admissions, clock: FakeClock) -> None:
    """15 minutes and 30 seconds of leeway, and not a second more."""
    alpha = member()
    clock.advance(minutes=15, seconds=29)
    assert client.get("/probe/any", headers=alpha.headers).status_code == 200
    clock.advance(seconds=1)
    assert _slug(client.get("/probe/any", headers=alpha.headers)) == "expired-token"


def test_a_token_from_the_future_names_the_clock(client: FlaskClient, member: Admissions, clock: FakeClock) -> None:
    """A token issued later than now, beyond the leeway, is refused with the server's time."""
    alpha = member()
    clock.advance(seconds=-30)
    assert client.get("/probe/any", headers=alpha.headers).status_code == 200
    clock.advance(seconds=-1)
    answer = client.get("/probe/any", headers=alpha.headers)
    assert _slug(answer) == "token-from-the-future"
    assert answer.get_json()["server_time"] == clock().isoformat(timespec="seconds")


def test_a_revoked_access_token_is_refused(client: FlaskClient, member: Admissions) -> None:
    """Revoking an access token ends that token, and leaves the log-in; doing it twice is no error."""
    alpha = member()
    assert client.post("/v1/auth/revoke", headers=alpha.headers).status_code == 204
    assert _slug(client.get("/probe/any", headers=alpha.headers)) == "revoked-token"
    assert _slug(client.post("/v1/auth/revoke", headers=alpha.headers)) == "revoked-token"
    assert client.post("/v1/auth/refresh", headers=_bearer(alpha.refresh_token)).status_code == 200


def test_requests_that_wait_share_a_look_that_is_made_after_they_came(
    services: Services, client: FlaskClient, member: Admissions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token is revoked while one look is under way: those who came meanwhile share the next look, and are refused."""
    issued = _log_in(client, member("Alpha", roles=("screener",))).get_json()
    claims = jwt.decode(issued["access_token"], options={"verify_signature": False})
    looks, begun, go_on, look = [], threading.Event(), threading.Event(), tokens.actor_of

    def slowly(*asked: Any) -> Any:
        found = look(*asked)
        looks.append(found)
        begun.set()
        assert go_on.wait(20)
        return found

    monkeypatch.setattr(tokens, "actor_of", slowly)
    with ThreadPoolExecutor(5) as threads:
        first = threads.submit(authentication.holder, services, claims["fam"], claims["jti"])
        assert begun.wait(20)
        authentication.revoke(
            services, claims["fam"], claims["jti"], services.clock() + timedelta(hours=1), whole_family=False
        )
        others = [threads.submit(authentication.holder, services, claims["fam"], claims["jti"]) for _ in range(4)]
        while len(services.holders._lines[claims["fam"], claims["jti"]].waiting) < len(others):
            time.sleep(0.001)
        go_on.set()
        assert first.result(20) is not None
        assert [each.result(20) for each in others] == [None] * 4
    assert [found is not None for found in looks] == [True, False]


def test_revoking_the_refresh_token_ends_the_log_in(client: FlaskClient, member: Admissions) -> None:
    """Revoking a refresh token ends the access tokens that came with it, too."""
    alpha = member()
    assert client.post("/v1/auth/revoke", headers=_bearer(alpha.refresh_token)).status_code == 204
    assert _slug(client.get("/probe/any", headers=alpha.headers)) == "revoked-token"
    assert _slug(client.post("/v1/auth/refresh", headers=_bearer(alpha.refresh_token))) == "revoked-token"


def test_a_refresh_token_is_good_for_one_use(client: FlaskClient, member: Admissions) -> None:
    """Refreshing gives a new pair; using the old refresh token again ends the whole family, the new pair included."""
    alpha = member()
    fresh = client.post("/v1/auth/refresh", headers=_bearer(alpha.refresh_token)).get_json()
    assert client.get("/probe/any", headers=_bearer(fresh["access_token"])).status_code == 200
    assert _slug(client.post("/v1/auth/refresh", headers=_bearer(alpha.refresh_token))) == "reused-token"
    assert _slug(client.get("/probe/any", headers=_bearer(fresh["access_token"]))) == "revoked-token"
    assert _slug(client.post("/v1/auth/refresh", headers=_bearer(fresh["refresh_token"]))) == "revoked-token"
    assert _log_in(client, alpha).status_code == 200


def test_refresh_and_access_tokens_are_not_interchangeable(client: FlaskClient, member: Admissions) -> None:
    """A refresh token opens no view, and an access token refreshes nothing."""
    alpha = member()
    assert _slug(client.get("/probe/any", headers=_bearer(alpha.refresh_token))) == "invalid-token"
    assert _slug(client.post("/v1/auth/refresh", headers=alpha.headers)) == "invalid-token"


def test_refresh_tokens_expire(client: FlaskClient, member: Admissions, clock: FakeClock) -> None:
    """After 14 days without a refresh one logs in again."""
    alpha = member()
    clock.advance(days=14, seconds=30)
    assert _slug(client.post("/v1/auth/refresh", headers=_bearer(alpha.refresh_token))) == "expired-token"


def test_a_disabled_actor_is_out_at_once(
    client: FlaskClient, member: Admissions, services: Services, clock: FakeClock
) -> None:
    """Disabling a credential ends its tokens and its log-in."""
    alpha = member()
    with services.database.write() as session:
        disable_actor(session, alpha.client_id, now=clock())
    assert _slug(client.get("/probe/any", headers=alpha.headers)) == "revoked-token"
    assert _slug(client.post("/v1/auth/refresh", headers=_bearer(alpha.refresh_token))) == "revoked-token"
    assert _slug(_log_in(client, alpha)) == "wrong-credentials"


def test_a_role_that_is_missing_is_named(client: FlaskClient, member: Admissions) -> None:
    """An actor without one of the roles gets 403, and the roles that would do."""
    alpha = member(roles=("contributor",))
    answer = client.get("/probe/screener", headers=alpha.headers)
    assert _slug(answer) == "wrong-role"
    assert "screener" in answer.get_json()["detail"]


def test_a_suspended_member_logs_in_but_may_not_ask(
    client: FlaskClient, member: Admissions, services: Services, clock: FakeClock
) -> None:
    """Rule R1 refuses an actor of a suspended member, with figures and remedy; what R6 leaves open stays open."""
    alpha = member()
    with services.database.write() as session:
        change_status(session, alpha.id, MemberStatus.SUSPENDED, now=clock())
    answer = client.get("/probe/screener", headers=alpha.headers)
    body = answer.get_json()
    assert (_slug(answer), answer.status_code, body["rule"]) == ("membership", 403, "R1")
    assert body["figures"] == {"status": "suspended"}
    assert body["remedy"]
    assert client.get("/probe/suspended", headers=alpha.headers).status_code == 200
    assert _log_in(client, alpha).status_code == 200


def test_a_withdrawn_member_may_do_nothing(
    client: FlaskClient, member: Admissions, services: Services, clock: FakeClock
) -> None:
    """What is open to suspended members is closed to those that left."""
    alpha = member()
    with services.database.write() as session:
        change_status(session, "Alpha Insurance", MemberStatus.WITHDRAWN, now=clock())
    assert _slug(client.get("/probe/suspended", headers=alpha.headers)) == "membership"


def test_a_second_credential_of_a_member_is_another_actor(
    client: FlaskClient, member: Admissions, services: Services, clock: FakeClock
) -> None:
    """Credentials of one member share the member and nothing else."""
    alpha = member()
    with services.database.write() as session:
        other = issue_credential(session, alpha.id, ["investigator"], now=clock())
    body = {"grant_type": "client_credentials", "client_id": other.client_id, "client_secret": other.client_secret}
    token = client.post("/v1/auth/token", json=body).get_json()["access_token"]
    seen = client.get("/probe/any", headers=_bearer(token)).get_json()
    assert seen == {"actor": other.client_id, "member": alpha.id, "roles": ["investigator"]}


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
class TestForgery:
    """Tokens that were not issued here."""

    @pytest.fixture
    def claims(self, member: Admissions) -> dict[str, Any]:
        """The claims of a good token."""
        made: dict[str, Any] = jwt.decode(member().access_token, options={"verify_signature": False})
        return made

    @pytest.fixture
    def keys(self, app: Flask) -> SigningKeys:
        """The keys of the application."""
        made: SigningKeys = app.extensions[SIGNING_KEYS]
        return made

    def _refused(self, client: FlaskClient, token: str) -> bool:
        answer = client.get("/probe/any", headers=_bearer(token))
        return answer.status_code == 401 and _slug(answer) == "invalid-token"

    def test_the_good_token_is_accepted(self, client: FlaskClient, claims: dict[str, Any], keys: SigningKeys) -> None:
        """Signed with our key these claims pass, so that the refusals below are for their own reason."""
        token = jwt.encode(claims, keys.signing, "EdDSA", headers={"kid": keys.signing_id})
        assert client.get("/probe/any", headers=_bearer(token)).status_code == 200

    def test_a_token_without_a_signature(self, client: FlaskClient, claims: dict[str, Any], keys: SigningKeys) -> None:
        """`alg: none` is refused."""
        assert self._refused(client, jwt.encode(claims, "", "none", headers={"kid": keys.signing_id}))

    def test_a_public_key_as_a_shared_secret(
        self, client: FlaskClient, claims: dict[str, Any], keys: SigningKeys
    ) -> None:
        """HS256 under the bytes of our public key (the confusion of algorithms) is refused."""
        raw = keys.signing.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        assert self._refused(client, jwt.encode(claims, raw, "HS256", headers={"kid": keys.signing_id}))

    @pytest.mark.parametrize("kid", ["unknown", "", "../0001"])
    def test_an_unknown_key(self, client: FlaskClient, claims: dict[str, Any], kid: str) -> None:
        """A key id that is not ours is refused."""
        token = jwt.encode(claims, Ed25519PrivateKey.generate(), "EdDSA", headers={"kid": kid})
        assert self._refused(client, token)

    def test_no_key_id(self, client: FlaskClient, claims: dict[str, Any], keys: SigningKeys) -> None:
        """A token that names no key is refused, even one that our key signed."""
        assert self._refused(client, jwt.encode(claims, keys.signing, "EdDSA"))

    def test_a_foreign_key_under_our_key_id(
        self, client: FlaskClient, claims: dict[str, Any], keys: SigningKeys
    ) -> None:
        """Another key's signature under our key id is refused."""
        token = jwt.encode(claims, Ed25519PrivateKey.generate(), "EdDSA", headers={"kid": keys.signing_id})
        assert self._refused(client, token)

    @pytest.mark.parametrize("claim", ["sub", "fam", "jti", "iat", "nbf", "exp", "iss"])
    def test_a_missing_claim(self, client: FlaskClient, claims: dict[str, Any], keys: SigningKeys, claim: str) -> None:
        """Each claim is needed."""
        del claims[claim]
        assert self._refused(client, jwt.encode(claims, keys.signing, "EdDSA", headers={"kid": keys.signing_id}))

    def test_another_subject_of_the_same_log_in(
        self, client: FlaskClient, claims: dict[str, Any], keys: SigningKeys
    ) -> None:
        """The subject must be the one who logged in."""
        token = jwt.encode(claims | {"sub": "act_other"}, keys.signing, "EdDSA", headers={"kid": keys.signing_id})
        assert client.get("/probe/any", headers=_bearer(token)).status_code == 401

    @pytest.mark.parametrize(
        "token", ["a", "a.b.c", "....", "e30.e30.e30", "\u00e9", "eyJhbGciOiJFZERTQSJ9..", "a" * 9000]
    )
    def test_garbage(self, client: FlaskClient, token: str) -> None:
        """What is no token at all is refused as such."""
        assert self._refused(client, token)


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_keys_rotate_without_logging_anyone_out(
    app: Flask, member: Admissions, settings: Settings, clock: FakeClock
) -> None:
    """After a rotation the new key signs, tokens of the old one still pass, and the key set lists both."""
    alpha = member()
    before = jwt.get_unverified_header(alpha.access_token)["kid"]
    new = create_signing_key(settings.signing_keys_dir)
    restarted = create_app(settings, clock)
    client = restarted.test_client()
    fresh = client.post("/v1/auth/refresh", headers=_bearer(alpha.refresh_token)).get_json()
    assert client.post("/v1/auth/revoke", headers=alpha.headers).status_code == 204
    assert jwt.get_unverified_header(fresh["access_token"])["kid"] == new
    keys = client.get("/.well-known/jwks.json").get_json()["keys"]
    assert [key["kid"] for key in keys] == [before, new]
    assert {(key["kty"], key["crv"], key["alg"], key["use"]) for key in keys} == {("OKP", "Ed25519", "EdDSA", "sig")}
    assert all("d" not in key for key in keys)
    restarted.extensions[EXTENSION].database.close()


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_anyone_can_check_a_token_with_the_key_set(client: FlaskClient, member: Admissions) -> None:
    """The published key verifies a token with a library of another making of the request."""
    alpha = member()
    keys = jwt.PyJWKSet.from_dict(client.get("/.well-known/jwks.json").get_json())
    kid = jwt.get_unverified_header(alpha.access_token)["kid"]
    options: Any = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}
    claims = jwt.decode(alpha.access_token, keys[kid].key, ["EdDSA"], options=options, issuer="frankpledge")
    assert claims["sub"] == alpha.client_id
