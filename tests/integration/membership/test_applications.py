"""Applications (R9): a clock, an officer who did not enter them, a refusal that says why and how to appeal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from repository.domain.members import MemberStatus
from repository.services import Services
from repository.services.onboarding import OnboardingError, add_user, admit_member, change_status
from repository.storage.members import all_members
from repository.storage.membership import events_since
from tests.integration.membership.conftest import Person
from tests.support.clock import FakeClock
from tests.support.members import PASSWORD, Admissions, TestUser
from tests.support.rulebooks import use_rules

Officers = Callable[[str], Person]
APPLYING: dict[str, Any] = {
    "name": "Gamma Insurance",
    "lines": ["motor", "home"],
    "declared": {"motor/customer": 800, "motor/claim": 40, "home/customer": 120},
    "agreement_version": "2026",
    "agreement_signed_on": "2026-02-20",
}


def test_an_application_is_due_after_five_working_days(officer: Officers) -> None:
    """Entered on a Monday, it is due on the Monday after; on the Tuesday it is overdue, and stays so until decided."""
    olga = officer("olga")
    entered = olga.post("/v1/applications", APPLYING)
    assert (entered["due_on"], entered["overdue"], entered["status"]) == ("2026-03-09", False, "open")
    assert entered["entered_by"] == olga.who.id
    assert olga.get(f"/v1/applications/{entered['id']}") == entered


def test_the_clock_is_the_rulebook_s(services: Services, officer: Officers) -> None:
    """Other working days, another due date."""
    use_rules(services, "membership", application_working_days=10)
    assert officer("olga").post("/v1/applications", APPLYING)["due_on"] == "2026-03-16"


def test_an_overdue_application_is_told(client: FlaskClient, officer: Officers, clock: FakeClock) -> None:
    """It stands first in the list, and is marked; so is how late it was decided, in the event."""
    olga, oskar = officer("olga"), officer("oskar")
    late = olga.post("/v1/applications", APPLYING)
    clock.advance(days=10)
    olga, oskar = (_again(each) for each in (olga, oskar))
    fresh = olga.post("/v1/applications", APPLYING | {"name": "Delta"})
    items = olga.get("/v1/applications?status=open")["items"]
    assert [(each["id"], each["overdue"]) for each in items] == [(late["id"], True), (fresh["id"], False)]
    oskar.post(f"/v1/applications/{late['id']}/decision", {"accept": True, "reason": "all is in order"}, status=200)
    assert [each["id"] for each in olga.get("/v1/applications?status=open")["items"]] == [fresh["id"]]
    assert len(olga.get("/v1/applications")["items"]) == 2


def test_accepting_admits_the_member(client: FlaskClient, officer: Officers, services: Services) -> None:
    """On the terms it applied with; it has yet to attest, which its own administrator does."""
    olga, oskar = officer("olga"), officer("oskar")
    entered = olga.post("/v1/applications", APPLYING | {"covenant_until": "2026-09-30"})
    body = {"accept": True, "reason": "licensed, agreement signed"}
    accepted = oskar.post(f"/v1/applications/{entered['id']}/decision", body, status=200)
    assert (accepted["status"], accepted["decided_by"]) == ("accepted", oskar.who.id)
    gamma = _administrator(client, services, accepted["member"])
    seen = gamma.get("/v1/membership")
    assert seen["ramp"]["covenant_until"] == "2026-09-30"
    assert seen["agreement"] == {"version": "2026", "signed_on": "2026-02-20"}
    assert {f"{each['line']}/{each['class']}": each["per_month"] for each in seen["declarations"]} == APPLYING[
        "declared"
    ]
    assert not seen["attestation"]["holds"]
    assert seen["application"]["id"] == entered["id"]
    assert {each["kind"] for each in seen["history"]} == {"membership.admitted", "application.accepted"}
    assert {each["reason"] for each in seen["history"]} == {"licensed, agreement signed"}


def test_a_refusal_says_why_when_and_how_to_appeal(officer: Officers) -> None:
    """Reason, rule, date, and the way of an appeal with its clock; nobody is admitted."""
    olga, oskar = officer("olga"), officer("oskar")
    entered = olga.post("/v1/applications", APPLYING)
    body = {"accept": False, "reason": "no licence to insure", "rule": "R1"}
    refused = oskar.post(f"/v1/applications/{entered['id']}/decision", body, status=200)
    assert (refused["status"], refused["reason"], refused["rule"]) == ("refused", "no licence to insure", "R1")
    assert refused["decided_at"].startswith("2026-03-02")
    assert "within 10 working days" in refused["appeal"]
    assert refused["member"] is None
    again = oskar.post(f"/v1/applications/{entered['id']}/decision", body, status=409)
    assert again["type"] == "/v1/problems/conflict"


def test_who_entered_an_application_does_not_decide_it(officer: Officers) -> None:
    """R9: refused with the rule, and the application stays open."""
    olga = officer("olga")
    entered = olga.post("/v1/applications", APPLYING)
    body = {"accept": True, "reason": "a friend"}
    problem = olga.post(f"/v1/applications/{entered['id']}/decision", body, status=403)
    assert (problem["type"], problem["rule"]) == ("/v1/problems/not-independent", "R9")
    assert olga.get(f"/v1/applications/{entered['id']}")["status"] == "open"


def test_an_appeal_upheld_opens_the_application_again(officer: Officers, services: Services) -> None:
    """Entered by one, refused by another, appealed, upheld by a third: then decided by who did not refuse it."""
    olga, oskar, oona = (officer(name) for name in ("olga", "oskar", "oona"))
    entered = olga.post("/v1/applications", APPLYING)
    decision = f"/v1/applications/{entered['id']}/decision"
    oskar.post(decision, {"accept": False, "reason": "no licence to insure", "rule": "R1"}, status=200)
    appeal = olga.post("/v1/appeals", {"against": entered["id"], "grounds": "the licence is enclosed"})
    assert (appeal["taken_by"], appeal["due_on"]) == (oskar.who.id, "2026-03-16")
    for part_of_it in (olga, oskar):
        body = {"uphold": True, "reason": "it is there"}
        part_of_it.post(f"/v1/appeals/{appeal['id']}/decision", body, status=403)
    oona.post(f"/v1/appeals/{appeal['id']}/decision", {"uphold": True, "reason": "it is there"}, status=200)
    assert olga.get(f"/v1/applications/{entered['id']}")["status"] == "open"
    for part_of_it in (olga, oskar):
        part_of_it.post(decision, {"accept": True, "reason": "licensed"}, status=403)
    assert oona.post(decision, {"accept": True, "reason": "licensed"}, status=200)["status"] == "accepted"
    with services.database.reading() as connection:
        kinds = ["application.received", "application.refused", "application.reopened", "application.accepted"]
        told = [each["kind"] for each in events_since(connection, services.clock() - timedelta(1), kinds)]
    assert sorted(told) == sorted(kinds)


def test_an_officer_sets_another_date_for_a_covenant(
    client: FlaskClient, officer: Officers, services: Services, clock: FakeClock
) -> None:
    """Where the one applied for is over, nothing else admits the member; the event has both, a refusal takes none."""
    olga, oskar = officer("olga"), officer("oskar")
    entered = olga.post("/v1/applications", APPLYING | {"covenant_until": "2026-03-05"})
    clock.advance(days=4)
    oskar, decision = _again(oskar), f"/v1/applications/{entered['id']}/decision"
    body = {"accept": True, "reason": "licensed"}
    for change in ({}, {"covenant_until": "2026-03-06"}, {"accept": False, "covenant_until": "2026-09-30"}):
        problem = oskar.post(decision, body | change, status=422)
        assert [each["field"] for each in problem["errors"]] == ["covenant_until"]
    accepted = oskar.post(decision, body | {"covenant_until": "2026-09-30"}, status=200)
    assert (accepted["status"], accepted["covenant_until"]) == ("accepted", "2026-09-30")
    gamma = _administrator(client, services, accepted["member"])
    assert gamma.get("/v1/membership")["ramp"]["covenant_until"] == "2026-09-30"
    with services.database.reading() as connection:
        (told,) = events_since(connection, services.clock() - timedelta(1), ["application.accepted"])
    assert told["figures"]["covenant_wished"] == "2026-03-05"
    assert told["figures"]["covenant_until"] == "2026-09-30"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": " "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "Gam\nma"}, "name"),
        ({"lines": []}, "lines"),
        ({"lines": ["boats"]}, "lines[0]"),
        ({"declared": {"motor": 1}}, "declared"),
        ({"declared": {"pet/claim": 1}}, "declared"),
        ({"declared": {"motor/gossip": 1}}, "declared"),
        ({"ramp": "free"}, "ramp"),
        ({"covenant_until": "2028-01-01"}, "covenant_until"),
        ({"ramp": "contribute_first", "covenant_until": "2026-09-30"}, "covenant_until"),
    ],
)
@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_what_cannot_be_applied_for_names_its_field(officer: Officers, change: dict[str, Any], field: str) -> None:
    """Nothing is entered, and the value itself is not repeated."""
    olga = officer("olga")
    problem = olga.post("/v1/applications", APPLYING | change, status=422)
    assert [each["field"] for each in problem["errors"]] == [field]
    assert "gossip" not in str(problem)
    assert olga.get("/v1/applications")["items"] == []


def test_applications_are_read_page_by_page(officer: Officers) -> None:
    """Those due first first, each once, to the end; a cursor fits its own list only."""
    olga = officer("olga")
    entered = [olga.post("/v1/applications", APPLYING | {"name": f"Insurer {number}"})["id"] for number in range(5)]
    seen, address = [], "/v1/applications?status=open&limit=2"
    cursors = []
    while address:
        page = olga.get(address)
        seen += [each["id"] for each in page["items"]]
        cursors.append(page["next_cursor"])
        address = f"/v1/applications?status=open&limit=2&cursor={cursors[-1]}" if cursors[-1] else ""
    assert seen == sorted(entered)
    assert len(cursors) == 3
    for other in (f"/v1/applications?cursor={cursors[0]}", f"/v1/appeals?status=open&cursor={cursors[0]}"):
        assert olga.get(other, status=422)["type"] == "/v1/problems/invalid-cursor"


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_name_applies_once(officer: Officers, alpha: Person) -> None:
    """Neither while it waits, nor when it is a member's."""
    olga = officer("olga")
    olga.post("/v1/applications", APPLYING)
    olga.post("/v1/applications", APPLYING, status=409)
    olga.post("/v1/applications", APPLYING | {"name": "Alpha"}, status=409)


@pytest.mark.parametrize("name", ["gamma  INSURANCE", "\uff27amma Insurance"])
def test_a_name_is_the_same_in_any_writing(officer: Officers, services: Services, name: str) -> None:
    """Case, width and spaces make no other applicant, and no other member."""
    olga, oskar = officer("olga"), officer("oskar")
    entered = olga.post("/v1/applications", APPLYING)
    assert "open application" in olga.post("/v1/applications", APPLYING | {"name": name}, status=409)["detail"]
    oskar.post(f"/v1/applications/{entered['id']}/decision", {"accept": True, "reason": "licensed"}, status=200)
    assert (
        "member of that name exists" in olga.post("/v1/applications", APPLYING | {"name": name}, status=409)["detail"]
    )
    with services.database.write() as session, pytest.raises(OnboardingError, match="a member of that name exists"):
        admit_member(session, name, ["motor"], now=services.clock())


@pytest.mark.parametrize("name", ["Alpha", "ALPHA"])
def test_who_has_withdrawn_comes_back_contributing_first(
    officer: Officers, services: Services, alpha: Person, name: str
) -> None:
    """Under its own name, without a new covenant, as a member of its own; the former one keeps what it filed."""
    olga, oskar = officer("olga"), officer("oskar")
    with services.database.write() as session:
        former = change_status(session, "Alpha", MemberStatus.WITHDRAWN, now=services.clock())
    again = APPLYING | {"name": name}
    refused = olga.post("/v1/applications", again, status=409)
    assert "withdrawn" in refused["detail"]
    assert "contribute_first" in refused["detail"]
    with services.database.write() as session, pytest.raises(OnboardingError, match="contribute_first"):
        admit_member(session, name, ["motor"], now=services.clock())
    entered = olga.post("/v1/applications", again | {"ramp": "contribute_first"})
    body = {"accept": True, "reason": "licensed again"}
    accepted = oskar.post(f"/v1/applications/{entered['id']}/decision", body, status=200)
    with services.database.write() as session:
        names = {row.id: row.name for row in all_members(session)}
    assert names[accepted["member"]] == name
    assert names[former.id] == "Alpha (withdrawn 2026-03-02, 1)"
    with services.database.reading() as connection:
        told = events_since(connection, services.clock() - timedelta(1), ["membership.admitted"])
    assert {each["member_id"]: each["figures"]["before"] for each in told} == {
        former.id: None,
        accepted["member"]: former.id,
    }


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_applications_are_the_operator_s(client: FlaskClient, alpha: Person, member: Admissions) -> None:
    """Members and auditors neither see nor decide them, and an id of nothing is not found."""
    auditor = Person(client, member.operator("adam", roles=("auditor",)))
    nothing = f"/v1/applications/app_{'0' * 26}"
    for person in (alpha, auditor):
        person.post("/v1/applications", APPLYING, status=403)
        person.get("/v1/applications", status=403)
        person.get(nothing, status=403)
    olga = Person(client, member.operator("olga"))
    olga.get(nothing, status=404)
    olga.get("/v1/applications/nonsense", status=404)
    olga.post(f"{nothing}/decision", {"accept": True, "reason": "any"}, status=404)


def _administrator(client: FlaskClient, services: Services, member_id: str) -> Person:
    """A person of a member, logged in."""
    with services.database.write() as session:
        add_user(session, "gina", PASSWORD, ["member_admin"], now=services.clock(), member=member_id)
    return _logged_in(client, "gina", member_id)


def _again(person: Person) -> Person:
    """The same operator, logged in anew: tokens do not hold for days."""
    assert isinstance(person.who, TestUser)
    return _logged_in(person.client, person.who.username, person.who.id)


def _logged_in(client: FlaskClient, username: str, identifier: str) -> Person:
    body = {"grant_type": "password", "username": username, "password": PASSWORD}
    tokens = client.post("/v1/auth/token", json=body).get_json()
    return Person(client, TestUser(identifier, username, tokens["access_token"]))
