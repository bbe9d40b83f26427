"""Standing: for each line of a member its level (R2), score (R3, R4, R8), ladder step (R6) and ramp (R5) on one day.

Same arguments, same standing: there is no clock and no chance in it, and every figure it rests on comes back in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby

import numpy as np

from matching.vocabulary import LINES, RECORD_CLASSES
from repository.domain.assessment import LineStanding, PairStanding, Standing
from repository.domain.filings import FRAUD_CLASSES
from repository.domain.history import Flags, History, Schedule, history, in_force
from repository.domain.improvement import improvement
from repository.domain.ladder import Rung, Step, below_since, rung
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
    declared = {(each.line, each.record_class) for each in membership.declared if each.since <= today}
    pairs = sorted(declared | set(ledger.pairs), key=_place)
    past = history(membership, ledger, schedule, pairs=pairs, peers=peers, today=today)
    listed = {line: tuple(each) for line, each in groupby(_pairs(pairs, past, rulebook), lambda each: each.line)}
    rows = {line: row for row, line in enumerate(dict.fromkeys(line for line, _ in pairs))}
    lines = []
    for line in sorted(member.lines | rows.keys(), key=LINES.index):
        below = past.below[rows[line]] if line in rows else np.zeros(past.days, np.bool_)
        score = float(past.scores[rows[line]]) if line in rows else 1.0
        terms = (
            _ladder(membership, below, past.first, rulebook),
            may_ask_from(membership, below, past.first, rulebook.ramp),
        )
        lines.append(_line(line, listed.get(line, ()), score, terms, rulebook))
    return Standing(
        member.id, today, rulebook.digest, membership.ramp, membership.covenant_until, tuple(lines), membership.grant
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


def _place(pair: Pair) -> tuple[int, int]:
    return LINES.index(pair[0]), RECORD_CLASSES.index(pair[1])


def _pairs(pairs: Sequence[Pair], past: History, rulebook: Rulebook) -> Iterator[PairStanding]:
    """Today's standing in each pair that was declared, or of which anything was filed or asked in the window."""
    today = past.today
    figures = np.stack((today.met, today.total, today.allowance, today.value))[..., -1].transpose(2, 1, 0).tolist()
    accepted, thin, uncorroborated = (
        each[:, -1].astype(np.int64).tolist()
        for each in (np.floor(today.accepted), today.thin, np.ceil(today.uncorroborated))
    )
    per_month, judged, scores = past.per_month.tolist(), past.judged.tolist(), today.scores[:, -1].tolist()
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


def _ladder(membership: Membership, below: Flags, first: date, rulebook: Rulebook) -> tuple[date | None, Rung]:
    """Since when a line is below target, and its step: R6, and R5 where it was so on the covenant's date."""
    since = below_since(below, first)
    today = first + timedelta(days=len(below) - 1)
    if missed_covenant(membership.ramp, membership.covenant_until, since, today):
        return since, Rung(Step.SUSPENDED)
    return since, rung(since, rulebook.ladder, today)


def _line(
    line: str,
    pairs: tuple[PairStanding, ...],
    score: float,
    terms: tuple[tuple[date | None, Rung], date | None],
    rulebook: Rulebook,
) -> LineStanding:
    (since, reached), ask_from = terms
    return LineStanding(
        line=line,
        level=level(pairs),
        score=score,
        step=reached.step,
        below_since=since,
        next_step=reached.next_step,
        next_on=reached.next_on,
        may_ask_from=ask_from,
        pairs=pairs,
        improve=improvement(pairs, line, rulebook),
    )
