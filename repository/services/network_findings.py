"""Findings: networks that are reported, to each member concerned what it may see of them and nothing else.

A finding is one member's. It is raised once what that member may see, its own claims among it, reaches the score of the
rulebook, and taken back when that is so no more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

import networkx as nx
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from repository.domain.alerts import AlertKind
from repository.domain.asking import Request
from repository.domain.events import Event, EventKind
from repository.domain.members import Actor, Member
from repository.services import Services, alerting, entitlements, networks, reciprocity
from repository.services.entitlements import DEFAULT_PURPOSE, Granted
from repository.services.networks import Stored, View
from repository.storage import events
from repository.storage import networks as stored
from repository.storage.members import find_member
from repository.storage.networks import Finding

ACTION = "networks"
FEWEST = 2
"""Claims that a finding stands on."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What there is to report: for each member what it may see, and the findings that were looked at again."""

    views: tuple[tuple[Granted, View], ...] = ()
    looked_at: frozenset[str] = frozenset()


def look(services: Services, connection: Connection, claims: Iterable[str]) -> Outlook:
    """Look through claims that were put together anew. Reads only: nobody waits for it."""
    rules = services.rulebook.networks
    everything = networks.load(services, connection, claims, rules)
    known = stored.findings_on(connection, everything.claims)
    granted: dict[str, Granted | None] = {}
    found: list[tuple[Granted, View]] = []
    looked_at = set[str]()
    for part in _together(everything):
        own = everything.of(part)
        for member_id in sorted({each.member_id for each in own.claims.values()}):
            touched = {each.id for each, of in known.items() if each.member_id == member_id and of & own.claims.keys()}
            if not (touched or networks.may_fire(own, member_id)):
                continue
            if member_id not in granted:
                granted[member_id] = _granted(services, connection, member_id)
            may = granted[member_id]
            if may is None:  # it may read nothing now: what it was told of stays, until it may again
                continue
            looked_at |= touched
            found += [(may, view) for view in networks.views(connection, may, own, rules)]
    return Outlook(tuple(found), frozenset(looked_at))


def tell(services: Services, connection: Connection, outlook: Outlook) -> None:
    """Bring what members were told of up to date. What rests on a claim that is gone by now is left out."""
    wanted = frozenset[str]().union(*(view.judged.claims for _, view in outlook.views))
    there = stored.networks_of(connection, wanted)
    before = stored.findings_on(connection, wanted)
    of_member: dict[str, dict[Finding, frozenset[str]]] = defaultdict(dict)
    for each, of in before.items():
        of_member[each.member_id][each] = of
    kept = {
        _keep(services, connection, granted, view, of_member[granted.member.id]).id
        for granted, view in outlook.views
        if view.judged.claims <= there.keys()
    }
    _take_back(services, connection, stored.findings(connection, outlook.looked_at - kept))


def shown_of(views: Iterable[View], claims: frozenset[str]) -> View | None:
    """What of a network is shown for a finding that stands on these claims: what has most of them."""
    best = max(views, key=lambda each: (len(each.judged.claims & claims), each.judged.score), default=None)
    return best if best is not None and best.judged.claims & claims else None


def _together(everything: Stored) -> list[frozenset[str]]:
    """Claims that hang together by any link."""
    graph = nx.Graph()
    graph.add_nodes_from(everything.claims)
    graph.add_edges_from((each.low_filing_id, each.high_filing_id) for each in everything.links)
    return [frozenset(part) for part in nx.connected_components(graph)]


def _keep(
    services: Services,
    connection: Connection,
    granted: Granted,
    view: View,
    known: dict[Finding, frozenset[str]],
) -> Finding:
    """Keep what a member may see as the finding that it is already, or else tell of a new one."""
    now, claims = services.clock(), view.judged.claims
    patterns = tuple(sorted(each.name.value for each in view.judged.fired))
    before = max(known, key=lambda each: (len(known[each] & claims), each.id), default=None)
    if before is not None and known[before] & claims:
        of = known.pop(before)
        if (before.score, before.patterns, of) != (view.judged.score, patterns, claims):
            again = replace(before, score=view.judged.score, patterns=patterns, rulebook=granted.rulebook.version)
            stored.put_finding(connection, again, claims, new=False)
        return before
    finding_id = reciprocity.new_id(services, "net")
    member_id = granted.member.id
    made = Finding(finding_id, member_id, now, view.judged.score, patterns, granted.rulebook.version)
    stored.put_finding(connection, made, claims, new=True)
    _note(services, connection, EventKind.NETWORK_RAISED, made)
    about = {"network": finding_id}
    alerting.tell(services, connection, member_id, AlertKind.NETWORK_RAISED, about, dedupe=f"network {finding_id}")
    return made


def take_back_without(services: Services, connection: Connection, filing_ids: Iterable[str]) -> None:
    """Take back the findings of which fewer than two claims are left without these, which are about to go."""
    gone = set(filing_ids)
    known = stored.findings_on(connection, gone)
    _take_back(services, connection, [each for each, claims in known.items() if len(claims - gone) < FEWEST])


def _take_back(services: Services, connection: Connection, findings: Iterable[Finding]) -> None:
    gone = sorted(findings, key=lambda each: each.id)
    if gone:
        stored.drop_findings(connection, [each.id for each in gone])
        for each in gone:
            _note(services, connection, EventKind.NETWORK_TAKEN_BACK, each)


def _granted(services: Services, connection: Connection, member_id: str) -> Granted | None:
    """What a member may see; None where it may see nothing now.

    That it was looked at is not kept: it would tell of others' claims. What it reads is decided on when it does.
    """
    member = _member(connection, member_id)
    if member is None:
        return None
    actor = Actor("", frozenset(), member)
    request = Request(ACTION, DEFAULT_PURPOSE, None, asked=0)
    granted = entitlements.entitled(services, connection, actor, member, request, keep=False)
    return granted if granted.entitlement.allowed else None


def _member(connection: Connection, member_id: str) -> Member | None:
    row = find_member(Session(connection), member_id)
    return None if row is None else row.as_member()


def _note(services: Services, connection: Connection, kind: EventKind, finding: Finding) -> None:
    event_id, now = reciprocity.new_id(services, "evt"), services.clock()
    figures = {"patterns": ",".join(finding.patterns), "rulebook": finding.rulebook}
    events.append(connection, Event(event_id, now, kind, None, finding.member_id, finding.id, figures))
