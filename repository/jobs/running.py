"""The worker of jobs besides batches: step by step, each in one transaction with the job's cursor."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import structlog
from sqlalchemy import Connection

from repository import metrics, tracing
from repository.domain.jobs import DISK_FULL, FAULT, Job, JobKind, JobStatus, PutOffError
from repository.jobs.handlers import HANDLERS, Handler
from repository.jobs.threads import Threaded
from repository.services import Services
from repository.services.batches import spool_of
from repository.storage import dialect, jobs
from repository.storage.leases import LeaseLostError
from repository.storage.limits import Trouble, trouble

POLL_SECONDS = 0.5
LONGEST_REST = 30.0
"""Seconds that the worker rests at most when the database fails it, again and again."""
TURN = timedelta(seconds=30)
"""After which a job that goes on for long lets those that are due have a turn."""
NOT_COUNTED_PAUSE = timedelta(seconds=30)
"""After which a job is looked at again that could not go on for a reason which is no fault."""

_log = structlog.get_logger("frankpledge.jobs")


class JobWorker(Threaded):
    """Does the jobs of some kinds, one after the other, while it `may`."""

    def __init__(
        self,
        services: Services,
        kinds: Sequence[JobKind] = tuple(JobKind),
        may: Callable[[], bool] = lambda: True,
        handlers: Mapping[JobKind, Handler] = HANDLERS,
    ) -> None:
        self._services = services
        self._handlers = handlers
        self._kinds = [kind for kind in kinds if kind in handlers]
        super().__init__("-".join(self._kinds))
        self._may = may
        self._spool = spool_of(services).name
        self._owner = f"{self._spool}.{secrets.token_hex(8)}"

    def run_pending(self) -> int:
        """Work at every job that is due, in the calling thread; how many."""
        done = 0
        while not self._stop.is_set() and (job := self._claim()) is not None:
            with structlog.contextvars.bound_contextvars(job=job.id, kind=job.kind.value):
                self._attempt(job)
            done += 1
        return done

    def _run(self) -> None:
        faults = 0
        while not self._stop.is_set():
            try:
                if self._may():
                    self.run_pending()
                faults = 0
            except Exception as error:  # noqa: BLE001 - without this thread no job is done until a restart
                faults += 1
                _log.error("job worker fault", error=type(error).__qualname__, times=faults)
            self._stop.wait(min(POLL_SECONDS * 2 ** min(faults, 10), LONGEST_REST))

    def _claim(self) -> Job | None:
        now = self._services.clock()
        with self._services.database.reading() as connection:
            if not jobs.is_due(connection, self._kinds, now=now, spool=self._spool):
                return None
        until = now + max(self._lease(self._handlers[kind]) for kind in self._kinds)
        with self._services.database.writing() as connection:
            row = jobs.claim(connection, self._kinds, self._owner, now=now, until=until, spool=self._spool)
            return None if row is None else jobs.as_job(row)

    def _attempt(self, job: Job) -> None:
        handler = self._handlers[job.kind]
        try:
            if job.attempts > handler.patience.attempts:  # killed again and again
                self._end(handler, job, JobStatus.FAILED, job.error or FAULT)
                return
            with tracing.span("job", {"frankpledge.job": job.id}):
                self._work_through(handler, job)
        except LeaseLostError:
            _log.warning("lease lost")
        except PutOffError as error:
            self._put_off(handler, job, error)
        except Exception as error:  # noqa: BLE001 - one bad job must not end the worker; it is tried again, then failed
            full = trouble(self._services.database.engine, error) is Trouble.FULL
            _log.error("attempt failed", attempt=job.attempts, error=type(error).__qualname__, disk_full=full)
            self._put_off(handler, job, PutOffError(DISK_FULL, counts=False) if full else PutOffError(FAULT))

    def _work_through(self, handler: Handler, job: Job) -> None:
        if job.cancelling:
            self._end(handler, job, JobStatus.CANCELLED)
            return
        begun = now = self._services.clock()
        while not self._stop.is_set() and not self._is_others_turn(now - begun):
            prepared = handler.prepare(self._services, job)
            job, over = self._step(handler, job, prepared)
            if over is not None:
                _told(job, over)
                return
            now = self._services.clock()
        with self._services.database.writing() as connection:
            jobs.let_go(connection, job.id, self._owner, not_before=now, values={"attempts": 0})
        _log.info("job left", done=job.done)

    def _is_others_turn(self, worked: timedelta) -> bool:
        """Whether another job is due, and this one has had its turn: it goes on after the others."""
        if worked < TURN:
            return False
        with self._services.database.reading() as connection:
            return jobs.is_due(connection, self._kinds, now=self._services.clock(), spool=self._spool)

    def _step(self, handler: Handler, job: Job, prepared: object) -> tuple[Job, JobStatus | None]:
        """Do a step; the job after it, and how it ended if it did."""
        timed = metrics.JOB_STEPS.labels(kind=job.kind.value).time()
        with timed, self._services.database.write(long=True) as session:
            connection = session.connection()
            ahead = handler.step(self._services, session, job, prepared)
            until = dialect.instant(connection, self._services.clock()) + self._lease(handler)
            values = {"done": ahead.done, "cursor": dict(ahead.cursor), "error": ahead.error, "lease_until": until}
            cancelled = jobs.advance(connection, job.id, self._owner, values)
            job = replace(job, done=ahead.done, cursor=ahead.cursor, error=ahead.error, attempts=1)
            over = ahead.status or (JobStatus.CANCELLED if cancelled else None)
            if over is not None:
                self._close(connection, handler, job, over)
        return job, over

    def _put_off(self, handler: Handler, job: Job, error: PutOffError) -> None:
        """Let others have their turn until what stands against it has passed, maybe; fail it after the last attempt."""
        if error.counts and job.attempts >= handler.patience.attempts:
            self._end(handler, job, JobStatus.FAILED, error.code)
            return
        pause = handler.patience.pause(job.attempts, random.random()) if error.counts else NOT_COUNTED_PAUSE  # noqa: S311
        attempts = job.attempts if error.counts else job.attempts - 1
        values = {"error": error.code, "attempts": attempts}
        with self._services.database.writing() as connection:
            not_before = self._services.clock() + pause
            if jobs.let_go(connection, job.id, self._owner, not_before=not_before, values=values):
                handler.put_off(self._services, connection, job, error.code)

    def _end(self, handler: Handler, job: Job, status: JobStatus, error: str | None = None) -> None:
        job = replace(job, error=error)
        with self._services.database.writing() as connection:
            self._close(connection, handler, job, status)
        _told(job, status)

    def _close(self, connection: Connection, handler: Handler, job: Job, status: JobStatus) -> None:
        now = self._services.clock()
        jobs.end(connection, job.id, self._owner, now=now, status=status.value, error=job.error)
        handler.ended(self._services, connection, job, status)

    def _lease(self, handler: Handler) -> timedelta:
        return max(self._services.settings.lease, handler.longest)


def _told(job: Job, status: JobStatus) -> None:
    metrics.JOBS.labels(kind=job.kind.value, result=status.value).inc()
    _log.info("job", status=status.value, done=job.done, error=job.error)
