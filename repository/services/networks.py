"""Networks of claims as one member may see them: its own claims, and those of others whose class it may see (tier 2).

Of what is seen at tier 1 only that there is a hit may be told: a network would tell how many there are.

What is told of a network is worked out from these claims alone, each time it is read. A record that a member may not
see is not there: what it would join stays apart, what it would add is not counted, and where the pattern cannot be
told without it there is nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from sqlalchemy import Connection

from matching.types import KEY_BYTES, Kind
from matching.vocabulary import PROVIDER_ROLES
from matching.wire import unpack
from repository.domain import disclosure
from repository.domain.networks import Claim, Link, LinkKind, Network, Provider, Subject, split
from repository.domain.patterns import Judged, judge
from repository.domain.rulebook import CLASS_TIER, DETAIL_TIER, NetworkRules
from repository.services import Services
from repository.services.entitlements import Granted
from repository.storage import networks, suppressed
from repository.storage.networks import ALL, StoredClaim, StoredLink, StoredSubject
from repository.storage.sealing import record_context

ORGANISATION: Kind = "organisation"
_PROVIDER_KEYS = ("company_number", "org_name_sorted", "org_name_sorted+postcode", "org_name_sorted+town")
"""By which a provider is known again, the first that it has."""
_ID_DIGITS = 16


@dataclass(frozen=True)
class Stored:
    """Claims with their subjects and links, everyone's, as they lie in the pool.

    `providers` are roles and keys, by claim; `shares` on how many claims of each line and class each key is.
    """

    claims: Mapping[str, StoredClaim]
    subjects: Sequence[StoredSubject]
    links: Sequence[StoredLink]
    providers: Mapping[str, Sequence[tuple[str, str]]]
    shares: Mapping[str, Mapping[tuple[str, str], int]]

    @cached_property
    def at(self) -> Mapping[tuple[str, int], StoredSubject]:
        """The subjects by filing and place."""
        return {(each.filing_id, each.position): each for each in self.subjects}

    @cached_property
    def by_claim(self) -> Mapping[str, Sequence[StoredSubject]]:
        """The subjects by claim."""
        return _by_claim(self.subjects)

    @cached_property
    def linked(self) -> Mapping[str, Sequence[StoredSubject]]:
        """By claim the subjects that may be linked: a provider never links."""
        return _by_claim(each for each in self.subjects if is_linked(each.kind, each.role))

    @cached_property
    def from_low(self) -> Mapping[str, Sequence[StoredLink]]:
        """The links by the claim at their lower end."""
        found: dict[str, list[StoredLink]] = defaultdict(list)
        for each in self.links:
            found[each.low_filing_id].append(each)
        return found

    def of(self, filing_ids: Iterable[str]) -> Stored:
        """The same of some of the claims."""
        claims = {each: self.claims[each] for each in filing_ids if each in self.claims}
        subjects = [one for each in claims for one in self.by_claim.get(each, ())]
        links = [one for each in claims for one in self.from_low.get(each, ()) if one.high_filing_id in claims]
        providers = {each: self.providers[each] for each in claims if each in self.providers}
        return Stored(claims, subjects, links, providers, self.shares)

    def network(
        self,
        filing_ids: Iterable[str],
        seen: Container[tuple[str, str]],
        apart: Iterable[tuple[str, int, str, int]] = (),
    ) -> Network:
        """The network of some of the claims; pairs that are ruled out, by both places, are not one person.

        How common a provider is says what there is of the lines and classes that are `seen`.
        """
        wanted = {each: self.claims[each] for each in filing_ids if each in self.claims}
        claims = [self._claim(each, seen) for each in wanted.values()]
        out = set(apart)
        links = [
            self._link(each)
            for filing_id in wanted
            for each in self.from_low.get(filing_id, ())
            if each.high_filing_id in wanted and not _is_out(each, out)
        ]
        return Network(claims, [each for each in links if each is not None])

    def _claim(self, each: StoredClaim, seen: Container[tuple[str, str]]) -> Claim:
        firms = self.providers.get(each.filing_id, ())
        own = self.linked.get(each.filing_id, ())
        return Claim(
            id=each.filing_id,
            member_id=each.member_id,
            incident_on=day_of(each),
            kind=str((each.claim or {}).get("kind", "")),
            subjects=tuple(Subject(one.record_id, one.filing_id, one.kind, one.role) for one in own),
            providers=tuple(Provider(role, key, self._share(key, seen)) for role, key in firms),
        )

    def _share(self, key: str, seen: Container[tuple[str, str]]) -> float:
        """Where nobody counted, as if it were on every claim: it recurs by itself."""
        on, of = (
            sum(claims for pair, claims in self.shares.get(each, {}).items() if pair in seen) for each in (key, ALL)
        )
        return min(1.0, on / of) if on and of else 1.0

    def _link(self, each: StoredLink) -> Link | None:
        low = self.at.get((each.low_filing_id, each.low_position))
        high = self.at.get((each.high_filing_id, each.high_position))
        if low is None or high is None:
            return None
        ends = sorted((low.record_id, high.record_id))
        return Link(ends[0], ends[1], LinkKind(each.kind), each.named)


@dataclass(frozen=True, slots=True)
class View:
    """A network as a member may see it: the claims by the tier they are seen at, its own at 4, and the patterns."""

    judged: Judged
    network: Network
    tiers: Mapping[str, int]


def is_linked(kind: str, role: str) -> bool:
    """Whether a subject of this kind and role links claims: firms do not, nor does who provides for many."""
    return kind != ORGANISATION and role not in PROVIDER_ROLES


def is_provider(kind: str, role: str) -> bool:
    """Whether a subject is a firm that provides for claimants."""
    return kind == ORGANISATION and role in PROVIDER_ROLES


def day_of(claim: StoredClaim) -> date:
    """The day of what a claim is about."""
    said = (claim.claim or {}).get("incident_date")
    return date.fromisoformat(said) if said else claim.triggered_on


def load(services: Services, connection: Connection, filing_ids: Iterable[str], rules: NetworkRules) -> Stored:
    """Some claims of everyone, with what links them."""
    claims = networks.claims(connection, filing_ids, rules.classes)
    subjects = networks.subjects(connection, claims)
    links = networks.links_among(connection, claims)
    firms = [(each, provider_key(services, each)) for each in subjects]
    providers: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for each, key in firms:
        if key is not None:
            providers[each.filing_id].append((each.role, key))
    shares = networks.provider_claims(connection, {key for _, key in firms if key is not None})
    return Stored(claims, subjects, links, providers, shares)


def tiers_of(granted: Granted, stored: Stored) -> dict[str, int]:
    """The claims that a member may see, by tier: its own, and of the others' those whose class it may see."""
    found = {}
    for each in stored.claims.values():
        tier = DETAIL_TIER
        if each.member_id != granted.member.id:
            entitled = granted.entitlement.tier(each.line, each.record_class)
            tier = disclosure.tier_of(entitled, each.labels, granted.rulebook)
        if tier >= CLASS_TIER:
            found[each.filing_id] = tier
    return found


def views(connection: Connection, granted: Granted, stored: Stored, rules: NetworkRules) -> list[View]:
    """What of some claims is to be reported to a member: of two members at least, its own among them, and enough.

    They are put together anew of those that the member may see: others must not push these apart.
    """
    tiers = tiers_of(granted, stored)
    visible = stored.of(tiers)
    apart, seen = ruled_out(connection, granted.member.id, visible), granted.entitlement.from_tier(CLASS_TIER)
    found = []
    for part in grouped(visible.claims, visible.links, rules):
        if not may_fire(visible.of(part), granted.member.id):
            continue
        network = visible.network(part, seen, apart)
        for each in judge(network, rules):
            if each.score >= rules.raise_at and len(each.members) > 1 and granted.member.id in each.members:
                of = {filing_id: tiers[filing_id] for filing_id in each.claims}
                found.append(View(each, network.within(each.claims), of))
    return found


def grouped(claims: Iterable[str], links: Iterable[StoredLink], rules: NetworkRules) -> list[frozenset[str]]:
    """Claims as the links among them put them together."""
    weights: dict[tuple[str, str], float] = defaultdict(float)
    for each in links:
        weights[each.low_filing_id, each.high_filing_id] += rules.bits[each.kind]
    return split(sorted(claims), weights, floor=rules.floor_bits, most=rules.most_claims)


def may_fire(stored: Stored, member_id: str) -> bool:
    """Whether any pattern can be there, at little cost: people who recur, or share a way to be reached, are linked."""
    members = {each.member_id for each in stored.claims.values()}
    kinds = Counter(LinkKind(each.kind) for each in stored.links)
    contacts = sum(kinds[each] for each in (LinkKind.PHONE, LinkKind.EMAIL, LinkKind.BANK))
    return len(members) > 1 and member_id in members and (kinds[LinkKind.PERSON] > 1 or contacts > 1)


def told(connection: Connection, granted: Granted, finding_ids: Iterable[str]) -> set[str]:
    """Those of some findings that are a member's, and of which it may see claims of another member still."""
    of = networks.finding_claims(connection, finding_ids)
    found = set()
    for finding_id, filing_ids in of.items():
        own = networks.finding(connection, granted.member.id, finding_id)
        stored = Stored(networks.claims(connection, filing_ids, granted.rulebook.networks.classes), (), (), {}, {})
        seen = {stored.claims[each].member_id for each in tiers_of(granted, stored)}
        if own is not None and granted.member.id in seen and len(seen) > 1:
            found.add(finding_id)
    return found


def ruled_out(connection: Connection, member_id: str, stored: Stored) -> list[tuple[str, int, str, int]]:
    """Pairs of places that a member found not to be the same, its own first."""
    pairs = suppressed.on_filings(connection, list(stored.claims))
    return [
        (each.own_filing_id, each.own_position, each.their_filing_id, each.their_position)
        for each in pairs
        if each.member_id == member_id and each.own_filing_id is not None
    ]


def provider_key(services: Services, subject: StoredSubject) -> str | None:
    """The digest of the key by which a provider is known again; None for what is none, or has no such key."""
    if not (is_provider(subject.kind, subject.role) and subject.envelope):
        return None
    encoded = unpack(services.sealer.unseal(record_context(subject.record_id), subject.envelope))
    return key_of(services, encoded.mask, encoded.keys)


def key_of(services: Services, mask: int, keys: bytes) -> str | None:
    """The same of an encoding's keys."""
    schema = services.schema.kinds[ORGANISATION]
    bits = [bit for bit in range(len(schema.keys)) if mask >> bit & 1]
    for name in _PROVIDER_KEYS:
        bit = schema.key_bits.get(name)
        if bit is not None and bit in bits:
            place = bits.index(bit)
            half = keys[KEY_BYTES * place : KEY_BYTES * place + KEY_BYTES // 2]  # what is kept of a key
            return services.sealer.digest(b"provider", half).hex()[:_ID_DIGITS]
    return None


def _by_claim(subjects: Iterable[StoredSubject]) -> dict[str, list[StoredSubject]]:
    found: dict[str, list[StoredSubject]] = defaultdict(list)
    for each in subjects:
        found[each.filing_id].append(each)
    return found


def _is_out(link: StoredLink, out: set[tuple[str, int, str, int]]) -> bool:
    low, high = (link.low_filing_id, link.low_position), (link.high_filing_id, link.high_position)
    return bool(out) and link.kind == LinkKind.PERSON and ((*low, *high) in out or (*high, *low) in out)
