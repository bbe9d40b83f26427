"""Identifiers: a prefix that says what the thing is, then 26 characters that sort by time.

The 26 characters are 48 bits of milliseconds since 1970 and 80 random bits in RFC 4648 base32hex, whose alphabet
keeps the order of the bytes, in lower case. Time and randomness are arguments, so a test can fix both.
"""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta
from typing import Literal, get_args

Prefix = Literal[
    "fil",
    "hit",
    "bat",
    "scr",
    "mem",
    "act",
    "evt",
    "tok",
    "dec",
    "app",
    "apl",
    "grt",
    "prf",
    "dsp",
    "cor",
    "upl",
    "job",
    "whk",
    "off",
    "drq",
    "sbr",
    "sbp",
    "sup",
    "cas",
    "nte",
    "fnd",
    "del",
    "hld",
    "rft",
    "alt",
    "net",
    "wch",
]
RANDOM_BYTES = 10

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_DIGITS = "0123456789abcdefghijklmnopqrstuv"
# The standard library takes several times as long, and a question needs some ids.
_PAIRS = [high + low for high in _DIGITS for low in _DIGITS]
_SHIFTS = range(120, -1, -10)
_SHAPE = re.compile(rf"({'|'.join(get_args(Prefix))})_[0-9a-v]{{26}}")


def make(prefix: Prefix, at: datetime, randomness: bytes) -> str:
    """Return an id such as `fil_06c3...` for the aware instant `at` and `RANDOM_BYTES` random bytes.

    Raises ValueError if `at` is naive or before 1970, or the randomness has another length.
    """
    if len(randomness) != RANDOM_BYTES:
        raise ValueError(f"an id takes {RANDOM_BYTES} random bytes")
    if at.tzinfo is None:
        raise ValueError("an id takes an aware instant")
    try:
        moment = ((at - _EPOCH) // _MILLISECOND).to_bytes(6, "big")
    except OverflowError as error:
        raise ValueError("an id takes an instant from 1970 on") from error
    bits = int.from_bytes(moment + randomness, "big") << 2
    return f"{prefix}_{''.join([_PAIRS[bits >> shift & 1023] for shift in _SHIFTS])}"


def is_id(text: object, prefix: Prefix) -> bool:
    """Whether `text` has the shape of an id of this prefix; says nothing of whether the thing exists."""
    return isinstance(text, str) and _SHAPE.fullmatch(text) is not None and text.startswith(f"{prefix}_")


def instant(identifier: str) -> datetime:
    """Return the UTC instant, to the millisecond, at which an id was made. Raises ValueError on another shape."""
    if _SHAPE.fullmatch(identifier) is None:
        raise ValueError("not an id")
    raw = base64.b32hexdecode(identifier[4:].upper() + "======")
    return _EPOCH + int.from_bytes(raw[:6], "big") * _MILLISECOND
