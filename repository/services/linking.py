"""Linking claims as they are filed, by a job: a new claim costs what its neighbourhood costs.

Its people and vehicles are looked up in the index among all members' claims, its own member's too, as far as keys are
not hot. What is found is compared and kept as links; the networks of the claims that are linked now are put together
anew, and what the members concerned may see of these is looked through for patterns.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import chain
from operator import itemgetter

import numpy as np
import structlog
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from matching.candidates import Candidates as Pairs
from matching.columns import stack, stack_packed
from matching.contacts import in_common
from matching.types import Band, EncodedSubject, Kind
from matching.wire import unpack
from repository.domain.flags import Flag
from repository.domain.jobs import Ahead, Job, JobKind, JobStatus
from repository.domain.labels import UNLABELLED
from repository.domain.members import NUMBER_BITS
from repository.domain.networks import LinkKind
from repository.domain.rulebook import NetworkRules
from repository.services import Services, aftermath, network_findings, pool
from repository.services.networks import grouped, is_linked, is_provider, key_of
from repository.storage import aftermath as waiting
from repository.storage import dialect, filings, index, jobs, networks
from repository.storage.index import Wanted
from repository.storage.networks import ALL, StoredClaim, StoredLink, StoredSubject
from repository.storage.sealing import record_context

AT_ONCE = 100
"""Claims in one transaction, for which others that file wait."""
MOST_TOUCHED = 2000
"""Networks that are put together anew in one transaction."""
SUBJECTS_AT_ONCE = 250
MEMBER_MASK = (1 << NUMBER_BITS) - 1
KEPT_JOBS = timedelta(days=1)
NOBODY = -1
"""Whose own records are left out of what is found: nobody's."""
_Found = tuple[float, int, list[tuple[LinkKind, bool]]]
"""Bits, the record found, and what it has in common, each with whether a name is the same."""
_log = structlog.get_logger("frankpledge.networks")


@dataclass(slots=True)
class Work:
    """What was found for some claims, and what it cost: records compared, and claims put together anew."""

    taken: Sequence[str] = ()
    filing_ids: Sequence[str] = ()
    links: list[StoredLink] = field(default_factory=list)
    providers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    compared: int = 0
    regrouped: int = 0
    rest: tuple[str, Sequence[str]] | None = None
    outlook: network_findings.Outlook | None = None


def prepare(services: Services, job: Job) -> Work:
    """Find what the next claims have in common with others, or look through what was put together. Reads only."""
    touched = job.cursor.get("touched")
    with services.database.reading(long=True) as connection:
        if touched:
            return Work(outlook=network_findings.look(services, connection, touched))
        taken, filing_ids, rest = [], dict[str, None](), None
        for each in waiting.following(connection, JobKind.NETWORK, limit=AT_ONCE):
            room = AT_ONCE - len(filing_ids)
            if room <= 0:
                break
            filing_ids.update(dict.fromkeys(each.filings[:room]))
            if len(each.filings) > room:
                rest = each.id, each.filings[room:]
                break
            taken.append(each.id)
        work = find(services, connection, list(filing_ids))
    work.taken, work.rest = taken, rest
    return work


def step(services: Services, session: Session, job: Job, work: Work) -> Ahead:
    """Keep what was found; in the step after that, report what it makes, for which nobody who files waits."""
    connection = session.connection()
    if work.outlook is not None:
        network_findings.tell(services, connection, work.outlook)
    else:
        touched = settle(services, connection, work)
        waiting.forget(connection, work.taken)
        if work.rest is not None:
            waiting.shorten(connection, *work.rest)
        if touched:
            return Ahead(job.done + len(work.filing_ids), {"touched": sorted(touched)})
    jobs.forget(connection, JobKind.NETWORK, before=services.clock() - KEPT_JOBS, limit=AT_ONCE)
    over = aftermath.is_over(connection, JobKind.NETWORK)
    return Ahead(job.done + len(work.filing_ids), status=JobStatus.DONE if over else None)


def ended(_services: Services, _connection: Connection, _job: Job, _status: JobStatus) -> None:
    """Nothing follows: findings were told of one by one."""


def find(services: Services, connection: Connection, filing_ids: Sequence[str]) -> Work:
    """What some claims have in common with others, and who provides for them; of other filings nothing."""
    rules = services.rulebook.networks
    known = networks.claims(connection, filing_ids, rules.classes)
    work = Work(filing_ids=sorted(known))
    subjects = networks.subjects(connection, known)
    opened = [each for each in subjects if each.envelope]
    plain = services.sealer.unseal_each((record_context(each.record_id), each.envelope) for each in opened)
    encoded = list(map(unpack, plain))
    work.providers = _providers(services, known, opened, encoded)
    hidden = {each.filing_id for each in known.values() if each.labels.flag == Flag.SUPPRESSED}
    asked = [
        (one, of)
        for one, of in zip(opened, encoded, strict=True)
        if is_linked(one.kind, one.role) and one.filing_id not in hidden
    ]
    for kind in dict.fromkeys(one.kind for one, _ in asked):
        of_kind = [pair for pair in asked if pair[0].kind == kind]
        for start in range(0, len(of_kind), SUBJECTS_AT_ONCE):
            _link(services, connection, work, of_kind[start : start + SUBJECTS_AT_ONCE])
    return work


def settle(services: Services, connection: Connection, work: Work) -> set[str]:
    """Keep the links of some claims, and put the networks together that they are in now; the claims of these."""
    rules = services.rulebook.networks
    dialect.lock_pool(connection)  # who removes a claim ends first, or finds the links
    ends = {end for each in work.links for end in (each.low_filing_id, each.high_filing_id)}
    there = networks.claims(connection, {*work.filing_ids, *ends}, rules.classes)
    own = [each for each in work.filing_ids if each in there]
    before = networks.networks_of(connection, own)
    networks.drop_links(connection, own)
    kept = [each for each in work.links if each.low_filing_id in there and each.high_filing_id in there]
    networks.add_links(connection, kept)
    counted = _count(connection, work, [there[each] for each in own])
    near = networks.networks_of(connection, networks.neighbours(connection, own))
    touched = {*networks.claims_of(connection, sorted({*before.values(), *near.values()})[:MOST_TOUCHED]), *own}
    counted |= networks.counted(connection, touched.difference(own))
    work.regrouped = len(touched)
    links = networks.links_among(connection, touched)
    _regroup(connection, touched, links, counted, rules)
    _log.info("claims linked", claims=len(own), links=len(kept), compared=work.compared, regrouped=work.regrouped)
    return touched


def _link(
    services: Services, connection: Connection, work: Work, part: Sequence[tuple[StoredSubject, EncodedSubject]]
) -> None:
    """Look some subjects of one kind up, and compare what is found."""
    rules, kind = services.rulebook.networks, part[0][1].kind
    encoded = [each for _, each in part]
    keys = pool.rekeyed(services.sealer, services.schema, encoded)
    spec = services.schema.kinds[kind]
    wanted = [Wanted(own, pool.key_weights(spec, each.mask)) for own, each in zip(keys, encoded, strict=True)]
    hot, limit = pool.hot(services, services.clock()), services.rulebook.matching.candidates_per_subject
    found = index.look_up(connection, services.sealer, wanted, own=NOBODY, hot=hot, limit=limit)
    places = networks.places(connection, chain.from_iterable(found.records), rules.classes)
    pairs = [
        (row, record)
        for row, records in enumerate(found.records)
        for record in records
        if record in places and places[record][0] != part[row][0].filing_id and is_linked(kind, places[record][2])
    ]
    work.compared += len(pairs)
    if not pairs:
        return
    sealed = filings.sealed(connection, np.array(sorted({record for _, record in pairs}), np.int64), kind)
    sealed = [each for each in sealed if each[1]]
    at = {record: place for place, (record, _) in enumerate(sealed)}
    plain = services.sealer.unseal_each((record_context(record), envelope) for record, envelope in sealed)
    pairs = [(row, record) for row, record in pairs if record in at]
    compared = _compare(services, connection, (kind, encoded, plain), [(row, at[record]) for row, record in pairs])
    heaviest: dict[int, list[_Found]] = defaultdict(list)
    most = rules.links_per_subject
    for (row, record), shared in zip(pairs, compared, strict=True):
        if shared:
            heaviest[row].append((sum(rules.bits[each] for each, _ in shared), record, shared))
    for row, links in heaviest.items():
        ranked = sorted(links, key=itemgetter(0, 1), reverse=True)
        for _, record, shared in _fairly(ranked, most):
            ours, theirs = (part[row][0].filing_id, part[row][0].position), places[record][:2]
            (low, high) = sorted((ours, theirs))
            work.links += [StoredLink(*low, *high, each.value, named) for each, named in shared]


def _fairly(ranked: Sequence[_Found], most: int) -> list[_Found]:
    """The first of what was found, one member's beyond half of the places only where the others leave them free."""
    times = Counter[int]()
    first, rest = list[_Found](), list[_Found]()
    for each in ranked:
        member = each[1] & MEMBER_MASK
        times[member] += 1
        (first if times[member] <= max(1, most // 2) else rest).append(each)
    return [*first, *rest][:most]


def _compare(
    services: Services,
    connection: Connection,
    sides: tuple[Kind, Sequence[EncodedSubject], Sequence[bytes]],
    pairs: Sequence[tuple[int, int]],
) -> list[list[tuple[LinkKind, bool]]]:
    """What each pair has in common, each with whether a name is the same: one person, or else contact and address.

    `sides` are of one kind: those looked up, and what was found, packed.
    """
    kind, encoded, plain = sides
    spec = services.schema.kinds[kind]
    left, right = stack(encoded, spec), stack_packed(plain, spec)
    rows, others = (np.array([pair[end] for pair in pairs], np.int64) for end in (0, 1))
    size = index.pool_sizes(connection, other_than="").get(kind, 0)
    matches = services.linker.score_stacked(left, right, Pairs(rows, others, 0), kind, pool_size=size)
    same = {(row, match.position) for row, each in enumerate(matches) for match in each if match.band >= Band.PROBABLE}
    if kind != "person":
        return [[(LinkKind.VEHICLE, False)] if pair in same else [] for pair in pairs]
    common = in_common(left, right, Pairs(rows, others, 0), spec)
    found: list[list[tuple[LinkKind, bool]]] = []
    for place, pair in enumerate(pairs):
        if pair in same and common.known[place]:  # of who is only reached alike nothing tells that it is another one
            found.append([(LinkKind.PERSON, True)])
        else:
            named = bool(common.named[place])
            found.append([(LinkKind(name), named) for name, has in common.shared.items() if has[place]])
    return found


def _providers(
    services: Services,
    known: Iterable[str],
    subjects: Sequence[StoredSubject],
    encoded: Sequence[EncodedSubject],
) -> dict[str, list[str]]:
    """The keys of the providers of each claim."""
    found: dict[str, set[str]] = {each: set() for each in known}
    for one, of in zip(subjects, encoded, strict=True):
        key = key_of(services, of.mask, of.keys) if is_provider(one.kind, one.role) else None
        if key is not None:
            found[one.filing_id].add(key)
    return {each: sorted(keys) for each, keys in found.items()}


def _count(connection: Connection, work: Work, claims: Sequence[StoredClaim]) -> set[str]:
    """Count claims with their providers, but those that a label or flag may hide; the ids of those that are counted."""
    before = networks.counted(connection, [each.filing_id for each in claims])
    after = {each.filing_id for each in claims if each.labels == UNLABELLED}
    added = Counter[tuple[str, str, str]]()
    for each in claims:
        change = (each.filing_id in after) - (each.filing_id in before)
        for key in (*work.providers.get(each.filing_id, ()), ALL):
            added[key, each.line, each.record_class] += change
    networks.count_providers(connection, added)
    return after


def _regroup(
    connection: Connection,
    touched: Iterable[str],
    links: Sequence[StoredLink],
    counted: Container[str],
    rules: NetworkRules,
) -> None:
    """Put claims into networks by the links among them, and note which."""
    parts = grouped(dict.fromkeys(touched), links, rules)
    networks.put_claims(connection, {each: min(part) for part in parts for each in part}, counted)
