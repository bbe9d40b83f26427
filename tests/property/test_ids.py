"""Ids for any time and randomness."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from repository.domain import ids

INSTANTS = st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2900, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - Hypothesis adds the zone
RANDOMNESS = st.binary(min_size=10, max_size=10)


@given(INSTANTS, RANDOMNESS)
def test_the_instant_comes_back_to_the_millisecond(at: datetime, randomness: bytes) -> None:
    """`instant` undoes `make`, rounding down to a millisecond."""
    assert timedelta() <= at - ids.instant(ids.make("scr", at, randomness)) < timedelta(milliseconds=1)


@given(INSTANTS, RANDOMNESS, INSTANTS, RANDOMNESS)
def test_order_of_ids_is_order_in_time(at: datetime, one: bytes, later: datetime, other: bytes) -> None:
    """Of two ids of different milliseconds, the text of the later one is the greater."""
    first, second = ids.make("fil", at, one), ids.make("fil", later, other)
    if ids.instant(first) != ids.instant(second):
        assert (first < second) == (at < later)


@given(INSTANTS, RANDOMNESS, RANDOMNESS)
def test_other_randomness_gives_another_id(at: datetime, one: bytes, other: bytes) -> None:
    """No randomness is lost."""
    assert (ids.make("evt", at, one) == ids.make("evt", at, other)) == (one == other)
