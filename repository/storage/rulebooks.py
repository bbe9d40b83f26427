"""Rulebooks in the database: the exact text of each, and from which day it holds. None is ever removed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from repository.storage.base import Base


class RulebookRow(Base):
    """One rulebook. `number` counts up with every loading: of two that hold from one day, the later loaded does."""

    __tablename__ = "rulebooks"

    digest: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(unique=True)
    number: Mapped[int] = mapped_column(unique=True)
    text: Mapped[str]
    effective_from: Mapped[date]
    loaded_at: Mapped[datetime]
    loaded_by: Mapped[str]


@dataclass(frozen=True, slots=True)
class Stored:
    """What is known of a stored rulebook besides its text. `loaded_by` is an actor's id, `operator` or `shipped`."""

    digest: str
    version: str
    number: int
    effective_from: date
    loaded_at: datetime
    loaded_by: str


RULEBOOKS = Base.metadata.tables["rulebooks"]
_KNOWN = (
    RULEBOOKS.c.digest,
    RULEBOOKS.c.version,
    RULEBOOKS.c.number,
    RULEBOOKS.c.effective_from,
    RULEBOOKS.c.loaded_at,
    RULEBOOKS.c.loaded_by,
)
_ALL = select(*_KNOWN).order_by(RULEBOOKS.c.effective_from, RULEBOOKS.c.number)
_TEXTS = select(RULEBOOKS.c.digest, RULEBOOKS.c.text)


def all_stored(connection: Connection) -> list[Stored]:
    """Every rulebook, in the order in which they come into force."""
    return [Stored(**row) for row in connection.execute(_ALL).mappings()]


def texts(connection: Connection, digests: list[str]) -> Mapping[str, str]:
    """The texts of some rulebooks, by digest."""
    rows = connection.execute(_TEXTS.where(RULEBOOKS.c.digest.in_(digests)))
    return {str(digest): str(text) for digest, text in rows}


def put(connection: Connection, digest: str, version: str, text: str, **facts: Any) -> int:
    """Store a rulebook as the last one loaded, in place of the same one stored before; its number.

    `facts` are effective_from, loaded_at and loaded_by. Who calls has taken the pool's lock.
    """
    connection.execute(delete(RULEBOOKS).where(RULEBOOKS.c.digest == digest))
    last = connection.execute(select(func.max(RULEBOOKS.c.number))).scalar()
    number = int(last or 0) + 1
    row = {"digest": digest, "version": version, "number": number, "text": text}
    connection.execute(insert(RULEBOOKS), row | facts)
    return number
