"""The rulebooks of a pool: which one holds when, and what is refused when the next is loaded."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, delete, select

from repository.services import Services, migration, rulebook_file
from repository.services.rulebook_file import RulebookFileError
from repository.services.rulebooks import BEGINNING, RulebookError, Rulebooks, store_shipped
from repository.storage import rulebooks as storage
from repository.storage.engine import Database
from repository.storage.events import EVENTS
from tests.support.clock import FakeClock
from tests.support.rulebooks import DEFAULT_RULEBOOK, changed_text, load_rules, rules_from_the_start, use_rules

TODAY = date(2026, 3, 2)
TEXT = rulebook_file.default_text()


@dataclass
class Ticks:
    """A monotonic clock that tests set."""

    seconds: float = 0.0

    def __call__(self) -> float:
        """The time now."""
        return self.seconds


def loaded(services: Services) -> list[dict[str, Any]]:
    """The events of loadings, oldest first, without the one of the shipped rulebook."""
    query = select(EVENTS).where(EVENTS.c.kind == "rulebook.loaded")
    with services.database.reading() as connection:
        rows = [dict(row) for row in connection.execute(query).mappings()]
    return [row for row in rows if row["figures"]["effective_from"] != BEGINNING.isoformat()]


def text_of(version: str, **ladder: int) -> str:
    """A rulebook file of a version, with other steps of the ladder."""
    return changed_text(TEXT, {"ladder": ladder}, version)


def test_the_shipped_rulebook_holds_from_the_beginning(services: Services) -> None:
    """A new pool has the shipped rulebook, stored with its exact text: it stays when a later version ships another."""
    assert services.rulebook == DEFAULT_RULEBOOK
    assert services.rulebooks.on(date(1971, 1, 1)).rulebook == DEFAULT_RULEBOOK
    (edition,) = services.rulebooks.editions()
    assert (edition.loaded_by, edition.text) == ("shipped", TEXT)
    with services.database.reading() as connection:
        (row,) = storage.all_stored(connection)
        assert storage.texts(connection, [row.digest]) == {DEFAULT_RULEBOOK.digest: TEXT}


def test_what_was_shipped_once_is_not_replaced(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an upgrade that ships another rulebook, the pool keeps its own, and finds it by its digest."""
    monkeypatch.setattr(rulebook_file, "default_text", lambda: text_of("2099.1"))
    rulebook_file.default.cache_clear()
    try:
        migration.upgrade(services.settings.database_url)
        upgraded = Rulebooks(services.database)
        assert upgraded.at(services.clock()).version == DEFAULT_RULEBOOK.version
        assert upgraded.by_digest(DEFAULT_RULEBOOK.digest) == DEFAULT_RULEBOOK
        assert upgraded.find("2099.1") is None
    finally:
        rulebook_file.default.cache_clear()


def test_a_pool_without_any_has_the_shipped_one(services: Services) -> None:
    """Tables that were made without `migrate` hold none: the shipped one is in force, and stored with the first."""
    with services.database.writing() as connection:
        connection.execute(delete(storage.RULEBOOKS))
    services.rulebooks.refresh()
    assert services.rulebook == DEFAULT_RULEBOOK
    load_rules(services, {"ladder": {"plan": 29}})
    assert [each.loaded_by for each in services.rulebooks.editions()] == ["shipped", "operator"]


def test_a_rulebook_holds_from_its_day_on(services: Services, clock: FakeClock) -> None:
    """Until the day the one before holds; on it, and after it, the new one; the schedule has both."""
    day = TODAY + timedelta(days=10)
    edition = services.rulebooks.load(text_of("2026.9", plan=29), day, now=clock())
    assert services.rulebook == DEFAULT_RULEBOOK
    assert services.rulebooks.next_after(TODAY) == edition
    assert [each for each, _ in services.rulebooks.schedule(day - timedelta(days=1))] == [BEGINNING]
    assert list(services.rulebooks.schedule(day)) == [(BEGINNING, DEFAULT_RULEBOOK), (day, edition.rulebook)]
    clock.advance(days=10)
    assert services.rulebook == edition.rulebook
    assert services.rulebook.ladder.plan == 29
    assert services.rulebooks.next_after(day) is None
    assert services.rulebooks.at(clock() - timedelta(days=1)) == DEFAULT_RULEBOOK


def test_of_one_day_the_last_loaded_holds(services: Services, clock: FakeClock) -> None:
    """Two for the same day: the later one holds, the other can still be looked up by its digest."""
    first = services.rulebooks.load(text_of("a", plan=28), TODAY, now=clock()).rulebook
    second = services.rulebooks.load(text_of("b", plan=29), TODAY, now=clock()).rulebook
    assert services.rulebook == second
    assert services.rulebooks.schedule(TODAY)[-1] == (TODAY, second)
    assert len(services.rulebooks.schedule(TODAY)) == 2
    assert services.rulebooks.by_digest(first.digest) == first


def test_loading_is_an_event(services: Services, clock: FakeClock) -> None:
    """Who loaded which rulebook for when."""
    services.rulebooks.load(text_of("a"), TODAY, now=clock(), actor_id="act_1")
    (event,) = loaded(services)
    assert (event["actor_id"], event["at"]) == ("act_1", clock())
    digest = services.rulebook.digest
    assert event["figures"] == {"version": "a", "digest": digest, "effective_from": "2026-03-02"}
    assert services.rulebooks.on(TODAY).loaded_by == "act_1"


def test_what_cannot_be_loaded(services: Services, clock: FakeClock) -> None:
    """A day that is past, a version that another one has, one that came into force, a file that is none: no trace."""
    before = services.rulebooks.editions()
    with pytest.raises(RulebookError, match="never from before"):
        services.rulebooks.load(text_of("a"), TODAY - timedelta(days=1), now=clock())
    with pytest.raises(RulebookError, match="another rulebook has the version"):
        services.rulebooks.load(TEXT + "\n", TODAY, now=clock())
    with pytest.raises(RulebookError, match="came into force before"):
        services.rulebooks.load(TEXT, TODAY + timedelta(days=1), now=clock())
    with pytest.raises(RulebookFileError):
        services.rulebooks.load("version = 3", TODAY, now=clock())
    assert services.rulebooks.editions() == before
    assert loaded(services) == []


def test_the_day_of_one_that_does_not_hold_yet_can_be_moved(services: Services, clock: FakeClock) -> None:
    """Loaded again for another day, it holds from that one only; once it is in force it is not moved any more."""
    text = text_of("a", plan=29)
    services.rulebooks.load(text, TODAY + timedelta(days=5), now=clock())
    services.rulebooks.load(text, TODAY + timedelta(days=2), now=clock())
    assert [day for day, _ in services.rulebooks.schedule(date.max)] == [BEGINNING, TODAY + timedelta(days=2)]
    assert len(loaded(services)) == 2
    clock.advance(days=2)
    with pytest.raises(RulebookError, match="came into force before"):
        services.rulebooks.load(text, TODAY + timedelta(days=9), now=clock())


def test_an_unknown_digest_is_no_rulebook(services: Services) -> None:
    """What was never loaded is not found, by digest or version."""
    with pytest.raises(RulebookError):
        services.rulebooks.by_digest("0" * 64)
    assert services.rulebooks.find("1999.1") is None


def test_another_process_sees_it_within_two_seconds(services: Services, clock: FakeClock) -> None:
    """What one process loads, another reads when what it has is two seconds old, and not before."""
    ticks = Ticks()
    other = Rulebooks(services.database, ticks)
    assert other.at(clock()) == DEFAULT_RULEBOOK
    changed = load_rules(services, {"ladder": {"plan": 29}})
    ticks.seconds = 1.9
    assert other.at(clock()) == DEFAULT_RULEBOOK
    ticks.seconds = 2.1
    assert other.at(clock()) == changed


class Counted:
    """A database that counts how often it is read, and can hold a reader up."""

    def __init__(self, database: Database, wait: Callable[[], object] = lambda: None) -> None:
        self._database = database
        self._wait = wait
        self.reads = 0

    @contextmanager
    def glancing(self) -> Iterator[Connection]:
        """A read."""
        self.reads += 1
        self._wait()
        with self._database.glancing() as connection:
            yield connection


def test_reading_the_current_one_costs_no_query(services: Services, clock: FakeClock) -> None:
    """However often it is asked for, the database is read once in two seconds."""
    ticks, counted = Ticks(), Counted(services.database)
    rulebooks = Rulebooks(counted, ticks)  # type: ignore[arg-type] # the one method of it that is used
    for _ in range(1000):
        rulebooks.at(clock())
        rulebooks.schedule(TODAY)
    assert counted.reads == 1
    ticks.seconds = 3.0
    rulebooks.at(clock())
    assert counted.reads == 2


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_one_thread_reads_while_the_others_go_on(services: Services, clock: FakeClock) -> None:
    """A slow database holds up one request, not all of them; all have the new rulebook afterwards."""
    ticks, entered, go_on = Ticks(), threading.Event(), threading.Event()

    def wait() -> None:
        entered.set()
        assert go_on.wait(10)

    go_on.set()
    counted = Counted(services.database, wait)
    rulebooks = Rulebooks(counted, ticks)  # type: ignore[arg-type] # the one method of it that is used
    rulebooks.at(clock())
    changed = load_rules(services, {"ladder": {"plan": 29}})
    entered.clear()
    go_on.clear()
    ticks.seconds = 5.0
    reader = threading.Thread(target=rulebooks.at, args=(clock(),))
    reader.start()
    assert entered.wait(10)
    assert rulebooks.at(clock()) == DEFAULT_RULEBOOK
    go_on.set()
    reader.join(10)
    assert rulebooks.at(clock()) == changed
    assert counted.reads == 2


def test_two_loads_at_once_are_both_kept(services: Services, clock: FakeClock) -> None:
    """Loads from several threads get numbers of their own, and one of them holds."""
    threads = [
        threading.Thread(target=services.rulebooks.load, args=(text_of(f"v{n}"), TODAY), kwargs={"now": clock()})
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert {each.rulebook.version for each in services.rulebooks.editions()} >= {"v0", "v1", "v2", "v3"}
    assert services.rulebook == services.rulebooks.editions()[-1].rulebook


def test_storing_the_shipped_one_again_changes_nothing(services: Services, clock: FakeClock) -> None:
    """A pool that has a rulebook is left alone."""
    with services.database.writing() as connection:
        before = storage.all_stored(connection)
        store_shipped(connection, clock())
        assert storage.all_stored(connection) == before


def test_the_helpers_of_tests_store_rulebooks(services: Services) -> None:
    """use_rules holds from today; rules_from_the_start from the beginning."""
    use_rules(services, "ladder", plan=20)
    assert services.rulebook.ladder == replace(DEFAULT_RULEBOOK.ladder, plan=20)
    use_rules(services, "tiers.claims", claim=2)
    assert (services.rulebook.ladder.plan, services.rulebook.tiers["claims"]["claim"]) == (20, 2)  # type: ignore[index]
    assert services.rulebooks.on(TODAY - timedelta(days=1)).rulebook == DEFAULT_RULEBOOK
    ever = rules_from_the_start(services, {"disclosure": {"enquire_from": "strong"}})
    assert services.rulebooks.on(TODAY - timedelta(days=1)).rulebook == ever
