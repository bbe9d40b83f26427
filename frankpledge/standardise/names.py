"""Names of people: titles off, parts split, particles joined, nicknames and sound codes beside them."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from frankpledge.standardise import dummies
from frankpledge.standardise.fold import compact, fold, word_set
from frankpledge.standardise.nicknames import canonical
from frankpledge.standardise.notes import DUMMY, LETTER_DIGIT_MENDED, NOT_A_NAME, TITLE_ONLY, Reading
from frankpledge.standardise.phonetics import phonetic

_NOT_LETTERS = re.compile(r"[^a-z]+")
_ORDINAL = re.compile(r"\b\d+(?:st|nd|rd|th)\b")
_BRACKETED = re.compile(r"\([^)]*\)?")
_APOSTROPHES = str.maketrans("", "", "'`\"")
_DIGIT_IN_WORD = re.compile(r"(?<=[a-z])\d|\d(?=[a-z])")
_LETTER_UNDER = dict(zip("1234567890", "qwertyuioo", strict=True))

_BARE_TITLES = word_set(
    """
    mr mister mrs ms miss mx mstr dr sir prof professor hon honourable rt rev revd reverend capt cllr councillor lt
    sgt cpl brig brigadier mme mlle madame mademoiselle monsieur herr frau sra srta senor senora signor signora dhr
    mevr mevrouw jr jnr snr esq esquire bt baronet phd deceased decd
    """
)
"""Titles and suffixes that are never a name, also where nothing else was written."""

_BARE_GIVEN_TITLES = _BARE_TITLES | word_set("lord lady dame captain colonel general admiral doctor baron baroness")
"""In a column of given names a lone one of these is a title; in one of family names it is a name: Lord, Captain."""

TITLES = _BARE_GIVEN_TITLES | word_set("col gen adm wg cdr sqn ldr flt sr major master judge earl duke viscount the")
"""Forms of address dropped when a name follows."""

SUFFIXES = _BARE_TITLES | word_set(
    """
    junior senior sr bart mbbs bsc msc bds mbe obe cbe kbe dbe qc kc jp frcs frs mrcp mrcs dl dsc dphil llb fca aca
    ii iii iv
    """
)
"""What may follow a name, dropped when a name stands before it."""

PARTICLES = word_set(
    """
    de da di do dos das del della delle degli der den des du d la le l las los lo van von vom zu zum zur ten ter
    te op al el ul bin ibn bint ben binti abu abd abdul o mc mac fitz st san santa sao ap ab af av ni nic ui
    """
)
"""Parts that belong to the part after them: de la Cruz is delacruz, Mc Donald is mcdonald."""


@lru_cache(maxsize=1 << 16)
def given(text: str) -> Reading:
    """Atoms given, given_first, given_canonical, given_phonetic and given_other of a column of given names.

    Hyphens part names (mary-jane is mary and jane), initials stand alone. A column that holds a full name is not
    split into given and family: nothing in it tells which is which. The phonetic code is that of the canonical form,
    so that it joins nicknames and misspellings alike.
    """
    tokens, reasons = _tokens(text, _BARE_GIVEN_TITLES, lambda parts: parts)
    if not tokens:
        return Reading((), reasons)
    first = canonical(tokens[0])
    atoms = {
        "given": " ".join(tokens),
        "given_first": tokens[0],
        "given_canonical": first,
        "given_phonetic": phonetic(first),
        "given_other": " ".join(tokens[1:]),
    }
    return Reading(tuple([(name, value) for name, value in atoms.items() if value]), reasons)


@lru_cache(maxsize=1 << 16)
def family(text: str) -> Reading:
    """Atoms family, family_phonetic and family_last of a family name.

    Particles join what follows, the parts of a double-barrelled name stay apart with a space between, whether it was
    written with a hyphen or not; the phonetic code is that of all parts together.
    """
    tokens, reasons = _tokens(text, _BARE_TITLES, _join_particles)
    if not tokens:
        return Reading((), reasons)
    name = " ".join(tokens)
    atoms = {"family": name, "family_phonetic": phonetic(name), "family_last": tokens[-1]}
    return Reading(tuple([(atom, value) for atom, value in atoms.items() if value]), reasons)


def _tokens(
    text: str, bare_titles: frozenset[str], join: Callable[[list[str]], list[str]]
) -> tuple[list[str], tuple[str, ...]]:
    """The parts of a name, and the reasons for dropping or mending.

    Joining can make a title of two letters (d r) and dropping a title can bare a placeholder, so the steps are
    repeated until nothing changes; each round makes the list shorter.
    """
    folded = fold(text)
    compacted = compact(folded)
    if not compacted:
        return [], ()
    if dummies.is_placeholder(folded, compacted):
        return [], (DUMMY,)
    tokens, mended = _letters(folded)
    if not tokens:
        return [], (NOT_A_NAME,)
    before: list[str] = []
    while tokens != before:
        before, tokens = tokens, join(_without_titles(tokens, bare_titles))
    if not tokens:
        return [], (TITLE_ONLY,)
    if dummies.is_placeholder("", "".join(tokens)):
        return [], (DUMMY,)
    return tokens, ((LETTER_DIGIT_MENDED,) if mended else ())


def _letters(folded: str) -> tuple[list[str], int]:
    """The runs of letters, and how many digits were mended.

    Brackets and ordinals (3rd baronet) hold no name. A digit inside a word is a slip of the finger from the letter
    under it on the keyboard, or a 0 for an o: measured on true links, that letter is right more than half the time.
    """
    text = _ORDINAL.sub(" ", _BRACKETED.sub(" ", folded)).translate(_APOSTROPHES)
    text, mended = _DIGIT_IN_WORD.subn(lambda digit: _LETTER_UNDER[digit[0]], text)
    return _NOT_LETTERS.sub(" ", text).split(), mended


def _without_titles(tokens: list[str], bare_titles: frozenset[str]) -> list[str]:
    """Titles off the front and suffixes off the back of a name, and nothing left of a title that stands alone."""
    start, end = 0, len(tokens)
    while end - start > 1 and tokens[start] in TITLES:
        start += 1
    while end - start > 1 and tokens[end - 1] in SUFFIXES:
        end -= 1
    return [] if end - start == 1 and tokens[start] in bare_titles else tokens[start:end]


def _join_particles(tokens: list[str]) -> list[str]:
    """Each run of particles run together with the part after it."""
    joined: list[str] = []
    pending = ""
    for token in tokens:
        pending += token
        if token not in PARTICLES:
            joined.append(pending)
            pending = ""
    return [*joined, pending] if pending else joined
