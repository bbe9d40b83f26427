"""Corrections: made in the transaction of what changed, told to everyone who was shown the record, and reminded of.

One correction, one receipt for each member that saw the record, one alert and notices of one id for each receipt: made
with the change, and told by a job, some in one transaction. Killed in between, what is told is told, and the rest is
found again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping

from repository.domain.alerts import AlertKind
from repository.domain.corrections import Correction, CorrectionKind, Saw, acknowledge_until
from repository.domain.events import Event, EventKind
from repository.domain.jobs import JobKind, JobStatus
from repository.domain.webhooks import Notice, Webhook
from repository.services import Services, alerting, outbox, receipts, reciprocity
from repository.storage import alerts, corrections, events, jobs

AT_ONCE = 200
"""Receipts that are told in one transaction."""


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of records: in which way, when, by whom (None: by the clock), and because of what.

    `only` is told of it and nobody else; `besides` is not: it is told another time, with the answer to a person.
    """

    kind: CorrectionKind
    now: datetime
    actor_id: str | None = None
    cause: str | None = None
    only: str | None = None
    besides: str | None = None


def push(services: Services, connection: Connection, rows: Sequence[Mapping[str, Any]], change: Change) -> int:
    """Make a correction of each of these filings that somebody was shown, in the caller's transaction; how many.

    `rows` are filings as they are now, or were. What nobody was shown is nobody's to correct.
    """
    seen = corrections.saw(connection, [row["id"] for row in rows]) if rows else {}
    made: list[tuple[Correction, dict[str, Saw]]] = []
    for row in rows:
        left_out = {row["member_id"], change.besides}
        members = {each: saw for each, saw in seen.get(row["id"], {}).items() if each not in left_out}
        if change.only is not None:
            members = {each: saw for each, saw in members.items() if each == change.only}
        if members:
            made.append((_correction(services, row, change), members))
    corrections.add(connection, made)
    for correction, members in made:
        figures = {"kind": correction.kind.value, "filing": correction.filing_id, "members": len(members)}
        event_id, kind = reciprocity.new_id(services, "evt"), EventKind.CORRECTION_MADE
        whose = correction.contributor_id
        events.append(connection, Event(event_id, change.now, kind, change.actor_id, whose, correction.id, figures))
    if made:
        receipts.wake(services, connection)
    return len(made)


def amended(services: Services, connection: Connection, rows: Sequence[Mapping[str, Any]], change: Change) -> int:
    """The same of filings in a new version, of those that say something else now; `rows` are as they are now."""
    if not rows:
        return 0
    seen = corrections.saw(connection, [row["id"] for row in rows])
    versions = {row["id"]: int(row["version"]) for row in rows if seen.get(row["id"])}
    differ = corrections.changed(connection, versions) if versions else set()
    return push(services, connection, [row for row in rows if row["id"] in differ], change)


def tell_some(services: Services, connection: Connection, *, now: datetime) -> int:
    """Alert members of corrections, some of those that were not told yet; how many."""
    rulebook = services.rulebooks.at(now)
    found = corrections.untold(connection, limit=AT_ONCE)
    for correction_id, member_id in found:
        alert(services, connection, (correction_id, member_id), now=now)
        day, until = acknowledge_until(now, rulebook.calendar, rulebook.disputes)
        told = {"told_at": now, "acknowledge_by": day, "due_at": until}
        corrections.change(connection, correction_id, member_id, told)
    return len(found)


def remind_some(services: Services, connection: Connection, *, now: datetime) -> int:
    """Remind members of corrections that they have not acknowledged by their day, some of them; how many."""
    rulebook = services.rulebooks.at(now)
    found = corrections.overdue(connection, now=now, limit=AT_ONCE)
    for row in found:
        _remind(services, connection, row, now=now)
        _, until = acknowledge_until(now, rulebook.calendar, rulebook.disputes)
        again = {"reminders": row["reminders"] + 1, "due_at": until}
        corrections.change(connection, row["correction_id"], row["member_id"], again)
    return len(found)


def alert(services: Services, connection: Connection, receipt: tuple[str, str], *, now: datetime) -> str | None:
    """Alert a member of a correction, once; given as (correction, member)."""
    correction_id, member_id = receipt
    about, kind = {"correction": correction_id}, AlertKind.CORRECTION_MADE
    return alerting.tell(services, connection, member_id, kind, about, dedupe=dedupe(correction_id), now=now)


def resend(services: Services, connection: Connection, webhook: Webhook) -> int:
    """Send a webhook that is enabled again what it did not get of corrections that nobody acknowledged; how many.

    `webhook` as it was before, disabled. Under the ids that they had: they are made of alert and webhook, as what was
    sent is not known for as long as a correction is owed. What got through is not sent again, unless that was to
    another webhook while this one was disabled.
    """
    if Notice.CORRECTION_MADE not in webhook.kinds:
        return 0
    missed = [
        dedupe(row["id"])
        for row in _outstanding(connection, webhook.member_id)
        if row["delivered_at"] is None or (webhook.disabled_at is not None and row["told_at"] >= webhook.disabled_at)
    ]
    owed = alerts.by_dedupe(connection, webhook.member_id, missed)
    rows = jobs.about_subject(connection, webhook.member_id, JobKind.WEBHOOK, webhook.id)
    sent = {row["cursor"]["about"].get("alert"): row for row in rows}
    again = 0
    for alert_id in owed:
        if alert_id not in sent:
            outbox.tell_one(services, connection, webhook, Notice.CORRECTION_MADE, {"alert": alert_id})
            again += 1
        elif sent[alert_id]["status"] == JobStatus.FAILED:
            again += jobs.queue_again(connection, sent[alert_id]["id"])
    return again


def _outstanding(connection: Connection, member_id: str) -> list[RowMapping]:
    """The corrections that a member was told of and has not acknowledged, with its receipts."""
    found: list[RowMapping] = []
    before = None
    while True:
        page = corrections.received(connection, member_id, before=before, limit=AT_ONCE, outstanding=True)
        found += [row for row in page if row["told_at"] is not None]
        if len(page) < AT_ONCE:
            return found
        before = page[-1]["id"]


def dedupe(correction_id: str) -> str:
    """What the alert of a correction is the only one of."""
    return f"correction {correction_id}"


def _remind(services: Services, connection: Connection, row: RowMapping, *, now: datetime) -> None:
    correction_id, number = row["correction_id"], row["reminders"] + 1
    kind, about = AlertKind.CORRECTION_OVERDUE, {"correction": correction_id}
    once = f"{dedupe(correction_id)} reminder {number}"
    alerting.tell(services, connection, row["member_id"], kind, about, dedupe=once, now=now)
    event_id = reciprocity.new_id(services, "evt")
    figures = {"reminder": number}
    reminded = EventKind.CORRECTION_REMINDED
    events.append(connection, Event(event_id, now, reminded, None, row["member_id"], correction_id, figures))


def _correction(services: Services, row: Mapping[str, Any], change: Change) -> Correction:
    return Correction(
        id=reciprocity.new_id(services, "cor"),
        filing_id=row["id"],
        contributor_id=row["member_id"],
        line=row["line"],
        record_class=row["record_class"],
        kind=change.kind,
        version=row["version"],
        at=change.now,
        cause=change.cause,
    )
