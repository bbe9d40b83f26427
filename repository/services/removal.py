"""Taking filings out of the pool with all that is known of them, but ids in events and decisions, and sums.

Some at a time, each time in one transaction with the deletion proofs: killed in between, what is done is done, and
what is left is found again.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping

from matching.types import EncodedSubject
from matching.wire import unpack
from repository.domain.alerts import AlertKind
from repository.domain.corrections import CorrectionKind
from repository.domain.events import Event, EventKind
from repository.domain.jobs import JobKind
from repository.domain.removal import Cause, HeldError, Removed, WithdrawalReason
from repository.domain.retention import kept_from
from repository.services import Services, alerting, correcting, reciprocity, unlinking
from repository.services.correcting import Change
from repository.storage import (
    deletions,
    dialect,
    events,
    filings,
    holds,
    idempotency,
    index,
    jobs,
    ledger,
    removal,
    subject_requests,
)
from repository.storage.ledger import LedgerRow
from repository.storage.retention import dates_of, kind_of_row
from repository.storage.sealing import index_keys, record_context

SALT_BYTES = 32
_EVENTS = {Cause.EXPIRED: EventKind.FILING_REMOVED, Cause.WITHDRAWN: EventKind.FILING_WITHDRAWN}


@dataclass(frozen=True, slots=True)
class Why:
    """Why filings are taken out, when, and who does it, where it is not time alone."""

    cause: Cause
    now: datetime
    actor_id: str | None = None
    reason: str | None = None


def remove(services: Services, connection: Connection, filing_ids: Sequence[str], why: Why) -> list[Removed]:
    """Take those of these filings that are there out of the pool, in the caller's transaction, a writing one.

    Whoever finds them at this moment ends first; whoever looks after it finds nothing. Those under a legal hold stay;
    raises HeldError where one is to go for another reason than its time.
    """
    dialect.lock_pool(connection)
    today = why.now.astimezone(UTC).date()
    found = removal.hold(connection, filing_ids)
    kept = holds.held(connection, [row["id"] for row in found], today=today)
    if kept and why.cause is not Cause.EXPIRED:
        raise HeldError
    rows = [row for row in found if row["id"] not in kept]
    if not rows:
        return []
    held = [row["id"] for row in rows]
    _take_out_subjects(services, connection, rows)
    hit_ids = removal.hits_of(connection, held)
    removal.lock_cases(connection, hit_ids)
    _tell_viewers(services, connection, rows, why)
    _tell_of_work(services, connection, held, hit_ids, why)
    release(connection, hit_ids, today)
    if why.cause is Cause.EXPIRED:  # who withdraws a record that it is asked about has not answered
        _release_asked(connection, held, why.now)
    _forget_answers(connection, rows, hit_ids, why.now)
    subject_requests.forget_reports_on(connection, held)
    removal.remove(connection, rows)
    index.note_write(connection)
    if why.cause is not Cause.EXPIRED and connection.dialect.name == "sqlite":
        jobs.add_alone(connection, job(services, "settle", {"settle": True}))
    return _prove(services, connection, rows, why)


def _tell_viewers(services: Services, connection: Connection, rows: Sequence[RowMapping], why: Why) -> None:
    """Have everyone told that was shown what is taken out, but where its time is over: that tells nobody anything."""
    if why.cause is not Cause.EXPIRED:
        asked = why.reason == WithdrawalReason.SUBJECT_ASKED
        kind = CorrectionKind.ERASED if asked else CorrectionKind.WITHDRAWN
        correcting.push(services, connection, [dict(row) for row in rows], Change(kind, why.now, why.actor_id))


def _tell_of_work(
    services: Services, connection: Connection, filing_ids: Sequence[str], hit_ids: Sequence[str], why: Why
) -> None:
    """Tell members of requests that go with a filing, if they wait for an answer or have not opened it, and of cases.

    Of a case that somebody has, its member is alerted; each is an event.
    """
    for request_id, member_id, waits in removal.requests(connection, filing_ids):
        gone = Event(
            reciprocity.new_id(services, "evt"), why.now, EventKind.DISCLOSURE_REMOVED, None, member_id, request_id
        )
        events.append(connection, gone)
        if waits:
            kind, about = AlertKind.DISCLOSURE_REMOVED, {"request": request_id}
            once = f"{request_id} removed"
            alerting.tell(services, connection, member_id, kind, about, dedupe=once, now=why.now)
    for case_id, member_id, taken in removal.cases_going(connection, hit_ids):
        gone = Event(reciprocity.new_id(services, "evt"), why.now, EventKind.CASE_REMOVED, None, member_id, case_id)
        events.append(connection, gone)
        if taken:
            kind, about = AlertKind.CASE_REMOVED, {"case": case_id}
            alerting.tell(services, connection, member_id, kind, about, dedupe=f"{case_id} removed", now=why.now)


def job(services: Services, slot: str, cursor: dict[str, Any], total: int = 0) -> dict[str, Any]:
    """The row of a job that removes what is over, or, where its cursor says `settle`, empties the log after it."""
    kind = JobKind.RETENTION.value
    of = {"id": reciprocity.new_id(services, "job"), "kind": kind, "member_id": None, "actor_id": None}
    return of | {"slot": f"{kind} {slot}", "created_at": services.clock(), "total": total, "cursor": cursor}


def release(connection: Connection, hit_ids: Sequence[str], today: date) -> None:
    """Take back what is due, and not overdue, on hits that are about to go."""
    owed = removal.owed(connection, hit_ids, today=today)
    due = Counter((each.member_id, each.due_on, each.line, each.record_class) for each in owed)
    ledger.add(connection, [LedgerRow(*key, {"due": -number}) for key, number in due.items()], today=today)


def _release_asked(connection: Connection, filing_ids: Sequence[str], now: datetime) -> None:
    """Take back what is due, and not overdue, on requests for the detail of filings that are about to go."""
    due = Counter(removal.asked(connection, filing_ids, now=now))
    rows = [LedgerRow(*key, {"due": -number}) for key, number in due.items()]
    ledger.add(connection, rows, today=now.date())


def _take_out_subjects(services: Services, connection: Connection, rows: Sequence[RowMapping]) -> None:
    """Remove the subjects of filings with their rows of the index, and forget that any key of theirs is hot."""
    owners = {row["id"]: row["member_id"] for row in rows}
    record_ids, rekeyed = [], []
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    gone: dict[str, list[EncodedSubject]] = defaultdict(list)
    for record_id, filing_id, envelope in filings.take_out_subjects(connection, list(owners)):
        if not envelope:  # erased with its linkage key: out of the index, and not counted any more
            continue
        subject = unpack(services.sealer.unseal(record_context(record_id), envelope))
        counts[owners[filing_id]][subject.kind] -= 1
        gone[filing_id].append(subject)
        record_ids.append(record_id)
        # All keys, by whatever schema they were made: those by which nothing is found have no row.
        rekeyed.append(services.sealer.rekey(subject.keys, subject.kind))
    index.remove(connection, services.sealer, record_ids, rekeyed)
    removal.forget_hot(connection, index_keys(b"".join(rekeyed)))
    for member_id in sorted(counts):
        index.count_subjects(connection, member_id, counts[member_id])
    unlinking.remove(services, connection, list(owners), gone)


def _forget_answers(connection: Connection, rows: Sequence[RowMapping], hit_ids: Sequence[str], now: datetime) -> None:
    """Forget the answers kept for who sends a request again that name these filings or their hits."""
    since = now - idempotency.KEPT
    members = {row["member_id"] for row in rows if row["filed_at"] >= since}
    members |= removal.members_told(connection, hit_ids, since=since)
    idempotency.forget_telling(connection, sorted(members), {*hit_ids, *(row["id"] for row in rows)})


def _prove(services: Services, connection: Connection, rows: Sequence[RowMapping], why: Why) -> list[Removed]:
    """Store the deletion proofs, and tell each removal: with the commitment, which says nothing by itself."""
    proved, stored, book = [], [], services.rulebooks.at(why.now)
    for row in rows:
        said = Removed(
            filing_id=row["id"],
            member_id=row["member_id"],
            line=row["line"],
            record_class=row["record_class"],
            version=row["version"],
            cause=why.cause,
            reason=why.reason,
            kept_from=kept_from(book.retention[kind_of_row(row)].basis, dates_of(row)),
            removed_on=why.now.astimezone(UTC).date(),
            rulebook=book.version,
        )
        proof = _stored(services, said, row["content_digest"], why)
        stored.append(proof)
        proved.append(said)
        figures = {name: proof[name] for name in ("line", "record_class", "version", "cause", "reason", "rulebook")}
        figures |= {"deletion": proof["id"], "commitment": proof["commitment"]}
        event_id = reciprocity.new_id(services, "evt")
        event = Event(event_id, why.now, _EVENTS[why.cause], why.actor_id, said.member_id, said.filing_id, figures)
        events.append(connection, event)
    deletions.add(connection, stored)
    return proved


def _stored(services: Services, said: Removed, content_digest: bytes, why: Why) -> dict[str, Any]:
    salt = os.urandom(SALT_BYTES)
    made = {"id": reciprocity.new_id(services, "del"), "cause": said.cause.value, "removed_at": why.now, "salt": salt}
    return asdict(said) | made | {"commitment": said.commitment(salt, content_digest).hex()}
