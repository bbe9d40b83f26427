"""Filings by the linkage key they are encoded under, and encodings under a key that is over, to be erased."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, exists, func, or_, select, update

from repository.storage.filings import FILINGS, MEMBERS, SUBJECTS
from repository.storage.screenings import SCREENINGS
from repository.storage.suppressed import SUPPRESSED_PAIRS

Key = tuple[str, str]
"""A linkage schema's id and the fingerprint of a linkage key."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A subject that still has its encoding, in a filing under a key that is over."""

    record_id: int
    member_id: str
    kind: str
    envelope: bytes


def own_filings(connection: Connection, member_id: str) -> dict[Key, int]:
    """How many of a member's filings there are under each key."""
    statement = select(FILINGS.c.schema_id, FILINGS.c.fingerprint, func.count()).where(FILINGS.c.member_id == member_id)
    rows = connection.execute(statement.group_by(FILINGS.c.schema_id, FILINGS.c.fingerprint))
    return {(row[0], row[1]): int(row[2]) for row in rows}


def filings_by_member(connection: Connection) -> dict[str, dict[Key, int]]:
    """The same of every member, by name: for the operator."""
    joined = FILINGS.join(MEMBERS, MEMBERS.c.id == FILINGS.c.member_id)
    columns = (MEMBERS.c.name, FILINGS.c.schema_id, FILINGS.c.fingerprint)
    statement = select(*columns, func.count()).select_from(joined).group_by(*columns).order_by(*columns)
    found: dict[str, dict[Key, int]] = {}
    for name, schema_id, fingerprint, count in connection.execute(statement):
        found.setdefault(name, {})[schema_id, fingerprint] = int(count)
    return found


def encoded(connection: Connection, key: Key, *, limit: int) -> list[Standing]:
    """Some subjects of everyone's filings under a key that still have their encoding."""
    statement = (
        select(SUBJECTS.c.id, FILINGS.c.member_id, SUBJECTS.c.kind, SUBJECTS.c.envelope)
        .select_from(SUBJECTS.join(FILINGS, FILINGS.c.id == SUBJECTS.c.filing_id))
        .where(FILINGS.c.schema_id == key[0], FILINGS.c.fingerprint == key[1], func.length(SUBJECTS.c.envelope) > 0)
        .order_by(SUBJECTS.c.id)
        .limit(limit)
    )
    return [Standing(*row) for row in connection.execute(statement)]


def any_encoded(connection: Connection) -> bool:
    """Whether anyone's filing or screening has its encoding still."""
    holds = (exists().where(func.length(each.c.envelope) > 0) for each in (SUBJECTS, SCREENINGS))
    return any(connection.scalar(select(one)) for one in holds)


def erase(connection: Connection, record_ids: Sequence[int]) -> None:
    """Take the encodings out of subjects, and of pairs that were ruled out: the filings, and what they are there, stay.

    The digests of the filings go, too, so that the same content filed again is not taken for unchanged.
    """
    if record_ids:
        rows = [{"record": each} for each in record_ids]
        connection.execute(update(SUBJECTS).where(SUBJECTS.c.id == bindparam("record")).values(envelope=b""), rows)
        of_record = select(SUBJECTS.c.filing_id).where(SUBJECTS.c.id == bindparam("record")).scalar_subquery()
        pair = SUPPRESSED_PAIRS.c
        either = or_(pair.own_filing_id == of_record, pair.their_filing_id == of_record)
        connection.execute(update(SUPPRESSED_PAIRS).where(either).values(ends=None), rows)
        changed = update(FILINGS).where(FILINGS.c.id == of_record)
        connection.execute(changed.values(match_digest=b"", content_digest=b""), rows)


def asked(connection: Connection, key: Key, *, limit: int) -> list[str]:
    """Some screenings under a key that still have their encoding."""
    statement = select(SCREENINGS.c.id).where(
        SCREENINGS.c.schema_id == key[0], SCREENINGS.c.fingerprint == key[1], func.length(SCREENINGS.c.envelope) > 0
    )
    return list(connection.scalars(statement.order_by(SCREENINGS.c.id).limit(limit)))
