"""What a rulebook is for, checked on a run: whom it has to leave alone, and whom it has to stop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from operator import attrgetter
from statistics import median
from typing import Any

from repository.domain.ladder import Step
from repository.domain.rulebook import POINTER_TIER
from repository.simulation.profiles import LARGE, MID, PLANTED, SMALL, TINY, Archetype, Size
from repository.simulation.summary import Summary

HELD_WITHIN = 90
"""Days from admission within which a free rider is at tier 1 or nothing."""
_FIRST_DAYS = 10  # in a new pool there is nobody yet whose records one's own could be compared with

_Test = Callable[[Summary], bool]


@dataclass(frozen=True, slots=True)
class Claim:
    """How many members a claim is about, and of which ones it does not hold.

    Where it is about a day, `days` has that of each member, counted from its admission, and None for one that never
    gets there.
    """

    claim: str
    members: int
    failing: tuple[str, ...]
    days: tuple[int | None, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether it holds of all of them."""
        return not self.failing

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self) | {"failing": list(self.failing), "holds": self.holds, "days": list(self.days)}


def check(summaries: Iterable[Summary]) -> tuple[Claim, ...]:
    """Every claim that the market has members for."""
    rows = tuple(summaries)
    found = []
    for each in _CLAIMS:
        judged = [row for row in rows if each.about(row)]
        if judged:
            failing = tuple(f"{row.group}: {row.label}" for row in judged if not each.holds(row))
            days = tuple(map(each.day, judged)) if each.day else ()
            found.append(Claim(each.words, len(judged), failing, days))
    return tuple(found)


def told(days: Iterable[int | None]) -> str:
    """Some days in short: the middle one and the last, and of how many there is none."""
    listed = tuple(days)
    known = [day for day in listed if day is not None]
    never = f"{len(listed) - len(known)} never" if len(known) < len(listed) else ""
    return ", ".join(filter(None, [f"{median(known):.0f}, at most {max(known)}" if known else "", never]))


@dataclass(frozen=True, slots=True)
class _Asked:
    """A claim: whom it is about, when it holds of one, and the day that goes with it."""

    words: str
    about: _Test
    holds: _Test
    day: Callable[[Summary], int | None] | None = None


def _are(*groups: Archetype) -> _Test:
    return lambda row: row.group in groups


def _small(row: Summary) -> bool:
    return row.group == Archetype.HONEST_SMALL or _new(row, SMALL)


def _tiny(row: Summary) -> bool:
    return row.group == Archetype.HONEST_TINY or _new(row, TINY)


def _new(row: Summary, *sizes: Size) -> bool:
    return row.group == Archetype.NEWCOMER and row.label.startswith(tuple(each.name for each in sizes))


def _bigger(row: Summary) -> bool:
    return row.group in (Archetype.HONEST_LARGE, Archetype.HONEST_MID) or _new(row, MID, LARGE)


def _held(row: Summary) -> bool:
    return row.held_from is not None and row.held_from <= HELD_WITHIN


def _recovered(row: Summary) -> bool:
    return row.last_step == Step.GOOD and min(row.tiers.values()) >= POINTER_TIER


def _planted(row: Summary) -> bool:
    return row.group == Archetype.JUNK and PLANTED in row.label


def _of_honest(who: str, about: _Test) -> Iterator[_Asked]:
    """What is claimed of every honest insurer, one size at a time."""
    yield _Asked(f"{who} is never restricted", about, lambda row: row.first_restricted is None)
    yield _Asked(f"{who} gets to tier 3 on claims", about, lambda row: row.claims_from is not None, _CLAIMS_FROM)
    yield _Asked(f"{who}, once at tier 3 on claims, stays there", about, lambda row: row.lost_claim_days == 0)


_CLAIMS_FROM = attrgetter("claims_from")
_HELD_FROM = attrgetter("held_from")
_RIDERS = _are(Archetype.FREE_RIDER)

_CLAIMS: tuple[_Asked, ...] = (
    *_of_honest("An honest small insurer", _small),
    *_of_honest("An honest tiny insurer", _tiny),
    *_of_honest("An honest insurer of another size", _bigger),
    _Asked(
        "A new small or tiny insurer in a full pool gets to tier 3 on claims",
        lambda row: _new(row, SMALL, TINY),
        lambda row: row.claims_from is not None,
        _CLAIMS_FROM,
    ),
    _Asked(f"A free rider is at tier 1 or less within {HELD_WITHIN} days", _RIDERS, _held, _HELD_FROM),
    _Asked(
        "A free rider never sees more than tier 1 of suspected and proven cases after its first ten days",
        _RIDERS,
        lambda row: row.fraud_until <= _FIRST_DAYS,
    ),
    _Asked(
        "Junk never sees more than tier 1",
        lambda row: row.group == Archetype.JUNK and not _planted(row),
        lambda row: row.above_days == 0,
        _HELD_FROM,
    ),
    _Asked(
        "An invented book with two real people a year is at tier 1 at the end",
        _planted,
        lambda row: row.held_from is not None,
        _HELD_FROM,
    ),
    _Asked(
        "A late giant is warned, and then on a plan",
        _are(Archetype.LATE_GIANT),
        lambda row: min(row.steps[Step.WARNED], row.steps[Step.PLAN]) > 0,
    ),
    _Asked("An outage is recovered from", _are(Archetype.OUTAGE), _recovered),
)
