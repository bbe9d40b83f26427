"""Members' public keys, and linkage keys sealed to them: what the service carries and cannot open."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, ForeignKey, LargeBinary, Select, delete, func, insert, or_, select, update
from sqlalchemy.orm import Mapped, mapped_column

from repository.domain.members import MemberStatus
from repository.storage import dialect
from repository.storage.base import Base
from repository.storage.members import MemberRow


class RecipientRow(Base):
    """The public key that a member published, one at a time: others seal the linkage key to it."""

    __tablename__ = "recipients"

    member_id: Mapped[str] = mapped_column(ForeignKey("members.id"), primary_key=True)
    actor_id: Mapped[str] = mapped_column(ForeignKey("actors.id"))
    recipient: Mapped[str]
    published_at: Mapped[datetime]


class OfferRow(Base):
    """A linkage key of one member's for another, sealed to its `recipient`; nothing is sealed once it was accepted."""

    __tablename__ = "key_offers"

    id: Mapped[str] = mapped_column(primary_key=True)
    from_member_id: Mapped[str] = mapped_column(ForeignKey("members.id"), index=True)
    to_member_id: Mapped[str] = mapped_column(ForeignKey("members.id"), index=True)
    actor_id: Mapped[str] = mapped_column(ForeignKey("actors.id"))
    recipient: Mapped[str]
    fingerprint: Mapped[str]
    epoch: Mapped[int]
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    accepted_at: Mapped[datetime | None]


RECIPIENTS = Base.metadata.tables["recipients"]
OFFERS = Base.metadata.tables["key_offers"]
_MEMBERS = Base.metadata.tables[MemberRow.__tablename__]


@dataclass(frozen=True, slots=True)
class Published:
    """A member's public key."""

    member_id: str
    name: str
    recipient: str
    published_at: datetime


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer as one of its two members sees it."""

    id: str
    from_member_id: str
    from_name: str
    to_member_id: str
    to_name: str
    recipient: str
    fingerprint: str
    epoch: int
    sealed: bytes | None
    created_at: datetime
    expires_at: datetime
    accepted_at: datetime | None


def publish(connection: Connection, row: Mapping[str, Any]) -> None:
    """Store a member's public key, in the place of the one before."""
    dialect.put(connection, RECIPIENTS, [dict(row)])


def unpublish(connection: Connection, member_id: str) -> bool:
    """Take a member's public key away; whether there was one."""
    return connection.execute(delete(RECIPIENTS).where(RECIPIENTS.c.member_id == member_id)).rowcount == 1


def published(connection: Connection) -> list[Published]:
    """The public keys of all active members, by name: every member may know them."""
    return [Published(*row) for row in connection.execute(_published().order_by(_MEMBERS.c.name))]


def published_by(connection: Connection, member_id: str) -> Published | None:
    """The public key of an active member."""
    row = connection.execute(_published().where(RECIPIENTS.c.member_id == member_id)).one_or_none()
    return None if row is None else Published(*row)


def recipients_of(connection: Connection, member_ids: Collection[str]) -> dict[str, str]:
    """The public keys that members published, also those suspended: what a member asked for is sealed to its key."""
    statement = select(RECIPIENTS.c.member_id, RECIPIENTS.c.recipient).where(RECIPIENTS.c.member_id.in_(member_ids))
    return {row[0]: row[1] for row in connection.execute(statement)}


def add(connection: Connection, row: Mapping[str, Any]) -> None:
    """Store an offer."""
    connection.execute(insert(OFFERS), dict(row))


def replace_open(connection: Connection, from_member_id: str, to_member_id: str, fingerprint: str) -> None:
    """Forget what one member offered another before of the same key, and was not accepted."""
    connection.execute(
        delete(OFFERS).where(
            OFFERS.c.from_member_id == from_member_id,
            OFFERS.c.to_member_id == to_member_id,
            OFFERS.c.fingerprint == fingerprint,
            OFFERS.c.accepted_at.is_(None),
        )
    )


def count_open(connection: Connection, from_member_id: str, to_member_id: str, *, now: datetime) -> int:
    """How many offers of one member's to another may still be opened."""
    statement = select(func.count()).where(
        OFFERS.c.from_member_id == from_member_id,
        OFFERS.c.to_member_id == to_member_id,
        OFFERS.c.accepted_at.is_(None),
        OFFERS.c.expires_at > now,
    )
    return int(connection.execute(statement).scalar_one())


def of_member(connection: Connection, member_id: str, offer_id: str, *, now: datetime) -> Offer | None:
    """An offer that a member made or was made; None when there is none of that id for this member, or it is over."""
    row = connection.execute(_offers(member_id, now).where(OFFERS.c.id == offer_id)).one_or_none()
    return None if row is None else Offer(*row)


def listed(connection: Connection, member_id: str, *, now: datetime, before: str | None, limit: int) -> list[Offer]:
    """The offers that a member made or was made, latest first, from before an id on."""
    statement = _offers(member_id, now).order_by(OFFERS.c.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(OFFERS.c.id < before)
    return [Offer(*row) for row in connection.execute(statement)]


def accept(connection: Connection, member_id: str, offer_id: str, *, now: datetime) -> bool:
    """Note that a member took an offer made to it, and forget what was sealed; whether it was open."""
    mine = update(OFFERS).where(OFFERS.c.to_member_id == member_id, OFFERS.c.id == offer_id)
    opened = mine.where(OFFERS.c.accepted_at.is_(None), OFFERS.c.expires_at > now)
    return connection.execute(opened.values(sealed=None, accepted_at=now)).rowcount == 1


def remove(connection: Connection, member_id: str, offer_id: str) -> bool:
    """Remove an offer that a member made or was made; whether there was one."""
    mine = delete(OFFERS).where(_concerns(member_id), OFFERS.c.id == offer_id)
    return connection.execute(mine).rowcount == 1


def count_over(connection: Connection, *, now: datetime) -> int:
    """How many offers are over."""
    return int(connection.execute(select(func.count()).where(OFFERS.c.expires_at <= now)).scalar_one())


def forget_over(connection: Connection, *, now: datetime) -> int:
    """Remove the offers that are over; how many."""
    return connection.execute(delete(OFFERS).where(OFFERS.c.expires_at <= now)).rowcount


def _published() -> Select[Any]:
    joined = RECIPIENTS.join(_MEMBERS, _MEMBERS.c.id == RECIPIENTS.c.member_id)
    found = select(RECIPIENTS.c.member_id, _MEMBERS.c.name, RECIPIENTS.c.recipient, RECIPIENTS.c.published_at)
    return found.select_from(joined).where(_MEMBERS.c.status == MemberStatus.ACTIVE.value)


def _concerns(member_id: str) -> Any:
    return or_(OFFERS.c.from_member_id == member_id, OFFERS.c.to_member_id == member_id)


def _offers(member_id: str, now: datetime) -> Select[Any]:
    offerer, offered = _MEMBERS.alias(), _MEMBERS.alias()
    joined = OFFERS.join(offerer, offerer.c.id == OFFERS.c.from_member_id)
    joined = joined.join(offered, offered.c.id == OFFERS.c.to_member_id)
    found = select(
        OFFERS.c.id,
        OFFERS.c.from_member_id,
        offerer.c.name,
        OFFERS.c.to_member_id,
        offered.c.name,
        OFFERS.c.recipient,
        OFFERS.c.fingerprint,
        OFFERS.c.epoch,
        OFFERS.c.sealed,
        OFFERS.c.created_at,
        OFFERS.c.expires_at,
        OFFERS.c.accepted_at,
    )
    return found.select_from(joined).where(_concerns(member_id), OFFERS.c.expires_at > now)
