"""Who was shown which record is noted on every way on which one is shown, and nothing where nothing was."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import event, select

from repository.domain.viewings import Reader, Via
from repository.services import expiring
from repository.storage import viewings
from repository.storage.viewings import VIEWINGS
from tests.integration.pool.conftest import Counted, Desk
from tests.support.clock import FakeClock
from tests.support.encodings import filing, question, subject
from tests.support.expiring import expire


def seen(desk: Desk) -> list[tuple[str, str, int, str, str, int, str]]:
    """What is noted, in the order of the ways."""
    row = VIEWINGS.c
    columns = (row.filing_id, row.member_id, row.version, row.via, row.purpose, row.tier, row.actor_id)
    with desk.services.database.reading() as connection:
        return [tuple(each) for each in connection.execute(select(*columns).order_by(row.via, row.version))]


def test_each_way_is_noted_once_a_day(alpha: Desk, beta: Desk, rows: Counted) -> None:
    """Screening, list, hit and case: who, which version, for what and how far; the same again on a day is nothing."""
    theirs = beta.file(filing("B-1", subject("ann"), record_class="claim"))["id"]
    alpha.file(filing("A-1", subject("ann"), record_class="claim"))
    assert rows("viewings") == 0
    for _ in range(2):
        alpha.screen(question("ann"))
        (hit, *_) = alpha.hits("?purpose=claim_validation")
        alpha.get(f"/v1/hits/{hit['id']}")
        (case, *_) = alpha.get("/v1/cases")["items"]
        alpha.get(f"/v1/cases/{case['id']}")
    actor = alpha.member.client_id
    noted = [each[3:6] for each in seen(alpha) if each[:3] == (theirs, alpha.member.id, 1) and each[6] == actor]
    assert noted == [
        ("case", "investigation", 2),
        ("case", "investigation", 3),
        ("hit", "investigation", 3),
        ("hits", "claim_validation", 3),
        ("screening", "new_business", 3),
    ]
    assert rows("viewings") == 5
    beta.file(filing("B-1", subject("ann"), record_class="claim", date="2026-02-02"))
    alpha.screen(question("ann"))
    assert seen(alpha)[-1][:4] == (theirs, alpha.member.id, 2, "screening")


def test_nothing_found_writes_nothing(alpha: Desk, beta: Desk, rows: Counted) -> None:
    """A screening without a hit names the table in no statement; neither does an empty list."""
    beta.file(filing("B-1", subject("ann"), record_class="claim"))
    alpha.file(filing("A-1", subject("bob"), record_class="claim"))
    sent: list[str] = []
    engine = alpha.services.database.engine
    event.listen(engine, "before_cursor_execute", lambda *given: sent.append(given[2]))
    alpha.screen(question("cut"))
    alpha.hits()
    assert rows("viewings") == 0
    assert sent
    assert not [each for each in sent if "INTO viewings" in each]


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_footprint_is_kept_for_a_year(alpha: Desk, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """There on the last minute and gone a year after it, over a leap day too; a later one stays. Some at a time."""
    monkeypatch.setattr(expiring, "AT_ONCE", 2)
    reader = Reader(alpha.member.id, "act_1", "investigation", Via.HITS, clock.time)
    later = Reader(alpha.member.id, "act_1", "investigation", Via.HITS, clock.time + timedelta(days=1))
    with alpha.services.database.writing() as connection:
        viewings.note(connection, [reader.saw(f"fil_{each}", 1, 3) for each in range(5)] + [later.saw("fil_1", 1, 3)])
    clock.advance(timedelta(days=365, minutes=-1))
    expire(alpha.services)
    with alpha.services.database.reading() as connection:
        assert len(viewings.of_filings(connection, [f"fil_{each}" for each in range(5)])) == 6
    clock.advance(minutes=1)
    expire(alpha.services)
    with alpha.services.database.reading() as connection:
        (left,) = viewings.of_filings(connection, [f"fil_{each}" for each in range(5)])
    assert (left.filing_id, left.day) == ("fil_1", date(2026, 3, 3))
