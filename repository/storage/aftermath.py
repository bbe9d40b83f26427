"""What is to follow from filings that were taken in: one row for some of them and each kind of job that looks at them.

Not a job for each, since many who file one by one would leave one behind for every record: the job of a kind has a
slot of its own, and goes on until no row of its is left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Connection, Index, delete, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from repository.domain import ids
from repository.domain.jobs import JobKind
from repository.storage import dialect
from repository.storage.base import Base


class AftermathRow(Base):
    """Some filings of one member that came in, or changed, together."""

    __tablename__ = "aftermath"
    __table_args__ = (Index("ix_aftermath_kind_id", "kind", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    member_id: Mapped[str]
    filings: Mapped[list[str]] = mapped_column(JSON)
    at: Mapped[datetime]


AFTERMATH = Base.metadata.tables["aftermath"]
ASIDE = "-aside"
"""What the kind of a row that was put away ends in."""
_INSERT = dialect.Prepared(lambda _name: insert(AFTERMATH))


@dataclass(frozen=True, slots=True)
class TakenIn:
    """Some filings of one member that came in, or changed, together."""

    id: str
    member_id: str
    filings: tuple[str, ...]
    at: datetime


def add(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Note filings for the jobs that look at them."""
    _INSERT.write(connection, rows)


def following(connection: Connection, kind: JobKind, *, limit: int) -> list[TakenIn]:
    """The next rows of a kind of job."""
    row = AFTERMATH.c
    statement = select(row.id, row.member_id, row.filings, row.at).where(row.kind == kind.value)
    found = connection.execute(statement.order_by(row.id).limit(limit))
    return [TakenIn(each[0], each[1], tuple(each[2]), each[3]) for each in found]


def shorten(connection: Connection, row_id: str, filings: Sequence[str]) -> None:
    """Leave these filings in a row of which the others were looked at."""
    connection.execute(update(AFTERMATH).where(AFTERMATH.c.id == row_id).values(filings=list(filings)))


def set_aside(connection: Connection, row_id: str) -> None:
    """Put a row away that fails, so that those after it have their turn."""
    kept = AFTERMATH.c.kind + ASIDE
    connection.execute(update(AFTERMATH).where(AFTERMATH.c.id == row_id).values(kind=kept))


def bring_back(connection: Connection, kind: JobKind, *, new_id: str, before: datetime) -> bool:
    """Have a row of a kind that was put away tried again, after all others; False where there is none so old."""
    aside = (AFTERMATH.c.kind == kind.value + ASIDE, AFTERMATH.c.id < ids.make("job", before, bytes(ids.RANDOM_BYTES)))
    found = connection.execute(select(AFTERMATH.c.id).where(*aside).limit(1)).scalar_one_or_none()
    if found is not None:
        connection.execute(update(AFTERMATH).where(AFTERMATH.c.id == found).values(kind=kind.value, id=new_id))
    return found is not None


def forget(connection: Connection, ids: Sequence[str]) -> None:
    """Remove rows that were looked at."""
    connection.execute(delete(AFTERMATH).where(AFTERMATH.c.id.in_(ids)))
