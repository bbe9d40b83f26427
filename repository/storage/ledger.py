"""What each member gave and answered, counted by day: what standing is assessed from, without counting filings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, ForeignKey, bindparam, select, update
from sqlalchemy.orm import Mapped, mapped_column

from repository.storage import dialect
from repository.storage.base import Base
from repository.storage.members import MemberRow


class LedgerDayRow(Base):
    """One (line, class) of a member on one UTC day: filings accepted and what became of them, answers due and given.

    `due` and `answered` stand on the day by which an answer is due, which may be still to come. `last_at` is when a
    filing was last accepted.
    """

    __tablename__ = "ledger"

    member_id: Mapped[str] = mapped_column(ForeignKey("members.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    line: Mapped[str] = mapped_column(primary_key=True)
    record_class: Mapped[str] = mapped_column(primary_key=True)
    accepted: Mapped[int]
    late: Mapped[int]
    back_book: Mapped[int]
    thin: Mapped[int]
    corroborated: Mapped[int]
    upheld: Mapped[int]
    due: Mapped[int]
    answered: Mapped[int]
    last_at: Mapped[datetime | None]


LEDGER = Base.metadata.tables["ledger"]
MEMBERS = Base.metadata.tables[MemberRow.__tablename__]
COLUMNS = ("accepted", "late", "back_book", "thin", "corroborated", "upheld", "due", "answered")
_TOUCH = update(MEMBERS).where(MEMBERS.c.id == bindparam("member")).values(ledger_version=MEMBERS.c.ledger_version + 1)
_SINCE = (
    select(LEDGER.c.day, LEDGER.c.line, LEDGER.c.record_class, *(LEDGER.c[name] for name in COLUMNS), LEDGER.c.last_at)
    .where(LEDGER.c.member_id == bindparam("member"), LEDGER.c.day >= bindparam("start"))
    .order_by(LEDGER.c.day, LEDGER.c.line, LEDGER.c.record_class)
)


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """What is added to one (line, class) of a member on one day: counts by the names of COLUMNS, 0 where not named."""

    member_id: str
    day: date
    line: str
    record_class: str
    counts: Mapping[str, int]
    last_at: datetime | None = None


def add(connection: Connection, rows: Sequence[LedgerRow], *, today: date | None = None) -> None:
    """Add to the ledger, and let standings kept of these members be assessed anew.

    Given `today`, rows of days to come touch nobody: a standing is kept for a day at most, and theirs is not yet here.
    """
    dialect.add_up(
        connection,
        LEDGER,
        [
            {
                "member_id": each.member_id,
                "day": each.day,
                "line": each.line,
                "record_class": each.record_class,
                "last_at": each.last_at,
                **{name: each.counts.get(name, 0) for name in COLUMNS},
            }
            for each in sorted(rows, key=lambda row: (row.member_id, row.day, row.line, row.record_class))
        ],
        COLUMNS,
        "last_at",
    )
    for member_id in sorted({each.member_id for each in rows if today is None or each.day <= today}):
        touch(connection, member_id)


def touch(connection: Connection, member_id: str) -> None:
    """Say that something a member's standing is assessed from has changed."""
    connection.execute(_TOUCH, {"member": member_id})


def since(connection: Connection, member_id: str, start: date) -> list[LedgerRow]:
    """A member's rows from a day on, by day, line and class."""
    rows = connection.execute(_SINCE, {"member": member_id, "start": start})
    return [
        LedgerRow(member_id, row.day, row.line, row.record_class, dict(zip(COLUMNS, row[3:-1], strict=True)), row[-1])
        for row in rows
    ]
