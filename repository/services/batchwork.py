"""What a worker does to a batch it holds the lease of: take a chunk in, and finish. Each is one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Connection, RowMapping

from repository import metrics, tracing
from repository.domain.errors import FieldError
from repository.domain.events import Event, EventKind
from repository.domain.filings import Accepts, Outcome
from repository.domain.members import Member, MemberStatus
from repository.domain.webhooks import Notice
from repository.services import Services, foresight, intake, outbox, planning, reciprocity
from repository.services.filing import what_is_accepted
from repository.services.foresight import NOTHING, Foreseen, LookedUp
from repository.services.hitmaking import Source
from repository.services.planning import Numbered, Taken, Written
from repository.storage import batches, dialect, events
from repository.storage.filings import Standing
from repository.storage.members import find_member

STORED_ERRORS = 1_000
"""Row errors that are kept for a batch; the rest is only counted."""
HOPELESS_ROWS = 10_000
HOPELESS_SHARE = 0.9
"""A batch with this many refused rows, and this share of those read, is given up: it is not what its sender thinks."""

CROWDED = 8
"""Chunks of which nothing is foreseen, since others wrote to the pool before one's turn: it would be done twice."""

KEPT_WRITES = 3
"""Chunks of which is known what they wrote: one that is looked up has not seen the two before it."""


class GivenUpError(Exception):
    """A batch is not worked on further; `field` and `expected` say why. What was taken in stays."""

    def __init__(self, field: str, expected: str) -> None:
        super().__init__(f"{field}: expected {expected}")
        self.field = field
        self.expected = expected


class CancelledError(Exception):
    """The sender has cancelled the batch. What was taken in stays."""


@dataclass(frozen=True, slots=True)
class RowError:
    """A refused row: its number, its reference where it has a usable one, and what is wrong."""

    row: int
    reference: str | None
    error: FieldError


@dataclass(slots=True)
class Chunk:
    """Lines up to `last_line` that are taken in together: good filings, with so many subjects, and refused rows."""

    last_line: int
    rows: int = 0
    subjects: int = 0
    good: list[Numbered] = field(default_factory=list)
    bad: list[RowError] = field(default_factory=list)

    def add(self, row: Numbered | RowError) -> None:
        """Take the next line in."""
        self.rows += 1
        self.last_line = row.row
        if isinstance(row, RowError):
            self.bad.append(row)
        else:
            self.good.append(row)
            self.subjects += len(row.filing.subjects)


@dataclass(slots=True)
class Progress:
    """How far a batch is: the columns of that name."""

    lines_done: int
    rows_read: int
    rows_created: int
    rows_new_version: int
    rows_unchanged: int
    rows_rejected: int
    hits: int
    capped_keys: int
    bytes_done: int


class BatchWork:
    """One batch under the lease of `owner`. Every method may raise LeaseLostError; then nothing of its was written."""

    def __init__(self, services: Services, batch: RowMapping, owner: str) -> None:
        self._services = services
        self._batch = batch
        self._owner = owner
        self._written: dict[int, Written] = {}
        self._unforeseen = 0
        self.progress = Progress(**{name: batch[name] for name in Progress.__slots__})

    def accepts(self) -> tuple[Accepts, Member]:
        """What the pool takes from the member now. Raises GivenUpError when the membership was withdrawn."""
        with self._services.database.read() as session:
            row = find_member(session, self._batch["member_id"])
            if row is None or row.status == MemberStatus.WITHDRAWN.value:
                raise GivenUpError("(membership)", "a membership that is not withdrawn")
            member = row.as_member()
            return what_is_accepted(self._services, session, member), member

    def look_ahead(self, chunk: Chunk, member: Member) -> LookedUp | None:
        """Look a chunk up while those before are taken in; on a store with one writer, not."""
        database = self._services.database
        if not chunk.good or self._batch["dry_run"] or database.engine.dialect.name == "sqlite":
            return None
        if self._unforeseen > 0:
            self._unforeseen -= 1
            return None
        with tracing.span("look ahead", {"frankpledge.rows": chunk.rows}), database.reading(long=True) as connection:
            return foresight.look_ahead(self._services, connection, self._source(member), chunk.good)

    def foresee(self, ahead: LookedUp | None, member: Member) -> Foreseen:
        """Do what else can be done for a chunk that was looked up."""
        if ahead is None:
            return NOTHING
        with tracing.span("foresee"), self._services.database.reading(long=True) as connection:
            return foresight.foresee(self._services, connection, self._source(member), ahead)

    def take(self, chunk: Chunk, member: Member, bytes_done: int, foreseen: Foreseen = NOTHING) -> None:
        """Take a chunk in, with its errors and the cursor, by what was `foreseen` of it.

        Raises GivenUpError when too few rows so far were good, CancelledError when the sender wants no more of it.
        """
        source = self._source(member)
        chunked = tracing.span("chunk", {"frankpledge.rows": chunk.rows})
        with chunked, metrics.BATCH_CHUNKS.time(), self._services.database.write(long=True) as session:
            connection = session.connection()
            taken = self._take_filings(connection, source, chunk.good, foreseen)
            refused = [RowError(row, filing.facts.reference, error) for row, filing, error in taken.refused]
            bad = sorted([*chunk.bad, *refused], key=lambda each: each.row)
            self._store_errors(connection, bad)
            ahead = self._after(chunk, taken, len(bad), bytes_done)
            cancelled = self._advance(connection, asdict(ahead))
        self.progress = ahead
        if foreseen.prepared is not None and not taken.foreseen:
            self._unforeseen = CROWDED
        self._written = (
            self._written if taken.written is None else dict([*self._written.items(), taken.written][-KEPT_WRITES:])
        )
        _measure(taken, len(bad))
        if cancelled:
            raise CancelledError
        if ahead.rows_rejected >= max(HOPELESS_ROWS, HOPELESS_SHARE * ahead.rows_read):
            expected = (
                f"more than one good row in ten; of the first {ahead.rows_read}, {ahead.rows_rejected} were refused"
            )
            raise GivenUpError("(rows)", expected)

    def cancelled(self) -> bool:
        """Whether the sender had cancelled the batch when it was taken up."""
        return self._batch["cancel_asked_at"] is not None

    def finish(self, bytes_done: int, failure: tuple[str, str] | None, cancelled: bool = False) -> None:
        """Close the batch as done, as failed for a reason, or as cancelled; the rows taken in stay."""
        now = self._services.clock()
        self.progress.bytes_done = bytes_done
        field_name, expected = failure or (None, None)
        ended = EventKind.BATCH_CANCELLED if cancelled else EventKind.BATCH_DONE
        kind = EventKind.BATCH_FAILED if failure else ended
        with self._services.database.write(long=True) as session:
            connection = session.connection()
            batches.forget_dry_run(connection, self._batch["id"])
            closing = {
                "status": kind.value.removeprefix("batch."),
                "finished_at": now,
                "failure_field": field_name,
                "failure_expected": expected,
                "bytes_done": bytes_done,
            }
            self._advance(connection, closing)
            events.append(connection, self._event(kind))
            batch_id = self._batch["id"]
            outbox.tell(
                self._services, connection, Notice.BATCH_FINISHED, self._batch["member_id"], {"batch": batch_id}
            )

    def _source(self, member: Member) -> Source:
        return Source(member, self._batch["actor_id"], self._batch["id"], self._services.clock())

    def _take_filings(
        self, connection: Connection, source: Source, good: Sequence[Numbered], foreseen: Foreseen
    ) -> Taken:
        if not good:
            return Taken()
        if self._batch["dry_run"]:
            return self._rehearse(connection, source, good)
        return intake.take_in(self._services, connection, source, good, foreseen, own=self._written)

    def _rehearse(self, connection: Connection, source: Source, good: Sequence[Numbered]) -> Taken:
        """Plan only, remembering the rows met: nothing of the batch is in the pool for later rows to meet."""
        batch_id = self._batch["id"]
        references = [each.filing.facts.reference for each in good]
        met = {
            (row["reference"], row["record_class"]): Standing(
                id="",
                version=0,
                match_digest=b"",
                content_digest=row["content_digest"],
                last_batch_id=batch_id,
                last_batch_row=row["row"],
            )
            for row in batches.dry_run_filings(connection, batch_id, references)
        }
        taken = planning.plan(self._services, connection, source, good, met)
        rows = [
            {
                "batch_id": batch_id,
                "reference": plan.numbered.filing.facts.reference,
                "record_class": plan.numbered.filing.facts.record_class,
                "content_digest": plan.content_digest,
                "row": plan.numbered.row,
            }
            for plan in taken.plans
        ]
        batches.add_dry_run_filings(connection, rows)
        return taken

    def _store_errors(self, connection: Connection, bad: Sequence[RowError]) -> None:
        room = max(0, STORED_ERRORS - self.progress.rows_rejected)
        rows = [
            {
                "batch_id": self._batch["id"],
                "row": each.row,
                "reference": each.reference,
                "field": each.error.field,
                "expected": each.error.expected,
            }
            for each in bad[:room]
        ]
        batches.add_errors(connection, rows)

    def _after(self, chunk: Chunk, taken: Taken, rejected: int, bytes_done: int) -> Progress:
        before, counts = self.progress, taken.counts()
        return Progress(
            lines_done=chunk.last_line,
            rows_read=before.rows_read + chunk.rows,
            rows_created=before.rows_created + counts[Outcome.CREATED],
            rows_new_version=before.rows_new_version + counts[Outcome.NEW_VERSION],
            rows_unchanged=before.rows_unchanged + counts[Outcome.UNCHANGED],
            rows_rejected=before.rows_rejected + rejected,
            hits=before.hits + sum(plan.hits for plan in taken.plans),
            capped_keys=before.capped_keys + sum(plan.capped_keys or 0 for plan in taken.plans),
            bytes_done=bytes_done,
        )

    def _advance(self, connection: Connection, values: dict[str, Any]) -> bool:
        return batches.advance(
            connection,
            self._batch["id"],
            self._owner,
            from_line=self.progress.lines_done,
            until=dialect.instant(connection, self._services.clock()) + self._services.settings.lease,
            values=values,
        )

    def _event(self, kind: EventKind) -> Event:
        rows = {name: value for name, value in asdict(self.progress).items() if name.startswith("rows_")}
        return Event(
            id=reciprocity.new_id(self._services, "evt"),
            at=self._services.clock(),
            kind=kind,
            actor_id=self._batch["actor_id"],
            member_id=self._batch["member_id"],
            subject_id=self._batch["id"],
            figures=rows,
        )


def _measure(taken: Taken, rejected: int) -> None:
    for outcome, number in taken.counts().items():
        metrics.BATCH_ROWS.labels(result=outcome.value).inc(number)
    metrics.BATCH_ROWS.labels(result="rejected").inc(rejected)
