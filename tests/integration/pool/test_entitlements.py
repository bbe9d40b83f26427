"""What decides on tiers and questions: the ledger, purposes, quotas, grants, and decisions that can be taken again."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from repository.domain.asking import Request
from repository.domain.events import EventKind
from repository.domain.members import Actor, Role
from repository.domain.rulebook import SubscriberClass
from repository.services import entitlements, grants
from repository.services.lifecycle import Act
from repository.services.replay import Replay
from repository.storage import decisions, ledger, membership, usage
from repository.storage.decisions import Chosen
from repository.storage.events import EVENTS
from repository.storage.ledger import LEDGER, LedgerRow
from repository.storage.members import find_member
from repository.storage.membership import DeclarationRow
from repository.storage.screenings import SCREENINGS
from tests.integration.pool.conftest import Counted, Desk
from tests.support.clock import FakeClock
from tests.support.encodings import filing, question, subject
from tests.support.members import Admissions
from tests.support.rulebooks import rules_from_the_start, use_rules

CHECKS = {"minimum": True, "legal_power": True, "third_party": False}


def _bulk(*who: str, **changes: object) -> dict[str, object]:
    """Questions about several, each under a reference of its own."""
    single = question("")
    shared = {name: single[name] for name in ("schema", "fingerprint", "purpose", "line")} | changes
    return shared | {
        "screenings": [{"reference": each, "subject": question(each)["subject"]} for each in who],
    }


def _later(clock: FakeClock, desk: Desk, *, days: int = 0, hours: int = 0) -> None:
    """Move on, and log in anew."""
    clock.advance(days=days, hours=hours)
    body = {
        "grant_type": "client_credentials",
        "client_id": desk.member.client_id,
        "client_secret": desk.member.client_secret,
    }
    tokens = desk.client.post("/v1/auth/token", json=body).get_json()
    desk.member = replace(desk.member, access_token=tokens["access_token"])


def test_filings_are_credited(alpha: Desk, beta: Desk, clock: FakeClock) -> None:
    """In their columns, on their day; a record filed anew adds nothing."""
    beta.file(filing("B-1", subject("ann")))
    _later(clock, alpha, days=20)
    alpha.file(filing("A-1", subject("ann"), date="2026-03-20"))
    alpha.file(filing("A-2", date="2026-03-01"))
    alpha.file(filing("A-3", date="2026-03-05"))
    alpha.file(filing("A-4", subject("few", only=range(2)), date="2026-03-22"))
    alpha.file(filing("A-4", subject("few"), date="2026-03-22"))
    with alpha.services.database.reading() as connection:
        (row,) = connection.execute(select(LEDGER).where(LEDGER.c.member_id == alpha.member.id)).mappings()
    counted = {name: row[name] for name in ("accepted", "back_book", "late", "thin", "corroborated", "due")}
    assert counted == {"accepted": 4, "back_book": 1, "late": 1, "thin": 1, "corroborated": 1, "due": 0}
    assert (row["day"], row["line"], row["record_class"]) == (clock().date(), "motor", "customer")


def test_the_day_s_quota(alpha: Desk, clock: FakeClock, rows: Counted) -> None:
    """So many questions, however many subjects are new; a refused one does not count, and the next day is another."""
    use_rules(alpha.services, "quota", floor_per_day=2, per_accepted=0.0)
    alpha.file(filing("A-1"))
    for number in range(2):
        alpha.screen(question(number))
    for _ in range(2):
        answer = alpha.client.post("/v1/screenings", json=question(3), headers=alpha.member.headers)
        assert (answer.status_code, answer.get_json()["rule"]) == (429, "R10")
        assert answer.get_json()["figures"]["used_today"] == 2
        assert int(answer.headers["Retry-After"]) == 15 * 3600  # it is nine o'clock
    assert rows("screenings") == 2
    _later(clock, alpha, hours=15)
    alpha.screen(question(3))


def test_a_bulk_counts_every_question_and_fits_whole_or_not_at_all(
    alpha: Desk, clock: FakeClock, rows: Counted
) -> None:
    """By the minute, too; what does not fit is not matched in part."""
    use_rules(alpha.services, "quota", burst_per_minute=3)
    alpha.file(filing("A-1"))
    many = "/v1/screenings/bulk"
    assert alpha.client.post(many, json=_bulk("a", "b"), headers=alpha.member.headers).status_code == 200
    refused = alpha.client.post(many, json=_bulk("c", "d"), headers=alpha.member.headers)
    assert (refused.status_code, refused.headers["Retry-After"], rows("screenings")) == (429, "60", 2)
    assert alpha.client.post(many, json=_bulk("c"), headers=alpha.member.headers).status_code == 200
    clock.advance(minutes=1)
    assert alpha.client.post(many, json=_bulk("c", "d"), headers=alpha.member.headers).status_code == 200
    assert alpha.get("/v1/standing")["quota"]["used"] == 5


def test_questions_at_the_same_time_do_not_pass_the_quota_together(alpha: Desk) -> None:
    """What another request has counted by then is seen when this one is counted, and refuses it."""
    use_rules(alpha.services, "quota", floor_per_day=1, per_accepted=0.0)
    alpha.file(filing("A-1"))
    with alpha.services.database.read() as session:
        found = find_member(session, alpha.member.id)
        assert found is not None
        member = found.as_member()
    actor = Actor("act_somebody", frozenset({Role.SCREENER}), member)
    with alpha.services.database.writing() as connection:
        wanted = Request("screening", "new_business", "motor")
        granted = entitlements.entitled(alpha.services, connection, actor, member, wanted)
        assert granted.entitlement.allowed
        usage.add(connection, member.id, 1, granted.now)()
        late = entitlements.counting(connection, granted, lambda: 0)()
    assert (late.entitlement.allowed, late.entitlement.rule, late.request.used_today) == (False, "R10", 1)


def test_a_closed_purpose_is_refused_before_anything_is_matched(alpha: Desk, beta: Desk, rows: Counted) -> None:
    """Closed for every class it is refused; for some, these are at tier 0, in the list of hits as well."""
    beta.file(filing("B-1", subject("ann")))
    alpha.file(filing("A-1", subject("ann")))
    classes = ("customer", "claim", "suspected", "proven", "victim", "protective")
    closed = [{"line": "motor", "class": each, "purpose": "new_business"} for each in classes]
    use_rules(alpha.services, "purposes", closed=closed)
    problem = alpha.screen(question("ann"), status=403)
    assert (problem["rule"], problem["type"].endswith("purpose"), rows("screenings")) == ("PURPOSE", True, 0)
    assert alpha.screen(question("ann", purpose="claim_validation"))["hits"]
    use_rules(alpha.services, "purposes", closed=closed[:1])
    assert alpha.screen(question("ann"))["hits"] == []
    assert alpha.hits("?purpose=new_business") == []
    assert len(alpha.hits()) == 2
    (hit, _) = alpha.hits()
    alpha.get(f"/v1/hits/{hit['id']}")
    alpha.get(f"/v1/hits/{hit['id']}?purpose=new_business", status=404)


@pytest.mark.parametrize("purpose", ["law_enforcement", "audit"])
def test_a_contributing_member_has_its_own_purposes(alpha: Desk, purpose: str) -> None:
    """Those of others are refused, for questions and for hits."""
    alpha.file(filing("A-1"))
    assert alpha.screen(question("ann", purpose=purpose, release=CHECKS), status=403)["rule"] == "PURPOSE"
    assert alpha.get(f"/v1/hits?purpose={purpose}", status=403)["rule"] == "PURPOSE"


def test_a_reference_is_not_reused_for_many_subjects(alpha: Desk, clock: FakeClock) -> None:
    """So many different ones for a purpose within so many days; the same one again is no other."""
    use_rules(alpha.services, "quota", subjects_per_reference=2, reference_days=30)
    alpha.file(filing("A-1"))
    for who in ("ann", "bob", "ann"):
        alpha.screen(question(who, reference="CASE-1"))
    problem = alpha.screen(question("cat", reference="CASE-1"), status=403)
    assert (problem["rule"], problem["figures"]["subjects"]) == ("PURPOSE", 3)
    alpha.screen(question("bob", reference="CASE-1"))
    alpha.screen(question("cat", reference="CASE-2"))
    alpha.screen(question("cat", reference="CASE-1", purpose="claim_validation"))
    with alpha.services.database.reading() as connection:
        told = connection.execute(
            select(EVENTS.c.figures, EVENTS.c.subject_id).where(EVENTS.c.kind == EventKind.SCREENING_REFUSED.value)
        ).all()
    assert [(figures["rule"], decision) for figures, decision in told] == [("PURPOSE", problem["decision"])]
    _later(clock, alpha, days=31)
    alpha.screen(question("cat", reference="CASE-1"))


def test_the_checks_of_a_release_are_asked_and_kept(alpha: Desk) -> None:
    """For purposes under which data leaves the circle."""
    alpha.file(filing("A-1"))
    asked = question("ann", purpose="subject_access")
    assert alpha.screen(asked, status=422)["errors"][0]["field"] == "release"
    alpha.screen(asked | {"release": CHECKS})
    alpha.screen(question("ann"))
    with alpha.services.database.reading() as connection:
        kept = connection.execute(select(SCREENINGS.c.release_checks).order_by(SCREENINGS.c.id)).scalars().all()
    assert sorted(kept, key=str) == sorted([CHECKS, None], key=str)


def test_a_subscriber_asks_under_its_grant(beta: Desk, member: Admissions, clock: FakeClock) -> None:
    """Without contributing: at the grant's tier, for its purposes and lines, so many a day, until it expires."""
    beta.file(filing("B-1", subject("ann"), record_class="claim"))
    services = beta.services
    police = Desk(beta.client, services, member("Police", lines=("motor",), declared={}))
    with services.database.write() as session:
        row = find_member(session, police.member.id)
        assert row is not None
        rules = services.rulebook.subscribers[SubscriberClass.LAW_ENFORCEMENT]
        wanted = grants.within(rules, ["motor"], clock().date() + timedelta(days=10), quota_per_day=2)
        act = Act(clock(), reason="A request under the act.")
        grants.grant(session, row, act, wanted, kind=SubscriberClass.LAW_ENFORCEMENT, rules=rules)
    asked = question("ann", purpose="law_enforcement", release=CHECKS)
    (hit,) = police.screen(asked)["hits"]
    assert (hit["tier"], hit["contributor"]) == (3, "Beta")
    assert police.screen(question("ann"), status=403)["rule"] == "R7"
    assert police.screen(asked | {"line": "home"}, status=403)["rule"] == "R7"
    police.screen(asked)
    assert police.screen(asked, status=429)["rule"] == "R10"
    _later(clock, police, days=10)
    assert police.screen(asked, status=403)["figures"]["expires_on"] == clock().date().isoformat()
    assert police.get("/v1/standing")["membership"]["grant"]["quota_per_day"] == 2


def test_decisions_share_a_standing_until_it_changes(alpha: Desk, clock: FakeClock, rows: Counted) -> None:
    """One is stored for all decisions taken on it; a filing, and another day, make another; each can be taken again."""
    alpha.file(filing("A-1"))
    for who in ("ann", "bob"):
        alpha.screen(question(who))
    assert rows("standings") == 1
    alpha.file(filing("A-2"))
    alpha.screen(question("ann"))
    _later(clock, alpha, days=1)
    alpha.hits()
    assert rows("standings") == 3
    with alpha.services.database.reading() as connection:
        stored = decisions.page(connection, Chosen(member_id=alpha.member.id), "", 10)
    assert sorted(row["action"] for row in stored) == ["filing"] * 2 + ["hits"] + ["screening"] * 3
    (page,) = Replay().pages(alpha.services.database, Chosen(member_id=alpha.member.id))
    assert (page.taken, page.deviations) == (6, [])


def test_what_is_undone_leaves_no_standing_behind(alpha: Desk) -> None:
    """A filing whose transaction fails was never counted, also not for the same version of the ledger later."""
    alpha.file(filing("A-1"))
    alpha.screen(question("ann"))
    before = alpha.get("/v1/standing")
    with pytest.raises(RuntimeError), alpha.services.database.writing() as connection:  # noqa: PT012
        today = alpha.services.clock().date()
        ledger.add(connection, [LedgerRow(alpha.member.id, today, "motor", "claim", {"accepted": 5})])
        with alpha.services.database.read() as session:
            found = find_member(session, alpha.member.id)
            assert found is not None
            member = found.as_member()
        actor = Actor("act_somebody", frozenset(), member)
        request = Request("filing", None, None, asked=0)
        inside = entitlements.entitled(alpha.services, connection, actor, member, request, keep=False)
        assert inside.assessed.standing.accepted == 6
        raise RuntimeError
    alpha.file(filing("H-1", line="home"))
    after = alpha.get("/v1/standing")
    assert after["lines"][1] == before["lines"][1]


def test_the_ladder_s_steps_are_noted_when_a_standing_is_assessed(alpha: Desk, clock: FakeClock) -> None:
    """Below target for long: the step shows in the standing, and is noted with its event at the next decision."""
    with alpha.services.database.write() as session:
        row = find_member(session, alpha.member.id)
        assert row is not None
        row.covenant_until = clock().date() - timedelta(days=1)
        row.admitted_on = clock().date() - timedelta(days=200)
        session.execute(update(DeclarationRow).values(since=row.admitted_on))
    rules_from_the_start(alpha.services, {"standing": {"tolerance": 0.0, "spared": 0.0}})
    alpha.file(filing("A-1"))
    standing = alpha.get("/v1/standing")
    motor = standing["lines"][1]
    assert motor["score"] < 1
    assert motor["improve"].startswith("File ")
    for each in motor["classes"]:
        for measure in each["measures"]:
            needed = measure["target"] * measure["total"]
            value = min(1.0, (measure["met"] + measure["allowance"]) / needed) if measure["total"] else 1.0
            assert measure["value"] == pytest.approx(value)
        product = 1.0
        for measure in each["measures"]:
            product *= measure["value"]
        assert each["score"] == pytest.approx(product)
    alpha.screen(question("ann"), status=403)
    with alpha.services.database.reading() as connection:
        noted = membership.steps(connection, alpha.member.id)
    assert noted["motor"].step.value == motor["step"] == "suspended"


def test_questions_at_once_keep_to_what_one_reference_allows(alpha: Desk, rows: Counted) -> None:
    """However many are asked at the same time: some are answered, the rest refused, and none counts that was."""
    use_rules(alpha.services, "quota", subjects_per_reference=3)
    alpha.file(filing("A-1"))

    def ask(who: int) -> int:
        client = alpha.client.application.test_client()
        return client.post("/v1/screenings", json=question(who), headers=alpha.member.headers).status_code

    with ThreadPoolExecutor(8) as threads:
        statuses = Counter(threads.map(ask, range(24)))
    assert statuses == {200: 3, 403: 21}
    assert rows("screenings") == 3
