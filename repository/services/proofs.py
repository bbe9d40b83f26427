"""Proofs of cases filed as proven: entered by one person of a member, approved by a second, withdrawn when void."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, RowMapping

from repository.domain.events import Event, EventKind
from repository.domain.members import Actor, Member
from repository.domain.proofs import proof_from_json, state
from repository.services import Services, reciprocity
from repository.storage import events, filings, proofs


class SamePersonError(Exception):
    """Who entered a proof does not approve it."""


class WithdrawnError(Exception):
    """A proof that was withdrawn is not approved any more."""


def enter(services: Services, actor: Actor, member: Member, body: Mapping[str, object]) -> dict[str, Any]:
    """Enter a proof from parsed JSON; it counts once a second person has approved it. Raises FieldError."""
    now, rulebook = services.clock(), services.rulebook
    proof = proof_from_json(body, now.date(), rulebook.proof)
    proof_id = reciprocity.new_id(services, "prf")
    entered = {"rulebook": rulebook.version, "entered_at": now, "entered_by": actor.id}
    with services.database.write() as session:
        connection = session.connection()
        proofs.add(connection, asdict(proof) | entered | {"id": proof_id, "member_id": member.id})
        what = (EventKind.PROOF_ENTERED, proof_id)
        _tell(services, connection, actor, what, case_type=proof.case_type, rulebook=rulebook.version)
        return _read(connection, member, proof_id)


def approve(services: Services, actor: Actor, member: Member, proof_id: str) -> dict[str, Any] | None:
    """Approve a proof as the second person; one that is approved already stays as it is. None when there is none.

    Raises SamePersonError for who entered it, WithdrawnError for one that was withdrawn.
    """
    with services.database.write() as session:
        connection = session.connection()
        row = proofs.of_member(connection, member.id, proof_id)
        if row is None:
            return None
        if row["entered_by"] == actor.id:
            raise SamePersonError
        if proofs.approve(connection, proof_id, actor_id=actor.id, now=services.clock()):
            _tell(services, connection, actor, (EventKind.PROOF_APPROVED, proof_id), entered_by=row["entered_by"])
        shown = _read(connection, member, proof_id)
        if shown["withdrawn_at"] is not None:
            raise WithdrawnError
        return shown


def withdraw(services: Services, actor: Actor, member: Member, proof_id: str) -> dict[str, Any] | None:
    """Withdraw a proof, whatever its state. None when there is none. What was filed on it is not filed anew on it."""
    with services.database.write() as session:
        connection = session.connection()
        if proofs.of_member(connection, member.id, proof_id) is None:
            return None
        if proofs.withdraw(connection, proof_id, actor_id=actor.id, now=services.clock()):
            filed = filings.on_proof(connection, proof_id)
            _tell(services, connection, actor, (EventKind.PROOF_WITHDRAWN, proof_id), filings=filed)
        return _read(connection, member, proof_id)


def find(services: Services, member: Member, proof_id: str) -> dict[str, Any] | None:
    """One of a member's proofs as JSON, None when it has none of this id."""
    with services.database.reading() as connection:
        row = proofs.of_member(connection, member.id, proof_id)
        return None if row is None else _as_dict(row, filings.on_proof(connection, proof_id))


def list_own(
    services: Services, member: Member, *, before: str | None, limit: int
) -> tuple[list[dict[str, Any]], bool]:
    """A page of a member's proofs as JSON, newest first, and whether there are more."""
    with services.database.reading() as connection:
        rows = proofs.page(connection, member.id, before=before, limit=limit + 1)
        shown = [_as_dict(row, filings.on_proof(connection, row["id"])) for row in rows[:limit]]
    return shown, len(rows) > limit


def _read(connection: Connection, member: Member, proof_id: str) -> dict[str, Any]:
    row = proofs.of_member(connection, member.id, proof_id)
    if row is None:
        raise LookupError("a proof that was there is not there any more")
    return _as_dict(row, filings.on_proof(connection, proof_id))


def _as_dict(row: RowMapping, filed: int) -> dict[str, Any]:
    approved, withdrawn = row["approved_at"], row["withdrawn_at"]
    return {
        "id": row["id"],
        "reference": row["reference"],
        "state": state(approved=approved is not None, withdrawn=withdrawn is not None).value,
        "grounds": True,
        "evidence": True,
        **{name: row[name] for name in ("case_type", "product_action", "exception", "evidence_reference")},
        "notified_on": row["notified_on"].isoformat() if row["notified_on"] else None,
        "deferral_reason": row["deferral_reason"],
        "rulebook": row["rulebook"],
        "entered_at": row["entered_at"].isoformat(),
        "entered_by": row["entered_by"],
        "approved_at": approved.isoformat() if approved else None,
        "approved_by": row["approved_by"],
        "withdrawn_at": withdrawn.isoformat() if withdrawn else None,
        "withdrawn_by": row["withdrawn_by"],
        "filings": filed,
    }


def _tell(
    services: Services, connection: Connection, actor: Actor, what: tuple[EventKind, str], **figures: str | int
) -> None:
    kind, proof_id = what
    event_id = reciprocity.new_id(services, "evt")
    event = Event(event_id, services.clock(), kind, actor.id, actor.member_id, proof_id, figures)
    events.append(connection, event)
