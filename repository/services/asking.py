"""What a request asks, and what its sender may see of the answers: decided before anything is looked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection

from repository.domain.asking import Request
from repository.domain.filings import refuse_unknown
from repository.domain.members import Actor, Member
from repository.domain.screening import Purpose, purpose_from_json
from repository.services import Services, entitlements
from repository.services.encodings import encoding
from repository.services.entitlements import Granted
from repository.storage import asking as stored
from repository.storage import screenings
from repository.storage.asking import Known, Wanted
from repository.storage.operator import accepted
from repository.storage.usage import Before

ACTION = "screening"

_COMMON = {"schema", "fingerprint", "purpose", "lawful_basis", "line", "release"}
ONE_FIELDS = frozenset({*_COMMON, "reference", "subject", "stands"})
BULK_FIELDS = frozenset({*_COMMON, "screenings"})


@dataclass(frozen=True, slots=True)
class Asking:
    """Why is asked, and under which linkage key the subjects are encoded."""

    purpose: Purpose
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and for which member."""

    actor: Actor
    member: Member


Named = Sequence[tuple[str, bytes]]
"""The reference and the digest of the subject of each question."""


def asking(services: Services, body: Mapping[str, object], known: frozenset[str]) -> Asking:
    """What a request says besides its questions; `known` are the fields it may have. Raises FieldError.

    Whether records under its linkage key are accepted is seen by `decide`.
    """
    refuse_unknown(body, known)
    said = {services.schema.id: (str(body.get("fingerprint")),)}
    return Asking(purpose_from_json(body), encoding(body, services.schema, said))


def decide(
    services: Services, connection: Connection, asker: Asker, request: Asking, named: Named
) -> tuple[Granted, Mapping[str, int] | None]:
    """What may be seen, and the pool's sizes where they are known by then. Reads only.

    Raises FieldError for a linkage key whose records are not accepted.
    """
    wanted = Request(ACTION, request.purpose.purpose, request.purpose.line, asked=len(named))
    decided = partial(entitlements.entitled, services, connection, asker.actor, asker.member, wanted)
    if len(named) != 1:
        _check_key(services, connection, request)
        return decided(subjects=partial(most_subjects, services, connection, asker.member, request, named)), None
    found: list[Known] = []
    one = Wanted(services.schema.id, request.fingerprint, request.purpose.purpose, *named[0], _counted_since(services))

    def read(standing_id: str, now: datetime) -> Before:
        found.append(stored.read(connection, asker.member.id, standing_id, now, one))
        return found[0].before

    granted = decided(read=read, subjects=lambda: found[0].others + 1)
    if not found[0].accepted:
        _check_key(services, connection, request)
    return granted, found[0].pool_sizes


def most_subjects(services: Services, connection: Connection, member: Member, request: Asking, named: Named) -> int:
    """How many different subjects the reference with the most has, these with those asked before for the purpose."""
    since, references = _counted_since(services), {reference for reference, _ in named}
    found = screenings.asked_under(connection, member.id, request.purpose.purpose, references, since=since)
    for reference, digest in named:
        found.setdefault(reference, set()).add(digest)
    return max(map(len, found.values()), default=0)


def _counted_since(services: Services) -> datetime:
    return services.clock() - timedelta(days=services.rulebook.quota.reference_days)


def _check_key(services: Services, connection: Connection, request: Asking) -> None:
    said = {"schema": services.schema.id, "fingerprint": request.fingerprint}
    encoding(said, services.schema, accepted(connection, services.clock()))
