"""Members' numbers, which are part of their records' ids."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from repository.domain.members import MOST_MEMBERS
from repository.services.onboarding import OnboardingError, admit_member
from repository.storage.engine import Database, create_engine
from repository.storage.members import find_member

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_members_are_numbered_until_the_numbers_run_out(database_url: str) -> None:
    """From 1, each once; one member too many is refused with the reason."""
    database = Database(create_engine(database_url))
    with database.write() as session:
        numbers = [admit_member(session, name, ["motor"], now=NOW).number for name in ("Alpha", "Beta")]
        last = find_member(session, "Beta")
        assert last is not None
        last.number = MOST_MEMBERS
        session.flush()
        with pytest.raises(OnboardingError, match="at most 4095"):
            admit_member(session, "Gamma", ["motor"], now=NOW)
    assert numbers == [1, 2]
    database.close()
