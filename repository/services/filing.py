"""Filing one record: checked, stored, indexed, matched, all in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from repository.domain.events import Event, EventKind
from repository.domain.filings import Accepts, Outcome, StatedBasis
from repository.domain.members import Actor, Member
from repository.services import Services, intake, reciprocity
from repository.services.encodings import filing_from_json
from repository.services.hitmaking import Source
from repository.services.planning import Numbered, Plan
from repository.services.retention import of_filing
from repository.storage import events, filings, retention
from repository.storage.operator import accepted_fingerprints

_EVENTS = {Outcome.CREATED: EventKind.FILING_CREATED, Outcome.NEW_VERSION: EventKind.FILING_CHANGED}


@dataclass(frozen=True, slots=True)
class Filed:
    """What became of a filing; `hits` are those its member may see, `capped_keys` are hot and were not looked up.

    None where that is not told, or nothing was looked for, as of what is unchanged.
    """

    id: str
    reference: str
    version: int
    result: Outcome
    hits: int
    capped_keys: int | None


def file_one(services: Services, actor: Actor, member: Member, body: object) -> Filed:
    """File one record from parsed JSON. The same again changes nothing. Raises FieldError."""
    with services.database.read() as session:
        accepts = what_is_accepted(services, session, member)
    filing = filing_from_json(body, services.schema, accepts)
    source = Source(member, actor.id, None, services.clock())
    with services.database.write() as session:
        connection = session.connection()
        taken = intake.take_in(services, connection, source, [Numbered(0, filing)])
        for _, _, error in taken.refused:
            raise error
        (plan,) = taken.plans
        if plan.outcome in _EVENTS:
            tell(services, connection, source, plan)
    return Filed(plan.filing_id, filing.facts.reference, plan.version, plan.outcome, plan.hits, plan.capped_keys)


def find(services: Services, member: Member, filing_id: str) -> dict[str, Any] | None:
    """One of a member's own filings as JSON, None when it has none of this id."""
    with services.database.read() as session:
        connection = session.connection()
        row = retention.one(connection, member.id, filing_id)
        if row is None:
            return None
        subjects = filings.kinds_and_roles(connection, filing_id)
    days = of_filing(services, row)
    return {
        "id": row["id"],
        "reference": row["reference"],
        "class": row["record_class"],
        "line": row["line"],
        "version": row["version"],
        "date": row["triggered_on"].isoformat(),
        "claim": row["claim"],
        "basis": StatedBasis(row["customer_kind"], row["basis_on"]).as_dict(row["record_class"]) or None,
        "labels": filings.labels_of(row).as_dict() or None,
        "proof": row["proof_id"],
        "created_at": row["created_at"].isoformat(),
        "filed_at": row["filed_at"].isoformat(),
        "kept_from": days["kept_from"],
        "expires_on": days["expires_on"],
        "subjects": [{"kind": kind, "role": role} for kind, role in subjects],
    }


def what_is_accepted(services: Services, session: Session, member: Member) -> Accepts:
    """What the pool takes from a member today: of who asks under a grant nothing (R7)."""
    now = services.clock()
    lines = frozenset[str]() if member.subscriber else member.lines
    return Accepts(accepted_fingerprints(session, now), lines, now.date(), services.rulebook)


def tell(services: Services, connection: Connection, source: Source, plan: Plan) -> None:
    """Append the event of a filing that is new, or changed."""
    event = Event(
        id=reciprocity.new_id(services, "evt"),
        at=source.now,
        kind=_EVENTS[plan.outcome],
        actor_id=source.actor_id,
        member_id=source.member.id,
        subject_id=plan.filing_id,
        figures={"version": plan.version},
    )
    events.append(connection, event)
