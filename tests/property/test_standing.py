"""Standing and entitlement for any members: giving more never shows less, and nothing is shown for nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from matching.vocabulary import LINES, PURPOSES, RECORD_CLASSES
from repository.domain.entitlement import Entitlement, Request, entitle
from repository.domain.members import Member, MemberStatus
from repository.domain.rulebook import NO_TIER, SubscriberClass
from repository.domain.standing import COUNTS, Declared, Grant, Membership, Ramp, Standing, assess, collect, peer_share
from tests.support.rulebooks import DEFAULT_RULEBOOK

ADMITTED = date(2026, 1, 5)
LAST = 220
Row = tuple[int, str, str, Mapping[str, int]]
STRICT = replace(
    DEFAULT_RULEBOOK,
    digest="strict",
    standing=replace(DEFAULT_RULEBOOK.standing, tolerance=0.5, completeness_target=1.0),
    window=replace(DEFAULT_RULEBOOK.window, days=30),
)
PAIRS = st.tuples(st.sampled_from(LINES[:2]), st.sampled_from(RECORD_CLASSES))
DAYS = st.integers(0, LAST)


@dataclass(frozen=True, slots=True)
class Story:
    """One member's terms and what it filed, by days after admission."""

    membership: Membership
    rows: tuple[Row, ...]
    changed_on: int
    peers: Mapping[tuple[str, str], float | None]


@st.composite
def some_counts(draw: st.DrawFn) -> Mapping[str, int]:
    """Counts of one day: parts are never more than what they are parts of."""
    accepted, due = draw(st.integers(0, 400)), draw(st.integers(0, 20))
    thin = draw(st.integers(0, accepted))
    back_book = draw(st.integers(0, accepted - thin))
    return {
        "accepted": accepted,
        "back_book": back_book,
        "late": draw(st.integers(0, accepted - back_book)),
        "thin": thin,
        "corroborated": draw(st.integers(0, accepted)),
        "upheld": draw(st.integers(0, 3)),
        "due": due,
        "answered": draw(st.integers(0, due)),
    }


@st.composite
def memberships(draw: st.DrawFn) -> Membership:
    """Any terms under either ramp."""
    declared = draw(
        st.lists(
            st.builds(lambda pair, since, much: (pair, since, much), PAIRS, DAYS, st.integers(0, 2000)), max_size=5
        )
    )
    return Membership(
        ADMITTED,
        draw(st.sampled_from(Ramp)),
        draw(st.none() | DAYS.map(after)),
        draw(st.none() | DAYS.map(after)),
        tuple(Declared(line, kind, after(since), much) for (line, kind), since, much in declared),
    )


ROWS = st.lists(st.builds(lambda day, pair, counts: (day, *pair, counts), DAYS, PAIRS, some_counts()), max_size=8).map(
    tuple
)
STORIES = st.builds(
    Story,
    memberships(),
    ROWS,
    DAYS,
    st.dictionaries(PAIRS, st.none() | st.floats(0.01, 1.0), max_size=2),
)


def after(number: int) -> date:
    """The day that many days after admission."""
    return ADMITTED + timedelta(days=number)


def member(**changes: object) -> Member:
    """A member in good order, in one line."""
    good = Member("mem_1", "", MemberStatus.ACTIVE, frozenset(LINES[:1]), ADMITTED, ADMITTED)
    return replace(good, **changes)  # type: ignore[arg-type] # fields of any type


def stand(story: Story, number: int, more: tuple[Row, ...] = ()) -> Standing:
    """The standing on a day, under a rulebook that changed once."""
    ledger = collect(ADMITTED, [(after(number), *rest) for number, *rest in (*story.rows, *more)])  # type: ignore[misc]
    schedule = [(ADMITTED, DEFAULT_RULEBOOK), (after(story.changed_on), STRICT)]
    return assess(member(), story.membership, ledger, schedule, story.peers, today=after(number))


def see(
    standing: Standing, line: str | None = None, who: Member | None = None, purpose: str | None = None
) -> Entitlement:
    """What a member with that standing is entitled to at noon of its day."""
    now = datetime.combine(standing.on, datetime.min.time(), UTC) + timedelta(hours=12)
    request = Request("screen", purpose, line, 0, 0, asked=1 if line else 0)
    return entitle(who or member(), standing, request, DEFAULT_RULEBOOK, now)


@given(STORIES, DAYS, st.lists(st.tuples(DAYS, PAIRS, st.integers(0, 500)), max_size=4))
def test_filing_more_on_time_never_lowers_a_score_or_a_tier(
    story: Story, number: int, more: list[tuple[int, tuple[str, str], int]]
) -> None:
    """Timely, full, corroborated filings on any days: every score, tier and right to ask is at least what it was."""
    story = replace(story, peers={})
    added = tuple((day, *pair, {"accepted": count, "corroborated": count}) for day, pair, count in more)
    was, now = stand(story, number), stand(story, number, added)
    for line in was.lines:
        then = now.line(line.line)
        assert then is not None
        assert then.score >= line.score - 1e-12
        assert line.below_since is None or then.below_since is None or then.below_since >= line.below_since
        assert see(now, line.line).allowed >= see(was, line.line).allowed
    before, since = see(was).tiers, see(now).tiers
    assert all(since[pair] >= tier for pair, tier in before.items())


@given(STORIES, DAYS)
def test_a_line_without_accepted_filings_shows_nothing(story: Story, number: int) -> None:
    """Nothing accepted within the longest window that is not thin: tier 0 throughout, and no query."""
    standing = stand(story, number)
    given_lines = {
        line
        for day, line, _, counts in story.rows
        if number - 90 <= day <= number and counts["accepted"] > counts["thin"]
    }
    for line in LINES:
        if line not in given_lines:
            assert max(see(standing).tier(line, each) for each in RECORD_CLASSES) == NO_TIER
            assert not see(standing, line).allowed


@given(STORIES, DAYS, st.none() | st.sampled_from(PURPOSES))
def test_standing_alone_never_gives_more_than_the_highest(story: Story, number: int, purpose: str | None) -> None:
    """Whatever is filed, and whatever the purpose."""
    tiers = see(stand(story, number), purpose=purpose).tiers
    assert max(tiers.values()) <= DEFAULT_RULEBOOK.level.highest
    assert len(tiers) == len(LINES) * len(RECORD_CLASSES)


@given(STORIES, DAYS)
def test_who_counts_for_nothing_sees_a_mark_at_most(story: Story, number: int) -> None:
    """A line in which no class counts as contributed is seen at tier 1 at most."""
    standing = stand(story, number)
    for line in standing.lines:
        if not any(each.counts for each in line.pairs):
            assert max(see(standing).tier(line.line, each) for each in RECORD_CLASSES) <= 1


@given(STORIES, DAYS, st.integers(2, 50))
def test_a_small_member_is_never_beaten_by_a_big_one(story: Story, number: int, scale: int) -> None:
    """Declaring, filing and answering `scale` times as much in the same shares never gives a better score."""
    big = replace(
        story,
        peers={},
        membership=replace(
            story.membership,
            declared=tuple(replace(each, per_month=each.per_month * scale) for each in story.membership.declared),
        ),
        rows=tuple((*row[:3], {name: count * scale for name, count in row[3].items()}) for row in story.rows),
    )
    small_one, big_one = stand(replace(story, peers={}), number), stand(big, number)
    for small, large in zip(small_one.lines, big_one.lines, strict=True):
        assert small.score >= large.score - 1e-9


@given(STORIES, DAYS, st.integers(2, 50))
def test_who_files_what_it_declared_is_at_target_at_every_scale(story: Story, number: int, scale: int) -> None:
    """Full, timely and accurate: no size of a member is below target."""
    declared = tuple(replace(each, per_month=487 * scale) for each in story.membership.declared)
    rows = tuple(
        (day, each.line, each.record_class, {"accepted": 16 * scale})
        for each in {(each.line, each.record_class): each for each in declared}.values()
        for day in range(number + 1)
    )
    honest = replace(story, peers={}, rows=rows, membership=replace(story.membership, declared=declared))
    assert all(line.score == 1 and line.below_since is None for line in stand(honest, number).lines)


@given(STORIES, DAYS)
def test_the_same_inputs_give_the_same_standing(story: Story, number: int) -> None:
    """Twice, and with the rows in another order."""
    assert stand(story, number) == stand(replace(story, rows=story.rows[::-1]), number)


@given(STORIES, DAYS, st.sampled_from(LINES[:2]), st.none() | st.sampled_from(PURPOSES))
def test_a_stored_standing_gives_the_same_entitlement(
    story: Story, number: int, line: str, purpose: str | None
) -> None:
    """Through JSON and back: the standing, and every decision on it."""
    standing = stand(story, number)
    again = Standing.from_dict(json.loads(json.dumps(standing.as_dict())))
    assert again == standing
    assert see(again, line, purpose=purpose) == see(standing, line, purpose=purpose)


@given(STORIES, DAYS)
def test_corroboration_harms_nobody_without_enough_peers(story: Story, number: int) -> None:
    """With one peer fewer than the rulebook asks for, the standing is as if nothing were compared."""
    rules = DEFAULT_RULEBOOK.standing
    alone = peer_share([0.9] * (rules.corroboration_peers - 1), rules)
    compared = replace(story, peers=dict.fromkeys(story.peers, alone))
    assert stand(compared, number) == stand(replace(story, peers={}), number)


@settings(deadline=None, max_examples=25)
@given(STORIES, DAYS)
def test_a_run_below_target_is_what_looking_at_each_day_says(story: Story, number: int) -> None:
    """The first day of the run, found by asking for the standing of each day before."""
    line = stand(story, number).line(LINES[0])
    assert line is not None
    day = number
    while day >= 0 and below(story, day):
        day -= 1
    assert line.below_since == (after(day + 1) if day < number else None)


def below(story: Story, number: int) -> bool:
    """Whether the member's line is below target on a day."""
    line = stand(story, number).line(LINES[0])
    return line is not None and line.below_since is not None


def declares(story: Story, number: int) -> bool:
    """Whether anything of the line is declared for a day."""
    rates: dict[str, int] = {}
    for each in sorted(story.membership.declared, key=lambda each: each.since):
        if each.line == LINES[0] and each.since <= after(number):
            rates[each.record_class] = each.per_month
    return any(rates.values())


@settings(deadline=None, max_examples=50)
@given(STORIES, DAYS)
def test_the_first_clean_run_is_what_looking_at_each_day_says(story: Story, number: int) -> None:
    """R5 opens a line when, and only when, some run of clean days, on which something was declared, is over."""
    terms = story.membership
    if terms.ramp is Ramp.COVENANT or terms.back_book_on is None:
        return
    run, opened = 0, False
    for day in range((terms.back_book_on - ADMITTED).days, number):
        run = run + 1 if declares(story, day) and not below(story, day) else 0
        opened = opened or run >= DEFAULT_RULEBOOK.ramp.clean_days
    line = stand(story, number).line(LINES[0])
    assert line is not None
    assert line.may_ask_from is not None
    assert (line.may_ask_from <= after(number)) == opened


@given(STORIES, DAYS, st.sampled_from(SubscriberClass), st.sampled_from(PURPOSES), st.tuples(st.integers(0, 4), DAYS))
def test_a_subscriber_never_sees_more_than_its_grant(
    story: Story, number: int, kind: SubscriberClass, purpose: str, terms: tuple[int, int]
) -> None:
    """Whatever it files: not above the grant or the rulebook, not outside of its lines, not after its end."""
    tier, expires = terms
    grant = Grant(LINES[:1], RECORD_CLASSES[:3], PURPOSES, tier, 10, after(expires))
    who = member(subscriber=kind)
    seen = see(replace(stand(story, number), grant=grant), who=who, purpose=purpose)
    rules = DEFAULT_RULEBOOK.subscribers[kind]
    assert max(seen.tiers.values()) <= min(tier, rules.tier)
    assert {line for line, _ in seen.from_tier(1)} <= set(grant.lines)
    assert {each for _, each in seen.from_tier(1)} <= set(grant.classes) & set(rules.classes)
    assert seen.allowed == (expires > number and purpose in rules.purposes)


@given(STORIES, DAYS)
def test_what_would_help_helps(story: Story, number: int) -> None:
    """Filing as many as the sentence says lifts completeness to its target, and one fewer does not."""
    line = stand(replace(story, peers={}), number).line(LINES[0])
    assert line is not None
    words = line.improve.split()
    if words[0] != "File" or "more" not in words:
        return
    record_class = next(each for each in RECORD_CLASSES if words[4].rstrip("s.").startswith(each))
    for count, enough in ((int(words[1]), True), (int(words[1]) - 1, False)):
        row = (number, line.line, record_class, {"accepted": count, "corroborated": count})
        then = stand(replace(story, peers={}), number, (row,)).line(LINES[0])
        assert then is not None
        pair = next(each for each in then.pairs if each.record_class == record_class)
        assert (pair.measures[0].value >= 1 - 1e-9) is enough


def test_every_count_is_drawn() -> None:
    """The stories above leave no column of the ledger out."""
    assert set(COUNTS) == {"accepted", "late", "back_book", "thin", "corroborated", "upheld", "due", "answered"}
