"""What filings count for on the ledger of who files them, and how many hits of theirs may be told."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType

import orjson
from sqlalchemy import Connection

from matching.types import KEY_BYTES, EncodedSubject, Kind
from repository.domain import disclosure
from repository.domain.asking import Request
from repository.domain.filings import Filing
from repository.domain.members import Actor
from repository.domain.rulebook import CLASS_TIER, HIT_TIER, Rulebook
from repository.services import Services, entitlements
from repository.services.entitlements import DEFAULT_PURPOSE, Granted
from repository.services.hitmaking import Source
from repository.services.pool import Sighting
from repository.storage import credited, ledger
from repository.storage.credited import Credit, Place
from repository.storage.ledger import LedgerRow
from repository.storage.members import admitted_on
from repository.storage.sealing import Sealer

ACTION = "filing"
_DIGEST_BYTES = 8

Pair = tuple[str, str]
Seen = Sequence[tuple[str, Sighting]]
"""What was seen, with the id of the filing each is of."""


@dataclass(frozen=True, slots=True)
class _Terms:
    """What filings are judged by: the rulebook, the day, and the day their member was admitted.

    `keys_needed` are those that a subject of a kind is thin with fewer of; one of a kind with few of them needs all.
    """

    rulebook: Rulebook
    today: date
    admitted: date
    keys_needed: Mapping[Kind, int]

    @property
    def since(self) -> datetime:
        """When the window began."""
        return datetime.combine(self.today - timedelta(days=self.rulebook.window.days), time(), UTC)

    def thin(self, subjects: Sequence[EncodedSubject]) -> bool:
        """Whether each subject has too few keys."""
        for each in subjects:  # noqa: SIM110 - a generator takes three times as long, and each filing is looked at
            if each.mask.bit_count() >= self.keys_needed[each.kind]:
                return False
        return True

    def late(self, filed_on: date, triggered_on: date) -> bool:
        """Whether a record came late; what was due before its member was admitted is neither late nor in time."""
        return triggered_on >= self.admitted and (filed_on - triggered_on).days > self.rulebook.standing.timely_days


class _Room:
    """How often the same subjects may still count, by (digest, line)."""

    def __init__(self, counted: Mapping[tuple[int, str], int], terms: _Terms) -> None:
        self._counts = Counter(counted)
        self._most = terms.rulebook.level.same_subject_counts

    def takes(self, digest: int | None, line: str) -> bool:
        """Whether one more counts; it does then. What has no digest is not compared."""
        if digest is None:
            return True
        self._counts[digest, line] += 1
        return self._counts[digest, line] <= self._most


def digests(services: Services, source: Source, new: Mapping[str, Filing]) -> dict[str, int]:
    """A digest of the subjects of each new filing, by its id."""
    return {filing_id: _subjects_digest(services, source, filing) for filing_id, filing in new.items()}


def counted(
    services: Services,
    connection: Connection,
    source: Source,
    new: Mapping[str, Filing],
    known: Mapping[str, int] = MappingProxyType({}),
) -> dict[str, int | None]:
    """Which of these new filings, by id, count as records, each with a digest of its subjects.

    In a line and class the same subjects count a few times within the window: sixty policies of one customer do not
    make sixty customers. What has too few keys is not compared, and has no digest: it counts as thin in any case.
    `known` are the digests made before.
    """
    terms = _terms(connection, source, services)
    whole = {each: filing for each, filing in new.items() if not terms.thin(filing.subjects)}
    made = digests(services, source, {each: filing for each, filing in whole.items() if each not in known})
    found = {each: made[each] if each in made else known[each] for each in whole}
    room = _Room(credited.same_subjects(connection, [*found.values()], since=terms.since), terms)
    return {each: found.get(each) for each, filing in new.items() if room.takes(found.get(each), filing.facts.line)}


def credit(services: Services, connection: Connection, source: Source, new: Mapping[str, Filing], seen: Seen) -> None:
    """Enter new filings that count, by id, into the ledger; `seen` is what they and others met of other members.

    Records count, not versions: filing one record over and over earns nothing.
    """
    if not new:
        return
    terms = _terms(connection, source, services)
    corroborated = _corroborated(connection, source, new, seen, terms)
    alike = Counter(
        (facts.line, facts.record_class, facts.triggered_on, terms.thin(each.subjects), filing_id in corroborated)
        for filing_id, each in new.items()
        for facts in (each.facts,)
    )
    counts: dict[Pair, Counter[str]] = defaultdict(Counter)
    for (line, record_class, triggered_on, thin, met), times in alike.items():
        columns = _columns(triggered_on, terms) | {"thin": thin, "corroborated": met}
        counts[line, record_class].update({name: times * value for name, value in columns.items()})
    _enter(connection, source, counts, source.now)


def revise(
    services: Services,
    connection: Connection,
    source: Source,
    changed: Mapping[str, Filing],
    before: Mapping[str, Sequence[EncodedSubject]],
) -> None:
    """Have the credit of records of the window follow their new versions; `before` are the subjects they had.

    Else a member would file, be credited, and take out of the pool again what it was credited for, or say only then
    that it came late. Days that are over do not change: what a record counts for no more is entered as thin today.
    """
    terms = _terms(connection, source, services)
    found = credited.of_filings(connection, list(changed), since=terms.since, admitted=terms.admitted)
    lost: dict[str, Filing] = {}
    counts: dict[Pair, Counter[str]] = defaultdict(Counter)
    for filing_id, credit in found.items():
        filing, old = changed[filing_id], before.get(filing_id, changed[filing_id].subjects)
        whole, was_whole = (not terms.thin(subjects) for subjects in (filing.subjects, old))
        pair = (credit.line, filing.facts.record_class)
        if was_whole and not (whole and filing.facts.line == credit.line):
            lost[filing_id] = filing
            counts[pair]["thin"] += 1
        elif _late_by_now(credit, filing, terms):
            counts[pair]["late"] += 1
    lines = dict.fromkeys(lost) | _moved(connection, lost, found, terms)
    for filing_id, line in lines.items():
        if line is not None:
            columns = _columns(min(lost[filing_id].facts.triggered_on, found[filing_id].earliest or date.max), terms)
            counts[line, lost[filing_id].facts.record_class].update(columns)
    credited.move(connection, lines)
    _enter(connection, source, counts, None)


@dataclass(frozen=True, slots=True)
class Visible:
    """What the sender of filings may be told: how many hits of each, by id, and whether hot keys were met."""

    hits: Counter[str] = field(default_factory=Counter)
    hot_keys: bool = False


def visible(services: Services, connection: Connection, source: Source, sightings: Seen) -> Visible:
    """How many hits of each filing, by id, its member may see: a number must not tell more than the hits do.

    Hot keys are told to whom a screening tells of them.

    Of those of one subject that are seen at tier 1, one is told (see `storage.hit_views.Filter`). In the transaction
    that has entered the filings into the ledger.
    """
    actor = Actor(source.actor_id, frozenset(), source.member)
    request = Request(ACTION, DEFAULT_PURPOSE, None, asked=0)
    granted = entitlements.entitled(services, connection, actor, source.member, request, keep=False)
    entitlements.remember(connection, granted)
    return Visible(told_of(granted, sightings), granted.entitlement.all_from_tier(CLASS_TIER))


def told_of(granted: Granted, sightings: Seen) -> Counter[str]:
    """How many hits of each filing, by id, are seen under a decision."""
    told: Counter[str] = Counter()
    counted_once: set[int] = set()
    for filing_id, sighting in sightings:
        record = sighting.candidate
        tier = granted.entitlement.tier(record.line, record.record_class)
        tier = disclosure.tier_of(tier, record.labels, granted.rulebook)
        if tier > HIT_TIER or (tier == HIT_TIER and sighting.subject not in counted_once):
            told[filing_id] += 1
        if tier == HIT_TIER:
            counted_once.add(sighting.subject)
    return told


def _terms(connection: Connection, source: Source, services: Services) -> _Terms:
    rulebook = services.rulebooks.at(source.now)
    most = rulebook.level.keys_needed
    needed = {kind: min(most, len(known.keys)) for kind, known in services.schema.kinds.items()}
    return _Terms(rulebook, source.now.date(), admitted_on(connection, source.member.id), needed)


def _enter(
    connection: Connection, source: Source, counts: Mapping[Pair, Mapping[str, int]], last_at: datetime | None
) -> None:
    member_id, day = source.member.id, source.now.date()
    ledger.add(connection, [LedgerRow(member_id, day, *pair, of_pair, last_at) for pair, of_pair in counts.items()])


def _corroborated(
    connection: Connection, source: Source, new: Mapping[str, Filing], seen: Seen, terms: _Terms
) -> set[str]:
    """Which of these new filings met another member's record that not too many others of their class met before.

    Their hits are stored. That is what holds where the subjects of one person's records are varied a little.
    """
    mine = {}
    for filing_id, sighting in seen:
        if filing_id in new:
            met: Place = (sighting.candidate.filing_id, sighting.candidate.position)
            mine[filing_id, met] = (met, new[filing_id].facts.line, new[filing_id].facts.record_class)
    met_by = credited.meetings(connection, source.member.id, {met[0] for _, met in mine}, since=terms.since)
    counts = Counter(met_by)
    counts.subtract(mine.values())
    corroborated = set()
    for (filing_id, _), place in mine.items():
        counts[place] += 1
        if counts[place] <= terms.rulebook.level.same_subject_counts:
            corroborated.add(filing_id)
    return corroborated


def _moved(
    connection: Connection, lost: Mapping[str, Filing], found: Mapping[str, Credit], terms: _Terms
) -> dict[str, str]:
    """The lines in which whole records that left theirs count from now on.

    Once: who has records change their line by turns is credited in neither.
    """
    moving = {
        filing_id: filing
        for filing_id, filing in lost.items()
        if not terms.thin(filing.subjects) and found[filing_id].line == found[filing_id].first_line
    }
    digests = {filing_id: found[filing_id].subjects_digest for filing_id in moving}
    known = [digest for digest in digests.values() if digest is not None]
    room = _Room(credited.same_subjects(connection, known, since=terms.since), terms)
    return {each: filing.facts.line for each, filing in moving.items() if room.takes(digests[each], filing.facts.line)}


def _late_by_now(credit: Credit, filing: Filing, terms: _Terms) -> bool:
    """Whether a record was late by the date it has now, and by none it had before."""
    filed_on = credit.created_at.date()
    known = credit.earliest is not None and terms.late(filed_on, credit.earliest)
    return not known and terms.late(filed_on, filing.facts.triggered_on)


def _columns(triggered_on: date, terms: _Terms) -> dict[str, int]:
    """What one filing counts for, with the earliest of the dates it had."""
    return {
        "accepted": 1,
        "back_book": triggered_on < terms.admitted,
        "late": terms.late(terms.today, triggered_on),
    }


def _subjects_digest(services: Services, source: Source, filing: Filing) -> int:
    facts = filing.facts
    return subjects_digest(services.sealer, (source.member.id, facts.record_class, facts.triggered_on), filing.subjects)


def subjects_digest(sealer: Sealer, identity: tuple[str, str, date], subjects: Sequence[EncodedSubject]) -> int:
    """The same for filings of a member's, of a class and date, about the same subjects; only a claim's is of one day.

    Of each subject the first of its keys, which are about who it is: another telephone does not make another person.
    """
    member_id, record_class, triggered_on = identity
    of = [member_id, record_class, triggered_on if record_class == "claim" else None]
    first = sorted({(each.kind, each.mask & -each.mask, each.keys[: KEY_BYTES // 2].hex()) for each in subjects})
    parts = orjson.dumps([[kind, f"{lowest:x}", key] for kind, lowest, key in first])
    digest = sealer.digest(b"subjects" + orjson.dumps(of), parts)
    return int.from_bytes(digest[:_DIGEST_BYTES], "big", signed=True)
