"""What recurs, what digests count, and what contributors are told of who asks about their records."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from repository.domain.jobs import JobKind
from repository.domain.members import MemberStatus
from repository.domain.schedules import SPREAD
from repository.jobs.running import JobWorker
from repository.jobs.worker import IntakeWorker
from repository.services import asked, schedules
from repository.settings import Settings
from tests.integration.pool.conftest import Counted, Desk
from tests.integration.pool.test_alerts import inbox, tell
from tests.integration.pool.test_watches import status
from tests.integration.pool.test_webhooks import Receiver, call, deliver, receiver, register
from tests.support.clock import FakeClock
from tests.support.encodings import filing, question, subject
from tests.support.rulebooks import use_rules

__all__ = ["receiver"]
NIGHTLY = {"every": "daily", "at": "02:00", "zone": "Europe/London"}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A log-in lasts; one rescreen a day."""
    return replace(settings, access_lifetime=timedelta(days=90), max_member_daily_rescreens=1)


def asked_of(desk: Desk) -> list[Any]:
    """What a member is told of who asked about its records."""
    return [each["told"]["asked"] for each in inbox(desk, "?kind=record.asked")]


def look(desk: Desk, clock: FakeClock) -> None:
    """A worker's look, once hits are old enough."""
    clock.advance(minutes=6)
    asked.tell_contributors(desk.services)


@pytest.mark.parametrize("gives", ["customer", "claim", "nothing"])
def test_a_contributor_is_told_of_who_asks_by_its_own_tier(
    desks: tuple[Desk, Desk], clock: FakeClock, gives: str
) -> None:
    """Who gives what is asked for sees who asked; who lost its rights sees nothing, and nothing of it is counted."""
    alpha, beta = desks
    beta.file(filing("B-1", subject("ann"), record_class="claim" if gives == "claim" else "customer"))
    asked.tell_contributors(beta.services)
    alpha.file(filing("A-1", subject("zoe"), record_class="claim"))
    for number in range(2):
        assert alpha.screen(question("ann", reference=f"Q-{number}"))["hits"]
    if gives == "nothing":
        status(beta, MemberStatus.SUSPENDED)
    look(beta, clock)
    if gives == "nothing":
        assert asked_of(beta) == []
        return
    assert asked_of(beta) == [[{"line": "motor", "purpose": "new_business", "member": "Alpha"}]]
    look(beta, clock)
    assert len(inbox(beta, "?kind=record.asked")) == 1
    status(beta, MemberStatus.SUSPENDED)
    assert asked_of(beta) == []
    assert inbox(alpha) == []


def test_what_a_watch_met_later_is_no_question_of_that_day(desks: tuple[Desk, Desk], clock: FakeClock) -> None:
    """Who files what somebody asked about before is not told that it was asked on the day of the filing."""
    alpha, beta = desks
    alpha.file(filing("A-1", subject("zoe"), record_class="claim"))
    beta.file(filing("B-0", record_class="claim"))
    asked.tell_contributors(beta.services)
    alpha.screen(question("ann", stands={"as": "quote"}))
    clock.advance(days=3)
    beta.file(filing("B-1", subject("ann"), record_class="claim"))
    JobWorker(beta.services, [JobKind.MONITOR]).run_pending()
    assert len(inbox(alpha, "?kind=watch.hit")) == 1
    look(beta, clock)
    assert asked_of(beta) == []


def test_of_purposes_that_the_rulebook_keeps_quiet_nobody_is_told(alpha: Desk, beta: Desk, clock: FakeClock) -> None:
    """Neither when somebody asks, nor later when the alert of another purpose is read."""
    use_rules(beta.services, "monitoring", told_purposes=["investigation"])
    beta.file(filing("B-1", subject("ann")))
    asked.tell_contributors(beta.services)
    alpha.file(filing("A-1", subject("zoe")))
    alpha.screen(question("ann"))
    look(beta, clock)
    assert asked_of(beta) == []


@pytest.fixture
def desks(alpha: Desk, beta: Desk) -> tuple[Desk, Desk]:
    """Who asks, and who contributes."""
    return alpha, beta


def test_a_book_is_looked_for_again_at_its_time(alpha: Desk, clock: FakeClock, rows: Counted) -> None:
    """Once a night across the change of the clocks, a little after its time; what was missed is done once."""
    clock.time = datetime(2026, 3, 27, 12, tzinfo=UTC)
    alpha.file(filing("A-1"))
    made = call(alpha, "PUT", "/v1/rescreens/schedule", 200, json=NIGHTLY)
    due = datetime.fromisoformat(made["next_at"])
    assert datetime(2026, 3, 28, 2, tzinfo=UTC) <= due < datetime(2026, 3, 28, 2, tzinfo=UTC) + SPREAD
    clock.time = due - timedelta(seconds=1)
    assert schedules.run_due(alpha.services) == 0
    clock.time = due
    assert (schedules.run_due(alpha.services), schedules.run_due(alpha.services)) == (1, 0)
    (job,) = alpha.get("/v1/rescreens")["items"]
    call(alpha, "POST", f"/v1/rescreens/{job['id']}/cancel", 200)
    told = alpha.get("/v1/rescreens/schedule")["schedule"]
    assert (told["last"], datetime.fromisoformat(told["next_at"])) == ("done", due + timedelta(hours=23))
    clock.time = due + timedelta(days=5, hours=3)
    assert (schedules.run_due(alpha.services), schedules.run_due(alpha.services)) == (1, 0)
    assert len(alpha.get("/v1/rescreens")["items"]) == 2
    call(alpha, "DELETE", "/v1/rescreens/schedule", 204)
    assert alpha.get("/v1/rescreens/schedule") == {"schedule": None}


def test_a_scheduled_rescreen_waits_for_another_and_for_the_daily_limit(alpha: Desk, clock: FakeClock) -> None:
    """While one is not over it is asked for a quarter of an hour later; past the limit, on the next day."""
    alpha.file(filing("A-1"))
    due = datetime.fromisoformat(call(alpha, "PUT", "/v1/rescreens/schedule", 200, json=NIGHTLY)["next_at"])
    clock.time = due - timedelta(minutes=1)
    job = call(alpha, "POST", "/v1/rescreens", 202, json={})
    clock.time = due
    schedules.run_due(alpha.services)
    assert alpha.get("/v1/rescreens/schedule")["schedule"]["last"] == "daily-limit"
    call(alpha, "POST", f"/v1/rescreens/{job['id']}/cancel", 200)
    clock.time = due.replace(hour=0, minute=1) + timedelta(days=1)
    assert schedules.run_due(alpha.services) == 1
    assert alpha.get("/v1/rescreens/schedule")["schedule"]["last"] == "done"


def test_a_digest_counts_what_may_be_seen_once(alpha: Desk, beta: Desk, receiver: Receiver, clock: FakeClock) -> None:
    """By kind, from the one before on, in the zone asked for; a hit that is hidden is not counted; none of nothing."""
    register(alpha, "alerts.digest")
    made = call(
        alpha, "PUT", "/v1/alerts/digest", 200, json={"every": "daily", "at": "08:00", "zone": "Pacific/Kiritimati"}
    )
    assert made["next_at"] == "2026-03-02T18:00:00+00:00"
    tell(alpha, "one")
    tell(alpha, "two", hit="hit_of_nobody")
    assert alpha.get("/v1/alerts/digest")["counts"] == {"disclosure.requested": 1}
    call(alpha, "PUT", "/v1/alerts/digest", 200, json={"every": "daily", "at": "08:00", "zone": "Pacific/Kiritimati"})
    for hours in (9, 24, 24):
        clock.advance(hours=hours)
        IntakeWorker(alpha.services).monitor()
        deliver(alpha.services)
    (notice,) = receiver.notices()
    assert alpha.get("/v1/alerts/digest")["counts"] == {}
    assert notice == {
        "type": "alerts.digest",
        "data": {
            "since": "2026-03-02T09:00:00+00:00",
            "until": "2026-03-02T17:58:00+00:00",
            "counts": {"disclosure.requested": 1},
        },
    }
    call(alpha, "DELETE", "/v1/alerts/digest", 204)
    call(alpha, "DELETE", "/v1/alerts/digest", 404)
    call(beta, "PUT", "/v1/alerts/digest", 422, json={"every": "hourly", "at": "08:00"})
