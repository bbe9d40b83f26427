"""What a person's request does to a record while it lasts: it is restricted, or disputed; and what ends that."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from repository.domain.corrections import CorrectionKind
from repository.domain.disputes import Disputed
from repository.domain.flags import Flag
from repository.domain.subject_requests import Part, SubjectRequest
from repository.services import Services, correcting, corrections, disputes
from repository.services.correcting import Change
from repository.services.lifecycle import Act
from repository.storage import flags
from repository.storage import subject_requests as stored


def restrict(services: Services, connection: Connection, act: Act, part: Part) -> None:
    """Flag the record of a part as restricted, because of it: whoever was shown it is told."""
    corrections.flag(services, connection, act, part.filing_id, Flag.RESTRICTED, cause=part.id)


def lift(services: Services, connection: Connection, act: Act, part: Part) -> None:
    """Take back what `restrict` did because of a part."""
    corrections.flag(services, connection, act, part.filing_id, None, cause=part.id)


def dispute(
    services: Services, connection: Connection, act: Act, request: SubjectRequest, about: tuple[Part, str | None]
) -> None:
    """Open the dispute that the person's request is about a record; an own record is flagged only.

    `about` are the part, which is stored, and the words of the person, which go with the record.
    """
    part, notice = about
    cause = part.id
    if part.contributor_id == request.member_id or request.ground is None:
        corrections.flag(services, connection, act, part.filing_id, Flag.DISPUTED, cause=cause)
    else:
        of = Disputed(part.filing_id, part.filing_version, part.contributor_id, part.line, part.record_class)
        named = {"raiser_id": request.member_id, "request_id": request.id, "statement_reference": request.reference}
        cause = disputes.raise_for_subject(services, connection, act, of, request.ground, **named)
        stored.save_part(connection, replace(part, dispute_id=cause))
    if notice is not None:
        corrections.attach_notice(services, connection, act, part.filing_id, notice, cause=cause)


def tell_asker(services: Services, connection: Connection, act: Act, request: SubjectRequest, part: Part) -> None:
    """Correct the record for the member that asks, if it was shown it before: from now on it may be told of it.

    Before that it is told nothing of what the request does to the record (see `storage.subject_requests.asker`).
    """
    row = flags.hold(connection, part.filing_id)
    causes = {} if row is None else flags.causes(connection, part.filing_id)
    flag = causes.get(part.dispute_id or part.id)
    if row is not None and flag is not None:
        kind = CorrectionKind(flag.value)
        change = Change(kind, act.now, act.actor_id, part.dispute_id or part.id, only=request.member_id)
        correcting.push(services, connection, [dict(row)], change)
