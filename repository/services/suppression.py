"""Not the same: a pair that a member ruled out is not shown to it again, under whatever hit it comes back.

It is the two subjects that were ruled out, not their places: who is filed there instead is shown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from matching.types import Band, EncodedSubject
from matching.wire import pack, unpack
from repository.domain.events import Event, EventKind
from repository.domain.outcomes import Given, HitOutcome
from repository.services import Services, reciprocity
from repository.services.pool import Sighting
from repository.storage import events, outcomes, suppressed
from repository.storage.sealing import named_context, record_context
from repository.storage.suppressed import RuledOut, Suppressed

_BYTES = 32


@dataclass(frozen=True, slots=True)
class Met:
    """A pair that came up: whose, with the own side's encoding, or its place in a filing; the other side; the band."""

    member_id: str
    own: EncodedSubject | tuple[str, int]
    their_filing_id: str
    their_position: int
    band: int


def suppress(services: Services, connection: Connection, member_id: str, hit_id: str, now: datetime) -> None:
    """Suppress the pair of a hit; its two sides are noted as they are now."""
    ends = suppressed.ends_of(connection, member_id, hit_id)
    own = _own(services, connection, member_id, ends)
    their = _filed(services, connection, ends.their_filing_id, ends.their_position)
    pair_id = reciprocity.new_id(services, "sup")
    kept = _kept(own if ends.own_filing_id is not None else None, their)
    sealed = services.sealer.seal(named_context(pair_id), _digest(own) + _digest(their) + kept)
    names = ("band", "own_filing_id", "own_position", "own_screening_id", "their_filing_id", "their_position")
    placed: dict[str, Any] = {name: getattr(ends, name) for name in names}
    suppressed.put(connection, Suppressed(pair_id, member_id, hit_id, now, **placed, ends=sealed))


def lift(connection: Connection, member_id: str, hit_id: str, given: Given) -> int:
    """Show the pair of a hit with this outcome again, under whatever hits; how many outcomes were taken back."""
    origin = given.carried_from or hit_id
    suppressed.lift(connection, member_id, origin)
    return outcomes.take_back(connection, member_id, origin)


def among(
    services: Services, connection: Connection, met: Sequence[Met], known: Sequence[Suppressed]
) -> dict[int, str]:
    """Which of some pairs, by their place in the list, are `known` as suppressed, each with the hit that was said of.

    Either side is the same if its encoding is; or, while that of then is kept, if the two match in the band `strong`
    and the pair is in no better band than it was: of a spelling that brings them nearer a person is to judge anew. The
    other side must have its place in its filing besides, unless the encoding is the same.
    """
    found = {}
    for place, each in enumerate(met):
        pairs = [p for p in known if (p.member_id, p.their_filing_id) == (each.member_id, each.their_filing_id)]
        if pairs:
            hit_id = next(_of(services, connection, each, pairs), None)
            if hit_id is not None:
                found[place] = hit_id
    return found


def seen_before(
    services: Services,
    connection: Connection,
    subjects: Sequence[EncodedSubject],
    sightings: Sequence[Sighting],
    known: Sequence[Suppressed],
) -> list[Sighting]:
    """What was seen of a member's subjects and is suppressed, by what is `known` of that member."""
    if not known:
        return []
    member_id = known[0].member_id
    met = [
        Met(member_id, subjects[each.subject], each.candidate.filing_id, each.candidate.position, int(each.match.band))
        for each in sightings
    ]
    return [sightings[place] for place in among(services, connection, met, known)]


def carry(
    services: Services, connection: Connection, sides: Sequence[Mapping[str, Any]], bands: Mapping[str, int]
) -> set[tuple[str, str]]:
    """Give new hits between filings the outcome of the pair they are of; (member, hit id) of those, to be told to none.

    `sides` are rows of hits and members that were just stored.
    """
    known = suppressed.on_filings(connection, [side["their_filing_id"] for side in sides])
    if not known:
        return set()
    met = [
        Met(
            side["member_id"],
            (side["own_filing_id"], side["own_position"]),
            side["their_filing_id"],
            side["their_position"],
            bands[side["hit_id"]],
        )
        for side in sides
    ]
    carried = set()
    for place, origin in among(services, connection, met, known).items():
        member_id, hit_id = sides[place]["member_id"], sides[place]["hit_id"]
        if outcomes.carry(connection, member_id, hit_id, origin):
            carried.add((member_id, hit_id))
            now, event_id = services.clock(), reciprocity.new_id(services, "evt")
            event = Event(event_id, now, EventKind.HIT_SUPPRESSED, None, member_id, hit_id, {"as": origin})
            events.append(connection, event)
    return carried


def reviewed(services: Services, connection: Connection, bands: Mapping[str, int]) -> None:
    """Show hits again, given with their bands, whose place has another subject now than the one that was ruled out.

    After a filing of either side was filed anew, and its hits were brought back under their old ids.
    """
    said = suppressed.ruled_out(connection, list(bands))
    if not said:
        return
    known = suppressed.on_filings(connection, [each.ends.their_filing_id for each in said])
    met = [_met(services, connection, each, bands[each.hit_id]) for each in said]
    still = among(services, connection, [each for each in met if each is not None], known)
    places = [place for place, each in enumerate(met) if each is not None]
    standing = {places[at] for at in still}
    for place in places:
        if place not in standing:
            _show_again(services, connection, said[place])


def _met(services: Services, connection: Connection, said: RuledOut, band: int) -> Met | None:
    """The pair of a hit as it is now; None where the encoding of the own side is kept no more."""
    own = _own(services, connection, said.member_id, said.ends)
    return None if own is None else Met(said.member_id, own, said.ends.their_filing_id, said.ends.their_position, band)


def _show_again(services: Services, connection: Connection, said: RuledOut) -> None:
    if said.carried_from is None:
        suppressed.lift(connection, said.member_id, said.hit_id)
    outcomes.take_back(connection, said.member_id, said.hit_id)
    figures: dict[str, str | int | None] = {"before": HitOutcome.NOT_SAME.value, "hits": 1, "rule": "another subject"}
    now, event_id = services.clock(), reciprocity.new_id(services, "evt")
    kind = EventKind.HIT_OUTCOME_WITHDRAWN
    events.append(connection, Event(event_id, now, kind, None, said.member_id, said.hit_id, figures))


def _of(services: Services, connection: Connection, met: Met, pairs: Sequence[Suppressed]) -> Iterator[str]:
    own = met.own if isinstance(met.own, EncodedSubject) else _filed(services, connection, *met.own)
    if own is None:
        return
    their = _filed(services, connection, met.their_filing_id, met.their_position)
    for each in pairs:
        ends = b"" if each.ends is None else services.sealer.unseal(named_context(each.id), each.ends)
        same_own, same_their = _digest(own) == ends[:_BYTES], _digest(their) == ends[_BYTES : 2 * _BYTES]
        if same_own and same_their:
            yield each.hit_id
            continue
        if met.band > each.band or (not same_their and each.their_position != met.their_position):
            continue
        own_then, their_then = _opened(ends[2 * _BYTES :])
        if each.own_screening_id is not None:
            own_then = _own(services, connection, met.member_id, each)
        if (same_own or _alike(services, own, own_then)) and (same_their or _alike(services, their, their_then)):
            yield each.hit_id


def _alike(services: Services, subject: EncodedSubject | None, before: EncodedSubject | None) -> bool:
    """Whether a subject is the one of before, as far as their encodings say."""
    if subject is None or before is None or subject.kind != before.kind:
        return False
    (found,) = services.linker.score_many([subject], [before], [[0]], pool_size=1)
    return any(match.band is Band.STRONG for match in found)


def _kept(own: EncodedSubject | None, their: EncodedSubject | None) -> bytes:
    """Two encodings as they are now: those that follow in a place are held against them."""
    first, second = (b"" if each is None else pack(replace(each, role="", name=None)) for each in (own, their))
    return len(first).to_bytes(4, "big") + first + second


def _opened(kept: bytes) -> tuple[EncodedSubject | None, EncodedSubject | None]:
    size = int.from_bytes(kept[:4], "big")
    first, second = kept[4 : 4 + size], kept[4 + size :]
    return unpack(first) if first else None, unpack(second) if second else None


def _own(
    services: Services, connection: Connection, member_id: str, ends: Suppressed | suppressed.Ends
) -> EncodedSubject | None:
    """The own side as it is now; None where that is kept no more."""
    if ends.own_filing_id is not None:
        return _filed(services, connection, ends.own_filing_id, ends.own_position)
    screening_id = ends.own_screening_id or ""
    sealed = suppressed.question(connection, member_id, screening_id)
    return unpack(services.sealer.unseal(named_context(screening_id), sealed)) if sealed else None


def _filed(services: Services, connection: Connection, filing_id: str, position: int) -> EncodedSubject | None:
    found = suppressed.subject(connection, filing_id, position)
    return None if found is None else unpack(services.sealer.unseal(record_context(found[0]), found[1]))


def _digest(subject: EncodedSubject | None) -> bytes:
    """What tells an encoding again; of one that is not there something that nothing has."""
    if subject is None:
        return bytes(_BYTES)
    # A trading name and a role may be put otherwise of the same.
    return hashlib.sha256(pack(replace(subject, role="", name=None))).digest()
