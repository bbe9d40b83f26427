"""Appeals (R9): against what befell a member, decided by someone who did not do it, by a clock."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from repository.domain.members import MemberStatus
from repository.domain.rulebook import Level
from repository.domain.standing import LineStanding, Ramp, Standing, Step
from repository.services import Services, membership
from repository.services.onboarding import change_status
from repository.storage.base import Base
from tests.integration.membership.conftest import Person
from tests.support.encodings import question

Officers = Callable[[str], Person]
RESTRICTED = LineStanding("motor", Level.CLAIMS, 0.4, Step.RESTRICTED, None, Step.SUSPENDED, None, None, (), "File.")


def _suspend(services: Services, person: Person, by: Person) -> str:
    """Suspend a member by an operator, and give the event's id."""
    member_id, now = person.get("/v1/membership")["member"]["id"], services.clock()
    with services.database.write() as session:
        change_status(session, member_id, MemberStatus.SUSPENDED, now=now, by=by.who.id, reason="fishing")
    event_id: str = person.history("membership.suspended")[0]["id"]
    return event_id


def test_a_suspension_is_appealed_and_undone(services: Services, alpha: Person, officer: Officers) -> None:
    """Not by the operator who suspended; the one who upholds reinstates, and the member is not told who it was."""
    olga, oskar = officer("olga"), officer("oskar")
    event_id = _suspend(services, alpha, olga)
    appeal = alpha.post("/v1/appeals", {"against": event_id, "grounds": "each query had its claim"})
    assert (appeal["status"], appeal["due_on"], appeal["overdue"]) == ("open", "2026-03-16", False)
    assert not {"taken_by", "decided_by", "entered_by"} & appeal.keys()
    decision = f"/v1/appeals/{appeal['id']}/decision"
    assert olga.post(decision, {"uphold": False, "reason": "no"}, status=403)["rule"] == "R9"
    upheld = oskar.post(decision, {"uphold": True, "reason": "the claims are there"}, status=200)
    assert (upheld["taken_by"], upheld["decided_by"]) == (olga.who.id, oskar.who.id)
    seen = alpha.get("/v1/membership")
    assert seen["status"] == "active"
    assert (seen["appeals"][0]["status"], seen["appeals"][0]["reason"]) == ("upheld", "the claims are there")
    assert {each["by"] for each in seen["history"] if each["kind"] != "appeal.received"} == {"operator"}
    oskar.post(decision, {"uphold": False, "reason": "on second thoughts"}, status=409)


def test_an_appeal_dismissed_changes_nothing(services: Services, alpha: Person, officer: Officers) -> None:
    """What was decided stands; the member reads why."""
    olga, oskar = officer("olga"), officer("oskar")
    event_id = _suspend(services, alpha, olga)
    appeal = alpha.post("/v1/appeals", {"against": event_id, "grounds": "each query had its claim"})
    oskar.post(f"/v1/appeals/{appeal['id']}/decision", {"uphold": False, "reason": "none had"}, status=200)
    assert alpha.get("/v1/membership")["status"] == "suspended"
    assert alpha.get(f"/v1/appeals/{appeal['id']}")["reason"] == "none had"
    again = alpha.post("/v1/appeals", {"against": event_id, "grounds": "two had"})
    assert again["id"] != appeal["id"]


def test_a_step_of_the_ladder_is_appealed(services: Services, alpha: Person, officer: Officers) -> None:
    """The system took it, so any operator may decide; upholding leaves the figures to where they come from."""
    member_id = alpha.get("/v1/membership")["member"]["id"]
    with services.database.writing() as connection:
        standing = Standing(member_id, services.clock().date(), "digest", Ramp.COVENANT, None, (RESTRICTED,))
        membership.note_steps(connection, standing, services.clock())
    event_id = alpha.history("membership.step_changed")[0]["id"]
    appeal = alpha.post("/v1/appeals", {"against": event_id, "grounds": "the declaration was wrong"})
    assert alpha.post("/v1/appeals", {"against": event_id, "grounds": "and again"}, status=409)
    body = {"uphold": True, "reason": "the declaration is to be corrected"}
    assert officer("olga").post(f"/v1/appeals/{appeal['id']}/decision", body, status=200)["taken_by"] == "system"
    assert alpha.get("/v1/membership")["steps"][0]["step"] == "restricted"


def test_a_refused_query_is_appealed(services: Services, alpha: Person, beta: Person, officer: Officers) -> None:
    """The decision is named by its id; another member's decision is not there."""
    alpha.post("/v1/screenings", question(1), status=403)
    decisions = Base.metadata.tables["decisions"]
    with services.database.reading() as connection:
        decision_id = connection.execute(select(decisions.c.id)).scalar_one()
    beta.post("/v1/appeals", {"against": decision_id, "grounds": "any"}, status=404)
    appeal = alpha.post("/v1/appeals", {"against": decision_id, "grounds": "we filed a claim on that day"})
    body = {"uphold": False, "reason": "it was filed after the query"}
    assert officer("olga").post(f"/v1/appeals/{appeal['id']}/decision", body, status=200)["status"] == "dismissed"


def test_what_is_another_member_s_is_not_there(
    services: Services, alpha: Person, beta: Person, officer: Officers
) -> None:
    """Neither its events to appeal against, nor its appeals, listed or by id."""
    event_id = _suspend(services, alpha, officer("olga"))
    beta.post("/v1/appeals", {"against": event_id, "grounds": "any"}, status=404)
    appeal = alpha.post("/v1/appeals", {"against": event_id, "grounds": "any"})
    beta.get(f"/v1/appeals/{appeal['id']}", status=404)
    assert beta.get("/v1/appeals")["items"] == []
    assert [each["id"] for each in alpha.get("/v1/appeals?status=open")["items"]] == [appeal["id"]]
    assert beta.get("/v1/membership")["appeals"] == []


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_only_what_befell_a_member_is_appealed(alpha: Person, officer: Officers) -> None:
    """Not its own doing, nothing that is not there; grounds are needed, and operators appeal for applicants only."""
    own = alpha.get("/v1/membership")["history"][0]["id"]
    assert alpha.post("/v1/appeals", {"against": own, "grounds": "any"}, status=409)
    for missing in (f"evt_{'0' * 26}", f"dec_{'0' * 26}", f"app_{'0' * 26}", "nonsense"):
        alpha.post("/v1/appeals", {"against": missing, "grounds": "any"}, status=404)
        officer_s = officer(f"olga-{missing}").post("/v1/appeals", {"against": missing, "grounds": "any"}, status=404)
        assert officer_s["type"] == "/v1/problems/not-found"
    problem = alpha.post("/v1/appeals", {"against": own, "grounds": " "}, status=422)
    assert [each["field"] for each in problem["errors"]] == ["grounds"]
    olga = officer("olga")
    olga.post(f"/v1/appeals/apl_{'0' * 26}/decision", {"uphold": True, "reason": "any"}, status=404)
    olga.get("/v1/appeals/nonsense", status=404)
    alpha.post(f"/v1/appeals/apl_{'0' * 26}/decision", {"uphold": True, "reason": "any"}, status=403)
