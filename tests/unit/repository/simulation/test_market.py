"""Generated markets: the same seed gives the same one, and each kind of member does what its habits say."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from repository.domain.standing import Ramp
from repository.simulation.market import Market, Plan, Player, generate, plan
from repository.simulation.profiles import CAST, LARGE, LINE, MID, SMALL, TINY, Archetype, Habits, Profile, cast
from repository.simulation.running import run
from repository.simulation.summary import State, states, summarise
from tests.support.rulebooks import DEFAULT_RULEBOOK

BEGIN = date(2026, 1, 1)


def market(*profiles: Profile, days: int = 300, seed: int = 3) -> Market:
    """A market of just these members."""
    return generate(Plan(profiles, days), DEFAULT_RULEBOOK, BEGIN, np.random.default_rng(seed))


def total(player: Player, name: str) -> int:
    """The sum of a column of a member's ledger."""
    return int(player.ledger.counts[name].sum())


def only(habits: Habits, days: int = 300, **changes: object) -> Player:
    """The one member of a market, with these habits."""
    profile = replace(Profile(Archetype.HONEST_MID, "x", MID, habits=habits), **changes)  # type: ignore[arg-type]
    (player,) = market(profile, days=days).players
    return player


def test_a_market_has_every_archetype() -> None:
    """The smallest one too; bigger ones have more honest members."""
    assert {each.archetype for each in cast(len(CAST))} == set(Archetype)
    assert {each.archetype for each in cast(len(CAST) + 9)[len(CAST) :]} == {
        Archetype.HONEST_SMALL,
        Archetype.HONEST_TINY,
        Archetype.HONEST_MID,
        Archetype.HONEST_LARGE,
    }
    with pytest.raises(ValueError, match="members at least"):
        plan(len(CAST) - 1, 1)


def test_the_same_seed_gives_the_same_course() -> None:
    """Filings, queries, hits and answers; another seed gives another one."""

    def rows(seed: int) -> list[object]:
        rng = np.random.default_rng(seed)
        made = generate(Plan(CAST[:4], 60), DEFAULT_RULEBOOK, BEGIN, rng)
        return [summarise(each, DEFAULT_RULEBOOK) for each in run(made, DEFAULT_RULEBOOK, rng)]

    assert rows(1) == rows(1)
    assert rows(1) != rows(2)


def test_honest_members_file_what_they_declare() -> None:
    """Within four standard errors of the volumes declared, a few of them late, thin or overturned."""
    for size in (LARGE, MID, SMALL, TINY):
        player = only(Habits(), size=size)
        declared = sum(each.per_month for each in player.membership.declared) * 300 * 12 / 365.25
        assert total(player, "accepted") == pytest.approx(declared, abs=4 * declared**0.5 + 15)
        assert total(player, "late") < 0.05 * total(player, "accepted") + 3


def test_habits_show_in_the_ledger() -> None:
    """A free rider files its share, a thin dumper's records are thin, invented ones meet nobody."""
    honest = only(Habits())
    assert total(only(Habits(filed=0.05)), "accepted") < 0.08 * total(honest, "accepted")
    thin = only(Habits(thin=0.95))
    assert total(thin, "thin") > 0.9 * total(thin, "accepted")
    assert total(only(Habits(genuine=0.0)), "corroborated") == 0 < total(honest, "corroborated")
    assert sum(each.per_month for each in only(Habits(declared=0.1)).membership.declared) < 0.2 * sum(
        each.per_month for each in honest.membership.declared
    )


def test_invented_books_meet_some_records_all_the_same() -> None:
    """By chance, a few of thousands; and the real customers that are planted each year, on their days."""
    by_chance = only(Habits(genuine=0.0, by_chance=0.002), size=LARGE)
    assert 0 < total(by_chance, "corroborated") < 0.004 * total(by_chance, "accepted")
    planted = only(Habits(filed=0.0, planted=(10, 60)), days=500)
    customers = planted.ledger.pairs.index((LINE, "customer"))
    for name in ("accepted", "corroborated"):
        counts = planted.ledger.counts[name]
        assert np.flatnonzero(counts[customers]).tolist() == [10, 60, 375, 425], name
        assert counts.sum() == 4


def test_one_a_quarter_is_a_claim_every_so_many_days() -> None:
    """From the first day on, and nothing else."""
    player = only(Habits(filed=0.0, one_in=91))
    (claims,) = player.ledger.counts["accepted"][[player.ledger.pairs.index((LINE, "claim"))]]
    assert np.flatnonzero(claims).tolist() == [0, 91, 182, 273]
    assert total(player, "accepted") == 4


def test_an_outage_holds_filings_up() -> None:
    """Three weeks without any, then all of them, those of the first two weeks late."""
    player = only(Habits(outage=21, late=0.0))
    filed, late = (player.ledger.counts[name].sum(axis=0) for name in ("accepted", "late"))
    assert filed[150:171].sum() == 0
    assert filed[171:174].sum() > 15 * filed[100:150].mean()
    assert late[171:174].sum() > 10 * filed[100:150].mean()
    assert late.sum() == late[171:174].sum()


def test_a_back_book_is_loaded_by_those_that_contribute_first() -> None:
    """Half a year's records on the fourth day, which is when their clean days begin."""
    player = only(Habits(back_book=6, thin=0.0), ramp=Ramp.CONTRIBUTE_FIRST)
    loaded = player.ledger.counts["back_book"]
    assert player.membership.back_book_on == date(2026, 1, 4)
    assert loaded.sum() == loaded[:, 3].sum() > 2000
    assert player.membership.covenant_until is None


def test_the_days_drawn_are_those_of_the_course() -> None:
    """Before a member is there it is absent, a suspended day is one, and tiers decide the rest."""
    late_comer = replace(CAST[2], admitted_after=20)
    silent = next(each for each in CAST if each.label == "nothing, covenant")
    made = market(CAST[2], late_comer, silent, days=140)
    courses = run(made, DEFAULT_RULEBOOK, np.random.default_rng(3))
    drawn = states(courses, 140, DEFAULT_RULEBOOK)
    assert drawn.shape == (3, 140)
    assert set(drawn[1, :20]) == {State.ABSENT}
    assert State.ABSENT not in drawn[1, 20:]
    assert (drawn[0, 0], drawn[0, -1]) == (State.HITS, State.FULL)
    assert (drawn[2, 0], drawn[2, -1]) == (State.NOTHING, State.SUSPENDED)
    restricted = summarise(courses[2], DEFAULT_RULEBOOK).first_restricted
    assert restricted is not None
    assert drawn[2, restricted] == State.RESTRICTED != drawn[2, restricted - 1]
