"""What follows from filings that were taken in: noted with them, and done by jobs.

A job of a kind in KINDS takes its rows by `following`, does what it does, and removes them by `forget`, in steps; it is
over by `is_over`, and queued anew with the next filing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import Connection

from repository.domain.jobs import JobKind
from repository.services import Services, reciprocity
from repository.services.hitmaking import Source
from repository.storage import aftermath, dialect, jobs

KINDS: tuple[JobKind, ...] = (
    JobKind.MONITOR,
    JobKind.NETWORK,
)
"""The kinds of jobs that look at every filing that is new or was changed."""


SET_ASIDE = timedelta(days=1)


def queue(services: Services, connection: Connection, source: Source, filed: Mapping[str, str]) -> None:
    """Have what follows from filings, by id with their class, done once the caller's transaction is committed.

    It has the pool locked. Of a kind that looks at some classes only, those of others are not noted.
    """
    classes = {JobKind.NETWORK: services.rulebook.networks.classes}
    wanted = {kind: [each for each, of in filed.items() if of in classes.get(kind, (of,))] for kind in KINDS}
    noted = {"member_id": source.member.id, "at": source.now}
    rows = [
        {"id": reciprocity.new_id(services, "job"), "kind": kind.value, "filings": filing_ids, **noted}
        for kind, filing_ids in wanted.items()
        if filing_ids
    ]
    if rows:
        aftermath.add(connection, rows)
        jobs.wake(connection, [job_row(services, kind) for kind, filing_ids in wanted.items() if filing_ids])


def wake_left(services: Services) -> None:
    """Queue the jobs for which something is left, as after one that failed: else it would wait for the next filing.

    What was set aside as it failed is tried again once a day.
    """
    before = services.clock() - SET_ASIDE
    with services.database.writing() as connection:
        for kind in KINDS:
            new_id = reciprocity.new_id(services, "job")
            aftermath.bring_back(connection, kind, new_id=new_id, before=before)
    with services.database.reading() as connection:
        left = [kind for kind in KINDS if aftermath.following(connection, kind, limit=1)]
    if left:
        with services.database.writing() as connection:
            jobs.wake(connection, [job_row(services, kind) for kind in left])


def job_row(services: Services, kind: JobKind) -> dict[str, object]:
    """The one job of a kind that looks at what was filed."""
    return {
        "id": reciprocity.new_id(services, "job"),
        "kind": kind.value,
        "member_id": None,
        "actor_id": None,
        "slot": f"{kind.value} *",
        "created_at": services.clock(),
        "cursor": {},
    }


def is_over(connection: Connection, kind: JobKind) -> bool:
    """Whether a job of a kind may end, in this transaction: nothing is left, and until it is committed nothing comes.

    Who files with the pool locked finds the slot of the job taken, and leaves it to it.
    """
    dialect.lock_pool(connection)
    return not aftermath.following(connection, kind, limit=1)
