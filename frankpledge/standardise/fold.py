"""Unicode folding: any text to plain lower-case ASCII, so that spelling habits of systems do not part people."""

from __future__ import annotations

import re
import unicodedata

from anyascii import anyascii

_NOT_ALNUM = re.compile(r"[^a-z0-9]+")
_APOSTROPHES = str.maketrans("", "", "'`\"")


def fold(text: str) -> str:
    """Lower-case ASCII of any text, with runs of white space made one space.

    NFKC first (full-width forms, ligatures, composed accents), then anyascii, so that ł is l, the Turkish dotless
    and dotted i are i, ø is o, ß is ss and æ is ae. Umlauts lose their dots: ü is u, not ue; the phonetic codes
    join Müller and Mueller.
    Symbols and control characters part words, as anyascii would spell emoji out; invisible characters (zero width,
    soft hyphens) vanish.
    """
    if not text.isascii():
        composed = unicodedata.normalize("NFKC", text)
        text = anyascii("".join(map(_plain, composed)))
    return " ".join(text.lower().split())


def _plain(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cf":
        return ""
    return " " if category[0] in "SC" else character


def words(folded: str) -> list[str]:
    """The runs of letters and digits in folded text; apostrophes join (o'brien is one word), all else parts."""
    return [folded] if folded.isalnum() else _NOT_ALNUM.sub(" ", folded.translate(_APOSTROPHES)).split()


def word_set(text: str) -> frozenset[str]:
    """The words of a list kept as running text."""
    return frozenset(text.split())


def compact(folded: str) -> str:
    """Only the letters and digits of folded text, run together."""
    return folded if folded.isalnum() else _NOT_ALNUM.sub("", folded)
