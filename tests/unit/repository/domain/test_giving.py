"""R2 in figures, worked out by hand: horizons, contributions, and records that met another member's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from repository.domain.giving import Meeting, contribution, meetings
from repository.domain.rulebook import Level
from repository.domain.standing import Declared, LineStanding, Membership, PairStanding, Ramp
from tests.support.rulebooks import DEFAULT_RULEBOOK
from tests.support.standing import ADMITTED, Row, day, filed, ledger, stand, terms

FOUR = terms({"motor/claim": 4})
MANY = {("motor", "customer"): 0.12, ("motor", "claim"): 0.2}
"""What share of their records other members see corroborated."""


def line(number: int, *rows: list[Row], on: Membership = FOUR, met: bool = False) -> LineStanding:
    """The standing in motor on a day, under the shipped numbers."""
    peers = MANY if met else {}
    found = stand(number, *rows, on=on, rulebook=DEFAULT_RULEBOOK, peers=peers).line("motor")
    assert found is not None
    return found


def claims(of: LineStanding) -> PairStanding:
    """The class of claims."""
    return next(each for each in of.pairs if each.record_class == "claim")


def test_little_is_looked_at_for_longer() -> None:
    """At four a month thirty are declared in 229 days; as long as the membership is shorter, all of it is looked at."""
    assert [claims(line(n, filed([1]), on=FOUR)).contributed_over for n in (20, 90, 91, 150, 229, 400)] == [
        90,
        90,
        91,
        150,
        229,
        229,
    ]


@pytest.mark.parametrize(("per_month", "days"), [(2, 365), (3, 305), (10, 92), (11, 90), (400, 90)])
def test_much_is_looked_at_over_the_window(per_month: int, days: int) -> None:
    """Thirty declared records are enough to judge by; a year is the most that is looked at."""
    assert claims(line(500, filed([499]), on=terms({"motor/claim": per_month}))).contributed_over == days


def test_one_a_quarter_of_four_a_month_is_no_contribution() -> None:
    """(1 + 3.44) / (0.95 x 11.83) = 0.40 in the first quarter, and no better after a year: tier 1 by marks."""
    rows = filed(range(1, 400, 90), accepted=1, corroborated=1)
    early, late = line(89, rows), line(399, rows)
    assert (early.level, late.level) == (Level.MARKS, Level.MARKS)
    share = claims(early).contribution
    assert (share.met, round(share.total, 2), round(share.allowance, 2)) == (1, 11.83, 3.44)
    assert round(share.value, 2) == 0.40
    assert round(claims(late).contribution.value, 2) == 0.30


def test_a_quiet_quarter_costs_nobody_what_the_year_gave() -> None:
    """Who filed one a week and now one in three months still counts: 21 of 30 came in, in 229 days."""
    quiet = line(400, filed(range(1, 310, 7)), filed([*range(1, 310, 7), 390], accepted=1))
    assert quiet.level is Level.CLAIMS
    assert (claims(quiet).accepted, claims(quiet).contribution.met) == (1, 21)


def test_nobody_files_for_the_line_by_its_smallest_class() -> None:
    """A class that is whole does not make up for a large one of which nothing came."""
    on = terms({"motor/customer": 300, "motor/claim": 2})
    assert line(90, filed(range(1, 90, 14), accepted=1), on=on).level is Level.MARKS


def test_less_declared_today_does_not_make_it_less() -> None:
    """The mean of what was declared in the days looked at holds, where it is more."""
    on = Membership(
        ADMITTED,
        Ramp.COVENANT,
        ADMITTED,
        None,
        (Declared("motor", "claim", ADMITTED, 400), Declared("motor", "claim", day(100), 1)),
    )
    found = claims(line(100, filed([99], accepted=2), on=on))
    assert found.contributed_over == 90
    assert not found.counts
    assert round(found.contribution.total) == 1183


def test_a_line_proves_itself_by_records_that_others_know() -> None:
    """Where others can be compared with, two records have to be such as they know before any class counts."""
    rows = filed(range(1, 60), accepted=1, pair="motor/customer")
    on = terms({"motor/customer": 30})
    known = [filed([30], pair="motor/customer", corroborated=number) for number in (0, 1, 2)]
    assert [line(60, rows, each, on=on, met=True).level for each in known] == [
        Level.MARKS,
        Level.MARKS,
        Level.CUSTOMERS,
    ]
    assert line(60, rows, on=on).level is Level.CUSTOMERS
    unknown = line(60, rows, known[1], on=on, met=True)
    assert (unknown.met, unknown.met_needed) == (1, 2.0)
    assert unknown.improve == (
        "At target. 1 more motor record of the last 365 days must match what another member files, as others' records "
        "do, for the line to count as contributing."
    )


def test_more_records_have_to_meet_more() -> None:
    """A tenth of 600 x 12 % = 7.2, where back books and thin records are not held against anyone."""
    rows = filed(range(100), accepted=8, thin=1, back_book=1, pair="motor/customer")
    found = meetings(ledger(rows), ["motor", "home"], MANY, DEFAULT_RULEBOOK, day(120))
    assert found["motor"].needed == pytest.approx(7.2)
    assert found["home"] == Meeting(0, 0.0)


def test_what_was_met_long_ago_is_forgotten() -> None:
    """A year after, two records that met somebody prove nothing any more."""
    rows = filed([0], accepted=2, corroborated=2)
    found = [meetings(ledger(rows), ["motor"], MANY, DEFAULT_RULEBOOK, day(n))["motor"].met for n in (365, 366)]
    assert found == [2, 0]


def test_nothing_declared_is_nothing_owed() -> None:
    """Where nothing was declared the contribution is whole, and only where something was, chance is allowed for."""
    assert contribution(0, 0.0, DEFAULT_RULEBOOK).value == 1.0
    few = contribution(0, 3.0, DEFAULT_RULEBOOK)
    strict = replace(DEFAULT_RULEBOOK, level=replace(DEFAULT_RULEBOOK.level, counts_tolerance=0.0))
    assert few.allowance == DEFAULT_RULEBOOK.standing.spared
    assert contribution(0, 100.0, DEFAULT_RULEBOOK).allowance == 10.0
    assert contribution(0, 100.0, strict).allowance == DEFAULT_RULEBOOK.standing.spared
