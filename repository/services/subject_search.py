"""A person's encodings against every member's records: to answer that person, and nobody else.

No hit is made and nothing is remembered of it. Keys that so many records share that a screening leaves them out are
looked up, too, and what no look-up finds as it is suppressed: who has many records has a right to all of them.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import orjson
from sqlalchemy import Connection

from matching.types import EncodedSubject
from matching.wire import pack, unpack
from repository.domain.members import Member, MemberStatus
from repository.services import Services, pool
from repository.services.pool import Linked
from repository.storage import index
from repository.storage import subject_requests as stored
from repository.storage.filings import Candidate
from repository.storage.index import Candidates, Hot, Wanted
from repository.storage.sealing import named_context

_NOBODY = Member("", "", MemberStatus.ACTIVE)
"""A member with no records, so that all are others'."""
_HOT_ROWS = 5000
"""Rows of a key from which on it says nothing of anybody, such as a telephone number that stands for none."""
_MOST = 1000
"""Records that are scored for one encoding."""
_FAR = timedelta(days=36_500)


@dataclass(frozen=True, slots=True)
class Found:
    """A filing that is about a person, as it stands, and the roles in which they are in it."""

    filing: Candidate
    roles: tuple[str, ...]


def search(services: Services, connection: Connection, subjects: Sequence[EncodedSubject]) -> list[Found]:
    """The filings of all members with somebody who is this person, in the band of the rulebook, by their ids."""
    kinds, least = services.schema.kinds, services.rulebook.subject_access.band
    keys = pool.rekeyed(services.sealer, services.schema, subjects)
    wanted = [
        Wanted(own, pool.key_weights(kinds[each.kind], each.mask)) for own, each in zip(keys, subjects, strict=True)
    ]
    hot = Hot(_HOT_ROWS, services.clock() + _FAR)
    met = index.look_up(connection, services.sealer, wanted, own=_NOBODY.number, hot=hot, limit=_MOST)
    suppressed = stored.suppressed(connection)
    linked = _linked(services, connection, subjects, (met, suppressed))
    found = {each.candidate.filing_id for each in linked.sightings if each.match.band >= least}
    known = {*suppressed, *(record_id for each in met.records for record_id in each)}
    if more := [each for each in stored.alike(connection, found) if each not in known]:
        linked = _linked(services, connection, subjects, (met, [*more, *suppressed]))
    roles: dict[str, set[str]] = {}
    filings: dict[str, Candidate] = {}
    for each in linked.sightings:
        if each.match.band >= least:
            filings[each.candidate.filing_id] = each.candidate
            roles.setdefault(each.candidate.filing_id, set()).add(each.candidate.role)
    return [Found(filings[filing_id], tuple(sorted(roles[filing_id]))) for filing_id in sorted(filings)]


def _linked(
    services: Services,
    connection: Connection,
    subjects: Sequence[EncodedSubject],
    known: tuple[Candidates, Sequence[int]],
) -> Linked:
    """What was met scored, with records that no look-up meets."""
    met, also = known
    records = tuple(tuple(dict.fromkeys((*each, *also))) for each in met.records)
    return pool.link_found(services, connection, _NOBODY, subjects, replace(met, records=records))


def seal(services: Services, request_id: str, subjects: Sequence[EncodedSubject], notice: str | None) -> bytes:
    """The encodings of a request, and the person's own words, as they wait for its confirmation."""
    packed = [base64.b64encode(pack(each)).decode() for each in subjects]
    return services.sealer.seal(named_context(request_id), orjson.dumps([packed, notice]))


def unseal(services: Services, request_id: str, envelope: bytes) -> tuple[tuple[EncodedSubject, ...], str | None]:
    """The encodings of a request, and the words."""
    packed, notice = orjson.loads(services.sealer.unseal(named_context(request_id), envelope))
    return tuple(unpack(base64.b64decode(each)) for each in packed), notice
