"""Whatever workers do with a job, and whenever they are killed or hang: each step counts once, and it ends once."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule
from sqlalchemy import Column, Integer, MetaData, String, Table, func, insert, select, update

from repository.domain.jobs import Job, JobKind
from repository.storage import jobs
from repository.storage.engine import Database, create_engine
from repository.storage.jobs import JOBS
from repository.storage.leases import OPEN_STATES, LeaseLostError

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
LEASE = timedelta(seconds=60)
STEPS = 3
DONE = Table("steps_done", MetaData(), Column("job", String), Column("step", Integer))
"""What the steps did: one row for each that was committed."""


@dataclass(frozen=True)
class Hold:
    """A worker that thinks it has a job."""

    owner: str
    job: Job


class Leases(RuleBasedStateMachine):
    """Workers that come, hang and die, over two jobs about one thing and one about another."""

    holds: Bundle[Hold] = Bundle("holds")

    @initialize()
    def queue(self) -> None:
        """Three jobs."""
        self.stack = ExitStack()
        directory = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.database = Database(create_engine(f"sqlite:///{directory / 'jobs.db'}"))
        self.now, self.owners, self.ends = START, itertools.count(), dict[str, int]()
        with self.database.writing() as connection:
            connection.exec_driver_sql("CREATE TABLE members (id TEXT PRIMARY KEY)")
            connection.exec_driver_sql("CREATE TABLE actors (id TEXT PRIMARY KEY)")
            JOBS.create(connection)
            DONE.create(connection)
            jobs.add(connection, [self.row("job_1", "a"), self.row("job_2", "a"), self.row("job_3", "b")])

    def row(self, name: str, subject: str) -> Mapping[str, Any]:
        """A job as it is queued."""
        of = {"member_id": None, "actor_id": None, "subject_id": subject, "slot": name}
        return {"id": name, "kind": "rescreen", "created_at": self.now, "total": STEPS, "cursor": {}, **of}

    @rule(target=holds)
    def claim(self) -> Any:
        """A worker takes what is next in turn."""
        owner = f"spool.{next(self.owners)}"
        with self.database.writing() as connection:
            row = jobs.claim(connection, [JobKind.RESCREEN], owner, now=self.now, until=self.now + LEASE)
        return multiple() if row is None else Hold(owner, jobs.as_job(row))

    @rule(target=holds, hold=consumes(holds), killed=st.booleans())
    def step(self, hold: Hold, killed: bool) -> Any:
        """It does the next step and moves the cursor in one transaction, or is killed before the commit."""
        job = hold.job
        with suppress(LeaseLostError, ZeroDivisionError), self.database.writing() as connection:
            connection.execute(insert(DONE), {"job": job.id, "step": job.done})
            values = {"done": job.done + 1, "cursor": {"step": job.done + 1}, "lease_until": self.now + LEASE}
            cancelled = jobs.advance(connection, job.id, hold.owner, values)
            over = "done" if job.done + 1 == STEPS else "cancelled" if cancelled else None
            if over:
                jobs.end(connection, job.id, hold.owner, now=self.now, status=over, error=None)
            if killed:
                raise ZeroDivisionError
            row = jobs.one(connection, job.id)
            assert row is not None
            if over:
                self.ends[job.id] = self.ends.get(job.id, 0) + 1
                return multiple()
            return Hold(hold.owner, jobs.as_job(row))
        return multiple()  # it is gone, or knows that the job is another's

    @rule(hold=consumes(holds))
    def give_back(self, hold: Hold) -> None:
        """It puts the job off."""
        with self.database.writing() as connection:
            later = self.now + timedelta(seconds=5)
            jobs.let_go(connection, hold.job.id, hold.owner, not_before=later, values={"error": "fault"})

    @rule(name=st.sampled_from(["job_1", "job_2", "job_3"]))
    def cancel(self, name: str) -> None:
        """Who asked for it cancels it."""
        with self.database.writing() as connection:
            if jobs.cancel(connection, name, now=self.now):
                self.ends[name] = self.ends.get(name, 0) + 1

    @rule(seconds=st.sampled_from([1, 6, 61, 3600]))
    def wait(self, seconds: int) -> None:
        """Time passes: leases run out, pauses end."""
        self.now += timedelta(seconds=seconds)

    @rule()
    def all_were_killed(self) -> None:
        """Who comes after workers that are all dead frees their leases; should one live still, it has lost its own."""
        with self.database.writing() as connection:
            jobs.release_all(connection, "spool")

    @invariant()
    def each_step_counts_once(self) -> None:
        """What is committed is what the job says, step by step; it ends once, and is nobody's then."""
        with self.database.reading() as connection:
            for row in connection.execute(select(JOBS)).mappings():
                steps = select(DONE.c.step).where(DONE.c.job == row["id"]).order_by(DONE.c.step)
                assert list(connection.scalars(steps)) == list(range(row["done"]))
                is_open = row["status"] in OPEN_STATES
                assert is_open == (row["slot"] is not None) == (row["finished_at"] is None)
                assert self.ends.get(row["id"], 0) == (0 if is_open else 1)
                assert is_open or row["lease_owner"] is None

    def teardown(self) -> None:
        """Left alone with one worker, all come to an end."""
        if not hasattr(self, "database"):
            return
        with self.database.writing() as connection:
            connection.execute(update(JOBS).where(JOBS.c.lease_owner.is_not(None)).values(lease_until=START))
        for _ in range(3 * (STEPS + 1)):
            self.now += timedelta(hours=1)
            held = self.claim()
            while isinstance(held, Hold):
                held = self.step(held, killed=False)
        with self.database.reading() as connection:
            assert connection.scalar(select(func.count()).where(JOBS.c.finished_at.is_(None))) == 0
        self.each_step_counts_once()
        self.database.close()
        self.stack.close()


TestLeases = Leases.TestCase
TestLeases.settings = settings(max_examples=25, stateful_step_count=30)
