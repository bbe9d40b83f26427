"""Ids: shape, order and what they tell."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repository.domain import ids

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_an_id_has_its_prefix_and_twenty_six_characters() -> None:
    """The shape is the one that `is_id` accepts, for that prefix and no other."""
    made = ids.make("fil", NOON, bytes(10))
    assert made.startswith("fil_")
    assert len(made) == 30
    assert ids.is_id(made, "fil")
    assert not ids.is_id(made, "hit")


def test_a_later_id_sorts_after() -> None:
    """A millisecond is enough, whatever the randomness."""
    before = ids.make("hit", NOON, b"\xff" * 10)
    after = ids.make("hit", NOON + timedelta(milliseconds=1), bytes(10))
    assert before < after


@pytest.mark.parametrize("other", ["", "fil_", "fil_" + "z" * 26, "fil_" + "0" * 25, "FIL_" + "0" * 26, None, 7])
def test_other_things_are_no_ids(other: object) -> None:
    """Wrong length, wrong alphabet, wrong case and other types are told apart without an error."""
    assert not ids.is_id(other, "fil")


def test_naive_times_and_short_randomness_are_refused() -> None:
    """Both are programming errors and raise."""
    with pytest.raises(ValueError, match="aware"):
        ids.make("fil", datetime(2026, 3, 2), bytes(10))  # noqa: DTZ001 - the naive time is what is tested
    with pytest.raises(ValueError, match="random bytes"):
        ids.make("fil", NOON, bytes(9))
    with pytest.raises(ValueError, match="1970"):
        ids.make("fil", datetime(1969, 1, 1, tzinfo=UTC), bytes(10))
    with pytest.raises(ValueError, match="not an id"):
        ids.instant("fil_short")


FROM, UNTIL = datetime(1970, 1, 1), datetime(9999, 1, 1)  # noqa: DTZ001 - Hypothesis takes bounds without a zone


@given(st.datetimes(FROM, UNTIL, timezones=st.just(UTC)), st.binary(min_size=10, max_size=10))
def test_an_id_is_base32hex_of_its_time_and_randomness(at: datetime, randomness: bytes) -> None:
    """The characters are those of RFC 4648, in lower case; the time is read back to the millisecond."""
    text = ids.make("hit", at, randomness)
    raw = base64.b32hexdecode(text.removeprefix("hit_").upper() + "======")
    assert raw[6:] == randomness
    assert ids.instant(text) == at.replace(microsecond=at.microsecond // 1000 * 1000)
