"""Values of typed inputs as the text a CSV would hold."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal


class NotTextError(ValueError):
    """A value that has no plain text form, such as a list."""


def as_text(value: object) -> str:
    """Turn a JSON or Parquet value into text: nothing becomes "", 7.0 becomes "7", a date YYYY-MM-DD.

    Raises NotTextError for what is not a plain value; the message holds no value.
    """
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        value = value.date()
    if isinstance(value, str | dt.date) or type(value) is int:
        return str(value).strip()
    if isinstance(value, float | Decimal):
        return _number(value)
    raise NotTextError("text or a number")


def _number(value: float | Decimal) -> str:
    if value != value:  # noqa: PLR0124 - not-a-number is how tables write nothing
        return ""
    if value in (float("inf"), float("-inf")):
        raise NotTextError("a finite number")
    return str(int(value)) if value == int(value) else str(value)
