"""Which tokens are in force: one row for each log-in (a family of tokens), and the single tokens revoked early."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from sqlalchemy import Connection, Delete, ForeignKey, Table, Update, bindparam, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from repository.storage.base import Base
from repository.storage.dialect import Prepared, insert_missing
from repository.storage.members import ACTOR_COLUMNS, ActorRow, ActorState, MemberRow, actor_state


class TokenFamilyRow(Base):
    """One log-in and what descends from it. Only the refresh token named by `refresh_id` is still good."""

    __tablename__ = "token_families"

    id: Mapped[str] = mapped_column(primary_key=True)
    actor_id: Mapped[str] = mapped_column(ForeignKey("actors.id", ondelete="CASCADE"), index=True)
    refresh_id: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    revoked_at: Mapped[datetime | None]
    revoked_because: Mapped[str | None]


class RevokedTokenRow(Base):
    """A single access token that was revoked before it expired."""

    __tablename__ = "revoked_tokens"

    id: Mapped[str] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)


_REVOKED = cast(Table, RevokedTokenRow.__table__)

# Every request asks it.
_HOLDER = Prepared(
    lambda _name: (
        select(*ACTOR_COLUMNS)
        .select_from(TokenFamilyRow)
        .join(ActorRow, ActorRow.id == TokenFamilyRow.actor_id)
        .outerjoin(MemberRow, MemberRow.id == ActorRow.member_id)
        .where(
            TokenFamilyRow.id == bindparam("family"),
            TokenFamilyRow.revoked_at.is_(None),
            ~select(RevokedTokenRow.id).where(RevokedTokenRow.id == bindparam("token")).exists(),
        )
    )
)

_HELD = [column.key for column in ACTOR_COLUMNS]


def open_family(
    session: Session, family_id: str, actor_id: str, *, refresh_id: str, now: datetime, expires_at: datetime
) -> None:
    """Remember a log-in."""
    row = TokenFamilyRow(id=family_id, actor_id=actor_id, refresh_id=refresh_id, created_at=now, expires_at=expires_at)
    session.add(row)


def actor_of(connection: Connection, family_id: str, token_id: str) -> ActorState | None:
    """Who holds this token; None when the token or its family was revoked, or is not known."""
    rows = _HOLDER.rows(connection, {"family": family_id, "token": token_id})
    return actor_state(dict(zip(_HELD, rows[0], strict=True))) if rows else None


def rotate(session: Session, family_id: str, *, old: str, new: str, expires_at: datetime) -> bool:
    """Make `new` the one good refresh token in place of `old`; False when `old` is no longer it (it was used)."""
    statement = (
        update(TokenFamilyRow)
        .where(TokenFamilyRow.id == family_id, TokenFamilyRow.refresh_id == old, TokenFamilyRow.revoked_at.is_(None))
        .values(refresh_id=new, expires_at=expires_at)
    )
    return _changed(session, statement) == 1


def revoke_family(session: Session, family_id: str, *, now: datetime, because: str) -> None:
    """End a log-in: every access and refresh token that descends from it."""
    statement = (
        update(TokenFamilyRow)
        .where(TokenFamilyRow.id == family_id, TokenFamilyRow.revoked_at.is_(None))
        .values(revoked_at=now, revoked_because=because)
    )
    _changed(session, statement)


def revoke_actor(session: Session, actor_id: str, *, now: datetime, because: str) -> None:
    """End every log-in of an actor."""
    statement = (
        update(TokenFamilyRow)
        .where(TokenFamilyRow.actor_id == actor_id, TokenFamilyRow.revoked_at.is_(None))
        .values(revoked_at=now, revoked_because=because)
    )
    _changed(session, statement)


def revoke_token(session: Session, token_id: str, *, expires_at: datetime) -> None:
    """Revoke one access token; again is no error, at the same moment neither."""
    insert_missing(session.connection(), _REVOKED, [{"id": token_id, "expires_at": expires_at}])


def purge(session: Session, *, before: datetime) -> int:
    """Forget what expired before a time (nothing can be presented any more); the number of rows removed."""
    return sum(
        _changed(session, delete(table).where(table.expires_at < before)) for table in (TokenFamilyRow, RevokedTokenRow)
    )


def _changed(session: Session, statement: Update | Delete) -> int:
    return session.connection().execute(statement).rowcount
