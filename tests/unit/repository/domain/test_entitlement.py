"""Entitlement: which rule refuses first, and what is seen when none does."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from matching.vocabulary import LINES, RECORD_CLASSES
from repository.domain.entitlement import DISCLOSURE, Known, Request, entitle
from repository.domain.members import Member, MemberStatus
from repository.domain.rulebook import DETAIL_TIER, ClosedPurpose, Rulebook, SubscriberClass
from repository.domain.standing import Grant, Ramp, Standing
from tests.support.standing import RULES, ask, day, filed, member, noon, stand, terms

LAWFUL = Grant(
    lines=("motor",),
    classes=("claim", "customer", "proven"),
    purposes=("law_enforcement", "audit"),
    tier=2,
    quota_per_day=40,
    expires_on=day(30),
)
OFFICER = replace(member(), lines=frozenset(), subscriber=SubscriberClass.LAW_ENFORCEMENT)


def steady(*classes: str, days: int = 60) -> Standing:
    """At target with these classes of line motor."""
    on = terms({f"motor/{each}": 487 for each in classes})
    return stand(days, *(filed(range(days + 1), f"motor/{each}", accepted=16) for each in classes), on=on)


def changed(table: str, **entries: Any) -> Rulebook:
    """The rulebook with some entries of a table changed."""
    return replace(RULES, **{table: replace(getattr(RULES, table), **entries)})


def closing(*closed: tuple[str, str, str]) -> Rulebook:
    """The rulebook with these (line, class, purpose) closed."""
    return changed("purposes", closed=tuple(ClosedPurpose(*each) for each in closed))


def officer(at: int = 10, *, grant: Grant | None = LAWFUL) -> Standing:
    """The standing of a subscriber."""
    return stand(at, on=replace(terms({}), grant=grant), who=OFFICER)


@pytest.mark.parametrize(
    ("classes", "tiers"),
    [
        ((), (0, 0, 0, 0, 0, 0)),
        (("proven",), (1, 1, 1, 3, 1, 1)),
        (("customer",), (3, 2, 1, 1, 2, 2)),
        (("customer", "proven"), (3, 2, 1, 3, 2, 2)),
        (("claim",), (3, 3, 3, 3, 3, 3)),
        (("claim", "suspected"), (3, 3, 3, 3, 3, 3)),
    ],
)
def test_what_is_contributed_is_what_is_seen(classes: tuple[str, ...], tiers: tuple[int, ...]) -> None:
    """R2's table; a class contributed is seen at par, and standing alone never gives tier 4."""
    seen = ask(steady(*classes), line=None, asked=0)
    assert seen.allowed
    assert tuple(seen.tier("motor", each) for each in RECORD_CLASSES) == tiers


def test_another_line_is_not_seen() -> None:
    """Reciprocity is per line: every other pair is there, at tier 0."""
    seen = ask(steady("claim"), line=None, asked=0)
    assert len(seen.tiers) == len(LINES) * len(RECORD_CLASSES)
    assert seen.from_tier(1) == sorted(("motor", each) for each in RECORD_CLASSES)
    assert seen.at_tier(3) == seen.from_tier(1)
    assert seen.all_from_tier(0)
    assert not seen.all_from_tier(1)
    refused = ask(steady("claim"), line="home")
    assert (refused.allowed, refused.rule) == (False, "R2")
    assert refused.figures["accepted_in_window"] == 0
    assert "home" in refused.remedy


def test_an_allowed_request_says_on_what() -> None:
    """The rule, the rulebook's digest and the figures come back."""
    allowed = ask(steady("claim"), used_today=7)
    assert (allowed.allowed, allowed.rule, allowed.rulebook) == (True, "R2", RULES.digest)
    assert allowed.figures == {
        "line": "motor",
        "purpose": "new_business",
        "accepted_in_window": 61 * 16,
        "needed": 1,
        "window_days": 90,
        "level": "claims",
        "score": 1.0,
        "step": "good",
        "asked": 1,
        "used_today": 7,
        "per_day": 61 * 16 * 5,
    }


def test_without_membership_nothing_is_seen() -> None:
    """R1 comes before everything, and a refusal leaves every tier at 0."""
    for who in (replace(member(), status=MemberStatus.WITHDRAWN), replace(member(), attested_on=None)):
        refused = ask(steady("claim"), who=who, line=None)
        assert (refused.allowed, refused.rule) == (False, "R1")
        assert set(refused.tiers.values()) == {0}


def test_an_attestation_holds_as_long_as_the_rulebook_says() -> None:
    """With 30 days instead of a year, day 60 is too late."""
    assert ask(steady("claim"), rulebook=changed("membership", attestation_days=30)).rule == "R1"
    assert ask(steady("claim"), rulebook=changed("membership", attestation_days=60)).allowed


def test_a_purpose_of_others_is_refused() -> None:
    """A contributing member does not ask as law enforcement."""
    refused = ask(steady("claim"), purpose="law_enforcement")
    assert (refused.allowed, refused.rule) == (False, "PURPOSE")
    assert "claim_validation" in refused.remedy


def test_a_closed_purpose_hides_its_class() -> None:
    """Claims of motor are closed to new business: not seen under it, and seen under another purpose."""
    rulebook = closing(("motor", "claim", "new_business"), ("home", "claim", "new_business"))
    seen = ask(steady("claim"), rulebook=rulebook)
    assert seen.allowed
    assert (seen.tier("motor", "claim"), seen.tier("motor", "customer")) == (0, 3)
    assert seen.caps == {("motor", "claim"): "PURPOSE"}
    assert ask(steady("claim"), rulebook=rulebook, purpose="investigation").tier("motor", "claim") == 3
    assert ask(steady("claim"), rulebook=rulebook, purpose=None, line=None).tier("motor", "claim") == 3


def test_a_line_closed_to_a_purpose_altogether_is_refused() -> None:
    """Every class closed leaves nothing to ask; it does not matter in a list over all lines."""
    rulebook = closing(*(("motor", each, "new_business") for each in RECORD_CLASSES))
    assert ask(steady("claim"), rulebook=rulebook).rule == "PURPOSE"
    assert ask(steady("claim"), rulebook=rulebook, line=None).allowed


def test_contribute_first_neither_asks_nor_sees_before_its_day() -> None:
    """R5 refuses on day 34 and lists nothing; on day 35 it opens."""
    on = terms(ramp=Ramp.CONTRIBUTE_FIRST, back_book_on=day(5))
    rows = filed(range(5, 40), accepted=16)
    early = ask(stand(34, rows, on=on))
    assert (early.allowed, early.rule) == (False, "R5")
    assert early.figures["may_ask_from"] == day(35).isoformat()
    assert early.figures["clean_days"] == 30
    listed = ask(stand(34, rows, on=on), line=None)
    assert listed.allowed
    assert (listed.tier("motor", "claim"), listed.caps["motor", "claim"]) == (0, "R5")
    assert ask(stand(35, rows, on=on)).allowed


def test_without_a_back_book_the_remedy_is_to_load_it() -> None:
    """Contribute first begins with the back book."""
    refused = ask(stand(34, filed([3], accepted=9), on=terms(ramp=Ramp.CONTRIBUTE_FIRST)))
    assert (refused.rule, refused.figures["may_ask_from"]) == ("R5", None)
    assert "back book" in refused.remedy


def test_a_covenant_gives_access_at_once_to_who_files() -> None:
    """One filing opens the line; without any, R2 refuses."""
    on = terms(covenant_until=day(365))
    assert ask(stand(1, filed([1], accepted=1), on=on)).allowed
    assert ask(stand(1, on=on)).rule == "R2"


def test_a_missed_covenant_is_refused_by_the_ramp() -> None:
    """Below target on the covenant's day: R5 refuses until the line is at target again."""
    on = terms(covenant_until=day(20))
    refused = ask(stand(20, filed([1], accepted=1), on=on))
    assert (refused.allowed, refused.rule) == (False, "R5")
    assert refused.figures["covenant_until"] == day(20).isoformat()
    assert refused.remedy.startswith("File ")
    assert set(ask(stand(20, filed([1], accepted=1), on=on), line=None).caps.values()) == {"R5"}
    assert ask(stand(21, filed([1, 21], accepted=200), on=on)).allowed


def test_a_restricted_line_is_seen_at_tier_one() -> None:
    """Ten a day of sixteen is below target from day 6: 60 days later R6 lowers every class, and still lets it ask."""
    ten = filed(range(100), accepted=10)
    assert ask(stand(65, ten)).tier("motor", "claim") == 3
    seen = ask(stand(66, ten))
    assert seen.allowed
    assert {seen.tier("motor", each) for each in RECORD_CLASSES} == {1}
    assert set(seen.caps.values()) == {"R6"}


def test_a_suspended_line_is_neither_asked_nor_seen() -> None:
    """R6 refuses in the line, with the day it began; in a list of hits the line is not there."""
    suspended = stand(150, filed([140], accepted=1))
    refused = ask(suspended)
    assert (refused.allowed, refused.rule) == (False, "R6")
    assert refused.figures["below_since"] == day(1).isoformat()
    listed = ask(suspended, line=None)
    assert listed.allowed
    assert listed.from_tier(1) == []
    assert listed.caps["motor", "claim"] == "R6"


def test_a_lapsed_line_that_files_nothing_meets_the_floor_first() -> None:
    """R2 comes before R6."""
    assert ask(stand(150)).rule == "R2"


def test_a_small_member_has_the_floor() -> None:
    """One filing gives 5 queries a day; the floor is 500, and the 501st is refused."""
    small = stand(1, filed([1], accepted=1))
    assert ask(small, used_today=499).allowed
    refused = ask(small, used_today=500)
    assert (refused.allowed, refused.rule) == (False, "R10")
    assert refused.figures == {"line": "motor", "used_today": 500, "asked": 1, "per_day": 500}
    assert ask(small, used_today=0, asked=501).rule == "R10"


def test_queries_follow_what_was_accepted() -> None:
    """976 filings accepted, 5 queries a day for each; thin ones give none."""
    large = steady("claim")
    assert ask(large, used_today=4879).allowed
    assert ask(large, used_today=4880).rule == "R10"
    thin = stand(5, filed([1], accepted=976, thin=975))
    assert ask(thin).quota.per_day == 500


def test_a_burst_is_refused() -> None:
    """600 a minute, whatever the day's quota."""
    assert ask(steady("claim"), used_this_minute=599).allowed
    refused = ask(steady("claim"), used_this_minute=600)
    assert (refused.rule, refused.figures["per_minute"]) == ("R10", 600)


def test_a_list_of_hits_costs_no_query() -> None:
    """What asks nothing is not refused for the quota."""
    assert ask(steady("claim"), line=None, asked=0, used_today=10**6, used_this_minute=10**6).allowed


def test_a_grant_gives_its_scope_and_no_more() -> None:
    """Tier 2 for claims and proven cases of motor; customers are not open to law enforcement by the rulebook."""
    seen = ask(officer(), who=OFFICER, purpose="law_enforcement")
    assert (seen.allowed, seen.rule) == (True, "R7")
    assert seen.from_tier(1) == [("motor", "claim"), ("motor", "proven")]
    assert seen.at_tier(2) == seen.from_tier(1)
    assert seen.quota.per_day == 40


def test_a_grant_never_exceeds_the_rulebook() -> None:
    """Tier and quota are the lower of grant and rulebook."""
    wide = replace(LAWFUL, tier=3, quota_per_day=9999)
    rules = replace(RULES.subscribers[SubscriberClass.LAW_ENFORCEMENT], tier=1)
    rulebook = replace(RULES, subscribers={**RULES.subscribers, SubscriberClass.LAW_ENFORCEMENT: rules})
    seen = ask(officer(grant=wide), who=OFFICER, purpose="law_enforcement", rulebook=rulebook)
    assert seen.tier("motor", "claim") == 1
    assert seen.quota.per_day == 50
    assert ask(officer(grant=wide), who=OFFICER, purpose="law_enforcement", used_today=50).rule == "R10"


@pytest.mark.parametrize(
    ("grant", "asked", "figure"),
    [
        (None, {}, "expires_on"),
        (replace(LAWFUL, expires_on=day(10)), {}, "expires_on"),
        (LAWFUL, {"purpose": "audit"}, "purpose"),
        (LAWFUL, {"purpose": "new_business"}, "purpose"),
        (LAWFUL, {"line": "home"}, "line"),
    ],
)
def test_outside_of_a_grant_is_refused(grant: Grant | None, asked: dict[str, Any], figure: str) -> None:
    """No grant, an expired one, a purpose that the class does not have, another line: R7 refuses each."""
    refused = ask(officer(grant=grant), who=OFFICER, **{"purpose": "law_enforcement"} | asked)
    assert (refused.allowed, refused.rule) == (False, "R7")
    assert refused.figures["subscriber"] == "law_enforcement"
    assert figure in refused.figures
    assert refused.remedy
    assert refused.from_tier(1) == []


def test_a_grant_ends_on_its_day() -> None:
    """It holds on the day before, and a standing of that day does not make it last."""
    assert ask(officer(29), who=OFFICER, purpose="law_enforcement").allowed
    assert ask(officer(30), who=OFFICER, purpose="law_enforcement").rule == "R7"
    kept = officer(29)
    assert ask(kept, who=OFFICER, purpose="law_enforcement", at=noon(29) + timedelta(days=1)).rule == "R7"


def test_contribution_earns_a_subscriber_nothing() -> None:
    """Filings of a subscriber change nothing of what it sees."""
    on = replace(terms(), grant=LAWFUL)
    gives = stand(10, filed(range(11), accepted=16), on=on, who=OFFICER)
    seen = ask(gives, who=OFFICER, purpose="law_enforcement")
    assert seen.tiers == ask(officer(), who=OFFICER, purpose="law_enforcement").tiers


def test_tiers_known_before_change_no_answer() -> None:
    """Those of one purpose, rulebook and class of member serve for that alone, whatever was asked before."""
    closed = replace(closing(("motor", "claim", "new_business")), digest="another")
    standing = replace(steady("claim"), grant=replace(LAWFUL, expires_on=day(90)))
    known: Known = {}
    asked = [
        (who, Request("screen", purpose, "motor"), rulebook)
        for _ in range(2)
        for who in (member(), OFFICER)
        for purpose in (None, "new_business", "investigation", "law_enforcement", "audit")
        for rulebook in (RULES, closed)
    ]
    afresh = [entitle(who, standing, request, rulebook, noon(60)) for who, request, rulebook in asked]
    kept = [entitle(who, standing, request, rulebook, noon(60), known=known) for who, request, rulebook in asked]
    assert kept == afresh
    assert len({tuple(each.tiers.values()) for each in kept}) >= 3
    assert kept[0].tiers is kept[20].tiers
    with pytest.raises(TypeError):
        kept[0].tiers["motor", "claim"] = 4  # type: ignore[index] # what is shared cannot be changed


@pytest.mark.parametrize(
    ("standing", "classes"),
    [
        (steady("claim", "suspected"), RECORD_CLASSES),
        (steady("claim"), ()),
        (steady("customer", "proven"), ()),
        (stand(66, filed(range(100), accepted=10), filed(range(100), "motor/proven", accepted=10)), ()),
    ],
)
def test_detail_is_asked_for_by_who_gives_claims_and_fraud(standing: Standing, classes: tuple[str, ...]) -> None:
    """Tier 4 is among the tiers of that action alone, where ramp and ladder lower nothing; other tiers stay."""
    request = Request(DISCLOSURE, "investigation", None, asked=0)
    asked = entitle(member(), standing, request, RULES, noon(70))
    assert asked.at_tier(DETAIL_TIER) == sorted(("motor", each) for each in classes)
    read = entitle(member(), standing, replace(request, action="hits"), RULES, noon(70))
    assert read.at_tier(DETAIL_TIER) == []
    assert {pair: min(tier, 3) for pair, tier in asked.tiers.items()} == dict(read.tiers)


def test_a_closed_purpose_closes_the_detail_and_a_grant_has_none() -> None:
    """Of a class that is closed nothing is asked; who never contributes asks no contributor, whatever it was given."""
    rulebook = closing(("motor", "claim", "investigation"))
    request = Request(DISCLOSURE, "investigation", None, asked=0)
    asked = entitle(member(), steady("claim", "suspected"), request, rulebook, noon(60))
    assert ("motor", "claim") not in asked.at_tier(DETAIL_TIER)
    assert ("motor", "suspected") in asked.at_tier(DETAIL_TIER)
    standing = replace(steady("claim", "suspected"), grant=replace(LAWFUL, expires_on=day(90)))
    granted = entitle(OFFICER, standing, replace(request, purpose="law_enforcement"), RULES, noon(60))
    assert granted.allowed
    assert granted.at_tier(DETAIL_TIER) == []


def test_a_request_survives_json() -> None:
    """Stored with a decision, and read back the same."""
    request = Request("screen", "new_business", "motor", 3, 1, 2)
    assert Request.from_dict(json.loads(json.dumps(request.as_dict()))) == request


def test_a_member_is_nobodys_subscriber_by_default() -> None:
    """Contributing members have no subscriber class."""
    assert Member("mem_1", "", MemberStatus.ACTIVE).subscriber is None
