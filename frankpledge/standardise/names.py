"""Names of people: titles off, parts split, particles joined, nicknames and sound codes beside them."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from frankpledge.standardise import dummies
from frankpledge.standardise.fold import compact, fold, word_set
from frankpledge.standardise.nicknames import canonical
from frankpledge.standardise.notes import DUMMY, NOT_A_NAME, NOTHING, TITLE_ONLY, Reading, dropped
from frankpledge.standardise.phonetics import phonetic

_NOT_LETTERS = re.compile(r"[^a-z]+")
_ORDINAL = re.compile(r"\b\d+(?:st|nd|rd|th)\b")
_BRACKETED = re.compile(r"\([^)]*\)?")
_JOINERS = str.maketrans("", "", "'`\"0123456789")

TITLES = word_set(
    """
    mr mister mrs ms miss mx mstr dr doctor prof professor sir dame lady lord hon honourable rt rev revd reverend
    capt captain cllr councillor lt sgt cpl col colonel gen brig brigadier adm admiral wg cdr sqn ldr flt
    mme mlle madame mademoiselle monsieur herr frau sr sra srta senor senora signor signora dhr mevr mevrouw
    """
)
"""Forms of address before a name."""

RANKS = frozenset({"major", "master", "general", "baron", "baroness", "judge", "earl", "duke", "viscount", "the"})
"""Forms of address that are names too: dropped only when a name follows."""

SUFFIXES = word_set(
    """
    jr jnr junior snr senior esq esquire bt bart baronet phd md mbbs bsc msc bds mbe obe cbe kbe dbe qc kc jp frcs
    frs mrcp mrcs dl dsc dphil llb fca aca ii iii iv deceased decd
    """
)
"""What follows a name and is none."""

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
    tokens, reason = _tokens(text, lambda parts: parts)
    if not tokens:
        return dropped(reason) if reason else NOTHING
    first = canonical(tokens[0])
    atoms = {
        "given": " ".join(tokens),
        "given_first": tokens[0],
        "given_canonical": first,
        "given_phonetic": phonetic(first),
        "given_other": " ".join(tokens[1:]),
    }
    return Reading(tuple((name, value) for name, value in atoms.items() if value))


@lru_cache(maxsize=1 << 16)
def family(text: str) -> Reading:
    """Atoms family, family_phonetic and family_last of a family name.

    Particles join what follows, the parts of a double-barrelled name stay apart with a space between, whether it was
    written with a hyphen or not; the phonetic code is that of all parts together.
    """
    tokens, reason = _tokens(text, _join_particles)
    if not tokens:
        return dropped(reason) if reason else NOTHING
    name = " ".join(tokens)
    atoms = {"family": name, "family_phonetic": phonetic(name), "family_last": tokens[-1]}
    return Reading(tuple((atom, value) for atom, value in atoms.items() if value))


def _tokens(text: str, join: Callable[[list[str]], list[str]]) -> tuple[list[str], str]:
    """The parts of a name, or none and the reason.

    Joining can make a title of two letters (d r) and dropping a title can bare a placeholder, so the steps are
    repeated until nothing changes; each round makes the list shorter.
    """
    folded = fold(text)
    compacted = compact(folded)
    if not compacted:
        return [], ""
    if dummies.is_placeholder(folded, compacted):
        return [], DUMMY
    tokens = _NOT_LETTERS.sub(" ", _ORDINAL.sub(" ", _BRACKETED.sub(" ", folded)).translate(_JOINERS)).split()
    if not tokens:
        return [], NOT_A_NAME
    before: list[str] = []
    while tokens != before:
        before, tokens = tokens, join(_without_titles(tokens))
    if not tokens:
        return [], TITLE_ONLY
    return ([], DUMMY) if dummies.is_placeholder("", "".join(tokens)) else (tokens, "")


def _without_titles(tokens: list[str]) -> list[str]:
    """Titles off the front, suffixes off the back."""
    start, end = 0, len(tokens)
    while start < end and (tokens[start] in TITLES or (tokens[start] in RANKS and start + 1 < end)):
        start += 1
    while end > start and (tokens[end - 1] in SUFFIXES):
        end -= 1
    return tokens[start:end]


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
