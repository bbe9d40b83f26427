"""Postcodes: UK ones to canonical form with outward part and sector, others folded."""

from __future__ import annotations

import re
from functools import lru_cache

from frankpledge.standardise import dummies
from frankpledge.standardise.countries import UK
from frankpledge.standardise.fold import compact, fold, words
from frankpledge.standardise.notes import (
    DUMMY,
    INCOMPLETE_POSTCODE,
    LETTER_DIGIT_MENDED,
    NOT_A_UK_POSTCODE,
    NOTHING,
    Reading,
    dropped,
)

_UK = re.compile(r"([a-z]{1,2}\d[a-z\d]?)(\d[a-z]{2})")
_OUTWARD = re.compile(r"[a-z]{1,2}\d[a-z\d]?")
_TO_DIGIT = str.maketrans("oilsz", "01152")
_TO_LETTER = str.maketrans("015", "ois")


@lru_cache(maxsize=1 << 16)
def postcode(text: str, country: str = "") -> Reading:
    """Atoms postcode, outward and sector.

    A UK postcode loses its space (wr90ae); outward is wr9 and sector wr90. A letter and a digit that look alike
    (O and 0, I and 1, S and 5) are mended where the shape leaves no doubt. If only the outward part can be read, it
    is kept alone. Elsewhere the letters and digits are kept and outward is the first two characters, or three of a
    code longer than four.
    """
    folded = fold(text)
    compacted = compact(folded)
    if not compacted:
        return NOTHING
    if dummies.is_placeholder(folded, compacted) or compacted in dummies.POSTCODES:
        return dropped(DUMMY)
    if country in UK and (reading := _uk(folded, compacted)):
        return reading
    reasons = (NOT_A_UK_POSTCODE,) if country == "gb" else ()
    outward = compacted[: 2 if len(compacted) <= 4 else 3]
    return Reading((("postcode", compacted), ("outward", outward)), reasons)


def _uk(folded: str, compacted: str) -> Reading | None:
    """A whole UK postcode, one with look-alikes mended, or an outward part; None if it is none of these."""
    if match := _UK.fullmatch(compacted):
        return _whole(match)
    if 5 <= len(compacted) <= 7 and (match := _UK.fullmatch(_mended(compacted))):
        return _whole(match, LETTER_DIGIT_MENDED)
    for outward in (words(folded)[0], compacted):
        if _OUTWARD.fullmatch(outward):
            return Reading((("outward", outward),), (INCOMPLETE_POSTCODE,))
    return None


def _whole(match: re.Match[str], *reasons: str) -> Reading:
    outward, inward = match.groups()
    atoms = (("postcode", outward + inward), ("outward", outward), ("sector", outward + inward[0]))
    return Reading(atoms, reasons)


def _mended(compacted: str) -> str:
    """Look-alikes put right where UK postcodes have a fixed kind: first character, and the last three."""
    head, middle, digit, letters = compacted[0], compacted[1:-3], compacted[-3], compacted[-2:]
    if middle and not any(c.isdigit() for c in middle):
        middle = middle[:-1] + middle[-1].translate(_TO_DIGIT)
    return head.translate(_TO_LETTER) + middle + digit.translate(_TO_DIGIT) + letters.translate(_TO_LETTER)
