"""Corrections, and a receipt of each for every member that was shown the record. Both outlive the filing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    ForeignKey,
    Index,
    RowMapping,
    and_,
    delete,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from repository.domain.corrections import MOST_HITS, MOST_REMINDERS, Correction, CorrectionKind, Saw
from repository.domain.rulebook import NO_TIER
from repository.storage import dialect
from repository.storage.base import Base
from repository.storage.filings import FILINGS, LABEL_COLUMNS, VERSIONS
from repository.storage.hits import HIT_SIDES
from repository.storage.viewings import VIEWINGS


class CorrectionRow(Base):
    """What became of a filing that others were shown. The filing may be gone."""

    __tablename__ = "corrections"
    __table_args__ = (
        Index("ix_corrections_contributor_id_id", "contributor_id", "id"),
        Index("ix_corrections_contributor_id_filing_id_id", "contributor_id", "filing_id", "id"),
        Index("ix_corrections_at", "at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    filing_id: Mapped[str]
    contributor_id: Mapped[str] = mapped_column(ForeignKey("members.id"))
    line: Mapped[str]
    record_class: Mapped[str]
    kind: Mapped[str]
    version: Mapped[int]
    at: Mapped[datetime]
    cause: Mapped[str | None]


_OUTSTANDING = text("acknowledged_at IS NULL")


class CorrectionReceiptRow(Base):
    """A correction as it is for one member: what it had been shown, when it was told, and when it acknowledged that.

    `told_at`: when it was alerted; `delivered_at`: when a notice of it first got through to a webhook. `due_at`: when
    it is reminded next. `hits` are ids of its own.
    """

    __tablename__ = "correction_receipts"
    __table_args__ = (
        Index("ix_correction_receipts_member_id", "member_id", "correction_id"),
        Index("ix_correction_receipts_due_at", "due_at", sqlite_where=_OUTSTANDING, postgresql_where=_OUTSTANDING),
    )

    correction_id: Mapped[str] = mapped_column(ForeignKey("corrections.id"), primary_key=True)
    member_id: Mapped[str] = mapped_column(ForeignKey("members.id"), primary_key=True)
    tier: Mapped[int]
    seen_version: Mapped[int | None]
    hits: Mapped[list[str]] = mapped_column(JSON)
    told_at: Mapped[datetime | None]
    acknowledge_by: Mapped[date | None]
    due_at: Mapped[datetime | None]
    reminders: Mapped[int]
    delivered_at: Mapped[datetime | None]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[str | None]
    role: Mapped[str | None]


CORRECTIONS = Base.metadata.tables["corrections"]
RECEIPTS = Base.metadata.tables["correction_receipts"]
_NOT_YET = {
    **dict.fromkeys(("told_at", "acknowledge_by", "due_at", "delivered_at"), None),
    **dict.fromkeys(("acknowledged_at", "acknowledged_by", "role"), None),
    "reminders": 0,
}


def saw(connection: Connection, filing_ids: Sequence[str]) -> dict[str, dict[str, Saw]]:
    """Who was shown which of these filings: by filing, then by member.

    By the footprint, for as long as that is kept, and by the hits that are there, for as long as they are.
    """
    name = connection.dialect.name
    wanted = select(dialect.wanted_texts(name).c.value)
    given = dialect.wanted(name, list(filing_ids))
    seen = VIEWINGS.c
    by = (seen.filing_id, seen.member_id)
    footprint = select(*by, func.max(seen.tier), func.max(seen.version)).where(seen.filing_id.in_(wanted))
    found: dict[str, dict[str, Saw]] = defaultdict(dict)
    for filing_id, member_id, tier, version in connection.execute(footprint.group_by(*by), given):
        found[filing_id][member_id] = Saw(tier, version)
    side = HIT_SIDES.c
    shown = select(side.their_filing_id, side.member_id, side.hit_id, side.shown_tier).where(
        side.their_filing_id.in_(wanted), side.shown_tier > NO_TIER
    )
    for filing_id, member_id, hit_id, tier in connection.execute(shown.order_by(side.hit_id), given):
        known = found[filing_id].get(member_id, Saw(NO_TIER, None))
        found[filing_id][member_id] = Saw(max(known.tier, tier), known.version, (*known.hits, hit_id))
    return found


def changed(connection: Connection, versions: Mapping[str, int]) -> set[str]:
    """Those of these filings, each in its new version, that say something else than in the version before.

    Encodings under another linkage key or schema are not compared: they say nothing of the person.
    """
    old, new = VERSIONS.alias("old"), VERSIONS.alias("new")
    names = ("line", "triggered_on", *LABEL_COLUMNS.values())
    columns = [each.c[name] for each in (old, new) for name in (*names, "claim", "roles", "schema_id", "fingerprint")]
    joined = new.join(old, and_(old.c.filing_id == new.c.filing_id, old.c.version == new.c.version - 1))
    name = connection.dialect.name
    wanted = select(dialect.wanted_texts(name).c.value)
    statement = select(new.c.filing_id, new.c.version, new.c.matched, *columns).select_from(joined)
    rows = connection.execute(statement.where(new.c.filing_id.in_(wanted)), dialect.wanted(name, list(versions)))
    found = set()
    for filing_id, version, matched, *values in rows:
        half = len(values) // 2
        before, after = values[:half], values[half:]
        same_key = before[-2:] == after[-2:]
        if versions[filing_id] == version and (before[:-2] != after[:-2] or (matched and same_key)):
            found.add(filing_id)
    return found


def differs_since(connection: Connection, filing_id: str, version: int) -> bool:
    """Whether a filing says something else now than in an earlier version. Labels do not count.

    Its facts are compared with those of then: what was changed and changed back says the same. The people are others
    where any version since has other encodings than the one before it, under the same linkage key and schema.
    """
    facts = [VERSIONS.c[name] for name in ("line", "triggered_on", "claim", "roles")]
    under = [VERSIONS.c[name] for name in ("schema_id", "fingerprint")]
    statement = select(VERSIONS.c.matched, *under, *facts).where(
        VERSIONS.c.filing_id == filing_id, VERSIONS.c.version >= version
    )
    rows = list(connection.execute(statement.order_by(VERSIONS.c.version)))
    if not rows or rows[0][3:] != rows[-1][3:]:
        return bool(rows)
    return any(after[0] and after[1:3] == before[1:3] for before, after in pairwise(rows))


def add(connection: Connection, made: Sequence[tuple[Correction, Mapping[str, Saw]]]) -> None:
    """Store corrections, each with a receipt for every member that saw the record."""
    if not made:
        return
    connection.execute(insert(CORRECTIONS), [asdict(each) | {"kind": each.kind.value} for each, _ in made])
    rows = [
        {
            "correction_id": each.id,
            "member_id": member_id,
            "tier": seen.tier,
            "seen_version": seen.version,
            "hits": list(seen.hits[:MOST_HITS]),
        }
        | _NOT_YET
        for each, members in made
        for member_id, seen in sorted(members.items())
    ]
    if rows:
        connection.execute(insert(RECEIPTS), rows)


def one(connection: Connection, correction_id: str) -> Correction | None:
    """A correction, whoever's record it is of."""
    row = connection.execute(select(CORRECTIONS).where(CORRECTIONS.c.id == correction_id)).mappings().one_or_none()
    return None if row is None else _correction(row)


def made_by(
    connection: Connection,
    contributor_id: str,
    *,
    lines: Sequence[str],
    before: str | None,
    limit: int,
    filing_id: str | None = None,
) -> list[Correction]:
    """A page of the corrections of a member's own records in some lines, latest first."""
    mine = (CORRECTIONS.c.contributor_id == contributor_id, CORRECTIONS.c.line.in_(lines))
    statement = select(CORRECTIONS).where(*mine)
    if filing_id is not None:
        statement = statement.where(CORRECTIONS.c.filing_id == filing_id)
    if before is not None:
        statement = statement.where(CORRECTIONS.c.id < before)
    rows = connection.execute(statement.order_by(CORRECTIONS.c.id.desc()).limit(limit)).mappings()
    return [_correction(row) for row in rows]


def received(
    connection: Connection, member_id: str, *, before: str | None, limit: int, outstanding: bool | None = None
) -> list[RowMapping]:
    """A page of the corrections that a member is to know of, each with its receipt, latest first."""
    statement = _with_receipt().where(RECEIPTS.c.member_id == member_id)
    if outstanding is not None:
        unsaid = RECEIPTS.c.acknowledged_at.is_(None)
        statement = statement.where(unsaid if outstanding else ~unsaid)
    if before is not None:
        statement = statement.where(RECEIPTS.c.correction_id < before)
    return list(connection.execute(statement.order_by(RECEIPTS.c.correction_id.desc()).limit(limit)).mappings())


def receipt(connection: Connection, member_id: str, correction_id: str, *, lock: bool = False) -> RowMapping | None:
    """A correction with a member's receipt of it; None where it was told of none such."""
    statement = _with_receipt().where(RECEIPTS.c.member_id == member_id, RECEIPTS.c.correction_id == correction_id)
    if lock:
        statement = statement.with_for_update(of=RECEIPTS)
    return connection.execute(statement).mappings().one_or_none()


def receipts(connection: Connection, correction_ids: Sequence[str]) -> list[RowMapping]:
    """Everyone's receipts of some corrections, by correction and in the order of members' ids."""
    name = connection.dialect.name
    wanted = select(dialect.wanted_texts(name).c.value)
    statement = select(RECEIPTS).where(RECEIPTS.c.correction_id.in_(wanted))
    statement = statement.order_by(RECEIPTS.c.correction_id, RECEIPTS.c.member_id)
    return list(connection.execute(statement, dialect.wanted(name, list(correction_ids))).mappings())


def untold(connection: Connection, *, limit: int) -> list[tuple[str, str]]:
    """Some receipts of which their members were not alerted yet, the oldest first: (correction, member)."""
    told = (RECEIPTS.c.acknowledged_at.is_(None), RECEIPTS.c.due_at.is_(None), RECEIPTS.c.told_at.is_(None))
    by = (RECEIPTS.c.correction_id, RECEIPTS.c.member_id)
    return [(row[0], row[1]) for row in connection.execute(select(*by).where(*told).order_by(*by).limit(limit))]


def overdue(connection: Connection, *, now: datetime, limit: int) -> list[RowMapping]:
    """Some receipts that are not acknowledged after their time, whosever, to be reminded of."""
    late = (RECEIPTS.c.acknowledged_at.is_(None), RECEIPTS.c.due_at <= now, RECEIPTS.c.reminders < MOST_REMINDERS)
    statement = (
        select(RECEIPTS).where(*late).order_by(RECEIPTS.c.due_at, RECEIPTS.c.correction_id, RECEIPTS.c.member_id)
    )
    return list(connection.execute(statement.limit(limit)).mappings())


def change(connection: Connection, correction_id: str, member_id: str, values: Mapping[str, Any]) -> None:
    """Change a member's receipt of a correction."""
    mine = (RECEIPTS.c.correction_id == correction_id, RECEIPTS.c.member_id == member_id)
    connection.execute(update(RECEIPTS).where(*mine).values(dict(values)))


def note_delivered(connection: Connection, correction_id: str, member_id: str, *, now: datetime) -> None:
    """Note that a notice of a correction got through to a member, for the first time."""
    mine = (RECEIPTS.c.correction_id == correction_id, RECEIPTS.c.member_id == member_id)
    first = update(RECEIPTS).where(*mine, RECEIPTS.c.delivered_at.is_(None))
    connection.execute(first.values(delivered_at=now))


def forget_over(connection: Connection, *, before: datetime, limit: int) -> int:
    """Remove corrections from before an instant that nobody has to acknowledge any more; how many."""
    found = list(connection.execute(select(CORRECTIONS.c.id).where(_over(before)).limit(limit)).scalars())
    if found:
        connection.execute(delete(RECEIPTS).where(RECEIPTS.c.correction_id.in_(found)))
        connection.execute(delete(CORRECTIONS).where(CORRECTIONS.c.id.in_(found)))
    return len(found)


def count_over(connection: Connection, *, before: datetime) -> int:
    """How many there are."""
    return int(connection.execute(select(func.count()).select_from(CORRECTIONS).where(_over(before))).scalar_one())


def standing(connection: Connection, *, now: datetime) -> dict[str, int]:
    """How many receipts of everyone are not acknowledged, and how many of these are overdue: for the operator."""
    unsaid = RECEIPTS.c.acknowledged_at.is_(None)
    late = and_(unsaid, (RECEIPTS.c.due_at <= now) | (RECEIPTS.c.reminders > 0))
    return {
        name: int(connection.execute(select(func.count()).select_from(RECEIPTS).where(which)).scalar_one())
        for name, which in (("outstanding", unsaid), ("overdue", late))
    }


def references(connection: Connection, member_id: str, filing_ids: Sequence[str]) -> dict[str, str]:
    """A member's own references of filings of its own that are there still."""
    statement = select(FILINGS.c.id, FILINGS.c.reference)
    rows = connection.execute(statement.where(FILINGS.c.member_id == member_id, FILINGS.c.id.in_(filing_ids)))
    return {row[0]: row[1] for row in rows}


def _with_receipt() -> Any:
    columns = [each for each in RECEIPTS.columns if each.name != "correction_id"]
    return select(*CORRECTIONS.columns, *columns).select_from(
        RECEIPTS.join(CORRECTIONS, CORRECTIONS.c.id == RECEIPTS.c.correction_id)
    )


def _over(before: datetime) -> ColumnElement[bool]:
    unsaid = select(RECEIPTS.c.member_id).where(
        RECEIPTS.c.correction_id == CORRECTIONS.c.id, RECEIPTS.c.acknowledged_at.is_(None)
    )
    return and_(CORRECTIONS.c.at < before, ~unsaid.exists())


def _correction(row: RowMapping) -> Correction:
    return Correction(**{**row, "kind": CorrectionKind(row["kind"])})
