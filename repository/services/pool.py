"""The pool as a filing and a screening meet it: re-key, look up, open the candidates, score."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import chain
from operator import attrgetter, itemgetter

import numpy as np
import orjson
from sqlalchemy import Connection

from matching.candidates import Candidates as Pairs
from matching.columns import stack, stack_packed
from matching.schema import KindSchema, LinkageSchema
from matching.types import KEY_BYTES, EncodedSubject, ExplanationRow, Match
from matching.wire import PADDED, pack, unpack
from repository import metrics, tracing
from repository.domain.members import NUMBER_BITS, Member
from repository.services import Services
from repository.storage import filings, index
from repository.storage.filings import Candidate, Sealed
from repository.storage.index import Candidates, Hot, Wanted
from repository.storage.sealing import IndexSealer, Integers, Sealer, named_context, record_context

COMPOSITE_WEIGHT, BAND_WEIGHT = 8, 1
WEIGHED_AT_ONCE = 250
"""Subjects whose candidates are open in memory together: each has up to twenty, of some kilobytes."""
_KEY = np.dtype(f"V{KEY_BYTES}")
_Asked = tuple[int, EncodedSubject, Sequence[int]]
"""(place of a subject in what is asked, the subject, the records found for it)."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A pair in band possible or better: `subject` counts the subjects that were looked for."""

    subject: int
    candidate: Candidate
    match: Match


@dataclass(frozen=True, slots=True)
class Found:
    """What was found and scored, each as (place of the subject, record id, match): not yet what may be told of it."""

    seen: Sequence[tuple[int, int, Match]]
    keys: Candidates
    pool_sizes: Mapping[str, int]

    def records(self) -> list[int]:
        """The ids of the records that were found."""
        return sorted({record_id for _, record_id, _ in self.seen})

    def told(self, candidates: Mapping[int, Candidate]) -> Linked:
        """What was found with what is known of it. What is not there any more is left out."""
        sightings = [Sighting(place, candidates[r], match) for place, r, match in self.seen if r in candidates]
        sightings.sort(key=attrgetter("subject"))
        return Linked(tuple(sightings), self.keys.capped, self.keys, self.pool_sizes)


@dataclass(frozen=True, slots=True)
class Linked:
    """What the pool of the others holds on some subjects.

    `capped` are the hot keys skipped, for each subject; `keys` says which keys whoever writes next is to remember or
    forget (see `note_keys`) or to leave out of the index; `pool_sizes` the others' subjects by kind, which the weights
    were computed with.
    """

    sightings: tuple[Sighting, ...]
    capped: tuple[int, ...]
    keys: Candidates
    pool_sizes: Mapping[str, int]

    def by_subject(self) -> list[list[Sighting]]:
        """What was seen of each subject, best first."""
        grouped: list[list[Sighting]] = [[] for _ in self.capped]
        for each in self.sightings:
            grouped[each.subject].append(each)
        return grouped


def rekeyed(sealer: IndexSealer, schema: LinkageSchema, subjects: Sequence[EncodedSubject]) -> list[bytes]:
    """The keys by which each subject is found, under the operator's secret, as the index has them.

    In one call for each kind.
    """
    done = [b""] * len(subjects)
    for kind in dict.fromkeys(each.kind for each in subjects):
        places = [place for place, each in enumerate(subjects) if each.kind == kind]
        own = [subjects[place] for place in places]
        column = np.frombuffer(b"".join([each.keys for each in own]), _KEY)
        wanted = [_places(each.mask, schema.kinds[kind].index_mask) for each in own]
        first = np.cumsum([0, *(len(each.keys) // KEY_BYTES for each in own[:-1])])
        sizes = [len(each) for each in wanted]
        under = sealer.rekey(column[np.concatenate(wanted) + np.repeat(first, sizes)].tobytes(), kind)
        start = 0
        for place, size in zip(places, sizes, strict=True):
            done[place] = under[start : (start := start + size * KEY_BYTES)]
    return done


@lru_cache(maxsize=4096)
def _places(mask: int, index_mask: int) -> Integers:
    """Which of the keys of a mask are those of another."""
    bits = [bit for bit in range(mask.bit_length()) if mask >> bit & 1]
    return np.array([place for place, bit in enumerate(bits) if index_mask >> bit & 1], np.int64)


def link(
    services: Services,
    connection: Connection,
    member: Member,
    subjects: Sequence[EncodedSubject],
    *,
    also: Sequence[Sequence[int]] = (),
) -> Linked:
    """Find and score the other members' subjects for each subject; best first within a subject.

    `also` are records that are scored whether they are found or not, for each subject.
    """
    found = find(services, connection, member, subjects, also=also)
    return found.told(filings.candidates(connection, found.records(), other_than=member.id))


def find(
    services: Services,
    connection: Connection,
    member: Member,
    subjects: Sequence[EncodedSubject],
    *,
    also: Sequence[Sequence[int]] = (),
    sizes: Mapping[str, int] | None = None,
) -> Found:
    """The first half of `link`; `sizes` are those of the pool, where they were read before."""
    keys = rekeyed(services.sealer, services.schema, subjects)
    found = look_up(services, connection, member, subjects, keys)
    if also:
        records = tuple(tuple(dict.fromkeys(each)) for each in map(chain, found.records, also))
        found = replace(found, records=records)
    if sizes is None:
        sizes = index.pool_sizes(connection, other_than=member.id)
    return _scored(services, connection, subjects, found, sizes)


def link_found(
    services: Services, connection: Connection, member: Member, subjects: Sequence[EncodedSubject], found: Candidates
) -> Linked:
    """The rest of `link` after `look_up`."""
    scored = _scored(services, connection, subjects, found, index.pool_sizes(connection, other_than=member.id))
    return scored.told(filings.candidates(connection, scored.records(), other_than=member.id))


def _scored(
    services: Services,
    connection: Connection,
    subjects: Sequence[EncodedSubject],
    found: Candidates,
    sizes: Mapping[str, int],
) -> Found:
    with tracing.span("compare and weigh"):
        return Found(_weigh(services, connection, subjects, found, sizes), found, sizes)


def hold(connection: Connection, member: Member, found: Found) -> Callable[[], Linked]:
    """The other half, to be had later; in a writing transaction, until whose end what was found stays what it is."""
    told = filings.held(connection, found.records(), other_than=member.id)
    return lambda: found.told(told())


def look_up(
    services: Services,
    connection: Connection,
    member: Member,
    subjects: Sequence[EncodedSubject],
    keys: Sequence[bytes],
) -> Candidates:
    """What the index holds of the other members on some subjects, by their re-keyed `keys`."""
    kinds = services.schema.kinds
    wanted = [Wanted(own, key_weights(kinds[each.kind], each.mask)) for own, each in zip(keys, subjects, strict=True)]
    with tracing.span("look up", {"frankpledge.subjects": len(subjects)}):
        found = index.look_up(
            connection,
            services.sealer,
            wanted,
            own=member.number,
            hot=hot(services, services.clock()),
            limit=services.rulebook.matching.candidates_per_subject,
        )
        tracing.note("frankpledge.candidates", sum(map(len, found.records)))
        tracing.note("frankpledge.capped_keys", sum(found.capped))
    metrics.CAPPED_KEYS.inc(sum(found.capped))
    return found


def _weigh(
    services: Services,
    connection: Connection,
    subjects: Sequence[EncodedSubject],
    found: Candidates,
    sizes: Mapping[str, int],
) -> list[tuple[int, int, Match]]:
    seen: list[tuple[int, int, Match]] = []
    for kind in dict.fromkeys(each.kind for each in subjects):
        own = [place for place, each in enumerate(subjects) if each.kind == kind]
        for start in range(0, len(own), WEIGHED_AT_ONCE):
            part = [(place, subjects[place], found.records[place]) for place in own[start : start + WEIGHED_AT_ONCE]]
            seen += _compare(services, connection, part, sizes.get(kind, 0))
    return seen


def _compare(
    services: Services, connection: Connection, part: Sequence[_Asked], pool_size: int
) -> list[tuple[int, int, Match]]:
    """Open what was found of some subjects of one kind, and score it: (place of the subject, record id, match)."""
    asked = np.repeat(np.arange(len(part)), [len(records) for _, _, records in part])
    found = np.fromiter(chain.from_iterable(records for _, _, records in part), np.int64, len(asked))
    kind = part[0][1].kind
    spec = services.schema.kinds[kind]
    sealed = filings.sealed(connection, found, kind)
    pooled = np.array([*map(itemgetter(0), sealed)] or [-1], np.int64)
    others = np.minimum(np.searchsorted(pooled, found), len(pooled) - 1)
    known = pooled[others] == found
    pairs = Pairs(asked[known], others[known], 0)
    for count in np.bincount(pairs.rows, minlength=len(part)).tolist():
        metrics.CANDIDATES.observe(count)
    if not sealed:
        return []
    matches = services.linker.score_stacked(
        stack([subject for _, subject, _ in part], spec),
        stack_packed(services.sealer.unseal_each((record_context(each), envelope) for each, envelope in sealed), spec),
        pairs,
        kind,
        pool_size=pool_size,
    )
    scored = zip(part, matches, strict=True)
    return [(place, int(pooled[match.position]), match) for (place, _, _), each in scored for match in each]


def hot(services: Services, now: datetime) -> Hot:
    """When a key counts as hot, by the rulebook."""
    return Hot(services.rulebook.matching.hot_key_rows, now - timedelta(hours=services.rulebook.matching.hot_key_hours))


def note_keys(services: Services, connection: Connection, linked: Linked, now: datetime) -> None:
    """Remember the keys that were found hot, forget those that are not any more."""
    found = linked.keys
    index.remember_hot(connection, found.crowded, found.cooled, hot=hot(services, now), now=now)


@lru_cache(maxsize=4096)
def key_weights(schema: KindSchema, mask: int) -> Integers:
    """How much each key of a mask, of those by which records are found, counts in ranking candidates.

    One shared composite or identifier says more than several bands: with a large pool strangers share a band now and
    then, and someone who shares but a telephone must not be crowded out by them.
    """
    bits = [bit for bit in schema.index_bits if mask >> bit & 1]
    return np.array([BAND_WEIGHT if schema.keys[bit].band is not None else COMPOSITE_WEIGHT for bit in bits], np.int64)


def record_ids(count: int, member: Member) -> list[int]:
    """Record ids of 63 bits: random ones, which say nothing of order or time, then the member's number."""
    drawn = np.frombuffer(os.urandom(8 * count), dtype=np.uint64) >> np.uint64(1 + NUMBER_BITS)
    return [int(each) << NUMBER_BITS | member.number for each in drawn]


def seal_subject(sealer: Sealer, record_id: int, subject: EncodedSubject) -> bytes:
    """The envelope of a subject, with its keys as the member made them: sealed, and ready for another secret."""
    return sealer.seal(record_context(record_id), pack(subject))


def open_subject(sealer: Sealer, sealed: Sealed) -> EncodedSubject:
    """A subject's encoding, in the role it has now. Raises SealError for another operator secret."""
    subject = unpack(sealer.unseal(record_context(sealed.record_id), sealed.envelope))
    return subject if subject.role == sealed.role else replace(subject, role=sealed.role)


def seal_evidence(sealer: Sealer, hit_id: str, match: Match) -> bytes:
    """Weight, probability and explanation of a hit, sealed: how alike two records are is not to be read off a table.

    Nor off a length: with blanks it is one of few.
    """
    rows = [[row.field, row.level, row.weight] for row in match.rows]
    content = orjson.dumps([match.weight, match.probability, rows])
    return sealer.seal(named_context(hit_id), content.ljust(-(-len(content) // PADDED) * PADDED))


def notice_context(filing_id: str) -> bytes:
    """Under which the notice of a filing is sealed."""
    return named_context(f"{filing_id}/notice")


def open_notice(sealer: Sealer, filing_id: str, sealed: bytes | None) -> str | None:
    """The words of the person in a record, where there are any. Raises SealError."""
    return None if sealed is None else sealer.unseal(notice_context(filing_id), sealed).decode()


def open_evidence(sealer: Sealer, hit_id: str, sealed: bytes) -> tuple[float, float, tuple[ExplanationRow, ...]]:
    """Weight in bits, probability and explanation of a stored hit. Raises SealError."""
    weight, probability, rows = orjson.loads(sealer.unseal(named_context(hit_id), sealed))
    return weight, probability, tuple(ExplanationRow(*row) for row in rows)
