"""What a member would do first to bring a line back to target: one sentence, with a number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, sqrt

from repository.domain.assessment import PairStanding
from repository.domain.giving import Meeting
from repository.domain.measures import DUTY, Measure
from repository.domain.rulebook import Rulebook, StandingRules

_SINGULAR = {
    "customer": "customer",
    "claim": "claim",
    "suspected": "suspected case",
    "proven": "proven case",
    "victim": "victim record",
    "protective": "protective record",
}
_MOST = 10**9
NOTHING_TO_DO = "At target."
"""What is said where nothing would help."""


def improvement(pairs: Sequence[PairStanding], line: str, given: Measure, met: Meeting, rulebook: Rulebook) -> str:
    """The smallest thing that brings the weakest measure of the weakest judged class of a line to its target."""
    below = [each for each in pairs if _weakness(each) < 1.0]
    if not below:
        if sum(each.accepted for each in pairs) < rulebook.window.accepted_to_ask:
            return f"File {_counted(rulebook.window.accepted_to_ask, line, 'record')} to ask in this line."
        return _contribute(pairs, line, given, rulebook) or _meet(line, met, rulebook) or NOTHING_TO_DO
    weakest = min(below, key=lambda each: (_weakness(each), each.record_class))
    measures = weakest.measures if weakest.judged else weakest.measures[DUTY:]
    worst = min(measures, key=lambda each: each.value)
    return _SENTENCES[worst.name](weakest, worst, rulebook)


def _contribute(pairs: Sequence[PairStanding], line: str, given: Measure, rulebook: Rulebook) -> str | None:
    """What is missing until what is declared counts as contributed: a new member is at target long before that."""
    declared = [each for each in pairs if each.per_month > 0]
    if _short(given, rulebook) > 0:
        return (
            f"At target. File {_counted(_short(given, rulebook), f'more {line}', 'record')} to count as contributing."
        )
    short = [(_short(each.contribution, rulebook), each.record_class, each) for each in declared]
    most = max((each for each in short if each[0] > 0), default=None)
    return f"At target. File {_more(most[2], most[0])} for them to count as contributed." if most else None


def _meet(line: str, met: Meeting, rulebook: Rulebook) -> str | None:
    """What is missing where too few of a line's records are known to anyone else."""
    if met.enough:
        return None
    return (
        f"At target. {_counted(ceil(met.needed - met.met), f'more {line}', 'record')} of the last "
        f"{rulebook.level.counted_days} days must match what another member files, as others' records do, "
        "for the line to count as contributing."
    )


def _short(given: Measure, rulebook: Rulebook) -> int:
    """How many filings a contribution lacks to count."""
    return ceil(rulebook.level.counts_from * given.target * given.total - given.allowance - given.met - 1e-9)


def _weakness(pair: PairStanding) -> float:
    return pair.score if pair.judged else pair.measures[DUTY].value


def _complete(pair: PairStanding, measure: Measure, _: Rulebook) -> str:
    missing = measure.target * measure.total - measure.allowance - measure.met
    return f"File {_more(pair, ceil(missing - 1e-9))}."


def _timely(pair: PairStanding, measure: Measure, rulebook: Rulebook) -> str:
    count = _next_good(measure, rulebook.standing)
    return f"File the next {_records(pair, count)} within {rulebook.standing.timely_days} days of the trigger date."


def _accurate(pair: PairStanding, measure: Measure, rulebook: Rulebook) -> str:
    if pair.uncorroborated:
        return (
            f"Too few of {pair.line} {_SINGULAR[pair.record_class]} filings match what any other member files: "
            f"{_records(pair, pair.uncorroborated)} of them count as thin."
        )
    count = _next_good(measure, rulebook.standing)
    return (
        f"File the next {_records(pair, count)} with a subject of {rulebook.level.keys_needed} keys or more, "
        "and none that a dispute overturns."
    )


def _dutiful(pair: PairStanding, measure: Measure, rulebook: Rulebook) -> str:
    count = _next_good(measure, rulebook.standing)
    hits = "hit" if count == 1 else f"{count} hits"
    return f"Answer the next {hits} in line {pair.line}, class {pair.record_class}, in time."


_SENTENCES: dict[str, Callable[[PairStanding, Measure, Rulebook], str]] = {
    "completeness": _complete,
    "timeliness": _timely,
    "accuracy": _accurate,
    "duty": _dutiful,
}


def _next_good(measure: Measure, rules: StandingRules) -> int:
    """How many good ones in a row, counted into both met and total, bring a share to its target."""

    def short(count: int) -> bool:
        total = measure.total + count
        allowance = rules.tolerance * sqrt(total * (1 - measure.target))
        return measure.met + count + allowance < measure.target * total - 1e-9

    low, high = 0, 1
    while short(high) and high < _MOST:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if short(middle) else (low, middle)
    return high


def _more(pair: PairStanding, count: int) -> str:
    return _counted(count, f"more {pair.line}", _SINGULAR[pair.record_class])


def _records(pair: PairStanding, count: int) -> str:
    return _counted(count, pair.line, _SINGULAR[pair.record_class])


def _counted(count: int, words: str, noun: str) -> str:
    return f"{count} {words} {noun}{'' if count == 1 else 's'}"
