"""Requests for the detail of a record. What was written in one is sealed; its answer the service cannot open at all."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    ForeignKey,
    Index,
    LargeBinary,
    RowMapping,
    delete,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from repository.domain.exchange import Disclosure, RequestStatus, Withheld
from repository.domain.labels import Labels
from repository.domain.response_times import Timed
from repository.storage.base import Base
from repository.storage.filings import FILINGS, label_columns
from repository.storage.members import MemberRow

_OPEN = text("status = 'open'")


class DisclosureRow(Base):
    """One request; of one member about one filing at most one is open.

    It goes with the filing; the hit may be gone. `words` is what either side wrote, under the operator's secret;
    `sealed` is the answer as the contributor sealed it to `recipient`, gone once it was opened or its time is over.
    """

    __tablename__ = "disclosure_requests"
    __table_args__ = (
        Index(
            "uq_disclosure_requests_open",
            "requester_id",
            "filing_id",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index("ix_disclosure_requests_requester_id", "requester_id", "id"),
        Index("ix_disclosure_requests_contributor_id", "contributor_id", "id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    requester_id: Mapped[str] = mapped_column(ForeignKey("members.id"))
    contributor_id: Mapped[str] = mapped_column(ForeignKey("members.id"))
    actor_id: Mapped[str]
    decision_id: Mapped[str]
    hit_id: Mapped[str]
    filing_id: Mapped[str] = mapped_column(ForeignKey("filings.id"), index=True)
    filing_version: Mapped[int]
    line: Mapped[str]
    record_class: Mapped[str]
    purpose: Mapped[str]
    legal_power: Mapped[str]
    reference: Mapped[str]
    items: Mapped[list[str]]
    third_party: Mapped[bool]
    words: Mapped[bytes] = mapped_column(LargeBinary)
    asked_at: Mapped[datetime]
    due_on: Mapped[date]
    due_at: Mapped[datetime]
    keep_until: Mapped[datetime] = mapped_column(index=True)
    status: Mapped[str]
    granted: Mapped[list[str]]
    withheld: Mapped[str | None]
    note_reference: Mapped[str | None]
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[str | None]
    took: Mapped[int | None]
    escalated_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    recipient: Mapped[str | None]
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    sealed_bytes: Mapped[int | None]
    sealed_sha256: Mapped[str | None]
    sealed_until: Mapped[datetime | None] = mapped_column(index=True)
    opened_at: Mapped[datetime | None]


DISCLOSURES = Base.metadata.tables["disclosure_requests"]
_MEMBERS = Base.metadata.tables[MemberRow.__tablename__]
_ROW = DISCLOSURES.c
_KNOWN = tuple(each.name for each in fields(Disclosure))
_WANTED = [_ROW[name] for name in _KNOWN]
_BEFORE_THE_ANSWER = ("answered_at", "took", "withheld", "note_reference", "opened_at")


@dataclass(frozen=True, slots=True)
class Of:
    """Whose requests; `status` and `overdue_at` narrow them where they are given."""

    requester_id: str | None = None
    contributor_id: str | None = None
    status: str | None = None
    overdue_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Sealed:
    """An answer as it is carried."""

    content: bytes
    sha256: str
    recipient: str


def add(connection: Connection, disclosure: Disclosure, more: Mapping[str, Any]) -> None:
    """Store a new request; `more` has who asked by which decision, the sealed words, and until when it is kept."""
    row = {name: _stored(getattr(disclosure, name)) for name in _KNOWN}
    connection.execute(insert(DISCLOSURES), row | dict(more))


def save(connection: Connection, disclosure: Disclosure, more: Mapping[str, Any]) -> None:
    """Store what has become of a request, read by `one` in the same writing transaction."""
    state = ("status", "granted", *_BEFORE_THE_ANSWER, "escalated_at", "withdrawn_at", "sealed_until")
    values = {name: _stored(getattr(disclosure, name)) for name in (*state, "sealed_bytes", "sealed_sha256")}
    connection.execute(update(DISCLOSURES).where(_ROW.id == disclosure.id).values(values | dict(more)))


def one(connection: Connection, disclosure_id: str, *, for_change: bool = False) -> Disclosure | None:
    """A request, whoever's it is; `for_change` keeps others from changing it until this transaction ends."""
    statement = select(*_WANTED).where(_ROW.id == disclosure_id)
    row = connection.execute(statement.with_for_update() if for_change else statement).mappings().one_or_none()
    return None if row is None else _disclosure(row)


def page(connection: Connection, of: Of, *, before: str | None, limit: int) -> list[Disclosure]:
    """Requests, latest first, with ids less than `before`."""
    statement = select(*_WANTED).where(*_conditions(of))
    if before is not None:
        statement = statement.where(_ROW.id < before)
    rows = connection.execute(statement.order_by(_ROW.id.desc()).limit(limit)).mappings()
    return [_disclosure(row) for row in rows]


def words(connection: Connection, disclosure_ids: Collection[str]) -> dict[str, bytes]:
    """What was written in some requests, sealed."""
    statement = select(_ROW.id, _ROW.words).where(_ROW.id.in_(disclosure_ids))
    return {row[0]: row[1] for row in connection.execute(statement)}


def open_of(connection: Connection, requester_id: str, filing_id: str) -> Disclosure | None:
    """The request of a member about a filing that is open."""
    mine = (_ROW.requester_id == requester_id, _ROW.filing_id == filing_id, _ROW.status == RequestStatus.OPEN.value)
    row = connection.execute(select(*_WANTED).where(*mine)).mappings().one_or_none()
    return None if row is None else _disclosure(row)


def count_open(connection: Connection, requester_id: str) -> int:
    """How many requests of a member are open."""
    mine = (_ROW.requester_id == requester_id, _ROW.status == RequestStatus.OPEN.value)
    return int(connection.execute(select(func.count()).select_from(DISCLOSURES).where(*mine)).scalar_one())


def sealed(connection: Connection, requester_id: str, disclosure_id: str, *, now: datetime) -> Sealed | None:
    """The answer to a member's request; None where there is none, or it is kept no longer."""
    mine = (_ROW.id == disclosure_id, _ROW.requester_id == requester_id, _ROW.sealed.is_not(None))
    statement = select(_ROW.sealed, _ROW.sealed_sha256, _ROW.recipient).where(*mine, _ROW.sealed_until > now)
    row = connection.execute(statement).one_or_none()
    return None if row is None else Sealed(*row)


def labels_of(connection: Connection, filing_id: str) -> Labels | None:
    """How far the record that was asked about may go now, until this ends; None where it is gone."""
    statement = select(*label_columns(FILINGS)).where(FILINGS.c.id == filing_id)
    row = connection.execute(statement.with_for_update(read=True)).one_or_none()
    return None if row is None else Labels(*row)


def names(connection: Connection, member_ids: Collection[str]) -> dict[str, str]:
    """The names of the members of requests."""
    statement = select(_MEMBERS.c.id, _MEMBERS.c.name).where(_MEMBERS.c.id.in_(member_ids))
    return {row[0]: row[1] for row in connection.execute(statement)}


def timed(connection: Connection, *, since: datetime) -> list[Timed]:
    """Everyone's requests since an instant that were not withdrawn, for the clock."""
    wanted = (_ROW.asked_at >= since, _ROW.status != RequestStatus.WITHDRAWN.value)
    statement = select(_ROW.contributor_id, _ROW.due_at, _ROW.answered_at, _ROW.took).where(*wanted)
    return [Timed(*row) for row in connection.execute(statement)]


def counts(connection: Connection, *, now: datetime) -> dict[str, int]:
    """How many requests there are in each status, how many are overdue, escalated, and have an answer that waits."""
    by_status = select(_ROW.status, func.count()).group_by(_ROW.status)
    found = {each.value: 0 for each in RequestStatus} | {row[0]: row[1] for row in connection.execute(by_status)}
    late = _ROW.due_at <= now
    for name, condition in (
        ("overdue", (_ROW.status == RequestStatus.OPEN.value) & late),
        ("escalated", (_ROW.status == RequestStatus.OPEN.value) & _ROW.escalated_at.is_not(None)),
        ("sealed", _ROW.sealed.is_not(None)),
    ):
        statement = select(func.count()).select_from(DISCLOSURES).where(condition)
        found[name] = int(connection.execute(statement).scalar_one())
    return found


def count_over(connection: Connection, *, now: datetime) -> int:
    """How many requests, and sealed answers of others, are kept no longer."""
    over = (_ROW.keep_until <= now) | ((_ROW.sealed_until <= now) & _ROW.sealed.is_not(None))
    return int(connection.execute(select(func.count()).select_from(DISCLOSURES).where(over)).scalar_one())


def forget_sealed(connection: Connection, *, now: datetime, limit: int) -> list[tuple[str, str]]:
    """Delete answers whose time is over: (id, member that had asked) of each."""
    over = select(_ROW.id).where(_ROW.sealed_until <= now, _ROW.sealed.is_not(None)).order_by(_ROW.id).limit(limit)
    statement = update(DISCLOSURES).where(_ROW.id.in_(list(connection.scalars(over)))).values(sealed=None)
    return [(row[0], row[1]) for row in connection.execute(statement.returning(_ROW.id, _ROW.requester_id))]


def remove_over(connection: Connection, *, now: datetime, limit: int) -> list[tuple[str, str]]:
    """Delete requests that are kept no longer: (id, member that had asked) of each."""
    over = select(_ROW.id).where(_ROW.keep_until <= now).order_by(_ROW.id).limit(limit)
    statement = delete(DISCLOSURES).where(_ROW.id.in_(list(connection.scalars(over))))
    return [(row[0], row[1]) for row in connection.execute(statement.returning(_ROW.id, _ROW.requester_id))]


def _conditions(of: Of) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    for name, value in (
        ("requester_id", of.requester_id),
        ("contributor_id", of.contributor_id),
        ("status", of.status),
    ):
        if value is not None:
            conditions.append(_ROW[name] == value)
    if of.overdue_at is not None:
        conditions += [_ROW.status == RequestStatus.OPEN.value, _ROW.due_at <= of.overdue_at]
    return conditions


def _stored(value: Any) -> Any:
    """A value as its column takes it."""
    return list(value) if isinstance(value, tuple) else value


def _disclosure(row: RowMapping) -> Disclosure:
    withheld = None if row["withheld"] is None else Withheld(row["withheld"])
    listed = {"items": tuple(row["items"]), "granted": tuple(row["granted"])}
    return Disclosure(**{**row, **listed, "withheld": withheld, "status": RequestStatus(row["status"])})
