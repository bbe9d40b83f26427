"""Webhooks: told in the transaction of the thing, delivered signed, as far as the tier allows, and tried again."""

from __future__ import annotations

import base64
import io
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import orjson
import pytest
from sqlalchemy import select

from app import create_app
from frankpledge.webhooks import WebhookError, verify
from repository.api.base import EXTENSION
from repository.domain.jobs import JobKind
from repository.domain.members import MemberStatus
from repository.domain.webhooks import Notice
from repository.jobs.running import JobWorker
from repository.services import Services, outbox, posting
from repository.services.onboarding import change_status
from repository.services.operator import accept_fingerprint, remember_secret
from repository.services.posting import PostError
from repository.settings import Settings, read_operator_secret
from repository.storage.events import EVENTS
from repository.storage.webhooks import WEBHOOKS
from tests.integration.pool.conftest import Counted, Desk
from tests.support.clock import FakeClock
from tests.support.encodings import FINGERPRINT, filing, ndjson, subject
from tests.support.expiring import expire
from tests.support.members import Admissions

URL = "https://receiver.example/in?token=Zebedee-Quartermaine"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A log-in lasts."""
    return replace(settings, access_lifetime=timedelta(days=30))


@dataclass
class Receiver:
    """Stands for every endpoint: takes what is sent, and answers with a status or an error."""

    answer: int | PostError = 204
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    def __call__(self, url: str, headers: dict[str, str], body: bytes, *, loopback: bool) -> int:
        """Take a notice."""
        assert not loopback
        self.got.append((url, headers, body))
        if isinstance(self.answer, PostError):
            raise self.answer
        return self.answer

    def notices(self) -> list[dict[str, Any]]:
        """What came in, without the times."""
        return [
            {name: value for name, value in orjson.loads(body).items() if name != "timestamp"} for *_, body in self.got
        ]


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Receiver:
    """Nothing leaves this machine."""
    made = Receiver()
    monkeypatch.setattr(posting, "post", made)
    return made


def call(desk: Desk, method: str, path: str, status: int, **options: Any) -> Any:
    """A request of a member, and its answer's JSON."""
    answer = desk.client.open(path, method=method, headers=desk.member.headers, **options)
    assert answer.status_code == status, answer.get_json()
    return answer.get_json()


def register(desk: Desk, *kinds: str, url: str = URL) -> dict[str, Any]:
    """A new webhook."""
    made: dict[str, Any] = call(desk, "POST", "/v1/webhooks", 201, json={"url": url, "kinds": list(kinds)})
    return made


def deliver(services: Services) -> int:
    """Do what is due."""
    return JobWorker(services, [JobKind.WEBHOOK]).run_pending()


def log_of(desk: Desk, hook: dict[str, Any]) -> list[dict[str, Any]]:
    """What was sent, or is to be."""
    items: list[dict[str, Any]] = desk.get(f"/v1/webhooks/{hook['id']}/deliveries")["items"]
    return items


def events_of(services: Services, about: str) -> list[str]:
    """What was told of a thing."""
    with services.database.reading() as connection:
        return sorted(connection.scalars(select(EVENTS.c.kind).where(EVENTS.c.subject_id == about)))


def test_a_batch_that_is_done_is_told_signed(
    alpha: Desk, services: Services, receiver: Receiver, clock: FakeClock
) -> None:
    """Ids and counts; the kit takes the signature under the secret that was told once; the log has it."""
    hook = register(alpha, "batch.finished")
    batch = alpha.batch([filing("A-1", subject("ann")), {"rubbish": True}])
    assert deliver(services) == 1
    ((url, headers, body),) = receiver.got
    assert url == URL
    notice = verify(hook["secret"], headers, body, now=clock().timestamp())
    rows = {"read": 2, "created": 1, "new_version": 0, "unchanged": 0, "rejected": 1}
    assert (notice.kind, notice.data) == ("batch.finished", {"batch": batch["id"], "status": "done", "rows": rows})
    (delivery,) = log_of(alpha, hook)
    assert (delivery["id"], delivery["status"], delivery["answered"]) == (notice.id, "done", 204)
    assert deliver(services) == 0


def test_a_cancelled_batch_and_a_rescreen_are_told(alpha: Desk, services: Services, receiver: Receiver) -> None:
    """Also one that is over before a worker was at it."""
    register(alpha, "batch.finished", "rescreen.finished")
    batch = alpha.upload(ndjson([filing("A-1", subject("ann"))]))
    call(alpha, "POST", f"/v1/batches/{batch['id']}/cancel", 200)
    rescreen = call(alpha, "POST", "/v1/rescreens", 202, json={})
    JobWorker(services, [JobKind.RESCREEN]).run_pending()
    deliver(services)
    told = sorted(receiver.notices(), key=lambda each: each["type"])
    assert [each["data"]["status"] for each in told] == ["cancelled", "done"]
    assert told[1]["data"]["rescreen"] == rescreen["id"]


def test_new_hits_are_told_to_both_by_id(alpha: Desk, beta: Desk, services: Services, receiver: Receiver) -> None:
    """One notice of what one transaction found; the other side is told of its own, too."""
    register(alpha, "hit.created")
    register(beta, "hit.created", "batch.finished")
    for who in ("ann", "bob"):
        beta.file(filing(f"B-{who}", subject(who), record_class="claim"))
    alpha.batch([filing(f"A-{who}", subject(who), record_class="claim") for who in ("ann", "bob", "cid")])
    assert deliver(services) == 2
    found = sorted(hit["id"] for hit in alpha.hits())
    assert len(found) == 2
    assert receiver.notices() == [{"type": "hit.created", "data": {"hits": found}}] * 2
    for text in (beta.member.name, beta.member.id, "B-ann", "A-ann", "Zebedee"):
        assert text.encode() not in receiver.got[0][2]


def test_what_may_not_be_seen_is_not_told(
    alpha: Desk, client: Any, services: Services, member: Admissions, receiver: Receiver
) -> None:
    """Who sees nothing of a line and class is told of no hit there, not even that there is one: nothing is sent."""
    nobody = Desk(client, services, member("Gamma", lines=("motor",)))
    hook = register(nobody, "hit.created")
    nobody.file(filing("G-1", subject("ann")))
    alpha.prove("A-1")
    alpha.file(filing("A-1", subject("ann"), record_class="proven", line="home"))
    with services.database.write() as session:
        change_status(session, nobody.member.id, MemberStatus.SUSPENDED, now=services.clock(), reason="a test")
    assert deliver(services) == 1
    assert receiver.got == []
    with services.database.write() as session:
        change_status(session, nobody.member.id, MemberStatus.ACTIVE, now=services.clock(), reason="a test")
    assert [each["status"] for each in log_of(nobody, hook)] == ["skipped"]


def test_nothing_is_told_of_what_was_not_done(alpha: Desk, services: Services, rows: Counted) -> None:
    """The notice is put down in the transaction of the thing: undone with it."""
    register(alpha, "batch.finished")
    alpha.upload(ndjson([filing("A-1", subject("ann"))]))
    assert rows("jobs") == 0
    with pytest.raises(RuntimeError), services.database.writing() as connection:  # noqa: PT012 - undone as a whole
        outbox.tell(services, connection, Notice.BATCH_FINISHED, alpha.member.id, {"batch": "bat_1"})
        raise RuntimeError
    assert rows("jobs") == 0


def test_what_does_not_get_through_is_tried_again_under_the_same_id(
    alpha: Desk, services: Services, receiver: Receiver, clock: FakeClock
) -> None:
    """Up to the day on which the webhook is disabled; by hand it is sent once more, and what was delivered is not."""
    hook = register(alpha, "batch.finished")
    alpha.batch([filing("A-1", subject("ann"))])
    receiver.answer = 503
    begun = clock()
    deliver(services)
    waits = log_of(alpha, hook)[0]
    assert (waits["status"], waits["attempts"], waits["error"]) == ("queued", 1, "http-503")
    assert waits["next_attempt_at"] is not None
    assert alpha.get(f"/v1/webhooks/{hook['id']}")["failing_since"] is not None
    receiver.answer = PostError("timeout")
    while log_of(alpha, hook)[0]["finished_at"] is None:
        clock.advance(hours=2)
        deliver(services)
    tried = len(receiver.got)
    assert tried > 8
    assert timedelta(days=3) <= clock() - begun < timedelta(days=5)
    failed = log_of(alpha, hook)[0]
    assert (failed["status"], failed["error"]) == ("failed", "disabled")
    receiver.answer = 200
    call(alpha, "PATCH", f"/v1/webhooks/{hook['id']}", 200, json={"enabled": True})
    clock.advance(seconds=1)
    path = f"/v1/webhooks/{hook['id']}/deliveries/{failed['id']}/retry"
    assert call(alpha, "POST", path, 202)["status"] == "queued"
    assert deliver(services) == 1
    assert log_of(alpha, hook)[0]["status"] == "done"
    call(alpha, "POST", path, 409)
    assert len({headers["webhook-id"] for _, headers, _ in receiver.got}) == 1
    assert len({headers["webhook-timestamp"] for _, headers, _ in receiver.got}) == tried + 1
    assert alpha.get(f"/v1/webhooks/{hook['id']}")["failing_since"] is None


def test_what_fails_for_days_is_disabled_with_an_event(
    alpha: Desk, services: Services, receiver: Receiver, clock: FakeClock
) -> None:
    """Nothing more is queued for it; enabled again it has its time again, and the old can be sent by hand."""
    hook = register(alpha, "batch.finished")
    receiver.answer = PostError("connection")
    for number in range(6):
        alpha.batch([filing(f"A-{number}", subject(number))], key=f"key-{number}")
        deliver(services)
        clock.advance(hours=15)
    shown = alpha.get(f"/v1/webhooks/{hook['id']}")
    assert (shown["enabled"], shown["disabled_at"] is not None) == (False, True)
    assert "webhook.disabled" in events_of(services, hook["id"])
    clock.advance(days=1)
    before = len(receiver.got)
    deliver(services)
    assert len(receiver.got) == before
    assert {each["error"] for each in log_of(alpha, hook) if each["status"] == "failed"} >= {"disabled"}
    receiver.answer = 204
    changed = call(alpha, "PATCH", f"/v1/webhooks/{hook['id']}", 200, json={"enabled": True})
    assert (changed["enabled"], changed["failing_since"], changed["disabled_at"]) == (True, None, None)
    oldest = log_of(alpha, hook)[-1]
    call(alpha, "POST", f"/v1/webhooks/{hook['id']}/deliveries/{oldest['id']}/retry", 202)
    assert deliver(services) == 1
    assert log_of(alpha, hook)[-1]["status"] == "done"


def test_a_receiver_that_is_gone_disables_its_webhook(alpha: Desk, services: Services, receiver: Receiver) -> None:
    """410 says that nothing is wanted any more: it is not tried again."""
    hook = register(alpha, "batch.finished")
    alpha.batch([filing("A-1", subject("ann"))])
    receiver.answer = 410
    deliver(services)
    assert log_of(alpha, hook)[0]["error"] == "http-410"
    assert alpha.get(f"/v1/webhooks/{hook['id']}")["enabled"] is False
    assert events_of(services, hook["id"]) == ["webhook.added", "webhook.disabled"]


def test_changed_and_removed(alpha: Desk, services: Services, receiver: Receiver) -> None:
    """What waits goes to the new address, or nowhere once the webhook is removed; each is an event."""
    hook = register(alpha, "batch.finished")
    alpha.batch([filing("A-1", subject("ann"))])
    other = "https://other.example/"
    call(alpha, "PATCH", f"/v1/webhooks/{hook['id']}", 200, json={"url": other, "kinds": ["hit.created"]})
    deliver(services)
    assert receiver.got[0][0] == other
    alpha.batch([filing("A-2", subject("bob"))], key="second")
    assert deliver(services) == 0
    call(alpha, "PATCH", f"/v1/webhooks/{hook['id']}", 200, json={"kinds": ["batch.finished"]})
    alpha.batch([filing("A-3", subject("cid"))], key="third")
    call(alpha, "DELETE", f"/v1/webhooks/{hook['id']}", 204)
    assert deliver(services) == 1
    assert len(receiver.got) == 1
    alpha.get(f"/v1/webhooks/{hook['id']}", status=404)
    assert events_of(services, hook["id"]) == ["webhook.added", "webhook.changed", "webhook.changed", "webhook.removed"]


def test_secret_and_address_are_sealed_and_told_to_nobody_else(
    alpha: Desk, beta: Desk, services: Services, receiver: Receiver, log: io.StringIO
) -> None:
    """Not in the table, not in a second answer, not in the log; another member finds nothing."""
    hook = register(alpha, "batch.finished")
    assert base64.b64decode(hook["secret"].removeprefix("whsec_")) != b""
    with services.database.reading() as connection:
        row = connection.execute(select(WEBHOOKS)).mappings().one()
    for sealed in (row["url"], row["secret"]):
        assert b"receiver" not in sealed
        assert base64.b64decode(hook["secret"].removeprefix("whsec_")) not in sealed
    alpha.batch([filing("A-1", subject("ann"))])
    receiver.answer = PostError("dns")
    deliver(services)
    (shown,) = alpha.get("/v1/webhooks")["items"]
    assert "secret" not in shown
    assert shown["url"] == URL
    for secret in ("receiver.example", "Zebedee", hook["secret"]):
        assert secret not in log.getvalue()
    assert beta.get("/v1/webhooks")["items"] == []
    (delivery,) = log_of(alpha, hook)
    for path in (f"/v1/webhooks/{hook['id']}", f"/v1/webhooks/{hook['id']}/deliveries"):
        beta.get(path, status=404)
    call(beta, "PATCH", f"/v1/webhooks/{hook['id']}", 404, json={"enabled": False})
    call(beta, "DELETE", f"/v1/webhooks/{hook['id']}", 404)
    call(beta, "POST", f"/v1/webhooks/{hook['id']}/deliveries/{delivery['id']}/retry", 404)
    own = register(beta, "batch.finished")
    call(beta, "POST", f"/v1/webhooks/{own['id']}/deliveries/{delivery['id']}/retry", 404)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What is logged."""
    caught = io.StringIO()
    handler = logging.StreamHandler(caught)
    root = logging.getLogger()
    root.addHandler(handler)
    yield caught
    root.removeHandler(handler)


def test_what_is_no_webhook_is_refused(alpha: Desk, services: Services) -> None:
    """By field; not more than ten of them."""
    for body, name in (
        ({"url": "http://receiver.example/", "kinds": ["hit.created"]}, "url"),
        ({"url": "https://10.0.0.1/", "kinds": ["hit.created"]}, "url"),
        ({"url": URL, "kinds": ["everything"]}, "kinds"),
        ({"url": URL, "kinds": []}, "kinds"),
        ({"url": URL}, "kinds"),
    ):
        problem = call(alpha, "POST", "/v1/webhooks", 422, json=body)
        assert problem["errors"][0]["field"].startswith(name)
        assert "10.0.0.1" not in str(problem)
    for _ in range(10):
        register(alpha, "hit.created")
    call(alpha, "POST", "/v1/webhooks", 409, json={"url": URL, "kinds": ["hit.created"]})


def test_what_was_delivered_long_ago_is_forgotten(
    alpha: Desk, services: Services, receiver: Receiver, clock: FakeClock
) -> None:
    """After thirty days; what waits stays."""
    hook = register(alpha, "batch.finished")
    alpha.batch([filing("A-1", subject("ann"))])
    deliver(services)
    clock.advance(days=29)
    alpha.batch([filing("A-2", subject("bob"))], key="second")
    assert expire(services) == 0
    clock.advance(days=1, seconds=1)
    assert expire(services) == 1
    assert [each["status"] for each in log_of(alpha, hook)] == ["queued"]


class _Endpoint(BaseHTTPRequestHandler):
    """A receiver as a member would write it: it checks what comes in by the kit, and answers accordingly."""

    secret = ""
    taken: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        """Take a notice."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            self.taken.append(verify(self.secret, dict(self.headers), body).kind)
            self.send_response(204)
        except WebhookError:
            self.send_response(400)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def endpoint() -> Iterator[HTTPServer]:
    """The receiver, listening."""
    with HTTPServer(("127.0.0.1", 0), _Endpoint) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_over_http_to_a_receiver_of_the_kit(
    settings: Settings, clock: FakeClock, endpoint: HTTPServer, quick_hashing: None
) -> None:
    """To this machine only where the setting allows it; under another secret it is refused, and sent again later."""
    clock.time = datetime.now(UTC)
    app = create_app(replace(settings, webhook_loopback=True), clock)
    services: Services = app.extensions[EXTENSION]
    with services.database.write() as session:
        remember_secret(session, read_operator_secret(settings.operator_secret_file))
        accept_fingerprint(session, "guarded/1", FINGERPRINT, now=clock())
    desk = Desk(app.test_client(), services, Admissions(app)("Alpha"))
    hook = register(desk, "batch.finished", url=f"http://127.0.0.1:{endpoint.server_port}/")
    desk.batch([filing("A-1", subject("ann"))])
    _Endpoint.secret = "whsec_" + base64.b64encode(b"another").decode()
    deliver(services)
    assert log_of(desk, hook)[0]["error"] == "http-400"
    _Endpoint.secret = hook["secret"]
    clock.advance(seconds=10)
    deliver(services)
    assert log_of(desk, hook)[0]["answered"] == 204
    assert _Endpoint.taken == ["batch.finished"]
    services.database.close()
