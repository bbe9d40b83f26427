"""A generated market: its members, what each declared, and what each files day by day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from repository.domain.ledger import COUNTS, Counts, Floats, Ledger
from repository.domain.members import Member, MemberStatus
from repository.domain.rulebook import Rulebook
from repository.domain.standing import Declared, Membership, Ramp
from repository.domain.terms import MONTHS_PER_DAY
from repository.simulation.profiles import CLASSES, LINE, PAIRS, Habits, Profile, cast

DAYS_PER_MONTH = 365.25 / 12
OVERLAP = {"customer": 0.12, "claim": 0.2, "suspected": 0.35, "proven": 0.4}
"""The share of genuine records that meet another member's once the pool has filled: what is assumed of a market."""
_FILLING_DAYS = 60.0
_ON_TIME = (0, 5)  # days from a record's trigger date to its filing, by a member that is not late
_LOADED_ON = 3  # the day after admission on which a back book is loaded
_UPHELD = 0.002
_OUTAGE_AFTER = 150
_CLEARED_IN = 3  # days over which the filings that an outage held up are sent


@dataclass(frozen=True, slots=True)
class Plan:
    """What kind of a market: its members and days, and the share of OVERLAP that its books have."""

    profiles: Sequence[Profile]
    days: int
    overlap: float = 1.0


def plan(members: int, months: int, overlap: float = 1.0) -> Plan:
    """A plan with the whole cast. Raises ValueError for fewer members than it has."""
    return Plan(cast(members), round(months * DAYS_PER_MONTH), overlap)


@dataclass(frozen=True, slots=True)
class Player:
    """One member in one line, with its ledger for the whole time and its queries of each day.

    `start` is the day of the market on which it was admitted. `answers` is the share of its hits that it answers, which
    the run adds to its ledger; None where the ledger has them, as one that is not generated has.
    """

    group: str
    label: str
    line: str
    member: Member
    membership: Membership
    start: int
    ledger: Ledger
    queries: Counts
    answers: float | None = None

    @property
    def days(self) -> int:
        """How many days it takes part."""
        return len(self.queries)


@dataclass(frozen=True, slots=True)
class Market:
    """A market from its first day on."""

    begin: date
    days: int
    players: tuple[Player, ...]


def generate(plan: Plan, rulebook: Rulebook, begin: date, rng: np.random.Generator) -> Market:
    """A market in which all chance is drawn from `rng`. The rulebook says what is late, and when answers are due.

    Who would come only after its last day is not in it.
    """
    players = [
        _player(profile, number, plan, rulebook, begin=begin, rng=rng)
        for number, profile in enumerate(plan.profiles, start=1)
        if profile.admitted_after < plan.days
    ]
    return Market(begin, plan.days, tuple(players))


def _player(
    profile: Profile, number: int, plan: Plan, rulebook: Rulebook, *, begin: date, rng: np.random.Generator
) -> Player:
    admitted_on = begin + timedelta(days=profile.admitted_after)
    days = plan.days - profile.admitted_after
    rates = np.array([rng.uniform(*profile.size.per_month.get(record_class, (0, 0))) for record_class in CLASSES])
    counts = _filed(profile.habits, rates * MONTHS_PER_DAY, days, rulebook, rng=rng)
    _corroborate(counts, profile, plan.overlap * rng.uniform(0.6, 1.4), rng)
    counts["upheld"] = rng.binomial(counts["accepted"], _UPHELD)
    counts |= {name: np.zeros_like(counts["accepted"]) for name in COUNTS if name not in counts}
    name, lines = f"{profile.archetype} {number}", frozenset({LINE})
    told = profile.size.name not in profile.archetype.value
    return Player(
        group=profile.archetype.value,
        label=f"{profile.size.name}, {profile.label}" if told else profile.label,
        line=LINE,
        member=Member(f"mem_{number:03}", name, MemberStatus.ACTIVE, lines, admitted_on, admitted_on, number),
        membership=_membership(profile, rates, admitted_on, rulebook),
        start=profile.admitted_after,
        ledger=Ledger(admitted_on, PAIRS, counts),
        queries=rng.poisson(rates.sum() * MONTHS_PER_DAY * profile.habits.asks, days),
        answers=profile.habits.answered,
    )


def _membership(profile: Profile, rates: Floats, admitted_on: date, rulebook: Rulebook) -> Membership:
    first = profile.ramp is Ramp.CONTRIBUTE_FIRST
    until = admitted_on + timedelta(days=round(rulebook.ramp.covenant_months * DAYS_PER_MONTH))
    declared = tuple(
        Declared(LINE, record_class, admitted_on, max(1, round(rate * profile.habits.declared)))
        for record_class, rate in zip(CLASSES, rates, strict=True)
        if rate > 0
    )
    loaded = admitted_on + timedelta(days=_LOADED_ON) if profile.habits.back_book else None
    return Membership(admitted_on, profile.ramp, None if first else until, loaded if first else None, declared)


def _filed(
    habits: Habits, per_day: Floats, days: int, rulebook: Rulebook, *, rng: np.random.Generator
) -> dict[str, Counts]:
    """What is filed on each day, and what of it is late, thin or from before: arrays of (pairs, days)."""
    longest = habits.late_days[1] + habits.outage + _CLEARED_IN
    arisen = rng.poisson(per_day[:, None], (len(per_day), days))
    kept = rng.binomial(arisen, _share(habits, days))
    tardy = rng.binomial(kept, habits.late)
    accepted, late = np.zeros((2, len(per_day), days + longest + 1), np.int64)
    for of_these, (least, most) in ((kept - tardy, _ON_TIME), (tardy, habits.late_days)):
        parts = rng.multinomial(of_these, np.full(most - least + 1, 1 / (most - least + 1)))
        for step in range(most - least + 1):
            arises = np.arange(days)
            files = _held_up(arises + least + step, habits.outage)
            is_late = files - arises > rulebook.standing.timely_days
            for place in range(len(per_day)):
                np.add.at(accepted[place], files, parts[place, :, step])
                np.add.at(late[place], files[is_late], parts[place, is_late, step])
    if habits.bait:
        accepted[per_day > 0, 0] += 1
    if habits.one_in:
        accepted[CLASSES.index("claim"), : days : habits.one_in] += 1
    accepted[CLASSES.index("customer"), _planted(habits, days)] += 1
    back_book = np.zeros_like(accepted)
    if habits.back_book:
        back_book[:, _LOADED_ON] = rng.poisson(per_day * DAYS_PER_MONTH * habits.back_book * habits.filed)
    accepted, late, back_book = (_fit(each, days, rulebook) for each in (accepted, late, back_book))
    thin, old_and_thin = rng.binomial(accepted, habits.thin), rng.binomial(back_book, habits.thin)
    return {
        "accepted": accepted + back_book,
        "late": late,
        "back_book": back_book - old_and_thin,  # a record counts as one or the other
        "thin": thin + old_and_thin,
    }


def _share(habits: Habits, days: int) -> Floats:
    """Which share of what arises on each day is filed."""
    if not habits.grows_days:
        return np.full(days, habits.filed)
    grown = np.arange(days) / habits.grows_days
    share: Floats = np.clip(habits.filed + (1 - habits.filed) * grown, 0, 1)
    return share


def _planted(habits: Habits, days: int) -> list[int]:
    """The days on which a customer is filed that another member is known to have."""
    every = [day + year for year in range(0, days, round(12 * DAYS_PER_MONTH)) for day in habits.planted]
    return [day for day in every if day < days]


def _held_up(files: npt.NDArray[np.int64], outage: int) -> npt.NDArray[np.int64]:
    """Days of filing, moved behind the outage where they lie in it."""
    ends = _OUTAGE_AFTER + outage
    held: npt.NDArray[np.int64] = np.where((files >= _OUTAGE_AFTER) & (files < ends), ends + files % _CLEARED_IN, files)
    return held


def _fit(counts: Counts, days: int, rulebook: Rulebook) -> Counts:
    """The days of the market, and as many after them as answers may fall due."""
    ahead = rulebook.standing.answer_days + 1
    return np.concatenate([counts[:, :days], np.zeros((len(counts), ahead), np.int64)], axis=1)


def _corroborate(counts: dict[str, Counts], profile: Profile, overlap: float, rng: np.random.Generator) -> None:
    """Add which of the records that are not thin meet another member's, in a pool that fills from its first day on."""
    habits, days = profile.habits, counts["accepted"].shape[1]
    since_begin = profile.admitted_after + np.arange(days)
    full = np.array([OVERLAP[record_class] for record_class in CLASSES])[:, None]
    chance = np.clip(full * overlap * habits.genuine + habits.by_chance, 0, 1)
    chance = chance * (1 - np.exp(-since_begin / _FILLING_DAYS))
    known = np.zeros_like(counts["accepted"])
    known[CLASSES.index("customer"), _planted(habits, days)] = 1
    known = np.minimum(known, counts["accepted"] - counts["thin"])
    counts["corroborated"] = known + rng.binomial(counts["accepted"] - counts["thin"] - known, chance)
