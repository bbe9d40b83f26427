"""Flags on filings: what keeps others from seeing all of a record, for a cause that somebody gave, until it is over."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Flag(StrEnum):
    """How far a flag restricts, the mildest first; suppressed: nobody but the contributor sees the record."""

    DISPUTED = "disputed"
    RESTRICTED = "restricted"
    SUPPRESSED = "suppressed"


_ORDER = tuple(Flag)


def strongest(flags: Iterable[str]) -> Flag | None:
    """What several causes come to: the strictest of their flags."""
    return max(map(Flag, flags), key=_ORDER.index, default=None)


def is_stricter(flag: Flag | None, than: Flag | None) -> bool:
    """Whether one flag shows less than another, or than none."""
    return strength(flag) > strength(than)


def strength(flag: Flag | None) -> int:
    """0 for none, then in the order of the flags."""
    return 0 if flag is None else 1 + _ORDER.index(flag)
