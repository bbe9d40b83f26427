"""What a member declared, its grants, the ladder's steps, applications and appeals; and the facts standing reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, Connection, ForeignKey, Table, and_, bindparam, func, insert, or_, select, update
from sqlalchemy.orm import Mapped, mapped_column

from repository.domain.membership import CaseStatus
from repository.domain.standing import Declared, Grant, Membership, Ramp, Step
from repository.storage.base import Base
from repository.storage.dialect import put
from repository.storage.events import EVENTS
from repository.storage.members import MemberRow


class DeclarationRow(Base):
    """Volumes declared (R4). Rows are only added: of several for the same day the last one holds."""

    __tablename__ = "declarations"

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[str] = mapped_column(ForeignKey("members.id"), index=True)
    line: Mapped[str]
    record_class: Mapped[str]
    since: Mapped[date]
    per_month: Mapped[int]
    declared_at: Mapped[datetime]
    actor_id: Mapped[str]


class GrantRow(Base):
    """What a member that never contributes may ask (R7). At most one of a member has not been ended."""

    __tablename__ = "grants"

    id: Mapped[str] = mapped_column(primary_key=True)
    member_id: Mapped[str] = mapped_column(ForeignKey("members.id"), index=True)
    subscriber: Mapped[str]
    lines: Mapped[list[str]]
    classes: Mapped[list[str]]
    purposes: Mapped[list[str]]
    tier: Mapped[int]
    quota_per_day: Mapped[int]
    granted_at: Mapped[datetime]
    granted_by: Mapped[str]
    expires_on: Mapped[date]
    ended_at: Mapped[datetime | None]


class StepRow(Base):
    """The last known step of a member on the ladder of a line (R6); none is there for who was always good."""

    __tablename__ = "member_steps"

    member_id: Mapped[str] = mapped_column(ForeignKey("members.id"), primary_key=True)
    line: Mapped[str] = mapped_column(primary_key=True)
    step: Mapped[str]
    since: Mapped[date]
    below_since: Mapped[date | None]


class ApplicationRow(Base):
    """Someone who asks to become a member (R9). `declared` is {"line/class": volume a month}."""

    __tablename__ = "applications"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    lines: Mapped[list[str]]
    declared: Mapped[dict[str, Any]]
    ramp: Mapped[str]
    covenant_until: Mapped[date | None]
    agreement_version: Mapped[str | None]
    agreement_signed_on: Mapped[date | None]
    entered_at: Mapped[datetime]
    entered_by: Mapped[str]
    due_on: Mapped[date]
    status: Mapped[str] = mapped_column(index=True)
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None]
    reason: Mapped[str | None]
    rule: Mapped[str | None]
    member_id: Mapped[str | None] = mapped_column(ForeignKey("members.id"))


class AppealRow(Base):
    """An appeal (R9) against the event, decision or application that `against` names, which `taken_by` took."""

    __tablename__ = "appeals"

    id: Mapped[str] = mapped_column(primary_key=True)
    member_id: Mapped[str | None] = mapped_column(ForeignKey("members.id"), index=True)
    against: Mapped[str]
    taken_by: Mapped[str]
    grounds: Mapped[str]
    entered_at: Mapped[datetime]
    entered_by: Mapped[str]
    due_on: Mapped[date]
    status: Mapped[str] = mapped_column(index=True)
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None]
    reason: Mapped[str | None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which applications or appeals: of a status, of a member, after one by its due day and id; None is all."""

    status: CaseStatus | None = None
    member_id: str | None = None
    after: tuple[date, str] | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class StoredStep:
    """A step as it was last noted."""

    step: Step
    since: date
    below_since: date | None


_MEMBERS = cast(Table, MemberRow.__table__)
_DECLARATIONS = cast(Table, DeclarationRow.__table__)
_GRANTS = cast(Table, GrantRow.__table__)
_STEPS = cast(Table, StepRow.__table__)
_FACTS = (
    select(
        _MEMBERS.c.admitted_on,
        _MEMBERS.c.ramp,
        _MEMBERS.c.covenant_until,
        _MEMBERS.c.back_book_on,
        _GRANTS.c.id.label("grant_id"),
        _GRANTS.c.lines.label("grant_lines"),
        _GRANTS.c.classes,
        _GRANTS.c.purposes,
        _GRANTS.c.tier,
        _GRANTS.c.quota_per_day,
        _GRANTS.c.expires_on,
    )
    .select_from(_MEMBERS.outerjoin(_GRANTS, and_(_GRANTS.c.member_id == _MEMBERS.c.id, _GRANTS.c.ended_at.is_(None))))
    .where(_MEMBERS.c.id == bindparam("member_id"))
)
_DECLARED = (
    select(_DECLARATIONS.c.line, _DECLARATIONS.c.record_class, _DECLARATIONS.c.since, _DECLARATIONS.c.per_month)
    .where(_DECLARATIONS.c.member_id == bindparam("member_id"))
    .order_by(_DECLARATIONS.c.id)
)
_STEPS_OF = select(_STEPS.c.line, _STEPS.c.step, _STEPS.c.since, _STEPS.c.below_since).where(
    _STEPS.c.member_id == bindparam("member_id")
)


def facts(connection: Connection, member_id: str) -> Membership:
    """What standing needs of a membership, in two statements. Raises NoResultFound where there is no such member."""
    row = connection.execute(_FACTS, {"member_id": member_id}).one()
    grant = None
    if row.grant_id is not None:
        grant = Grant(
            lines=tuple(row.grant_lines),
            classes=tuple(row.classes),
            purposes=tuple(row.purposes),
            tier=row.tier,
            quota_per_day=row.quota_per_day,
            expires_on=row.expires_on,
        )
    return Membership(
        admitted_on=row.admitted_on,
        ramp=Ramp(row.ramp),
        covenant_until=row.covenant_until,
        back_book_on=row.back_book_on,
        declared=declared(connection, member_id),
        grant=grant,
    )


def declared(connection: Connection, member_id: str) -> tuple[Declared, ...]:
    """A member's declarations that hold or will, by pair and then by day; of one day the last one made."""
    found = {
        (line, record_class, since): per_month
        for line, record_class, since, per_month in connection.execute(_DECLARED, {"member_id": member_id})
    }
    return tuple(Declared(*key, per_month) for key, per_month in sorted(found.items()))


def declaration(
    member_id: str, pair: tuple[str, str], volume: tuple[date, int], now: datetime, actor_id: str
) -> dict[str, Any]:
    """A row for `add_declarations`: of a (line, class), from a day on so many a month."""
    return {
        "member_id": member_id,
        "line": pair[0],
        "record_class": pair[1],
        "since": volume[0],
        "per_month": volume[1],
        "declared_at": now,
        "actor_id": actor_id,
    }


def add_declarations(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Add declarations; what was declared before stays in the history."""
    if rows:
        connection.execute(insert(_DECLARATIONS), list(rows))


def declarations(connection: Connection, member_id: str) -> list[dict[str, Any]]:
    """The whole history of what a member declared, oldest first."""
    query = select(_DECLARATIONS).where(_DECLARATIONS.c.member_id == member_id).order_by(_DECLARATIONS.c.id)
    return [dict(row) for row in connection.execute(query).mappings()]


def add_grant(connection: Connection, values: dict[str, Any]) -> None:
    """Add a grant, ending the one before."""
    end_grant(connection, values["member_id"], values["granted_at"])
    connection.execute(insert(_GRANTS), values)


def contributes(connection: Connection, member_id: str) -> bool:
    """Whether a member declared a volume or filed anything, ever."""
    filings = Base.metadata.tables["filings"]
    declared_any = select(_DECLARATIONS.c.id).where(
        _DECLARATIONS.c.member_id == member_id, _DECLARATIONS.c.per_month > 0
    )
    filed_any = select(filings.c.id).where(filings.c.member_id == member_id)
    return any(connection.execute(query.limit(1)).first() is not None for query in (declared_any, filed_any))


def end_grant(connection: Connection, member_id: str, now: datetime) -> bool:
    """End a member's grant; False when it has none."""
    ended = connection.execute(
        update(_GRANTS).where(_GRANTS.c.member_id == member_id, _GRANTS.c.ended_at.is_(None)).values(ended_at=now)
    )
    return ended.rowcount > 0


def lock(connection: Connection, member_id: str) -> None:
    """Let one transaction at a time note a member's steps, until it ends. SQLite's BEGIN IMMEDIATE has done it already.

    Rows that name the member may be added all the same.
    """
    connection.execute(select(_MEMBERS.c.id).where(_MEMBERS.c.id == member_id).with_for_update(key_share=True))


def steps(connection: Connection, member_id: str) -> dict[str, StoredStep]:
    """The step last noted for each line."""
    rows = connection.execute(_STEPS_OF, {"member_id": member_id})
    return {line: StoredStep(Step(step), since, below) for line, step, since, below in rows}


def put_step(connection: Connection, member_id: str, line: str, step: StoredStep) -> None:
    """Note a step."""
    values = {"step": step.step.value, "since": step.since, "below_since": step.below_since}
    put(connection, _STEPS, [{"member_id": member_id, "line": line} | values])


def applications(connection: Connection, wanted: Wanted) -> list[str]:
    """The ids of applications, those due first first."""
    return _cases(connection, cast(Table, ApplicationRow.__table__), wanted)


def appeals(connection: Connection, wanted: Wanted) -> list[str]:
    """The ids of appeals, those due first first."""
    return _cases(connection, cast(Table, AppealRow.__table__), wanted)


def declared_today(connection: Connection, member_id: str, pair: tuple[str, str], midnight: datetime) -> int:
    """How often a member has declared a (line, class) since midnight."""
    query = select(func.count()).where(
        _DECLARATIONS.c.member_id == member_id,
        _DECLARATIONS.c.line == pair[0],
        _DECLARATIONS.c.record_class == pair[1],
        _DECLARATIONS.c.declared_at >= midnight,
    )
    return int(connection.execute(query).scalar_one())


def history(
    connection: Connection, member_id: str, kinds: Sequence[str], *, before: str | None = None, limit: int = 50
) -> list[dict[str, Any]]:
    """A member's events of these kinds, latest first, `limit` at most, before one of them if its id is given."""
    conditions: list[ColumnElement[bool]] = [EVENTS.c.member_id == member_id, EVENTS.c.kind.in_(kinds)]
    if before is not None:
        conditions.append(EVENTS.c.id < before)
    query = select(EVENTS).where(*conditions).order_by(EVENTS.c.id.desc()).limit(limit)
    return [dict(row) for row in connection.execute(query).mappings()]


def events_since(connection: Connection, since: datetime, kinds: Sequence[str]) -> list[dict[str, Any]]:
    """Events of these kinds since a time, of all members and of none, latest first."""
    query = select(EVENTS).where(EVENTS.c.at >= since, EVENTS.c.kind.in_(kinds)).order_by(EVENTS.c.id.desc())
    return [dict(row) for row in connection.execute(query).mappings()]


def event(connection: Connection, event_id: str) -> dict[str, Any] | None:
    """One event."""
    row = connection.execute(select(EVENTS).where(EVENTS.c.id == event_id)).mappings().first()
    return dict(row) if row else None


def decision_of(connection: Connection, member_id: str, decision_id: str) -> bool:
    """Whether a decision of this id was taken on a member."""
    decisions = Base.metadata.tables["decisions"]
    query = select(decisions.c.id).where(decisions.c.id == decision_id, decisions.c.member_id == member_id)
    return connection.execute(query).first() is not None


def actor_ids(connection: Connection, member_id: str) -> frozenset[str]:
    """The actors who work for a member, or did."""
    actors = Base.metadata.tables["actors"]
    return frozenset(connection.scalars(select(actors.c.id).where(actors.c.member_id == member_id)))


def _cases(connection: Connection, table: Table, wanted: Wanted) -> list[str]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.status is not None:
        conditions.append(table.c.status == wanted.status.value)
    if wanted.member_id is not None:
        conditions.append(table.c.member_id == wanted.member_id)
    if wanted.after is not None:
        due_on, last = wanted.after
        conditions.append(or_(table.c.due_on > due_on, and_(table.c.due_on == due_on, table.c.id > last)))
    query = select(table.c.id).where(*conditions).order_by(table.c.due_on, table.c.id).limit(wanted.limit)
    return [str(found) for found in connection.scalars(query)]
