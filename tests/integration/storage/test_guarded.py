"""The row guard is on, for tests that do not ask for it."""

from __future__ import annotations

import inspect

import pytest
from sqlalchemy import select

from repository.services import Services
from repository.storage import batches
from repository.storage.filings import FILINGS
from tests.support.clock import FakeClock
from tests.support.scope import Guard, UnscopedError


def test_a_forgotten_member_fails_any_test(
    services: Services, clock: FakeClock, request: pytest.FixtureRequest
) -> None:
    """A question for the day's bytes of a member, without its member, and one for every filing."""
    assert "scoped" in request.fixturenames  # and this test did not ask for it
    scoped: Guard = request.getfixturevalue("scoped")
    forgotten = inspect.getsource(batches.received_since).replace("BATCHES.c.member_id == member_id, ", "")
    assert "member_id ==" not in forgotten
    space = dict(vars(batches))
    exec(forgotten, space)  # noqa: S102 - the function as it is, but for a part of its where
    planted = {"__name__": "repository.storage.planted", "statement": select(FILINGS.c.id)}
    exec("def read(connection):\n    return connection.execute(statement)\n", planted)  # noqa: S102 - the planted query
    with services.database.reading() as connection:
        with pytest.raises(UnscopedError):
            space["received_since"](connection, "mem_1", clock())
        with pytest.raises(UnscopedError):
            planted["read"](connection)  # type: ignore[operator]
    assert len(scoped.faults) == 2
    scoped.faults.clear()
