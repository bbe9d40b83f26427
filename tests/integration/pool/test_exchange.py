"""The disclosure exchange through HTTP: who may ask, what each side sees, the clock, and what is kept for how long."""

from __future__ import annotations

import base64
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import orjson
import pyrage
import pytest
from sqlalchemy import select

from repository.domain.flags import Flag
from repository.domain.jobs import JobKind
from repository.domain.members import MemberStatus
from repository.domain.removal import Cause
from repository.domain.viewings import Via
from repository.domain.webhooks import Notice
from repository.jobs.running import JobWorker
from repository.services import corrections, posting, removal
from repository.services.lifecycle import Act
from repository.services.onboarding import change_status
from repository.services.removal import Why
from repository.services.replay import Replay
from repository.settings import Settings
from repository.storage import viewings
from repository.storage.decisions import Chosen
from repository.storage.dump import lines, tables
from repository.storage.events import EVENTS
from repository.storage.exchange import DISCLOSURES
from repository.storage.jobs import JOBS
from repository.storage.ledger import LEDGER
from tests.integration.pool.conftest import Counted, Desk
from tests.support.clock import FakeClock
from tests.support.encodings import filing, subject
from tests.support.expiring import expire
from tests.support.members import Admissions
from tests.support.rulebooks import use_rules

ON_SQLITE = pytest.mark.parametrize("store", ["sqlite"], indirect=True)
SECRET = "Zebedee Quartermaine drove the blue car"
ASKED, MINIMUM = "Which Wednesday-market witnesses were heard?", "Nothing else tells the two collisions apart."
BODY: dict[str, Any] = {
    "purpose": "investigation",
    "legal_power": "legal_claims",
    "reference": "CASE-A-7",
    "items": ["statements", "circumstances"],
    "third_party": False,
    "asked": ASKED,
    "minimum": MINIMUM,
}
REASON: dict[str, Any] = {"withheld": "more_than_needed", "reason": "Statements name a third driver."}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A log-in lasts."""
    return replace(settings, access_lifetime=timedelta(days=700))


@pytest.fixture
def identity(alpha: Desk) -> pyrage.x25519.Identity:
    """Alpha's key pair, the public half of which is published."""
    made = pyrage.x25519.Identity.generate()
    answer = alpha.client.put(
        "/v1/keys/recipient", json={"recipient": str(made.to_public())}, headers=alpha.member.headers
    )
    assert answer.status_code == 200
    return made


@pytest.fixture
def hit(alpha: Desk, beta: Desk, identity: pyrage.x25519.Identity) -> str:
    """Alpha gives claims and suspected cases, and was shown Beta's claim about Ann."""
    beta.file(filing("B-1", subject("ann"), record_class="claim"))
    alpha.file(filing("A-0", subject("zoe"), record_class="suspected"))
    alpha.file(filing("A-1", subject("ann"), record_class="claim"))
    (shown,) = alpha.hits()
    assert shown["tier"] == 3
    return str(shown["id"])


def post(desk: Desk, path: str, body: object, *, status: int = 200) -> dict[str, Any]:
    """Send something, and give the JSON that came back."""
    answer = desk.client.post(path, json=body, headers=desk.member.headers)
    assert answer.status_code == status, answer.get_json()
    parsed: dict[str, Any] = answer.get_json()
    return parsed


def request(desk: Desk, hit: str, *, status: int = 201, **changes: object) -> dict[str, Any]:
    """Ask for the detail of a hit."""
    return post(desk, "/v1/disclosures", BODY | {"hit": hit} | changes, status=status)


def act(desk: Desk, made: dict[str, Any], what: str, *, status: int = 200, **body: object) -> dict[str, Any]:
    """Do something with a request."""
    return post(desk, f"/v1/disclosures/{made['id']}/{what}", body, status=status)


def approve(desk: Desk, made: dict[str, Any], *, status: int = 200, **changes: object) -> dict[str, Any]:
    """Give all of it, or what the changes say."""
    to = changes.pop("to", None) or desk.get(f"/v1/disclosures/{made['id']}")["recipient"]
    sealed = pyrage.encrypt(SECRET.encode(), [pyrage.x25519.Recipient.from_str(str(to))])
    body = {"granted": BODY["items"], "recipient": to, "sealed": base64.b64encode(sealed).decode()} | changes
    return act(desk, made, "approval", status=status, **body)


def owed(desk: Desk) -> list[tuple[date, str, str, int, int]]:
    """What a member's ledger says is due and was answered."""
    row = LEDGER.c
    statement = select(row.day, row.line, row.record_class, row.due, row.answered)
    statement = statement.where(row.member_id == desk.member.id, (row.due != 0) | (row.answered != 0))
    with desk.services.database.reading() as connection:
        return [tuple(each) for each in connection.execute(statement.order_by(row.day))]


def events(desk: Desk, made: dict[str, Any]) -> list[str]:
    """The kinds of events about a request, sorted."""
    statement = select(EVENTS.c.kind).where(EVENTS.c.subject_id == made["id"])
    with desk.services.database.reading() as connection:
        return sorted(each.removeprefix("disclosure.") for each in connection.scalars(statement))


def everything(desk: Desk) -> bytes:
    """All that the service stores, with what is in base64 there opened, too."""
    with desk.services.database.reading() as connection:
        stored = b"".join(b"".join(lines(connection, each)) for each in tables())
        row = connection.execute(select(DISCLOSURES.c.sealed, DISCLOSURES.c.words)).one()
    sealed: bytes = row[0] or b""
    words: bytes = row[1]
    return stored + sealed + words


def test_only_who_asked_can_open_the_answer(
    alpha: Desk, beta: Desk, hit: str, identity: pyrage.x25519.Identity, caplog: pytest.LogCaptureFixture
) -> None:
    """The service holds no byte of the answer in clear, nor of what was written; opened, it holds nothing of it."""
    made = request(alpha, hit)
    given = approve(beta, made, note_reference="N-1")
    assert (given["status"], given["granted"], given["working_days"], given["in_time"]) == (
        "approved",
        ["circumstances", "statements"],
        0,
        True,
    )
    kept = everything(alpha)
    for text in (SECRET, ASKED, MINIMUM):
        assert text.encode() not in kept
        assert base64.b64encode(text.encode())[:-4] not in kept
        assert text not in caplog.text
    carried = alpha.get(f"/v1/disclosures/{made['id']}/sealed")
    sealed = base64.b64decode(carried["sealed"])
    assert pyrage.decrypt(sealed, [identity]) == SECRET.encode()
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(sealed, [pyrage.x25519.Identity.generate()])
    opened = act(alpha, made, "receipt")
    assert opened["opened_at"]
    assert act(alpha, made, "receipt") == opened
    alpha.get(f"/v1/disclosures/{made['id']}/sealed", status=404)
    assert sealed not in everything(alpha)
    assert events(alpha, made) == ["approved", "fetched", "opened", "requested"]


def test_each_side_sees_its_own_part(alpha: Desk, beta: Desk, hit: str, member: Admissions) -> None:
    """Both read what is asked and why; the contributor's reference comes with its approval; nobody else sees any."""
    made = request(alpha, hit)
    (inbox,) = beta.get("/v1/disclosures")["items"]
    assert inbox == beta.get(f"/v1/disclosures/{made['id']}")
    for told in (made, inbox):
        assert (told["asked"], told["minimum"], told["items"]) == (ASKED, MINIMUM, ["circumstances", "statements"])
        assert (told["due_on"], told["working_days_left"], told["overdue"]) == ("2026-03-09", 5, False)
    assert (inbox["side"], inbox["name"], inbox["reference"], inbox["their_reference"]) == (
        *("received", "Alpha", "B-1", "CASE-A-7"),
    )
    assert (made["side"], made["name"], made["reference"], made["their_reference"]) == (
        *("sent", "Beta", "CASE-A-7", None),
    )
    assert "hit" not in inbox
    assert "filing" not in made
    gamma = Desk(alpha.client, alpha.services, member("Gamma"))
    assert gamma.get("/v1/disclosures")["items"] == gamma.get("/v1/disclosures?side=sent")["items"] == []
    for desk, what in ((gamma, "receipt"), (gamma, "withdrawal"), (beta, "receipt"), (beta, "withdrawal")):
        act(desk, made, what, status=404)
    for desk in (gamma, alpha):
        act(desk, made, "refusal", status=404, **REASON)
        act(desk, made, "approval", status=404, granted=["statements"])
    for desk in (gamma, beta):
        act(desk, made, "escalation", status=404, reason="late")
        desk.get(f"/v1/disclosures/{made['id']}/sealed", status=404)
    gamma.get(f"/v1/disclosures/{made['id']}", status=404)
    request(gamma, hit, status=404)
    approve(beta, made)
    assert alpha.get(f"/v1/disclosures/{made['id']}")["their_reference"] == "B-1"
    assert alpha.get("/v1/disclosures?side=sent&status=approved")["items"][0]["id"] == made["id"]


@ON_SQLITE
def test_the_detail_of_a_flagged_record_waits(alpha: Desk, beta: Desk, hit: str) -> None:
    """While the record is disputed its detail is not fetched; once it is, that is a viewing at tier 4."""
    services, made = alpha.services, request(alpha, hit)
    approve(beta, made)
    with services.database.writing() as connection:
        filing_id = connection.execute(select(DISCLOSURES.c.filing_id)).scalar_one()
        now = Act(services.clock())
        corrections.flag(services, connection, now, filing_id, Flag.DISPUTED, cause="dsp_1")
    alpha.get(f"/v1/disclosures/{made['id']}/sealed", status=403)
    with services.database.writing() as connection:
        corrections.flag(services, connection, now, filing_id, None, cause="dsp_1")
    alpha.get(f"/v1/disclosures/{made['id']}/sealed")
    with services.database.reading() as connection:
        seen = viewings.of_filings(connection, [filing_id])
    assert (Via.DISCLOSURE, 4) in [(each.reader.via, each.tier) for each in seen]


def test_a_part_is_given_with_a_reason(alpha: Desk, beta: Desk, hit: str) -> None:
    """What is kept back is told with the ground and in words, under the operator's seal where it is stored."""
    made = request(alpha, hit)
    problem = approve(beta, made, status=422, granted=["circumstances"])
    assert problem["errors"][0]["field"] == "withheld"
    assert approve(beta, made, status=422, granted=["amounts"])["errors"][0]["field"] == "granted"
    approve(beta, made, status=422, **REASON)
    given = approve(beta, made, granted=["circumstances"], **REASON)
    assert (given["status"], given["granted"]) == ("approved_in_part", ["circumstances"])
    seen = alpha.get(f"/v1/disclosures/{made['id']}")
    assert (seen["withheld"], seen["reason"]) == (REASON["withheld"], REASON["reason"])
    assert REASON["reason"].encode() not in everything(alpha)
    approve(beta, made, status=409)


def test_a_refusal_has_a_reason_and_is_an_answer(alpha: Desk, beta: Desk, hit: str) -> None:
    """It counts as answered, gives nothing to open and not the contributor's reference; it may be asked again."""
    made = request(alpha, hit)
    assert owed(beta) == [(date(2026, 3, 9), "motor", "claim", 1, 0)]
    act(beta, made, "refusal", status=422, withheld="other")
    refused = act(beta, made, "refusal", **REASON)
    assert (refused["status"], refused["granted"], refused["available_until"]) == ("refused", [], None)
    seen = alpha.get(f"/v1/disclosures/{made['id']}")
    assert (seen["reason"], seen["their_reference"]) == (REASON["reason"], None)
    alpha.get(f"/v1/disclosures/{made['id']}/sealed", status=404)
    act(alpha, made, "receipt", status=409)
    act(alpha, made, "withdrawal", status=409)
    assert owed(beta) == [(date(2026, 3, 9), "motor", "claim", 1, 1)]
    assert request(alpha, hit)["id"] != made["id"]


def test_the_same_again_is_the_same_and_another_waits(alpha: Desk, beta: Desk, hit: str, rows: Counted) -> None:
    """One open request of a member about a record; withdrawn in time, it was never due."""
    made = request(alpha, hit)
    assert request(alpha, hit, status=200) == made
    assert request(alpha, hit, status=409, asked="Something else?")["type"].endswith("conflict")
    assert act(alpha, made, "withdrawal")["status"] == "withdrawn"
    assert owed(beta) == []
    approve(beta, made, status=409)
    assert request(alpha, hit, asked="Something else?")["id"] != made["id"]
    assert rows("disclosure_requests") == 2
    use_rules(alpha.services, "exchange", most_open=1)
    beta.file(filing("B-2", subject("ann"), record_class="claim"))
    another = next(each["id"] for each in alpha.hits() if each["id"] != hit)
    assert "1 requests" in request(alpha, another, status=409)["detail"]


def test_what_is_overdue_may_be_escalated(alpha: Desk, beta: Desk, hit: str, clock: FakeClock) -> None:
    """Not before its last working day is over in the scheme's zone; answered late, it counts as late."""
    use_rules(alpha.services, "calendar", zone="Pacific/Kiritimati", holidays=["2026-03-04"])
    made = request(alpha, hit)
    assert (made["due_on"], made["working_days_left"]) == ("2026-03-10", 5)
    clock.time = datetime.fromisoformat("2026-03-10T09:59:59+00:00")
    act(alpha, made, "escalation", status=409, reason="No answer came.")
    assert alpha.get("/v1/disclosures?side=sent&overdue=true")["items"] == []
    clock.advance(seconds=1)
    late = alpha.get("/v1/disclosures?side=sent&overdue=true")["items"]
    assert [(each["id"], each["overdue"], each["working_days_left"]) for each in late] == [(made["id"], True, -1)]
    act(alpha, made, "escalation", reason="No answer came.")
    act(alpha, made, "escalation", status=409, reason="Still none.")
    assert beta.get(f"/v1/disclosures/{made['id']}")["escalation"] == "No answer came."
    assert b"No answer came." not in everything(alpha)
    given = approve(beta, made)
    assert (given["working_days"], given["in_time"]) == (6, False)
    assert owed(beta) == [(date(2026, 3, 10), "motor", "claim", 1, 0)]
    assert events(alpha, made) == ["approved", "escalated", "requested"]


@ON_SQLITE
def test_what_is_withdrawn_too_late_stays_due(alpha: Desk, beta: Desk, hit: str, clock: FakeClock) -> None:
    """The past does not change: who did not answer in time is not helped by that."""
    made = request(alpha, hit)
    clock.advance(days=8)
    act(alpha, made, "withdrawal")
    assert owed(beta) == [(date(2026, 3, 9), "motor", "claim", 1, 0)]


def test_two_at_once_ask_once(alpha: Desk, hit: str, rows: Counted) -> None:
    """Of requests about one record at the same time one is taken: the others are the same, or told to wait."""
    barrier = threading.Barrier(4)

    def work(number: int) -> int:
        client = alpha.client.application.test_client()
        barrier.wait(30)
        body = BODY | {"hit": hit, "reference": f"CASE-{number}"}
        return client.post("/v1/disclosures", json=body, headers=alpha.member.headers).status_code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(work, range(4))) == [201, 409, 409, 409]
    assert rows("disclosure_requests") == 1


@ON_SQLITE
@pytest.mark.parametrize("labels", [{"tlp": "amber"}, {"code": "C"}])
def test_a_label_bars_the_detail(alpha: Desk, beta: Desk, hit: str, labels: dict[str, str]) -> None:
    """The hit is shown at tier 3, and more is not to be had: told with the decision, which is stored as any other."""
    beta.file(filing("B-1", subject("ann"), record_class="claim", labels=labels))
    assert [each["tier"] for each in alpha.hits()] == [3]
    problem = request(alpha, alpha.hits()[0]["id"], status=403)
    assert (problem["type"].rpartition("/")[2], problem["rule"]) == ("reciprocity", "R2")
    assert alpha.get(f"/v1/decisions/{problem['decision']}")["action"] == "disclosure"


@ON_SQLITE
def test_who_gives_no_fraud_class_asks_for_no_detail(alpha: Desk, beta: Desk, identity: pyrage.x25519.Identity) -> None:
    """Claims give tier 3; a suspected case besides, tier 4: as R2's table says. No other purpose is a way around."""
    beta.file(filing("B-1", subject("ann"), record_class="claim"))
    alpha.file(filing("A-1", subject("ann"), record_class="claim"))
    (shown,) = alpha.hits()
    request(alpha, shown["id"], status=403)
    alpha.file(filing("A-0", subject("zoe"), record_class="suspected"))
    assert request(alpha, shown["id"], status=403, purpose="audit")["rule"] == "PURPOSE"
    closed = {"line": "motor", "class": "claim", "purpose": "claim_validation"}
    use_rules(alpha.services, "purposes", closed=[closed])
    request(alpha, shown["id"], status=404, purpose="claim_validation")
    request(alpha, shown["id"])
    pages = list(Replay().pages(alpha.services.database, Chosen()))
    assert sum(page.taken for page in pages) >= 5
    assert [each for page in pages for each in page.deviations] == []


@ON_SQLITE
def test_a_request_says_all_that_it_must(alpha: Desk, hit: str) -> None:
    """Power, items and words are checked, each by its name; so is the key an answer would be sealed to."""
    for field, wrong in (
        ("legal_power", "curiosity"),
        ("items", []),
        ("items", ["shoe_size"]),
        ("third_party", "no"),
        ("asked", " "),
        ("minimum", "x" * 1001),
        ("reference", ""),
        ("hit", "hit_none"),
        ("purpose", "gossip"),
    ):
        problem = post(alpha, "/v1/disclosures", BODY | {"hit": hit} | {field: wrong}, status=422)
        assert [each["field"] for each in problem["errors"]] == [field]
    alpha.client.delete("/v1/keys/recipient", headers=alpha.member.headers)
    assert "public key" in request(alpha, hit, status=409)["detail"]


@ON_SQLITE
def test_an_answer_is_sealed_to_the_key_of_now(alpha: Desk, beta: Desk, hit: str) -> None:
    """To no other, to nobody else besides, and never in clear."""
    made = request(alpha, hit)
    other = pyrage.x25519.Identity.generate().to_public()
    approve(beta, made, status=409, to=str(other))
    to = beta.get(f"/v1/disclosures/{made['id']}")["recipient"]
    both = pyrage.encrypt(b"x", [pyrage.x25519.Recipient.from_str(str(each)) for each in (to, other)])
    for wrong in (both, SECRET.encode()):
        problem = approve(beta, made, status=422, sealed=base64.b64encode(wrong).decode())
        assert [each["field"] for each in problem["errors"]] == ["sealed"]
    assert beta.get(f"/v1/disclosures/{made['id']}")["status"] == "open"


@ON_SQLITE
def test_the_suspended_answer_and_do_not_ask(alpha: Desk, beta: Desk, hit: str) -> None:
    """Who is suspended may still answer (R6); it neither asks nor fetches, and takes back what it asked."""
    made, services = request(alpha, hit), alpha.services
    for name in ("Alpha", "Beta"):
        with services.database.write() as session:
            change_status(session, name, MemberStatus.SUSPENDED, now=services.clock(), reason="a test")
    approve(beta, made)
    request(alpha, hit, status=403)
    alpha.get(f"/v1/disclosures/{made['id']}/sealed", status=403)
    assert alpha.get(f"/v1/disclosures/{made['id']}")["status"] == "approved"


def test_a_sealed_answer_and_then_the_request_are_deleted(
    alpha: Desk, beta: Desk, hit: str, clock: FakeClock, rows: Counted
) -> None:
    """After the rulebook's days: the answer first, unfetched or not; in the end all that was written, with events."""
    made = request(alpha, hit)
    approve(beta, made)
    clock.advance(days=30, seconds=-1)
    assert expire(alpha.services) == 0
    clock.advance(seconds=1)
    alpha.get(f"/v1/disclosures/{made['id']}/sealed", status=404)
    assert expire(alpha.services) == 1
    with alpha.services.database.reading() as connection:
        assert connection.execute(select(DISCLOSURES.c.sealed)).scalar_one() is None
    assert alpha.get(f"/v1/disclosures/{made['id']}")["status"] == "approved"
    clock.time = datetime.fromisoformat("2027-03-02T09:00:00+00:00")
    expire(alpha.services)
    assert rows("disclosure_requests") == 0
    assert events(alpha, made) == ["approved", "expired", "removed", "requested"]


@ON_SQLITE
def test_notices_have_ids_only(alpha: Desk, beta: Desk, hit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each side's webhooks are told what the other one did, by the request's id."""
    got: list[bytes] = []

    def post_it(_url: str, _headers: dict[str, str], body: bytes, *, loopback: bool) -> int:
        got.append(body)
        return 500 if loopback else 204

    monkeypatch.setattr(posting, "post", post_it)
    kinds = [each.value for each in Notice if each.value.startswith("disclosure.")]
    for desk in (alpha, beta):
        post(desk, "/v1/webhooks", {"url": "https://receiver.example/", "kinds": kinds}, status=201)
    made = request(alpha, hit)
    act(beta, made, "refusal", **REASON)
    again = request(alpha, hit)
    act(alpha, again, "withdrawal")
    statement = select(JOBS.c.member_id, JOBS.c.cursor).where(JOBS.c.kind == "webhook").order_by(JOBS.c.id)
    with alpha.services.database.reading() as connection:
        told = [(row[0], row[1]["notice"], row[1]["about"]) for row in connection.execute(statement)]
    alerts = [about.pop("alert") for _, _, about in told]
    assert sorted(alerts) == sorted(each["id"] for desk in (alpha, beta) for each in desk.get("/v1/alerts")["items"])
    mine, theirs = alpha.member.id, beta.member.id
    assert sorted(told, key=str) == sorted(
        [
            (theirs, "disclosure.requested", {"disclosure": made["id"]}),
            (mine, "disclosure.answered", {"disclosure": made["id"]}),
            (theirs, "disclosure.requested", {"disclosure": again["id"]}),
            (theirs, "disclosure.withdrawn", {"disclosure": again["id"]}),
        ],
        key=str,
    )
    assert JobWorker(alpha.services, [JobKind.WEBHOOK]).run_pending() == 4
    sent = [orjson.loads(body) for body in got]
    assert sorted([each["type"], each["data"]["disclosure"]] for each in sent) == sorted(
        [kind, about["disclosure"]] for _, kind, about in told
    )


@ON_SQLITE
def test_a_request_goes_with_the_record(alpha: Desk, beta: Desk, hit: str, rows: Counted) -> None:
    """The contributor takes the record out of the pool: nothing of its requests stays; what is due from it does."""
    made = request(alpha, hit)
    act(beta, made, "refusal", **REASON)
    request(alpha, hit)
    (filed,) = beta.get("/v1/disclosures?status=open")["items"]
    post(beta, f"/v1/filings/{filed['filing']}/withdrawal", {"reason": "duplicate"})
    assert rows("disclosure_requests") == 0
    assert beta.get("/v1/disclosures")["items"] == []
    assert owed(beta) == [(date(2026, 3, 9), "motor", "claim", 2, 1)]


@pytest.mark.parametrize("days", [0, 8])
def test_nobody_owes_an_answer_about_what_expired(
    alpha: Desk, beta: Desk, hit: str, clock: FakeClock, days: int
) -> None:
    """Its time is over while a second request is open: that is due no more, unless it was overdue; the first stays."""
    act(beta, request(alpha, hit), "refusal", **REASON)
    request(alpha, hit)
    (filed,) = beta.get("/v1/disclosures?status=open")["items"]
    clock.advance(days=days)
    with beta.services.database.writing() as connection:
        assert removal.remove(beta.services, connection, [filed["filing"]], Why(Cause.EXPIRED, clock()))
    assert owed(beta) == [(date(2026, 3, 9), "motor", "claim", 2 if days else 1, 1)]


@ON_SQLITE
def test_the_league_tells_of_few_requests_nothing(
    alpha: Desk, beta: Desk, hit: str, member: Admissions, clock: FakeClock
) -> None:
    """Others learn figures from three requests on; the member itself and the operator learn them always."""
    gamma, first = Desk(alpha.client, alpha.services, member("Gamma")), request(alpha, hit)
    listed = [len(each.get("/v1/disclosures/response-times")["items"]) for each in (alpha, beta, gamma)]
    assert listed == [0, 1, 0], "one that is open and not yet due is told to who was asked"
    act(beta, first, "refusal", **REASON)
    request(alpha, hit)
    (row,) = gamma.get("/v1/disclosures/response-times")["items"]
    assert (row["name"], row["requests"], row["share_in_time"]) == ("Beta", {"fewer_than": 3}, None)
    (own,) = beta.get("/v1/disclosures/response-times")["items"]
    assert (own["requests"], own["share_in_time"], own["overdue"]) == (1, 1.0, 0)
    use_rules(alpha.services, "disclosure", suppress_below=2)
    clock.advance(days=8)
    (row,) = gamma.get("/v1/disclosures/response-times")["items"]
    assert (row["requests"], row["share_in_time"], row["overdue"], row["median_working_days"]) == (2, 0.5, 1, 0.0)
