"""Screenings that stand: what is filed later makes a hit for who asked before, as far as it may see then."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from repository.domain.jobs import JobKind
from repository.domain.members import MemberStatus
from repository.jobs.running import JobWorker
from repository.services import aftermath as aftermath_jobs
from repository.services import epochs, monitoring, pool
from repository.services.onboarding import change_status
from repository.services.operator import accept_fingerprint, retire_fingerprint
from repository.settings import Settings
from repository.storage import aftermath, jobs, rescored, watches
from repository.storage.decisions import DECISIONS
from repository.storage.filings import FILINGS, SUBJECTS
from repository.storage.screenings import SCREENINGS
from repository.storage.watches import WATCH_INDEX
from tests.integration.pool.conftest import Counted, Desk
from tests.integration.pool.test_outcomes import say
from tests.integration.pool.test_webhooks import call
from tests.support.clock import FakeClock
from tests.support.encodings import FINGERPRINT, SCHEMA, filing, question, subject
from tests.support.expiring import expire
from tests.support.members import Admissions
from tests.support.rulebooks import use_rules


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A log-in lasts."""
    return replace(settings, access_lifetime=timedelta(days=1500))


@pytest.fixture
def asker(alpha: Desk) -> Desk:
    """Alpha, which gives claims and so sees everything of motor."""
    alpha.file(filing("A-0", subject("zoe"), record_class="claim"))
    monitor(alpha)
    return alpha


def stand(desk: Desk, who: str, stands: object = None, **changes: Any) -> dict[str, Any]:
    """Ask about somebody, and have it stand."""
    return desk.screen(question(who, stands=stands or {"as": "quote"}, **changes))


@pytest.fixture
def desks(asker: Desk, beta: Desk) -> tuple[Desk, Desk]:
    """Who asks, and who files later."""
    return asker, beta


def status(desk: Desk, after: MemberStatus) -> None:
    """Change the status of a member."""
    with desk.services.database.write() as session:
        change_status(session, desk.member.id, after, now=desk.services.clock())


def monitor(desk: Desk) -> int:
    """Hold what was filed against what stands."""
    return JobWorker(desk.services, [JobKind.MONITOR]).run_pending()


def waiting(desk: Desk) -> int:
    """How much of what was filed is yet to be held against what stands."""
    with desk.services.database.reading() as connection:
        return len(aftermath.following(connection, JobKind.MONITOR, limit=99))


def alerts(desk: Desk, kind: str = "watch.hit") -> list[dict[str, Any]]:
    """What a member is alerted of."""
    items: list[dict[str, Any]] = desk.get(f"/v1/alerts?kind={kind}")["items"]
    return [each["about"] for each in items]


def indexed(desk: Desk) -> int:
    """The rows of the index of watches."""
    with desk.services.database.reading() as connection:
        return len(connection.execute(select(WATCH_INDEX)).all())


def test_a_later_filing_makes_a_hit_and_an_alert_once(asker: Desk, beta: Desk, rows: Counted) -> None:
    """For who asked and had it stand, under the screening; not for a question that does not; filed anew, not again."""
    answer = stand(asker, "ann")
    assert (answer["answer"], answer["stands"]["as"], answer["stands"]["until"]) == ("clear", "quote", "2026-05-31")
    assert "stands" not in asker.screen(question("cut", reference="Q-2"))
    beta.batch([filing("B-1", subject("ann"), record_class="claim"), filing("B-2", subject("cut"))])
    assert rows("hits") == 0
    assert monitor(asker) == 1
    (hit,) = asker.hits()
    assert (hit["tier"], hit["contributor"], hit["own"]["screening"]) == (3, "Beta", answer["id"])
    assert alerts(asker) == [{"hit": hit["id"], "watch": answer["stands"]["watch"]}]
    assert alerts(beta) == []
    beta.file(filing("B-1", subject("ann"), record_class="claim", date="2026-02-20"))
    beta.file(filing("B-1", subject("bob"), record_class="claim"))
    beta.file(filing("B-1", subject("ann"), record_class="claim"))
    monitor(asker)
    assert [each["id"] for each in asker.hits()] == [hit["id"]]
    assert (len(alerts(asker)), waiting(asker)) == (1, 0)


def test_one_job_follows_many_filings(asker: Desk, beta: Desk) -> None:
    """However many are filed one by one, a single job waits for them."""
    for number in range(3):
        beta.file(filing(f"B-{number}"))
    assert waiting(beta) == 3
    assert monitor(beta) == 1
    assert waiting(beta) == 0


def test_what_may_not_be_seen_leaves_no_trace(alpha: Desk, beta: Desk, rows: Counted) -> None:
    """Who gives customers only is not told of a claim under red light: no hit, no alert, and no decision to list."""
    alpha.file(filing("A-0", subject("zoe")))
    stand(alpha, "ann")
    with alpha.services.database.reading() as connection:
        known = len(connection.execute(select(DECISIONS)).all())
    beta.file(filing("B-1", subject("ann"), record_class="claim", labels={"source": "not_reliable"}))
    hidden = filing("B-2", subject("ann"), labels={"tlp": "red"}, line="home")
    beta.file(hidden)
    monitor(alpha)
    seen = len(alpha.hits())
    assert len(alerts(alpha)) == seen
    with alpha.services.database.reading() as connection:
        decided = list(connection.scalars(select(DECISIONS.c.action)))
    assert len(decided) >= known
    assert decided.count("watch") == bool(seen)


def test_of_what_is_at_tier_one_only_the_best_is_told(asker: Desk, beta: Desk) -> None:
    """How many records there are is not told by the number of alerts."""
    stand(asker, "ann")
    for number in range(3):
        beta.file(filing(f"B-{number}", subject("ann"), record_class="claim", labels={"tlp": "red"}))
        monitor(asker)
    assert (len(asker.hits()), len(alerts(asker))) == (1, 1)


def test_a_pair_that_was_ruled_out_stays_so(asker: Desk, beta: Desk) -> None:
    """Said not to be the same on a filing, a later version of it that matches again tells nothing."""
    beta.file(filing("B-1", subject("ann"), record_class="claim"))
    first = stand(asker, "ann")
    say(asker, first["hits"][0]["id"], "not_same")
    again = stand(asker, "ann", reference="Q-2")
    assert again["hits"] == []
    beta.file(filing("B-1", subject("ann"), subject("dan"), record_class="claim"))
    monitor(asker)
    assert alerts(asker) == []


def test_who_ends_it_is_told_no_more(asker: Desk, beta: Desk) -> None:
    """Out of the index with its end, once; another member finds no such watch."""
    watch = stand(asker, "ann")["stands"]["watch"]
    assert indexed(asker) > 0
    call(beta, "POST", f"/v1/watches/{watch}/end", 404)
    done = call(asker, "POST", f"/v1/watches/{watch}/end", 200)
    assert (done["reason"], call(asker, "POST", f"/v1/watches/{watch}/end", 200)) == ("member", done)
    assert indexed(asker) == 0
    beta.file(filing("B-1", subject("ann"), record_class="claim"))
    monitor(asker)
    assert (asker.hits(), alerts(asker)) == ([], [])
    assert [each["id"] for each in asker.get("/v1/watches?stands=false")["items"]] == [watch]
    assert (asker.get("/v1/watches?stands=true")["items"], beta.get("/v1/watches")["items"]) == ([], [])


@pytest.mark.parametrize(
    ("asked", "until", "last"),
    [
        (datetime(2026, 3, 2, 9, tzinfo=UTC), None, datetime(2026, 5, 31, 23, tzinfo=UTC)),  # British summer time
        (datetime(2026, 12, 15, 9, tzinfo=UTC), "2027-02-28", datetime(2027, 3, 1, tzinfo=UTC)),
        (datetime(2027, 12, 20, 9, tzinfo=UTC), "2028-02-29", datetime(2028, 3, 1, tzinfo=UTC)),
    ],
)
def test_it_stands_to_the_end_of_its_day_in_the_zone(
    desks: tuple[Desk, Desk], clock: FakeClock, asked: datetime, until: str | None, last: datetime
) -> None:
    """A filing of the last minute is told, one of the next is not, swept or not; then its rows are gone."""
    (asker, beta), clock.time = desks, asked
    call(asker, "POST", "/v1/attestations", 201, json={"volumes_true": True, "privacy_notice": True})
    asker.file(filing("A-1", subject("yan"), record_class="claim", date=asked.date().isoformat()))
    stand(asker, "ann", {"as": "quote", "until": until} if until else None)
    stand(asker, "bob", {"as": "quote", "until": until} if until else None, reference="Q-2")
    clock.time = last - timedelta(minutes=1)
    asker.file(filing("A-2", subject("yan"), record_class="claim", date=asked.date().isoformat()))
    beta.file(filing("B-1", subject("ann"), record_class="claim", date=asked.date().isoformat()))
    monitor(asker)
    assert len(alerts(asker)) == 1
    clock.time = last
    beta.file(filing("B-2", subject("bob"), record_class="claim", date=asked.date().isoformat()))
    monitor(asker)
    assert len(alerts(asker)) == 1
    assert indexed(asker) > 0
    expire(asker.services)
    assert (indexed(asker), len(alerts(asker, "watch.ended"))) == (0, 2)


@pytest.mark.parametrize(
    ("stands", "field"),
    [
        ({"as": "friend"}, "stands.as"),
        ({"as": "quote", "until": "2027-03-02"}, "stands.until"),
        ({"as": "policy", "until": "2026-03-01"}, "stands.until"),
        ({"as": "policy", "until": 5}, "stands.until"),
        ({"as": "policy", "for": 5}, "stands"),
    ],
)
def test_what_may_not_stand_is_refused_before_anything(asker: Desk, rows: Counted, stands: Any, field: str) -> None:
    """By field, with what was expected; nothing is asked."""
    asker.screen(question("ann", stands={"as": "policy", "until": "2027-03-01"}))
    refused = asker.screen(question("ann", stands=stands), status=422)
    assert refused["errors"][0]["field"] == field
    assert rows("screenings") == 1


def test_it_is_kept_as_long_as_it_stands_and_never_past_twelve_months(
    asker: Desk, clock: FakeClock, rows: Counted
) -> None:
    """The screening of a policy outlives those that do not stand, to its last day, and goes with it."""
    use_rules(asker.services, "screening", keep_days=30)
    stand(asker, "ann", {"as": "policy"})
    asker.screen(question("bob", reference="Q-2"))
    clock.time = datetime(2027, 3, 1, 23, 59, tzinfo=UTC)
    expire(asker.services)
    assert rows("screenings") == 1
    clock.time = datetime(2027, 3, 2, tzinfo=UTC)
    expire(asker.services)
    assert (rows("screenings"), rows("watches"), indexed(asker)) == (0, 0, 0)


def test_a_policy_is_asked_anew(asker: Desk, beta: Desk, clock: FakeClock, rows: Counted) -> None:
    """An enquiry of its own, answered as of now, in the place of the one before; a quote is not."""
    first, quote = stand(asker, "ann", {"as": "policy"}), stand(asker, "bob", reference="Q-2")
    beta.file(filing("B-1", subject("ann"), record_class="claim"))
    clock.advance(timedelta(days=200))
    asker.file(filing("A-1", subject("yan"), record_class="claim", date=clock().date().isoformat()))
    path = f"/v1/watches/{first['stands']['watch']}/renewal"
    answer = call(asker, "POST", path, 200, json={})
    assert (answer["answer"], answer["reference"], answer["stands"]["until"]) == ("enquire", "Q-1", "2027-09-17")
    assert {each["reason"] for each in asker.get("/v1/watches")["items"]} == {None, "time", "renewed"}
    call(asker, "POST", path, 409, json={})
    call(asker, "POST", f"/v1/watches/{quote['stands']['watch']}/renewal", 409, json={})
    call(beta, "POST", path, 404, json={})
    assert rows("screenings") == 3


def test_rights_that_are_over_end_it(asker: Desk, beta: Desk) -> None:
    """Of a member that has left nothing stands; of a suspended one nothing is told."""
    stand(asker, "ann")
    status(asker, MemberStatus.SUSPENDED)
    beta.file(filing("B-1", subject("ann"), record_class="claim"))
    monitor(beta)
    status(asker, MemberStatus.ACTIVE)
    assert (asker.hits(), alerts(asker)) == ([], [])
    status(asker, MemberStatus.WITHDRAWN)
    expire(asker.services)
    assert indexed(asker) == 0


def test_a_purpose_that_is_closed_now_tells_nothing(asker: Desk, beta: Desk, rows: Counted) -> None:
    """Though it was open when it was asked for: no hit is made, whatever opens again later."""
    stand(asker, "ann")
    closed = [{"line": "motor", "class": "claim", "purpose": "new_business"}]
    use_rules(asker.services, "purposes", closed=closed)
    beta.file(filing("B-1", subject("ann"), record_class="claim"))
    monitor(asker)
    assert (rows("hits"), alerts(asker)) == (0, [])


def test_an_epoch_that_is_over_ends_what_stands_under_it(asker: Desk, clock: FakeClock) -> None:
    """With the encodings its rows of the index go, which nothing could find again."""
    stand(asker, "ann")
    with asker.services.database.write() as session:
        accept_fingerprint(session, SCHEMA.id, "fedcba9876543210", now=clock(), epoch=2)
        retire_fingerprint(session, SCHEMA.id, FINGERPRINT, at=clock(), now=clock())
    clock.advance(seconds=1)
    list(epochs.erase(asker.services, (SCHEMA.id, FINGERPRINT)))
    assert indexed(asker) == 0
    assert [each["reason"] for each in asker.get("/v1/watches")["items"]] == ["key"]


def test_what_may_not_be_told_now_is_told_once_it_may(asker: Desk, beta: Desk, clock: FakeClock) -> None:
    """A member that is suspended for a day loses nothing; it is looked for again a day later, and once."""
    stand(asker, "ann")
    status(asker, MemberStatus.SUSPENDED)
    beta.file(filing("B-1", subject("ann"), record_class="claim"))
    monitor(beta)
    status(asker, MemberStatus.ACTIVE)
    assert monitoring.make_up(asker.services) == 0
    clock.advance(days=1)
    assert (monitoring.make_up(asker.services), monitoring.make_up(asker.services)) == (1, 0)
    (hit,) = asker.hits()
    assert [each["hit"] for each in alerts(asker)] == [hit["id"]]


@pytest.mark.parametrize("again", ["asked", "renewed"])
def test_the_same_question_stands_once(asker: Desk, beta: Desk, again: str) -> None:
    """Asked or renewed again, what stood before ends in the transaction in which the other begins: one alert."""
    first = stand(asker, "ann", {"as": "policy"})["stands"]["watch"]
    if again == "asked":
        stand(asker, "ann", {"as": "policy"})
    else:
        call(asker, "POST", f"/v1/watches/{first}/renewal", 200, json={})
    stand(asker, "ann", {"as": "policy"}, reference="Q-2")
    ended = asker.get("/v1/watches?stands=false")["items"]
    assert [(each["id"], each["reason"]) for each in ended] == [(first, "renewed")]
    beta.file(filing("B-1", subject("ann"), record_class="claim"))
    monitor(asker)
    assert len(alerts(asker)) == 2


def test_an_ended_watch_keeps_its_question_no_longer_than_others(asker: Desk) -> None:
    """The screening is kept for the days of any other, not until the day on which it would have stood."""
    use_rules(asker.services, "screening", keep_days=30)
    watch = stand(asker, "ann", {"as": "policy"})["stands"]["watch"]
    call(asker, "POST", f"/v1/watches/{watch}/end", 200)
    with asker.services.database.reading() as connection:
        expires_at = connection.scalar(select(SCREENINGS.c.expires_at))
    assert expires_at == asker.services.clock() + timedelta(days=30)


def test_what_does_not_open_keeps_nothing_else_from_being_looked_at(asker: Desk, beta: Desk) -> None:
    """Neither a damaged subject nor a damaged question; nor does a row that always fails, which is set aside."""
    stand(asker, "ann")
    stand(asker, "bob", reference="Q-2")
    for name in ("cut", "ann"):
        beta.file(filing(f"B-{name}", subject(name), record_class="claim"))
    with asker.services.database.writing() as connection:
        of_cut = select(FILINGS.c.id).where(FILINGS.c.reference == "B-cut")
        connection.execute(update(SUBJECTS).where(SUBJECTS.c.filing_id.in_(of_cut)).values(envelope=b"damaged"))
        connection.execute(update(SCREENINGS).where(SCREENINGS.c.reference == "Q-2").values(envelope=b"damaged"))
    monitor(asker)
    assert (len(alerts(asker)), waiting(asker)) == (1, 0)


def test_a_row_that_fails_again_and_again_is_set_aside(
    asker: Desk, beta: Desk, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what was filed after it is looked at, without another filing."""
    stand(asker, "ann")
    original, bad = rescored.subjects, beta.file(filing("B-0"))["id"]

    def failing(connection: Any, filing_ids: Any) -> Any:
        if bad in filing_ids:
            raise RuntimeError
        return original(connection, filing_ids)

    clock.advance(seconds=1)
    beta.file(filing("B-1", subject("ann"), record_class="claim"))
    monkeypatch.setattr(rescored, "subjects", failing)
    for _ in range(12):
        monitor(asker)
        clock.advance(minutes=7)
    assert (len(alerts(asker)), waiting(asker)) == (1, 0)
    clock.advance(days=1)
    aftermath_jobs.wake_left(asker.services)
    assert waiting(asker) == 1


def test_jobs_that_are_over_do_not_pile_up(asker: Desk, beta: Desk, clock: FakeClock) -> None:
    """However often one was needed, the last is left."""
    for number in range(4):
        beta.file(filing(f"B-{number}"))
        monitor(beta)
        clock.advance(seconds=1)
    with beta.services.database.reading() as connection:
        assert len(jobs.listed(connection, [JobKind.MONITOR], limit=9)) == 1


def test_nobodys_watches_keep_those_of_others_out(
    asker: Desk, beta: Desk, member: Admissions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where more stands under a key than is read, what one member has stand does not hide another's."""
    monkeypatch.setattr(watches, "CROWDED", 3)
    gamma = Desk(beta.client, beta.services, member("Gamma"))
    gamma.file(filing("G-0", record_class="claim"))
    for number in range(5):
        stand(gamma, "ann", reference=f"Q-{number}")
    stand(asker, "ann")
    beta.file(filing("B-1", subject("ann"), record_class="claim"))
    monitor(asker)
    assert len(alerts(asker)) == 1


def test_only_the_same_question_takes_the_place_of_another(asker: Desk) -> None:
    """Of many that are asked at once each ends its own: not that of another subject, nor what stands as a policy."""
    stand(asker, "ann", {"as": "policy"})
    for who in ("ann", "bob"):
        stand(asker, who)
    asked = question("ann")
    body: dict[str, Any] = {name: asked[name] for name in ("schema", "fingerprint", "purpose", "line")}
    body["screenings"] = [
        {"reference": reference, "subject": question(who)["subject"], "stands": {"as": "quote"}}
        for reference, who in (("Q-1", "ann"), ("Q-2", "bob"))
    ]
    call(asker, "POST", "/v1/screenings/bulk", 200, json=body)
    standing = [(each["reference"], each["as"]) for each in asker.get("/v1/watches?stands=true")["items"]]
    assert sorted(standing) == [("Q-1", "policy"), ("Q-1", "quote"), ("Q-1", "quote"), ("Q-2", "quote")]


def test_a_filing_between_the_question_and_its_answer_is_met(
    asker: Desk, beta: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came in after the pool was looked at, and before the question stood, is in the answer."""
    original = pool.find
    filed: list[Any] = []

    def late(*args: Any, **kwargs: Any) -> Any:
        found = original(*args, **kwargs)
        if not filed:
            filed.append(beta.file(filing("B-1", subject("ann"), record_class="claim")))
            monitor(beta)
        return found

    monkeypatch.setattr(pool, "find", late)
    assert len(stand(asker, "ann")["hits"]) == 1
