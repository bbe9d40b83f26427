"""Log-ins in the database: looking one up, and counting failures."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from repository.storage.members import ActorRow


def by_login(session: Session, kind: str, login: str) -> ActorRow | None:
    """The enabled or disabled actor with this log-in, of kind user or client."""
    return session.scalar(select(ActorRow).where(ActorRow.login == login, ActorRow.kind == kind))


def record_failure(session: Session, actor_id: str) -> int:
    """Count one failed log-in, in the database so that every process sees it; the count of failures in a row."""
    statement = (
        update(ActorRow)
        .where(ActorRow.id == actor_id)
        .values(failures=ActorRow.failures + 1)
        .returning(ActorRow.failures)
    )
    return session.connection().execute(statement).scalar_one()


def lock(session: Session, actor_id: str, until: datetime) -> None:
    """Refuse every log-in of this actor before `until`."""
    session.connection().execute(update(ActorRow).where(ActorRow.id == actor_id).values(locked_until=until))


def record_success(session: Session, actor_id: str, *, now: datetime, secret_hash: str) -> None:
    """Forget the failures and note the time; `secret_hash` may be a fresher hash of the same secret."""
    session.connection().execute(
        update(ActorRow)
        .where(ActorRow.id == actor_id)
        .values(failures=0, locked_until=None, last_login_at=now, secret_hash=secret_hash)
    )
