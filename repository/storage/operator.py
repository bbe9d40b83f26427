"""What the operator of a pool set up: facts of the installation, and the linkage keys it accepts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, bindparam, delete, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from repository.storage import dialect
from repository.storage.base import Base, UtcDateTime

OPERATOR_CHECK = "operator_check"
"""The name of the fact that tells whether the operator secret in use is the one the pool was written under."""

LINKAGE_SCHEMA = "linkage_schema"
"""The fact that says which linkage schema the pool is of; pools from before there was a choice have none."""

ROTATION = "secret_rotation"
"""The fact that a rotation of the operator secret is under way: between which two, and how far it is."""


class InstallationFactRow(Base):
    """One fact of this installation, by name."""

    __tablename__ = "installation_facts"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class FingerprintRow(Base):
    """The fingerprint of a linkage key under which records of a schema are accepted, until a time if there is one.

    `epoch` is the number that the members count the key by, where the operator was told it.
    """

    __tablename__ = "fingerprints"

    schema_id: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(primary_key=True)
    added_at: Mapped[datetime]
    epoch: Mapped[int | None]
    accepted_until: Mapped[datetime | None]

    def is_accepted(self, now: datetime) -> bool:
        """Whether records under it are accepted at an instant."""
        return self.accepted_until is None or self.accepted_until > now


FACTS = Base.metadata.tables[InstallationFactRow.__tablename__]
FINGERPRINTS = Base.metadata.tables[FingerprintRow.__tablename__]
_ACCEPTED = dialect.Prepared(
    lambda _name: (
        select(FingerprintRow.schema_id, FingerprintRow.fingerprint)
        .where(accepted_at(bindparam("accepted_at", type_=UtcDateTime())))
        .order_by(FingerprintRow.schema_id, FingerprintRow.added_at, FingerprintRow.fingerprint)
    )
)


def fact(session: Session, name: str) -> str | None:
    """The value of a fact, None when it was never set."""
    return session.scalar(select(InstallationFactRow.value).where(InstallationFactRow.name == name))


def held_fact(session: Session, name: str) -> str | None:
    """The same; nobody else who asks for it so goes on before this transaction ends."""
    row = select(InstallationFactRow.value).where(InstallationFactRow.name == name)
    return session.scalar(row.with_for_update())


def set_fact(session: Session, name: str, value: str) -> None:
    """Set a fact, replacing its value."""
    session.merge(InstallationFactRow(name=name, value=value))


def forget_fact(session: Session, name: str) -> None:
    """Take a fact away."""
    session.execute(delete(InstallationFactRow).where(InstallationFactRow.name == name))


def accepted_at(now: ColumnElement[datetime]) -> ColumnElement[bool]:
    """Which rows are of linkage keys whose records are accepted at an instant."""
    return or_(FingerprintRow.accepted_until.is_(None), FingerprintRow.accepted_until > now)


def accepted_fingerprints(session: Session, now: datetime) -> dict[str, tuple[str, ...]]:
    """For each schema id, the fingerprints of the linkage keys whose records are accepted now, oldest first."""
    return accepted(session.connection(), now)


def accepted(connection: Connection, now: datetime) -> dict[str, tuple[str, ...]]:
    """The same without a Session."""
    found: dict[str, tuple[str, ...]] = {}
    for schema_id, fingerprint in _ACCEPTED.rows(connection, {"accepted_at": now}):
        found[schema_id] = (*found.get(schema_id, ()), fingerprint)
    return found


def keys_known(session: Session) -> list[FingerprintRow]:
    """Every linkage key that was ever accepted, by schema, oldest first."""
    order = (FingerprintRow.schema_id, FingerprintRow.added_at, FingerprintRow.fingerprint)
    return list(session.scalars(select(FingerprintRow).order_by(*order)))
