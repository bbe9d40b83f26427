"""Patterns of networks, on edges that are made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import combinations

import pytest

from repository.domain.networks import Claim, Link, LinkKind, Network, Provider, Subject, split
from repository.domain.patterns import Judged, PatternName, judge
from repository.services import rulebook_file

RULES = rulebook_file.default().networks
Cast = Sequence[tuple[str, str]]
"""Who is in a claim, in which role."""


def network(*casts: Cast, kind: LinkKind = LinkKind.PERSON, share: float = 1.0, apart: int = 20) -> Network:
    """Claims of two members in turn, so many days apart; who has one name is linked, by `kind`."""
    claims, named = [], dict[str, list[int]]()
    for number, cast in enumerate(casts):
        subjects = []
        for place, (who, role) in enumerate(cast):
            subjects.append(Subject(100 * number + place, f"c{number}", "person", role))
            named.setdefault(who, []).append(subjects[-1].id)
        firms = (Provider("garage", "g", share), Provider("solicitor", "s", share))
        on = date(2026, 1, 1) + timedelta(days=apart * number)
        claims.append(Claim(f"c{number}", f"m{number % 2}", on, "injury", tuple(subjects), firms))
    links = [Link(low, high, kind) for same in named.values() for low, high in combinations(same, 2)]
    return Network(claims, links)


def names(found: Sequence[Judged]) -> set[PatternName]:
    """The patterns that fired."""
    return {each.name for judged in found for each in judged.fired}


def staged(count: int) -> list[Cast]:
    """Three people who change roles."""
    people, roles = ("a", "b", "c"), ("claimant", "third_party", "witness")
    return [[(people[(at + n) % 3], role) for at, role in enumerate(roles)] for n in range(count)]


def test_a_staged_ring_fires_and_says_on_what_it_stands() -> None:
    """Three people in three incidents, all of whom change sides: figures, claims of both members, words."""
    (judged,) = judge(network(*staged(3)), RULES)
    (ring,) = [each for each in judged.fired if each.name is PatternName.STAGED_RING]
    assert dict(ring.figures) == {"people": 3, "incidents": 3, "pairs": 3, "recycled": 3}
    assert judged.claims == frozenset({"c0", "c1", "c2"})
    assert judged.members == frozenset({"m0", "m1"})
    assert ring.says.startswith("3 people of several households met again and again in 3 incidents")
    assert ring.change


@pytest.mark.parametrize(
    ("casts", "apart"),
    [
        (staged(3), 0),
        ([[("a", "claimant"), ("b", "passenger"), ("c", "passenger")]] * 3, 20),
        ([[("a", "claimant"), (f"x{n}", "witness")] for n in range(3)], 20),
    ],
    ids=["one accident that many file", "who rides together, the driver among them", "one who claims again"],
)
def test_what_only_looks_like_a_ring_is_none(casts: list[Cast], apart: int) -> None:
    """Nothing fires on what honest people do."""
    assert judge(network(*casts, apart=apart), RULES) == []


def test_passengers_of_strangers_fire() -> None:
    """Two who ride with another driver each time."""
    casts = [[(f"d{n}", "claimant"), ("a", "passenger"), ("b", "passenger")] for n in range(3)]
    assert PatternName.PHANTOM_PASSENGERS in names(judge(network(*casts), RULES))


@pytest.mark.parametrize(
    ("kind", "role", "fires"),
    [
        (LinkKind.BANK, "claimant", {PatternName.SHARED_CONTACT}),
        (LinkKind.PHONE, "claimant", set()),
        (LinkKind.PHONE, "passenger", {PatternName.SHARED_CONTACT}),
        (LinkKind.BANK, "policyholder", {PatternName.GHOST_BROKING}),
        (LinkKind.PHONE, "policyholder", set()),
    ],
)
def test_what_is_shared_by_strangers_fires_by_what_it_is(kind: LinkKind, role: str, fires: set[PatternName]) -> None:
    """An account counts by itself; a telephone of claimants or customers may be their manager's or broker's."""
    found = names(judge(network(*[[("x", role)]] * 4, kind=kind, apart=200), RULES))
    assert found == fires


def test_firms_count_by_how_rare_they_are() -> None:
    """One garage and one solicitor on three claims: for firms of one claim in a thousand, and not for common ones."""
    assert PatternName.PROVIDER_NEXUS in names(judge(network(*staged(3), share=0.001), RULES))
    assert PatternName.PROVIDER_NEXUS not in names(judge(network(*staged(3), share=0.5), RULES))


def test_the_heaviest_links_join_first_and_no_network_grows_beyond_its_bound() -> None:
    """Whatever the order; what is below the floor joins nothing."""
    weights = {("a", "b"): 9.0, ("b", "c"): 8.0, ("c", "d"): 10.0, ("d", "e"): 1.0}
    found = split(list("abcde"), weights, floor=6.0, most=3)
    assert found == [{"a", "b"}, {"c", "d"}, {"e"}]
    assert split(list("edcba"), dict(reversed(weights.items())), floor=6.0, most=3) == found


def test_families_are_one_household() -> None:
    """Who shares an address, or a name with a telephone, meets nobody of another household."""
    ring = network(*staged(3))
    home = [Link(0, 1, LinkKind.ADDRESS), Link(1, 2, LinkKind.PHONE, named=True)]
    assert judge(Network(ring.claims.values(), [*ring.links, *home]), RULES) == []
