"""Patterns of organised fraud in a network of claims: named rules, each with its figures, in words.

Each says what it counts, what it asks for at least (`[networks.patterns.NAME]` of the rulebook), how many bits it adds
to a network's score, and what would change it. None is a verdict: families, friends and busy firms recur, too.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations, product
from math import lgamma, log, log2
from types import MappingProxyType

import networkx as nx

from repository.domain.networks import BYSTANDERS, LinkKind, Network
from repository.domain.rulebook import NetworkRules, PatternRules


class PatternName(StrEnum):
    """What each is called in rulebook and answers."""

    STAGED_RING = "staged_ring"
    SHARED_CONTACT = "shared_contact"
    PROVIDER_NEXUS = "provider_nexus"
    INJURY_BURST = "injury_burst"
    PHANTOM_PASSENGERS = "phantom_passengers"
    GHOST_BROKING = "ghost_broking"


@dataclass(frozen=True, slots=True)
class Fired:
    """A pattern that a network has: the claims it stands on, its figures, the bits it adds, and both in words."""

    name: PatternName
    claims: frozenset[str]
    figures: Mapping[str, int | float | str]
    bits: float
    says: str
    change: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A group of claims as the patterns see it: those that fired on it, the heaviest first, and the score in bits."""

    fired: tuple[Fired, ...]
    claims: frozenset[str]
    members: frozenset[str]
    score: float


Rule = Callable[[Network, PatternRules, NetworkRules], Iterable[Fired]]


def judge(network: Network, rules: NetworkRules) -> list[Judged]:
    """The groups of claims on which patterns fire, the highest score first.

    What people do together makes a group; patterns that stand on the same claims are one. What may be chance by
    itself, firms and dates, is looked for within these only.
    """
    made = [each for name, rule in ANCHORS.items() for each in rule(network, rules.patterns[name], rules)]
    judged = []
    for group in _overlapping(made):
        claims = frozenset[str]().union(*(each.claims for each in group))
        within = network.within(claims)
        beside = [each for name, rule in BESIDE.items() for each in rule(within, rules.patterns[name], rules)]
        best: dict[PatternName, Fired] = {}
        for each in sorted((*group, *beside), key=lambda fired: (fired.bits, min(fired.claims))):
            best[each.name] = each
        fired = tuple(sorted(best.values(), key=lambda each: (-each.bits, each.name)))
        score = round(sum(each.bits for each in fired), 1)
        judged.append(Judged(fired, claims, network.members(claims), score))
    return sorted(judged, key=lambda each: (-each.score, min(each.claims)))


def staged_ring(network: Network, rules: PatternRules, every: NetworkRules) -> Iterator[Fired]:
    """The same people, of several households, meet in one accident after the other, in changing roles."""
    for people in map(frozenset, nx.connected_components(nx.Graph(list(network.again)))):
        pairs = [pair for pair in network.again if pair[0] in people]
        incidents = frozenset[int]().union(*(network.again[pair] for pair in pairs))
        if len(people) < rules.people or len(incidents) < rules.incidents:
            continue
        recycled = sum(map(network.recycled, people))
        if recycled < every.recycled:  # who always sits in one car may well share it
            continue
        yield Fired(
            PatternName.STAGED_RING,
            network.of_incidents(incidents),
            {"people": len(people), "incidents": len(incidents), "pairs": len(pairs), "recycled": recycled},
            _bits(rules, len(incidents) - rules.incidents + len(people) - rules.people + recycled),
            f"{len(people)} people of several households met again and again in {len(incidents)} incidents; {recycled} "
            "of them changed sides, or stood by in one and not in another.",
            "It goes when the people turn out to be others, or one household, or the incidents one.",
        )


def shared_contact(network: Network, rules: PatternRules, _all: NetworkRules) -> Iterator[Fired]:
    """People of several households, not policyholders alone, share a way to be reached, over several incidents.

    A telephone or mailbox may be that of who handles claims: it counts half, and only if somebody who stood by gave it,
    too.
    """
    for kind, word in _WORDS.items():
        for group in network.sharers(kind):
            gave = [each for each in group if network.subjects[each].role != "policyholder"]
            stood_by = any(network.subjects[each].role in BYSTANDERS for each in gave)
            incidents, households = network.at(gave), network.households(gave)
            if len(households) < rules.people or len(incidents) < rules.incidents:
                continue
            sure = kind is LinkKind.BANK
            if not (sure or stood_by):
                continue
            yield Fired(
                PatternName.SHARED_CONTACT,
                network.of_incidents(incidents),
                {"shared": kind.value, "households": len(households), "incidents": len(incidents)},
                _bits(rules, len(households) - rules.people + len(incidents) - rules.incidents) / (1 if sure else 2),
                f"People of {len(households)} households gave one {word} in {len(incidents)} incidents.",
                f"It goes when the {word} is that of a firm or an institution, or was mistyped.",
            )


def phantom_passengers(network: Network, rules: PatternRules, _all: NetworkRules) -> Iterator[Fired]:
    """The same people are passengers of drivers of other households, in one incident after the other."""
    rides: dict[int, set[int]] = defaultdict(set)
    for at, cast in network.roles.items():
        main = network.main(at)
        for person, roles in cast.items():
            if "passenger" in roles and main is not None and network.household[person] != main:
                rides[person].add(at)
    riding = {network.household[person] for person, ats in rides.items() if len(ats) > 1}
    graph = nx.Graph()
    for person, ats in rides.items():
        # Who drives in turn with them shares a car: it is the drivers that nobody rides with otherwise.
        strangers = {at for at in ats if network.main(at) not in riding}
        if len({network.main(at) for at in strangers}) > 1:
            graph.add_edges_from((("person", person), ("incident", at)) for at in strangers)
    for part in nx.connected_components(graph):
        people = {number for what, number in part if what == "person"}
        incidents = {number for what, number in part if what == "incident"}
        if len(people) < rules.people or len(incidents) < rules.incidents:
            continue
        yield Fired(
            PatternName.PHANTOM_PASSENGERS,
            network.of_incidents(incidents),
            {"passengers": len(people), "incidents": len(incidents)},
            _bits(rules, len(people) - rules.people + len(incidents) - rules.incidents),
            f"{len(people)} people were passengers of drivers of other households in {len(incidents)} incidents.",
            "It goes when they turn out to be others, or to live with the drivers.",
        )


def ghost_broking(network: Network, rules: PatternRules, _all: NetworkRules) -> Iterator[Fired]:
    """Policyholders of several households share an account, or telephone and mailbox: one hand bought for them.

    Telephone and mailbox alone are mostly those of a broker, and count half.
    """
    ways = Counter[tuple[int, int]]()
    accounts = network.sharers(LinkKind.BANK)
    for kind in _WORDS:
        for group in network.sharers(kind):
            holders = [each for each in group if network.subjects[each].role == "policyholder"]
            ways.update(dict.fromkeys(combinations(sorted(holders), 2), 2 if kind is LinkKind.BANK else 1))
    for part in nx.connected_components(nx.Graph(pair for pair, times in ways.items() if times > 1)):
        incidents, households = network.at(part), network.households(part)
        paid = any(len(group & part) > 1 for group in accounts)
        if len(households) < rules.people or len(incidents) < rules.incidents:
            continue
        yield Fired(
            PatternName.GHOST_BROKING,
            network.of_incidents(incidents),
            {"households": len(households), "incidents": len(incidents)},
            _bits(rules, len(households) - rules.people) / (1 if paid else 2),
            f"Policyholders of {len(households)} households share an account, or telephone and mailbox.",
            "It goes when what they share is that of a broker whom the insurers know.",
        )


def provider_nexus(network: Network, rules: PatternRules, every: NetworkRules) -> Iterator[Fired]:
    """One repairer and one adviser recur together on claims of different households, against their share."""
    used: dict[tuple[Hashable, Hashable], dict[int, float]] = defaultdict(dict)
    for claim in network.claims.values():
        firms = {role: [each for each in claim.providers if each.role in role] for role in _sides(every)}
        for repairer, adviser in product(*firms.values()):
            shares = [min(1.0, each.share * every.local) for each in (repairer, adviser)]
            used[repairer.key, adviser.key][network.incident[claim.id]] = shares[0] * shares[1]
    incidents = len(set(network.incident.values()))
    for ats in used.values():
        expected = incidents * max(ats.values())
        surprise = _surprise(len(ats), expected)
        if len(ats) < rules.incidents or len(set(map(network.main, ats))) < rules.people or surprise <= 0:
            continue
        yield Fired(
            PatternName.PROVIDER_NEXUS,
            network.of_incidents(ats),
            {"incidents": len(ats), "expected": float(f"{expected:.2g}"), "surprise_bits": round(surprise, 1)},
            _bits(rules, surprise),
            f"One repairer and one adviser are together on {len(ats)} of {incidents} incidents, where {expected:.2g} "
            "would be expected of how often both are used.",
            "It goes when the two are used more widely, or an insurer sends its customers to both.",
        )


def injury_burst(network: Network, rules: PatternRules, every: NetworkRules) -> Iterator[Fired]:
    """Injury claims of several households within days, all of them linked."""
    hurt = {network.incident[each.id] for each in network.claims.values() if each.kind == "injury"}
    days = sorted((network.day(at), at) for at in hurt)
    within = [
        [at for when, at in days[start:] if (when - day).days <= every.burst_days]
        for start, (day, _) in enumerate(days)
    ]
    best = max(within, key=len, default=[])
    mains = set(map(network.main, best))
    if len(best) >= rules.incidents and len(mains) >= rules.people:
        yield Fired(
            PatternName.INJURY_BURST,
            network.of_incidents(best),
            {"incidents": len(best), "households": len(mains), "within_days": every.burst_days},
            _bits(rules, len(best) - rules.incidents),
            f"{len(best)} incidents with injuries, of {len(mains)} households, within {every.burst_days} days.",
            "It goes when the incidents turn out to be one, or to be dated otherwise.",
        )


ANCHORS: Mapping[PatternName, Rule] = MappingProxyType(
    {
        PatternName.STAGED_RING: staged_ring,
        PatternName.SHARED_CONTACT: shared_contact,
        PatternName.PHANTOM_PASSENGERS: phantom_passengers,
        PatternName.GHOST_BROKING: ghost_broking,
    }
)
BESIDE: Mapping[PatternName, Rule] = MappingProxyType(
    {PatternName.PROVIDER_NEXUS: provider_nexus, PatternName.INJURY_BURST: injury_burst}
)
_WORDS = {LinkKind.BANK: "bank account", LinkKind.PHONE: "telephone", LinkKind.EMAIL: "mailbox"}


def _bits(rules: PatternRules, beyond: float) -> float:
    return round(min(rules.most, rules.bits + rules.each * beyond), 1)


def _overlapping(made: Sequence[Fired]) -> list[list[Fired]]:
    """What fired in groups: two that share half of the claims of the smaller are of one."""
    graph = nx.Graph()
    graph.add_nodes_from(range(len(made)))
    for one, other in combinations(range(len(made)), 2):
        least = min(len(made[one].claims), len(made[other].claims))
        if 2 * len(made[one].claims & made[other].claims) >= least:
            graph.add_edge(one, other)
    return [[made[each] for each in sorted(part)] for part in nx.connected_components(graph)]


def _sides(every: NetworkRules) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(every.repairing), tuple(every.advising)


def _surprise(times: int, expected: float) -> float:
    """Bits by which something that recurs so often is rarer than its expectation has it (Poisson's, at its head)."""
    if expected >= times:
        return 0.0
    return -(times * log2(expected) - expected / log(2) - lgamma(times + 1) / log(2))
