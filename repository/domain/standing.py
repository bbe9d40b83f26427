"""Standing: for each line of a member its level (R2), score (R3, R4, R8), ladder step (R6) and ramp (R5) on one day.

Same arguments, same standing: there is no clock and no chance in it, and every figure it rests on comes back in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import groupby

import numpy as np

from matching.vocabulary import LINES
from repository.domain.assessment import LineStanding, PairStanding, Standing
from repository.domain.filings import FRAUD_CLASSES
from repository.domain.giving import Given, Meeting, contribution, given, meetings
from repository.domain.history import AT_TARGET, Days, Flags, History, Schedule, below_since, in_force, listed
from repository.domain.improvement import improvement
from repository.domain.ladder import Rung, Step, rung
from repository.domain.ledger import COUNTS, Ledger, Pair, collect
from repository.domain.measures import ACCURACY, MEASURES, Measure, peer_share, targets
from repository.domain.members import Member
from repository.domain.ramp import may_ask_from, missed_covenant
from repository.domain.rulebook import Level, Rulebook
from repository.domain.terms import Declared, Grant, Membership, Ramp

__all__ = [
    "COUNTS",
    "Declared",
    "Grant",
    "Ledger",
    "LineStanding",
    "Measure",
    "Membership",
    "PairStanding",
    "Ramp",
    "Schedule",
    "Standing",
    "Step",
    "assess",
    "collect",
    "level",
    "peer_share",
]


@dataclass(frozen=True, slots=True)
class _Run:
    """How a line does today, since when it is below target, from when it may ask, and whom its records met."""

    score: float
    below_since: date | None
    may_ask_from: date | None
    meeting: Meeting


def assess(
    member: Member,
    membership: Membership,
    ledger: Ledger,
    schedule: Schedule,
    peers: Mapping[Pair, float | None],
    *,
    today: date,
) -> Standing:
    """Where a member stands on a day.

    `peers` has, for each (line, class), the median share of corroborated records among the other members that have
    enough of them (see `peer_share`); None, or nothing, where too few have.
    """
    rulebook = in_force(schedule, today)
    history = History(membership, ledger, schedule, peers)
    pairs = listed(membership, ledger, today)
    (days,) = history.judge(pairs, today, today)
    scores = dict(zip(pairs, days.scores[0].tolist(), strict=True))
    weakest = {line: min(each, key=scores.__getitem__) for line, each in groupby(pairs, lambda pair: pair[0])}
    lines = sorted(member.lines | weakest.keys(), key=LINES.index)
    since = below_since(history, {line: each for line, each in weakest.items() if scores[each] < AT_TARGET}, today)
    opens = may_ask_from(history, lines, rulebook.ramp, today)
    thin = dict(zip(pairs, days.measures.uncorroborated[-1].tolist(), strict=True))
    gave = given(membership, ledger, thin, rulebook, today)
    judged = _pairs(pairs, days, _seen(pairs, days, ledger, rulebook, today), gave, rulebook)
    by_line = {line: tuple(each) for line, each in groupby(judged, lambda each: each.line)}
    met = meetings(ledger, lines, peers, rulebook, today)
    return Standing(
        member_id=member.id,
        on=today,
        rulebook=rulebook.digest,
        ramp=membership.ramp,
        covenant_until=membership.covenant_until,
        lines=tuple(
            _line(
                line,
                by_line.get(line, ()),
                _Run(scores[weakest[line]] if line in weakest else 1.0, since.get(line), opens[line], met[line]),
                _rung(membership, since.get(line), rulebook, today),
                rulebook,
            )
            for line in lines
        ),
        grant=membership.grant,
    )


def level(pairs: Iterable[PairStanding]) -> Level:
    """What the classes a member contributes to one line amount to (R2)."""
    listed = tuple(pairs)
    counted = {each.record_class for each in listed if each.counts}
    if "claim" in counted:
        return Level.FULL if counted & FRAUD_CLASSES else Level.CLAIMS
    if "customer" in counted:
        return Level.CUSTOMERS
    return Level.MARKS if any(each.accepted > 0 for each in listed) else Level.NOTHING


def _seen(pairs: Sequence[Pair], days: Days, ledger: Ledger, rulebook: Rulebook, today: date) -> list[bool]:
    """Whether anything of each pair was accepted lately: who files a few a year has months without any."""
    seen: Flags = days.measures.accepted[-1] >= 1
    if not seen.all():
        back = rulebook.level.seen_days
        lately = dict(
            zip(COUNTS, ledger.between(pairs, today - timedelta(days=back), back + 1).sum(axis=0), strict=True)
        )
        seen = seen | (lately["accepted"] > lately["thin"])
    found: list[bool] = seen.tolist()
    return found


def _pairs(
    pairs: Sequence[Pair], days: Days, seen: Sequence[bool], gave: Given, rulebook: Rulebook
) -> Iterator[PairStanding]:
    """Today's standing in each pair that was declared, or of which anything was filed or asked in the window.

    Whether a class counts as contributed is said for the class by itself.
    """
    of = days.measures
    arrays = (of.met, of.total, of.allowance, of.value)
    figures = np.stack([each[:, -1] for each in arrays], axis=-1).swapaxes(0, 1).tolist()
    accepted, thin, uncorroborated = (
        each[-1].astype(np.int64).tolist() for each in (np.floor(of.accepted), of.thin, np.ceil(of.uncorroborated))
    )
    per_month, judged, scores = days.per_month[-1].tolist(), days.declared[-1].tolist(), of.scores[-1].tolist()
    named = tuple(zip(MEASURES, targets(rulebook.standing), strict=True))
    for place, (line, record_class) in enumerate(pairs):
        measures = tuple(
            Measure(name, met, total, target, allowance, value)
            for (name, target), (met, total, allowance, value) in zip(named, figures[place], strict=True)
        )
        if not (gave.total[place] > 0 or any(each.total > 0 for each in measures)):
            continue
        part = contribution(gave.accepted[place], gave.total[place], rulebook)
        contributed = per_month[place] > 0 and seen[place]
        contributed &= min(part.value, measures[ACCURACY].value) >= rulebook.level.counts_from
        yield PairStanding(
            line=line,
            record_class=record_class,
            per_month=int(per_month[place]),
            accepted=accepted[place],
            thin=thin[place],
            uncorroborated=uncorroborated[place],
            judged=judged[place],
            measures=measures,
            score=scores[place],
            contribution=part,
            contributed_over=gave.days[place],
            counts=contributed,
        )


def _rung(membership: Membership, since: date | None, rulebook: Rulebook, today: date) -> Rung:
    """The step of a line: R6, and R5 where it was below target on the covenant's date."""
    if missed_covenant(membership.ramp, membership.covenant_until, since, today):
        return Rung(Step.SUSPENDED)
    return rung(since, rulebook.ladder, today)


def _line(line: str, pairs: tuple[PairStanding, ...], run: _Run, reached: Rung, rulebook: Rulebook) -> LineStanding:
    declared = [each for each in pairs if each.contribution.total > 0]
    total = sum(each.contribution.total for each in declared)
    whole = contribution(int(sum(each.contribution.met for each in declared)), total, rulebook)
    given_enough = whole.value >= rulebook.level.counts_from and any(each.accepted for each in declared)
    if not (given_enough and run.meeting.enough):
        pairs = tuple(replace(each, counts=False) for each in pairs)
    return LineStanding(
        line=line,
        level=level(pairs),
        score=run.score,
        step=reached.step,
        below_since=run.below_since,
        next_step=reached.next_step,
        next_on=reached.next_on,
        may_ask_from=run.may_ask_from,
        pairs=pairs,
        improve=improvement(pairs, line, whole, run.meeting, rulebook),
        contribution=whole,
        met=run.meeting.met,
        met_needed=run.meeting.needed,
    )
