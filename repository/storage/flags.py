"""Why filings are flagged: one row for each cause. What they come to is in the filing itself, where reads see it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, ForeignKey, RowMapping, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from repository.domain.flags import Flag, strongest
from repository.storage import dialect
from repository.storage.base import Base
from repository.storage.filings import FILINGS, SUBJECTS


class FilingFlagRow(Base):
    """A cause (the id of a dispute or a request) for which a filing is flagged, until that is over."""

    __tablename__ = "filing_flags"

    filing_id: Mapped[str] = mapped_column(ForeignKey("filings.id"), primary_key=True)
    cause: Mapped[str] = mapped_column(primary_key=True)
    flag: Mapped[str]
    at: Mapped[datetime]


FLAGS = Base.metadata.tables["filing_flags"]


def hold(connection: Connection, filing_id: str) -> RowMapping | None:
    """Anyone's filing, which nobody changes until this ends; None where it is gone."""
    statement = select(FILINGS).where(FILINGS.c.id == filing_id).with_for_update()
    return connection.execute(statement).mappings().one_or_none()


def state(connection: Connection, filing_ids: Sequence[str]) -> dict[str, tuple[int, str | None]]:
    """Version and flag of those of these filings that are there; nobody changes them until this ends."""
    name = connection.dialect.name
    wanted = select(dialect.wanted_texts(name).c.value)
    # Locked in the order of ids, as whoever changes several does.
    statement = select(FILINGS.c.id, FILINGS.c.version, FILINGS.c.flag).where(FILINGS.c.id.in_(wanted))
    held = statement.order_by(FILINGS.c.id).with_for_update(read=True)
    rows = connection.execute(held, dialect.wanted(name, list(filing_ids)))
    return {row[0]: (row[1], row[2]) for row in rows}


def put(connection: Connection, filing_id: str, cause: str, flag: Flag | None, *, now: datetime) -> Flag | None:
    """Set what a cause flags a filing as, None to lift it; what all causes come to now, which is stored."""
    if flag is None:
        connection.execute(delete(FLAGS).where(FLAGS.c.filing_id == filing_id, FLAGS.c.cause == cause))
    else:
        row = {"filing_id": filing_id, "cause": cause, "flag": flag.value, "at": now}
        dialect.put(connection, FLAGS, [row])
    words = connection.execute(select(FLAGS.c.flag).where(FLAGS.c.filing_id == filing_id)).scalars()
    after = strongest(words)
    changed = update(FILINGS).where(FILINGS.c.id == filing_id)
    connection.execute(changed.values(flag=None if after is None else after.value))
    return after


def causes(connection: Connection, filing_id: str) -> dict[str, Flag]:
    """Why a filing is flagged: the flag of each cause."""
    statement = select(FLAGS.c.cause, FLAGS.c.flag).where(FLAGS.c.filing_id == filing_id)
    return {cause: Flag(flag) for cause, flag in connection.execute(statement)}


def suppressed(connection: Connection, filing_ids: Sequence[str]) -> set[str]:
    """Those of these filings that nobody is shown."""
    name = connection.dialect.name
    wanted = select(dialect.wanted_texts(name).c.value)
    statement = select(FILINGS.c.id).where(FILINGS.c.id.in_(wanted), FILINGS.c.flag == Flag.SUPPRESSED.value)
    return set(connection.execute(statement, dialect.wanted(name, list(filing_ids))).scalars())


def flagged(connection: Connection, filing_ids: Sequence[str]) -> set[str]:
    """Those of these filings that are flagged in some way."""
    name = connection.dialect.name
    wanted = select(dialect.wanted_texts(name).c.value)
    statement = select(FILINGS.c.id).where(FILINGS.c.id.in_(wanted), FILINGS.c.flag.is_not(None))
    return set(connection.execute(statement, dialect.wanted(name, list(filing_ids))).scalars())


def shelved(connection: Connection, kind: str) -> list[int]:
    """The subjects of a kind that are suppressed, and so in no index: for who may know of them all the same."""
    joined = FLAGS.join(SUBJECTS, SUBJECTS.c.filing_id == FLAGS.c.filing_id)
    hidden = (FLAGS.c.flag == Flag.SUPPRESSED.value, SUBJECTS.c.kind == kind)
    return sorted(connection.execute(select(SUBJECTS.c.id).select_from(joined).where(*hidden).distinct()).scalars())


def note(connection: Connection, filing_id: str, notice: bytes | None, cause: str) -> None:
    """Put the sealed words of the person in a filing on it, with what they came by last, or take them off."""
    words = {"notice": notice, "notice_cause": None if notice is None else cause}
    connection.execute(update(FILINGS).where(FILINGS.c.id == filing_id).values(words))
