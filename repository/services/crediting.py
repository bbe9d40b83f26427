"""What filings count for on the ledger of who files them, and how many hits of theirs may be told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta

from sqlalchemy import Connection

from matching.types import EncodedSubject
from repository.domain import disclosure
from repository.domain.asking import Request
from repository.domain.filings import Filing
from repository.domain.members import Actor
from repository.domain.rulebook import HIT_TIER, Rulebook
from repository.services import Services, entitlements
from repository.services.entitlements import DEFAULT_PURPOSE
from repository.services.hitmaking import Source
from repository.services.pool import Sighting
from repository.storage import filings, ledger
from repository.storage.ledger import LedgerRow
from repository.storage.members import admitted_on

ACTION = "filing"


def credit(
    services: Services,
    connection: Connection,
    source: Source,
    new: Mapping[str, Filing],
    corroborated: Collection[str],
) -> None:
    """Enter new filings, by id, into the ledger; `corroborated` are the ids of those that met another member's record.

    Records count, not versions: filing one record over and over earns nothing.
    """
    if not new:
        return
    admitted, rulebook = admitted_on(connection, source.member.id), services.rulebooks.at(source.now)
    counts: dict[tuple[str, str], Counter[str]] = {}
    for filing_id, filing in new.items():
        of_pair = counts.setdefault((filing.facts.line, filing.facts.record_class), Counter())
        of_pair.update(_columns(filing, admitted, source.now.date(), rulebook))
        of_pair["thin"] += all(_thin(services, each, rulebook) for each in filing.subjects)
        of_pair["corroborated"] += filing_id in corroborated
    member_id, day = source.member.id, source.now.date()
    ledger.add(connection, [LedgerRow(member_id, day, *pair, of_pair, source.now) for pair, of_pair in counts.items()])


def discredit(
    services: Services,
    connection: Connection,
    source: Source,
    before: Mapping[str, Sequence[EncodedSubject]],
    changed: Mapping[str, Filing],
) -> None:
    """Enter as thin, today, the records of the window that had keys enough and have no more, by id.

    Else a member would file, be credited, and take out of the pool again what it was credited for. Keys that come back
    do not undo it: a record that is filled and emptied by turns earns nothing.
    """
    rulebook, today = services.rulebooks.at(source.now), source.now.date()
    emptied = [
        filing_id
        for filing_id, filing in changed.items()
        if all(_thin(services, each, rulebook) for each in filing.subjects)
        and not all(_thin(services, each, rulebook) for each in before[filing_id])
    ]
    if not emptied:
        return
    lines = filings.credited_since(connection, emptied, today - timedelta(days=rulebook.window.days))
    counts = Counter((line, changed[each].facts.record_class) for each, line in lines.items())
    ledger.add(connection, [LedgerRow(source.member.id, today, *pair, {"thin": n}) for pair, n in counts.items()])


def visible(
    services: Services, connection: Connection, source: Source, sightings: Sequence[tuple[str, Sighting]]
) -> Counter[str]:
    """How many hits of each filing, by id, its member may see: a number must not tell more than the hits do.

    Of those of one subject that are seen at tier 1, one is told (see `storage.hits.Filter`). In the transaction that
    has entered the filings into the ledger.
    """
    told: Counter[str] = Counter()
    actor = Actor(source.actor_id, frozenset(), source.member)
    request = Request(ACTION, DEFAULT_PURPOSE, None, asked=0)
    granted = entitlements.entitled(services, connection, actor, source.member, request, keep=False)
    entitlements.remember(connection, granted)
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


def _columns(filing: Filing, admitted: date, today: date, rulebook: Rulebook) -> dict[str, int]:
    """What one filing counts for; what was due before the member was admitted is neither late nor in time."""
    back_book = filing.facts.triggered_on < admitted
    days = (today - filing.facts.triggered_on).days
    return {
        "accepted": 1,
        "back_book": back_book,
        "late": not back_book and days > rulebook.standing.timely_days,
    }


def _thin(services: Services, subject: EncodedSubject, rulebook: Rulebook) -> bool:
    """Whether a subject has too few keys; one of a kind with few of them needs all."""
    needed = min(rulebook.level.keys_needed, len(services.schema.kinds[subject.kind].keys))
    return subject.mask.bit_count() < needed
