"""What was filed, held against what stands: a hit for who asked before, as far as it may see now, and an alert.

A job that takes what intake notes (`services.aftermath`), some filings in a step. It looks their keys up in the index
of watches, and costs what these filings cost, however much stands. Found and scored outside of any transaction; what
is written is decided in the one in which the job moves on.

A decision is stored where something is told by it, and only there: one by which nothing may be seen would tell, in the
member's list of decisions, that there was something to decide on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from matching.types import EncodedSubject, Match
from repository.domain import disclosure
from repository.domain.alerts import AlertKind
from repository.domain.asking import Request
from repository.domain.events import EventKind
from repository.domain.jobs import Ahead, Job, JobKind, JobStatus
from repository.domain.members import NUMBER_BITS, Actor, Member
from repository.domain.rulebook import HIT_TIER, NO_TIER
from repository.services import Services, aftermath, alerting, entitlements, hits, pool, reciprocity, suppression
from repository.services.entitlements import Granted
from repository.services.hitmaking import Source, record_screening_hits, scored
from repository.services.pool import Linked, Sighting
from repository.services.watching import subject_of
from repository.storage import aftermath as noted
from repository.storage import filings, index, jobs, rescored, suppressed, watches
from repository.storage import hits as stored
from repository.storage.aftermath import TakenIn
from repository.storage.index import Candidates, Wanted
from repository.storage.members import find_member
from repository.storage.rescored import Placed
from repository.storage.sealing import SealError
from repository.storage.watches import Asked

ACTION = "watch"
AT_ONCE = 1000
"""Filings in one step, unless one chunk has more."""
_ROWS = 200
OWED_PAUSE, OWED_AT_ONCE = timedelta(hours=23), 50
"""How often, and how many at a time, watches are looked for again that met what could not be told."""

_log = structlog.get_logger("frankpledge.monitoring")
_NO_KEYS = Candidates((), (), {}, (), {})


@dataclass(frozen=True, slots=True)
class Pair:
    """A watch and a subject that was filed, which match."""

    asked: Asked
    record_id: int
    match: Match


@dataclass(frozen=True, slots=True)
class Looked:
    """What a step has looked at: rows that intake noted, how many filings these are, and what was found."""

    rows: Sequence[str]
    filings: int
    pairs: Sequence[Pair]


def prepare(services: Services, job: Job) -> Looked:
    """Find what the next filings match of what stands."""
    with services.database.reading(long=True) as connection:
        taken: list[TakenIn] = []
        count = 0
        rows = 1 if job.attempts > 1 else _ROWS  # what failed is done by itself, and set aside if it fails again
        for each in noted.following(connection, JobKind.MONITOR, limit=rows):
            if taken and count + len(each.filings) > AT_ONCE:
                break
            taken.append(each)
            count += len(each.filings)
        filing_ids = sorted({filing_id for each in taken for filing_id in each.filings})
        stands = filing_ids and watches.any_standing(connection, now=services.clock())
        pairs = _found(services, connection, rescored.subjects(connection, filing_ids)) if stands else []
    return Looked([each.id for each in taken], len(filing_ids), pairs)


def step(services: Services, session: Session, job: Job, looked: Looked) -> Ahead:
    """Write down what was found, and move on; over where nothing is left."""
    connection = session.connection()
    by_asker = defaultdict(list)
    for pair in looked.pairs:
        watch = pair.asked.watch
        by_asker[watch.member_id, watch.actor_id, pair.asked.purpose, pair.asked.line].append(pair)
    for (member_id, actor_id, *_), pairs in sorted(by_asker.items()):
        row = find_member(session, member_id)
        if row is not None:
            _told(services, connection, Actor(actor_id, frozenset(), row.as_member()), pairs)
    noted.forget(connection, looked.rows)
    jobs.forget(connection, JobKind.MONITOR, before=services.clock(), limit=AT_ONCE)
    over = not looked.rows and aftermath.is_over(connection, JobKind.MONITOR)
    return Ahead(job.done + looked.filings, {}, JobStatus.DONE if over else None)


def ended(services: Services, connection: Connection, _job: Job, status: JobStatus) -> None:
    """Of what failed again and again the first is set aside for a day, and logged, so that the rest goes on."""
    if status is JobStatus.FAILED:
        for each in noted.following(connection, JobKind.MONITOR, limit=1):
            _log.error("set aside for a day", taken_in=each.id, filings=len(each.filings))
            noted.set_aside(connection, each.id)
        jobs.wake(connection, [aftermath.job_row(services, JobKind.MONITOR)])


def make_up(services: Services) -> int:
    """Look again for what stands and met what its member could not be told of, once a day; how many watches.

    A member is suspended for a time, a record is restricted for a time: what was met then is not lost.
    """
    now = services.clock()
    with services.database.reading(long=True) as connection:
        owing = watches.owed(connection, before=now - OWED_PAUSE, now=now, limit=OWED_AT_ONCE)
    for asked in owing:
        with services.database.read() as session:
            row = find_member(session, asked.watch.member_id)
            member = None if row is None else row.as_member()
            seen = [] if member is None else _seen(services, session.connection(), member, asked)
        with services.database.writing() as connection:
            watches.owe(connection, asked.watch.member_id, [asked.watch.id], None)
            if seen:
                _told(services, connection, Actor(asked.watch.actor_id, frozenset(), member), seen)
    return len(owing)


def _seen(services: Services, connection: Connection, member: Member, asked: Asked) -> list[Pair]:
    """What a watch matches of all that is in the pool; nothing where its question does not open."""
    questions = list(_questions(services, {asked.watch.number: asked}).values())
    found = pool.find(services, connection, member, questions).seen if questions else ()
    return [Pair(asked, record_id, match) for _, record_id, match in found]


def _found(services: Services, connection: Connection, placed: Sequence[Placed]) -> list[Pair]:
    """The watches of other members that match subjects, each with the subject."""
    placed, opened = _opened(services, placed)
    sealer, kinds = services.sealer.watches, services.schema.kinds
    keys = pool.rekeyed(sealer, services.schema, opened)
    weights = [pool.key_weights(kinds[each.kind], each.mask) for each in opened]
    wanted = [Wanted(own, weight) for own, weight in zip(keys, weights, strict=True)]
    numbers = watches.look_up(connection, sealer, wanted)
    known = watches.standing(connection, sorted({n for each in numbers for n in each}), now=services.clock())
    questions = _questions(services, known)
    met = defaultdict(list)  # the subjects that share a key with each watch
    for place, each in enumerate(placed):
        for number in numbers[place]:
            of_another = (number ^ each.sealed.record_id) & ((1 << NUMBER_BITS) - 1)
            if of_another and number in questions and known[number].kind == each.sealed.kind:
                met[number].append(place)
    pairs = []
    groups = {(known[number].watch.member_id, known[number].kind) for number in met}
    for member_id, kind in sorted(groups):
        asked = [n for n in sorted(met) if (known[n].watch.member_id, known[n].kind) == (member_id, kind)]
        there = sorted({place for number in asked for place in met[number]})
        at = {place: position for position, place in enumerate(there)}
        matches = services.linker.score_many(
            [questions[number] for number in asked],
            [opened[place] for place in there],
            [[at[place] for place in met[number]] for number in asked],
            pool_size=index.pool_sizes(connection, other_than=member_id).get(kind, 0),
        )
        for number, found in zip(asked, matches, strict=True):
            pairs += [Pair(known[number], placed[there[each.position]].sealed.record_id, each) for each in found]
    return pairs


def _opened(services: Services, placed: Sequence[Placed]) -> tuple[list[Placed], list[EncodedSubject]]:
    """The subjects that open, with their places: one that does not must not keep the others from being looked at."""
    kept, opened = [], []
    for each in placed:
        try:
            opened.append(pool.open_subject(services.sealer, each.sealed))
            kept.append(each)
        except (SealError, ValueError):
            _log.error("a subject does not open", filing=each.filing_id, position=each.position)
    return kept, opened


def _questions(services: Services, known: Mapping[int, Asked]) -> dict[int, EncodedSubject]:
    """The questions of watches that open, by number."""
    found = {}
    for number, asked in known.items():
        try:
            found[number] = subject_of(services, asked)
        except (SealError, ValueError):
            _log.error("a question does not open", watch=asked.watch.id)
    return found


def _told(services: Services, connection: Connection, actor: Actor, pairs: Sequence[Pair]) -> None:
    """Make the hits of one asker for one purpose, as far as it may see now, and alert it of those."""
    member = actor.member
    if member is None:
        return
    asked = pairs[0].asked
    request = Request(ACTION, asked.purpose, asked.line, asked=0)
    granted = entitlements.entitled(services, connection, actor, member, request, keep=False)
    if not granted.entitlement.allowed:
        watches.owe(connection, member.id, sorted({each.asked.watch.id for each in pairs}), granted.now)
        return
    there = filings.held(connection, sorted({each.record_id for each in pairs}), other_than=member.id)()
    made: dict[str, str] = {}
    by_watch = defaultdict(list)
    for pair in pairs:
        if pair.record_id in there and _stands(services, connection, pair.asked):
            by_watch[pair.asked.watch.id].append(pair)
    for watch_id, found in sorted(by_watch.items()):
        seen = [Sighting(0, there[each.record_id], each.match) for each in found]
        hit_ids = _hits(services, connection, granted, found[0].asked, seen)
        made |= dict.fromkeys(hit_ids, watch_id)
    shown = hits.visible_by(connection, member.id, granted, sorted(made)) if made else []
    if shown:
        entitlements.remember(connection, granted)
        entitlements.tell(services, connection, granted, EventKind.WATCH_MATCHED, {"hits": len(shown)})
    told = {f"{AlertKind.WATCH_HIT.value}:{each}": {"watch": made[each], "hit": each} for each in shown}
    alerting.tell_many(services, connection, member.id, AlertKind.WATCH_HIT, told)


def _stands(services: Services, connection: Connection, asked: Asked) -> bool:
    """Whether it does still, in this transaction."""
    watches.hold(connection, asked.watch.member_id, asked.watch.id)
    found = watches.one(connection, asked.watch.member_id, asked.watch.id)
    return found is not None and found.watch.stands(services.clock())


def _hits(
    services: Services, connection: Connection, granted: Granted, asked: Asked, seen: Sequence[Sighting]
) -> list[str]:
    """Store what one watch met that its member may see and did not rule out; the ids of the new hits.

    What it met before in an earlier version of a filing, and again now, is as it was, under its old id.
    """
    member, rulebook = granted.member, granted.rulebook
    records = [each.candidate.record_id for each in seen]
    known = suppressed.against(connection, member.id, records)()
    ruled_out = suppression.seen_before(services, connection, [subject_of(services, asked)], seen, known)
    before = watches.hits_of(connection, asked.watch.screening_id)
    pool_size = index.pool_sizes(connection, other_than=member.id).get(asked.kind, 0)
    found: list[tuple[str, str, int, Sighting]] = []
    revived: list[dict[str, Any]] = []
    for each in seen:
        record = each.candidate
        may = granted.entitlement.tier(record.line, record.record_class)
        hit_id, live = before.get((record.filing_id, record.position), (None, False))
        if each in ruled_out or live:
            continue
        if disclosure.tier_of(may, record.labels, rulebook) < HIT_TIER:
            watches.owe(connection, member.id, [asked.watch.id], granted.now)
            continue
        if hit_id is not None:
            revived.append({"hit": hit_id, **scored(services, hit_id, each.match, pool_size)})
        elif len(before) + len(found) < rulebook.monitoring.hits_per_watch:
            found.append((reciprocity.new_id(services, "hit"), asked.watch.screening_id, NO_TIER, each))
    stored.revive(connection, revived)
    linked = Linked(tuple(seen), (), _NO_KEYS, {asked.kind: pool_size})
    source = Source(member, asked.watch.actor_id, None, granted.now)
    record_screening_hits(services, connection, source, found, linked)
    return [hit_id for hit_id, *_ in found]
