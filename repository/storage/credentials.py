"""Log-ins in the database: looking one up, and counting failures."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import cast

from sqlalchemy import Table, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from repository.storage.base import Base
from repository.storage.dialect import add_up
from repository.storage.members import ActorRow


class LoginFailureRow(Base):
    """Failed log-ins in a row under one name from one peer, whether or not there is such an account; see attempt_id."""

    __tablename__ = "login_failures"

    id: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[int]
    last_at: Mapped[datetime] = mapped_column(index=True)
    locked_until: Mapped[datetime | None]


_FAILURES = cast(Table, LoginFailureRow.__table__)


def attempt_id(kind: str, login: str, peer: str) -> str:
    """Under which id failures are counted: a hash, as people type all sorts of things into the field for their name."""
    return hashlib.sha256(f"{kind}\0{peer}\0{login}".encode()).hexdigest()


def by_login(session: Session, kind: str, login: str) -> ActorRow | None:
    """The enabled or disabled actor with this log-in, of kind user or client."""
    return session.scalar(select(ActorRow).where(ActorRow.login == login, ActorRow.kind == kind))


def locked_until(session: Session, attempt: str) -> datetime | None:
    """Until when log-in is paused, None if it never was."""
    return session.scalar(select(LoginFailureRow.locked_until).where(LoginFailureRow.id == attempt))


def record_failure(session: Session, attempt: str, *, now: datetime) -> int:
    """Count one failure, in the database so that every process sees it; the count of failures in a row.

    The row is ours until the transaction ends, so that what is read is the count after this failure.
    """
    connection = session.connection()
    add_up(connection, _FAILURES, [{"id": attempt, "failures": 1, "last_at": now}], "failures", "last_at")
    failures: int = connection.execute(select(_FAILURES.c.failures).where(_FAILURES.c.id == attempt)).scalar_one()
    return failures


def lock(session: Session, attempt: str, until: datetime) -> None:
    """Refuse log-ins under this id before `until`."""
    session.connection().execute(
        update(LoginFailureRow).where(LoginFailureRow.id == attempt).values(locked_until=until)
    )


def record_success(session: Session, actor_id: str, attempt: str, *, now: datetime, secret_hash: str) -> None:
    """Forget the failures and note the time; `secret_hash` may be a fresher hash of the same secret."""
    connection = session.connection()
    connection.execute(delete(LoginFailureRow).where(LoginFailureRow.id == attempt))
    connection.execute(
        update(ActorRow).where(ActorRow.id == actor_id).values(last_login_at=now, secret_hash=secret_hash)
    )


def forget_failures(session: Session, *, before: datetime) -> None:
    """Forget failures that are long past."""
    session.connection().execute(delete(LoginFailureRow).where(LoginFailureRow.last_at < before))
