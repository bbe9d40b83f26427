"""Which filings are over, by the days they have; and the renewals that keep some for longer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, ForeignKey, FromClause, RowMapping, and_, func, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from repository.domain.retention import LONGEST, Basis, Dates, kind_of
from repository.storage import dialect, holds
from repository.storage.base import Base
from repository.storage.batches import BATCHES
from repository.storage.filings import FILINGS


class RenewalRow(Base):
    """One renewal of the time of a filing, by its member, for a reason. It goes with the filing."""

    __tablename__ = "renewals"

    filing_id: Mapped[str] = mapped_column(ForeignKey("filings.id"), primary_key=True)
    renewed_on: Mapped[date] = mapped_column(primary_key=True)
    reason: Mapped[str]
    note_reference: Mapped[str | None]
    at: Mapped[datetime]
    actor_id: Mapped[str] = mapped_column(ForeignKey("actors.id"))


RENEWALS = Base.metadata.tables["renewals"]
_RENEWED_ON = select(func.max(RENEWALS.c.renewed_on)).where(RENEWALS.c.filing_id == FILINGS.c.id).scalar_subquery()
_NEVER = date(1, 1, 1)
_KIND = func.coalesce(FILINGS.c.customer_kind, FILINGS.c.record_class)


@dataclass(frozen=True, slots=True)
class Ended:
    """For a kind of filing the latest days from which its time is over, and its cap, and what that counts from."""

    keep: date
    cap: date
    basis: Basis


def with_names() -> FromClause:
    """Filings, with the batch that named each last."""
    return FILINGS.outerjoin(BATCHES, BATCHES.c.id == FILINGS.c.last_batch_id)


def dates_of(row: RowMapping) -> Dates:
    """The days of a filing, from a row that has `named_at` besides, and `renewed_on` where that is asked."""
    said = max(row["filed_at"], row["named_at"] or row["filed_at"])
    first = row["created_at"].astimezone(UTC).date()
    stated = row["ended_on"]
    return Dates(row["triggered_on"], first, said.astimezone(UTC).date(), row.get("renewed_on"), stated)


def kind_of_row(row: RowMapping) -> str:
    """Which entry of the schedule a filing falls under."""
    return kind_of(row["record_class"], row["customer_kind"])


def over(connection: Connection, ended: Mapping[str, Ended], *, today: date, after: str, limit: int) -> list[str]:
    """Some filings that are over and not held, whosever they are, in the order of ids."""
    statement = select(FILINGS.c.id).select_from(with_names()).where(FILINGS.c.id > after, _over(ended))
    statement = statement.where(~holds.on_filing(today)).order_by(FILINGS.c.id).limit(limit)
    return list(connection.execute(statement).scalars())


def count_over(connection: Connection, ended: Mapping[str, Ended], *, today: date) -> dict[tuple[str, bool], int]:
    """How many filings of everyone are over, by kind and whether they are held."""
    held, kind = holds.on_filing(today).label("held"), _KIND.label("kind")
    chosen = select(kind, held).select_from(with_names()).where(_over(ended)).subquery()
    by = (chosen.c.kind, chosen.c.held)
    rows = connection.execute(select(*by, func.count()).group_by(*by))
    return {(row[0], bool(row[1])): int(row[2]) for row in rows}


def of_member(
    connection: Connection, member_id: str, ended: Mapping[str, Ended], *, after: str, limit: int
) -> list[RowMapping]:
    """A member's filings that are over by then, held or not, in the order of ids."""
    statement = _rows().where(FILINGS.c.member_id == member_id, FILINGS.c.id > after, _over(ended))
    return list(connection.execute(statement.order_by(FILINGS.c.id).limit(limit)).mappings())


def one(connection: Connection, member_id: str, filing_id: str) -> RowMapping | None:
    """A member's filing with the days that its time counts from; None when it has none of that id."""
    statement = _rows().where(FILINGS.c.member_id == member_id, FILINGS.c.id == filing_id)
    return connection.execute(statement).mappings().one_or_none()


def renew(connection: Connection, row: dict[str, Any]) -> None:
    """Store a renewal; a second one on the same day changes nothing."""
    dialect.insert_missing(connection, RENEWALS, [row])


def _rows() -> Any:
    columns = (*FILINGS.columns, BATCHES.c.created_at.label("named_at"), _RENEWED_ON.label("renewed_on"))
    return select(*columns).select_from(with_names())


def _over(ended: Mapping[str, Ended]) -> ColumnElement[bool]:
    """Whether a filing is over: what `domain.retention.expires_on` says of one, asked of all."""
    its = _KIND
    return or_(*(and_(its == kind, _over_in(kind, until)) for kind, until in sorted(ended.items())))


def _over_in(kind: str, ended: Ended) -> ColumnElement[bool]:
    filing, basis, stated = FILINGS.c, ended.basis, FILINGS.c.ended_on
    if basis is Basis.POLICY_END:
        return or_(stated <= ended.keep, _said_until(ended.keep))
    if basis is Basis.CLOSURE:
        return or_(stated <= ended.keep, and_(stated.is_(None), _either(filing.triggered_on, ended.keep)))
    if basis is Basis.LAST_SAID:
        return _said_until(ended.keep)
    if basis is not Basis.FIRST_FILING:
        decided = func.coalesce(stated, filing.triggered_on) if basis is Basis.DECISION else filing.triggered_on
        return _either(decided, ended.keep)
    if not LONGEST[kind].renewable:
        return filing.created_at < _end(ended.keep)
    not_renewed = func.coalesce(_RENEWED_ON, _NEVER) <= ended.keep
    return and_(filing.created_at < _end(ended.keep), or_(not_renewed, filing.created_at < _end(ended.cap)))


def _said_until(day: date) -> ColumnElement[bool]:
    """Whether a filing was filed, or named in a batch, on no later day."""
    named = or_(BATCHES.c.created_at.is_(None), BATCHES.c.created_at < _end(day))
    return and_(FILINGS.c.filed_at < _end(day), named)


def _either(column: ColumnElement[date], day: date) -> ColumnElement[bool]:
    """Whether a day of a filing, or its first filing, is no later."""
    return or_(column <= day, FILINGS.c.created_at < _end(day))


def _end(day: date) -> datetime:
    """The first instant after a day."""
    return datetime.combine(day + timedelta(days=1), time(), UTC)
