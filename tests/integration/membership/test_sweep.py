"""The daily look at every member."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import select

from repository.api.base import EXTENSION
from repository.domain.events import EventKind
from repository.jobs.worker import IntakeWorker
from repository.services import Services
from repository.storage.events import EVENTS
from tests.support.clock import FakeClock
from tests.support.members import Admissions


def _steps(services: Services) -> list[tuple[str, str, str]]:
    with services.database.reading() as connection:
        chosen = select(EVENTS.c.at, EVENTS.c.figures).where(EVENTS.c.kind == EventKind.MEMBERSHIP_STEP_CHANGED.value)
        rows = connection.execute(chosen.order_by(EVENTS.c.id)).all()
    return [(row[0].date().isoformat(), row[1]["before"], row[1]["after"]) for row in rows]


def test_who_never_asks_climbs_down_the_ladder_all_the_same(app: Flask, member: Admissions, clock: FakeClock) -> None:
    """A member that declares and files nothing is warned, planned, restricted and suspended, each on its day, once."""
    services: Services = app.extensions[EXTENSION]
    member("Silent", declared={("motor", "claim"): 600})
    worker = IntakeWorker(services)
    for _ in range(130):
        worker.look_daily()
        worker.look_daily()
        clock.advance(days=1)
    steps = _steps(services)
    assert [(before, after) for _, before, after in steps] == [
        ("good", "warned"),
        ("warned", "plan"),
        ("plan", "restricted"),
        ("restricted", "suspended"),
    ]
    assert [day for day, _, _ in steps] == sorted({day for day, _, _ in steps})
