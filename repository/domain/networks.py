"""Networks of claims: who and what claims have in common, and what is measured of a group of them.

A network is made of claims and of links between their subjects. People are subjects that are linked as one person;
what several claims tell of one accident, at either insurer, is one incident: nothing recurs in it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property
from itertools import combinations
from typing import Any, TypeVar

import networkx as nx

_T = TypeVar("_T", bound=Hashable)

PARTIES = ("policyholder", "claimant", "driver")
"""Whose claim it is, the nearest first."""
BYSTANDERS = ("witness", "passenger", "pedestrian")
SIDES = {
    **dict.fromkeys(("policyholder", "claimant", "driver", "passenger"), "own"),
    **dict.fromkeys(("third_party",), "other"),
    **dict.fromkeys(("witness", "pedestrian"), "neither"),
}
SAME_DAYS = 1
"""Days by which two insurers may date one accident apart."""


class LinkKind(StrEnum):
    """What two subjects have in common. PERSON and VEHICLE: they are the same one."""

    PERSON = "person"
    VEHICLE = "vehicle"
    PHONE = "phone"
    EMAIL = "email"
    BANK = "bank_account"
    ADDRESS = "address"


CONTACTS = (LinkKind.PHONE, LinkKind.EMAIL, LinkKind.BANK, LinkKind.ADDRESS)


@dataclass(frozen=True, slots=True)
class Subject:
    """A subject of a claim."""

    id: int
    claim_id: str
    kind: str
    role: str


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider on a claim: its role, what tells it from others, and the share of the pool's claims that has it."""

    role: str
    key: Hashable
    share: float


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim of a member, in a network."""

    id: str
    member_id: str
    incident_on: date
    kind: str
    subjects: tuple[Subject, ...]
    providers: tuple[Provider, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """Two subjects, the lower id first, and what they have in common. `named`: the family name, too."""

    low: int
    high: int
    kind: LinkKind
    named: bool = False


class Network:
    """Claims and the links between them, seen as people, households and incidents."""

    def __init__(self, claims: Iterable[Claim], links: Iterable[Link]) -> None:
        self.claims: Mapping[str, Claim] = {each.id: each for each in claims}
        self.subjects = {each.id: each for claim in self.claims.values() for each in claim.subjects}
        self.links = [each for each in links if each.low in self.subjects and each.high in self.subjects]

    @cached_property
    def person(self) -> Mapping[int, int]:
        """The person of each subject that is one."""
        people = (each.id for each in self.subjects.values() if each.kind == "person")
        return _numbered(people, self._of(LinkKind.PERSON))

    @cached_property
    def household(self) -> Mapping[int, int]:
        """The household of each person: who shares an address, or a family name and a way to be reached."""
        joined = [
            (self.person[each.low], self.person[each.high])
            for each in self.links
            if (each.kind is LinkKind.ADDRESS or (each.named and each.kind in CONTACTS)) and self._people(each)
        ]
        return _numbered(set(self.person.values()), joined)

    @cached_property
    def incident(self) -> Mapping[str, int]:
        """The incident of each claim: claims of one accident share a person or a vehicle, and the day."""
        joined = []
        for each in self.links:
            low, high = self.ends(each)
            same = each.kind in (LinkKind.PERSON, LinkKind.VEHICLE)
            if same and abs((low.incident_on - high.incident_on).days) <= SAME_DAYS:
                joined.append((low.id, high.id))
        return _numbered(self.claims, joined)

    @cached_property
    def roles(self) -> Mapping[int, Mapping[int, frozenset[str]]]:
        """For each incident its people, each with the roles it has there."""
        found: dict[int, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
        for each in self.subjects.values():
            if each.id in self.person:
                found[self.incident[each.claim_id]][self.person[each.id]].add(each.role)
        return {at: {person: frozenset(roles) for person, roles in cast.items()} for at, cast in found.items()}

    @cached_property
    def attended(self) -> Mapping[int, frozenset[int]]:
        """The incidents of each person."""
        found: dict[int, set[int]] = defaultdict(set)
        for at, cast in self.roles.items():
            for person in cast:
                found[person].add(at)
        return {person: frozenset(at) for person, at in found.items()}

    @cached_property
    def again(self) -> Mapping[tuple[int, int], frozenset[int]]:
        """Pairs of people of two households who met in more than one incident, with these incidents."""
        met: dict[tuple[int, int], set[int]] = defaultdict(set)
        often = {person for person, at in self.attended.items() if len(at) > 1}
        for at, cast in self.roles.items():
            for pair in combinations(sorted(often.intersection(cast)), 2):
                if self.household[pair[0]] != self.household[pair[1]]:
                    met[pair].add(at)
        return {pair: frozenset(at) for pair, at in met.items() if len(at) > 1}

    def sharers(self, kind: LinkKind) -> list[frozenset[int]]:
        """Groups of subjects, of several people, that share something of a kind, nobody's family name with it."""
        of_kind = [each for each in self.links if each.kind is kind and not each.named and self._people(each)]
        graph = nx.Graph((each.low, each.high) for each in of_kind)
        return sorted(map(frozenset, nx.connected_components(graph)), key=min)

    def at(self, subjects: Iterable[int]) -> frozenset[int]:
        """The incidents of some subjects."""
        return frozenset(self.incident[self.subjects[each].claim_id] for each in subjects)

    def households(self, subjects: Iterable[int]) -> frozenset[int]:
        """The households of some subjects that are people."""
        return frozenset(self.household[self.person[each]] for each in subjects)

    def within(self, claims: Iterable[str]) -> Network:
        """The part of it that some claims are."""
        return Network([self.claims[each] for each in claims], self.links)

    def main(self, at: int) -> int | None:
        """The household whose claim an incident is."""
        cast = self.roles.get(at, {})
        for role in PARTIES:
            for person in sorted(cast):
                if role in cast[person]:
                    return self.household[person]
        return None

    def of_incidents(self, incidents: Iterable[int]) -> frozenset[str]:
        """The claims of some incidents."""
        wanted = set(incidents)
        return frozenset(each for each, at in self.incident.items() if at in wanted)

    def day(self, at: int) -> date:
        """The first day that a claim dates an incident to."""
        return min(self.claims[each].incident_on for each in self.of_incidents([at]))

    def members(self, claims: Iterable[str]) -> frozenset[str]:
        """The members whose claims these are."""
        return frozenset(self.claims[each].member_id for each in claims)

    def ends(self, link: Link) -> tuple[Claim, Claim]:
        """The claims of the two subjects of a link."""
        return self.claims[self.subjects[link.low].claim_id], self.claims[self.subjects[link.high].claim_id]

    def measures(self) -> dict[str, Any]:
        """What is counted of the whole network."""
        graph = nx.Graph()
        graph.add_nodes_from(self.claims)
        graph.add_edges_from((low.id, high.id) for low, high in map(self.ends, self.links) if low.id != high.id)
        days = sorted(each.incident_on for each in self.claims.values())
        return {
            "claims": len(self.claims),
            "incidents": len(set(self.incident.values())),
            "people": len(set(self.person.values())),
            "households": len(set(self.household.values())),
            "recurring_people": sum(len(at) > 1 for at in self.attended.values()),
            "recycled_people": sum(map(self.recycled, self.attended)),
            "density": round(nx.density(graph), 3) if len(graph) > 1 else 0.0,
            "bridges": sum(1 for _ in nx.bridges(graph)),
            "first_on": days[0].isoformat() if days else None,
            "days": (days[-1] - days[0]).days if days else 0,
        }

    def recycled(self, person: int) -> bool:
        """Whether somebody was on one side of an incident, and in another on the other side, or stood by."""
        seen = {role for at in self.attended[person] for role in self.roles[at][person]}
        return len(self.attended[person]) > 1 and len({SIDES[role] for role in seen if role in SIDES}) > 1

    def _of(self, kind: LinkKind) -> Iterator[tuple[int, int]]:
        return ((each.low, each.high) for each in self.links if each.kind is kind)

    def _people(self, link: Link) -> bool:
        low, high = self.person.get(link.low), self.person.get(link.high)
        return low is not None and high is not None and low != high


def split(
    claims: Sequence[str], weights: Mapping[tuple[str, str], float], *, floor: float, most: int
) -> list[frozenset[str]]:
    """Claims in groups of at most `most`: the heaviest links join first, and none below the floor.

    A pair of claims may be named either way round. The order of the claims does not matter.
    """
    group = {each: {each} for each in claims}
    for (low, high), weight in sorted(weights.items(), key=lambda each: (-each[1], each[0])):
        ours, theirs = group[low], group[high]
        if weight < floor or ours is theirs or len(ours) + len(theirs) > most:
            continue
        if len(ours) < len(theirs):
            ours, theirs = theirs, ours
        ours |= theirs
        group.update(dict.fromkeys(theirs, ours))
    return sorted({frozenset(each) for each in group.values()}, key=min)


def _numbered(nodes: Iterable[_T], joined: Iterable[tuple[_T, _T]]) -> dict[_T, int]:
    graph = nx.Graph()
    graph.add_nodes_from(nodes)
    graph.add_edges_from(joined)
    return {node: number for number, part in enumerate(nx.connected_components(graph)) for node in part}
