"""Who asked about whose records: the hits of screenings, by the filing that each is on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from repository.storage.filings import FILINGS, MEMBERS, VERSIONS
from repository.storage.hits import HITS
from repository.storage.screenings import SCREENINGS


@dataclass(frozen=True, slots=True)
class Met:
    """A screening that met a filing, and of whom both are."""

    hit_id: str
    at: datetime
    filing_id: str
    contributor_id: str
    actor_id: str
    line: str


@dataclass(frozen=True, slots=True)
class Enquiry:
    """What was asked of a member's filing, and by whom."""

    filing_id: str
    at: datetime
    line: str
    purpose: str
    asker: str


def following(connection: Connection, purposes: Sequence[str], *, after: str, until: str, limit: int) -> list[Met]:
    """The hits of screenings for some purposes, by id from one to another."""
    hit, asked, filing = HITS.c, SCREENINGS.c, FILINGS.c
    joined = HITS.join(SCREENINGS, asked.id == hit.screening_id).join(FILINGS, filing.id == hit.high_filing_id)
    as_it_is = (VERSIONS.c.filing_id == filing.id) & (VERSIONS.c.version == filing.version)
    joined = joined.join(VERSIONS, as_it_is)
    statement = (
        select(hit.id, hit.created_at, filing.id, filing.member_id, VERSIONS.c.actor_id, asked.line)
        .select_from(joined)
        .where(hit.id > after, hit.id <= until, asked.purpose.in_(purposes), hit.superseded_at.is_(None))
        .where(hit.created_at <= asked.at)  # not what a watch met later: nobody asked then
        .order_by(hit.id)
        .limit(limit)
    )
    return [Met(*row) for row in connection.execute(statement)]


def of_filings(
    connection: Connection,
    member_id: str,
    filing_ids: Sequence[str],
    purposes: Sequence[str],
    between: tuple[datetime, datetime],
) -> list[Enquiry]:
    """What was asked for some purposes of a member's own filings from one instant to another, and is kept still."""
    hit, asked, filing = HITS.c, SCREENINGS.c, FILINGS.c
    joined = (
        HITS.join(SCREENINGS, asked.id == hit.screening_id)
        .join(FILINGS, filing.id == hit.high_filing_id)
        .join(MEMBERS, MEMBERS.c.id == asked.member_id)
    )
    statement = (
        select(filing.id, hit.created_at, asked.line, asked.purpose, MEMBERS.c.name)
        .select_from(joined)
        .where(filing.member_id == member_id, filing.id.in_(filing_ids), asked.purpose.in_(purposes))
        .where(hit.created_at >= between[0], hit.created_at < between[1], hit.created_at <= asked.at)
        .order_by(hit.id)
    )
    return [Enquiry(*row) for row in connection.execute(statement)]
