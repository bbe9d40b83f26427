"""Failed log-ins in the database."""

from __future__ import annotations

import threading

from flask import Flask
from sqlalchemy import select

from repository.services import Services
from repository.storage import credentials
from repository.storage.credentials import LoginFailureRow
from tests.support.clock import FakeClock

AT_ONCE = 8


def test_first_failures_at_once_are_all_counted(app: Flask, services: Services, clock: FakeClock) -> None:
    """Several first failures under one name at the same moment: none fails, and none is lost."""
    start = threading.Barrier(AT_ONCE)
    counts: list[int] = []

    def fail() -> None:
        start.wait()
        with services.database.write() as session:
            counts.append(credentials.record_failure(session, "someone", now=clock()))

    threads = [threading.Thread(target=fail) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counts) == list(range(1, AT_ONCE + 1))
    with services.database.read() as session:
        assert session.scalar(select(LoginFailureRow.failures)) == AT_ONCE
