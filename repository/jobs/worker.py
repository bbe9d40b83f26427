"""The worker that takes batches in, looks at standings daily and has expire what is old; by default in a thread.

The worker holds a lock on a file of its spool, which the kernel frees when its process dies, however it dies. There may
be several workers to a spool: they share the lock, and who gets it alone knows that every lease of this spool is dead,
and takes the work over at once. Else a lease that ran out is taken over, from a worker that hangs. The lease in the
database is what guards the rows: a worker that lost it cannot commit.
"""

from __future__ import annotations

import fcntl
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import IO

import structlog
from sqlalchemy import RowMapping

from repository import tracing
from repository.jobs.intake import work_through
from repository.jobs.threads import Threaded
from repository.services import Services, aftermath, asked, correction_job, expiring, monitoring, retention, schedules
from repository.services.batches import spool_of
from repository.services.batchwork import BatchWork
from repository.services.sweeping import note_all_steps
from repository.storage import batches, jobs, uploads
from repository.storage.batches import SERVER_FAULT, LeaseLostError
from repository.storage.limits import Trouble, trouble

STOP = "frankpledge.stop"
"""Where an application keeps what is to be done before its process ends, in that order."""
POLL_SECONDS = 0.25
ABANDONED = timedelta(days=1)
"""Content in the spool that no batch claims after this time was cut off while it came in."""
MAX_ATTEMPTS = 10
"""A batch that was taken up this often without getting a chunk further is failed: with the pauses, after some hour."""
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=2), timedelta(minutes=10)
"""Between two attempts at a batch: the first pause, four times as long each time, up to the longest."""
FULL_PAUSE = timedelta(seconds=30)
"""Between two attempts while a disk is full, which uses none of them up: it may take days until there is room."""
LONGEST_REST = 30.0
"""Seconds that the worker rests at most when the database or the spool fails it, again and again."""
EXPIRY_PAUSE = timedelta(hours=1)
"""Between two looks for what has expired."""
MONITOR_PAUSE = timedelta(minutes=1)
SILENT_PAUSE = timedelta(seconds=30)
"""Between two looks for sessions whose client hangs."""
SWEEP_PAUSE = timedelta(seconds=30)
"""After which it is tried again to look at standings, or for what has expired, when that failed."""
KEPT_FAILED = timedelta(days=7)
"""How long the content of a batch that failed by a fault of the server is kept."""

_log = structlog.get_logger("frankpledge.worker")


class IntakeWorker(Threaded):
    """Takes in the batches of one data directory, oldest first."""

    def __init__(self, services: Services) -> None:
        super().__init__("intake")
        self._services = services
        self._spool = spool_of(services)
        self._owner = secrets.token_hex(8)
        self._looked_on: date | None = None
        self._retained_on: date | None = None
        self._expired_at: datetime | None = None
        self._monitored_at: datetime | None = None
        self._failed_at: datetime | None = None
        self._ended_at: datetime | None = None
        self._owed: tuple[RowMapping, bool] | None = None
        self._holding = threading.Event()

    @property
    def holding(self) -> bool:
        """Whether the thread holds the lock of the spool: then, and only then, others of this process may do jobs."""
        return self._holding.is_set()

    def run_pending(self) -> int:
        """Work through every batch that waits and nobody is at, in the calling thread; how many."""
        with self._present() as present:
            return self._drain() if present else 0

    def look_daily(self) -> None:
        """Look at every member's standing, once each day (see `note_all_steps`)."""
        today = self._services.clock().date()
        if self._looked_on != today:
            changed = note_all_steps(self._services)
            self._looked_on = today
            _log.info("standings assessed", steps_changed=changed)

    def expire(self) -> None:
        """Queue a job for what is kept no longer, every hour: screenings with their encodings, unfinished uploads."""
        now = self._services.clock()
        if not _lately(self._expired_at, now, EXPIRY_PAUSE):
            expiring.queue(self._services)
            correction_job.queue(self._services)
            self._expired_at = now

    def monitor(self) -> None:
        """Do what members have recur, and tell contributors of who asked, every minute."""
        now = self._services.clock()
        if not _lately(self._monitored_at, now, MONITOR_PAUSE):
            schedules.run_due(self._services)
            asked.tell_contributors(self._services)
            monitoring.make_up(self._services)
            aftermath.wake_left(self._services)
            self._monitored_at = now

    def retain(self) -> None:
        """Queue a job for the filings whose time is over, once each day."""
        today = self._services.clock().date()
        if self._retained_on != today:
            retention.queue(self._services)
            self._retained_on = today

    def end_silent(self) -> None:
        """End what keeps others out of the pool since its client hangs, every half minute."""
        now = self._services.clock()
        if not _lately(self._ended_at, now, SILENT_PAUSE):
            ended = self._services.database.end_silent()
            self._ended_at = now
            if ended:
                _log.warning("silent sessions ended", sessions=ended)

    def _sweep(self) -> None:
        """Do what is due by the clock, between batches too; what fails is tried again later, and holds no batch up."""
        now = self._services.clock()
        if _lately(self._failed_at, now, SWEEP_PAUSE):
            return
        self._failed_at = None
        for look in (self.end_silent, self.expire, self.retain, self.look_daily, self.monitor):
            try:
                look()
            except Exception as error:  # noqa: BLE001 - batches go on, and a database that is away fails them, too
                self._failed_at = now
                _log.error("sweep fault", error=type(error).__qualname__)

    def _run(self) -> None:
        faults = 0
        while not self._stop.is_set():
            try:
                with self._present() as present:
                    if present:
                        self._holding.set()
                    while present and not self._stop.is_set():
                        self._drain(self._sweep)
                        self._sweep()
                        faults = 0
                        self._stop.wait(POLL_SECONDS)
            except Exception as error:  # noqa: BLE001 - without this thread no batch is taken in until a restart
                faults += 1
                _log.error("worker fault", error=type(error).__qualname__, times=faults)
            self._holding.clear()
            self._stop.wait(min(POLL_SECONDS * 2 ** min(faults, 10), LONGEST_REST))

    @contextmanager
    def _present(self) -> Iterator[bool]:
        """Share the lock of the spool, but while another has it alone, who frees leases of the dead and sweeps."""
        with (self._spool.directory / "worker.lock").open("ab") as file:
            if _locked(file, fcntl.LOCK_EX):
                self._take_over()
                fcntl.flock(file, fcntl.LOCK_SH)
                yield True
            else:
                yield _locked(file, fcntl.LOCK_SH)

    def _take_over(self) -> None:
        now = self._services.clock()
        with self._services.database.write() as session:
            batches.release_all(session.connection(), self._spool.name)
            jobs.release_all(session.connection(), self._spool.name)
            needed = batches.needed_in(session.connection(), self._spool.name, failed_since=now - KEPT_FAILED)
            coming_in = uploads.unfinished(session.connection(), self._spool.name)
            needed |= {uploads.batch_id_of(each) for each in coming_in}
        self._spool.sweep(needed, before=now - ABANDONED)

    def _drain(self, after_each: Callable[[], None] = lambda: None) -> int:
        done = 0
        while not self._stop.is_set():
            self._settle()
            batch = self._claim()
            if batch is None:
                break
            self._work(batch)
            after_each()
            done += 1
        return done

    def _claim(self) -> RowMapping | None:
        now = self._services.clock()
        until = now + self._services.settings.lease
        with self._services.database.write() as session:
            return batches.claim(session.connection(), self._spool.name, self._owner, now=now, until=until)

    def _work(self, batch: RowMapping) -> None:
        with structlog.contextvars.bound_contextvars(batch=batch["id"]):
            self._attempt(batch)

    def _attempt(self, batch: RowMapping) -> None:
        if batch["attempts"] > MAX_ATTEMPTS:
            self._give_up(batch)
            return
        try:
            with tracing.span("batch", {"frankpledge.batch": batch["id"]}):
                work_through(self._services, self._spool, batch, self._owner, self._stop.is_set)
        except LeaseLostError:
            _log.warning("lease lost")
        except Exception as error:  # noqa: BLE001 - one bad batch must not end the worker; it is tried again, then failed
            full = trouble(self._services.database.engine, error) is Trouble.FULL
            _log.error("attempt failed", attempt=batch["attempts"], error=type(error).__qualname__, disk_full=full)
            self._owed = batch, full
            self._settle()

    def _settle(self) -> None:
        """Note of a batch that its attempt failed. What keeps the note from being taken raises; it stays owed."""
        if self._owed is not None:
            self._put_off(*self._owed)
            self._owed = None

    def _put_off(self, batch: RowMapping, full: bool) -> None:
        """Let others have their turn until the fault has passed, maybe."""
        attempt = batch["attempts"]
        if full:
            pause, expected = FULL_PAUSE, "room on the disks of the service: the last attempt found none"
        else:
            pause = min(FIRST_PAUSE * 4 ** (attempt - 1), LONGEST_PAUSE)
            expected = f"an attempt that goes through; attempt {attempt} of {MAX_ATTEMPTS} met a fault of the service"
        next_at = self._services.clock() + pause
        expected += f", and the next begins at {next_at.isoformat(timespec='seconds')}"
        with self._services.database.write() as session:
            connection = session.connection()
            batches.let_go(connection, batch["id"], self._owner, not_before=next_at, expected=expected, counts=not full)

    def _give_up(self, batch: RowMapping) -> None:
        """Fail a batch and keep its content, from which it goes on when it is sent again."""
        expected = (
            f"a batch that the service can take in; {MAX_ATTEMPTS} attempts met a fault of the service, whose operator"
            " finds it in the log. The rows read stay; the same content sent again under the same key goes on there"
        )
        failure = (SERVER_FAULT, expected)
        BatchWork(self._services, batch, self._owner).finish(batch["bytes_done"], failure)


def _lately(done: datetime | None, now: datetime, pause: timedelta) -> bool:
    """Whether something was done within a pause; not if it was later than now, as the clock was set back."""
    return done is not None and timedelta() <= now - done < pause


def _locked(file: IO[bytes], how: int) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
