"""Where filings stand in the ledger of who filed them, and how often a subject, or a record met, was counted there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Date, Select, and_, bindparam, case, func, select, update

from repository.storage import dialect
from repository.storage.filings import FILINGS, VERSIONS
from repository.storage.hits import HIT_SIDES

Place = tuple[str, int]
"""A subject by its filing and its position in it."""


@dataclass(frozen=True, slots=True)
class Credit:
    """A filing's place in the ledger: the line it stands in, the one it was first filed in, and when that was.

    `earliest` is the oldest trigger date, since its member was admitted, of the versions before the present one.
    """

    filing_id: str
    line: str
    subjects_digest: int | None
    created_at: datetime
    first_line: str
    earliest: date | None


def of_filings(
    connection: Connection, filing_ids: Sequence[str], *, since: datetime, admitted: date
) -> dict[str, Credit]:
    """Of these filings those that were new at a time or after it and stand in the ledger."""
    if not filing_ids:
        return {}
    name = connection.dialect.name
    given = {"since": since, "admitted": admitted, **dialect.wanted(name, list(filing_ids))}
    return {row[0]: Credit(*row) for row in connection.execute(_of_filings(name), given)}


def same_subjects(connection: Connection, digests: Iterable[int], *, since: datetime) -> dict[tuple[int, str], int]:
    """How many filings since a time stand in the ledger for the same subjects, by (digest, line)."""
    name, wanted = connection.dialect.name, sorted(set(digests))
    if not wanted:
        return {}
    rows = connection.execute(_same_subjects(name), {"since": since, **dialect.wanted(name, wanted)})
    return {(row[0], row[1]): row[2] for row in rows}


def meetings(
    connection: Connection, member_id: str, met: Iterable[str], *, since: datetime
) -> dict[tuple[Place, str, str], int]:
    """How many filings of a member since a time met each subject of these filings, by (subject, own line, own class).

    Of those that stand in the ledger; also those that meet it no more.
    """
    name, wanted = connection.dialect.name, sorted(set(met))
    if not wanted:
        return {}
    given = {"member": member_id, "since": since, **dialect.wanted(name, wanted)}
    return {((row[0], row[1]), row[2], row[3]): row[4] for row in connection.execute(_meetings(name), given)}


def move(connection: Connection, lines: Mapping[str, str | None]) -> None:
    """Have filings, by id, stand in another line from now on, or in none."""
    if lines:
        moved = update(FILINGS).where(FILINGS.c.id == bindparam("filing")).values(credited_line=bindparam("new_line"))
        connection.execute(moved, [{"filing": each, "new_line": line} for each, line in sorted(lines.items())])


@cache
def _of_filings(dialect_name: str) -> Select[Any]:
    wanted, filing, version = dialect.wanted_texts(dialect_name), FILINGS.c, VERSIONS.c
    before = and_(version.filing_id == filing.id, version.version < filing.version)
    credit = (filing.id, filing.credited_line, filing.subjects_digest, filing.created_at)
    in_force = case((version.triggered_on >= bindparam("admitted"), version.triggered_on))
    return (
        select(*credit, func.min(case((version.version == 1, version.line))), func.min(in_force, type_=Date()))
        .select_from(wanted.join(FILINGS, filing.id == wanted.c.value).join(VERSIONS, before))
        .where(filing.created_at >= bindparam("since"), filing.credited_line.is_not(None))
        .group_by(*credit)
    )


@cache
def _same_subjects(dialect_name: str) -> Select[Any]:
    wanted, filing = dialect.wanted_integers(dialect_name), FILINGS.c
    return (
        select(filing.subjects_digest, filing.credited_line, func.count())
        .select_from(wanted.join(FILINGS, filing.subjects_digest == wanted.c.value))
        .where(filing.created_at >= bindparam("since"), filing.credited_line.is_not(None))
        .group_by(filing.subjects_digest, filing.credited_line)
    )


@cache
def _meetings(dialect_name: str) -> Select[Any]:
    wanted, side, own, theirs = dialect.wanted_texts(dialect_name), HIT_SIDES.c, FILINGS.c, HIT_SIDES.alias("theirs")
    of_wanted = dialect.looked_up(wanted, theirs, theirs.c.own_filing_id == wanted.c.value)
    # By itself, from the list on: what PostgreSQL knows of a table that grows in this batch is out of date, and it
    # would compare each hit of the member with each of the list.
    hits = (
        select(theirs.c.hit_id).select_from(of_wanted).cte("hits_met").prefix_with("MATERIALIZED", dialect="postgresql")
    )
    mine = and_(side.hit_id == hits.c.hit_id, side.member_id == bindparam("member"))
    by = (side.their_filing_id, side.their_position, own.credited_line, own.record_class)
    return (
        select(*by, func.count(own.id.distinct()))
        .select_from(dialect.looked_up(hits, HIT_SIDES, mine).join(FILINGS, own.id == side.own_filing_id))
        .where(own.created_at >= bindparam("since"), own.credited_line.is_not(None))
        .group_by(*by)
    )
