"""A webhook's secret is replaced without a notice that its receiver cannot verify."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from frankpledge.webhooks import verify
from repository.domain.jobs import JobKind
from repository.jobs.running import JobWorker
from repository.services import Services, posting
from repository.settings import Settings
from repository.storage.events import EVENTS
from repository.storage.webhooks import WEBHOOKS
from tests.integration.pool.conftest import Desk
from tests.support.clock import FakeClock
from tests.support.encodings import filing, subject
from tests.support.expiring import expire

HOUR = {"overlap_seconds": 3600}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A log-in lasts."""
    return replace(settings, access_lifetime=timedelta(days=30))


class Endpoint:
    """A receiver that knows one secret, or some."""

    def __init__(self, desk: Desk, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
        self._desk, self._clock, self._batches = desk, clock, 0
        self._got: tuple[dict[str, str], bytes] = ({}, b"")
        monkeypatch.setattr(posting, "post", self._take)
        body = {"url": "https://receiver.example/in", "kinds": ["batch.finished"]}
        self.hook: dict[str, Any] = self.call("POST", "", 201, body)
        self.first: str = self.hook["secret"]

    def call(self, method: str, path: str, status: int, body: Any = None) -> Any:
        """A request of the member's administrator about its webhook."""
        path = f"/v1/webhooks/{self.hook['id']}{path}" if hasattr(self, "hook") else "/v1/webhooks"
        headers = self._desk.member.headers
        answer = self._desk.client.open(
            path, method=method, headers=headers, **({} if body is None else {"json": body})
        )
        assert answer.status_code == status, answer.get_json()
        return answer.get_json() if status != 204 else None

    def rotated(self, body: Any) -> str:
        """The secret from now on."""
        secret: str = self.call("POST", "/secret", 200, body)["secret"]
        return secret

    def takes(self, *secrets: str) -> list[bool]:
        """Whether a notice sent now is verified by each of these, as the reference of Standard Webhooks does it."""
        self._batches += 1
        row = filing(f"A-{self._batches}", subject(f"person {self._batches}", only=range(8)))
        self._desk.batch([row], f"key-{self._batches}")
        assert JobWorker(self._desk.services, [JobKind.WEBHOOK]).run_pending() == 1
        return [self._is_verified(each) for each in secrets]

    @property
    def signatures(self) -> list[str]:
        """Of the last notice."""
        return self._got[0]["webhook-signature"].split(" ")

    def kit_takes(self, *secrets: str) -> bool:
        """Whether the kit verifies the last notice by these."""
        headers, body = self._got
        return verify(secrets, headers, body, now=self._clock().timestamp()).kind == "batch.finished"

    def _take(self, _url: str, headers: dict[str, str], body: bytes, *, loopback: bool) -> int:
        assert not loopback
        self._got = (headers, body)
        return 204

    def _is_verified(self, secret: str) -> bool:
        headers, body = self._got
        key = base64.b64decode(secret.removeprefix("whsec_"))
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        expected = hmac.new(key, signed, hashlib.sha256).digest()
        for versioned in headers["webhook-signature"].split(" "):
            version, signature = versioned.split(",")
            if version == "v1" and hmac.compare_digest(expected, base64.b64decode(signature)):
                return True
        return False


@pytest.fixture
def endpoint(alpha: Desk, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Endpoint:
    """A webhook, and what is there to receive."""
    return Endpoint(alpha, clock, monkeypatch)


def test_both_secrets_sign_for_a_time(endpoint: Endpoint, clock: FakeClock) -> None:
    """Who has the old one verifies on, who has the new one does at once; then the old one signs no more."""
    second = endpoint.rotated(HOUR)
    assert second != endpoint.first
    assert endpoint.takes(endpoint.first, second) == [True, True]
    assert len(endpoint.signatures) == 2
    assert endpoint.kit_takes(endpoint.first)
    assert endpoint.kit_takes(endpoint.first, second)
    assert endpoint.call("GET", "", 200)["old_secret_until"] == (clock() + timedelta(hours=1)).isoformat()
    clock.advance(timedelta(hours=1))
    assert endpoint.takes(endpoint.first, second) == [False, True]
    assert endpoint.call("GET", "", 200)["old_secret_until"] is None


def test_the_old_one_can_be_ended_earlier(endpoint: Endpoint, services: Services) -> None:
    """A second call ends it; the call may be repeated. Both are events of the webhook."""
    second = endpoint.rotated({})
    endpoint.call("DELETE", "/secret/old", 204)
    endpoint.call("DELETE", "/secret/old", 204)
    assert endpoint.takes(endpoint.first, second) == [False, True]
    assert len(endpoint.signatures) == 1
    with services.database.reading() as connection:
        told = list(connection.scalars(select(EVENTS.c.kind).where(EVENTS.c.subject_id == endpoint.hook["id"])))
    assert sorted(told) == ["webhook.added", "webhook.rotated", "webhook.rotation_ended"]


def test_one_that_leaked_ends_at_once(endpoint: Endpoint) -> None:
    """Without an overlap the old one signs nothing more, not even what was queued before."""
    second = endpoint.rotated({"overlap_seconds": 0})
    assert endpoint.takes(endpoint.first, second) == [False, True]


def test_of_three_the_last_two_sign(endpoint: Endpoint) -> None:
    """A rotation while another goes on ends the first one."""
    second, third = endpoint.rotated(HOUR), endpoint.rotated(HOUR)
    assert endpoint.takes(endpoint.first, second, third) == [False, True, True]


@pytest.mark.parametrize("seconds", [-1, 7 * 86_400 + 1, "soon"])
def test_an_overlap_has_bounds(endpoint: Endpoint, seconds: object) -> None:
    """A week at most: the field is named, and the secret stays."""
    answer = endpoint.call("POST", "/secret", 422, {"overlap_seconds": seconds})
    assert "overlap_seconds" in str(answer["errors"])
    assert endpoint.takes(endpoint.first) == [True]


def test_no_secret_is_stored_in_clear_or_for_long(
    endpoint: Endpoint, services: Services, clock: FakeClock, alpha: Desk
) -> None:
    """Both are sealed, each under its own name; the sweep removes the old one when its time is over."""
    endpoint.rotated(HOUR)
    with services.database.reading() as connection:
        row = connection.execute(select(WEBHOOKS).where(WEBHOOKS.c.member_id == alpha.member.id)).mappings().one()
    plain = base64.b64decode(endpoint.first.removeprefix("whsec_"))
    assert plain not in row["old_secret"]
    clock.advance(timedelta(hours=1))
    assert expire(services) == 1
    with services.database.reading() as connection:
        row = connection.execute(select(WEBHOOKS).where(WEBHOOKS.c.member_id == alpha.member.id)).mappings().one()
    assert (row["old_secret"], row["old_until"]) == (None, None)
