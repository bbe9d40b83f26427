"""Standings assessed from what is stored, and kept as long as nothing they rest on has changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

from sqlalchemy import Connection

from repository.domain.entitlement import Known
from repository.domain.ledger import Pair
from repository.domain.members import Member
from repository.domain.rulebook import Rulebook
from repository.domain.standing import Ledger, Membership, Ramp, Schedule, Standing, assess, peer_share
from repository.services.corroboration import Shares, shares
from repository.services.rulebooks import Rulebooks
from repository.storage import ledger, membership, standings

JUDGED_DAYS = 200
"""How far back a line is judged at least, to tell since when it has been below target."""


@dataclass(frozen=True, slots=True)
class Assessed:
    """A standing with its text, and the text's SHA-256 as its id; and what was worked out from it."""

    standing: Standing
    id: str
    body: str
    known: Known = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class _Kept:
    """A member's last standing and what it was assessed from; `read_on` is the day of which its ledger is."""

    version: int
    today: date
    schedule: Schedule
    lines: frozenset[str]
    assessed: Assessed
    ledger: Ledger
    read_on: date


class Assessments:
    """The standings of all members, for any number of threads: each assessed again only when it may have changed."""

    def __init__(self, rulebooks: Rulebooks) -> None:
        self._rulebooks = rulebooks
        self._kept: dict[str, _Kept] = {}
        self._shares: tuple[tuple[date, int, int], Shares] | None = None

    def last(self, member_id: str) -> tuple[str, int]:
        """The id of the standing that was assessed last, and the ledger's version then; ("", -1) when there is none."""
        kept = self._kept.get(member_id)
        return (kept.assessed.id, kept.version) if kept else ("", -1)

    def of(self, connection: Connection, member: Member, version: int, today: date, *, keep: bool = True) -> Assessed:
        """A member's standing on a day; `version` is that of its ledger as this transaction sees it.

        A transaction that has written to the ledger keeps nothing: it may yet be undone.
        """
        kept, schedule = self._kept.get(member.id), tuple(self._rulebooks.schedule(today))
        # Rulebooks are compared by identity first, so this costs next to nothing.
        key = (version, today, member.lines, schedule)
        if kept is not None and (kept.version, kept.today, kept.lines, kept.schedule) == key:
            return kept.assessed
        terms = membership.facts(connection, member.id)
        first = first_day(terms, schedule, today)
        if kept is not None and kept.ledger.first <= first <= kept.ledger.first + timedelta(days=JUDGED_DAYS):
            read = ledger.read_again(connection, member.id, kept.ledger, kept.read_on - ledger.SETTLED_AFTER)
        else:
            read = ledger.read(connection, member.id, first)
        told = peers(member, terms, read, schedule[-1][1], self._of_day(connection, schedule[-1][1], today))
        standing = assess(member, terms, _cut(read, first), schedule, told, today=today)
        assessed = Assessed(standing, *standings.pack(standing.as_dict()))
        if keep:
            self._kept[member.id] = _Kept(version, today, schedule, member.lines, assessed, read, today)
        return assessed

    def _of_day(self, connection: Connection, rulebook: Rulebook, today: date) -> Shares:
        key = (today, rulebook.window.days, rulebook.standing.corroboration_from)
        if self._shares is None or self._shares[0] != key:
            self._shares = (key, shares(connection, rulebook, today))
        return self._shares[1]


def assess_under(connection: Connection, member: Member, schedule: Schedule, today: date, of_all: Shares) -> Standing:
    """A member's standing on a day as it would be under a schedule of rulebooks; nothing is kept."""
    terms = membership.facts(connection, member.id)
    read = ledger.read(connection, member.id, first_day(terms, schedule, today))
    told = peers(member, terms, read, schedule[-1][1], of_all)
    return assess(member, terms, read, schedule, told, today=today)


def first_day(terms: Membership, schedule: Schedule, today: date) -> date:
    """The day from which a member's ledger is needed.

    Who contributes first is judged from its admission on: once it was clean for long enough, that holds for good.
    """
    if terms.ramp is Ramp.CONTRIBUTE_FIRST:
        return terms.admitted_on
    window = max(rulebook.window.days for _, rulebook in schedule)
    judged = max(JUDGED_DAYS, *(rulebook.ladder.suspended + 1 for _, rulebook in schedule))
    counted = max(max(rulebook.level.counted_days, rulebook.level.seen_days) for _, rulebook in schedule)
    return max(terms.admitted_on, today - timedelta(days=max(window + judged, counted)))


def peers(member: Member, terms: Membership, read: Ledger, rulebook: Rulebook, of_all: Shares) -> dict[Pair, float]:
    """The median share of corroborated records among other members, for each class of the member's lines.

    A class of which the member itself files nothing is among them: it tells what records of the line are like.
    """
    lines = {*member.lines, *(each.line for each in terms.declared), *(line for line, _ in read.pairs)}
    found: dict[Pair, float] = {}
    for pair, by_member in of_all.items():
        if pair[0] in lines:
            median = peer_share([each for other, each in by_member.items() if other != member.id], rulebook.standing)
            if median is not None:
                found[pair] = median
    return found


def _cut(read: Ledger, first: date) -> Ledger:
    """A ledger from a later day on."""
    shift = (first - read.first).days
    return Ledger(first, read.pairs, {name: counts[:, shift:] for name, counts in read.counts.items()})
