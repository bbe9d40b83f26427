"""Standing: for each line of a member its level (R2), score (R3, R4, R8), ladder step (R6) and ramp (R5) on one day.

Same arguments, same standing: there is no clock and no chance in it, and every figure it rests on comes back in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

import numpy as np

from matching.vocabulary import LINES
from repository.domain.assessment import LineStanding, PairStanding, Standing
from repository.domain.filings import FRAUD_CLASSES
from repository.domain.history import AT_TARGET, Days, History, Schedule, below_since, in_force, listed
from repository.domain.improvement import improvement
from repository.domain.ladder import Rung, Step, rung
from repository.domain.ledger import COUNTS, Ledger, Pair, collect
from repository.domain.measures import ACCURACY, COMPLETENESS, MEASURES, Measure, peer_share, targets
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
    """How a line does today, since when it is below target, and from when it may ask."""

    score: float
    below_since: date | None
    may_ask_from: date | None


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
    scores = dict(zip(dict.fromkeys(line for line, _ in pairs), days.scores[0].tolist(), strict=True))
    lines = sorted(member.lines | scores.keys(), key=LINES.index)
    since = below_since(history, [line for line, score in scores.items() if score < AT_TARGET], today)
    opens = may_ask_from(history, lines, rulebook.ramp, today)
    by_line = {line: tuple(each) for line, each in groupby(_pairs(pairs, days, rulebook), lambda each: each.line)}
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
                _Run(scores.get(line, 1.0), since.get(line), opens[line]),
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


def _pairs(pairs: Sequence[Pair], days: Days, rulebook: Rulebook) -> Iterator[PairStanding]:
    """Today's standing in each pair that was declared, or of which anything was filed or asked in the window."""
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
        if not (per_month[place] > 0 or any(each.total > 0 for each in measures)):
            continue
        contributed = (
            per_month[place] > 0
            and accepted[place] >= 1
            and measures[COMPLETENESS].value >= rulebook.level.counts_from
            and measures[ACCURACY].value >= rulebook.level.counts_from
        )
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
            counts=contributed,
        )


def _rung(membership: Membership, since: date | None, rulebook: Rulebook, today: date) -> Rung:
    """The step of a line: R6, and R5 where it was below target on the covenant's date."""
    if missed_covenant(membership.ramp, membership.covenant_until, since, today):
        return Rung(Step.SUSPENDED)
    return rung(since, rulebook.ladder, today)


def _line(line: str, pairs: tuple[PairStanding, ...], run: _Run, reached: Rung, rulebook: Rulebook) -> LineStanding:
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
        improve=improvement(pairs, line, rulebook),
    )
