"""Filings that are scored anew as they are: which come next, who they were found to be, and what is so no more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, func, or_, select, update

from repository.storage import dialect, hits
from repository.storage.disputes import DISPUTES
from repository.storage.filings import FILINGS, SUBJECTS, Sealed
from repository.storage.hits import HITS
from repository.storage.outcomes import OUTCOMES


@dataclass(frozen=True, slots=True)
class Placed:
    """A subject as it lies in the pool, and where."""

    filing_id: str
    position: int
    sealed: Sealed


def count(connection: Connection, member_id: str | None, *, until: str) -> int:
    """How many filings there are with ids up to one: of a member, or of all."""
    statement = select(func.count()).select_from(FILINGS).where(FILINGS.c.id <= until)
    if member_id is not None:
        statement = statement.where(FILINGS.c.member_id == member_id)
    return int(connection.execute(statement).scalar_one())


def following(
    connection: Connection, member_id: str | None, *, after: str, until: str, limit: int
) -> list[tuple[str, str]]:
    """The next filings by id, each with its member: of one member, or of all."""
    statement = select(FILINGS.c.id, FILINGS.c.member_id).where(FILINGS.c.id > after, FILINGS.c.id <= until)
    if member_id is not None:
        statement = statement.where(FILINGS.c.member_id == member_id)
    return [(row[0], row[1]) for row in connection.execute(statement.order_by(FILINGS.c.id).limit(limit))]


def subjects(connection: Connection, filing_ids: Sequence[str]) -> list[Placed]:
    """The subjects of filings, but those whose encoding was erased."""
    return [Placed(row[0], row[1], Sealed(*row[2:])) for row in _rows(connection, _subjects, filing_ids)]


def partners(connection: Connection, filing_ids: Sequence[str]) -> dict[tuple[str, int], list[int]]:
    """The records that subjects of these filings, by (filing, position), are hits with now: live ones."""
    found: dict[tuple[str, int], list[int]] = {}
    for filing_id, position, record_id in _rows(connection, _partners, filing_ids):
        found.setdefault((filing_id, position), []).append(record_id)
    return found


def live(connection: Connection, filing_ids: Sequence[str]) -> set[str]:
    """The live hits between filings that involve one of these and can be compared now (see `hits.comparable`)."""
    return {row[0] for row in _rows(connection, _live, filing_ids)}


def decided(connection: Connection, hit_ids: Iterable[str]) -> set[str]:
    """Those of these hits of which a member said something, or that are disputed: people have looked at them."""
    wanted = sorted(hit_ids)
    return {row[0] for row in _rows(connection, _decided, wanted)} if wanted else set()


def supersede(connection: Connection, hit_ids: Iterable[str], *, now: datetime) -> None:
    """Mark live hits that match no more."""
    gone = update(HITS).where(HITS.c.id == bindparam("gone"), HITS.c.superseded_at.is_(None))
    rows = [{"gone": hit_id} for hit_id in sorted(hit_ids)]
    if rows:
        connection.execute(gone.values(superseded_at=now), rows)


def _rows(connection: Connection, build: Any, wanted: Sequence[str]) -> Sequence[Any]:
    name = connection.dialect.name
    return connection.execute(build(name), dialect.wanted(name, list(wanted))).all()


@cache
def _subjects(dialect_name: str) -> Select[Any]:
    filings, subject = dialect.wanted_texts(dialect_name), SUBJECTS.c
    joined = filings.join(SUBJECTS, subject.filing_id == filings.c.value)
    found = select(subject.filing_id, subject.position, subject.id, subject.kind, subject.role, subject.envelope)
    encoded = found.select_from(joined).where(func.length(subject.envelope) > 0)
    return encoded.order_by(subject.filing_id, subject.position)


@cache
def _partners(dialect_name: str) -> Select[Any]:
    parts = []
    for own, their in (("low", "high"), ("high", "low")):
        filings, hit, subject = dialect.wanted_texts(dialect_name), HITS.c, SUBJECTS.c
        there = and_(subject.filing_id == hit[f"{their}_filing_id"], subject.position == hit[f"{their}_position"])
        joined = filings.join(HITS, hit[f"{own}_filing_id"] == filings.c.value).join(SUBJECTS, there)
        found = select(hit[f"{own}_filing_id"], hit[f"{own}_position"], subject.id).select_from(joined)
        live = found.where(hit.low_filing_id.is_not(None), hit.superseded_at.is_(None))
        parts.append(live.where(func.length(subject.envelope) > 0))
    return parts[0].union_all(parts[1])  # type: ignore[return-value] # a compound select is run the same way


@cache
def _live(dialect_name: str) -> Select[Any]:
    filings = dialect.wanted_texts(dialect_name)
    involved = or_(HITS.c.low_filing_id == filings.c.value, HITS.c.high_filing_id == filings.c.value)
    found = select(HITS.c.id).select_from(filings.join(HITS, involved))
    return found.where(HITS.c.low_filing_id.is_not(None), HITS.c.superseded_at.is_(None), hits.comparable())


@cache
def _decided(dialect_name: str) -> Select[Any]:
    wanted = dialect.wanted_texts(dialect_name)
    said = [select(each.c.hit_id).where(each.c.hit_id == wanted.c.value).exists() for each in (OUTCOMES, DISPUTES)]
    return select(wanted.c.value).where(or_(*said))
