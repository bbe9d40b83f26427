"""Having screenings stand: put into the index of watches with the question, and taken out when they end."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from matching.types import EncodedSubject
from matching.wire import unpack
from repository.domain.alerts import AlertKind
from repository.domain.events import Event, EventKind
from repository.domain.members import Actor, Member
from repository.domain.screening import Question
from repository.domain.watches import EndReason, Stands, StandsAs, Watch, last_day, over_at
from repository.services import Services, alerting, pool, reciprocity
from repository.services.entitlements import Granted
from repository.storage import events, index, screenings, watches
from repository.storage.sealing import named_context
from repository.storage.watches import Asked


def check(services: Services, question: Question, field: str = "stands") -> None:
    """Raises FieldError for a question that is to stand for longer than it may."""
    if question.stands is not None:
        rulebook = services.rulebook
        last_day(question.stands, services.clock(), rulebook.monitoring, rulebook.calendar, field)


def watch_of(services: Services, actor: Actor, member: Member, stands: Stands, screening_id: str) -> Watch:
    """What a screening that stands is from now on."""
    now, rulebook = services.clock(), services.rulebook
    until_on = last_day(stands, now, rulebook.monitoring, rulebook.calendar)
    (number,) = pool.record_ids(1, member)
    return Watch(
        id=reciprocity.new_id(services, "wch"),
        number=number,
        member_id=member.id,
        actor_id=actor.id,
        screening_id=screening_id,
        stands_as=stands.stands_as,
        since=now,
        until_on=until_on,
        until=over_at(until_on, now, rulebook.calendar),
    )


def put_in(services: Services, connection: Connection, made: Sequence[tuple[Watch, EncodedSubject]]) -> None:
    """Store watches with what they are found by, beside their screenings."""
    numbers, subjects = [watch.number for watch, _ in made], [subject for _, subject in made]
    sealer = services.sealer.watches
    rows = index.rows(sealer, numbers, pool.rekeyed(sealer, services.schema, subjects))
    watches.add(connection, [watch for watch, _ in made], rows)
    for watch, _ in made:
        _tell(services, connection, EventKind.WATCH_STARTED, watch, by=watch.actor_id, stands_as=watch.stands_as.value)


def take_out(
    services: Services,
    connection: Connection,
    ending: Sequence[tuple[Asked, EndReason]],
    now: datetime,
    *,
    actor_id: str | None = None,
) -> None:
    """End watches: out of the index, with an event each, and an alert where its time is over."""
    kept = [each for each, _ in ending if each.envelope]
    subjects = [subject_of(services, each) for each in kept]
    sealer = services.sealer.watches
    # All keys, by whatever schema they were made: those by which nothing is found have no row.
    rekeyed = [sealer.rekey(each.keys, each.kind) for each in subjects]
    watches.take_out(connection, index.rows(sealer, [each.watch.number for each in kept], rekeyed))
    for each, reason in ending:
        watch = each.watch
        watches.end(connection, watch.member_id, watch.id, reason, now=now)
        if reason not in (EndReason.TIME, EndReason.KEY):
            keep = timedelta(days=services.rulebook.screening.keep_days)
            screenings.keep_until(connection, watch.member_id, watch.screening_id, watch.since + keep)
        _tell(services, connection, EventKind.WATCH_ENDED, watch, by=actor_id, reason=reason.value)
        if reason is EndReason.TIME:
            about, dedupe = {"watch": watch.id}, f"{AlertKind.WATCH_ENDED.value}:{watch.id}"
            alerting.tell(services, connection, watch.member_id, AlertKind.WATCH_ENDED, about, dedupe=dedupe)


def end_same(
    services: Services, connection: Connection, granted: Granted, named: Collection[tuple[str, bytes, StandsAs]]
) -> None:
    """End what stands of the same questions, by reference, digest and as what: what is asked now takes its place.

    With the pool locked, so that of two who ask the same at once one stands.
    """
    request, member_id = granted.request, granted.member.id
    purpose, line = request.purpose or "", request.line or ""
    found = watches.same(connection, member_id, (purpose, line), [digest for _, digest, _ in named])
    ending = [
        (each, EndReason.RENEWED)
        for each in found
        if (each.reference, bytes(each.subject_digest or b""), each.watch.stands_as) in named
    ]
    take_out(services, connection, ending, granted.now, actor_id=granted.actor.id)


def end_over(services: Services, connection: Connection, *, now: datetime, limit: int) -> int:
    """End some watches whose time is over, or whose member has left; how many."""
    found = watches.over(connection, now=now, limit=limit)
    ending = [(each, EndReason.RIGHTS if left else EndReason.TIME) for each, left in found]
    take_out(services, connection, ending, now)
    return len(found)


def end_on(services: Services, connection: Connection, screening_ids: Sequence[str], reason: EndReason) -> None:
    """End the watches on screenings whose encodings are taken out next."""
    found = watches.of_screenings(connection, screening_ids) if screening_ids else []
    take_out(services, connection, [(each, reason) for each in found], services.clock())


def subject_of(services: Services, asked: Asked) -> EncodedSubject:
    """The encoding that a watch stands on."""
    return unpack(services.sealer.unseal(named_context(asked.watch.screening_id), asked.envelope))


def _tell(
    services: Services,
    connection: Connection,
    kind: EventKind,
    watch: Watch,
    *,
    by: str | None,
    **figures: str,
) -> None:
    event_id, now = reciprocity.new_id(services, "evt"), services.clock()
    events.append(connection, Event(event_id, now, kind, by, watch.member_id, watch.id, figures))
