"""What is known of a person besides names, dates and addresses."""

from __future__ import annotations

from functools import lru_cache

from frankpledge.standardise import dummies
from frankpledge.standardise.fold import compact, fold
from frankpledge.standardise.notes import DUMMY, NOTHING, SEX_NOT_UNDERSTOOD, Reading, dropped, found

_SEX = {
    "m": "m male man boy masculine masc 1",
    "f": "f female woman girl w feminine fem 2",
    "x": "x other nonbinary nb diverse d enby",
}
_SEX_BY_WORD = {word: code for code, known in _SEX.items() for word in known.split()}
_SEX_UNKNOWN = frozenset({"u", "0", "9"})


@lru_cache(maxsize=1024)
def sex(text: str) -> Reading:
    """Atom sex: m, f or x, from words, letters or the codes of ISO/IEC 5218."""
    folded = fold(text)
    compacted = compact(folded)
    if not compacted:
        return NOTHING
    if code := _SEX_BY_WORD.get(compacted):
        return found("sex", code)
    placeholder = compacted in _SEX_UNKNOWN or dummies.is_placeholder(folded, compacted)
    return dropped(DUMMY if placeholder else SEX_NOT_UNDERSTOOD)
