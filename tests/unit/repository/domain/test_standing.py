"""Standing, in examples worked by hand: rules R2 to R6 and R8."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from repository.domain.rulebook import Level
from repository.domain.standing import (
    Declared,
    LineStanding,
    Measure,
    PairStanding,
    Ramp,
    Standing,
    Step,
    assess,
    collect,
    peer_share,
)
from tests.support.standing import ADMITTED, RULES, SIXTEEN_A_DAY, Row, day, filed, ledger, member, stand, terms


def motor(standing: Standing) -> LineStanding:
    """The standing in line motor."""
    line = standing.line("motor")
    assert line is not None
    return line


def pair(standing: Standing, record_class: str = "claim") -> PairStanding:
    """The standing in a class of line motor."""
    return next(each for each in motor(standing).pairs if each.record_class == record_class)


def measure(standing: Standing, name: str, record_class: str = "claim") -> Measure:
    """One measure of a class of line motor."""
    return next(each for each in pair(standing, record_class).measures if each.name == name)


def test_completeness_is_what_was_filed_of_what_was_declared() -> None:
    """90 days of 16 are 1440; 1200 + 2 x sqrt(1440) = 1275.9 of 0.95 x 1440 = 1368 is 0.9327."""
    found = measure(stand(200, filed([150], accepted=1200)), "completeness")
    assert (found.met, found.total, found.target) == (1200, 1440, 0.95)
    assert found.allowance == pytest.approx(75.894663844)
    assert found.value == pytest.approx(0.9326716)


def test_a_day_is_due_when_it_is_over() -> None:
    """On the first day nothing is due; on the next, 16. What is filed today counts today."""
    assert measure(stand(0), "completeness").total == 0
    assert measure(stand(0), "completeness").value == 1
    assert measure(stand(1, filed([1], accepted=3)), "completeness").total == 16
    assert measure(stand(1, filed([1], accepted=3)), "completeness").met == 3


def test_the_window_is_ninety_days_and_today() -> None:
    """A filing of 90 days ago counts, one of 91 days ago does not."""
    assert pair(stand(190, filed([100], accepted=5))).accepted == 5
    assert pair(stand(191, filed([100], accepted=5))).accepted == 0


def test_a_declaration_holds_from_its_day_until_the_next() -> None:
    """Ten days at 16 and ten at 32 are 480."""
    more = Declared("motor", "claim", day(10), 2 * SIXTEEN_A_DAY)
    on = terms()
    found = stand(20, on=replace(on, declared=(*on.declared, more)))
    assert measure(found, "completeness").total == pytest.approx(480)
    assert pair(found).per_month == 2 * SIXTEEN_A_DAY


def test_declaring_nothing_any_more_does_not_undo_what_was_due() -> None:
    """What was due in the window stays due, and the line below target; the class no longer counts as contributed."""
    on = terms()
    found = stand(
        50, filed([1], accepted=400), on=replace(on, declared=(*on.declared, Declared("motor", "claim", day(50), 0)))
    )
    assert measure(found, "completeness").total == 800
    assert motor(found).score < 1
    assert not pair(found).counts


def test_under_a_covenant_what_is_due_grows_day_by_day() -> None:
    """Day d of 100 owes d hundredths: 16 x (0 + 1 + ... + 9) / 100 = 7.2 after ten days."""
    found = stand(10, on=terms(covenant_until=day(100)))
    assert measure(found, "completeness").total == pytest.approx(7.2)
    assert measure(stand(110, on=terms(covenant_until=day(100))), "completeness").total == pytest.approx(
        16 * sum(range(20, 100)) / 100 + 10 * 16
    )


def test_a_back_book_is_not_judged_for_time_or_volume() -> None:
    """Of 500 filings 400 are from before admission: 100 are judged, of which 20 late are too many."""
    found = stand(5, filed([1], accepted=500, back_book=400, late=20))
    assert measure(found, "completeness").met == 100
    late = measure(found, "timeliness")
    assert (late.met, late.total) == (80, 100)
    assert late.allowance == pytest.approx(2 * 5**0.5)
    assert late.value == pytest.approx((80 + 2 * 5**0.5) / 95)
    assert pair(found).accepted == 500


def test_thin_and_overturned_filings_are_inaccurate() -> None:
    """1000 filings, 50 thin, 30 disputed and upheld: (920 + 2 x sqrt(20)) / 980; thin ones fill no volume."""
    found = stand(90, filed([80], accepted=1000, thin=50), filed([85], upheld=30))
    assert measure(found, "accuracy").met == 920
    assert measure(found, "accuracy").value == pytest.approx((920 + 2 * 20**0.5) / 980)
    assert measure(found, "completeness").met == 950
    assert (pair(found).accepted, pair(found).thin) == (950, 50)


def test_more_overturned_than_filed_is_nothing_accurate() -> None:
    """Old filings can be overturned in the window: accuracy does not fall below nothing."""
    assert measure(stand(90, filed([80], accepted=2, upheld=5)), "accuracy").met == 0


def test_answers_are_due_on_their_day() -> None:
    """Of 100 answers due 70 came in time: (70 + 2 x sqrt(20)) / 80; those due tomorrow are not judged yet."""
    found = stand(60, filed([40], due=100, answered=70), filed([61], due=50), filed([30], accepted=960))
    duty = measure(found, "duty")
    assert (duty.met, duty.total) == (70, 100)
    assert duty.value == pytest.approx((70 + 2 * 20**0.5) / 80)
    assert motor(found).score == pytest.approx(duty.value)


def test_the_duty_to_answer_is_of_classes_not_declared_too() -> None:
    """Who sees hits of a class it declared nothing for owes the answers all the same.

    Of 10 due none was given. With 17 more, all in time, 17 + 2 x sqrt(0.2 x 27) = 21.65 is just over 0.8 x 27 = 21.6.
    """
    found = stand(60, filed([40], "motor/suspected", due=10), filed(range(60), accepted=16))
    assert pair(found, "suspected").judged is False
    assert motor(found).score == pytest.approx(2 * 2**0.5 / 8)
    assert motor(found).improve == "Answer the next 17 hits in line motor, class suspected, in time."


def test_a_score_is_the_product_and_a_line_its_worst_class() -> None:
    """Each class by itself; the line is as good as its worst declared class."""
    on = terms({"motor/claim": SIXTEEN_A_DAY, "motor/customer": SIXTEEN_A_DAY})
    found = stand(50, filed(range(50), accepted=16, late=4), filed(range(50), "motor/customer", accepted=16), on=on)
    late = measure(found, "timeliness").value
    assert late < 1
    assert pair(found).score == pytest.approx(late)
    assert pair(found, "customer").score == 1
    assert motor(found).score == pair(found).score


def test_a_class_not_declared_neither_helps_nor_harms() -> None:
    """Filing late in a class that was not declared leaves the line's score; it shows as marks only."""
    found = stand(20, filed([10], "motor/suspected", accepted=100, late=100), on=terms({}))
    assert motor(found).score == 1
    assert motor(found).level is Level.MARKS
    assert not pair(found, "suspected").counts


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        ((), Level.NOTHING),
        (("suspected",), Level.MARKS),
        (("victim", "protective"), Level.MARKS),
        (("customer",), Level.CUSTOMERS),
        (("customer", "proven"), Level.CUSTOMERS),
        (("claim",), Level.CLAIMS),
        (("claim", "customer"), Level.CLAIMS),
        (("claim", "proven"), Level.FULL),
        (("claim", "suspected"), Level.FULL),
    ],
)
def test_levels(classes: tuple[str, ...], expected: Level) -> None:
    """What the contributed classes of a line amount to."""
    on = terms(dict.fromkeys((f"motor/{each}" for each in classes), 1))
    assert motor(stand(10, *(filed([5], f"motor/{each}", accepted=1) for each in classes), on=on)).level is expected


def test_a_class_counts_from_half_of_what_was_due() -> None:
    """608 + 75.9 of 1368 is just under a half, 609 just over it; and some of it must be there at all."""
    assert not pair(stand(200, filed([150], accepted=608))).counts
    assert pair(stand(200, filed([150], accepted=609))).counts
    assert not pair(stand(10, on=terms({"motor/claim": 1}))).counts


def test_declaring_less_does_not_make_more_of_what_was_given() -> None:
    """Of 1,000 a month, five do not count, nor on the day on which two a month are declared; a window later they do."""
    less = (*terms({"motor/claim": 1000}).declared, Declared("motor", "claim", day(200), 2))
    on = replace(terms({"motor/claim": 1000}), declared=less)
    assert not pair(stand(200, filed([190], accepted=5), on=on)).counts
    assert not pair(stand(200, filed([190], accepted=5), on=replace(on, declared=(*less[:-1],)))).counts
    assert pair(stand(295, filed([290], accepted=5), on=on)).counts


def test_a_class_given_up_still_weighs_on_its_line() -> None:
    """Claims alone do not count beside thousands of customers that were declared until yesterday and not filed."""
    whole = terms({"motor/claim": 1, "motor/customer": 5000})
    on = replace(whole, declared=(*whole.declared, Declared("motor", "customer", day(200), 0)))
    assert motor(stand(200, filed([190], accepted=1), on=on)).level is Level.MARKS


def test_thin_filings_do_not_count_as_contributed() -> None:
    """A line full of records with too few keys shows nothing."""
    assert motor(stand(10, filed([9], accepted=500, thin=500))).level is Level.NOTHING


def test_a_small_member_is_not_beaten_by_chance() -> None:
    """Ten a year are 2.5 in a window: none at all is within chance."""
    assert motor(stand(120, on=terms({"motor/claim": 1}))).score == 1


@pytest.mark.parametrize(
    ("days", "step", "following", "in_days"),
    [
        (0, Step.GOOD, Step.WARNED, 7),
        (6, Step.GOOD, Step.WARNED, 7),
        (7, Step.WARNED, Step.PLAN, 30),
        (29, Step.WARNED, Step.PLAN, 30),
        (30, Step.PLAN, Step.RESTRICTED, 60),
        (59, Step.PLAN, Step.RESTRICTED, 60),
        (60, Step.RESTRICTED, Step.SUSPENDED, 90),
        (89, Step.RESTRICTED, Step.SUSPENDED, 90),
        (90, Step.SUSPENDED, None, None),
        (500, Step.SUSPENDED, None, None),
    ],
)
def test_each_step_holds_from_its_day(days: int, step: Step, following: Step | None, in_days: int | None) -> None:
    """Below target since the day after admission, when 16 are due and none is there."""
    found = motor(stand(1 + days))
    assert found.below_since == day(1)
    assert (found.step, found.next_step) == (step, following)
    assert found.next_on == (None if in_days is None else day(1 + in_days))


def test_being_at_target_again_ends_the_run_at_once() -> None:
    """A line that was restricted is good on the day it files what was missing."""
    assert motor(stand(70)).step is Step.RESTRICTED
    back = motor(stand(70, filed([70], accepted=16 * 70)))
    assert (back.step, back.below_since, back.next_on) == (Step.GOOD, None, None)


def test_only_days_in_a_row_count() -> None:
    """Below, at target on day 50, below again: the run begins after day 50."""
    found = motor(stand(120, filed([50], accepted=16 * 50)))
    assert found.below_since is not None
    assert day(50) < found.below_since < day(60)


def test_the_step_of_a_line_is_its_own() -> None:
    """A line at target is good, whatever another one does."""
    on = terms({"motor/claim": SIXTEEN_A_DAY, "home/claim": SIXTEEN_A_DAY})
    found = stand(70, filed(range(71), accepted=16), on=on, who=member("motor", "home"))
    assert {each.line: each.step for each in found.lines} == {"motor": Step.GOOD, "home": Step.RESTRICTED}


def test_contribute_first_asks_after_thirty_clean_days() -> None:
    """The back book is loaded on day 5: from day 35 on, and day 34 says so."""
    on = terms(ramp=Ramp.CONTRIBUTE_FIRST, back_book_on=day(5))
    rows = filed(range(5, 40), accepted=16)
    assert motor(stand(20, rows, on=on)).may_ask_from == day(35)
    assert motor(stand(34, rows, on=on)).may_ask_from == day(35)
    assert motor(stand(38, rows, on=on)).may_ask_from == day(35)
    assert measure(stand(5, rows, on=on), "completeness").total == 0


def test_a_break_begins_the_clean_days_anew() -> None:
    """Nothing filed from day 10 to 12: below target on days 12 to 14 (136 of 136.8), so 30 days from day 15 on."""
    on = terms(ramp=Ramp.CONTRIBUTE_FIRST, back_book_on=day(5))
    rows = filed([*range(5, 10), *range(13, 60)], accepted=16)
    assert motor(stand(14, rows, on=on)).score < 1
    assert motor(stand(15, rows, on=on)).score == 1
    assert motor(stand(14, rows, on=on)).may_ask_from == day(44)
    assert motor(stand(50, rows, on=on)).may_ask_from == day(45)


def test_days_without_a_declaration_are_not_clean() -> None:
    """Nothing declared is no target, however much is filed; the declaration of another line opens only that one."""
    rows = filed(range(5, 100), accepted=16)
    for declared in ({}, {"motor/claim": 0}):
        on = terms(declared, ramp=Ramp.CONTRIBUTE_FIRST, back_book_on=day(5))
        assert motor(stand(80, rows, on=on)).may_ask_from == day(110)
    on = terms({"motor/claim": SIXTEEN_A_DAY}, ramp=Ramp.CONTRIBUTE_FIRST, back_book_on=day(5))
    found = stand(80, rows, on=on, who=member("motor", "home"))
    assert {each.line: each.may_ask_from for each in found.lines} == {"motor": day(35), "home": day(110)}


def test_clean_days_begin_with_the_declaration() -> None:
    """Declared on day 20, and ended on day 30: ten days are not enough, and the next ones begin anew."""
    on = terms({}, ramp=Ramp.CONTRIBUTE_FIRST, back_book_on=day(5))
    spans = ((20, SIXTEEN_A_DAY), (30, 0), (40, SIXTEEN_A_DAY))
    declared = tuple(Declared("motor", "claim", day(since), per_month) for since, per_month in spans)
    rows = filed(range(5, 100), accepted=16)
    assert motor(stand(25, rows, on=replace(on, declared=declared))).may_ask_from == day(50)
    assert motor(stand(80, rows, on=replace(on, declared=declared))).may_ask_from == day(70)


def test_clean_days_once_reached_hold_for_good() -> None:
    """A member that lapses later is on the ladder, not on the ramp."""
    on = terms(ramp=Ramp.CONTRIBUTE_FIRST, back_book_on=day(5))
    lapsed = motor(stand(350, filed(range(5, 36), accepted=16), on=on))
    assert lapsed.may_ask_from == day(35)
    assert lapsed.step is Step.SUSPENDED


def test_without_a_back_book_there_is_no_day() -> None:
    """Contribute first, and nothing loaded yet: nothing is due, and nothing may be asked."""
    found = motor(stand(100, filed([50], accepted=10), on=terms(ramp=Ramp.CONTRIBUTE_FIRST)))
    assert found.may_ask_from is None
    assert found.score == 1


def test_a_missed_covenant_suspends_on_its_day() -> None:
    """Under a covenant until day 20, nothing filed is too little from day 4 on: warned on day 19, suspended on 20."""
    on = terms(covenant_until=day(20))
    assert motor(stand(19, on=on)).below_since == day(4)
    assert motor(stand(19, on=on)).step is Step.WARNED
    missed = motor(stand(20, on=on))
    assert (missed.step, missed.next_step) == (Step.SUSPENDED, None)
    assert motor(stand(25, on=on)).step is Step.SUSPENDED
    assert motor(stand(25, filed([25], accepted=400), on=on)).step is Step.GOOD


def test_below_target_after_the_covenant_is_the_ladders() -> None:
    """At target on the covenant's day, and not later: the ladder begins from its foot."""
    on = terms(covenant_until=day(20))
    found = motor(stand(30, filed([20], accepted=160), on=on))
    assert found.below_since is not None
    assert found.below_since > day(20)
    assert found.step in {Step.GOOD, Step.WARNED}


def test_uncorroborated_records_are_thin_where_peers_show_it() -> None:
    """1000 records, 10 met anyone. Peers' median is a half: at a fifth of it, 10 vouch for 100, and 900 are thin."""
    rows = filed([80], accepted=1000, corroborated=10)
    found = stand(90, rows, peers={("motor", "claim"): 0.5})
    assert (pair(found).accepted, pair(found).uncorroborated) == (100, 900)
    assert measure(found, "accuracy").met == 100
    assert measure(found, "completeness").met == 100
    assert not pair(found).counts
    assert "900 motor claims of them count as thin" in motor(found).improve


def test_nothing_is_concluded_from_few_records_or_few_peers() -> None:
    """199 records are too few to judge, and so are two peers."""
    assert pair(stand(90, filed([80], accepted=199), peers={("motor", "claim"): 0.5})).uncorroborated == 0
    assert pair(stand(90, filed([80], accepted=200), peers={("motor", "claim"): 0.5})).accepted == 0
    assert pair(stand(90, filed([80], accepted=200), peers={("motor", "claim"): None})).accepted == 200
    assert peer_share([0.4, 0.6], RULES.standing) is None
    assert peer_share([0.4, 0.6, 0.9], RULES.standing) == 0.6


def test_each_day_is_judged_under_the_rulebook_of_that_day() -> None:
    """Half of what was declared was enough until day 100: only from then on are the days below."""
    rules = RULES.standing
    lenient = replace(RULES, digest="lenient", standing=replace(rules, completeness_target=0.5))
    schedule = [(ADMITTED, lenient), (day(100), RULES)]
    rows = ledger(filed(range(200), accepted=8))
    before = assess(member(), terms(), rows, schedule, {}, today=day(99))
    after = assess(member(), terms(), rows, schedule, {}, today=day(130))
    assert (before.rulebook, motor(before).step) == ("lenient", Step.GOOD)
    assert (after.rulebook, motor(after).below_since) == (RULES.digest, day(100))
    assert motor(after).step is Step.PLAN


def test_a_ledger_may_begin_later_than_the_member() -> None:
    """The first day judged is then the first whose whole window it has; the run is the same while it lies in it."""
    begun = collect(day(100), filed(range(100, 300), accepted=16))
    late = assess(member(), terms(), begun, [(ADMITTED, RULES)], {}, today=day(340))
    whole = stand(340, filed(range(300), accepted=16))
    assert motor(late) == motor(whole)
    assert motor(whole).below_since is not None


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (filed(range(51), accepted=16), "At target."),
        ([], "File 704 more motor claims."),
        (filed([30], accepted=703), "File 1 more motor claim."),
        (
            filed(range(51), accepted=16, late=2),
            "File the next 859 motor claims within 7 days of the trigger date.",
        ),
    ],
)
def test_what_would_help_is_said_with_its_number(rows: list[Row], sentence: str) -> None:
    """0.95 x 800 - 2 x sqrt(800) = 703.4; and how many of the next must be right for a share."""
    assert motor(stand(50, rows)).improve == sentence


def test_a_line_without_filings_is_told_to_file() -> None:
    """Nothing is due of a tiny member, but one may only ask after giving."""
    assert motor(stand(5, on=terms({"motor/claim": 1}))).improve == "File 1 motor record to ask in this line."


def test_lines_are_those_of_the_membership_and_of_the_ledger() -> None:
    """A line with nothing in it is listed, with nothing to show; a class without anything is not."""
    found = stand(10, filed([3], "pet/claim", accepted=1), who=member("motor", "home"))
    assert [each.line for each in found.lines] == ["motor", "home", "pet"]
    assert found.lines[1].pairs == ()
    assert [each.record_class for each in found.lines[2].pairs] == ["claim"]
    assert found.accepted == 1


def test_a_standing_survives_json_to_the_last_bit() -> None:
    """Stored as JSON and read back it is the same, so that a decision on it is the same."""
    found = stand(77, filed(range(70), accepted=13, late=1, thin=1), filed([60], due=7, answered=5))
    assert Standing.from_dict(json.loads(json.dumps(found.as_dict()))) == found


def test_the_day_of_admission_needs_no_history() -> None:
    """No ledger, no days: good, and nothing shown."""
    found = motor(stand(0))
    assert (found.step, found.level, found.below_since) == (Step.GOOD, Level.NOTHING, None)
    assert found.may_ask_from == ADMITTED
