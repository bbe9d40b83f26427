"""The figures of a decision as sums that a person can follow with a pencil."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from math import floor, log10

from matching.vocabulary import RECORD_CLASSES
from repository.domain.asking import Request
from repository.domain.assessment import LineStanding, PairStanding, Standing
from repository.domain.entitlement import Entitlement
from repository.domain.measures import ACCURACY, DUTY, Measure
from repository.domain.members import Member
from repository.domain.rulebook import Rulebook
from repository.domain.terms import MONTHS_PER_DAY, Ramp

_DIGITS = 6
_DECIMALS = 4


@dataclass(frozen=True, slots=True)
class Case:
    """A decision with all that it was made from."""

    member: Member
    standing: Standing
    request: Request
    rulebook: Rulebook
    found: Entitlement
    now: datetime

    @property
    def line(self) -> LineStanding | None:
        """The member's standing in the line that was asked in, if there is one."""
        return self.standing.line(self.request.line) if self.request.line is not None else None

    @property
    def day(self) -> date:
        """The day of the decision."""
        return self.now.date()


@dataclass(frozen=True, slots=True)
class Working:
    """One sum, and what it is of."""

    about: str
    sum: str

    def as_dict(self) -> dict[str, str]:
        """As JSON."""
        return asdict(self)


Workings = Iterator[Working]


def workings(case: Case) -> tuple[Working, ...]:
    """The sums of the rule that decided; of an allowed question those of every rule that may lower what is seen."""
    if not case.found.allowed:
        return tuple(_BY_RULE[case.found.rule](case))
    if case.member.subscriber is not None:
        return (*_of_grant(case), *_of_day(case))
    if case.line is None:
        return (*_of_membership(case), *_of_lines(case), *_of_day(case))
    return (*_of_floor(case), *_of_line(case.line, case.rulebook), *_of_day(case))


def number(value: float) -> str:
    """A number with its thousands apart, to six digits: as many as a pencil needs."""
    if float(value).is_integer():
        return f"{value:,.0f}"
    places = max(0, _DIGITS - 1 - floor(log10(abs(value))))
    return f"{value:,.{places}f}".rstrip("0").rstrip(".")


def share(value: float) -> str:
    """A score or the value of a measure; what is below 1 is never written as 1."""
    if value >= 1.0:
        return "1"
    places = next(places for places in range(_DECIMALS, 18) if float(f"{value:.{places}f}") < 1.0)
    return f"{value:.{places}f}"


def measure(told: Measure) -> str:
    """The sum of a measure: `(met + allowance) / (target x total) = value`."""
    if told.total == 0:
        return "nothing was due: 1"
    met, allowance = number(told.met), number(told.allowance)
    raw = (told.met + told.allowance) / (told.target * told.total)
    sum_ = f"({met} + {allowance}) / ({number(told.target)} x {number(told.total)})"
    return f"{sum_} = {number(raw)}: at most 1" if raw > 1.0 else f"{sum_} = {share(told.value)}"


def _of_membership(case: Case) -> Workings:
    """R1: status, agreement, attestation; of a refusal only the one that is missing."""
    member, days = case.member, case.rulebook.membership.attestation_days
    about = {
        "status": f"{member.status.value}; active is needed",
        "agreement_signed_on": f"signed on {member.agreement_signed_on}; asked on {case.day}"
        if member.agreement_signed_on
        else "none is signed",
        "attested_on": f"{member.attested_on} + {days} days = {member.attested_on + timedelta(days=days)}, the last day"
        f" that it holds; asked on {case.day}"
        if member.attested_on
        else "none was given",
    }
    names = {"status": "membership", "agreement_signed_on": "agreement", "attested_on": "attestation"}
    wanted = about if case.found.allowed else {name: about[name] for name in about if name in case.found.figures}
    yield from (Working(names[name], sum_) for name, sum_ in wanted.items())


def _of_grant(case: Case) -> Workings:
    """R7: the grant, and what was asked of it."""
    grant, request = case.standing.grant, case.request
    if grant is None:
        yield Working("grant", "there is none")
        return
    last = grant.expires_on - timedelta(days=1)
    yield Working("grant", f"expires on {grant.expires_on}: {last} is the last day that it holds; asked on {case.day}")
    if request.purpose is not None and case.member.subscriber is not None:
        open_ = case.rulebook.subscribers[case.member.subscriber].purposes
        sum_ = f"{_listed(grant.purposes)} (grant), {_listed(open_)} (rulebook); asked under {request.purpose}"
        yield Working("purposes", sum_)
    if request.line is not None:
        yield Working("lines", f"{_listed(grant.lines)}; asked in {request.line}")


def _of_purpose(case: Case) -> Workings:
    request, rulebook = case.request, case.rulebook
    if "subjects" in case.found.figures:
        most, days = rulebook.quota.subjects_per_reference, rulebook.quota.reference_days
        sum_ = f"{request.subjects} > {most}, counted over {days} days, these included"
        yield Working("different subjects under one reference", sum_)
        return
    if case.member.subscriber is None and request.purpose not in rulebook.purposes.own:
        yield Working("purposes", f"{_listed(rulebook.purposes.own)}; asked under {request.purpose}")
    closed = {
        each.record_class
        for each in rulebook.purposes.closed
        if (each.line, each.purpose) == (request.line, request.purpose)
    }
    if closed:
        names = ", ".join(name for name in RECORD_CLASSES if name in closed)
        sum_ = f"{names}: {len(closed)} of {len(RECORD_CLASSES)} classes"
        yield Working(f"closed to it in line {request.line}", sum_)


def _of_ramp(case: Case) -> Workings:
    """R5: the clean days of who contributes first, or the date of a covenant."""
    line, clean = case.line, case.rulebook.ramp.clean_days
    if line is None:
        return
    if case.standing.ramp is Ramp.COVENANT:
        until = case.standing.covenant_until
        yield Working("covenant", f"full contribution was due on {until}")
        yield Working("below target", f"since {line.below_since}: on {until}, and every day until {case.standing.on}")
    elif line.may_ask_from is None:
        yield Working("back book", "not loaded, so that no day counts as clean yet")
    else:
        start = line.may_ask_from - timedelta(days=clean)
        sum_ = f"from {start}: {start} + {clean} days = {line.may_ask_from}, if it goes on so; asked on {case.day}"
        yield Working("at target in a row", sum_)
    yield from _of_line(line, case.rulebook)


def _of_floor(case: Case) -> Workings:
    """R2: what has to be accepted before a line may be asked in."""
    needed, days = case.rulebook.window.accepted_to_ask, case.rulebook.window.days
    pairs = case.line.pairs if case.line else ()
    accepted = sum(each.accepted for each in pairs)
    listed = " + ".join(f"{number(each.accepted)} {each.record_class}" for each in pairs if each.accepted)
    compared = f"{number(accepted)} {'>=' if accepted >= needed else '<'} {number(needed)}"
    sum_ = f"{listed} = {number(accepted)}; {compared}" if "+" in listed else compared
    yield Working(f"accepted in line {case.request.line} in {days} days", sum_)
    thin, alone = sum(each.thin for each in pairs), sum(each.uncorroborated for each in pairs)
    if thin + alone:
        sum_ = f"{number(thin)} with too few keys, {number(alone)} such as nobody else ever meets"
        yield Working("accepted, but not counted there", sum_)


def _of_ladder(case: Case) -> Workings:
    line, after = case.line, case.rulebook.ladder.suspended
    if line is None or line.below_since is None:
        return
    days = (case.standing.on - line.below_since).days
    sum_ = f"from {line.below_since} to {case.standing.on}: {days} >= {after}, after which a line is suspended"
    yield Working("days below target", sum_)
    yield from _of_line(line, case.rulebook)


def _of_quota(case: Case) -> Workings:
    """R10: the quota, and what was asked of it."""
    if "per_minute" in case.found.figures:
        quota, asked = case.found.quota, case.request.asked
        total = quota.used_this_minute + asked
        sum_ = f"{quota.used_this_minute} + {asked} = {number(total)} > {number(quota.per_minute)}"
        yield Working("asked in this minute", sum_)
        return
    yield from _of_day(case)


def _of_day(case: Case) -> Workings:
    """R10: the quota of the day; nothing where nothing was asked."""
    quota, asked, rules = case.found.quota, case.request.asked, case.rulebook.quota
    if asked <= 0:
        return
    if case.member.subscriber is None:
        each = " + ".join(number(line.accepted) for line in case.standing.lines if line.accepted)
        earned = f"{number(rules.per_accepted)} x {f'({each})' if '+' in each else each or '0'} accepted"
        sum_ = f"the larger of {number(rules.floor_per_day)} and {earned} = {number(quota.per_day)}"
        yield Working("queries a day", sum_)
    else:
        granted = case.standing.grant.quota_per_day if case.standing.grant else 0
        most = case.rulebook.subscribers[case.member.subscriber].quota_per_day
        yield Working("queries a day", f"the smaller of {granted} (grant) and {most} (rulebook) = {quota.per_day}")
    total = quota.used + asked
    compared = f"{number(total)} {'>' if total > quota.per_day else '<='} {number(quota.per_day)}"
    yield Working("asked today", f"{number(quota.used)} + {number(asked)} = {compared}")


def _of_lines(case: Case) -> Workings:
    for line in case.standing.lines:
        yield Working(f"line {line.line}", f"{number(line.accepted)} accepted, level {line.level.value}")


def _of_line(line: LineStanding, rulebook: Rulebook) -> Workings:
    """R2, R3, R4 and R8: the measures of each class of a line, its score, and whether it counts as contributed."""
    for pair in line.pairs:
        yield from _of_pair(pair, line, rulebook)
    if line.met_needed > 0:
        days, needed = rulebook.level.counted_days, number(line.met_needed)
        yield Working(f"{line.line}: met others'", f"{number(line.met)} in {days} days, of {needed} that have to")
    if len(line.pairs) < 2:
        return
    scores = [pair.score if pair.judged else pair.measures[DUTY].value for pair in line.pairs]
    yield Working(f"{line.line}: score", f"the least of {', '.join(map(share, scores))} = {share(line.score)}")
    if line.contribution.total > 0:
        sum_ = f"{measure(line.contribution)}; counts from {number(rulebook.level.counts_from)}"
        yield Working(f"{line.line}: contribution", sum_)


def _of_pair(pair: PairStanding, line: LineStanding, rulebook: Rulebook) -> Workings:
    name = f"{pair.line} {pair.record_class}"
    if pair.contribution.total > 0:
        yield Working(f"{name}: declared", _declared(pair))
    judged = pair.measures if pair.judged else pair.measures[DUTY:]
    for each in judged:
        if each.total > 0:
            yield Working(f"{name}: {each.name}", measure(each))
    idle = [each.name for each in judged if each.total == 0]
    if idle:
        yield Working(f"{name}: {_listed(idle)}", "nothing was due: 1" + (" each" if len(idle) > 1 else ""))
    if pair.judged:
        factors = " x ".join(share(each.value) for each in pair.measures)
        yield Working(f"{name}: score", f"{factors} = {share(pair.score)}")
    if pair.contribution.total > 0:
        from_ = number(rulebook.level.counts_from)
        verdict = _verdict(pair, line, rulebook)
        yield Working(f"{name}: contribution", f"{measure(pair.contribution)}; counts from {from_}: {verdict}")


def _declared(pair: PairStanding) -> str:
    """R4: what was declared for the days looked at; less declared since does not make it less at once."""
    total, days = number(pair.contribution.total), pair.contributed_over
    now = pair.per_month * MONTHS_PER_DAY * days
    if pair.contribution.total <= now + 1e-6:
        return f"{number(pair.per_month)} a month x 12 / 365.25 x {days} days = {total}"
    return f"{total} in {days} days: the mean of what was declared in them, {number(pair.per_month)} a month being less"


def _verdict(pair: PairStanding, line: LineStanding, rulebook: Rulebook) -> str:
    """R2: whether a class counts as contributed, and if not, why."""
    if pair.counts:
        return "it counts as contributed"
    not_ = "it does not count as contributed"
    least = rulebook.level.counts_from
    if pair.contribution.value < least:
        return not_
    if pair.measures[ACCURACY].value < least:
        return f"{not_}, for its accuracy is below that"
    if line.contribution.value < least:
        return f"{not_}, for all of the line together is below that"
    if line.met < line.met_needed:
        return f"{not_}, for too few of the line's records met another member's"
    return f"{not_}, for none was accepted within {rulebook.level.seen_days} days"


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words) or "none"


_BY_RULE: Mapping[str, Callable[[Case], Workings]] = {
    "R1": _of_membership,
    "R2": _of_floor,
    "R5": _of_ramp,
    "R6": _of_ladder,
    "R7": _of_grant,
    "R10": _of_quota,
    "PURPOSE": _of_purpose,
}
