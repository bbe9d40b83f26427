"""Requests of the persons whom records are about, and the records they are about. Both outlive the records."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    ForeignKey,
    Index,
    LargeBinary,
    RowMapping,
    Select,
    UniqueConstraint,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from repository.domain.disputes import Ground
from repository.domain.flags import Flag
from repository.domain.subject_requests import (
    DECIDED,
    DeferralReason,
    Part,
    PartDecision,
    RefusalReason,
    RequestKind,
    RequestStatus,
    SubjectRequest,
)
from repository.storage import dialect
from repository.storage.base import Base
from repository.storage.disputes import DISPUTES
from repository.storage.filings import FILINGS, SUBJECTS
from repository.storage.flags import FLAGS


class SubjectRequestRow(Base):
    """One request. `envelope` holds the person's encodings until they were looked up, or filed; then it is empty.

    `report` is what was told last, as it was told, until `report_until`. Both are under the operator's secret.
    """

    __tablename__ = "subject_requests"
    __table_args__ = (Index("ix_subject_requests_member_id_id", "member_id", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    member_id: Mapped[str] = mapped_column(ForeignKey("members.id"))
    kind: Mapped[str]
    reference: Mapped[str]
    identity_reference: Mapped[str]
    received_on: Mapped[date]
    due_on: Mapped[date]
    due_at: Mapped[datetime]
    entered_at: Mapped[datetime]
    entered_by: Mapped[str] = mapped_column(ForeignKey("actors.id"))
    decision_id: Mapped[str]
    status: Mapped[str]
    ground: Mapped[str | None]
    line: Mapped[str | None]
    confirmed_at: Mapped[datetime | None]
    confirmed_by: Mapped[str | None]
    ready_on: Mapped[date | None]
    ready_at: Mapped[datetime | None] = mapped_column(index=True)
    ready_told_at: Mapped[datetime | None]
    report_until: Mapped[datetime | None]
    told: Mapped[int]
    told_at: Mapped[datetime | None]
    filing_id: Mapped[str | None]
    ended_at: Mapped[datetime | None]
    keep_until: Mapped[datetime] = mapped_column(index=True)
    schema_id: Mapped[str]
    fingerprint: Mapped[str]
    envelope: Mapped[bytes] = mapped_column(LargeBinary)
    report: Mapped[bytes | None] = mapped_column(LargeBinary)
    report_sha256: Mapped[str | None]
    report_state: Mapped[str | None]


class SubjectPartRow(Base):
    """One record that a request is about. No foreign key to the filing: it may be gone."""

    __tablename__ = "subject_parts"
    __table_args__ = (
        UniqueConstraint("request_id", "filing_id"),
        Index("ix_subject_parts_contributor_id_id", "contributor_id", "id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    request_id: Mapped[str] = mapped_column(ForeignKey("subject_requests.id"))
    contributor_id: Mapped[str] = mapped_column(ForeignKey("members.id"))
    filing_id: Mapped[str] = mapped_column(index=True)
    filing_version: Mapped[int]
    line: Mapped[str]
    record_class: Mapped[str]
    roles: Mapped[list[str]]
    found_at: Mapped[datetime]
    decision: Mapped[str | None]
    reason: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None]
    note_reference: Mapped[str | None]
    deferred_until: Mapped[date | None]
    deferred_end: Mapped[datetime | None] = mapped_column(index=True)
    deferral_reason: Mapped[str | None]
    deferred_by: Mapped[str | None]
    released_at: Mapped[datetime | None]
    told_at: Mapped[datetime | None]
    restricted_at: Mapped[datetime | None]
    dispute_id: Mapped[str | None]


REQUESTS = Base.metadata.tables["subject_requests"]
PARTS = Base.metadata.tables["subject_parts"]
_ROW, _PART = REQUESTS.c, PARTS.c
_KNOWN = tuple(each.name for each in fields(SubjectRequest))
_OF_PART = tuple(each.name for each in fields(Part))


def add(connection: Connection, request: SubjectRequest, more: Mapping[str, Any]) -> None:
    """Store a new request; `more` has the decision, the sealed encodings, and until when it is kept."""
    connection.execute(insert(REQUESTS), _values(request, _KNOWN) | dict(more))


def save(connection: Connection, request: SubjectRequest, more: Mapping[str, Any] | None = None) -> None:
    """Store what has become of a request, read by `one` in the same writing transaction."""
    values = _values(request, _KNOWN) | dict(more or {})
    connection.execute(update(REQUESTS).where(_ROW.id == request.id).values(values))


def one(connection: Connection, request_id: str, *, for_change: bool = False) -> SubjectRequest | None:
    """A request, whoever's it is; `for_change` keeps others from changing it until this transaction ends."""
    statement = select(*(_ROW[name] for name in _KNOWN)).where(_ROW.id == request_id)
    row = connection.execute(statement.with_for_update() if for_change else statement).mappings().one_or_none()
    return None if row is None else _request(row)


def named(connection: Connection, request_ids: Collection[str]) -> dict[str, SubjectRequest]:
    """Requests by their ids, whoever's they are."""
    statement = select(*(_ROW[name] for name in _KNOWN)).where(_ROW.id.in_(request_ids))
    return {row["id"]: _request(row) for row in connection.execute(statement).mappings()}


def sealed(connection: Connection, member_id: str, request_id: str) -> RowMapping | None:
    """What is sealed of a member's request: encodings with what they are under, and the report with what it was of."""
    columns = (_ROW.schema_id, _ROW.fingerprint, _ROW.envelope, _ROW.report, _ROW.report_sha256, _ROW.report_state)
    statement = select(*columns).where(_ROW.id == request_id, _ROW.member_id == member_id)
    return connection.execute(statement).mappings().one_or_none()


def page(
    connection: Connection, member_id: str, *, status: str | None, before: str | None, limit: int
) -> list[SubjectRequest]:
    """A member's requests, latest first, with ids less than `before`."""
    statement = select(*(_ROW[name] for name in _KNOWN)).where(_ROW.member_id == member_id)
    if status is not None:
        statement = statement.where(_ROW.status == status)
    if before is not None:
        statement = statement.where(_ROW.id < before)
    rows = connection.execute(statement.order_by(_ROW.id.desc()).limit(limit)).mappings()
    return [_request(row) for row in rows]


def entered_since(connection: Connection, member_id: str, since: datetime) -> int:
    """How many requests a member entered since an instant."""
    mine = (_ROW.member_id == member_id, _ROW.entered_at >= since)
    return int(connection.execute(select(func.count()).select_from(REQUESTS).where(*mine)).scalar_one())


def add_parts(connection: Connection, parts: Sequence[Part]) -> None:
    """Store what a request is about."""
    if parts:
        connection.execute(insert(PARTS), [_values(each, _OF_PART) for each in parts])


def save_part(connection: Connection, part: Part, more: Mapping[str, Any] | None = None) -> None:
    """Store what has become of a part, read in the same writing transaction."""
    values = _values(part, _OF_PART) | dict(more or {})
    connection.execute(update(PARTS).where(_PART.id == part.id).values(values))


def note_part(connection: Connection, part_id: str, name: str, at: datetime) -> bool:
    """Set a time of a part that has none, and nothing else; `restricted_at` only of one that is not decided."""
    column = _PART[name]
    statement = update(PARTS).where(_PART.id == part_id, column.is_(None)).values({column: at})
    if name == "restricted_at":
        statement = statement.where(_PART.decision.is_(None))
    return connection.execute(statement).rowcount > 0


def parts_of(connection: Connection, request_id: str) -> list[Part]:
    """What a request is about, in the order of ids: to be told by `domain.subject_requests.told` only."""
    statement = select(*(_PART[name] for name in _OF_PART)).where(_PART.request_id == request_id)
    return [_part(row) for row in connection.execute(statement.order_by(_PART.id)).mappings()]


def part(connection: Connection, part_id: str, *, for_change: bool = False) -> Part | None:
    """A part, whoever's record it is; `for_change` keeps others from changing it until this transaction ends."""
    statement = select(*(_PART[name] for name in _OF_PART)).where(_PART.id == part_id)
    row = connection.execute(statement.with_for_update() if for_change else statement).mappings().one_or_none()
    return None if row is None else _part(row)


def inbox(
    connection: Connection, contributor_id: str, *, undecided: bool, before: str | None, limit: int
) -> list[Part]:
    """The parts about a contributor's own records, latest first; `undecided`: those that it is to decide still."""
    statement = select(*(_PART[name] for name in _OF_PART)).where(_PART.contributor_id == contributor_id)
    if undecided:
        asks = _ROW.kind.in_([each.value for each in DECIDED]) & (_ROW.status == RequestStatus.CONFIRMED.value)
        statement = statement.join(REQUESTS, _ROW.id == _PART.request_id).where(
            _PART.decision.is_(None), _PART.dispute_id.is_(None), asks
        )
    if before is not None:
        statement = statement.where(_PART.id < before)
    return [_part(row) for row in connection.execute(statement.order_by(_PART.id.desc()).limit(limit)).mappings()]


def all_of_pool(connection: Connection, *, now: datetime, limit: int) -> list[RowMapping]:
    """Everyone's parts of requests under way, latest first, for the operator: ids, days, and whether overdue."""
    asks = _PART.decision.is_(None) & _PART.dispute_id.is_(None) & _ROW.kind.in_([each.value for each in DECIDED])
    overdue = (asks & (_ROW.ready_at <= now)).label("overdue")
    statement = (
        select(_PART.id, _PART.request_id, _ROW.kind, _ROW.member_id, _PART.contributor_id, _ROW.due_on)
        .add_columns(_ROW.ready_on, _PART.decision, _PART.deferred_until, _PART.deferral_reason, overdue)
        .join(REQUESTS, _ROW.id == _PART.request_id)
        .where(_ROW.status == RequestStatus.CONFIRMED.value)
    )
    return list(connection.execute(statement.order_by(_PART.id.desc()).limit(limit)).mappings())


def lapsing(connection: Connection, *, now: datetime, limit: int) -> list[str]:
    """Requests that nobody confirmed in time."""
    return _ids(connection, (_ROW.status == RequestStatus.ENTERED.value) & (_ROW.due_at <= now), limit)


def becoming_ready(connection: Connection, *, now: datetime, limit: int) -> list[str]:
    """Requests whose answer may be read by now, or might have been, of which their member was not told."""
    return _ids(connection, (_ROW.ready_at <= now) & _ROW.ready_told_at.is_(None), limit)


def released(connection: Connection, *, now: datetime, limit: int) -> list[Part]:
    """Parts whose deferral ended, of which nobody was told, of requests whose answer may be, or might be, read."""
    statement = (
        select(*(_PART[name] for name in _OF_PART))
        .join(REQUESTS, _ROW.id == _PART.request_id)
        .where(_PART.deferred_end <= now, _PART.released_at.is_(None), _ROW.ready_at <= now)
        .order_by(_PART.id)
        .limit(limit)
    )
    return [_part(row) for row in connection.execute(statement).mappings()]


def asker(connection: Connection, cause: str | None) -> str | None:
    """The member that asks for the person because of whom a record changes, as long as it is not to be told of it.

    That is until the answer is ready, or the deferral has ended, and the clock has noted it. `cause` is a part, or the
    dispute that is about its record for the person.
    """
    raised = select(DISPUTES.c.id).where(DISPUTES.c.id == cause, DISPUTES.c.hit_id == _PART.request_id)
    raised = raised.where(DISPUTES.c.filing_id == _PART.filing_id)
    waits = _ROW.ready_told_at.is_(None) | (_PART.deferred_end.is_not(None) & _PART.released_at.is_(None))
    statement = select(_ROW.member_id).join(PARTS, _PART.request_id == _ROW.id).where(waits)
    for condition in (_PART.id == cause, _PART.request_id.in_(_raised_for(cause)) & raised.exists()):
        found = connection.execute(statement.where(condition)).first()
        if found is not None:
            return str(found[0])
    return None


def _raised_for(cause: str | None) -> Select[Any]:
    return select(DISPUTES.c.hit_id).where(DISPUTES.c.id == cause)


def told_of(connection: Connection, member_id: str, filing_ids: Collection[str]) -> dict[str, list[str]]:
    """The requests of a member in whose reports these filings were told, by filing."""
    statement = select(_PART.filing_id, _ROW.id).join(REQUESTS, _ROW.id == _PART.request_id)
    mine = (_ROW.member_id == member_id, _PART.filing_id.in_(filing_ids), _PART.told_at.is_not(None))
    found: dict[str, list[str]] = {}
    for filing_id, request_id in connection.execute(statement.where(*mine).order_by(_ROW.id)):
        found.setdefault(filing_id, []).append(request_id)
    return found


def forget_reports_on(connection: Connection, filing_ids: Collection[str]) -> int:
    """Delete the reports that tell of filings which are about to go: the next is made without them; how many."""
    name = connection.dialect.name
    wanted = select(dialect.wanted_texts(name).c.value)
    about = select(_PART.request_id).where(_PART.filing_id.in_(wanted), _PART.told_at.is_not(None))
    gone = {"report": None, "report_sha256": None, "report_state": None}
    statement = update(REQUESTS).where(_ROW.id.in_(about), _ROW.report.is_not(None)).values(gone)
    return connection.execute(statement, dialect.wanted(name, list(filing_ids))).rowcount


def suppressed(connection: Connection) -> list[int]:
    """The persons in everyone's filings that nobody is shown, and no look-up finds."""
    flagged = FLAGS.c.flag == Flag.SUPPRESSED.value
    statement = select(SUBJECTS.c.id).join(FLAGS, FLAGS.c.filing_id == SUBJECTS.c.filing_id).distinct()
    return list(connection.scalars(statement.where(flagged, SUBJECTS.c.kind == "person").order_by(SUBJECTS.c.id)))


def there(connection: Connection, filing_ids: Collection[str]) -> set[str]:
    """Those of everyone's filings that are there still."""
    name = connection.dialect.name
    wanted = select(dialect.wanted_texts(name).c.value)
    statement = select(FILINGS.c.id).where(FILINGS.c.id.in_(wanted))
    return set(connection.scalars(statement, dialect.wanted(name, list(filing_ids))))


def alike(connection: Connection, filing_ids: Collection[str]) -> list[int]:
    """The persons in filings that their member filed with the same subjects as these: not all of them are indexed."""
    other, known = FILINGS.alias(), FILINGS.c
    same = (other.c.subjects_digest == known.subjects_digest) & (other.c.member_id == known.member_id)
    statement = select(SUBJECTS.c.id).select_from(FILINGS.join(other, same))
    statement = statement.join(SUBJECTS, SUBJECTS.c.filing_id == other.c.id).distinct().order_by(SUBJECTS.c.id)
    return list(connection.scalars(statement.where(known.id.in_(filing_ids), SUBJECTS.c.kind == "person")))


def undecided(connection: Connection, *, now: datetime, limit: int) -> list[Part]:
    """Parts that were to be decided by now, were not, and of which no record is restricted for that."""
    statement = (
        select(*(_PART[name] for name in _OF_PART))
        .join(REQUESTS, _ROW.id == _PART.request_id)
        .where(_PART.decision.is_(None), _PART.dispute_id.is_(None), _PART.restricted_at.is_(None))
        .where(_ROW.ready_at <= now)
        .where(_ROW.status == RequestStatus.CONFIRMED.value, _ROW.kind.in_([each.value for each in DECIDED]))
        .where((_PART.deferred_end.is_(None)) | (_PART.deferred_end <= now))
        .order_by(_PART.id)
        .limit(limit)
    )
    return [_part(row) for row in connection.execute(statement).mappings()]


def forget_reports(connection: Connection, *, now: datetime, limit: int) -> int:
    """Delete reports whose time is over; how many."""
    over = _ids(connection, (_ROW.report_until <= now) & _ROW.report.is_not(None), limit)
    gone = {"report": None, "report_sha256": None, "report_state": None}
    return connection.execute(update(REQUESTS).where(_ROW.id.in_(over)).values(gone)).rowcount if over else 0


def remove_over(connection: Connection, *, now: datetime, limit: int) -> list[tuple[str, str]]:
    """Delete requests that are kept no longer, with their parts: (id, member) of each."""
    over = _ids(connection, _over(now), limit)
    if not over:
        return []
    connection.execute(delete(PARTS).where(_PART.request_id.in_(over)))
    statement = delete(REQUESTS).where(_ROW.id.in_(over)).returning(_ROW.id, _ROW.member_id)
    return [(row[0], row[1]) for row in connection.execute(statement)]


def count_due(connection: Connection, *, now: datetime) -> int:
    """How much of all this waits to be done."""
    conditions = (
        (_ROW.status == RequestStatus.ENTERED.value) & (_ROW.due_at <= now),
        (_ROW.ready_at <= now) & _ROW.ready_told_at.is_(None),
        (_ROW.report_until <= now) & _ROW.report.is_not(None),
        _over(now),
    )
    counted = [select(func.count()).select_from(REQUESTS).where(each) for each in conditions]
    total = sum(int(connection.execute(each).scalar_one()) for each in counted)
    return total + len(released(connection, now=now, limit=1)) + len(undecided(connection, now=now, limit=1))


def _over(now: datetime) -> ColumnElement[bool]:
    """Whether a request is kept no longer: one that flags a record still stays, as its contributor may decide yet."""
    flags = select(FLAGS.c.filing_id).where(FLAGS.c.filing_id == _PART.filing_id, FLAGS.c.cause == _PART.id)
    flagging = select(_PART.id).where(_PART.request_id == _ROW.id, flags.exists())
    return (_ROW.keep_until <= now) & ~flagging.exists()


def _ids(connection: Connection, condition: ColumnElement[bool], limit: int) -> list[str]:
    return list(connection.scalars(select(_ROW.id).where(condition).order_by(_ROW.id).limit(limit)))


def _values(thing: SubjectRequest | Part, names: Sequence[str]) -> dict[str, Any]:
    return {name: _stored(getattr(thing, name)) for name in names}


def _stored(value: Any) -> Any:
    if isinstance(value, StrEnum):
        return value.value
    return list(value) if isinstance(value, tuple) else value


def _request(row: RowMapping) -> SubjectRequest:
    ground = None if row["ground"] is None else Ground(row["ground"])
    made = {"kind": RequestKind(row["kind"]), "status": RequestStatus(row["status"]), "ground": ground}
    return SubjectRequest(**{**row, **made})


_WORDS = (("decision", PartDecision), ("reason", RefusalReason), ("deferral_reason", DeferralReason))


def _part(row: RowMapping) -> Part:
    words = {name: None if row[name] is None else kind(row[name]) for name, kind in _WORDS}
    return Part(**{**row, **words, "roles": tuple(row["roles"])})
