"""Filings, their versions, and the subjects in them, whose encodings lie in sealed envelopes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    ColumnElement,
    Connection,
    ForeignKey,
    FromClause,
    LargeBinary,
    RowMapping,
    Select,
    UniqueConstraint,
    bindparam,
    case,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from repository.domain.labels import Labels
from repository.storage import dialect
from repository.storage.base import Base
from repository.storage.members import MemberRow
from repository.storage.sealing import Integers


class FilingRow(Base):
    """A filing as it stands. (member, reference, class) is its identity; `last_batch_id`: what batch named it last.

    `credited_line` is the line of the ledger in which it counts, if it does, for the subjects it was first filed with:
    `subjects_digest`, null for those without keys enough. `flag` and `notice` (sealed: words of the person in it) are
    put on it by the pool, and stay whatever version comes.
    """

    __tablename__ = "filings"
    __table_args__ = (UniqueConstraint("member_id", "reference", "record_class"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    member_id: Mapped[str] = mapped_column(ForeignKey("members.id"))
    reference: Mapped[str]
    record_class: Mapped[str]
    line: Mapped[str]
    version: Mapped[int]
    schema_id: Mapped[str]
    fingerprint: Mapped[str]
    triggered_on: Mapped[date]
    claim: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    tlp: Mapped[str | None]
    source_grade: Mapped[str | None]
    information_grade: Mapped[str | None]
    handling_code: Mapped[str | None]
    customer_kind: Mapped[str | None]
    basis_on: Mapped[date | None]
    ended_on: Mapped[date | None]
    """As `basis_on` says, but where a version moved that on."""
    proof_id: Mapped[str | None] = mapped_column(ForeignKey("proofs.id"), index=True)
    match_digest: Mapped[bytes] = mapped_column(LargeBinary)
    content_digest: Mapped[bytes] = mapped_column(LargeBinary)
    subjects_digest: Mapped[int | None] = mapped_column(BigInteger, index=True)
    credited_line: Mapped[str | None]
    created_at: Mapped[datetime]
    filed_at: Mapped[datetime]
    last_batch_id: Mapped[str | None]
    last_batch_row: Mapped[int | None]
    flag: Mapped[str | None]
    notice: Mapped[bytes | None] = mapped_column(LargeBinary)
    notice_cause: Mapped[str | None]


class FilingVersionRow(Base):
    """What a filing said at one time. `matched` tells whether this version was (re)checked against the pool."""

    __tablename__ = "filing_versions"

    filing_id: Mapped[str] = mapped_column(ForeignKey("filings.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    filed_at: Mapped[datetime]
    actor_id: Mapped[str] = mapped_column(ForeignKey("actors.id"))
    batch_id: Mapped[str | None]
    line: Mapped[str]
    schema_id: Mapped[str]
    fingerprint: Mapped[str]
    triggered_on: Mapped[date]
    claim: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    tlp: Mapped[str | None]
    source_grade: Mapped[str | None]
    information_grade: Mapped[str | None]
    handling_code: Mapped[str | None]
    customer_kind: Mapped[str | None]
    basis_on: Mapped[date | None]
    proof_id: Mapped[str | None]
    roles: Mapped[list[str]]
    matched: Mapped[bool]


class SubjectRow(Base):
    """One subject of a filing as it stands; `position` counts from 0. The id is random: it says nothing of when."""

    __tablename__ = "subjects"
    __table_args__ = (UniqueConstraint("filing_id", "position"),)

    id: Mapped[int] = mapped_column(dialect.RECORD_ID, primary_key=True, autoincrement=False)
    filing_id: Mapped[str] = mapped_column(ForeignKey("filings.id"))
    position: Mapped[int]
    kind: Mapped[str]
    role: Mapped[str]
    envelope: Mapped[bytes] = mapped_column(LargeBinary)


FILINGS = Base.metadata.tables["filings"]
VERSIONS = Base.metadata.tables["filing_versions"]
SUBJECTS = Base.metadata.tables["subjects"]
MEMBERS = Base.metadata.tables[MemberRow.__tablename__]
LABEL_COLUMNS = {
    "tlp": "tlp",
    "source": "source_grade",
    "information": "information_grade",
    "code": "handling_code",
}
"""A label's name -> its column in a filing and its versions."""
REACH_COLUMNS = LABEL_COLUMNS | {"flag": "flag"}
"""The same, with the flag that is of the filing alone: what says how far it is shown."""
OF_A_VERSION = (
    *("line", "schema_id", "fingerprint", "triggered_on", "claim", *LABEL_COLUMNS.values(), "proof_id", "version"),
    *("customer_kind", "basis_on", "filed_at", "match_digest", "content_digest", "last_batch_id", "last_batch_row"),
)
"""The columns of a filing that a new version changes."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a filing before another version of it is taken in."""

    id: str
    version: int
    match_digest: bytes
    content_digest: bytes
    last_batch_id: str | None
    last_batch_row: int | None


@dataclass(frozen=True, slots=True)
class Sealed:
    """A subject as it lies in the pool."""

    record_id: int
    kind: str
    role: str
    envelope: bytes


@dataclass(frozen=True, slots=True)
class Candidate:
    """A subject of another member with the facts of its filing that decide what may be shown."""

    record_id: int
    filing_id: str
    position: int
    kind: str
    role: str
    member_id: str
    version: int
    line: str
    record_class: str
    triggered_on: date
    claim: dict[str, Any] | None
    contributor: str
    notice: bytes | None
    labels: Labels


@lru_cache(maxsize=1024)
def label_values(labels: Labels) -> Mapping[str, str | None]:
    """Labels as the columns of a filing."""
    return {column: getattr(labels, name) for name, column in LABEL_COLUMNS.items()}


def labels_of(row: RowMapping) -> Labels:
    """The labels in a row of filings."""
    return Labels(**{name: row[column] for name, column in LABEL_COLUMNS.items()})


def label_columns(filings: FromClause) -> list[ColumnElement[Any]]:
    """The columns of the labels and the flag, in the order in which `Labels` takes them."""
    return [filings.c[column] for column in REACH_COLUMNS.values()]


def with_labels(row: Sequence[Any]) -> tuple[Any, ...]:
    """A row that ends with the columns of the labels, with `Labels` in their place."""
    facts = len(row) - len(REACH_COLUMNS)
    return (*row[:facts], Labels(*row[facts:]))


def by_reference(connection: Connection, member_id: str, references: Sequence[str]) -> dict[tuple[str, str], Standing]:
    """A member's filings with these references, by (reference, class)."""
    name = connection.dialect.name
    rows = connection.execute(
        _by_reference(name), {"member": member_id, **dialect.wanted(name, sorted(set(references)))}
    )
    return {(row[0], row[1]): Standing(*row[2:]) for row in rows}


def of_member(connection: Connection, member_id: str, filing_id: str) -> RowMapping | None:
    """A member's filing; None when there is none of that id for this member."""
    statement = select(FILINGS).where(FILINGS.c.member_id == member_id, FILINGS.c.id == filing_id)
    return connection.execute(statement).mappings().one_or_none()


def on_proof(connection: Connection, proof_id: str) -> int:
    """How many filings stand on a proof. The caller has checked whose proof it is."""
    statement = select(func.count()).select_from(FILINGS).where(FILINGS.c.proof_id == proof_id)
    return int(connection.execute(statement).scalar_one())


def sample(connection: Connection, kind: str, size: int) -> tuple[list[tuple[int, bytes]], int]:
    """Up to `size` subjects of a kind, drawn at random from every member's, as (id, envelope); and how many there are.

    Ids are random, so the lowest are a random sample. For training only: what is drawn is shown to nobody.
    """
    encoded = (SUBJECTS.c.kind == kind, func.length(SUBJECTS.c.envelope) > 0)
    total = connection.execute(select(func.count()).select_from(SUBJECTS).where(*encoded)).scalar_one()
    statement = select(SUBJECTS.c.id, SUBJECTS.c.envelope).where(*encoded).order_by(SUBJECTS.c.id)
    return [(row[0], row[1]) for row in connection.execute(statement.limit(size))], total


def kinds_and_roles(connection: Connection, filing_id: str) -> list[tuple[str, str]]:
    """Kind and role of a filing's subjects, in their order. The caller has checked whose filing it is."""
    statement = select(SUBJECTS.c.kind, SUBJECTS.c.role).where(SUBJECTS.c.filing_id == filing_id)
    return [(row[0], row[1]) for row in connection.execute(statement.order_by(SUBJECTS.c.position))]


def insert_filings(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Add new filings."""
    if rows:
        _INSERT_FILINGS.write(connection, rows)


def update_filings(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Bring filings to a new version; each row has `filing` (its id) and every changed column.

    An `end` that was said before is neither moved on nor taken back, but where the row says that it `goes_on`.
    """
    if rows:
        names = [name for name in rows[0] if name not in {"filing", "end", "goes_on"}]
        changed: dict[str, ColumnElement[Any]] = {name: bindparam(name) for name in names}
        ended, said = FILINGS.c.ended_on, bindparam("end", type_=FILINGS.c.ended_on.type)
        goes_on, moved = bindparam("goes_on", type_=Boolean()), said.is_(None) | (ended < said)
        changed["ended_on"] = case((goes_on, said), (moved, ended), else_=said)
        statement = update(FILINGS).where(FILINGS.c.id == bindparam("filing")).values(changed)
        connection.execute(statement, sorted(rows, key=itemgetter("filing")))  # locked in the order `held` locks in


def note_batch(connection: Connection, batch_id: str, rows: Sequence[tuple[str, int]]) -> None:
    """Remember that a batch named these filings, given as (filing id, row), without changing them."""
    if rows:
        statement = (
            update(FILINGS)
            .where(FILINGS.c.id == bindparam("filing"))
            .values(last_batch_id=batch_id, last_batch_row=bindparam("row"))
        )
        connection.execute(statement, [{"filing": filing_id, "row": row} for filing_id, row in sorted(rows)])


def insert_versions(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Add versions of filings."""
    if rows:
        _INSERT_VERSIONS.write(connection, rows)


def insert_subjects(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Add subjects, in the order of their random ids."""
    if rows:
        _INSERT_SUBJECTS.write(connection, sorted(rows, key=itemgetter("id")))


def update_roles(connection: Connection, filing_id: str, roles: Sequence[str]) -> None:
    """Set the roles of a filing's subjects, in the order of their position."""
    statement = (
        update(SUBJECTS)
        .where(SUBJECTS.c.filing_id == filing_id, SUBJECTS.c.position == bindparam("place"))
        .values(role=bindparam("new_role"))
    )
    rows = [{"place": place, "new_role": role} for place, role in enumerate(roles)]
    connection.execute(statement, rows)


def take_out_subjects(connection: Connection, filing_ids: Sequence[str]) -> list[tuple[int, str, bytes]]:
    """Delete the subjects of filings; returns (record id, filing, envelope) of each, so that the index can follow."""
    name = connection.dialect.name
    found = [
        (row[0], row[1], row[2])
        for row in connection.execute(_subjects_of(name), dialect.wanted(name, list(filing_ids)))
    ]
    if found:
        statement = delete(SUBJECTS).where(SUBJECTS.c.id == bindparam("record"))
        connection.execute(statement, [{"record": row[0]} for row in found])
    return found


def sealed(connection: Connection, record_ids: Integers, kind: str) -> Sequence[tuple[int, bytes]]:
    """The subjects of a kind with these record ids, whoever's they are, as (record id, envelope), ids rising.

    To be opened and scored, not to be told of.
    """
    if not len(record_ids):
        return []
    rows = _SEALED.rows(connection, {"kind": kind, **dialect.wanted_many(connection, record_ids)})
    return sorted(rows, key=itemgetter(0))


def candidates(connection: Connection, record_ids: Sequence[int], *, other_than: str) -> dict[int, Candidate]:
    """The subjects with these record ids that belong to other members than the one who asks."""
    return _candidates_of(_CANDIDATES, connection, record_ids, other_than)()


def held(connection: Connection, record_ids: Sequence[int], *, other_than: str) -> Callable[[], dict[int, Candidate]]:
    """The same, asked now and to be had later; their filings stay what they are until this transaction ends."""
    return _candidates_of(_HELD, connection, record_ids, other_than)


def _candidates_of(
    statement: dialect.Prepared, connection: Connection, record_ids: Sequence[int], other_than: str
) -> Callable[[], dict[int, Candidate]]:
    if not record_ids:
        return dict
    wanted = dialect.wanted(connection.dialect.name, list(record_ids))
    answer = statement.ask(connection, {"member": other_than, **wanted})
    return lambda: {row[0]: Candidate(*with_labels(row)) for row in answer()}


@cache
def _by_reference(dialect_name: str) -> Select[Any]:
    references = dialect.wanted_texts(dialect_name)
    found = FILINGS.c
    return (
        select(
            found.reference,
            found.record_class,
            found.id,
            found.version,
            found.match_digest,
            found.content_digest,
            found.last_batch_id,
            found.last_batch_row,
        )
        .select_from(dialect.looked_up(references, FILINGS, found.reference == references.c.value))
        .where(found.member_id == bindparam("member"))
    )


@cache
def _subjects_of(dialect_name: str) -> Select[Any]:
    filings = dialect.wanted_texts(dialect_name)
    return select(SUBJECTS.c.id, SUBJECTS.c.filing_id, SUBJECTS.c.envelope).select_from(
        filings.join(SUBJECTS, SUBJECTS.c.filing_id == filings.c.value)
    )


def _sealed(dialect_name: str) -> Select[Any]:
    subject = SUBJECTS.c
    return select(subject.id, subject.envelope).where(
        dialect.among_integers(dialect_name, subject.id), subject.kind == bindparam("kind")
    )


def _candidates(dialect_name: str) -> Select[Any]:
    records = dialect.wanted_integers(dialect_name)
    subject, filing = SUBJECTS.c, FILINGS.c
    return (
        select(
            subject.id,
            subject.filing_id,
            subject.position,
            subject.kind,
            subject.role,
            filing.member_id,
            filing.version,
            filing.line,
            filing.record_class,
            filing.triggered_on,
            filing.claim,
            MEMBERS.c.name,
            filing.notice,
            *label_columns(FILINGS),
        )
        .select_from(
            records.join(SUBJECTS, subject.id == records.c.value)
            .join(FILINGS, filing.id == subject.filing_id)
            .join(MEMBERS, MEMBERS.c.id == filing.member_id)
        )
        .where(filing.member_id != bindparam("member"))
    )


def _held(dialect_name: str) -> Select[Any]:
    # Locked in the order of ids, as `update_filings` does.
    return _candidates(dialect_name).order_by(FILINGS.c.id).with_for_update(read=True, of=FILINGS)


_SEALED, _CANDIDATES, _HELD = map(dialect.Prepared, (_sealed, _candidates, _held))
_INSERT_FILINGS = dialect.Prepared(lambda _name: insert(FILINGS))
_INSERT_VERSIONS = dialect.Prepared(lambda _name: insert(VERSIONS))
_INSERT_SUBJECTS = dialect.Prepared(lambda _name: insert(SUBJECTS))
