"""Times that cannot be misread."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import make_url
from sqlalchemy.engine import Dialect

from repository.storage.base import UtcDateTime

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
DIALECTS = [make_url(name).get_dialect()() for name in ("sqlite://", "postgresql+psycopg://")]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_time_comes_back_in_utc(dialect: Dialect) -> None:
    """Whatever offset it came with, the same point in time comes back, in UTC."""
    column = UtcDateTime()
    summer = NOON.astimezone(timezone(timedelta(hours=2)))
    stored = column.process_bind_param(summer, dialect)
    back = column.process_result_value(stored, dialect)
    assert back == NOON
    assert back is not None
    assert back.tzinfo is UTC


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_naive_time_is_refused(dialect: Dialect) -> None:
    """A time without an offset is a mistake."""
    with pytest.raises(ValueError, match="naive"):
        UtcDateTime().process_bind_param(NOON.replace(tzinfo=None), dialect)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_no_time_stays_none(dialect: Dialect) -> None:
    """NULL goes both ways."""
    assert UtcDateTime().process_bind_param(None, dialect) is None
    assert UtcDateTime().process_result_value(None, dialect) is None
