"""Reading networks: a member's findings, each worked out anew from what the member may see by now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from repository.domain.asking import Request
from repository.domain.events import EventKind
from repository.domain.hits import age_band
from repository.domain.members import Actor, Member
from repository.domain.rulebook import DETAIL_TIER, POINTER_TIER
from repository.domain.viewings import Reader, Via
from repository.services import Services, entitlements, networks
from repository.services.entitlements import DEFAULT_PURPOSE, Granted
from repository.services.network_findings import ACTION, shown_of
from repository.services.networks import Stored, View, day_of
from repository.storage import casework, viewings
from repository.storage import networks as stored
from repository.storage.networks import Finding, StoredClaim

MOST_EDGES = 500
"""Edges that are drawn; of more it is said that there are."""
AT_ONCE = 50
"""Findings that are read together where some may not be shown."""


def list_own(
    services: Services, actor: Actor, member: Member, purpose: str, *, before: str | None, limit: int
) -> tuple[list[dict[str, Any]], bool]:
    """A page of a member's findings as JSON, newest first, and whether there are more. Raises RefusedError."""
    granted = entitled(services, actor, member, purpose)
    found: list[tuple[Finding, Stored, View]] = []
    with services.database.reading() as connection:
        while len(found) <= limit:
            told = stored.findings_of(connection, member.id, before=before, limit=AT_ONCE)
            found += _seen(services, connection, granted, told)
            if len(told) < AT_ONCE:
                break
            before = told[-1].id
    shown = found[:limit]
    _note(services, granted, shown)
    return [_summary(finding, view) for finding, _, view in shown], len(found) > limit


def one(services: Services, actor: Actor, member: Member, finding_id: str, purpose: str) -> dict[str, Any] | None:
    """One of a member's findings as JSON, None where there is none that the member may see. Raises RefusedError."""
    granted = entitled(services, actor, member, purpose)
    with services.database.reading() as connection:
        finding = stored.finding(connection, member.id, finding_id)
        found = list(_seen(services, connection, granted, [] if finding is None else [finding]))
    _note(services, granted, found)
    return _whole(granted, *found[0]) if found else None


def of_case(
    services: Services, actor: Actor, member: Member, case_id: str, purpose: str
) -> list[dict[str, Any]] | None:
    """The findings that stand on the own claims of a case; None where the member has no such case."""
    granted = entitled(services, actor, member, purpose)
    with services.database.reading() as connection:
        if casework.find(connection, member.id, case_id) is None:
            return None
        claims = casework.own_filings(connection, member.id, case_id)
        known = stored.findings_on(connection, claims)
        own = sorted((each for each in known if each.member_id == member.id), key=lambda each: each.id)
        found = [
            each for each in _seen(services, connection, granted, own) if each[2].judged.claims.intersection(claims)
        ]
    _note(services, granted, found)
    return [_summary(finding, view) for finding, _, view in found]


def entitled(services: Services, actor: Actor, member: Member, purpose: str = DEFAULT_PURPOSE) -> Granted:
    """What the member may see of others' records; the decision is stored, with an event. Raises RefusedError."""
    request = Request(ACTION, purpose, None, asked=0)
    return entitlements.decide(services, actor, member, request, (EventKind.NETWORKS_READ, EventKind.NETWORKS_REFUSED))


def _seen(
    services: Services, connection: Connection, granted: Granted, told: Sequence[Finding]
) -> Iterable[tuple[Finding, Stored, View]]:
    """Findings with what is to be shown of each; those of which nothing may be told are left out."""
    rules = granted.rulebook.networks
    of = stored.finding_claims(connection, [each.id for each in told])
    for each in told:
        claims = of.get(each.id, frozenset())
        near = {*claims, *stored.neighbours(connection, claims)}
        parts = set(stored.networks_of(connection, near).values())
        everything = networks.load(services, connection, stored.claims_of(connection, parts), rules)
        view = shown_of(networks.views(connection, granted, everything, rules), claims)
        if view is not None:
            yield each, everything.of(view.tiers), view


def _summary(finding: Finding, view: View) -> dict[str, Any]:
    return {
        "id": finding.id,
        "raised_at": finding.raised_at.isoformat(),
        "score": view.judged.score,
        "patterns": [each.name.value for each in view.judged.fired],
        "claims": len(view.judged.claims),
        "members": len(view.judged.members),
    }


def _whole(granted: Granted, finding: Finding, everything: Stored, view: View) -> dict[str, Any]:
    """A network as a page draws it."""
    numbers = {filing_id: number for number, filing_id in enumerate(_ordered(everything, view))}
    edges = _edges(view, numbers)
    rules = [
        {
            "pattern": each.name.value,
            "bits": each.bits,
            "says": each.says,
            "would_change_it": each.change,
            "figures": dict(each.figures),
            "claims": sorted(numbers[one] for one in each.claims),
        }
        for each in view.judged.fired
    ]
    return _summary(finding, view) | {
        "rulebook": granted.rulebook.version,
        "nodes": [_node(granted, everything, each, view.tiers[each], number) for each, number in numbers.items()],
        "edges": edges[:MOST_EDGES],
        "more_edges": len(edges) > MOST_EDGES,
        "measures": view.network.measures(),
        "rules": rules,
    }


def _ordered(everything: Stored, view: View) -> list[str]:
    """The claims, the best known first: the order says nothing of those of which nothing is said."""
    return sorted(view.tiers, key=lambda each: (-view.tiers[each], _date(everything, view, each), each))


def _date(everything: Stored, view: View, filing_id: str) -> str:
    claim = everything.claims[filing_id]
    return day_of(claim).isoformat() if view.tiers[filing_id] >= POINTER_TIER else ""


def _node(granted: Granted, everything: Stored, filing_id: str, tier: int, number: int) -> dict[str, Any]:
    claim = everything.claims[filing_id]
    told: dict[str, Any] = {"node": number, "own": claim.member_id == granted.member.id}
    age = age_band(claim.triggered_on, granted.now.date(), granted.rulebook)
    told |= {"class": claim.record_class, "age_band": age}
    if claim.labels.flag is not None:
        told["flag"] = claim.labels.flag
    if tier >= POINTER_TIER:
        told |= _facts(claim)
        told["roles"] = sorted(each.role for each in everything.by_claim.get(filing_id, ()))
    if tier == DETAIL_TIER:
        told["reference"] = claim.reference
    return told


def _facts(claim: StoredClaim) -> dict[str, Any]:
    return {
        "filing": claim.filing_id,
        "contributor": claim.contributor,
        "line": claim.line,
        "date": claim.triggered_on.isoformat(),
        "claim": dict(claim.claim) if claim.claim else None,
        "labels": claim.labels.as_dict() or None,
    }


def _edges(view: View, numbers: Mapping[str, int]) -> list[dict[str, Any]]:
    """What each two claims have in common."""
    shared: dict[tuple[int, int], set[str]] = {}
    for link in view.network.links:
        low, high = view.network.ends(link)
        ends = sorted((numbers[low.id], numbers[high.id]))
        shared.setdefault((ends[0], ends[1]), set()).add(link.kind.value)
    return [
        {"from": low, "to": high, "shared": sorted(of)} for (low, high), of in sorted(shared.items()) if low != high
    ]


def _note(services: Services, granted: Granted, found: Sequence[tuple[Finding, Stored, View]]) -> None:
    """Note whose claims were shown to whom."""
    who = Reader(granted.member.id, granted.actor.id, granted.request.purpose or "", Via.NETWORK, granted.now)
    seen = {
        filing_id: who.saw(filing_id, everything.claims[filing_id].version, tier)
        for _, everything, view in found
        for filing_id, tier in view.tiers.items()
        if everything.claims[filing_id].member_id != granted.member.id
    }
    if seen:
        with services.database.writing() as connection:
            viewings.note(connection, seen.values())
