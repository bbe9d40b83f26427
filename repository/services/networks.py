"""Networks of claims as one member may see them: its own claims, and those of others that reach it at some tier.

What is told of a network is worked out from these claims alone, each time it is read. A record that a member may not
see is not there: what it would join stays apart, what it would add is not counted, and where the pattern cannot be
told without it there is nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from sqlalchemy import Connection

from matching.types import Kind
from matching.vocabulary import PROVIDER_ROLES
from matching.wire import unpack
from repository.domain import disclosure
from repository.domain.networks import Claim, Link, LinkKind, Network, Provider, Subject
from repository.domain.patterns import Judged, judge
from repository.domain.rulebook import DETAIL_TIER, HIT_TIER, NetworkRules
from repository.services import Services
from repository.services.entitlements import Granted
from repository.storage import networks, suppressed
from repository.storage.networks import ALL, StoredClaim, StoredLink, StoredSubject
from repository.storage.sealing import record_context

ORGANISATION: Kind = "organisation"
_PROVIDER_KEYS = ("company_number", "org_name_sorted", "org_name_sorted+postcode", "org_name_sorted+town")
"""By which a provider is known again, the first that it has."""


@dataclass(frozen=True)
class Stored:
    """Claims with their subjects and links, everyone's, as they lie in the pool."""

    claims: Mapping[str, StoredClaim]
    subjects: Sequence[StoredSubject]
    links: Sequence[StoredLink]
    providers: Mapping[str, tuple[Provider, ...]]

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
        return Stored(claims, subjects, links, providers)

    def network(self, filing_ids: Iterable[str], apart: Iterable[tuple[str, int, str, int]] = ()) -> Network:
        """The network of some of the claims; pairs that are ruled out, by both places, are not one person."""
        wanted = {each: self.claims[each] for each in filing_ids if each in self.claims}
        claims = [self._claim(each) for each in wanted.values()]
        out = set(apart)
        links = [
            self._link(each)
            for filing_id in wanted
            for each in self.from_low.get(filing_id, ())
            if each.high_filing_id in wanted and not _is_out(each, out)
        ]
        return Network(claims, [each for each in links if each is not None])

    def _claim(self, each: StoredClaim) -> Claim:
        own = self.linked.get(each.filing_id, ())
        return Claim(
            id=each.filing_id,
            member_id=each.member_id,
            incident_on=day_of(each),
            kind=str((each.claim or {}).get("kind", "")),
            subjects=tuple(Subject(one.record_id, one.filing_id, one.kind, one.role) for one in own),
            providers=self.providers.get(each.filing_id, ()),
        )

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
    return Stored(claims, subjects, links, _providers(services, connection, subjects))


def tiers_of(granted: Granted, stored: Stored) -> dict[str, int]:
    """The claims that a member may see, by tier: its own, and of the others' those that reach it."""
    found = {}
    for each in stored.claims.values():
        tier = DETAIL_TIER
        if each.member_id != granted.member.id:
            entitled = granted.entitlement.tier(each.line, each.record_class)
            tier = disclosure.tier_of(entitled, each.labels, granted.rulebook)
        if tier >= HIT_TIER:
            found[each.filing_id] = tier
    return found


def views(connection: Connection, granted: Granted, stored: Stored, rules: NetworkRules) -> list[View]:
    """What of some claims is to be reported to a member: of two members at least, its own among them, and enough."""
    tiers = tiers_of(granted, stored)
    apart = ruled_out(connection, granted.member.id, stored)
    network = stored.network(tiers, apart)
    found = []
    for each in judge(network, rules):
        if each.score >= rules.raise_at and len(each.members) > 1 and granted.member.id in each.members:
            seen = {filing_id: tiers[filing_id] for filing_id in each.claims}
            found.append(View(each, network.within(each.claims), seen))
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
    """The re-keyed key by which a provider is known again; None for what is none, or has no such key."""
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
            return services.sealer.rekey(keys[16 * place : 16 * place + 16], ORGANISATION).hex()
    return None


def _providers(
    services: Services, connection: Connection, subjects: Sequence[StoredSubject]
) -> dict[str, tuple[Provider, ...]]:
    keys = [(each, provider_key(services, each)) for each in subjects]
    known = networks.provider_claims(connection, [key for _, key in keys if key is not None])
    every = known.get(ALL, 0)
    found: dict[str, list[Provider]] = defaultdict(list)
    for each, key in keys:
        if key is not None:  # where nobody counted, as if it were on every claim: it recurs by itself
            share = min(1.0, known[key] / every) if key in known and every else 1.0
            found[each.filing_id].append(Provider(each.role, key, share))
    return {filing_id: tuple(of) for filing_id, of in found.items()}


def _by_claim(subjects: Iterable[StoredSubject]) -> dict[str, list[StoredSubject]]:
    found: dict[str, list[StoredSubject]] = defaultdict(list)
    for each in subjects:
        found[each.filing_id].append(each)
    return found


def _is_out(link: StoredLink, out: set[tuple[str, int, str, int]]) -> bool:
    low, high = (link.low_filing_id, link.low_position), (link.high_filing_id, link.high_position)
    return bool(out) and link.kind == LinkKind.PERSON and ((*low, *high) in out or (*high, *low) in out)
