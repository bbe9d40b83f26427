"""The check value of the operator's secret."""

from __future__ import annotations

from repository.services.operator import check_value


def test_a_check_value_tells_secrets_apart_and_is_short() -> None:
    """64 bits: enough to notice the wrong file, and a one-way function of the secret."""
    values = {check_value(bytes([number]) * 32) for number in range(100)}
    assert len(values) == 100
    assert all(len(value) == 16 for value in values)
