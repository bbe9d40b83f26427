"""The row guard is on for every test of the service and its storage."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _guarded(scoped: None) -> None:
    """Whatever the service asks of members' tables binds the member, or has a reason (tests/support/unscoped.py)."""
