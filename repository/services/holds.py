"""Legal holds: placed by the operator on any filing, or by a member on its own; each with a reason and an end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date
from typing import Any

from sqlalchemy import Connection, RowMapping

from repository.domain.events import EventKind
from repository.domain.holds import HoldReason, checked_end
from repository.domain.members import Member
from repository.services import lifecycle
from repository.services.lifecycle import Act, What
from repository.storage import holds, removal

RULE = "RETENTION"


@dataclass(frozen=True, slots=True)
class Placing:
    """Which filing is held, why, until when, and the own reference to the file of it."""

    filing_id: str
    reason: HoldReason
    ends_on: date
    note_reference: str | None = None


def place(connection: Connection, act: Act, placing: Placing, member: Member | None = None) -> dict[str, Any] | None:
    """Hold a filing: of the member that does so, or, without one, of any for the operator. None when there is none.

    Raises FieldError for a day that no hold ends on.
    """
    checked_end(placing.ends_on, act.now.astimezone(UTC).date())
    found = removal.hold(connection, [placing.filing_id])
    if not found or (member is not None and found[0]["member_id"] != member.id):
        return None
    row = {
        "id": act.new_id("hld"),
        "filing_id": placing.filing_id,
        "member_id": found[0]["member_id"],
        "by_member": member is not None,
        "reason": placing.reason.value,
        "note_reference": placing.note_reference,
        "placed_at": act.now,
        "placed_by": act.actor_id,
        "ends_on": placing.ends_on,
        "released_at": None,
        "released_by": None,
    }
    holds.add(connection, row)
    _tell(connection, act, EventKind.HOLD_PLACED, row)
    return to_json(row, member)


def release(connection: Connection, act: Act, hold_id: str, member: Member | None = None) -> dict[str, Any] | None:
    """End a hold before its day: whoever placed it. None when there is none of theirs. Once more changes nothing."""
    row = holds.one(connection, hold_id)
    if row is None or (row["by_member"], row["member_id"]) != (
        member is not None,
        row["member_id"] if member is None else member.id,
    ):
        return None
    if row["released_at"] is None:
        holds.release(connection, hold_id, by=act.actor_id, now=act.now)
        row = holds.one(connection, hold_id) or row
        _tell(connection, act, EventKind.HOLD_RELEASED, dict(row))
    return to_json(row, member)


def listed(
    connection: Connection, today: date, member: Member | None = None, *, before: str | None = None, limit: int
) -> tuple[list[dict[str, Any]], bool]:
    """A page of the holds in force on a member's filings, or on everyone's for the operator, and whether more are."""
    member_id = None if member is None else member.id
    found = holds.page(connection, member_id, today=today, before=before, limit=limit + 1)
    return [to_json(each, member) for each in found[:limit]], len(found) > limit


def to_json(row: RowMapping | dict[str, Any], member: Member | None) -> dict[str, Any]:
    """A hold as JSON; references are of who placed it, and told to nobody else."""
    own = row["by_member"] == (member is not None)
    return {
        "id": row["id"],
        "filing": row["filing_id"],
        "by": "member" if row["by_member"] else "operator",
        "reason": row["reason"],
        "note_reference": row["note_reference"] if own else None,
        "placed_at": row["placed_at"].isoformat(),
        "ends_on": row["ends_on"].isoformat(),
        "released_at": None if row["released_at"] is None else row["released_at"].isoformat(),
    }


def _tell(connection: Connection, act: Act, kind: EventKind, row: dict[str, Any]) -> None:
    what = What(kind, RULE, row["member_id"], row["filing_id"])
    figures = {"hold": row["id"], "why": row["reason"], "ends_on": row["ends_on"].isoformat()}
    lifecycle.tell(connection, act, what, **figures, by="member" if row["by_member"] else "operator")
