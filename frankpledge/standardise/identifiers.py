"""National identifiers and driving licences."""

from __future__ import annotations

import re

from frankpledge.standardise import dummies
from frankpledge.standardise.fold import compact, fold
from frankpledge.standardise.notes import DUMMY, NOT_AN_IDENTIFIER, NOTHING, Reading, dropped, found

_NINO = re.compile(r"([a-z]{2})(\d{6})[a-d ]?")
_UK_LICENCE = re.compile(r"([a-z]{2}[a-z9]{3}\d{6}[a-z9]{2}[a-z0-9][a-z]{2})\d{2}")
_SHORTEST = 4


def national_id(text: str) -> Reading:
    """Atom national_id: letters and digits; a UK national insurance number goes without its suffix letter.

    The suffix (A to D) is often left out and tells nobody apart. Examples such as QQ 12 34 56 C are dropped.
    """
    compacted, reading = _plain(text)
    if reading is not None:
        return reading
    if match := _NINO.fullmatch(compacted):
        if dummies.repeated(match[2]) or match[2] in dummies.ID_DIGITS:
            return dropped(DUMMY)
        return found("national_id", match[1] + match[2])
    return found("national_id", compacted)


def driving_licence(text: str) -> Reading:
    """Atom driving_licence: letters and digits; a UK number goes without the two digits of its issue."""
    compacted, reading = _plain(text)
    if reading is not None:
        return reading
    match = _UK_LICENCE.fullmatch(compacted)
    return found("driving_licence", match[1] if match else compacted)


def _plain(text: str) -> tuple[str, Reading | None]:
    """Letters and digits of an identifier, or the reading that says why it is none."""
    folded = fold(text)
    compacted = compact(folded)
    if not compacted:
        return "", NOTHING
    if dummies.is_placeholder(folded, compacted):
        return "", dropped(DUMMY)
    return compacted, None if len(compacted) >= _SHORTEST else dropped(NOT_AN_IDENTIFIER)
