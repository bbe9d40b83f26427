"""Members and actors in the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, ForeignKey, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from repository.domain.members import Actor, Member, MemberStatus, Role
from repository.domain.membership import same_name
from repository.domain.rulebook import SubscriberClass
from repository.storage.base import Base


class MemberRow(Base):
    """One member organisation. `number`, from 1, is part of the ids of its records (see `storage.index`)."""

    __tablename__ = "members"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    number: Mapped[int] = mapped_column(unique=True)
    status: Mapped[str]
    lines: Mapped[list[str]]
    agreement_signed_on: Mapped[date | None]
    attested_on: Mapped[date | None]
    created_at: Mapped[datetime]
    status_changed_at: Mapped[datetime]
    admitted_on: Mapped[date]
    ramp: Mapped[str]
    covenant_until: Mapped[date | None]
    back_book_on: Mapped[date | None]
    agreement_version: Mapped[str | None]
    subscriber: Mapped[str | None]
    ledger_version: Mapped[int] = mapped_column(default=0, server_default="0")

    def as_member(self) -> Member:
        """The row as the domain's noun."""
        return Member(
            id=self.id,
            name=self.name,
            status=MemberStatus(self.status),
            number=self.number,
            lines=frozenset(self.lines),
            agreement_signed_on=self.agreement_signed_on,
            attested_on=self.attested_on,
            subscriber=_subscriber(self.subscriber),
        )


class ActorRow(Base):
    """One user or client credential. `login` is what is sent to log in: the user name, or the client's own id."""

    __tablename__ = "actors"

    id: Mapped[str] = mapped_column(primary_key=True)
    member_id: Mapped[str | None] = mapped_column(ForeignKey("members.id"), index=True)
    kind: Mapped[str]
    login: Mapped[str] = mapped_column(unique=True)
    secret_hash: Mapped[str]
    roles: Mapped[list[str]]
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
    last_login_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class ActorState:
    """An actor as a request needs it: who, and whether it may still act at all."""

    actor: Actor
    disabled: bool


ACTOR_COLUMNS = (
    ActorRow.id.label("actor_id"),
    ActorRow.roles,
    ActorRow.disabled_at,
    ActorRow.member_id,
    MemberRow.name.label("member_name"),
    MemberRow.number.label("member_number"),
    MemberRow.status.label("member_status"),
    MemberRow.lines.label("member_lines"),
    MemberRow.agreement_signed_on,
    MemberRow.attested_on,
    MemberRow.subscriber,
)


def actor_state(row: Mapping[str, Any]) -> ActorState:
    """From one row of ACTOR_COLUMNS (actors, members joined outer)."""
    member = None
    if row["member_id"] is not None:
        member = Member(
            id=row["member_id"],
            name=row["member_name"],
            status=MemberStatus(row["member_status"]),
            number=row["member_number"],
            lines=frozenset(row["member_lines"]),
            agreement_signed_on=row["agreement_signed_on"],
            attested_on=row["attested_on"],
            subscriber=_subscriber(row["subscriber"]),
        )
    actor = Actor(id=row["actor_id"], roles=frozenset(Role(role) for role in row["roles"]), member=member)
    return ActorState(actor=actor, disabled=row["disabled_at"] is not None)


def roles_of(connection: Connection, member_id: str, actor_id: str) -> frozenset[Role]:
    """The roles of a member's actor; none where it has no such actor, or its account is disabled."""
    mine = (ActorRow.id == actor_id, ActorRow.member_id == member_id, ActorRow.disabled_at.is_(None))
    found = connection.execute(select(ActorRow.roles).where(*mine)).scalar()
    return frozenset(Role(role) for role in found or ())


def find_member(session: Session, id_or_name: str) -> MemberRow | None:
    """A member by its id or its exact name."""
    return session.scalar(select(MemberRow).where((MemberRow.id == id_or_name) | (MemberRow.name == id_or_name)))


def member_of(connection: Connection, member_id: str) -> Member:
    """A member by its id, in a transaction at hand. Raises NoResultFound where there is no such member."""
    with Session(connection) as session:
        return session.execute(select(MemberRow).where(MemberRow.id == member_id)).scalar_one().as_member()


def find_namesake(session: Session, name: str) -> MemberRow | None:
    """The member whose name is the same but for case, width and spaces."""
    wanted = same_name(name)
    known = session.execute(select(MemberRow.id, MemberRow.name))
    found = next((member_id for member_id, each in known if same_name(each) == wanted), None)
    return session.get(MemberRow, found) if found else None


def next_number(session: Session) -> int:
    """The number for a member admitted now; two admitted at once are kept apart by the unique column."""
    return (session.scalar(select(func.max(MemberRow.number))) or 0) + 1


def admitted_on(connection: Connection, member_id: str) -> date:
    """The day a member was admitted. Raises NoResultFound where there is no such member."""
    return connection.execute(select(MemberRow.admitted_on).where(MemberRow.id == member_id)).scalar_one()


def all_members(session: Session) -> list[MemberRow]:
    """Every member, oldest first."""
    return list(session.scalars(select(MemberRow).order_by(MemberRow.id)))


def _subscriber(value: str | None) -> SubscriberClass | None:
    return SubscriberClass(value) if value is not None else None
