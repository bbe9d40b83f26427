"""Disputes about filings: raised by who was shown the record, answered by its contributor, decided by the operator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from repository.domain import disputes as rules
from repository.domain.alerts import AlertKind
from repository.domain.corrections import answer_until as answer_until_of
from repository.domain.disputes import Dispute, Disputed, DisputeError, DisputeStatus, Ground
from repository.domain.errors import FieldError
from repository.domain.events import EventKind
from repository.domain.flags import Flag
from repository.domain.members import Actor, Member
from repository.domain.membership import SYSTEM
from repository.domain.rulebook import POINTER_TIER
from repository.services import Services, alerting, corrections, lifecycle
from repository.services.lifecycle import Act, What
from repository.storage import corrections as stored_corrections
from repository.storage import dialect, disputes, flags, ledger, shown
from repository.storage.disputes import Of
from repository.storage.ledger import LedgerRow

RULE = "R8"
_AGAIN = (
    "the member's dispute about this version of the filing is decided: it may dispute the filing again once its"
    " contributor has filed it anew"
)
_DECIDED = {DisputeStatus.UPHELD: EventKind.DISPUTE_UPHELD, DisputeStatus.DISMISSED: EventKind.DISPUTE_DISMISSED}


@dataclass(frozen=True, slots=True)
class Raising:
    """What is disputed, on what ground, and the raiser's own reference to what it bases that on.

    `notice`: words of the person in the record, which travel with it.
    """

    hit_id: str
    ground: Ground
    statement_reference: str
    notice: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the contributor says to a dispute, and its own reference to the case file."""

    accepts: bool
    note_reference: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What the operator decides; `unheard`: though the contributor has not answered."""

    upheld: bool
    unheard: bool = False


def raise_one(services: Services, actor: Actor, member: Member, raising: Raising) -> tuple[dict[str, Any], bool] | None:
    """Raise a dispute about the other side of a hit: it as JSON, and whether it is new. None for a hit not shown.

    A hit that is gone since is disputed as it was, and answered as any other: that it is gone is not for everyone to
    know. Raises FieldError for a hit whose other side was not shown, DisputeError for an own filing, or where the
    member has another dispute about the filing that is not closed, or one about this version of it that is.
    """
    act = Act(services.clock(), actor.id)
    with services.database.write() as session:
        connection = session.connection()
        dialect.lock_pool(connection)
        seen = shown.hit(connection, member.id, raising.hit_id)
        if seen is None:
            return None
        if seen.tier < POINTER_TIER:
            raise FieldError("hit", f"a hit whose other side was shown to the member (tier {POINTER_TIER})")
        unclosed = disputes.unclosed(connection, member.id, seen.about.filing_id)
        if unclosed is not None and unclosed.says(raising.hit_id, raising.ground, raising.statement_reference):
            return _to_raiser(unclosed), False
        who, reference = (member.id, raising.hit_id), raising.statement_reference
        dispute = rules.opened(_made(services, act, who, seen.about, raising.ground, statement_reference=reference))
        if unclosed is None and disputes.is_decided(connection, member.id, seen.about):
            raise DisputeError(_AGAIN)
        if unclosed is not None or not disputes.add(connection, dispute):
            raise DisputeError("the member has a dispute about this filing already that is not closed")
        _opened(services, connection, act, dispute)
        if raising.notice is not None:
            corrections.attach_notice(services, connection, act, seen.about.filing_id, raising.notice, cause=dispute.id)
    return _to_raiser(dispute), True


def raise_for_subject(
    services: Services,
    connection: Connection,
    act: Act,
    about: Disputed,
    ground: Ground,
    *,
    raiser_id: str,
    request_id: str,
    statement_reference: str,
) -> str:
    """Raise a dispute for the person in a record, through a member that may have no hit on it; the dispute's id.

    In the caller's transaction, with the pool locked; in place of a hit it has the id of the person's request. Where
    the member has a dispute about the filing already that is not closed, that one's. Raises DisputeError for an own
    filing of the member.
    """
    unclosed = disputes.unclosed(connection, raiser_id, about.filing_id)
    if unclosed is not None:
        return unclosed.id
    dispute = rules.opened(
        _made(services, act, (raiser_id, request_id), about, ground, statement_reference=statement_reference)
    )
    disputes.add(connection, dispute)
    _opened(services, connection, act, dispute)
    return dispute.id


def answer(services: Services, actor: Actor, member: Member, dispute_id: str, given: Answer) -> dict[str, Any] | None:
    """Answer a dispute about an own filing; accepting upholds it at once. None for whoever is not its contributor.

    The same answer again changes nothing. Raises DisputeError for another one, or when the operator has decided.
    """
    act = Act(services.clock(), actor.id)
    with services.database.write() as session:
        connection = session.connection()
        dialect.lock_pool(connection)
        before = disputes.one(connection, dispute_id, for_change=True)
        if before is None or before.about.contributor_id != member.id:
            return None
        after = rules.answered(before, accepts=given.accepts, note_reference=given.note_reference, now=act.now)
        if after is not before:
            disputes.save(connection, after)
            _tell(connection, act, EventKind.DISPUTE_ANSWERED, member.id, after, accepts=str(given.accepts).lower())
        if after.status is not before.status and after.status is DisputeStatus.UPHELD:
            _close(connection, act, after)
            _flag(services, connection, act, after)
        references = disputes.references(connection, [after.about.filing_id])
    return _to_contributor(after, references)


def accept_all(connection: Connection, act: Act, filing_id: str) -> int:
    """Accept every dispute about a filing that its contributor withdraws, in the caller's transaction; how many."""
    found = disputes.unclosed_about(connection, filing_id)
    for before in found:
        after = rules.answered(before, accepts=True, note_reference=before.note_reference, now=act.now)
        disputes.save(connection, after)
        _tell(connection, act, EventKind.DISPUTE_ANSWERED, after.about.contributor_id, after, accepts="true")
        _close(connection, act, after)
    return len(found)


def decide(services: Services, connection: Connection, dispute_id: str, act: Act, decision: Decision) -> Dispute | None:
    """Uphold or dismiss a dispute for the operator, with the act's reason; None when there is none of this id.

    Raises DisputeError when it is closed or the contributor was not heard, FieldError without a reason.
    """
    reason = lifecycle.given_reason(act.reason or "")
    dialect.lock_pool(connection)
    before = disputes.one(connection, dispute_id, for_change=True)
    if before is None:
        return None
    after = rules.decided(before, upheld=decision.upheld, reason=reason, unheard=decision.unheard, now=act.now)
    disputes.save(connection, after)
    said = Act(act.now, act.actor_id, reason)
    _close(connection, said, after)
    _flag(services, connection, said, after)
    return after


def suppress_overdue(services: Services, connection: Connection, *, now: datetime, limit: int) -> int:
    """Suppress the records of some disputes that were not answered in time, with the pool locked; how many."""
    act = Act(now, SYSTEM)
    dialect.lock_pool(connection)
    done = 0
    for dispute_id in disputes.overdue(connection, now=now, limit=limit):
        late = disputes.one(connection, dispute_id, for_change=True)
        if late is None or late.status is not DisputeStatus.OPEN:
            continue
        about = late.about
        corrections.flag(services, connection, act, about.filing_id, Flag.SUPPRESSED, cause=late.id)
        _tell(connection, act, EventKind.DISPUTE_OVERDUE, about.contributor_id, late)
        kind = AlertKind.DISPUTE_OVERDUE
        once = f"dispute {late.id} overdue"
        alerting.tell(services, connection, about.contributor_id, kind, {"dispute": late.id}, dedupe=once, now=now)
        done += 1
    return done


def corrected(services: Services, connection: Connection, act: Act, filing_id: str) -> None:
    """Lift what upheld disputes flag a filing as that its contributor has filed anew, if with other facts."""
    for cause in flags.causes(connection, filing_id):
        found = disputes.one(connection, cause)
        if found is not None and found.status is DisputeStatus.UPHELD and _is_corrected(connection, found):
            corrections.flag(services, connection, act, filing_id, None, cause=cause)


def listed(
    services: Services, member: Member, side: str, *, before: str | None, limit: int
) -> tuple[list[dict[str, Any]], bool]:
    """A page of the disputes a member `raised` or `received`, latest first, and whether there are more."""
    of = Of(raiser_id=member.id) if side == "raised" else Of(contributor_id=member.id)
    with services.database.read() as session:
        connection = session.connection()
        found = disputes.page(connection, of, before=before, limit=limit + 1)
        return _for_member(connection, member, found[:limit]), len(found) > limit


def find(services: Services, member: Member, dispute_id: str) -> dict[str, Any] | None:
    """A dispute that a member raised or that is about a filing of its own, None when it has none of this id."""
    with services.database.read() as session:
        connection = session.connection()
        found = disputes.one(connection, dispute_id)
        if found is None or member.id not in (found.raiser_id, found.about.contributor_id):
            return None
        return _for_member(connection, member, [found])[0]


def of_pool(connection: Connection, statuses: Sequence[DisputeStatus], *, limit: int) -> list[Dispute]:
    """The latest disputes of all members in these statuses: for the operator."""
    return disputes.page(connection, Of(statuses=[status.value for status in statuses]), before=None, limit=limit)


def to_operator(dispute: Dispute) -> dict[str, Any]:
    """A dispute as JSON for the operator, who knows both sides. References are the members' own: not here."""
    about = dispute.about
    parties = {"raiser": dispute.raiser_id, "contributor": about.contributor_id, "hit": dispute.hit_id}
    return {**_common(dispute), **parties, **_filing(dispute)}


def _made(
    services: Services,
    act: Act,
    who: tuple[str, str],
    about: Disputed,
    ground: Ground,
    *,
    statement_reference: str,
) -> Dispute:
    """A dispute raised by a member on a hit, or for a request, with the day by which it is to be answered."""
    answer_by, answer_until = answer_until_of(act.now, services.rulebooks.at(act.now))
    return Dispute(
        id=act.new_id("dsp"),
        raiser_id=who[0],
        hit_id=who[1],
        about=about,
        ground=ground,
        statement_reference=statement_reference,
        raised_at=act.now,
        answer_by=answer_by,
        answer_until=answer_until,
    )


def _opened(services: Services, connection: Connection, act: Act, dispute: Dispute) -> None:
    """Tell of a dispute, and flag the record at once."""
    about = dispute.about
    _tell(connection, act, EventKind.DISPUTE_RAISED, dispute.raiser_id, dispute)
    corrections.flag(services, connection, act, about.filing_id, Flag.DISPUTED, cause=dispute.id)
    kind, once = AlertKind.DISPUTE_RAISED, f"dispute {dispute.id}"
    told = {"dispute": dispute.id}
    alerting.tell(services, connection, about.contributor_id, kind, told, dedupe=once, now=act.now)


def _flag(services: Services, connection: Connection, act: Act, dispute: Dispute) -> None:
    """Flag the record as a closed dispute leaves it: upheld, nobody sees it until it is corrected, if it is not yet."""
    wrong = dispute.status is DisputeStatus.UPHELD and not _is_corrected(connection, dispute)
    after = Flag.SUPPRESSED if wrong else None
    corrections.flag(services, connection, act, dispute.about.filing_id, after, cause=dispute.id)


def _is_corrected(connection: Connection, dispute: Dispute) -> bool:
    """Whether the record says something else by now than what was disputed."""
    return stored_corrections.differs_since(connection, dispute.about.filing_id, dispute.about.version)


def _close(connection: Connection, act: Act, dispute: Dispute) -> None:
    """Tell what came of a dispute; upheld, it counts against the contributor once for each version of the filing."""
    counted = dispute.status is DisputeStatus.UPHELD and disputes.count_upheld(connection, dispute)
    if counted:
        about, today = dispute.about, act.now.date()
        row = LedgerRow(about.contributor_id, today, about.line, about.record_class, {"upheld": 1})
        ledger.add(connection, [row], today=today)
    _tell(connection, act, _DECIDED[dispute.status], dispute.about.contributor_id, dispute, counted=int(counted))


def _tell(
    connection: Connection,
    act: Act,
    kind: EventKind,
    member_id: str,
    dispute: Dispute,
    **figures: str | int | None,
) -> None:
    about, what = dispute.about, What(kind, RULE, member_id, dispute.id)
    named: dict[str, str | int | None] = {"filing": about.filing_id, "version": about.version}
    lifecycle.tell(connection, act, what, ground=dispute.ground.value, **named, **figures)


def _for_member(connection: Connection, member: Member, found: Sequence[Dispute]) -> list[dict[str, Any]]:
    own = [each.about.filing_id for each in found if each.about.contributor_id == member.id]
    references = disputes.references(connection, own) if own else {}
    return [_to_raiser(each) if each.raiser_id == member.id else _to_contributor(each, references) for each in found]


def _common(dispute: Dispute) -> dict[str, Any]:
    """What both sides know. Days, not times: the time says much about who raised it."""
    return {
        "id": dispute.id,
        "ground": dispute.ground.value,
        "status": dispute.status.value,
        "raised_on": _day(dispute.raised_at),
        "answer_by": None if dispute.answer_by is None else dispute.answer_by.isoformat(),
        "answered_on": _day(dispute.answered_at),
        "closed_on": _day(dispute.closed_at),
        "closed_by": dispute.closed_by.value if dispute.closed_by else None,
        "reason": dispute.reason,
    }


def _filing(dispute: Dispute) -> dict[str, Any]:
    about = dispute.about
    return {"filing": about.filing_id, "version": about.version, "line": about.line, "class": about.record_class}


def _to_raiser(dispute: Dispute) -> dict[str, Any]:
    """Nothing of the other side but what came of it: what may be seen of that is told with the hit."""
    on = "hit" if dispute.on_hit else "request"
    own = {"side": "raised", on: dispute.hit_id, "statement_reference": dispute.statement_reference}
    return _common(dispute) | own


def _to_contributor(dispute: Dispute, references: dict[str, str]) -> dict[str, Any]:
    """Which filing, why and since when; not who raised it, nor on which hit."""
    answered = {"accepts": dispute.accepts, "note_reference": dispute.note_reference}
    own = {"side": "received", "reference": references.get(dispute.about.filing_id), **answered}
    return _common(dispute) | _filing(dispute) | own


def _day(at: datetime | None) -> str | None:
    return at.date().isoformat() if at else None
