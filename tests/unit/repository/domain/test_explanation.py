"""Explanations: each rule in words, and sums that come out as they say."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from matching.vocabulary import RECORD_CLASSES
from repository.domain.asking import Request
from repository.domain.entitlement import entitle
from repository.domain.explanation import RULES, Explanation, explain
from repository.domain.members import Member, MemberStatus
from repository.domain.rulebook import Rulebook
from repository.domain.standing import Ramp, Standing
from repository.domain.workings import Case, number, share
from tests.support.standing import ADMITTED, day, filed, member, noon, stand, terms
from tests.support.standing import RULES as ROUND
from tests.unit.repository.domain.test_entitlement import OFFICER, closing, officer, steady

ID = "dec_1"
_SUM = re.compile(r"\(([\d,.]+) \+ ([\d,.]+)\) / \(([\d.]+) x ([\d,.]+)\) = ([\d,.]+)")


def told(
    standing: Standing, request: Request | None = None, *, who: Member | None = None, rulebook: Rulebook = ROUND
) -> Explanation:
    """The explanation of a request at noon of the day of a standing."""
    asker, asked = who or member(), request or asking()
    now = noon((standing.on - ADMITTED).days)
    found = entitle(asker, standing, asked, rulebook, now)
    return explain(Case(asker, standing, asked, rulebook, found, now), ID)


def asking(*, line: str | None = "motor", purpose: str | None = "new_business", asked: int = 1, **used: int) -> Request:
    """A screening."""
    return Request("screening", purpose, line, asked=asked, **used)


def sums(explanation: Explanation) -> dict[str, str]:
    """The sums by what they are of."""
    assert len({each.about for each in explanation.workings}) == len(explanation.workings)
    return {each.about: each.sum for each in explanation.workings}


def test_r1_says_which_day_the_attestation_ended() -> None:
    """An attestation of 400 days before, and one that was never given; nothing else is dragged in."""
    old = told(steady("claim"), who=replace(member(), attested_on=day(60) - timedelta(days=400)))
    assert old.rule_says == RULES["R1"]
    assert old.because == "The member's yearly attestation is missing or too old."
    assert sums(old) == {
        "attestation": "2025-01-30 + 365 days = 2026-01-30, the last day that it holds; asked on 2026-03-06"
    }
    assert old.remedy == "Attest again: an attestation holds for 365 days."
    assert (old.ladder, old.seen) == ("", ())
    none = told(steady("claim"), who=replace(member(), attested_on=None))
    assert sums(none) == {"attestation": "none was given"}
    left = told(steady("claim"), who=replace(member(), status=MemberStatus.WITHDRAWN))
    assert sums(left) == {"membership": "withdrawn; active is needed"}
    unsigned = told(steady("claim"), who=replace(member(), agreement_signed_on=None))
    assert sums(unsigned) == {"agreement": "none is signed"}


def test_r2_counts_what_was_accepted() -> None:
    """Nothing in home; in motor three records, all of them thin."""
    home = told(steady("claim"), asking(line="home"))
    assert sums(home) == {"accepted in line home in 90 days": "0 < 1"}
    assert home.remedy == "File at least 1 record of line home; it counts for 90 days."
    thin = told(stand(5, filed([3], accepted=3, thin=3)))
    assert sums(thin) == {
        "accepted in line motor in 90 days": "0 < 1",
        "accepted, but not counted there": "3 with too few keys, 0 such as nobody else ever meets",
    }
    assert thin.ladder == (
        "Line motor was in good standing, though below target since 2026-01-06. If it stays so, it is warned from"
        " 2026-01-13 on."
    )


def test_r5_says_how_many_clean_days_there_were() -> None:
    """Contribute first: the back book was loaded on day 20, so day 50 is the first to ask on."""
    on = terms(ramp=Ramp.CONTRIBUTE_FIRST, back_book_on=day(20))
    early = told(stand(40, filed(range(41), accepted=16), on=on))
    assert sums(early)["at target in a row"] == (
        "from 2026-01-25: 2026-01-25 + 30 days = 2026-02-24, if it goes on so; asked on 2026-02-14"
    )
    empty = told(stand(40, filed(range(41), accepted=16), on=terms(ramp=Ramp.CONTRIBUTE_FIRST)))
    assert sums(empty)["back book"] == "not loaded, so that no day counts as clean yet"


def test_r5_says_that_a_covenant_was_missed() -> None:
    """Below target on the day that full contribution was due, and since."""
    missed = told(stand(40, filed(range(5), accepted=16), on=terms(covenant_until=day(35))))
    assert missed.because == "Full contribution was due on 2026-02-09, and line motor is below target."
    assert sums(missed)["below target"] == "since 2026-01-28: on 2026-02-09, and every day until 2026-02-14"
    assert missed.ladder == (
        "Line motor had been suspended since 2026-02-09, and below target since 2026-01-28. At target again, it is in"
        " good standing the same day."
    )


def test_r6_says_since_when_and_shows_the_whole_sum() -> None:
    """A member that stopped after 30 days: every measure, their product, and the days it was below."""
    stopped = told(stand(110, filed(range(30), accepted=17, thin=1)))
    assert sums(stopped) == {
        "days below target": "from 2026-01-08 to 2026-04-25: 107 >= 90, after which a line is suspended",
        "motor claim: declared": "487 a month x 12 / 365.25 x 90 days = 1,440",
        "motor claim: completeness": "(160 + 75.8947) / (0.95 x 1,440) = 0.1724",
        "motor claim: timeliness": "(170 + 5.83095) / (0.95 x 170) = 1.08874: at most 1",
        "motor claim: accuracy": "(160 + 3.68782) / (0.98 x 170) = 0.9825",
        "motor claim: duty": "nothing was due: 1",
        "motor claim: score": "0.1724 x 1 x 0.9825 x 1 = 0.1694",
        "motor claim: contribution": (
            "(160 + 75.8947) / (0.95 x 1,440) = 0.1724; counts from 0.5: it does not count as contributed"
        ),
    }
    assert stopped.remedy == "File 1133 more motor claims."


def test_r7_lays_the_grant_beside_what_was_asked() -> None:
    """A purpose that only the grant has, a grant that ended, and what was seen under one that holds."""
    purpose = told(officer(), asking(purpose="audit"), who=OFFICER)
    assert sums(purpose)["purposes"] == "law_enforcement, audit (grant), law_enforcement (rulebook); asked under audit"
    ended = told(officer(30), asking(purpose="law_enforcement"), who=OFFICER)
    assert (
        sums(ended)["grant"] == "expires on 2026-02-04: 2026-02-03 is the last day that it holds; asked on 2026-02-04"
    )
    none = told(officer(grant=None), asking(purpose="law_enforcement"), who=OFFICER)
    assert sums(none) == {"grant": "there is none"}
    holds = told(officer(), asking(purpose="law_enforcement"), who=OFFICER)
    assert holds.because == "The grant covers what was asked."
    assert sums(holds)["queries a day"] == "the smaller of 40 (grant) and 50 (rulebook) = 40"
    assert {each.record_class: each.tier for each in holds.seen if each.tier} == {"claim": 2, "proven": 2}


def test_r10_adds_up_what_was_asked() -> None:
    """The quota from what was contributed, and what the day or the minute had seen."""
    much = told(steady("claim"), asking(used_today=4879, asked=2))
    assert much.rule_says == RULES["R10"]
    assert sums(much) == {
        "queries a day": "the larger of 500 and 5 x 976 accepted = 4,880",
        "asked today": "4,879 + 2 = 4,881 > 4,880",
    }
    fast = told(steady("claim"), asking(used_this_minute=600))
    assert sums(fast) == {"asked in this minute": "600 + 1 = 601 > 600"}
    small = told(stand(20, filed(range(5), accepted=16)), asking(used_today=500))
    assert sums(small)["queries a day"] == "the larger of 500 and 5 x 80 accepted = 500"


def test_a_purpose_is_laid_beside_those_that_are_open() -> None:
    """One of others, one that is closed for every class of the line, and too many subjects under one reference."""
    other = told(steady("claim"), asking(purpose="law_enforcement"))
    assert sums(other) == {
        "purposes": "new_business, claim_validation, investigation, subject_access; asked under law_enforcement"
    }
    rulebook = closing(*(("motor", each, "new_business") for each in RECORD_CLASSES))
    assert sums(told(steady("claim"), rulebook=rulebook)) == {
        "closed to it in line motor": "customer, claim, suspected, proven, victim, protective: 6 of 6 classes"
    }
    many = told(steady("claim"), asking(subjects=21))
    assert sums(many) == {"different subjects under one reference": "21 > 20, counted over 90 days, these included"}


def test_an_allowed_request_shows_what_was_seen_and_what_would_be_better() -> None:
    """A restricted line: tier 1, since when, when it would be suspended, and what would lift it."""
    standing = stand(70, filed(range(5), accepted=16))
    allowed = told(standing)
    assert allowed.because == (
        "The membership, the purpose and the quota allow it, and what is contributed to line motor amounts to level"
        " marks; asked under new_business."
    )
    assert {(each.line, each.tier) for each in allowed.seen} == {("motor", 1)}
    assert allowed.remedy == standing.lines[0].improve
    assert allowed.ladder == (
        "Line motor had been restricted since 2026-03-13, and below target since 2026-01-12. If it stays so, it is"
        " suspended from 2026-04-12 on."
    )
    closed = told(steady("claim"), rulebook=closing(("motor", "proven", "new_business")))
    assert {each.record_class: (each.tier, each.lowered_by) for each in closed.seen}["proven"] == (0, "PURPOSE")


def test_why_a_class_does_not_count_is_told() -> None:
    """Too little of it, too few right, too little of the line together, or none of it lately."""
    few = stand(60, filed(range(5), accepted=16))
    assert sums(told(few))["motor claim: contribution"].endswith("counts from 0.5: it does not count as contributed")
    wrong = stand(60, filed(range(61), accepted=16, upheld=12))
    assert sums(told(wrong))["motor claim: contribution"].endswith("for its accuracy is below that")
    on = terms({"motor/claim": 1, "motor/customer": 487})
    together = told(stand(60, filed([50], accepted=1), on=on))
    assert sums(together)["motor claim: contribution"].endswith("for all of the line together is below that")
    on = terms({"motor/claim": 487, "motor/customer": 1})
    none = told(stand(60, filed(range(61), accepted=16), on=on))
    assert sums(none)["motor customer: contribution"].endswith("for none was accepted within 90 days")
    assert sums(none)["motor customer: timeliness, accuracy, duty"] == "nothing was due: 1 each"
    assert told(steady("claim", "suspected")).remedy == ""


def test_a_list_shows_every_line_that_is_seen() -> None:
    """Without a line: the membership, what each line amounts to, and every class that something is seen of."""
    listed = told(steady("claim"), asking(line=None, purpose=None, asked=0))
    assert sums(listed) == {
        "membership": "active; active is needed",
        "agreement": "signed on 2026-01-05; asked on 2026-03-06",
        "attestation": "2026-01-05 + 365 days = 2027-01-05, the last day that it holds; asked on 2026-03-06",
        "line motor": "976 accepted, level claims",
    }
    assert {(each.line, each.tier) for each in listed.seen} == {("motor", 3)}


def test_an_appeal_names_the_decision_and_its_clock() -> None:
    """R9: against which id, where, and how long an independent officer has."""
    assert told(steady("claim"), asking(line="home")).appeal == (
        "Who thinks this wrong appeals against dec_1 (POST /v1/appeals, or a letter to the operator): an officer who"
        " had no part in it decides within 10 working days (R9)."
    )


@pytest.mark.parametrize("number_of_days", [3, 20, 60, 89, 130])
def test_the_sums_come_out_as_they_say(number_of_days: int) -> None:
    """A pencil on the figures shown gives the value shown, and the values shown give the score of the line."""
    rows = (filed(range(0, number_of_days, 2), accepted=5, late=1, due=2, answered=1), filed([1], accepted=4, thin=3))
    more = filed(range(number_of_days), "motor/customer", accepted=7, upheld=1)
    standing = stand(number_of_days, *rows, more, on=terms({"motor/claim": 91, "motor/customer": 230}))
    found = sums(told(standing, asking()))
    worked = 0
    for sum_ in found.values():
        for met, allowance, target, total, value in _SUM.findall(sum_):
            figures = [float(each.replace(",", "")) for each in (met, allowance, target, total, value)]
            assert (figures[0] + figures[1]) / (figures[2] * figures[3]) == pytest.approx(
                figures[4], abs=6e-5, rel=2e-5
            )
            worked += 1
    assert found["motor: score"].endswith(f"= {share(standing.lines[0].score)}")
    assert worked >= 8


def test_numbers_are_written_for_people() -> None:
    """Thousands apart, six digits, and nothing below 1 that reads as 1."""
    assert [number(each) for each in (0, 1440.0, 1234567.0, 75.894663844, 0.95, 1234567.891)] == [
        "0",
        "1,440",
        "1,234,567",
        "75.8947",
        "0.95",
        "1,234,568",
    ]
    assert [share(each) for each in (1.0, 0.99996, 0.93208, 0.0)] == ["1", "0.99996", "0.9321", "0.0000"]
