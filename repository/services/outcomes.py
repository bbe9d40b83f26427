"""Outcomes on hits and the duty to give them (R8): what falls due when a hit is shown, and what settles it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from matching.types import Band
from repository.domain.events import Event, EventKind
from repository.domain.members import Actor, Member
from repository.domain.outcomes import Given, HitOutcome, due_on, falls_due, in_time
from repository.domain.rulebook import Rulebook
from repository.services import Services, reciprocity, suppression
from repository.storage import duties, events, ledger, outcomes, shown
from repository.storage.duties import Duty
from repository.storage.ledger import LedgerRow

Pair = tuple[str, str]
Bodies = Sequence[dict[str, Any]]
"""Hits as they are told, in JSON."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a member says of a hit, as it is sent."""

    outcome: HitOutcome
    note_reference: str | None = None


def add_own(services: Services, connection: Connection, member_id: str, bodies: Bodies, *, now: datetime) -> None:
    """Enter what falls due as these hits are told to a member, and put its outcomes and the days to answer into them.

    In the writing transaction that notes the hits as shown. A hit falls due once: when it is first told at a tier and
    in a band that ask for an answer, unless it was answered before.
    """
    hit_ids = [body["id"] for body in bodies]
    given = outcomes.given(connection, member_id, hit_ids)
    owed = duties.of_hits(connection, member_id, hit_ids)
    known, rulebook = owed.keys() | given.keys(), services.rulebook
    new = [body["id"] for body in bodies if body["id"] not in known and _due(body, rulebook)]
    owed |= _owe(connection, member_id, new, day=due_on(now.date(), rulebook), today=now.date())
    for body in bodies:
        hit_id = body["id"]
        if hit_id in given:
            body["outcome"] = given[hit_id].as_dict()
        elif hit_id in owed and owed[hit_id].released_on is None:
            body["answer_by"] = owed[hit_id].due_on.isoformat()


def add_first(
    connection: Connection,
    member_id: str,
    told: Sequence[tuple[dict[str, Any], Pair]],
    rulebook: Rulebook,
    now: datetime,
) -> None:
    """The same for hits that were not there before, each with the (line, class) its answer counts under."""
    day = due_on(now.date(), rulebook)
    due = [(body, pair) for body, pair in told if _due(body, rulebook)]
    wanted = [Duty(member_id, body["id"], day, *pair) for body, pair in due]
    if wanted:
        duties.add(connection, wanted)
        ledger.add(connection, _rows(wanted, "due", 1), today=now.date())
    for body, _ in due:
        body["answer_by"] = day.isoformat()


def answer(services: Services, actor: Actor, member: Member, hit_id: str, said: Answer) -> dict[str, Any] | None:
    """Store what a member says of a hit it was shown; the same again changes nothing. None when it was not shown."""
    now = services.clock()
    with services.database.write() as session:
        connection = session.connection()
        if shown.hit(connection, member.id, hit_id) is None:
            return None
        before = outcomes.given(connection, member.id, [hit_id]).get(hit_id)
        duty = duties.of_hits(connection, member.id, [hit_id]).get(hit_id)
        if before is not None and before.says(said.outcome, said.note_reference):
            return _answered(hit_id, before, None if duty is None or duty.released_on is not None else duty)
        again = before if before is not None and before.outcome is said.outcome is HitOutcome.NOT_SAME else None
        # Said again of a carried hit it stays carried: taken back, all of the pair are shown.
        given = Given(said.outcome, said.note_reference, now, None if again is None else again.carried_from)
        if before is not None and before.outcome is HitOutcome.NOT_SAME and again is None:
            suppression.lift(connection, member.id, hit_id, before)
        outcomes.give(connection, member.id, hit_id, given, actor_id=actor.id)
        if given.outcome is HitOutcome.NOT_SAME and again is None:
            suppression.suppress(services, connection, member.id, hit_id, now)
        if duty is not None:
            duty = _settled(connection, duty, now)
        figures = {"outcome": given.outcome.value, "before": before.outcome.value if before else None, "rule": "R8"}
        event_id = reciprocity.new_id(services, "evt")
        events.append(connection, Event(event_id, now, EventKind.HIT_ANSWERED, actor.id, member.id, hit_id, figures))
    return _answered(hit_id, given, duty)


def take_back(services: Services, actor: Actor, member: Member, hit_id: str) -> bool:
    """Take back what a member says of a hit: a pair that was not the same is shown again. False when nothing is said.

    What was answered in time stays so in the ledger (R8): the duty is to look, and someone did.
    """
    with services.database.write() as session:
        connection = session.connection()
        before = outcomes.given(connection, member.id, [hit_id]).get(hit_id)
        if before is None:
            return False
        taken = suppression.lift(connection, member.id, hit_id, before)
        figures: dict[str, str | int | None] = {"before": before.outcome.value, "hits": taken, "rule": "R8"}
        event_id = reciprocity.new_id(services, "evt")
        kind = EventKind.HIT_OUTCOME_WITHDRAWN
        events.append(connection, Event(event_id, services.clock(), kind, actor.id, member.id, hit_id, figures))
    return True


def follow(connection: Connection, member_id: str | None, filing_ids: Sequence[str], *, today: date) -> None:
    """Have duties follow the hits of filings that a member filed anew, after the hits were looked for again.

    Without a member nobody filed anew: they are scored by another model.

    What is due, and not overdue, on a hit that is gone is taken back: nobody can find it. Once the same two records
    match again it stands again, by the day it was first due: else who filed anew would put off an answer, or be rid of
    it. Only where the other side took the hit away do the days it was gone not count. A day that is over is entered
    today: the ledger's past does not change.
    """
    gone = duties.release(connection, filing_ids, by=member_id, today=today)
    back = [
        (duty, replace(duty, hit_id=hit_id, due_on=_day_again(duty, today)))
        for duty, hit_id in duties.released(connection, filing_ids)
        if hit_id is not None
    ]
    duties.restore(connection, back)
    owed = [duty for _, duty in back]
    answered = [each for each in owed if each.answered_at is not None and in_time(each.answered_at, each.due_on)]
    rows = _rows(gone, "due", -1) + _rows(owed, "due", 1, today) + _rows(answered, "answered", 1, today)
    ledger.add(connection, rows, today=today)


def _day_again(duty: Duty, today: date) -> date:
    if duty.released_on is None or duty.released_by == duty.member_id:
        return duty.due_on
    return duty.due_on + (today - duty.released_on)


def _due(body: dict[str, Any], rulebook: Rulebook) -> bool:
    return falls_due(body["tier"], Band[body["band"].upper()], rulebook)


def _owe(connection: Connection, member_id: str, hit_ids: Sequence[str], *, day: date, today: date) -> dict[str, Duty]:
    pairs = duties.own_pairs(connection, member_id, hit_ids)
    wanted = [Duty(member_id, hit_id, day, *pairs[hit_id]) for hit_id in hit_ids if hit_id in pairs]
    ledger.add(connection, _rows(duties.owe(connection, wanted), "due", 1), today=today)
    return {each.hit_id: each for each in wanted}


def _settled(connection: Connection, duty: Duty, now: datetime) -> Duty | None:
    """The duty after an answer; the first one counts if it is in time, on the day it was due. None if it is released.

    The answer to a released one is noted: should the hit be found again, it was answered then.
    """
    if duties.settle(connection, duty, now=now) and in_time(now, duty.due_on):
        ledger.add(connection, _rows([duty], "answered", 1), today=now.date())
    return None if duty.released_on is not None else replace(duty, answered_at=duty.answered_at or now)


def _rows(owed: Sequence[Duty], column: str, each: int, earliest: date = date.min) -> list[LedgerRow]:
    """Ledger rows of duties, each on the day it is due, or on the earliest that may change."""
    counted = Counter((duty.member_id, max(duty.due_on, earliest), duty.line, duty.record_class) for duty in owed)
    return [LedgerRow(*key, {column: each * number}) for key, number in counted.items()]


def _answered(hit_id: str, given: Given, duty: Duty | None) -> dict[str, Any]:
    told = {"hit": hit_id, **given.as_dict()}
    if duty is None:
        return told
    on_time = duty.answered_at is not None and in_time(duty.answered_at, duty.due_on)
    return told | {"answer_by": duty.due_on.isoformat(), "in_time": on_time}
