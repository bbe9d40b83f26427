"""Filings go when their time is over: every class on its day, in UTC wherever the clock is, and none that is held."""

from __future__ import annotations

import itertools
import random
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update

from repository.domain.holds import HoldReason
from repository.domain.jobs import JobKind
from repository.domain.removal import Cause, HeldError
from repository.jobs.running import JobWorker
from repository.jobs.worker import IntakeWorker
from repository.services import Services, holds, removal, retention
from repository.services.holds import Placing
from repository.services.lifecycle import Act
from repository.services.removal import Why
from repository.storage import jobs
from repository.storage import retention as stored
from repository.storage.batches import BATCHES
from repository.storage.engine import Database
from repository.storage.filings import FILINGS
from repository.storage.retention import RENEWALS
from repository.storage.screenings import SCREENINGS
from tests.integration.pool.conftest import Counted, Desk
from tests.support.clock import FakeClock
from tests.support.encodings import filing, question, subject
from tests.support.expiring import expire
from tests.support.leftovers import Traces

LEAP_EVE = datetime(2028, 2, 29, 23, 30, tzinfo=UTC)


def run(services: Services) -> int:
    """Queue what is over, and do it; how many filings that were."""
    over = retention.queue(services)
    JobWorker(services, [JobKind.RETENTION]).run_pending()
    return over


def put(desk: Desk, filing_id: str, at: datetime, dated: datetime | None = None) -> None:
    """Have a filing be of another day: it was first filed then, and so dated."""
    with desk.services.database.writing() as connection:
        changed = update(FILINGS).where(FILINGS.c.id == filing_id)
        connection.execute(changed.values(created_at=at, filed_at=at, triggered_on=(dated or at).date()))


ZONES = ("Europe/London", "Pacific/Kiritimati", "America/Los_Angeles", "Pacific/Pago_Pago", "America/St_Johns")
LAST_DAYS = {
    "quote": date(2028, 5, 28),
    "customer": date(2029, 2, 27),
    "victim": date(2029, 3, 28),
    "policy in force": date(2030, 2, 27),
    "protective": date(2030, 2, 27),
    "policy": date(2030, 8, 30),
    "suspected": date(2031, 2, 27),
    "proven": date(2033, 2, 27),
    "claim": date(2034, 2, 27),
    "closed claim": date(2034, 11, 29),
}
"""Of what is filed, dated and decided on a leap day; the policy ends, and the claim is closed, later that year."""
LATER = datetime(2028, 12, 1, tzinfo=UTC)
STATED_ON = {"policy": date(2028, 8, 31), "closed claim": date(2028, 11, 30), "proven": LEAP_EVE.date()}
RENEWED_ON = (date(2029, 2, 27), date(2030, 2, 26), date(2031, 2, 25))


def of_every_kind(desk: Desk) -> dict[str, str]:
    """A filing of each kind, filed late on a leap day; their ids."""
    ids = {}
    desk.prove("P proven")
    for kind in LAST_DAYS:
        said = {"customer_kind": kind.split()[0]} if kind.startswith(("quote", "policy")) else None
        record_class = "customer" if said else kind.split()[-1]
        body = filing(f"P {kind}", subject(kind), record_class=record_class) | ({"basis": said} if said else {})
        ids[kind] = desk.file(body)["id"]
        put(desk, ids[kind], LEAP_EVE)
    with desk.services.database.writing() as connection:
        for kind, day in STATED_ON.items():
            values = {"basis_on": day, "ended_on": day} | ({"filed_at": LATER} if kind == "policy" else {})
            connection.execute(update(FILINGS).where(FILINGS.c.id == ids[kind]).values(values))
    return ids


def test_each_kind_is_kept_up_to_its_day_and_nothing_of_it_is_left(
    alpha: Desk, clock: FakeClock, rows: Counted
) -> None:
    """There on the last evening, in UTC, gone at midnight, wherever the clock stands; a question a year after it."""
    ids = of_every_kind(alpha)
    asked = alpha.screen(question("nobody", reference="Asked", stands={"as": "quote"}))["id"]
    with alpha.services.database.writing() as connection:
        connection.execute(update(SCREENINGS).values(at=LEAP_EVE, expires_at=LEAP_EVE + timedelta(days=365)))
    traces = {kind: Traces(alpha.services, [each]) for kind, each in ids.items()}
    whole = Traces(alpha.services, list(ids.values()), [asked])
    assert {"screenings", "watch_index", "key_index"} <= whole.in_tables()
    steps = sorted({*LAST_DAYS.values(), *(day - timedelta(days=1) for day in RENEWED_ON)})
    for zone, last_day in zip(itertools.cycle(ZONES), steps, strict=False):
        midnight = datetime.combine(last_day + timedelta(days=1), time(), UTC)
        clock.time = (midnight - timedelta(seconds=1)).astimezone(ZoneInfo(zone))
        assert run(alpha.services) == 0, last_day
        clock.time = midnight.astimezone(ZoneInfo(zone))
        gone = [kind for kind, day in LAST_DAYS.items() if day == last_day]
        assert run(alpha.services) == len(gone), last_day
        assert {kind: traces[kind].in_tables() for kind in gone} == {kind: set() for kind in gone}
        if midnight.date() in RENEWED_ON:
            row = {"filing_id": ids["suspected"], "reason": "new_evidence", "note_reference": None, "at": midnight}
            renewed = row | {"renewed_on": midnight.date(), "actor_id": alpha.member.client_id}
            with alpha.services.database.writing() as connection:
                connection.execute(RENEWALS.insert(), [renewed])
    assert (rows("filings"), rows("deletions"), rows("renewals")) == (0, len(ids), 0)
    clock.time = LEAP_EVE + timedelta(days=365, seconds=-1)
    expire(alpha.services)
    assert rows("screenings") == 1
    clock.time += timedelta(seconds=2)
    expire(alpha.services)
    assert whole.in_tables() == set()
    if alpha.services.database.engine.dialect.name == "sqlite":
        assert whole.in_files() == set()


def test_what_is_over_goes_and_nothing_is_left_to_find_it_by(
    alpha: Desk, beta: Desk, clock: FakeClock, rows: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In chunks, killed between two of them; what is not over stays. On SQLite not in a byte of its files."""
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    old = [alpha.file(filing(f"Old-{who}-1", subject(who), record_class="claim"))["id"] for who in range(5)]
    for each in old:
        put(alpha, each, clock() - timedelta(days=6 * 366))
    beta.file(filing("New-1", subject("somebody"), record_class="claim"))
    traces = Traces(alpha.services, old)
    assert retention.queue(alpha.services) == 5
    remove = removal.remove
    with monkeypatch.context() as patch:
        patch.setattr(removal, "remove", lambda *given: remove(*given) if rows("filings") == 6 else 1 // 0)
        JobWorker(alpha.services, [JobKind.RETENTION]).run_pending()
    assert rows("filings") == 4
    clock.advance(minutes=1)
    JobWorker(alpha.services, [JobKind.RETENTION]).run_pending()
    assert (rows("filings"), rows("deletions"), rows("subjects")) == (1, 5, 1)
    assert traces.in_tables() == set()
    if alpha.services.database.engine.dialect.name == "sqlite":
        assert traces.in_files() == set()
    with alpha.services.database.reading() as connection:
        [row] = jobs.listed(connection, [JobKind.RETENTION], limit=9)
    assert (row["status"], row["done"], row["total"]) == ("done", 5, 5)
    assert run(alpha.services) == 0


def test_the_job_waits_for_who_reads_what_was_there_before(
    alpha: Desk, clock: FakeClock, rows: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log of the database is emptied before the job is done, later if it cannot be now."""
    put(alpha, alpha.file(filing("Old-1", record_class="claim"))["id"], clock() - timedelta(days=6 * 366))
    with monkeypatch.context() as patch:
        patch.setattr(Database, "settle", lambda _: False)
        run(alpha.services)
    with alpha.services.database.reading() as connection:
        [row] = jobs.listed(connection, [JobKind.RETENTION], limit=9)
    assert (rows("filings"), row["status"], row["error"]) == (0, "queued", retention.LOG_BUSY)
    clock.advance(minutes=1)
    assert JobWorker(alpha.services, [JobKind.RETENTION]).run_pending() == 1


def test_a_customer_is_one_for_as_long_as_a_batch_names_it(alpha: Desk, clock: FakeClock, rows: Counted) -> None:
    """Unchanged, too: a policy of years ago lives on in the book; what the book has no more goes a year later."""
    book = [filing(f"C-{who}", subject(who)) for who in range(2)]
    alpha.batch(book, "first")
    clock.advance(timedelta(days=300))
    named = alpha.services.clock()
    with alpha.services.database.writing() as connection:
        [batch] = connection.execute(select(BATCHES.c.id)).scalars()
        again = connection.execute(select(BATCHES).where(BATCHES.c.id == batch)).mappings().one()
        changed = dict(again) | {"id": f"bat_{0:026d}", "idempotency_key": "second", "created_at": named, "number": 99}
        connection.execute(BATCHES.insert(), [changed])
        of_first = FILINGS.c.reference == "C-0"
        connection.execute(update(FILINGS).where(of_first).values(last_batch_id=changed["id"]))
    clock.advance(timedelta(days=66))
    assert run(alpha.services) == 1
    assert rows("filings") == 1
    clock.advance(timedelta(days=298))
    assert run(alpha.services) == 0
    clock.advance(timedelta(days=1))
    assert run(alpha.services) == 1


def test_the_worker_looks_once_a_day(alpha: Desk, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the day in UTC; a second worker queues no second job."""
    looks: list[datetime] = []
    monkeypatch.setattr(retention, "queue", lambda _: looks.append(clock()))
    worker = IntakeWorker(alpha.services)
    for step in (timedelta(), timedelta(hours=14), timedelta(hours=1), timedelta(minutes=1)):
        clock.advance(step)
        worker.retain()
    assert [each.day for each in looks] == [2, 3]


def test_what_is_held_stays_until_the_hold_ends(alpha: Desk, clock: FakeClock, rows: Counted) -> None:
    """By itself on its day, or released before; the operator's hold is not the member's to release."""
    filed = [alpha.file(filing(f"H-{place}", record_class="claim"))["id"] for place in range(2)]
    for each in filed:
        put(alpha, each, clock() - timedelta(days=6 * 366))
    ends_on, act = clock().date() + timedelta(days=10), Act(clock())
    with alpha.services.database.writing() as connection:
        made = [holds.place(connection, act, Placing(each, HoldReason.LITIGATION, ends_on)) for each in filed]
    assert run(alpha.services) == 0
    with alpha.services.database.writing() as connection, pytest.raises(HeldError):
        removal.remove(alpha.services, connection, filed, Why(Cause.WITHDRAWN, clock()))
    assert all(made)
    with alpha.services.database.writing() as connection:
        assert holds.release(connection, act, str((made[0] or {})["id"])) is not None
    assert run(alpha.services) == 1
    clock.advance(timedelta(days=9))
    assert run(alpha.services) == 0
    clock.advance(timedelta(days=1))
    assert run(alpha.services) == 1
    assert (rows("filings"), rows("holds"), rows("deletions")) == (0, 0, 2)


def test_the_clock_may_be_of_any_zone(alpha: Desk, clock: FakeClock) -> None:
    """The day is that of UTC, also where the clock gives another offset."""
    clock.time = datetime(2028, 3, 1, 1, 0, tzinfo=timezone(timedelta(hours=14)))
    assert retention.today(alpha.services).isoformat() == "2028-02-29"


def test_the_database_finds_what_the_rules_say(alpha: Desk, clock: FakeClock) -> None:
    """Of filings of every kind, on any days, renewed or not: over by the statement is over by the rule for one."""
    draw = random.Random(8)  # noqa: S311 - the same days each time
    alpha.prove("proven-0", "proven-1", "proven-2")
    ids = [
        alpha.file(filing(f"{name}-{place}", record_class=name))["id"]
        for name in ("customer", "claim", "suspected", "victim", "protective", "proven")
        for place in range(9 if name == "customer" else 3)
    ]
    kinds = dict(zip(ids, ["customer", "quote", "policy"] * 3 + ["claim"] * 3 + [""] * 9 + ["proven"] * 3, strict=True))
    start = datetime(2027, 2, 1, tzinfo=UTC)
    with alpha.services.database.writing() as connection:
        for each in ids:
            said, first, filed, stated = (start + timedelta(hours=draw.randrange(24 * 800)) for _ in range(4))
            values: dict[str, Any] = {"triggered_on": said.date()}
            values |= {"created_at": min(first, filed), "filed_at": max(first, filed)}
            kind = kinds[each]
            values |= {"customer_kind": kind if kind in ("quote", "policy") else None}
            if kind in ("policy", "claim", "proven") and draw.random() < 0.6:
                values |= {"ended_on": stated.date()}
            connection.execute(update(FILINGS).where(FILINGS.c.id == each).values(values))
            if draw.random() < 0.5:
                row = {"filing_id": each, "reason": "new_evidence", "note_reference": None, "at": said}
                renewed = row | {"renewed_on": said.date(), "actor_id": alpha.member.client_id}
                connection.execute(RENEWALS.insert(), [renewed])
    rulebook = alpha.services.rulebook
    with alpha.services.database.reading() as connection:
        rows = [stored.one(connection, alpha.member.id, each) for each in ids]
        days = [(row["id"], retention.of_filing(alpha.services, row)["expires_on"]) for row in rows if row is not None]
        ends = {filing_id: date.fromisoformat(day) for filing_id, day in days}
        assert len(ends) == len(ids)
        for day in {each + timedelta(days=shift) for each in ends.values() for shift in (-1, 0)}:
            found = stored.over(connection, retention.ended(rulebook, day), today=day, after="", limit=99)
            assert set(found) == {each for each, end in ends.items() if end <= day}, day
