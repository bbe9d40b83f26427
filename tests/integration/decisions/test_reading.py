"""A member reads its own decisions: the list, and why each came out as it did."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from repository.domain.members import MemberStatus
from repository.services import Services
from repository.services.onboarding import change_status
from repository.storage.decisions import DECISIONS
from tests.integration.decisions.conftest import next_day
from tests.integration.pool.conftest import Desk
from tests.support.clock import FakeClock
from tests.support.encodings import question
from tests.support.members import Admissions, TestUser


def listed(desk: Desk, query: str = "") -> list[dict[str, Any]]:
    """The first page of decisions."""
    items: list[dict[str, Any]] = desk.get(f"/v1/decisions{query}")["items"]
    return items


def test_a_refusal_names_the_decision_that_explains_it(alpha: Desk) -> None:
    """The id in the problem leads to the same rule, figures and remedy, with the sum and the way to appeal."""
    problem = alpha.screen(question("ann"), status=403)
    found = alpha.get(f"/v1/decisions/{problem['decision']}")
    assert (found["id"], found["allowed"], found["rule"]) == (problem["decision"], False, "R2")
    assert (found["figures"], found["remedy"]) == (problem["figures"], problem["remedy"])
    assert found["because"] == problem["detail"]
    assert found["workings"] == [{"about": "accepted in line motor in 90 days", "sum": "0 < 1"}]
    assert found["replayed"] is True
    rulebook = alpha.services.rulebook
    assert found["rulebook"] == {"version": rulebook.version, "digest": rulebook.digest}
    assert (found["action"], found["purpose"], found["line"], found["asked"]) == (
        "screening",
        "new_business",
        "motor",
        1,
    )
    assert problem["decision"] in found["appeal"]
    body = {"against": problem["decision"], "grounds": "We filed yesterday."}
    appeal = alpha.client.post("/v1/appeals", json=body, headers=alpha.member.headers)
    assert appeal.status_code == 201


def test_each_decision_is_explained_as_it_was(history: Desk) -> None:
    """Days later, and under another rulebook, an explanation is that of the day; each comes out the same again."""
    for each in listed(history):
        found = history.get(f"/v1/decisions/{each['id']}")
        assert found["replayed"] is True, found
        assert {name: found[name] for name in each} == each
        assert found["because"]
        assert found["workings"]
    (minute,) = [each for each in listed(history, "?refused=true") if each["rule"] == "R10"]
    found = history.get(f"/v1/decisions/{minute['id']}")
    assert found["workings"] == [{"about": "asked in this minute", "sum": "2 + 1 = 3 > 2"}]
    first = history.get(f"/v1/decisions/{listed(history, '?until=2026-03-02')[0]['id']}")
    assert first["rulebook"] != found["rulebook"]


def test_the_list_is_chosen_and_paged(history: Desk) -> None:
    """Latest first, by day, action and answer, in pages that fit together; and each once."""
    everything = listed(history)
    assert [each["at"] for each in everything] == sorted((each["at"] for each in everything), reverse=True)
    assert {each["rule"] for each in listed(history, "?refused=true")} == {"R2", "R10", "PURPOSE"}
    assert {each["action"] for each in listed(history, "?action=hits")} == {"hits"}
    day = listed(history, "?since=2026-03-03&until=2026-03-03")
    assert {each["at"][:10] for each in day} == {"2026-03-03"}
    assert len(listed(history, "?since=2026-03-04")) + len(listed(history, "?until=2026-03-03")) == len(everything)
    paged, query = [], "?limit=2"
    while True:
        page = history.get(f"/v1/decisions{query}")
        paged += page["items"]
        if page["next_cursor"] is None:
            break
        query = f"?limit=2&cursor={page['next_cursor']}"
    assert paged == everything
    assert history.get(f"/v1/decisions?refused=true&cursor={query[15:]}", status=422)["type"].endswith("invalid-cursor")


def test_nobody_elses_decisions_are_told(history: Desk, beta: Desk) -> None:
    """Another member's decision is not found, in the very words of one that does not exist; no answer names it."""
    beta_ids, alpha_ids = ({each["id"] for each in listed(desk)} for desk in (beta, history))
    assert beta_ids
    assert not beta_ids & alpha_ids
    one = min(beta_ids)
    stranger = history.get(f"/v1/decisions/{one}", status=404)
    nothing = history.get(f"/v1/decisions/dec_{'0' * 26}", status=404)
    assert stranger | {"instance": ""} == nothing | {"instance": ""}
    for each in alpha_ids:
        text = history.client.get(f"/v1/decisions/{each}", headers=history.member.headers).get_data(as_text=True)
        assert beta.member.id not in text
        assert "Beta" not in text
        assert "Q-1" not in text


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_roles_and_ids(client: FlaskClient, services: Services, member: Admissions, operator: TestUser) -> None:
    """Administrators and investigators read decisions, screeners and operators do not; what is no id is not found."""
    for role, status in (("member_admin", 200), ("investigator", 200), ("screener", 403), ("contributor", 403)):
        headers = member(f"Only {role}", roles=(role,)).headers
        assert client.get("/v1/decisions", headers=headers).status_code == status
    assert client.get("/v1/decisions", headers=operator.headers).status_code == 403
    headers = member("All").headers
    for identifier in ("nonsense", f"hit_{'0' * 26}", "%00"):
        assert client.get(f"/v1/decisions/{identifier}", headers=headers).status_code == 404


def test_a_suspended_member_reads_why(alpha: Desk, services: Services) -> None:
    """R6: what it may not ask, it may still have explained."""
    with services.database.write() as session:
        change_status(session, alpha.member.id, MemberStatus.SUSPENDED, now=services.clock())
    problem = alpha.screen(question("ann"), status=403)
    found = alpha.get(f"/v1/decisions/{listed(alpha)[0]['id']}")
    assert (problem["rule"], found["rule"]) == ("R1", "R1")
    assert found["workings"] == [{"about": "membership", "sum": "suspended; active is needed"}]


def test_what_was_changed_is_not_explained_away(alpha: Desk, services: Services, clock: FakeClock) -> None:
    """A decision that does not come out the same says so, and gives no reasons that did not decide it."""
    problem = alpha.screen(question("ann"), status=403)
    with services.database.writing() as connection:
        connection.execute(update(DECISIONS).values(rule="R6"))
    found = alpha.get(f"/v1/decisions/{problem['decision']}")
    assert (found["replayed"], found["rule"], found["workings"]) == (False, "R6", [])
    assert found["because"] == (
        "Taken again, it comes out differently: rule. The operator of the scheme has to look into it."
    )
    with services.database.writing() as connection:
        connection.execute(update(DECISIONS).values(standing_id=None))
    next_day(clock, alpha)
    found = alpha.get(f"/v1/decisions/{problem['decision']}")
    assert found["because"].startswith("It cannot be taken again: it names no standing")
