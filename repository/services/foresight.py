"""What can be done for a chunk of a batch while those before are written: plan it, look it up, score it, close it.

In two halves, so that PostgreSQL looks one chunk up while the one before is scored. It is read on connections of its
own, before the pool is locked for the chunk. Whoever adds to the pool is counted
(`storage.index.note_write`): where between the reading and the lock nobody but the batch itself has written, what was
found is what would be found under the lock, since a member's own records are never candidates. Else it is done again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from sqlalchemy import Connection

from matching.types import EncodedSubject
from repository.domain.filings import Outcome
from repository.domain.members import Member
from repository.services import Services, crediting, planning, pool
from repository.services.hitmaking import Source
from repository.services.planning import Numbered, Plan, Taken, Written
from repository.services.pool import Linked
from repository.storage import index
from repository.storage.index import Candidates, Rows


@dataclass(frozen=True, slots=True)
class Sought:
    """Subjects of filings that are to be matched, with their re-keyed keys and what the index holds on them."""

    subjects: Sequence[EncodedSubject]
    rekeyed: Sequence[bytes]
    found: Candidates


@dataclass(frozen=True, slots=True)
class Prepared:
    """Subjects with what is to be stored of them, closed, and what the pool of the others holds on them."""

    subjects: Sequence[EncodedSubject]
    record_ids: Sequence[int]
    envelopes: Sequence[bytes]
    rows: Rows
    linked: Linked


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What was made of a chunk ahead: `matched` are the rows that `prepared` is of, `number` the writes it has seen.

    `digests` are those of the subjects of what will be new, by the filing's id.
    """

    number: int = -1
    as_new: Mapping[int, Plan] = field(default_factory=dict)
    digests: Mapping[str, int] = field(default_factory=dict)
    matched: Sequence[int] = ()
    prepared: Prepared | None = None

    def settled(
        self, services: Services, matched: Sequence[Plan], number: int, own: Mapping[int, Written]
    ) -> Prepared | None:
        """What holds still when the pool is locked for the write `number`; None where others have written since."""
        unseen = range(self.number + 1, number)
        same = self.matched == [each.numbered.row for each in matched]
        if self.prepared is None or not same or not all(each in own for each in unseen):
            return None
        keys = self.prepared.linked.keys
        noted = frozenset[int]().union(*(own[each].noted for each in unseen))
        rows = [keys.own, *(own[each].keys for each in unseen)]
        held, share = np.concatenate(rows), pool.hot(services, services.clock()).share
        changes = any(each.outcome is Outcome.NEW_VERSION for each in matched)
        if changes and not index.countable(self.prepared.rows, held, share).all():
            return None  # the rows of the version before, taken out meanwhile, were counted
        crowded = {key: rows for key, rows in keys.crowded.items() if key not in noted}
        cooled = tuple(key for key in keys.cooled if key not in noted)
        keys = replace(keys, own=held, crowded=crowded, cooled=cooled)
        return replace(self.prepared, linked=replace(self.prepared.linked, keys=keys))


NOTHING = Foreseen()


@dataclass(frozen=True, slots=True)
class LookedUp:
    """The first half of what is foreseen: the filings planned, and those that are to be `matched` looked up."""

    number: int
    taken: Taken
    matched: Sequence[Plan]
    sought: Sought | None


def look_ahead(services: Services, connection: Connection, source: Source, batch: Sequence[Numbered]) -> LookedUp:
    """Plan filings, and look up those that are to be matched. Reads only."""
    number = index.writes(connection)  # first: what is read after it holds all of them
    taken = planning.plan(services, connection, source, batch)
    matched = [each for each in taken.plans if each.matched]
    return LookedUp(number, taken, matched, seek(services, connection, source.member, matched) if matched else None)


def foresee(services: Services, connection: Connection, source: Source, ahead: LookedUp) -> Foreseen:
    """Score and close what was looked up. Reads only."""
    new = {each.filing_id: each.numbered.filing for each in ahead.matched if each.outcome is Outcome.CREATED}
    digests = crediting.digests(services, source, new)
    prepared = None if ahead.sought is None else prepare(services, connection, source.member, ahead.sought)
    return Foreseen(ahead.number, ahead.taken.as_new, digests, [each.numbered.row for each in ahead.matched], prepared)


def seek(services: Services, connection: Connection, member: Member, matched: Sequence[Plan]) -> Sought:
    """Look the subjects of filings up."""
    subjects = [subject for each in matched for subject in each.numbered.filing.subjects]
    keys = pool.rekeyed(services.sealer, services.schema, subjects)
    return Sought(subjects, keys, pool.look_up(services, connection, member, subjects, keys))


def prepare(services: Services, connection: Connection, member: Member, sought: Sought) -> Prepared:
    """Score the subjects of filings, and close them."""
    subjects = sought.subjects
    linked = pool.link_found(services, connection, member, subjects, sought.found)
    record_ids = pool.record_ids(len(subjects), member)
    envelopes = [
        pool.seal_subject(services.sealer, record_id, subject)
        for record_id, subject in zip(record_ids, subjects, strict=True)
    ]
    return Prepared(subjects, record_ids, envelopes, index.rows(services.sealer, record_ids, sought.rekeyed), linked)
