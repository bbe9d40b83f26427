"""The index of the pool, from re-keyed keys to records: the one interface for look-ups, so another store can serve it.

A row is (first 8 bytes of a re-keyed key, sealed pointer). Who holds the table alone sees how many records share a
key, not which rows belong to one record. The low bits of a record id are its member's number: once a pointer is open
it is known whose record it is, so that nobody's own records take the place of the others' in what is found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import (
    BigInteger,
    CompoundSelect,
    Connection,
    Index,
    LargeBinary,
    RowMapping,
    Select,
    and_,
    bindparam,
    case,
    delete,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from matching.types import KEY_BYTES
from repository.storage import dialect
from repository.storage.base import Base
from repository.storage.operator import FACTS
from repository.storage.ranking import first_of_run, members, more_than, ranked, shared
from repository.storage.sealing import POINTER_BYTES, Blocks, IndexSealer, Integers, Sealer, index_keys


class KeyIndexRow(Base):
    """One key of one record. SQLite keeps the rows within their primary key.

    PostgreSQL has none, but an index on the key alone: with the pointer in it too it is twice as large, and no one
    looks for pointers.
    """

    __tablename__ = "key_index"
    __table_args__ = (
        Index("ix_key_index_key", "key", info={"only_on": "postgresql"}),
        {"sqlite_with_rowid": False},
    )

    key: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    pointer: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)


class HotKeyRow(Base):
    """A key that too many records share to tell anything: remembered for a time, and skipped by look-ups meanwhile."""

    __tablename__ = "hot_keys"

    key: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    records: Mapped[int]
    found_at: Mapped[datetime]
    screenings: Mapped[int] = mapped_column(server_default="0")
    """Subjects asked about since it was found, that have it."""


class PoolCountRow(Base):
    """How many subjects of a kind a member has in the pool: the prior of a match depends on the sum."""

    __tablename__ = "pool_counts"

    member_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    subjects: Mapped[int]


KEY_INDEX = Base.metadata.tables["key_index"]
HOT_KEYS = Base.metadata.tables["hot_keys"]
POOL_COUNTS = Base.metadata.tables["pool_counts"]
_STALE = b""
_WRITES_FACT = "pool_writes"
"""The fact of the installation that counts who added to the pool."""
_POOL_SIZES = dialect.Prepared(
    lambda _name: (
        select(POOL_COUNTS.c.kind, func.sum(POOL_COUNTS.c.subjects))
        .where(POOL_COUNTS.c.member_id != bindparam("member"))
        .group_by(POOL_COUNTS.c.kind)
    )
)


@dataclass(frozen=True, slots=True)
class Candidates:
    """What a look-up found for a list of subjects: for each, record ids with the weightiest shared keys first.

    `capped` counts, for each subject, the keys that were skipped because they are hot. `crowded` are keys found hot,
    with the rows that count, and are to be remembered; `cooled` were remembered, were looked at again, and are to be
    forgotten (see `remember_hot`). `met` are the hot ones of all keys, remembered or crowded, each with how many of the
    subjects have it. `own` has a key for each row of the asker under it (see `insert`).
    """

    records: tuple[tuple[int, ...], ...]
    capped: tuple[int, ...]
    crowded: Mapping[int, int]
    cooled: tuple[int, ...]
    met: Mapping[int, int]
    own: Integers = field(default_factory=lambda: np.zeros(0, np.int64), compare=False)


@dataclass(frozen=True, slots=True)
class Hot:
    """When a key is hot: with more than `rows` rows, of which no member's count for more than half as many.

    Remembered, it stays hot until `since`, the instant after which it must have been found so: a member's rows alone
    never make a key hot, and nobody's for ever.
    """

    rows: int
    since: datetime

    @property
    def share(self) -> int:
        """The rows of one member that count."""
        return self.rows // 2


@dataclass(frozen=True, slots=True)
class Wanted:
    """A subject to look up: its re-keyed keys, 16 bytes each, and how much each counts in ranking what is found."""

    keys: bytes
    weights: Integers


def look_up(
    connection: Connection, sealer: Sealer, subjects: Sequence[Wanted], *, own: int, hot: Hot, limit: int
) -> Candidates:
    """Find the records of other members than the one numbered `own` that share a key with each subject.

    All subjects' keys are read together, many of them in parts, so that memory stays bounded. At most `limit` records
    are returned for a subject; where more are found, one member's take the places beyond half of the limit only if the
    others leave them free.
    """
    keys = index_keys(b"".join([each.keys for each in subjects]))
    owner = np.repeat(np.arange(len(subjects)), [len(each.keys) // KEY_BYTES for each in subjects])
    weights = np.concatenate([np.zeros(0, np.int64), *(each.weights for each in subjects)])
    distinct = np.sort(keys)
    distinct = distinct[np.diff(distinct, prepend=distinct[:1] - 1) != 0]  # np.unique takes thrice the time
    known = _rows(connection, sealer, distinct, hot.since)
    others = members(known.records) != own
    mine = known.keys[~others]
    found_keys, found_records = known.keys[others], known.records[others]
    crowded = _crowded(found_keys, found_records, hot)
    if crowded:
        keep = ~np.isin(found_keys, list(crowded))
        found_keys, found_records = found_keys[keep], found_records[keep]
    is_hot = np.isin(keys, [*known.hot, *crowded])
    capped = np.bincount(owner[is_hot], minlength=len(subjects))
    met = Counter(key for key, _ in set(zip(keys[is_hot].tolist(), owner[is_hot].tolist(), strict=True)))
    records: list[tuple[int, ...]] = []
    for start in range(0, len(subjects), _RANKED_AT_ONCE):
        count = min(_RANKED_AT_ONCE, len(subjects) - start)
        part = slice(*np.searchsorted(owner, [start, start + count]))
        met_by = shared(keys[part], weights[part], owner[part] - start, found_keys, found_records)
        records += ranked(*met_by, count, limit)
    cooled = tuple(key for key in known.stale if key not in crowded)
    return Candidates(tuple(records), tuple(capped.tolist()), crowded, cooled, met, mine)


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of the index, sorted by key: neighbouring rows then say nothing of each other."""

    keys: Integers
    pointers: Blocks


def rows(sealer: IndexSealer, record_ids: Sequence[int], subjects: Sequence[bytes]) -> Rows:
    """The rows of records under their re-keyed keys."""
    rekeyed = b"".join(subjects)
    records, keys = _repeat(record_ids, subjects), index_keys(rekeyed)
    pointers = sealer.pointers(records, rekeyed)
    order = _by_key(keys, records)
    order = order[first_of_run(keys[order], records[order])]  # a key given twice by one record is one row
    return Rows(keys[order], pointers[order])


def insert(connection: Connection, rows: Rows, own: Integers, *, share: int) -> Integers:
    """Index records of one member; returns the keys of the rows added.

    `own` has a key for each row that the member has (see `Candidates.own`). Of its rows under a key no more than
    `share` are written (see `Hot.share`): more would not be counted, and only make every look-up of the key slower.
    """
    kept = countable(rows, own, share)
    keys, pointers = (rows.keys, rows.pointers) if kept.all() else (rows.keys[kept], rows.pointers[kept])
    dialect.insert_index_rows(connection, keys, pointers)
    return keys


def countable(rows: Rows, own: Integers, share: int) -> npt.NDArray[np.bool_]:
    """Which of a member's new rows leave it with no more than `share` rows under their key."""
    keys, held = rows.keys, np.sort(own)
    before = np.searchsorted(held, keys, "right") - np.searchsorted(held, keys, "left")
    return np.arange(len(keys)) - np.searchsorted(keys, keys, "left") + before < share


def note_write(connection: Connection) -> int:
    """Count who adds to the pool, in the transaction that does, with the pool locked; the number of writes now."""
    return int(_NOTE_WRITE.rows(connection, {"value": "1"})[0][0])


def writes(connection: Connection) -> int:
    """How many have added to the pool; what is read after it holds what they added."""
    found = _WRITES.rows(connection, {})
    return int(found[0][0]) if found else 0


def remove(connection: Connection, sealer: Sealer, record_ids: Sequence[int], subjects: Sequence[bytes]) -> None:
    """Take records out of the index; `subjects` are the re-keyed keys they were added under."""
    rekeyed = b"".join(subjects)
    if not rekeyed:
        return
    pointers = sealer.pointers(_repeat(record_ids, subjects), rekeyed)
    dialect.remove_index_rows(connection, index_keys(rekeyed), pointers)


def remember_hot(
    connection: Connection, crowded: Mapping[int, int], cooled: Sequence[int], *, hot: Hot, now: datetime
) -> None:
    """Remember keys as hot from now on, with the rows they had, and forget those that are not hot any more."""
    found = {"found_at": now, "screenings": 0}
    dialect.put(connection, HOT_KEYS, [{"key": key, "records": n, **found} for key, n in sorted(crowded.items())])
    if cooled:
        forgotten = delete(HOT_KEYS).where(HOT_KEYS.c.key == bindparam("cold"), HOT_KEYS.c.found_at <= hot.since)
        connection.execute(forgotten, [{"cold": key} for key in cooled])


def count_met(connection: Connection, met: Mapping[int, int]) -> None:
    """Count what was asked under hot keys (see `Candidates.met`); what is not remembered any more is left out.

    In the order of the keys, so that processes do not wait for each other in a circle.
    """
    if met:
        counted = update(HOT_KEYS).where(HOT_KEYS.c.key == bindparam("hot"))
        counted = counted.values(screenings=HOT_KEYS.c.screenings + bindparam("times"))
        connection.execute(counted, [{"hot": key, "times": times} for key, times in sorted(met.items())])


def count_hot(connection: Connection) -> int:
    """How many keys are remembered as hot."""
    return connection.execute(select(func.count()).select_from(HOT_KEYS)).scalar_one()


def count_old_hot(connection: Connection, *, before: datetime) -> int:
    """How many keys were found hot before a time, and not again since."""
    return int(connection.execute(select(func.count()).where(HOT_KEYS.c.found_at < before)).scalar_one())


def forget_old_hot(connection: Connection, *, before: datetime) -> int:
    """Forget the keys that were found hot before a time; how many. Those that are so still will be found to be."""
    return connection.execute(delete(HOT_KEYS).where(HOT_KEYS.c.found_at < before)).rowcount


def hot_keys(connection: Connection, *, after: tuple[int, int] | None, limit: int) -> list[RowMapping]:
    """The keys remembered as hot, most rows first, after (rows, key) in that order."""
    statement = select(HOT_KEYS).order_by(HOT_KEYS.c.records.desc(), HOT_KEYS.c.key).limit(limit)
    if after is not None:
        records, key = after
        same = and_(HOT_KEYS.c.records == records, HOT_KEYS.c.key > key)
        statement = statement.where(or_(HOT_KEYS.c.records < records, same))
    return list(connection.execute(statement).mappings())


def count_subjects(connection: Connection, member_id: str, added: Mapping[str, int]) -> None:
    """Add to (or, negative, take from) the number of subjects a member has in the pool, by kind."""
    rows = [{"member_id": member_id, "kind": kind, "subjects": n} for kind, n in sorted(added.items()) if n]
    dialect.add_up(connection, POOL_COUNTS, rows, "subjects")


def pool_sizes(connection: Connection, *, other_than: str) -> dict[str, int]:
    """The number of subjects of each kind that other members have in the pool."""
    return {kind: int(subjects) for kind, subjects in _POOL_SIZES.rows(connection, {"member": other_than})}


def _rows_statement(dialect_name: str) -> CompoundSelect[Any]:
    """The hot ones of some keys, with no pointer, and the index rows of the others: one statement, one round trip.

    A key that was found hot `since` or before is read, and comes once more, with an empty pointer.
    """
    keys, again = dialect.wanted_integers(dialect_name), dialect.wanted_integers(dialect_name)
    is_fresh = HOT_KEYS.c.found_at > bindparam("since")
    mark = case((is_fresh, null()), else_=literal(_STALE, LargeBinary))
    hot = select(HOT_KEYS.c.key, mark).select_from(again.join(HOT_KEYS, HOT_KEYS.c.key == again.c.value))
    rows = (
        select(KEY_INDEX.c.key, KEY_INDEX.c.pointer)
        .select_from(keys.join(KEY_INDEX, KEY_INDEX.c.key == keys.c.value))
        .where(~select(HOT_KEYS.c.key).where(HOT_KEYS.c.key == keys.c.value, is_fresh).exists())
    )
    return union_all(rows, hot)


def _hot_statement(dialect_name: str) -> Select[Any]:
    """The hot ones of some keys, and whether they were found so after `since`."""
    return select(HOT_KEYS.c.key, HOT_KEYS.c.found_at > bindparam("since")).where(
        dialect.among_integers(dialect_name, HOT_KEYS.c.key)
    )


def _packed_statement(dialect_name: str) -> Select[Any]:
    """The index rows of some keys, as the bytes of one value: see _ROW."""
    row = func.int8send(KEY_INDEX.c.key).op("||")(KEY_INDEX.c.pointer)
    packed = func.string_agg(row, literal(b"", LargeBinary), type_=LargeBinary())
    return select(packed).where(dialect.among_integers(dialect_name, KEY_INDEX.c.key))


_ROWS = dialect.Prepared(_rows_statement)
_HOT, _PACKED = dialect.Prepared(_hot_statement), dialect.Prepared(_packed_statement)
_ROW = np.dtype([("key", ">i8"), ("pointer", f"V{POINTER_BYTES}")])
_MANY = 2000
"""Keys from which on rows are not read one by one."""
_AT_ONCE = 1 << 15
"""Keys whose rows are read as one value, of some megabytes: it must not come to a gigabyte."""
_RANKED_AT_ONCE = 500
"""Subjects whose found rows are ranked together: with a million pooled each finds some hundreds."""
_NOTE_WRITE = dialect.Prepared(lambda name: dialect.next_number(name, FACTS, "name", _WRITES_FACT, "value"))
_WRITES = dialect.Prepared(lambda _name: select(FACTS.c.value).where(FACTS.c.name == literal(_WRITES_FACT)))


@dataclass(frozen=True, slots=True)
class _Known:
    """What the index knows of some keys: those that are hot, those to look at again, and the rows of the others."""

    hot: Integers
    stale: tuple[int, ...]
    keys: Integers
    records: Integers

    @classmethod
    def of(cls, hot: Integers, stale: tuple[int, ...], keys: Integers, records: Integers) -> _Known:
        """With the rows in the order of their keys, in which most stores give them."""
        if (keys[1:] < keys[:-1]).any():
            order = np.argsort(keys)
            keys, records = keys[order], records[order]
        return cls(hot, stale, keys, records)


def _rows(connection: Connection, sealer: Sealer, keys: Integers, since: datetime) -> _Known:
    """What is known of some keys, given in order."""
    name = connection.dialect.name
    if len(keys) >= _MANY and name != "sqlite":
        return _many_rows(connection, sealer, keys, since)
    rows = _ROWS.rows(connection, {"since": since, **dialect.wanted(name, keys.tolist())})
    marks = [row for row in rows if not row[1]]
    hot = np.array([key for key, pointer in marks if pointer is None], dtype=np.int64)
    stale = tuple(key for key, pointer in marks if pointer == _STALE)
    held = [row for row in rows if row[1]] if marks else rows
    found = np.fromiter(map(itemgetter(0), held), np.int64, len(held))
    pointers = b"".join(map(itemgetter(1), held))
    return _Known.of(hot, stale, found, sealer.open_pointers(pointers, found))


def _many_rows(connection: Connection, sealer: Sealer, keys: Integers, since: datetime) -> _Known:
    """The same of many keys: their rows come packed, which takes a tenth of the time of an object for each."""
    marks = _HOT.rows(connection, {"since": since, **dialect.wanted_many(connection, keys)})
    hot = np.array([key for key, fresh in marks if fresh], dtype=np.int64)
    stale = tuple(key for key, fresh in marks if not fresh)
    if len(hot):
        keys = keys[~np.isin(keys, hot)]
    found, records = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for start in range(0, len(keys), _AT_ONCE):
        part = dialect.wanted_many(connection, keys[start : start + _AT_ONCE])
        packed = np.frombuffer(_PACKED.rows(connection, part)[0][0] or b"", _ROW)
        found.append(packed["key"].astype(np.int64))
        records.append(sealer.open_pointers(packed["pointer"].tobytes(), found[-1]))
    return _Known.of(hot, stale, np.concatenate(found), np.concatenate(records))


def _crowded(keys: Integers, records: Integers, hot: Hot) -> dict[int, int]:
    """The hot ones of found keys, given in order, with their rows, of each member's no more than its share."""
    too_many = more_than(keys, hot.rows)
    if not len(too_many):
        return {}
    many = np.isin(keys, too_many)
    pairs, rows = np.unique(np.stack([keys[many], members(records[many])]), axis=1, return_counts=True)
    counted: Counter[int] = Counter()
    for key, count in zip(pairs[0].tolist(), rows.tolist(), strict=True):
        counted[key] += min(count, hot.share)
    return {key: count for key, count in counted.items() if count > hot.rows}


def _by_key(keys: Integers, records: Integers) -> Integers:
    """The order by key, then by record; few share a key, and of the others a faster sort is enough."""
    order = np.argsort(keys)
    same = first_of_run(keys[order], keys[order])
    tied = ~same | ~np.append(same[1:], True)
    order[tied] = order[tied][np.lexsort((records[order[tied]], keys[order[tied]]))]
    return order


def _repeat(record_ids: Sequence[int], subjects: Sequence[bytes]) -> Integers:
    return np.repeat(np.array(record_ids, dtype=np.int64), [len(each) // 16 for each in subjects])
