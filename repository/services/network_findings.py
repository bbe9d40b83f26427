"""Findings: networks that are reported, to each member concerned what it may see of them and nothing else.

A finding is one member's. It is raised once what that member may see, its own claims among it, reaches the score of the
rulebook, and taken back when that is so no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from repository.domain.alerts import AlertKind
from repository.domain.asking import Request
from repository.domain.events import Event, EventKind
from repository.domain.members import Actor, Member
from repository.domain.patterns import judge
from repository.services import Services, alerting, entitlements, networks, reciprocity
from repository.services.entitlements import DEFAULT_PURPOSE, Granted
from repository.services.networks import View
from repository.storage import events
from repository.storage import networks as stored
from repository.storage.members import find_member
from repository.storage.networks import Finding

ACTION = "networks"
FEWEST = 2
"""Claims, and members, below which nothing is reported."""


def report(services: Services, connection: Connection, parts: Sequence[frozenset[str]]) -> None:
    """Look through networks that changed, and bring what members were told of up to date."""
    rules = services.rulebook.networks
    claims = frozenset[str]().union(*parts)
    known = stored.findings_on(connection, claims)
    many = [part for part in parts if len(part) >= FEWEST]
    everything = networks.load(services, connection, frozenset[str]().union(*many), rules)
    granted: dict[str, Granted | None] = {}
    stale = set(known)
    for part in many:
        network = everything.network(part)
        members = network.members(part)
        if len(members) < FEWEST or not judge(network, rules):
            continue
        own = everything.of(part)
        for member_id in sorted(members):
            if member_id not in granted:
                granted[member_id] = _granted(services, connection, member_id)
            may = granted[member_id]
            if may is not None:
                mine = {each: of for each, of in known.items() if each.member_id == member_id}
                for view in networks.views(connection, may, own, rules):
                    stale -= {_keep(services, connection, may, view, mine)}
    _take_back(services, connection, stale)


def shown_of(views: Iterable[View], claims: frozenset[str]) -> View | None:
    """What of a network is shown for a finding that stands on these claims: what has most of them."""
    best = max(views, key=lambda each: (len(each.judged.claims & claims), each.judged.score), default=None)
    return best if best is not None and best.judged.claims & claims else None


def _keep(
    services: Services,
    connection: Connection,
    granted: Granted,
    view: View,
    known: dict[Finding, frozenset[str]],
) -> Finding | None:
    """Keep what a member may see as the finding that it is already, which is returned, or else tell of a new one."""
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
    return None


def _take_back(services: Services, connection: Connection, findings: Iterable[Finding]) -> None:
    gone = sorted(findings, key=lambda each: each.id)
    if gone:
        stored.drop_findings(connection, [each.id for each in gone])
        for each in gone:
            _note(services, connection, EventKind.NETWORK_TAKEN_BACK, each)


def _granted(services: Services, connection: Connection, member_id: str) -> Granted | None:
    """What a member may see; None where it may see nothing now. Decided again, and kept, when it reads."""
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
