"""The inbox: one alert and one notice of the same ids, and nothing of what a member may not see when it reads."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from repository.domain.alerts import AlertKind
from repository.domain.jobs import JobKind
from repository.services import aftermath as following
from repository.services import alerting
from repository.settings import Settings
from repository.storage import aftermath
from tests.integration.pool.conftest import Counted, Desk
from tests.integration.pool.test_webhooks import Receiver, call, deliver, receiver, register
from tests.support.clock import FakeClock
from tests.support.encodings import filing, subject
from tests.support.expiring import expire
from tests.support.members import Admissions

__all__ = ["receiver"]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A log-in lasts."""
    return replace(settings, access_lifetime=timedelta(days=100))


ASKED = AlertKind.DISCLOSURE_REQUESTED


def tell(desk: Desk, dedupe: str, **about: str) -> str | None:
    """Alert a member."""
    with desk.services.database.writing() as connection:
        return alerting.tell(desk.services, connection, desk.member.id, ASKED, about, dedupe=dedupe)


def inbox(desk: Desk, query: str = "") -> list[dict[str, Any]]:
    """The first page of the inbox."""
    items: list[dict[str, Any]] = desk.get(f"/v1/alerts{query}")["items"]
    return items


def test_an_alert_and_its_notice_have_the_same_ids_once(alpha: Desk, receiver: Receiver, rows: Counted) -> None:
    """Told again under the same word nothing is added, neither to the inbox nor to what is sent."""
    register(alpha, ASKED.value)
    first = tell(alpha, "one", case="cas_1")
    assert tell(alpha, "one", case="cas_2") is None
    (alert,) = inbox(alpha)
    assert (alert["id"], alert["kind"], alert["about"], alert["read_at"]) == (first, ASKED, {"case": "cas_1"}, None)
    assert deliver(alpha.services) == 1
    assert receiver.notices() == [{"type": ASKED, "data": {"alert": first, "case": "cas_1"}}]
    assert rows("alerts") == 1


def test_an_alert_of_a_hit_is_shown_as_far_as_the_hit(alpha: Desk, beta: Desk, receiver: Receiver) -> None:
    """Relabelled, it is in no list, no page ends at it, no snooze finds it, and no notice tells it; then it is back."""
    register(alpha, ASKED.value)
    beta.file(filing("B-1", subject("ann")))
    alpha.file(filing("A-1", subject("ann")))
    (hit,) = alpha.hits()
    hidden = tell(alpha, "two", hit=hit["id"])
    for number in range(3):
        tell(alpha, f"more {number}", case=f"cas_{number}")
    assert len(inbox(alpha)) == 4
    beta.file(filing("B-1", subject("cut")))  # the two match no more
    page = alpha.get("/v1/alerts?limit=3")
    assert (len(page["items"]), page["next_cursor"]) == (3, None)
    call(alpha, "POST", f"/v1/alerts/{hidden}/acknowledgement", 404)
    assert deliver(alpha.services) == 4
    assert [each["data"].keys() for each in receiver.notices()] == [{"alert", "case"}] * 3
    beta.file(filing("B-1", subject("ann")))
    assert len(inbox(alpha)) == 4


def test_what_was_read_dealt_with_and_put_away(alpha: Desk, clock: FakeClock) -> None:
    """Unread ones alone are listed on demand; what is put away comes back to the minute; dealt with stays so."""
    first, second = tell(alpha, "one"), tell(alpha, "two")
    call(alpha, "POST", "/v1/alerts/read", 204, json={"ids": [first, "alt_none"]})
    assert [each["id"] for each in inbox(alpha, "?unread=true")] == [second]
    assert inbox(alpha, "?kind=disclosure.answered") == []
    until = clock() + timedelta(days=90)
    for wrong in (clock(), until + timedelta(seconds=1)):
        call(alpha, "POST", f"/v1/alerts/{first}/snooze", 422, json={"until": wrong.isoformat()})
    call(alpha, "POST", f"/v1/alerts/{first}/snooze", 200, json={"until": until.isoformat()})
    clock.advance(timedelta(days=90, seconds=-1))
    assert [each["id"] for each in inbox(alpha)] == [second]
    clock.advance(seconds=1)
    assert len(inbox(alpha)) == 2
    done = call(alpha, "POST", f"/v1/alerts/{second}/acknowledgement", 200)
    clock.advance(hours=1)
    assert call(alpha, "POST", f"/v1/alerts/{second}/acknowledgement", 200) == done
    assert done["read_at"] == done["acknowledged_at"]


def test_the_inbox_goes_on_where_a_page_ends(alpha: Desk) -> None:
    """Latest first, each once; a cursor of another filter is none of this list."""
    told = [tell(alpha, str(number)) for number in range(3)]
    first = alpha.get("/v1/alerts?limit=2")
    second = alpha.get(f"/v1/alerts?limit=2&cursor={first['next_cursor']}")
    assert sorted(each["id"] for each in first["items"] + second["items"]) == sorted(str(each) for each in told)
    assert second["next_cursor"] is None
    alpha.get(f"/v1/alerts?limit=2&unread=true&cursor={first['next_cursor']}", status=422)


def test_nobody_reads_another_members_inbox(alpha: Desk, beta: Desk) -> None:
    """Not listed, not found, and not marked as read."""
    told = tell(alpha, "one")
    assert inbox(beta) == []
    call(beta, "POST", f"/v1/alerts/{told}/acknowledgement", 404)
    call(beta, "POST", "/v1/alerts/read", 204, json={"ids": [told]})
    assert len(inbox(alpha, "?unread=true")) == 1


@pytest.mark.parametrize(("day", "over"), [(timedelta(days=364), 0), (timedelta(days=365), 1)])
def test_an_alert_is_kept_for_twelve_months(
    alpha: Desk, clock: FakeClock, rows: Counted, day: timedelta, over: int
) -> None:
    """To the day, as what it tells of."""
    tell(alpha, "one")
    clock.advance(day)
    expire(alpha.services)
    assert rows("alerts") == 1 - over


def test_an_alert_stays_in_the_inbox_of_who_may_ask_nothing(alpha: Desk, member: Admissions) -> None:
    """A member whose hits are refused reads what is its own; of hits it reads nothing."""
    tell(alpha, "one", case="cas_1")
    tell(alpha, "two", hit="hit_1")
    assert [each["about"] for each in inbox(alpha, "?purpose=law_enforcement")] == [{"case": "cas_1"}]


def test_what_follows_is_noted_once_for_a_chunk(alpha: Desk, rows: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row for the filings of a chunk and one job; more of them meanwhile add rows and no job."""
    monkeypatch.setattr(following, "KINDS", (JobKind.EXPIRY,))
    alpha.batch([filing("A-1"), filing("A-2")])
    alpha.file(filing("A-3"))
    alpha.file(filing("A-3", date="2026-02-27"))
    assert (rows("aftermath"), rows("jobs")) == (2, 1)
    with alpha.services.database.writing() as connection:
        found = aftermath.following(connection, JobKind.EXPIRY, limit=5)
        assert sorted(len(each.filings) for each in found) == [1, 2]
        assert not following.is_over(connection, JobKind.EXPIRY)
        aftermath.forget(connection, [each.id for each in found])
        assert following.is_over(connection, JobKind.EXPIRY)
