"""Watches: screenings that stand, and the index by which a filing finds them.

The index is one of its own: re-keyed keys and sealed pointers as in that of the pool, under other subkeys, so that the
two tables have nothing in common that could be compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    RowMapping,
    Select,
    and_,
    bindparam,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from repository.domain.watches import EndReason, StandsAs, Watch
from repository.storage import dialect
from repository.storage.base import Base
from repository.storage.filings import MEMBERS
from repository.storage.hits import HITS
from repository.storage.index import Rows, Wanted
from repository.storage.ranking import ranked, shared
from repository.storage.screenings import SCREENINGS
from repository.storage.sealing import IndexSealer, Integers, index_keys

MOST = 1000
"""Watches that are compared with one subject; those of one member take half of that at most where others want it."""
CROWDED = 10_000
"""Watches under one key that are read."""
_AT_ONCE = 20_000
"""Keys that are looked up in one statement."""


class WatchRow(Base):
    """One watch. It goes with its screening."""

    __tablename__ = "watches"
    __table_args__ = (
        Index("ix_watches_member_id_id", "member_id", "id"),
        Index("ix_watches_ended_at_until", "ended_at", "until"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, unique=True)
    member_id: Mapped[str] = mapped_column(ForeignKey("members.id"))
    actor_id: Mapped[str] = mapped_column(ForeignKey("actors.id"))
    screening_id: Mapped[str] = mapped_column(ForeignKey("screenings.id"), index=True)
    stands_as: Mapped[str]
    since: Mapped[datetime]
    until_on: Mapped[date]
    until: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None]
    owed_at: Mapped[datetime | None] = mapped_column(index=True)
    """When it met what its member could not be told of: it is looked at again, by what may be seen later."""


class WatchIndexRow(Base):
    """One key of one watch."""

    __tablename__ = "watch_index"
    __table_args__ = ({"sqlite_with_rowid": False},)

    key: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    pointer: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)


WATCHES = Base.metadata.tables["watches"]
WATCH_INDEX = Base.metadata.tables["watch_index"]
_NAMES = tuple(Watch.__slots__)


@dataclass(frozen=True, slots=True)
class Asked:
    """A watch with its question: the encoding, sealed, and what it was asked for."""

    watch: Watch
    kind: str
    schema_id: str
    fingerprint: str
    purpose: str
    lawful_basis: str | None
    line: str
    reference: str
    envelope: bytes
    release_checks: dict[str, Any] | None
    subject_digest: bytes | None


def add(connection: Connection, watches: Sequence[Watch], rows: Rows) -> None:
    """Store watches with their rows of the index, as returned by `index.rows`."""
    _INSERT.write(connection, [{name: getattr(each, name) for name in _NAMES} | {"owed_at": None} for each in watches])
    pairs = zip(rows.keys.tolist(), rows.pointers.tolist(), strict=True)
    _INSERT_ROWS.write(connection, [{"key": key, "pointer": pointer} for key, pointer in pairs])


def take_out(connection: Connection, rows: Rows) -> None:
    """Remove rows of the index."""
    pairs = zip(rows.keys.tolist(), rows.pointers.tolist(), strict=True)
    gone = WATCH_INDEX.delete().where(
        WATCH_INDEX.c.key == bindparam("gone_key"), WATCH_INDEX.c.pointer == bindparam("gone_pointer")
    )
    values = [{"gone_key": key, "gone_pointer": pointer} for key, pointer in pairs]
    if values:
        connection.execute(gone, values)


def any_standing(connection: Connection, *, now: datetime) -> bool:
    """Whether anything stands."""
    return connection.execute(select(WATCHES.c.id).where(_standing(now)).limit(1)).first() is not None


def look_up(connection: Connection, sealer: IndexSealer, subjects: Sequence[Wanted]) -> list[tuple[int, ...]]:
    """The numbers of the watches that share a key with each subject, those that share most first.

    Of a key that more than CROWDED watches share, some are read, by chance: reading all would cost what stands. No
    member's watches keep those of others out (see `ranking.ranked`).
    """
    keys = index_keys(b"".join([each.keys for each in subjects]))
    owner = np.repeat(np.arange(len(subjects)), [len(each.keys) // 16 for each in subjects])
    weights = np.concatenate([np.zeros(0, np.int64), *(each.weights for each in subjects)])
    found = _rows(connection, sealer, np.unique(keys))
    return list(ranked(*shared(keys, weights, owner, *found), len(subjects), MOST))


def standing(connection: Connection, numbers: Sequence[int], *, now: datetime) -> dict[int, Asked]:
    """Those of these watches that stand and whose encoding is there, by number."""
    wanted = dialect.wanted(connection.dialect.name, list(numbers))
    among = WATCHES.c.number.in_(select(dialect.wanted_integers(connection.dialect.name).c.value))
    kept = func.length(SCREENINGS.c.envelope) > 0
    rows = connection.execute(_asked().where(among, _standing(now), kept), wanted).mappings()
    return {row["number"]: _as_asked(row) for row in rows}


def page(
    connection: Connection, member_id: str, *, stands: bool | None, now: datetime, before: str | None, limit: int
) -> list[Asked]:
    """A member's watches, newest first; those that stand, or do not, if that is asked."""
    statement = _asked().where(WATCHES.c.member_id == member_id)
    if stands is not None:
        statement = statement.where(_standing(now) if stands else ~_standing(now))
    if before is not None:
        statement = statement.where(WATCHES.c.id < before)
    rows = connection.execute(statement.order_by(WATCHES.c.id.desc()).limit(limit)).mappings()
    return [_as_asked(row) for row in rows]


def one(connection: Connection, member_id: str, watch_id: str) -> Asked | None:
    """A member's watch; None when there is none of that id for this member."""
    statement = _asked().where(WATCHES.c.member_id == member_id, WATCHES.c.id == watch_id)
    row = connection.execute(statement).mappings().one_or_none()
    return None if row is None else _as_asked(row)


def of_screenings(connection: Connection, screening_ids: Sequence[str]) -> list[Asked]:
    """The watches on some screenings that did not end."""
    name = connection.dialect.name
    of_these = WATCHES.c.screening_id.in_(select(dialect.wanted_texts(name).c.value))
    statement = _asked().where(of_these, WATCHES.c.ended_at.is_(None))
    return [
        _as_asked(row) for row in connection.execute(statement, dialect.wanted(name, list(screening_ids))).mappings()
    ]


def hold(connection: Connection, member_id: str, watch_id: str) -> None:
    """Have nobody else write what a watch met before this transaction ends."""
    this = select(WATCHES.c.id).where(WATCHES.c.member_id == member_id, WATCHES.c.id == watch_id)
    connection.execute(this.with_for_update())


def same(connection: Connection, member_id: str, asked_for: tuple[str, str], digests: Sequence[bytes]) -> list[Asked]:
    """A member's watches on these subjects, by digest, that did not end, asked for a purpose in a line."""
    asked, (purpose, line) = SCREENINGS.c, asked_for
    statement = _asked().where(WATCHES.c.member_id == member_id, WATCHES.c.ended_at.is_(None))
    statement = statement.where(asked.purpose == purpose, asked.line == line, asked.subject_digest.in_(digests))
    return [_as_asked(row) for row in connection.execute(statement).mappings()]


def over(connection: Connection, *, now: datetime, limit: int) -> list[tuple[Asked, bool]]:
    """Some watches that did not end and are over: by time, or, if so said, as their member has left."""
    found = []
    for condition, left in ((_timed_out(now), False), (_left(), True)):
        rows = connection.execute(_asked().where(condition).limit(limit)).mappings()
        found += [(_as_asked(row), left) for row in rows]
    return list({asked.watch.id: (asked, left) for asked, left in found}.values())[:limit]


def owed(connection: Connection, *, before: datetime, now: datetime, limit: int) -> list[Asked]:
    """Some watches that stand and met what their member could not be told of, and were not looked at since."""
    statement = _asked().where(WATCHES.c.owed_at <= before, _standing(now)).order_by(WATCHES.c.owed_at).limit(limit)
    kept = statement.where(func.length(SCREENINGS.c.envelope) > 0)
    return [_as_asked(row) for row in connection.execute(kept).mappings()]


def owe(connection: Connection, member_id: str, watch_ids: Sequence[str], at: datetime | None) -> None:
    """Note when watches of a member met what it could not be told of, or that nothing is owed any more."""
    these = update(WATCHES).where(WATCHES.c.member_id == member_id, WATCHES.c.id.in_(watch_ids))
    connection.execute(these.values(owed_at=at))


def count_over(connection: Connection, *, now: datetime) -> int:
    """How many watches did not end and are over."""
    counted = select(func.count()).select_from(WATCHES)
    return sum(int(connection.execute(counted.where(each)).scalar_one()) for each in (_timed_out(now), _left()))


def end(connection: Connection, member_id: str, watch_id: str, reason: EndReason, *, now: datetime) -> None:
    """Note how a member's watch ended."""
    this = update(WATCHES).where(WATCHES.c.member_id == member_id, WATCHES.c.id == watch_id)
    connection.execute(this.values(ended_at=now, end_reason=reason.value))


def hits_of(connection: Connection, screening_id: str) -> dict[tuple[str, int], tuple[str, bool]]:
    """The hits of a screening, by the subject that each is on: its id, and whether it is live."""
    hit = HITS.c
    statement = select(hit.high_filing_id, hit.high_position, hit.id, hit.superseded_at.is_(None))
    rows = connection.execute(statement.where(hit.screening_id == screening_id))
    return {(row[0], row[1]): (row[2], bool(row[3])) for row in rows}


def _standing(now: datetime) -> ColumnElement[bool]:
    return and_(WATCHES.c.ended_at.is_(None), WATCHES.c.until > now)


def _timed_out(now: datetime) -> ColumnElement[bool]:
    return and_(WATCHES.c.ended_at.is_(None), WATCHES.c.until <= now)


def _left() -> ColumnElement[bool]:
    gone = select(MEMBERS.c.id).where(MEMBERS.c.status == "withdrawn")
    return and_(WATCHES.c.ended_at.is_(None), WATCHES.c.member_id.in_(gone))


def _asked() -> Select[Any]:
    asked = SCREENINGS.c
    columns = [asked[name] for name in Asked.__slots__ if name != "watch"]
    joined = WATCHES.join(SCREENINGS, asked.id == WATCHES.c.screening_id)
    return select(*(WATCHES.c[name] for name in _NAMES), *columns).select_from(joined)


def _as_asked(row: RowMapping) -> Asked:
    told = {name: row[name] for name in _NAMES} | {"stands_as": StandsAs(row["stands_as"])}
    told["end_reason"] = None if row["end_reason"] is None else EndReason(row["end_reason"])
    return Asked(Watch(**told), **{name: row[name] for name in Asked.__slots__ if name != "watch"})


def _rows(connection: Connection, sealer: IndexSealer, keys: Integers) -> tuple[Integers, Integers]:
    """The rows of some keys, by key: (keys, numbers of watches)."""
    found_keys, found = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for start in range(0, len(keys), _AT_ONCE):
        wanted = dialect.wanted(connection.dialect.name, keys[start : start + _AT_ONCE].tolist())
        crowded = {row[0] for row in _CROWDED.rows(connection, {**wanted, "most": CROWDED})}
        if crowded:
            kept = [key for key in keys[start : start + _AT_ONCE].tolist() if key not in crowded]
            wanted = dialect.wanted(connection.dialect.name, kept)
        rows = _ROWS.rows(connection, wanted)
        for key in sorted(crowded):  # in the order of sealed pointers, which is that of chance
            rows += _SOME.rows(connection, {"crowded": key, "most": CROWDED})
        part = np.fromiter((row[0] for row in rows), np.int64, len(rows))
        found_keys.append(part)
        found.append(sealer.open_pointers(b"".join([bytes(row[1]) for row in rows]), part))
    at, numbers = np.concatenate(found_keys), np.concatenate(found)
    order = np.argsort(at, kind="stable")
    return at[order], numbers[order]


def _rows_statement(dialect_name: str) -> Select[Any]:
    keys = dialect.wanted_integers(dialect_name)
    joined = keys.join(WATCH_INDEX, WATCH_INDEX.c.key == keys.c.value)
    return select(WATCH_INDEX.c.key, WATCH_INDEX.c.pointer).select_from(joined)


def _of_key() -> Select[Any]:
    row = WATCH_INDEX.c
    statement = select(row.key, row.pointer).where(row.key == bindparam("crowded")).order_by(row.key, row.pointer)
    return statement.limit(bindparam("most", type_=Integer()))


def _crowded_statement(dialect_name: str) -> Select[Any]:
    keys = dialect.wanted_integers(dialect_name)
    joined = keys.join(WATCH_INDEX, WATCH_INDEX.c.key == keys.c.value)
    many = func.count() > bindparam("most", type_=Integer())
    return select(WATCH_INDEX.c.key).select_from(joined).group_by(WATCH_INDEX.c.key).having(many)


_ROWS = dialect.Prepared(_rows_statement)
_SOME = dialect.Prepared(lambda _name: _of_key())
_CROWDED = dialect.Prepared(_crowded_statement)
_INSERT = dialect.Prepared(lambda _name: insert(WATCHES))
_INSERT_ROWS = dialect.Prepared(lambda _name: insert(WATCH_INDEX))
