"""A membership at one sight: what it rests on, what was declared, the ladder, open cases, and all that happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from repository.domain.events import EventKind
from repository.domain.membership import SYSTEM, CaseStatus
from repository.domain.rulebook import Rulebook
from repository.services import appeals
from repository.services.applications import Clocks
from repository.storage import membership
from repository.storage.members import MemberRow
from repository.storage.membership import ApplicationRow, GrantRow, Wanted

OPERATOR = "operator"
LATEST = 50
KINDS = tuple(kind for kind in EventKind if kind.split(".")[0] in {"membership", "application", "appeal"})
"""The events that make up the history of a membership."""


def overview(session: Session, row: MemberRow, rulebook: Rulebook, today: date, *, to_member: bool) -> dict[str, Any]:
    """A membership as JSON, for the member itself or for the operator."""
    connection = session.connection()
    clocks = Clocks(rulebook, today)
    application = session.scalar(select(ApplicationRow).where(ApplicationRow.member_id == row.id))
    return {
        "member": {"id": row.id, "name": row.name},
        "status": row.status,
        "status_since": row.status_changed_at.isoformat(),
        "lines": sorted(row.lines),
        "admitted_on": row.admitted_on.isoformat(),
        "agreement": {"version": row.agreement_version, "signed_on": _iso(row.agreement_signed_on)},
        "attestation": attestation(row, rulebook, today),
        "ramp": {
            "kind": row.ramp,
            "covenant_until": _iso(row.covenant_until),
            "back_book_on": _iso(row.back_book_on),
        },
        "subscriber": row.subscriber,
        "grant": _grant(session, row.id, today),
        "declarations": _declarations(membership.declarations(connection, row.id), today),
        "steps": [
            {
                "line": line,
                "step": step.step.value,
                "since": step.since.isoformat(),
                "below_since": _iso(step.below_since),
            }
            for line, step in sorted(membership.steps(connection, row.id).items())
        ],
        "application": _application(application),
        "appeals": [
            appeals.as_json(each, clocks, to_member=to_member)
            for each in appeals.listed(session, Wanted(member_id=row.id))
        ],
        "history": history(session, row.id, to_member=to_member)[0],
    }


def attestation(row: MemberRow, rulebook: Rulebook, today: date) -> dict[str, Any]:
    """When a member attested last, the last day it holds, and whether it holds today (R1)."""
    if row.attested_on is None:
        return {"attested_on": None, "holds_until": None, "holds": False}
    until = row.attested_on + timedelta(days=rulebook.membership.attestation_days)
    return {
        "attested_on": row.attested_on.isoformat(),
        "holds_until": until.isoformat(),
        "holds": today <= until,
    }


def history(
    session: Session, member_id: str, *, before: str | None = None, limit: int = LATEST, to_member: bool
) -> tuple[list[dict[str, Any]], bool]:
    """What happened to a membership, latest first, and whether there is more; before an event if its id is given."""
    connection = session.connection()
    kinds = [kind.value for kind in KINDS]
    found = membership.history(connection, member_id, kinds, before=before, limit=limit + 1)
    own = membership.actor_ids(connection, member_id) if to_member else None
    return [_event(each, own) for each in found[:limit]], len(found) > limit


def lately(session: Session, since: datetime, kinds: Sequence[str] = ()) -> list[dict[str, Any]]:
    """What happened to all memberships since a time, latest first; of some kinds, or all that concern membership."""
    found = membership.events_since(session.connection(), since, kinds or [kind.value for kind in KINDS])
    return [{"member": each["member_id"]} | _event(each, None) for each in found]


def _event(row: Mapping[str, Any], own: frozenset[str] | None) -> dict[str, Any]:
    figures = dict(row["figures"])
    actor = row["actor_id"] or SYSTEM
    if own is not None and actor not in own and actor != SYSTEM:
        actor = OPERATOR  # which officer it was is nothing to members
    return {
        "id": row["id"],
        "at": row["at"].isoformat(),
        "kind": row["kind"],
        "by": actor,
        "rule": figures.pop("rule", None),
        "reason": figures.pop("reason", None),
        "subject": row["subject_id"],
        "figures": figures,
    }


def _declarations(rows: list[dict[str, Any]], today: date) -> list[dict[str, Any]]:
    """The history of what was declared, oldest first; `holds` marks what is in force today."""
    holding: dict[tuple[str, str], int] = {}
    for place, row in enumerate(rows):
        pair = (row["line"], row["record_class"])
        before = holding.get(pair)
        if row["since"] <= today and (before is None or rows[before]["since"] <= row["since"]):
            holding[pair] = place
    return [
        {
            "line": row["line"],
            "class": row["record_class"],
            "per_month": row["per_month"],
            "from": row["since"].isoformat(),
            "declared_at": row["declared_at"].isoformat(),
            "holds": holding.get((row["line"], row["record_class"])) == place,
        }
        for place, row in enumerate(rows)
    ]


def _application(row: ApplicationRow | None) -> dict[str, Any] | None:
    if row is None:
        return None
    return {
        "id": row.id,
        "entered_at": row.entered_at.isoformat(),
        "due_on": row.due_on.isoformat(),
        "status": CaseStatus(row.status).value,
        "decided_at": row.decided_at.isoformat() if row.decided_at else None,
    }


def _grant(session: Session, member_id: str, today: date) -> dict[str, Any] | None:
    row = session.scalar(select(GrantRow).where(GrantRow.member_id == member_id, GrantRow.ended_at.is_(None)))
    if row is None:
        return None
    return {
        "id": row.id,
        "class": row.subscriber,
        "lines": row.lines,
        "classes": row.classes,
        "purposes": row.purposes,
        "tier": row.tier,
        "quota_per_day": row.quota_per_day,
        "expires_on": row.expires_on.isoformat(),
        "holds": today < row.expires_on,
    }


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
