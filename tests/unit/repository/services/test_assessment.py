"""How far back a ledger is read for a standing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from repository.services.assessment import first_day
from tests.support.rulebooks import DEFAULT_RULEBOOK
from tests.support.standing import ADMITTED, day, terms


@pytest.mark.parametrize("entry", ["counted_days", "seen_days"])
def test_every_day_a_rule_looks_at_is_read(entry: str) -> None:
    """Whatever looks back furthest: contributions are counted, and records seen, over as many days as the rules say."""
    far = replace(DEFAULT_RULEBOOK, level=replace(DEFAULT_RULEBOOK.level, **{entry: 700}))
    assert first_day(terms(), [(ADMITTED, far)], day(1000)) <= day(1000) - timedelta(days=700)
