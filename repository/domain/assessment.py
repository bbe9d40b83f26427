"""What a standing says: plain data that JSON holds exactly, so that a decision taken on it can be taken again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from repository.domain.ladder import Step
from repository.domain.measures import NOTHING_DECLARED, Measure
from repository.domain.rulebook import Level
from repository.domain.terms import Grant, Ramp


@dataclass(frozen=True, slots=True)
class PairStanding:
    """One (line, class) over the window. `per_month` is what is declared today.

    `accepted` is without those that count as thin: `thin` with too few keys, `uncorroborated` such as nobody else ever
    meets. `contribution` is over the last `contributed_over` days. `judged`: whether something was declared within the
    window, so that the score counts for the line; of other classes only the duty to answer does. `counts`: whether the
    class counts as contributed in the line (R2), by its own `contribution`, that of all of the line's declared classes
    together, and whom the line's records met.
    """

    line: str
    record_class: str
    per_month: int
    accepted: int
    thin: int
    uncorroborated: int
    judged: bool
    measures: tuple[Measure, ...]
    score: float
    contribution: Measure
    counts: bool
    contributed_over: int

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "line": self.line,
            "class": self.record_class,
            "per_month": self.per_month,
            "accepted": self.accepted,
            "thin": self.thin,
            "uncorroborated": self.uncorroborated,
            "judged": self.judged,
            "measures": [each.as_dict() for each in self.measures],
            "score": self.score,
            "contribution": self.contribution.as_dict(),
            "counts": self.counts,
            "contributed_over": self.contributed_over,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> PairStanding:
        """From what `as_dict` gave."""
        return cls(
            line=stored["line"],
            record_class=stored["class"],
            per_month=stored["per_month"],
            accepted=stored["accepted"],
            thin=stored["thin"],
            uncorroborated=stored["uncorroborated"],
            judged=stored["judged"],
            measures=tuple(map(Measure.from_dict, stored["measures"])),
            score=stored["score"],
            contribution=Measure.from_dict(stored["contribution"]),
            counts=stored["counts"],
            contributed_over=stored["contributed_over"],
        )


@dataclass(frozen=True, slots=True)
class LineStanding:
    """One line. `below_since` begins the days below target in a row that reach today; None when it is at target.

    `may_ask_from` is the day from which the ramp lets it ask (R5), if it goes on so; None when the back book that
    has to come first was not loaded. `improve` says the smallest thing that would help. `met` of its records met
    another member's, of `met_needed` that have to before any class counts; 0 where nothing is asked. `accepted` are its
    filings accepted within the window, without thin ones.
    """

    line: str
    level: Level
    score: float
    step: Step
    below_since: date | None
    next_step: Step | None
    next_on: date | None
    may_ask_from: date | None
    pairs: tuple[PairStanding, ...]
    improve: str
    contribution: Measure = NOTHING_DECLARED
    met: int = 0
    met_needed: float = 0.0
    accepted: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Sum up once what every decision asks for."""
        object.__setattr__(self, "accepted", sum(each.accepted for each in self.pairs))

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "line": self.line,
            "level": self.level.value,
            "contribution": self.contribution.as_dict(),
            "met": self.met,
            "met_needed": self.met_needed,
            "score": self.score,
            "step": self.step.value,
            "below_since": _iso(self.below_since),
            "next_step": self.next_step.value if self.next_step else None,
            "next_on": _iso(self.next_on),
            "may_ask_from": _iso(self.may_ask_from),
            "pairs": [each.as_dict() for each in self.pairs],
            "improve": self.improve,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> LineStanding:
        """From what `as_dict` gave."""
        return cls(
            line=stored["line"],
            level=Level(stored["level"]),
            contribution=Measure.from_dict(stored["contribution"]),
            met=stored["met"],
            met_needed=stored["met_needed"],
            score=stored["score"],
            step=Step(stored["step"]),
            below_since=_day(stored["below_since"]),
            next_step=Step(stored["next_step"]) if stored["next_step"] else None,
            next_on=_day(stored["next_on"]),
            may_ask_from=_day(stored["may_ask_from"]),
            pairs=tuple(map(PairStanding.from_dict, stored["pairs"])),
            improve=stored["improve"],
        )


@dataclass(frozen=True, slots=True)
class Standing:
    """A member's standing on a day, under the rulebook (its digest) in force on it.

    `accepted` are its filings accepted within the window, without thin ones.
    """

    member_id: str
    on: date
    rulebook: str
    ramp: Ramp
    covenant_until: date | None
    lines: tuple[LineStanding, ...]
    grant: Grant | None = None
    accepted: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Sum up once what every decision asks for."""
        object.__setattr__(self, "accepted", sum(each.accepted for each in self.lines))

    def line(self, name: str) -> LineStanding | None:
        """The standing in one line; None where the member neither takes part nor filed anything."""
        return next((each for each in self.lines if each.line == name), None)

    def as_dict(self) -> dict[str, Any]:
        """As JSON; `from_dict` gives the same standing back, to the last bit."""
        return {
            "member": self.member_id,
            "on": self.on.isoformat(),
            "rulebook": self.rulebook,
            "ramp": self.ramp.value,
            "covenant_until": _iso(self.covenant_until),
            "lines": [each.as_dict() for each in self.lines],
            "grant": self.grant.as_dict() if self.grant else None,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Standing:
        """From what `as_dict` gave."""
        return cls(
            member_id=stored["member"],
            on=date.fromisoformat(stored["on"]),
            rulebook=stored["rulebook"],
            ramp=Ramp(stored["ramp"]),
            covenant_until=_day(stored["covenant_until"]),
            lines=tuple(map(LineStanding.from_dict, stored["lines"])),
            grant=Grant.from_dict(stored["grant"]) if stored["grant"] else None,
        )


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
