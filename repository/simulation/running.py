"""A market judged day by day: standings by `assess`, tiers and refusals by `entitle`, answers that fall due."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import numpy.typing as npt

from matching.vocabulary import RECORD_CLASSES
from repository.domain.entitlement import Entitlement, Request, entitle
from repository.domain.ladder import Step
from repository.domain.ledger import COUNTS, Counts, Floats, Ledger, Pair
from repository.domain.members import MemberStatus
from repository.domain.rulebook import POINTER_TIER, Rulebook
from repository.domain.standing import assess, peer_share
from repository.simulation.market import Market, Player
from repository.simulation.profiles import CLASSES

STEPS = tuple(Step)
_PURPOSE = "claim_validation"
_HIT_CHANCE = 0.02  # a query's chance of a hit that is to be answered
_NOON = time(12, tzinfo=UTC)
_Marks = npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Course:
    """What became of one member, by day since its admission.

    `steps` are places in STEPS, `tiers` those of each of CLASSES; then the queries it asked, and those refused.
    """

    player: Player
    steps: _Marks
    tiers: _Marks
    asked: Counts
    refused: Counts


def run(
    market: Market,
    rulebook: Rulebook,
    rng: np.random.Generator,
    *,
    every: int = 1,
    note: Callable[[int], None] = lambda _: None,
) -> tuple[Course, ...]:
    """Judge every member of a market under one rulebook; `note` is told the days that are done.

    Given more than one day in `every`, what is found on one day is taken to hold until the next one looked at.
    """
    players = [_own_ledger(player) for player in market.players]
    courses = [_course(player) for player in players]
    shares = [_shares(player, market.begin + timedelta(days=player.start), rulebook) for player in players]
    for day in range(0, market.days, every):
        here = [place for place, player in enumerate(players) if player.start <= day < player.start + player.days]
        today = np.array([shares[place][:, day - players[place].start] for place in here])
        for position, place in enumerate(here):
            others = np.array([players[each].line == players[place].line for each in here])
            others[position] = False
            peers = dict(_peers(players[place].line, today[others], rulebook))
            may = _judge(courses[place], day, market.begin, peers, rulebook=rulebook, every=every)
            _fall_due(courses[place], day, may, rulebook=rulebook, every=every, rng=rng)
        note(min(day + every, market.days))
    return tuple(courses)


def _judge(
    course: Course, day: int, begin: date, peers: dict[Pair, float | None], *, rulebook: Rulebook, every: int
) -> Entitlement:
    """One member's day: its standing, what it is entitled to, and how many of its queries are refused."""
    player, on = course.player, begin + timedelta(days=day)
    span = slice(day - player.start, day - player.start + every)
    # What is tried out is not R1: everyone is in order.
    member = replace(player.member, status=MemberStatus.ACTIVE, agreement_signed_on=on, attested_on=on)
    standing = assess(member, player.membership, player.ledger, ((begin, rulebook),), peers, today=on)
    line = standing.line(player.line)
    request = Request("screening", _PURPOSE, player.line, 0, 0)
    may = entitle(member, standing, request, rulebook, datetime.combine(on, _NOON))
    course.steps[span] = STEPS.index(line.step if line else Step.GOOD)
    course.tiers[span] = [may.tier(player.line, record_class) for record_class in CLASSES]
    most = may.quota.per_day if may.allowed else 0
    course.refused[span] = np.maximum(course.asked[span] - most, 0)
    return may


def _own_ledger(player: Player) -> Player:
    """A copy to which answers are added."""
    ledger = player.ledger
    counts = {name: each.copy() for name, each in ledger.counts.items()}
    return replace(player, ledger=Ledger(ledger.first, ledger.pairs, counts))


def _course(player: Player) -> Course:
    steps, tiers = np.zeros(player.days, np.int8), np.zeros((player.days, len(CLASSES)), np.int8)
    return Course(player, steps, tiers, player.queries, np.zeros(player.days, np.int64))


def _shares(player: Player, first: date, rulebook: Rulebook) -> Floats:
    """The share of corroborated records in the window before each day, by class; NaN where they are too few."""
    back = rulebook.window.days
    pairs = [(player.line, record_class) for record_class in RECORD_CLASSES]
    counts = player.ledger.between(pairs, first - timedelta(days=back + 1), player.days + back)
    sums = np.cumsum(counts, axis=0)
    windows = sums[back:] - sums[:-back]
    accepted, met = (windows[:, COUNTS.index(name)] for name in ("accepted", "corroborated"))
    enough = (accepted >= rulebook.standing.corroboration_from) & (accepted > 0)
    share: Floats = np.divide(met, accepted, out=np.full(accepted.shape, np.nan), where=enough)
    return share.T


def _peers(line: str, others: Floats, rulebook: Rulebook) -> Iterator[tuple[Pair, float | None]]:
    for place, record_class in enumerate(RECORD_CLASSES):
        known = others[:, place]
        yield (line, record_class), peer_share(known[~np.isnan(known)].tolist(), rulebook.standing)


def _fall_due(
    course: Course, day: int, may: Entitlement, *, rulebook: Rulebook, every: int, rng: np.random.Generator
) -> None:
    """Hits shown with their contributor are to be answered: some of the queries answered make one."""
    player = course.player
    own_day = day - player.start
    span = slice(own_day, own_day + every)
    answered = int((course.asked[span] - course.refused[span]).sum())
    shown = [pair for pair in player.ledger.pairs if may.tier(*pair) >= POINTER_TIER]
    if player.answers is None or not shown or not answered:
        return
    due = rng.binomial(answered, _HIT_CHANCE)
    place, on = player.ledger.pairs.index(shown[0]), own_day + rulebook.standing.answer_days
    player.ledger.counts["due"][place, on] += due
    player.ledger.counts["answered"][place, on] += rng.binomial(due, player.answers)
