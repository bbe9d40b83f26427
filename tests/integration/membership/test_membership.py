"""The own membership over the interface: attesting, declaring, the back book, withdrawal, and its history."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from flask.testing import FlaskClient

from repository.domain.members import MemberStatus
from repository.domain.rulebook import Level, SubscriberClass
from repository.domain.standing import LineStanding, Ramp, Standing, Step
from repository.services import Services, grants, membership
from repository.services.lifecycle import Act
from repository.services.onboarding import change_status, renew
from repository.storage import ledger
from repository.storage.members import MemberRow
from repository.storage.membership import facts
from tests.integration.membership.conftest import Person
from tests.support.clock import FakeClock
from tests.support.members import Admissions, TestMember

ATTESTED = {"volumes_true": True, "privacy_notice": True}
BELOW = date(2026, 2, 20)
MOTOR = LineStanding("motor", Level.CLAIMS, 0.61, Step.WARNED, BELOW, Step.PLAN, None, None, (), "File 12 more claims.")
HOME = LineStanding("home", Level.CLAIMS, 1.0, Step.GOOD, None, None, None, None, (), "")


def test_a_membership_is_seen_whole(alpha: Person) -> None:
    """What it rests on, and how it began; the operator's actor is not told."""
    seen = alpha.get("/v1/membership")
    assert seen["member"]["name"] == "Alpha"
    assert (seen["status"], seen["admitted_on"]) == ("active", "2026-03-02")
    assert seen["ramp"] == {"kind": "covenant", "covenant_until": "2027-03-02", "back_book_on": None}
    assert seen["attestation"] == {"attested_on": "2026-03-02", "holds_until": "2027-03-02", "holds": True}
    assert len(seen["declarations"]) == 12
    assert all(each["holds"] for each in seen["declarations"])
    (admitted,) = seen["history"]
    assert (admitted["kind"], admitted["by"], admitted["rule"]) == ("membership.admitted", "operator", "R9")


def test_an_attestation_holds_for_a_year(alpha: Person, clock: FakeClock) -> None:
    """It lapses, and the member's own administrator renews it; the event says who it was."""
    clock.time = datetime(2027, 3, 3, 9, tzinfo=UTC)
    alpha = _again(alpha)
    assert not alpha.get("/v1/membership")["attestation"]["holds"]
    made = alpha.post("/v1/attestations", ATTESTED)
    assert made == {"attested_on": "2027-03-03", "holds_until": "2028-03-02", "holds": True}
    (event,) = alpha.history("membership.attested")
    assert (event["rule"], event["figures"]) == ("R1", {"attested_on": "2027-03-03"})
    assert event["by"].startswith("act_")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"volumes_true": True},
        {"volumes_true": True, "privacy_notice": False},
        {"volumes_true": True, "privacy_notice": "true"},
        {"volumes_true": True, "privacy_notice": 1},
    ],
)
@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_an_attestation_says_it_all(alpha: Person, body: dict[str, object]) -> None:
    """Both statements are made, and true: nothing else passes for it, and nothing is recorded."""
    problem = alpha.post("/v1/attestations", body, status=422)
    assert {each["field"] for each in problem["errors"]} <= {"volumes_true", "privacy_notice"}
    assert alpha.history("membership.attested") == []


def test_volumes_are_declared_from_a_month_on(alpha: Person, clock: FakeClock) -> None:
    """For this month from today, for later ones from their first day; the history keeps all, those in force marked."""
    for month, per_month, since in (("2026-03", 40, "2026-03-02"), ("2026-05", 90, "2026-05-01")):
        body = {"line": "motor", "class": "claim", "per_month": per_month, "from": month}
        assert alpha.post("/v1/declarations", body)["from"] == since
    assert _declared(alpha) == [(1, False), (40, True), (90, False)]
    clock.time = datetime(2026, 5, 1, 9, tzinfo=UTC)
    alpha = _again(alpha)
    assert _declared(alpha) == [(1, False), (40, False), (90, True)]


def test_declaring_less_is_told_apart(alpha: Person, services: Services) -> None:
    """It is allowed, and an event of its own with both figures."""
    body = {"line": "motor", "class": "claim", "from": "2026-04"}
    alpha.post("/v1/declarations", body | {"per_month": 50})
    alpha.post("/v1/declarations", body | {"per_month": 20})
    (more,), (less,) = (alpha.history(f"membership.{kind}") for kind in ("declared", "declared_less"))
    assert (more["figures"]["before"], more["figures"]["per_month"]) == (1, 50)
    assert (less["figures"]["before"], less["figures"]["per_month"]) == (50, 20)
    assert less["rule"] == "R4"
    with services.database.read() as session:
        declared = facts(session.connection(), alpha.get("/v1/membership")["member"]["id"]).declared
    assert [each.per_month for each in declared if (each.line, each.record_class) == ("motor", "claim")] == [1, 20]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"from": "2026-02"}, "from"),
        ({"from": "2026-13"}, "from"),
        ({"from": "0000-01"}, "from"),
        ({"from": "2026-03-01"}, "from"),
        ({"line": "pet"}, "line"),
        ({"line": "boats"}, "line"),
        ({"class": "gossip"}, "class"),
        ({"per_month": -1}, "per_month"),
        ({"per_month": 10**9}, "per_month"),
        ({"per_month": "12"}, "per_month"),
        ({"per_month": 1.5}, "per_month"),
    ],
)
@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_what_cannot_be_declared_names_its_field(alpha: Person, change: dict[str, object], field: str) -> None:
    """A month that is over, a line that is not the member's, a class that is none, a volume out of bounds."""
    body = {"line": "motor", "class": "claim", "per_month": 5, "from": "2026-04"} | change
    problem = alpha.post("/v1/declarations", body, status=422)
    assert [each["field"] for each in problem["errors"]] == [field]


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_volume_is_declared_so_often_a_day(alpha: Person, clock: FakeClock) -> None:
    """What is kept for good has a bound; the next day, and other classes, are free of it."""
    body = {"line": "motor", "class": "claim", "per_month": 5, "from": "2026-04"}
    for _ in range(19):  # and the one of its admission
        alpha.post("/v1/declarations", body)
    assert "20 times a day" in alpha.post("/v1/declarations", body, status=409)["detail"]
    alpha.post("/v1/declarations", body | {"class": "customer"})
    clock.advance(days=1)
    _again(alpha).post("/v1/declarations", body)


def test_the_back_book_is_loaded_once(client: FlaskClient, member: Admissions, services: Services) -> None:
    """Only of who contributes first; the day it was declared is kept, and a second time changes nothing."""
    alpha, beta = (Person(client, member(name)) for name in ("Alpha", "Beta"))
    with services.database.write() as session:
        row = session.get_one(MemberRow, alpha.get("/v1/membership")["member"]["id"])
        row.ramp, row.covenant_until = Ramp.CONTRIBUTE_FIRST.value, None
    assert alpha.post("/v1/back-book") == {"back_book_on": "2026-03-02"}
    assert "before" in alpha.post("/v1/back-book", status=409)["detail"]
    assert "contributes first" in beta.post("/v1/back-book", status=409)["detail"]
    assert alpha.get("/v1/membership")["ramp"]["back_book_on"] == "2026-03-02"
    (event,) = alpha.history("membership.back_book_loaded")
    assert event["rule"] == "R5"


def test_a_member_leaves_for_good(alpha: Person) -> None:
    """With a reason, knowing that there is no way back; from then on nothing is answered."""
    alpha.post("/v1/withdrawal", {"reason": "we sold the portfolio"}, status=422)
    alpha.post("/v1/withdrawal", {"reason": "   ", "for_good": True}, status=422)
    gone = alpha.post("/v1/withdrawal", {"reason": "we sold the portfolio", "for_good": True}, status=200)
    assert gone["status"] == "withdrawn"
    assert alpha.get("/v1/membership", status=403)["figures"] == {"status": "withdrawn"}


def test_a_suspended_member_still_looks_after_its_membership(alpha: Person, services: Services) -> None:
    """It reads why, attests and declares; reinstating it is told, too."""
    member_id = alpha.get("/v1/membership")["member"]["id"]
    with services.database.write() as session:
        change_status(session, member_id, MemberStatus.SUSPENDED, now=services.clock(), reason="no case behind queries")
    (event,) = alpha.history("membership.suspended")
    assert (event["by"], event["rule"], event["reason"]) == ("operator", "R6", "no case behind queries")
    alpha.post("/v1/attestations", ATTESTED)
    alpha.post("/v1/declarations", {"line": "motor", "class": "claim", "per_month": 5, "from": "2026-04"})
    with services.database.write() as session:
        change_status(session, member_id, MemberStatus.ACTIVE, now=services.clock())
    assert len(alpha.history("membership.reinstated")) == 1


def test_a_line_that_is_left_is_owed_nothing(alpha: Person, services: Services) -> None:
    """What was declared of it ends today, with an event for each; other lines keep theirs."""
    with services.database.write() as session:
        renew(session, "Alpha", lines=["motor"], now=services.clock())
    holding = [each for each in alpha.get("/v1/membership")["declarations"] if each["holds"]]
    assert {each["per_month"] for each in holding if each["line"] == "home"} == {0}
    assert {each["per_month"] for each in holding if each["line"] == "motor"} == {1}
    (changed,) = alpha.history("membership.lines_changed")
    assert changed["figures"] == {"before": "home motor", "after": "motor"}


def test_the_ladder_s_steps_are_events(alpha: Person, services: Services) -> None:
    """A step that differs from the last one is told with its figures, once; good from the start is no event."""
    member_id, now = alpha.get("/v1/membership")["member"]["id"], services.clock()
    standing = Standing(member_id, now.date(), "digest", Ramp.COVENANT, date(2027, 3, 2), (MOTOR, HOME))
    with services.database.writing() as connection:
        assert membership.note_steps(connection, standing, now) == 1
        assert membership.note_steps(connection, standing, now) == 0
    (event,) = alpha.history("membership.step_changed")
    assert (event["by"], event["rule"], event["reason"]) == ("system", "R6", "File 12 more claims.")
    assert (event["figures"]["before"], event["figures"]["after"]) == ("good", "warned")
    (step,) = alpha.get("/v1/membership")["steps"]
    assert (step["line"], step["step"], step["below_since"]) == ("motor", "warned", "2026-02-20")


def test_a_step_that_many_note_at_once_is_told_once(alpha: Person, services: Services) -> None:
    """Processes that assess the same member at the same time wait for each other."""
    member_id, now = alpha.get("/v1/membership")["member"]["id"], services.clock()
    standing = Standing(member_id, now.date(), "digest", Ramp.COVENANT, date(2027, 3, 2), (MOTOR, HOME))
    barrier = threading.Barrier(6)

    def note(_number: int) -> int:
        barrier.wait(30)
        with services.database.writing() as connection:
            noted = membership.note_steps(connection, standing, now)
            time.sleep(0.05)
            return noted

    with ThreadPoolExecutor(6) as threads:
        assert sorted(threads.map(note, range(6))) == [0, 0, 0, 0, 0, 1]
    assert len(alpha.history("membership.step_changed")) == 1


def test_a_step_noted_elsewhere_is_undone_by_the_standing_before(alpha: Person, services: Services) -> None:
    """Two processes, one day: this one sees a standing, another one a worse, and this one the first again."""
    member_id, now = alpha.get("/v1/membership")["member"]["id"], services.clock()
    alpha.get("/v1/hits")
    worse = Standing(member_id, now.date(), "digest", Ramp.COVENANT, date(2027, 3, 2), (MOTOR,))
    with services.database.writing() as connection:
        membership.note_steps(connection, worse, now)
        ledger.touch(connection, member_id)
    alpha.get("/v1/hits")
    steps = [event["figures"]["after"] for event in alpha.history("membership.step_changed")]
    assert sorted(steps) == ["good", "warned"]  # of one instant: their ids tell no order


def test_a_missed_covenant_is_told_as_such(alpha: Person, services: Services) -> None:
    """Whoever is below target on the covenant's date is suspended under R5, not by the ladder's days."""
    member_id, now = alpha.get("/v1/membership")["member"]["id"], services.clock()
    line = replace(MOTOR, step=Step.SUSPENDED)
    standing = Standing(member_id, now.date(), "digest", Ramp.COVENANT, now.date(), (line,))
    with services.database.writing() as connection:
        membership.note_steps(connection, standing, now)
    assert [each["rule"] for each in alpha.history("membership.step_changed")] == ["R5"]


def test_a_line_that_was_left_is_good_again(alpha: Person, services: Services) -> None:
    """A standing without the line ends its step, with an event."""
    member_id, now = alpha.get("/v1/membership")["member"]["id"], services.clock()
    standing = Standing(member_id, now.date(), "digest", Ramp.COVENANT, date(2027, 3, 2), (MOTOR, HOME))
    with services.database.writing() as connection:
        membership.note_steps(connection, standing, now)
        assert membership.note_steps(connection, replace(standing, lines=(HOME,)), now) == 1
    assert [each["step"] for each in alpha.get("/v1/membership")["steps"]] == ["good"]
    assert len(alpha.history("membership.step_changed")) == 2


def test_the_history_is_read_page_by_page(alpha: Person, clock: FakeClock) -> None:
    """Latest first, each event once, to the end; a cursor of another list is refused."""
    for number in range(5):
        clock.advance(timedelta(seconds=1))
        body = {"line": "motor", "class": "claim", "per_month": number + 2, "from": "2026-04"}
        alpha.post("/v1/declarations", body)
    seen, address = [], "/v1/membership/history?limit=2"
    while address:
        page = alpha.get(address)
        seen += page["items"]
        cursor = page["next_cursor"]
        address = f"/v1/membership/history?limit=2&cursor={cursor}" if cursor else ""
    assert len(seen) == len({each["id"] for each in seen}) == 6
    assert [each["figures"].get("per_month") for each in seen] == [6, 5, 4, 3, 2, None]
    alpha.get("/v1/membership/history?cursor=abc", status=422)


def test_only_an_administrator_acts_for_its_member(client: FlaskClient, member: Admissions) -> None:
    """Other roles read, and may not attest, declare or leave; operators have no membership."""
    clerk = Person(client, member("Alpha", roles=("screener", "contributor", "investigator")))
    operator = Person(client, member.operator())
    for path in ("/v1/attestations", "/v1/declarations", "/v1/back-book", "/v1/withdrawal"):
        for person in (clerk, operator):
            assert person.post(path, {}, status=403)["type"] == "/v1/problems/wrong-role"
    clerk.get("/v1/membership")
    operator.get("/v1/membership", status=403)


def test_whoever_has_a_grant_declares_nothing(client: FlaskClient, services: Services, member: Admissions) -> None:
    """A grant and a contribution exclude each other, both ways round."""
    police = Person(client, member("Police", declared={}))
    alpha = Person(client, member("Alpha"))
    with services.database.write() as session:
        kind = SubscriberClass.LAW_ENFORCEMENT
        rules = services.rulebook.subscribers[kind]
        wanted = grants.within(rules, ["motor"], services.clock().date() + timedelta(days=rules.grant_days))
        rows = [session.get_one(MemberRow, each.get("/v1/membership")["member"]["id"]) for each in (police, alpha)]
        grants.grant(session, rows[0], Act(services.clock()), wanted, kind=kind, rules=rules)
        with pytest.raises(ValueError, match="takes no grant"):
            grants.grant(session, rows[1], Act(services.clock()), wanted, kind=kind, rules=rules)
    body = {"line": "motor", "class": "claim", "per_month": 5, "from": "2026-04"}
    assert "never contributes" in police.post("/v1/declarations", body, status=409)["detail"]
    seen = police.get("/v1/membership")
    assert (seen["subscriber"], seen["grant"]["holds"]) == (kind.value, True)
    assert seen["grant"]["classes"] == list(rules.classes)
    (event,) = police.history("membership.granted")
    assert (event["rule"], event["subject"]) == ("R7", seen["grant"]["id"])


def _declared(person: Person) -> list[tuple[int, bool]]:
    rows = person.get("/v1/membership")["declarations"]
    return [(each["per_month"], each["holds"]) for each in rows if (each["line"], each["class"]) == ("motor", "claim")]


def _again(person: Person) -> Person:
    """The same person, logged in anew: tokens do not hold for months."""
    assert isinstance(person.who, TestMember)
    body = {
        "grant_type": "client_credentials",
        "client_id": person.who.client_id,
        "client_secret": person.who.client_secret,
    }
    tokens = person.client.post("/v1/auth/token", json=body).get_json()
    return Person(person.client, replace(person.who, access_token=tokens["access_token"]))
