"""What is done for a chunk ahead of its turn counts only where it is what the chunk would find under the lock."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from repository.jobs import intake
from repository.services import batchwork, foresight
from repository.services.batchwork import BatchWork, Chunk
from repository.services.foresight import NOTHING, Foreseen, Prepared
from repository.storage import index
from tests.integration.pool.conftest import Counted, Desk
from tests.support.encodings import filing, subject
from tests.support.rulebooks import use_rules

NAMES = ("ann", "bob", "cid", "dee")


pytestmark = pytest.mark.parametrize("store", ["postgresql"], indirect=True)
"""SQLite has one writer at a time, and nothing is foreseen."""


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Chunks of one line each; whether what was foreseen of each was used."""
    used: list[bool] = []
    whole = Foreseen.settled

    def spy(self: Foreseen, *arguments: object) -> Prepared | None:
        found = whole(self, *arguments)  # type: ignore[arg-type] # passed on as they came
        if self is not NOTHING:
            used.append(found is not None)
        return found

    monkeypatch.setattr(Foreseen, "settled", spy)
    monkeypatch.setattr(intake, "CHUNK_LINES", 1)
    return used


def _before(monkeypatch: pytest.MonkeyPatch, line: int, act: Callable[[], object]) -> None:
    """Do something when a chunk is foreseen and its turn has come."""
    take = BatchWork.take

    def late(self: BatchWork, chunk: Chunk, *arguments: object) -> None:
        if chunk.last_line == line:
            act()
        take(self, chunk, *arguments)  # type: ignore[arg-type] # passed on as they came

    monkeypatch.setattr(batchwork.BatchWork, "take", late)


def test_what_was_found_ahead_is_used(alpha: Desk, beta: Desk, settled: list[bool]) -> None:
    """Where only the batch itself writes, every chunk is stored as it was prepared, and its hits are there."""
    beta.file(filing("B-1", subject("cid")))
    done = alpha.batch([filing(f"A-{name}", subject(name)) for name in NAMES])
    assert settled == [True] * len(NAMES)
    assert done["rows"]["created"] == len(NAMES)
    assert len(beta.hits()) == 1


def test_what_another_files_in_between_is_found(
    alpha: Desk, beta: Desk, settled: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Filed after a chunk was looked up and before it was taken in: the hit is there, and once."""
    _before(monkeypatch, 3, lambda: beta.file(filing("B-1", subject("cid"))))
    alpha.batch([filing(f"A-{name}", subject(name)) for name in NAMES])
    assert False in settled
    assert len(beta.hits()) == 1


def test_what_another_changes_in_between_is_not_found(
    alpha: Desk, beta: Desk, settled: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was found ahead is about somebody else by the time it is taken in: no hit."""
    beta.file(filing("B-1", subject("cid")))
    _before(monkeypatch, 3, lambda: beta.file(filing("B-1", subject("eve")), status=201))
    alpha.batch([filing(f"A-{name}", subject(name)) for name in NAMES])
    assert False in settled
    assert beta.hits() == []


def test_what_the_member_itself_files_in_between_is_met(
    alpha: Desk, settled: list[bool], monkeypatch: pytest.MonkeyPatch, rows: Counted
) -> None:
    """A row that was new when it was looked up and is there by its turn is unchanged, and not there twice."""
    body = filing("A-cid", subject("cid"))
    _before(monkeypatch, 3, lambda: alpha.file(body))
    done = alpha.batch([filing(f"A-{name}", subject(name)) for name in NAMES])
    assert (done["rows"]["created"], done["rows"]["unchanged"]) == (3, 1)
    assert rows("subjects") == len(NAMES)


def test_a_reference_named_twice_is_seen_over_chunks(alpha: Desk, settled: list[bool]) -> None:
    """Both are new when they are looked up; the second is refused all the same."""
    done = alpha.batch([filing("A-1", subject("ann")), filing("A-1", subject("bob"))])
    assert (done["rows"]["created"], done["rows"]["rejected"]) == (1, 1)


def test_keys_that_the_batch_itself_fills_are_left_out(alpha: Desk, settled: list[bool], rows: Counted) -> None:
    """Rows beyond a member's share of a key are not written, though the chunk before was not there when it looked."""
    use_rules(alpha.services, "matching", hot_key_rows=4)
    alpha.batch([filing(f"A-{each}", subject("ann", only=[3])) for each in range(6)])
    assert True in settled
    assert rows("key_index") == 2


def test_nothing_is_foreseen_of_a_rehearsal(alpha: Desk, settled: list[bool], monkeypatch: pytest.MonkeyPatch) -> None:
    """A dry run looks nothing up."""
    monkeypatch.setattr(foresight, "prepare", lambda *_: pytest.fail("looked up"))
    alpha.batch([filing("A-1", subject("ann"))], query="?dry_run=true")
    assert settled == []


def test_every_write_to_the_pool_is_counted(alpha: Desk) -> None:
    """By one, whoever it is, and nothing else is."""
    with alpha.services.database.reading() as connection:
        assert index.writes(connection) == 0
    alpha.file(filing("A-1", subject("ann")))
    alpha.file(filing("A-1", subject("ann")), status=200)
    alpha.screen({**filing("x", subject("ann")), "x": 1}, status=422)
    with alpha.services.database.reading() as connection:
        assert index.writes(connection) == 2


def test_where_others_write_all_the_time_nothing_is_done_twice(
    alpha: Desk, beta: Desk, settled: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once what was foreseen did not hold, the next chunks are looked up in their turn only."""
    monkeypatch.setattr(batchwork, "CROWDED", 100)
    _before(monkeypatch, 2, lambda: beta.file(filing("B-1", subject("cid"))))
    done = alpha.batch([filing(f"A-{each}", subject(f"{each}")) for each in range(8)])
    assert done["rows"]["created"] == 8
    assert settled[:2] == [True, False]
    assert len(settled) <= 4  # the third and the fourth may have been under way
