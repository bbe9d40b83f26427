"""A member's watches: listed, ended, and asked anew."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from repository.domain.members import Actor, Member
from repository.domain.screening import Purpose, Question, Release
from repository.domain.watches import EndReason, Stands, StandsAs, WatchError
from repository.services import Services, screening, watching
from repository.services.asking import Asking
from repository.storage import watches
from repository.storage.watches import Asked


def list_own(
    services: Services, member: Member, *, stands: bool | None, before: str | None, limit: int
) -> tuple[list[dict[str, Any]], bool]:
    """A page of a member's watches as JSON, newest first, and whether there are more."""
    now = services.clock()
    with services.database.reading() as connection:
        found = watches.page(connection, member.id, stands=stands, now=now, before=before, limit=limit + 1)
    return [to_json(each, now) for each in found[:limit]], len(found) > limit


def end(services: Services, actor: Actor, member: Member, watch_id: str) -> dict[str, Any] | None:
    """End a member's watch; None where there is none. One that ended stays as it is."""
    now = services.clock()
    with services.database.writing() as connection:
        found = watches.one(connection, member.id, watch_id)
        if found is None:
            return None
        if found.watch.ended_at is None:
            watching.take_out(services, connection, [(found, EndReason.MEMBER)], now, actor_id=actor.id)
        after = watches.one(connection, member.id, watch_id)
    return None if after is None else to_json(after, now)


def renew(services: Services, actor: Actor, member: Member, watch_id: str, stands: Stands) -> dict[str, Any] | None:
    """Ask again what stands as a policy, by the same question: the answer of now. None where there is none.

    It is a new enquiry, decided and counted as every other, and stands in the place of the one before. Raises
    WatchError, FieldError and RefusedError.
    """
    with services.database.reading() as connection:
        before = watches.one(connection, member.id, watch_id)
    if before is None:
        return None
    if before.watch.stands_as is not StandsAs.POLICY or not before.watch.stands(services.clock()):
        raise WatchError("only what stands as a policy is renewed, and while it stands")
    if before.schema_id != services.schema.id:
        raise WatchError("it was encoded by another linkage schema: ask anew")
    release = None if before.release_checks is None else Release(**before.release_checks)
    purpose = Purpose(before.purpose, before.line, before.lawful_basis, release)
    question = Question(before.reference, watching.subject_of(services, before), stands)
    watching.check(services, question)
    request = Asking(purpose, before.fingerprint)
    (answer,) = screening.screen(services, actor, member, request, [question])  # ends the one before
    return answer


def to_json(asked: Asked, now: datetime) -> dict[str, Any]:
    """A watch as JSON."""
    watch = asked.watch
    ended = watch.ended_at if watch.ended_at is not None else None if watch.stands(now) else watch.until
    reason = watch.end_reason or (None if ended is None else EndReason.TIME)
    return {
        "id": watch.id,
        "screening": watch.screening_id,
        "reference": asked.reference,
        "purpose": asked.purpose,
        "line": asked.line,
        "as": watch.stands_as.value,
        "since": watch.since.isoformat(),
        "until": watch.until_on.isoformat(),
        "ended_at": None if ended is None else ended.isoformat(),
        "reason": None if reason is None else reason.value,
    }
