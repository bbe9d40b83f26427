"""What has to be known before one question is answered, in one statement: each message costs more than its look-up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, LargeBinary, Select, bindparam, distinct, exists, func, select

from matching.types import KINDS
from repository.storage import dialect, usage
from repository.storage.base import UtcDateTime
from repository.storage.index import POOL_COUNTS
from repository.storage.operator import FingerprintRow, accepted_at
from repository.storage.screenings import SCREENINGS
from repository.storage.usage import Before


@dataclass(frozen=True, slots=True)
class Wanted:
    """One question: under which key it is encoded, and what it is asked for and about, and since when that counts."""

    schema_id: str
    fingerprint: str
    purpose: str
    reference: str
    digest: bytes
    since: datetime


@dataclass(frozen=True, slots=True)
class Known:
    """What is known before a question, as at one instant.

    `accepted`: whether records under its key are; `others`: how many other subjects were asked under its reference for
    its purpose; `pool_sizes`: the other members' subjects by kind.
    """

    before: Before
    accepted: bool
    others: int
    pool_sizes: dict[str, int]


def _others() -> ColumnElement[int]:
    asked = SCREENINGS.c
    return (
        select(func.count(distinct(asked.subject_digest)))
        .where(
            asked.member_id == bindparam("member"),
            asked.reference == bindparam("reference"),
            asked.purpose == bindparam("purpose"),
            asked.at >= bindparam("since", type_=UtcDateTime()),
            asked.subject_digest != bindparam("digest", type_=LargeBinary()),
        )
        .scalar_subquery()
    )


def _pool_size(kind: str) -> ColumnElement[int]:
    counts = POOL_COUNTS.c
    counted = select(func.sum(counts.subjects)).where(counts.member_id != bindparam("member"), counts.kind == kind)
    return func.coalesce(counted.scalar_subquery(), 0)


def _statement(_name: str) -> Select[Any]:
    accepted = exists().where(
        FingerprintRow.schema_id == bindparam("schema"),
        FingerprintRow.fingerprint == bindparam("fingerprint"),
        accepted_at(bindparam("accepted_at", type_=UtcDateTime())),
    )
    return usage.reading().add_columns(accepted, _others(), *(_pool_size(kind) for kind in KINDS))


_READ = dialect.Prepared(_statement)


def read(connection: Connection, member_id: str, standing_id: str, now: datetime, wanted: Wanted) -> Known:
    """What `usage.read` and `screenings.asked_under` give, the pool's sizes, and whether the key is accepted."""
    of = {
        **usage.parameters(member_id, standing_id, now),
        "schema": wanted.schema_id,
        "fingerprint": wanted.fingerprint,
        "accepted_at": now,
        "purpose": wanted.purpose,
        "reference": wanted.reference,
        "digest": wanted.digest,
        "since": wanted.since,
    }
    ((*before, accepted, others, person, vehicle, organisation),) = _READ.rows(connection, of)
    sizes = zip(KINDS, map(int, (person, vehicle, organisation)), strict=True)
    return Known(usage.before(before), bool(accepted), others, {kind: size for kind, size in sizes if size})
