"""JSON columns: what comes back is what was stored, on both stores."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from repository.domain.events import Event, EventKind
from repository.storage import events
from repository.storage.engine import Database, create_engine
from repository.storage.events import EVENTS


@pytest.mark.parametrize(
    "figures",
    [{}, {"a": None, "line": "motor"}, {"sum": 0.1 + 0.2, "least": 5e-324, "n": 2**62}, {"words": 'é "x"\\ \u2028 😀'}],
)
def test_what_is_stored_comes_back(database_url: str, figures: dict[str, Any]) -> None:
    """Numbers to the last bit, and text whatever is in it: a decision is taken again from these."""
    database = Database(create_engine(database_url))
    with database.writing() as connection:
        event = Event("evt_1", datetime(2026, 3, 2, tzinfo=UTC), EventKind.RULEBOOK_LOADED, None, None, None, figures)
        events.append(connection, event)
    with database.reading() as connection:
        found = connection.execute(select(EVENTS.c.figures).where(EVENTS.c.id == "evt_1")).scalar_one()
    database.close()
    assert found == figures
