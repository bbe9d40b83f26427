"""What a person's request does to a record while it lasts: it is restricted, or disputed; and what ends that."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from repository.domain.disputes import Disputed
from repository.domain.flags import Flag
from repository.domain.subject_requests import Part, SubjectRequest
from repository.services import Services, corrections, disputes
from repository.services.lifecycle import Act


def restrict(services: Services, connection: Connection, act: Act, part: Part) -> None:
    """Flag the record of a part as restricted, because of it: whoever was shown it is told."""
    corrections.flag(services, connection, act, part.filing_id, Flag.RESTRICTED, cause=part.id)


def lift(services: Services, connection: Connection, act: Act, part: Part) -> None:
    """Take back what `restrict` did because of a part."""
    corrections.flag(services, connection, act, part.filing_id, None, cause=part.id)


def disputed(
    services: Services, connection: Connection, act: Act, request: SubjectRequest, about: tuple[Part, str | None]
) -> Part:
    """The part with the dispute that the person's request opens about its record; an own record is flagged only.

    `about` are the part, and the words of the person, which go with the record.
    """
    part, notice = about
    if part.contributor_id == request.member_id or request.ground is None:
        corrections.flag(services, connection, act, part.filing_id, Flag.DISPUTED, cause=part.id)
    else:
        of = Disputed(part.filing_id, part.filing_version, part.contributor_id, part.line, part.record_class)
        named = {"raiser_id": request.member_id, "request_id": request.id, "statement_reference": request.reference}
        dispute_id = disputes.raise_for_subject(services, connection, act, of, request.ground, **named)
        part = replace(part, dispute_id=dispute_id)
    if notice is not None:
        cause = part.dispute_id or part.id
        corrections.attach_notice(services, connection, act, part.filing_id, notice, cause=cause)
    return part
