"""Screenings are removed when their time is over, with their encodings, and each member is told how many."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from repository.domain.outcomes import Given, HitOutcome
from repository.jobs.worker import EXPIRY_PAUSE, IntakeWorker
from repository.services import expiring
from repository.storage import outcomes
from repository.storage.events import EVENTS
from repository.storage.hits import HITS
from repository.storage.screenings import SCREENINGS
from tests.integration.pool.conftest import Counted, Desk
from tests.support.clock import FakeClock
from tests.support.encodings import filing, question, subject


@pytest.fixture
def asked(alpha: Desk, beta: Desk) -> list[str]:
    """Alpha has asked three times; once it met a suspect of beta's."""
    alpha.file(filing("A-1"))
    beta.file(filing("B-1", subject("ann"), record_class="suspected"))
    return [alpha.screen(question(who, reference=f"Q-{who}"))["id"] for who in ("ann", "bob", "cut")]


def told(desk: Desk) -> list[dict[str, Any]]:
    """The figures of the events of expiry."""
    with desk.services.database.read() as session:
        found = session.execute(
            select(EVENTS.c.member_id, EVENTS.c.figures).where(EVENTS.c.kind == "screenings.expired")
        )
        return [dict(figures) | {"member": member_id} for member_id, figures in found]


def keep_days(desk: Desk) -> timedelta:
    """How long screenings are kept."""
    return timedelta(days=desk.services.rulebook.screening.keep_days)


def test_what_is_kept_long_enough_is_removed(
    alpha: Desk, asked: list[str], rows: Counted, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not a day too early; then with hits and sides, in transactions of two, one event for each."""
    monkeypatch.setattr(expiring, "AT_ONCE", 2)
    clock.advance(keep_days(alpha) - timedelta(minutes=1))
    assert expiring.remove_screenings(alpha.services)
    assert (rows("screenings"), told(alpha)) == (3, [])
    clock.advance(timedelta(minutes=2))
    assert expiring.remove_screenings(alpha.services)
    assert rows("screenings") == 0
    with alpha.services.database.read() as session:
        left = select(func.count()).select_from(SCREENINGS)
        assert session.execute(left).scalar_one() == 0
    assert sum(each["removed"] for each in told(alpha)) == 3
    assert {each["member"] for each in told(alpha)} == {alpha.member.id}
    assert expiring.remove_screenings(alpha.services)
    assert len(told(alpha)) == 2


def test_a_case_keeps_its_screening_without_the_encoding(
    alpha: Desk, asked: list[str], rows: Counted, clock: FakeClock
) -> None:
    """Where an outcome or a duty stands on a hit, who asked and when stays; the encoding goes."""
    with alpha.services.database.write() as session:
        hit = session.execute(select(HITS.c.id).where(HITS.c.screening_id == asked[0])).scalar_one()
        actor = session.execute(select(SCREENINGS.c.actor_id).limit(1)).scalar_one()
        given = Given(HitOutcome.SAME_SUBJECT, None, clock())
        outcomes.give(session.connection(), alpha.member.id, hit, given, actor_id=actor)
    clock.advance(keep_days(alpha) + timedelta(minutes=1))
    assert expiring.remove_screenings(alpha.services)
    with alpha.services.database.read() as session:
        left = session.execute(select(SCREENINGS.c.id, SCREENINGS.c.envelope, SCREENINGS.c.subject_digest)).all()
    assert [(row[0], bytes(row[1]), row[2]) for row in left] == [(asked[0], b"", None)]
    assert told(alpha) == [{"removed": 2, "encodings_erased": 1, "member": alpha.member.id}]
    assert expiring.remove_screenings(alpha.services)
    assert len(told(alpha)) == 1


def test_the_worker_looks_every_few_minutes(
    alpha: Desk, asked: list[str], rows: Counted, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not each time that it looks for batches."""
    worker = IntakeWorker(alpha.services)
    worker.expire()
    clock.advance(keep_days(alpha) + timedelta(minutes=1))
    worker.expire()
    assert rows("screenings") == 0
    clock.advance(EXPIRY_PAUSE / 2)
    with monkeypatch.context() as patch:
        patch.setattr(expiring, "remove_screenings", lambda *_: pytest.fail("it looked"))
        worker.expire()
