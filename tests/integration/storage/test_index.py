"""The index of the pool on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import func, inspect, select

from matching.types import KEY_BYTES
from repository.domain.members import NUMBER_BITS
from repository.storage import index
from repository.storage.engine import Database, create_engine
from repository.storage.index import HOT_KEYS, KEY_INDEX, Hot, Wanted
from repository.storage.sealing import Sealer, SealError
from tests.support.clock import FakeClock

SEALER = Sealer(bytes(32))
ASKER = 4095
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def keys(*names: str) -> bytes:
    """Re-keyed keys by name."""
    return SEALER.rekey(b"".join(name.encode().ljust(16, b"\0") for name in names), "person")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty pool."""
    made = Database(create_engine(database_url))
    yield made
    made.close()


def record(member: int, number: int) -> int:
    """The id of a member's record."""
    return number << NUMBER_BITS | member


def look_up(
    database: Database, *subjects: bytes, hot_rows: int = 100, limit: int = 100, since: datetime = LONG_AGO
) -> index.Candidates:
    """A look-up in a transaction of its own."""
    with database.read() as session:
        wanted = [Wanted(each, np.ones(len(each) // KEY_BYTES, np.int64)) for each in subjects]
        return index.look_up(session.connection(), SEALER, wanted, own=ASKER, hot=Hot(hot_rows, since), limit=limit)


def add(database: Database, records: dict[int, bytes]) -> None:
    """Index records in a transaction of their own."""
    with database.write() as session:
        rows = index.rows(SEALER, list(records), list(records.values()))
        index.insert(session.connection(), rows, np.zeros(0, np.int64), share=len(rows.keys))


def test_records_are_found_by_any_shared_key(database: Database) -> None:
    """Most shared keys first; who shares none finds none."""
    add(database, {1 << 62: keys("a", "b", "c"), 7: keys("c", "d"), 8: keys("e")})
    found = look_up(database, keys("b", "c", "x"), keys("y"), keys("d", "e", "c"))
    assert found.records == ((1 << 62, 7), (), (7, 8, 1 << 62))
    assert found.capped == (0, 0, 0)
    assert found.crowded == {}


def test_an_empty_look_up_is_no_error(database: Database) -> None:
    """No subjects, and an empty pool."""
    assert look_up(database).records == ()
    assert look_up(database, keys("a")).records == ((),)


def test_at_most_the_limit_comes_back(database: Database) -> None:
    """The best by shared keys, ties by record id."""
    add(database, {record: keys("a", "b") if record == 5 else keys("a") for record in range(1, 9)})
    assert look_up(database, keys("a", "b"), limit=3).records == ((5, 1, 2),)


def test_a_rare_key_counts_for_more_than_a_common_one(database: Database) -> None:
    """Of records that share one key each, who shares the rarest comes first, whatever the record ids."""
    add(database, {number: keys("common") for number in range(1, 40)} | {50: keys("pair"), 51: keys("pair")})
    add(database, {99: keys("rare")})
    assert look_up(database, keys("common", "pair", "rare"), limit=3).records == ((99, 50, 51),)


def test_own_records_take_nobodys_place(database: Database) -> None:
    """They are left out before the best are chosen, however many and however alike, and they make no key hot."""
    add(database, {record(ASKER, number): keys("a", "b") for number in range(1, 9)} | {record(1, 1): keys("a")})
    found = look_up(database, keys("a", "b"), limit=2, hot_rows=5)
    assert (found.records, found.capped, found.crowded) == (((record(1, 1),),), (0,), {})


def test_one_member_crowds_nobody_out(database: Database) -> None:
    """Of two subjects' candidates a member takes half of the places at most, and the rest only if they are free."""
    many = {record(1, number): keys("a", "b") for number in range(1, 9)}
    add(database, many | {record(2, 1): keys("a"), record(3, 1): keys("c"), record(3, 2): keys("b", "c")})
    found = look_up(database, keys("a", "b"), keys("b"), limit=4)
    assert found.records[0] == (record(1, 1), record(1, 2), record(2, 1), record(3, 2))
    assert found.records[1] == (record(1, 1), record(1, 2), record(3, 2), record(1, 3))


def test_one_weighty_key_comes_before_several_light_ones(database: Database) -> None:
    """Who shares but a telephone is not crowded out by strangers who share some bands."""
    add(database, {1: keys("band1", "band2", "band3"), 2: keys("phone")})
    with database.read() as session:
        wanted = Wanted(keys("phone", "band1", "band2", "band3"), np.array([8, 1, 1, 1]))
        found = index.look_up(session.connection(), SEALER, [wanted], own=ASKER, hot=Hot(100, LONG_AGO), limit=1)
    assert found.records == ((2,),)


def test_a_key_given_twice_is_one_row(database: Database) -> None:
    """A record with the same key twice is indexed, and found once."""
    add(database, {1: keys("a", "a", "b")})
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(KEY_INDEX)) == 2
    assert look_up(database, keys("a")).records == ((1,),)


def test_removing_takes_every_row_out(database: Database) -> None:
    """And leaves the rows of others under the same keys."""
    add(database, {1: keys("a", "b"), 2: keys("a", "b")})
    with database.write() as session:
        index.remove(session.connection(), SEALER, [1], [keys("a", "b")])
        index.remove(session.connection(), SEALER, [], [])
    assert look_up(database, keys("a"), keys("b")).records == ((2,), (2,))
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(KEY_INDEX)) == 2


def test_a_hot_key_is_skipped_and_reported(database: Database, clock: FakeClock) -> None:
    """Once over the limit it brings no candidates; remembered, it is not even read; other keys still work."""
    add(database, {record: keys("hot", f"own{record}") for record in range(1, 7)})
    found = look_up(database, keys("hot", "own3"), keys("own4"), hot_rows=5)
    assert found.records == ((3,), (4,))
    assert found.capped == (1, 0)
    assert list(found.crowded.values()) == [6]
    with database.write() as session:
        for _ in range(2):
            hot = Hot(5, LONG_AGO)
            index.remember_hot(session.connection(), found.crowded, found.cooled, hot=hot, now=clock())
    again = look_up(database, keys("hot", "own3"), hot_rows=500)
    assert (again.records, again.capped, again.crowded) == (((3,),), (1,), {})
    with database.read() as session:
        assert session.scalar(select(HOT_KEYS.c.records)) == 6


def test_one_member_alone_makes_no_key_hot(database: Database) -> None:
    """However many rows it has; with others' rows its own count for half of the limit at most."""
    add(database, {record(1, number): keys("phone") for number in range(20)})
    found = look_up(database, keys("phone"), hot_rows=5)
    assert (len(found.records[0]), found.capped, found.crowded) == (20, (0,), {})
    add(database, {record(2, number): keys("phone") for number in range(2)})
    assert look_up(database, keys("phone"), hot_rows=5).crowded == {}
    add(database, {record(3, number): keys("phone") for number in range(2)})
    assert list(look_up(database, keys("phone"), hot_rows=5).crowded.values()) == [6]


def test_a_hot_key_is_looked_at_again(database: Database, clock: FakeClock) -> None:
    """After its time it is read: if it is hot still it is remembered anew, if not it is forgotten."""
    add(database, {number: keys("hot", "warm") for number in range(1, 7)})
    found, old = look_up(database, keys("hot", "warm"), hot_rows=5), clock()
    with database.write() as session:
        hot = Hot(5, LONG_AGO)
        index.remember_hot(session.connection(), found.crowded, found.cooled, hot=hot, now=old)
        index.remove(session.connection(), SEALER, [1], [keys("warm")])
    assert look_up(database, keys("hot", "warm"), hot_rows=5, since=old - timedelta(seconds=1)).capped == (2,)
    again = look_up(database, keys("hot", "warm"), hot_rows=5, since=old)
    assert (len(again.records[0]), again.capped, len(again.crowded), len(again.cooled)) == (5, (1,), 1, 1)
    clock.advance(days=1)
    with database.write() as session:
        index.remember_hot(session.connection(), again.crowded, again.cooled, hot=Hot(5, old), now=clock())
        assert session.execute(select(HOT_KEYS.c.key, HOT_KEYS.c.found_at)).all() == [(*again.crowded, clock())]


def test_many_keys_are_looked_up_as_few_are(
    database: Database, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that come packed, a few keys at a time, say what rows say one by one: of hot keys and of those to forget."""
    add(database, {record(1 + number % 3, number): keys("hot", "warm", f"own{number}") for number in range(1, 9)})
    add(database, {record(ASKER, 1): keys("own1", "own2")})
    hot = look_up(database, keys("hot", "warm"), hot_rows=7)
    with database.write() as session:
        index.remember_hot(session.connection(), hot.crowded, (), hot=Hot(7, LONG_AGO), now=clock())
        index.remove(session.connection(), SEALER, [record(3, 2)], [keys("warm")])
    asked = [keys("hot", "warm", "own1", "own2"), keys("own3", "nobody"), keys("own2", "warm")]
    for since in (LONG_AGO, clock()):
        few = look_up(database, *asked, hot_rows=7, since=since)
        with monkeypatch.context() as patched:
            patched.setattr(index, "_MANY", 1)
            patched.setattr(index, "_AT_ONCE", 2)
            patched.setattr(index, "_RANKED_AT_ONCE", 2)
            many = look_up(database, *asked, hot_rows=7, since=since)
        assert (many, many.own.tolist()) == (few, few.own.tolist())
        assert (len(few.cooled), few.capped) == ((0, (2, 0, 1)) if since == LONG_AGO else (1, (1, 0, 0)))


def test_a_members_rows_beyond_its_share_are_not_indexed(database: Database) -> None:
    """What would not count is not written: one member cannot make every look-up of a key read its rows."""
    add(database, {record(ASKER, number): keys("phone") for number in range(2)})
    own = look_up(database, keys("phone", "other"), hot_rows=5).own
    assert len(own) == 2
    with database.write() as session:
        rows = index.rows(SEALER, [record(ASKER, number) for number in range(5, 9)], [keys("phone", "other")] * 4)
        assert len(index.insert(session.connection(), rows, own, share=3)) == 1 + 3
        assert session.scalar(select(func.count()).select_from(KEY_INDEX)) == 2 + 1 + 3


def test_only_the_key_is_indexed(database: Database) -> None:
    """PostgreSQL keeps no second copy of the pointers, which nobody looks for; SQLite keeps rows in the primary key."""
    there = inspect(database.engine)
    indexes = [each["column_names"] for each in there.get_indexes("key_index")]
    found = (there.get_pk_constraint("key_index")["constrained_columns"], indexes)
    assert found == (([], [["key"]]) if database.engine.dialect.name == "postgresql" else (["key", "pointer"], []))


def test_subjects_are_counted_by_member_and_kind(database: Database) -> None:
    """The pool's size for a member is what the others have."""
    with database.write() as session:
        connection = session.connection()
        index.count_subjects(connection, "mem_a", {"person": 5, "vehicle": 2})
        index.count_subjects(connection, "mem_b", {"person": 3})
        index.count_subjects(connection, "mem_a", {"person": -1, "vehicle": 0})
        assert index.pool_sizes(connection, other_than="mem_a") == {"person": 3}
        assert index.pool_sizes(connection, other_than="mem_b") == {"person": 4, "vehicle": 2}


def test_a_table_copied_to_another_secret_is_an_error(database: Database) -> None:
    """Not a wrong answer: the rows say that they are not of this secret."""
    rekeyed = keys("a")
    add(database, {1: rekeyed})
    wanted = Wanted(rekeyed, np.ones(len(rekeyed) // KEY_BYTES, np.int64))
    with database.read() as session, pytest.raises(SealError):
        index.look_up(session.connection(), Sealer(b"x" * 32), [wanted], own=ASKER, hot=Hot(5, LONG_AGO), limit=5)
