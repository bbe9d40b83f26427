"""What the scheme's rules allow, worked out a second time: slowly, from a list of all that happened.

It shares nothing with the service but the rulebook's text: where the two differ, one of them is wrong. Days are
judged one by one with plain loops; the words (lines, classes, tiers) are those of docs/reciprocity.md.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import wraps
from math import floor, inf, sqrt
from statistics import median
from typing import Any, Concatenate, ParamSpec, TypeVar

CLASSES = ("customer", "claim", "suspected", "proven", "victim", "protective")
FRAUD = ("suspected", "proven")
DAY = timedelta(days=1)
AT_TARGET = 1 - 1e-9
Rules = dict[str, Any]
"""A rulebook as its file says it: tables by name."""


@dataclass(eq=False)
class Party:
    """A member as the oracle knows it. `declared` are (line, class, since, per month), in the order they were said."""

    id: str
    name: str
    lines: tuple[str, ...]
    admitted_on: date
    covenant_until: date | None = None
    contributes_first: bool = False
    back_book_on: date | None = None
    status: str = "active"
    attested_on: date | None = None
    declared: list[tuple[str, str, date, int]] = field(default_factory=list)
    subscriber: str | None = None
    grant: dict[str, Any] | None = None


@dataclass
class Record:
    """A filing. `whole`: enough keys; `counts`: the same people do not already count too often, it enters the figures.

    `met`: another member had somebody of it when it came. `late_on`: the day it came late, or was found to have.
    `filed_of`: the trigger date it was first filed with. `flag`: what keeps others from seeing all of it.
    """

    id: str
    party: str
    reference: str
    line: str
    record_class: str
    people: tuple[str, ...]
    filed_on: date
    triggered_on: date
    whole: bool = True
    late_on: date | None = None
    before_admission: bool = False
    met: bool = False
    counts: bool = True
    labels: dict[str, str] = field(default_factory=dict)
    filed_of: date | None = None
    flag: str | None = None

    @property
    def subjects(self) -> tuple[object, ...]:
        """The same for records about the same people; a claim is one of its day."""
        return (frozenset(self.people), self.filed_of if self.record_class == "claim" else None)


@dataclass
class Debt:
    """An answer that falls due."""

    party: str
    line: str
    record_class: str
    due_on: date
    answered: bool = False


@dataclass(frozen=True)
class Figures:
    """One (line, class) of a member on a day: what is declared, what counts as accepted, and the four values."""

    record_class: str
    rate: float
    expected: float
    accepted: int
    uncorroborated: float
    completeness: float
    timeliness: float
    accuracy: float
    duty: float


@dataclass(frozen=True)
class Given:
    """What a member gave of one (line, class): over so many days so much was declared, and so much came."""

    over: int
    total: float
    met: int


def _value(met: float, total: float, target: float, variance: float, rules: Rules) -> float:
    """One measure: what was met, and what chance may take away, of the target; at most 1, and 1 where nothing was due.

    At least as many as are always spared are taken for chance.
    """
    if total <= 0:
        return 1.0
    allowance = max(rules["standing"]["spared"], rules["standing"]["tolerance"] * sqrt(variance))
    return float(min(1.0, (met + allowance) / (target * total)))


_P = ParamSpec("_P")
_T = TypeVar("_T")


def _kept(method: Callable[Concatenate[Oracle, _P], _T]) -> Callable[Concatenate[Oracle, _P], _T]:
    """Work out once for each question: until `Oracle.asked_anew` nothing changes."""

    @wraps(method)
    def ask(oracle: Oracle, /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        key = (method.__name__, args, *kwargs.items())
        if key not in oracle.kept:
            oracle.kept[key] = method(oracle, *args, **kwargs)
        found: _T = oracle.kept[key]
        return found

    return ask


class Oracle:
    """All that happened, and what follows from it. `today` is the day on which is asked."""

    def __init__(self, rulebook: str, beginning: date) -> None:
        self.rulebooks: list[tuple[date, Rules]] = [(beginning, tomllib.loads(rulebook))]
        self.parties: dict[str, Party] = {}
        self.records: dict[str, Record] = {}
        self.debts: dict[tuple[str, str], Debt] = {}
        self.overturned: list[tuple[str, str, str, date]] = []
        self.today = beginning
        self.kept: dict[tuple[object, ...], Any] = {}
        self._by_pair: dict[tuple[str, str, str], list[Record]] = {}
        self._scores: dict[tuple[object, ...], float] = {}
        self._sums: dict[tuple[object, ...], float] = {}
        self._medians: dict[tuple[object, ...], float | None] = {}

    def asked_anew(self) -> None:
        """Forget what was worked out: something may have changed since."""
        self.kept.clear()

    # What happened

    def load(self, rulebook: str, effective_from: date) -> None:
        """Another rulebook holds from a day on."""
        self.rulebooks.append((effective_from, tomllib.loads(rulebook)))
        self.asked_anew()

    def filed(self, record: Record) -> Record:
        """A filing of a new reference was accepted: judge it as it came."""
        party = self.parties[record.party]
        rules = self.rules(record.filed_on)
        record.filed_of = record.triggered_on
        record.before_admission = record.triggered_on < party.admitted_on
        most = rules["level"]["same_subject_counts"]
        first = record.filed_on - timedelta(days=rules["window"]["days"])
        before = [
            each
            for each in self._of(party, record.line, record.record_class)
            if each.counts and each.whole and first <= each.filed_on
        ]
        record.counts = not record.whole or sum(each.subjects == record.subjects for each in before) < most
        if record.counts and self._late(record, rules):
            record.late_on = record.filed_on
        others = [each for each in self.records.values() if each.party != record.party]
        theirs = [each for each in others if set(record.people) & set(each.people)]
        record.met = any(sum(bool(set(each.people) & set(it.people)) for it in before) < most for each in theirs)
        self.records[record.id] = record
        self._by_pair.setdefault((record.party, record.line, record.record_class), []).append(record)
        self.asked_anew()
        return record

    def redated(self, record: Record, triggered_on: date) -> None:
        """A new version has another trigger date: an older one makes a timely record late, from today on."""
        rules = self.rules(self.today)
        record.triggered_on = triggered_on
        lately = record.filed_on >= self.today - timedelta(days=rules["window"]["days"])
        if record.counts and lately and record.late_on is None and self._late(record, rules):
            record.late_on = self.today
        self.asked_anew()

    def _late(self, record: Record, rules: Rules) -> bool:
        if record.triggered_on < self.parties[record.party].admitted_on:
            return False
        return bool((record.filed_on - record.triggered_on).days > rules["standing"]["timely_days"])

    # The rulebook

    def rules(self, day: date) -> Rules:
        """The rulebook in force on a day: of those that begin by then the latest, of one day the one loaded last."""
        found = self.rulebooks[0]
        for since, rules in self.rulebooks:
            if since <= day and since >= found[0]:
                found = (since, rules)
        return found[1]

    # Who may ask

    def refusals(self, party: Party, purpose: str | None, line: str | None, today: date) -> list[set[str]]:
        """The rules that refuse, in the order in which they are looked at; where two fit, either may be named."""
        found: list[set[str]] = []
        rules = self.rules(today)
        if not self._in_order(party, rules, today):
            found.append({"R1"})
        if party.subscriber is not None:
            if not self._granted(party, purpose, line, rules, today):
                found.append({"R7"})
        elif purpose is not None and purpose not in rules["purposes"]["own"]:
            found.append({"PURPOSE"})
        if purpose is not None and all(self._closed(line, each, purpose, rules) for each in CLASSES):
            found.append({"PURPOSE"})
        if party.subscriber is None and line is not None:
            found += self._line_refusals(party, line, rules, today)
        return found

    def _line_refusals(self, party: Party, line: str, rules: Rules, today: date) -> list[set[str]]:
        found = []
        if not self.ramp_open(party, line, today):
            found.append({"R5"})
        if self._missed(party, self.below_since(party, line, today), today):
            found.append({"R5"})
        if sum(each.accepted for each in self.figures(party, line, today)) < rules["window"]["accepted_to_ask"]:
            found.append({"R2"})
        if self.step(party, line, today) == "suspended":
            found.append({"R6"})
        return found

    @_kept
    def tier(self, party: Party, line: str, record_class: str, purpose: str | None, today: date) -> int:
        """The highest tier at which a member sees the records of a line and class under a purpose."""
        rules = self.rules(today)
        if not self._in_order(party, rules, today) or self._closed(line, record_class, purpose, rules):
            return 0
        if party.subscriber is not None:
            return (
                self._granted_tier(party, record_class, rules)
                if self._granted(party, purpose, line, rules, today)
                else 0
            )
        if not self.ramp_open(party, line, today):
            return 0
        figures = self.figures(party, line, today)
        contributed = self.contributed(party, line, today)
        earned = rules["tiers"][self._level(figures, contributed)][record_class]
        if record_class in contributed:
            earned = max(earned, rules["level"]["at_par"])
        earned = min(earned, rules["level"]["highest"])
        step = self.step(party, line, today)
        if step == "suspended":
            return 0
        return int(min(earned, rules["ladder"]["restricted_tier"]) if step == "restricted" else earned)

    def record_tier(self, party: Party, record: Record, purpose: str | None, today: date) -> int:
        """The highest tier for one record, by its labels and flag, too; 0 for the member's own."""
        if record.party == party.id:
            return 0
        caps = self.rules(today)["handling"]
        highest = [caps[name][word] for name, word in record.labels.items()]
        rules = self.rules(today)["disputes"]
        flags = {"disputed": rules["disputed_tier"], "restricted": rules["restricted_tier"], "suppressed": 0}
        highest += [flags[record.flag]] if record.flag else []
        return int(min([self.tier(party, record.line, record.record_class, purpose, today), *highest]))

    def _in_order(self, party: Party, rules: Rules, today: date) -> bool:
        if party.status != "active" or party.attested_on is None:
            return False
        return bool((today - party.attested_on).days <= rules["membership"]["attestation_days"])

    def _closed(self, line: str | None, record_class: str, purpose: str | None, rules: Rules) -> bool:
        entry = {"line": line, "class": record_class, "purpose": purpose}
        return any(each == entry for each in rules["purposes"]["closed"])

    def _granted(self, party: Party, purpose: str | None, line: str | None, rules: Rules, today: date) -> bool:
        if party.grant is None or today >= party.grant["expires_on"] or party.subscriber is None:
            return False
        of_class = rules["subscribers"][party.subscriber]["purposes"]
        if purpose is not None and not (purpose in party.grant["purposes"] and purpose in of_class):
            return False
        return line is None or line in party.grant["lines"]

    @staticmethod
    def _granted_tier(party: Party, record_class: str, rules: Rules) -> int:
        if party.grant is None or party.subscriber is None:
            return 0
        of_class = rules["subscribers"][party.subscriber]
        if record_class not in party.grant["classes"] or record_class not in of_class["classes"]:
            return 0
        return int(min(party.grant["tier"], of_class["tier"]))

    # What was given

    @_kept
    def contributed(self, party: Party, line: str, today: date) -> set[str]:
        """The classes of a line that count as contributed, each by itself and all declared ones together."""
        rules, figures = self.rules(today), self.figures(party, line, today)
        enough = rules["level"]["counts_from"]
        given = {each.record_class: self.given(party, line, each.record_class, today) for each in figures}
        declared = [each for each in figures if given[each.record_class].total > 0]
        met = sum(each.met for each in given.values() if each.total > 0)
        if self._share(met, sum(each.total for each in given.values()), rules) < enough:
            return set()
        if not any(each.accepted for each in declared) or self.unmet(party, line, today):
            return set()
        return {
            each.record_class
            for each in declared
            if each.rate > 0
            and self._share(given[each.record_class].met, given[each.record_class].total, rules) >= enough
            and each.accuracy >= enough
            and (each.accepted >= 1 or self._seen(party, line, each.record_class, today))
        }

    @staticmethod
    def _share(met: int, total: float, rules: Rules) -> float:
        """What came, of what is declared; a deviation and what is always spared are taken for chance."""
        chance = max(rules["standing"]["spared"], rules["level"]["counts_tolerance"] * sqrt(total))
        return min(1.0, (met + chance) / (rules["standing"]["completeness_target"] * total)) if total > 0 else 1.0

    @_kept
    def given(self, party: Party, line: str, record_class: str, today: date) -> Given:
        """What a member gave of a line and class, over the days it is looked at."""
        over = self.horizon(party, line, record_class, today)
        total = self._volume(party, line, record_class, today, over) * 12 / 365.25 * over
        first = today - timedelta(days=over)
        came = sum(
            each.counts and each.whole and each.filed_on >= first for each in self._of(party, line, record_class)
        )
        figures = self.figures(party, line, today)[CLASSES.index(record_class)]
        return Given(over, total, floor(max(came - figures.uncorroborated, 0)))

    @_kept
    def horizon(self, party: Party, line: str, record_class: str, today: date) -> int:
        """How many days a class is looked at: the window, or where little is declared until that is enough."""
        rules = self.rules(today)
        window, level = rules["window"]["days"], rules["level"]
        most = max(window, min(level["counted_days"], (today - party.admitted_on).days))
        declared = 0.0
        for over in range(1, most + 1) if self._declares(party, line, record_class) else ():
            declared += self.rate(party, line, record_class, today - timedelta(days=over)) * 12 / 365.25
            if over >= window and declared >= level["counted_over"]:
                return over
        return int(most)

    @_kept
    def unmet(self, party: Party, line: str, today: date) -> bool:
        """Whether fewer of a line's records met another member's than is asked; nothing, where nobody compares."""
        level, standing = self.rules(today)["level"], self.rules(today)["standing"]
        first = today - timedelta(days=level["counted_days"])
        peers = {each: self._peers(party, line, each) for each in CLASSES}
        if not any(peers.values()):
            return False
        met, likely = 0, 0.0
        for record_class, share in peers.items():
            records = [each for each in self._of(party, line, record_class) if each.counts and each.filed_on >= first]
            met += sum(each.met for each in records)
            likely += (share or 0.0) * sum(each.whole and not each.before_admission for each in records)
        return bool(met < max(level["met_from"], standing["corroboration_share"] * likely))

    def _seen(self, party: Party, line: str, record_class: str, today: date) -> bool:
        """Whether a record that counts came in lately."""
        back = timedelta(days=self.rules(today)["level"]["seen_days"])
        records = self._of(party, line, record_class)
        return any(each.counts and each.whole and today - back <= each.filed_on for each in records)

    @staticmethod
    def _level(figures: list[Figures], contributed: set[str]) -> str:
        if "claim" in contributed:
            return "full" if contributed.intersection(FRAUD) else "claims"
        if "customer" in contributed:
            return "customers"
        return "marks" if any(each.accepted for each in figures) else "nothing"

    @_kept
    def figures(self, party: Party, line: str, day: date, *, compared: bool = True) -> list[Figures]:
        """The figures of every class of a line on a day, the day included. For `compared` see `score`."""
        return [self._figures(party, line, each, day, compared=compared) for each in CLASSES]

    def _of(self, party: Party, line: str, record_class: str) -> list[Record]:
        return self._by_pair.get((party.id, line, record_class), [])

    def _figures(self, party: Party, line: str, record_class: str, day: date, *, compared: bool) -> Figures:
        rules, pair = self.rules(day), (party.id, line, record_class)
        standing, first = rules["standing"], day - timedelta(days=rules["window"]["days"])
        filed = [each for each in self._of(party, line, record_class) if each.counts]
        records = [each for each in filed if first <= each.filed_on <= day]
        late = sum(each.late_on is not None and first <= each.late_on <= day for each in filed)
        debts = [
            each
            for each in self.debts.values()
            if (each.party, each.line, each.record_class) == pair and first <= each.due_on <= day
        ]
        upheld = sum(each[:3] == pair and first <= each[3] <= day for each in self.overturned)
        whole = sum(each.whole for each in records)
        peers = self._peers(party, line, record_class) if compared else None
        vouched = self._vouched(records, peers, rules["standing"])
        credible = min(whole, vouched)
        in_time = [each for each in records if not (each.before_admission and each.whole)]
        kept_back = sum(each.before_admission and each.whole for each in records)
        expected = round(self._expected(party, line, record_class, first, day), 9)

        def share(met: float, total: int, name: str) -> float:
            target = standing[f"{name}_target"]
            return _value(met, total, target, total * (1 - target), rules)

        return Figures(
            record_class=record_class,
            rate=self.rate(party, line, record_class, day),
            expected=expected,
            accepted=floor(credible),
            uncorroborated=whole - credible,
            completeness=_value(
                max(credible - kept_back, 0), expected, standing["completeness_target"], expected, rules
            ),
            timeliness=share(max(len(in_time) - late, 0), len(in_time), "timeliness"),
            accuracy=share(min(max(whole - upheld, 0), vouched), len(records), "accuracy"),
            duty=share(sum(each.answered for each in debts), len(debts), "duty"),
        )

    def _expected(self, party: Party, line: str, record_class: str, first: date, until: date) -> float:
        """What was due on the days from `first` until a day, that day itself not: it is not over."""
        if not self._declares(party, line, record_class):
            return 0.0
        key = (party.id, line, record_class, first, until, len(party.declared), party.back_book_on)
        if key not in self._sums:
            due, day = 0.0, first
            while day < until:
                due += self.rate(party, line, record_class, day) * self.share_due(party, day) * 12 / 365.25
                day += DAY
            self._sums[key] = due
        return self._sums[key]

    @staticmethod
    def _vouched(records: list[Record], peers: float | None, standing: Rules) -> float:
        """How many records are vouched for by those that others met; all, where there is nobody to compare with."""
        if not peers or len(records) < standing["corroboration_from"]:
            return inf
        if len(records) * peers < standing["corroboration_expected"]:
            return inf
        return float(sum(each.met for each in records) / (standing["corroboration_share"] * peers))

    def _peers(self, party: Party, line: str, record_class: str) -> float | None:
        """The median share of records that were met, among the other members that filed enough of them."""
        key = (party.id, line, record_class, self.today, len(self.records), len(self.rulebooks))
        if key not in self._medians:
            self._medians[key] = self._median(party, line, record_class, self.rules(self.today))
        return self._medians[key]

    def _median(self, party: Party, line: str, record_class: str, rules: Rules) -> float | None:
        standing = rules["standing"]
        first = self.today - timedelta(days=rules["window"]["days"])
        shares = []
        for other in self.parties.values():
            filed = self._of(other, line, record_class)
            found = [each for each in filed if each.counts and first <= each.filed_on < self.today]
            if other.id != party.id and len(found) >= max(1, standing["corroboration_from"]):
                shares.append(sum(each.met for each in found) / len(found))
        return median(shares) if len(shares) >= max(1, standing["corroboration_peers"]) else None

    @staticmethod
    def rate(party: Party, line: str, record_class: str, day: date) -> float:
        """What is declared per month for a day."""
        found = 0
        since = date.min
        for each in party.declared:
            if each[:2] == (line, record_class) and since <= each[2] <= day:
                since, found = each[2], each[3]
        return float(found)

    @staticmethod
    def _declares(party: Party, line: str, record_class: str) -> bool:
        """Whether anything was ever said of a line and class."""
        return any(each[:2] == (line, record_class) for each in party.declared)

    def _volume(self, party: Party, line: str, record_class: str, today: date, over: int) -> float:
        """What is declared per month, or its mean over so many days as a member where that is more."""
        total = self._declared(party, line, record_class, today, over)
        as_member = min(max((today - party.admitted_on).days, 1), over)
        return max(self.rate(party, line, record_class, today), round(total / as_member, 9))

    def _declared(self, party: Party, line: str, record_class: str, today: date, over: int) -> float:
        """What was declared per month on each of the last days before today, added up."""
        return sum(self.rate(party, line, record_class, today - timedelta(days=n + 1)) for n in range(over))

    @staticmethod
    def share_due(party: Party, day: date) -> float:
        """R5: which share of the declared volume is due on a day."""
        if day < party.admitted_on:
            return 0.0
        if party.contributes_first:
            return 1.0 if party.back_book_on is not None and day >= party.back_book_on else 0.0
        if party.covenant_until is None or party.covenant_until <= party.admitted_on:
            return 1.0
        return min(1.0, (day - party.admitted_on).days / (party.covenant_until - party.admitted_on).days)

    # The ramp and the ladder

    def score(self, party: Party, line: str, day: date, *, compared: bool = True) -> float:
        """How a line does on a day, as of its end: that of the class that does worst.

        `compared`: whether records that nobody else meets count as thin.
        """
        key = (party.id, line, day, self._peers_told(party, line) if compared else ())
        if day < self.today and key in self._scores:
            return self._scores[key]
        scores = [1.0]
        for each in self.figures(party, line, day, compared=compared):
            judged = each.rate > 0 or each.expected > 0
            product = each.completeness * each.timeliness * each.accuracy * each.duty
            scores.append(product if judged else each.duty)
        if day < self.today:
            self._scores[key] = min(scores)
        return min(scores)

    @_kept
    def _peers_told(self, party: Party, line: str) -> tuple[float | None, ...]:
        return tuple(self._peers(party, line, each) for each in CLASSES)

    def below_since(self, party: Party, line: str, today: date) -> date | None:
        """The first of the days in a row below target that reach today; None when today is at target."""
        if self.score(party, line, today) >= AT_TARGET:
            return None
        day = today
        while day > party.admitted_on and self.score(party, line, day - DAY) < AT_TARGET:
            day -= DAY
        return day

    @_kept
    def step(self, party: Party, line: str, today: date) -> str:
        """The step of the ladder (R6), or what a missed covenant makes of it (R5)."""
        since = self.below_since(party, line, today)
        if self._missed(party, since, today):
            return "suspended"
        reached = "good"
        if since is not None:
            for step in ("warned", "plan", "restricted", "suspended"):
                if (today - since).days >= self.rules(today)["ladder"][step]:
                    reached = step
        return reached

    @staticmethod
    def _missed(party: Party, since: date | None, today: date) -> bool:
        until = None if party.contributes_first else party.covenant_until
        return until is not None and since is not None and since <= until <= today

    @_kept
    def ramp_open(self, party: Party, line: str, today: date) -> bool:
        """R5: whether the ramp lets a line ask: after so many clean days in a row where contributions come first."""
        if not party.contributes_first:
            return True
        if party.back_book_on is None:
            return False
        clean, day = 0, max(party.back_book_on, party.admitted_on)
        while day < today:
            clean = clean + 1 if self.score(party, line, day, compared=False) >= AT_TARGET else 0
            if clean >= self.rules(today)["ramp"]["clean_days"]:
                return True
            day += DAY
        return False

    # Free riders

    @_kept
    def rides_free(self, party: Party, line: str, today: date) -> bool:
        """Whether a member gives less than a fifth of what it declared, of too much to be chance.

        Looked at over the days of each class: what was declared for them day by day, or would be by what is declared
        today. Too much: that fifth, and what the rulebook takes for chance, is less than what counts as contributed.
        """
        if party.subscriber is not None:
            return False
        given, declared = 0, 0.0
        for each in CLASSES:
            over = self.horizon(party, line, each, today)
            rates = self._declared(party, line, each, today, over)
            said = max(rates, self.rate(party, line, each, today) * over) * 12 / 365.25
            if said > 0:
                first = today - timedelta(days=over)
                given += sum(first <= record.filed_on <= today for record in self._of(party, line, each))
            declared += said
        if given == 0:
            return True
        rules = self.rules(today)
        chance = max(rules["standing"]["spared"], rules["level"]["counts_tolerance"] * sqrt(declared))
        enough = rules["level"]["counts_from"] * rules["standing"]["completeness_target"] * declared
        return given < declared / 5 and declared / 5 + chance < enough
