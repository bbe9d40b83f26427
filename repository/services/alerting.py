"""Alerting: one entry in a member's inbox and one notice to its systems, and what of it the member may see.

An alert holds ids. Whether it is shown is decided each time it is read or sent, by what the member may see then: one
that may not be is left out as if it were not there, from lists, from counts, and from where a page ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection

from repository.domain.alerts import Alert, AlertKind, checked_snooze
from repository.domain.events import Event, EventKind
from repository.domain.members import Actor, Member
from repository.domain.rulebook import HIT_TIER
from repository.domain.viewings import Reader, Via
from repository.domain.webhooks import MOST_HITS, Notice
from repository.services import Services, enquiries, hits, networks, outbox, reciprocity
from repository.services.entitlements import DEFAULT_PURPOSE, Granted, RefusedError
from repository.storage import alerts, events, exchange, shown, viewings
from repository.storage.alerts import Chosen

OF_OTHERS = {"hit", "network"}
"""What `about` names that is of other members, too, and decided on."""
AT_ONCE = 200
"""Alerts that are read together where some may not be shown."""


def tell(
    services: Services,
    connection: Connection,
    member_id: str,
    kind: AlertKind,
    about: Mapping[str, str],
    *,
    dedupe: str,
    now: datetime | None = None,
) -> str | None:
    """Alert a member, in its inbox and by a notice of the same ids; None where `dedupe` says that it was before.

    `about` names ids: a `hit` that its member may see when it is read, a `disclosure` of its own; what is under another
    name is told as it is, and must be the member's own, or have its check in CHECKS.
    """
    at = now or services.clock()
    alert = Alert(reciprocity.new_id(services, "alt"), member_id, kind, at, dedupe, dict(about))
    if not alerts.add(connection, alert):
        return None
    _note(services, connection, EventKind.ALERT_RAISED, alert, None)
    outbox.tell(services, connection, Notice(kind.value), member_id, {"alert": alert.id, **about})
    return alert.id


def tell_many(
    services: Services, connection: Connection, member_id: str, kind: AlertKind, told: Mapping[str, Mapping[str, str]]
) -> list[str]:
    """Alert a member of many things, each as `tell` does by its `dedupe`, one notice for some; the ids of the new."""
    made = [
        Alert(reciprocity.new_id(services, "alt"), member_id, kind, services.clock(), dedupe, dict(about))
        for dedupe, about in told.items()
    ]
    new = [alert.id for alert in made if alerts.add(connection, alert)]
    for alert in made:
        if alert.id in new:
            _note(services, connection, EventKind.ALERT_RAISED, alert, None)
    for start in range(0, len(new), MOST_HITS):
        outbox.tell(services, connection, Notice(kind.value), member_id, {"alerts": new[start : start + MOST_HITS]})
    return new


def list_own(
    services: Services,
    actor: Actor,
    member: Member,
    chosen: Chosen,
    *,
    purpose: str = DEFAULT_PURPOSE,
    before: str | None,
    limit: int,
) -> tuple[list[dict[str, Any]], bool]:
    """A page of a member's alerts as JSON, newest first, and whether there are more. What may not be seen is left out.

    Decided whether there is anything to hide or not: that a decision is there must not tell of a hit.
    """
    granted = _granted(services, actor, member, purpose)
    found: list[Alert] = []
    with services.database.reading() as connection:
        while len(found) <= limit:
            read = alerts.page(connection, member.id, chosen, before=before, limit=AT_ONCE)
            found += visible(connection, member.id, granted, read)
            if len(read) < AT_ONCE:
                break
            before = read[-1].id
    told, more = found[:limit], len(found) > limit
    _note_shown(services, Reader(member.id, actor.id, purpose, Via.NOTICE, services.clock()), told)
    return [to_json(each) for each in told], more


def counts(
    services: Services, actor: Actor, member: Member, chosen: Chosen, purpose: str = DEFAULT_PURPOSE
) -> dict[str, int]:
    """How many alerts of each kind a member may see."""
    granted = _granted(services, actor, member, purpose)
    found: dict[str, int] = {}
    before = None
    with services.database.reading() as connection:
        while True:
            read = alerts.page(connection, member.id, chosen, before=before, limit=AT_ONCE)
            for each in visible(connection, member.id, granted, read):
                found[each.kind.value] = found.get(each.kind.value, 0) + 1
            if len(read) < AT_ONCE:
                return dict(sorted(found.items()))
            before = read[-1].id


def read(services: Services, actor: Actor, member: Member, alert_ids: Sequence[str]) -> None:
    """Note that alerts were read; ids of none, or of another member's, change nothing."""
    now = services.clock()
    with services.database.writing() as connection:
        for each in alerts.read(connection, member.id, sorted(set(alert_ids)), now=now):
            event_id = reciprocity.new_id(services, "evt")
            events.append(connection, Event(event_id, now, EventKind.ALERT_READ, actor.id, member.id, each))


def acknowledge(services: Services, actor: Actor, member: Member, alert_id: str) -> dict[str, Any] | None:
    """Say that an alert was dealt with; None where there is none that may be seen. Again changes nothing."""
    now = services.clock()

    def changed(alert: Alert) -> Alert:
        if alert.acknowledged_at is not None:
            return alert
        read_at = alert.read_at or now
        return replace(alert, read_at=read_at, acknowledged_at=now, acknowledged_by=actor.id, snoozed_until=None)

    return _change(services, actor, member, alert_id, (changed, EventKind.ALERT_ACKNOWLEDGED))


def snooze(services: Services, actor: Actor, member: Member, alert_id: str, until: datetime) -> dict[str, Any] | None:
    """Put an alert away until a time; None where there is none that may be seen. Raises FieldError."""
    at = checked_snooze(until, services.clock())
    change = (lambda alert: replace(alert, snoozed_until=at)), EventKind.ALERT_SNOOZED
    return _change(services, actor, member, alert_id, change)


def told_now(services: Services, member: Member, actor_id: str, alert_ids: Sequence[str]) -> list[dict[str, Any]]:
    """What a notice says of alerts at this moment: their ids. Those that it may not see, or are gone, are out."""
    with services.database.reading() as connection:
        there = (alerts.one(connection, member.id, each) for each in alert_ids)
        found = [each for each in there if each is not None]
    others = any(OF_OTHERS & each.about.keys() or each.kind is AlertKind.RECORD_ASKED for each in found)
    granted = _granted(services, Actor(actor_id, frozenset(), member), member, DEFAULT_PURPOSE) if others else None
    with services.database.reading() as connection:
        seen = visible(connection, member.id, granted, found)
    return [{"alert": each.id, **each.about} for each in seen]


def visible(connection: Connection, member_id: str, granted: Granted | None, found: Sequence[Alert]) -> list[Alert]:
    """Those of a member's alerts that may be shown by a decision; without one, those that tell of nobody's records."""
    for name, check in CHECKS.items():
        wanted = {each.about[name] for each in found if name in each.about}
        if wanted:
            seen = check(connection, member_id, granted, sorted(wanted))
            found = [each for each in found if name not in each.about or each.about[name] in seen]
    asked = [each for each in found if each.kind is AlertKind.RECORD_ASKED]
    words = enquiries.told(connection, granted, asked)
    told = [replace(each, told=words[each.id]) if each.id in words else each for each in found]
    return [each for each in told if each.kind is not AlertKind.RECORD_ASKED or each.told is not None]


def to_json(alert: Alert) -> dict[str, Any]:
    """An alert as JSON."""
    times = {
        name: None if at is None else at.isoformat()
        for name in ("read_at", "acknowledged_at", "snoozed_until")
        for at in (getattr(alert, name),)
    }
    kind, at = alert.kind.value, alert.at.isoformat()
    return {"id": alert.id, "kind": kind, "at": at, "about": dict(alert.about), "told": alert.told, **times}


Check = Callable[[Connection, str, Granted | None, Sequence[str]], Iterable[str]]
"""Those of some ids that a member may be told of now: of what `about` has under a name."""


def _hits(connection: Connection, member_id: str, granted: Granted | None, hit_ids: Sequence[str]) -> Iterable[str]:
    return set() if granted is None else hits.visible_by(connection, member_id, granted, hit_ids)


def _disclosures(connection: Connection, member_id: str, _granted: object, wanted: Sequence[str]) -> Iterable[str]:
    there = [each for each in (exchange.one(connection, one) for one in wanted) if each is not None]
    return {each.id for each in there if member_id in (each.requester_id, each.contributor_id)}


def _networks(connection: Connection, _member_id: str, granted: Granted | None, wanted: Sequence[str]) -> Iterable[str]:
    return set() if granted is None else networks.told(connection, granted, wanted)


CHECKS: Mapping[str, Check] = MappingProxyType({"hit": _hits, "disclosure": _disclosures, "network": _networks})
"""By the name that an id has in `about`."""


def _granted(services: Services, actor: Actor, member: Member, purpose: str) -> Granted | None:
    try:
        return hits.entitled(services, actor, member, purpose)
    except RefusedError:
        return None


def _note_shown(services: Services, reader: Reader, told: Sequence[Alert]) -> None:
    hit_ids = sorted({each.about["hit"] for each in told if "hit" in each.about})
    if hit_ids:
        with services.database.writing() as connection:
            shown.note(connection, reader.member_id, dict.fromkeys(hit_ids, HIT_TIER), now=reader.at)
            viewings.note(connection, viewings.of_hits(connection, reader, hit_ids, HIT_TIER))


def _change(
    services: Services,
    actor: Actor,
    member: Member,
    alert_id: str,
    change: tuple[Callable[[Alert], Alert], EventKind],
) -> dict[str, Any] | None:
    granted = _granted(services, actor, member, DEFAULT_PURPOSE)
    with services.database.writing() as connection:
        stored = alerts.one(connection, member.id, alert_id)
        seen = visible(connection, member.id, granted, [] if stored is None else [stored])
        if not seen:
            return None
        before = seen[0]
        after = change[0](before)
        if after != before:
            names = ("read_at", "acknowledged_at", "acknowledged_by", "snoozed_until")
            alerts.change(connection, member.id, alert_id, {name: getattr(after, name) for name in names})
            _note(services, connection, change[1], after, actor.id)
    return to_json(after)


def _note(services: Services, connection: Connection, kind: EventKind, alert: Alert, actor_id: str | None) -> None:
    event_id, at = reciprocity.new_id(services, "evt"), services.clock()
    figures = {"kind": alert.kind.value}
    events.append(connection, Event(event_id, at, kind, actor_id, alert.member_id, alert.id, figures))
