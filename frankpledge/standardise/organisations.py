"""Names of organisations without their legal form, and company numbers."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from cleanco.termdata import terms_by_country, terms_by_type  # type: ignore[import-untyped]  # ships no types

from frankpledge.standardise import dummies
from frankpledge.standardise.fold import compact, fold, words
from frankpledge.standardise.notes import DUMMY, NOT_A_COMPANY_NUMBER, NOTHING, Reading, dropped
from frankpledge.standardise.phonetics import phonetic

_TRADING_AS = re.compile(r"\b(?:t/a|t\.a\.|trading as)\b.*$")
_UK_COMPANY = re.compile(r"([a-z]{2})?0*(\d{1,8})")
_PLACES = frozenset({("uk",), ("etat",)})  # listed as legal forms by cleanco, but part of a name here
_BRITISH_FORMS = (
    "ltd", "limited", "plc", "public limited company", "llp", "lp", "unlimited", "company", "co", "cic", "cio",
    "community interest company", "limited liability partnership", "cyf", "cyfyngedig", "ccc", "incorporated", "inc",
)  # fmt: skip


@lru_cache(maxsize=1 << 16)
def name(text: str) -> Reading:
    """Atoms org_name, org_name_sorted and org_name_phonetic: no legal form at the end, no leading 'the', & read as and.

    Legal forms are those of the `cleanco` package and the British ones (also in Welsh). What an organisation trades
    as is left off, and a name made of legal forms only stays as it is. The phonetic atom has the code of each word, in
    the order of the sorted name.
    """
    folded = fold(text)
    compacted = compact(folded)
    if not compacted:
        return NOTHING
    if dummies.is_placeholder(folded, compacted):
        return dropped(DUMMY)
    tokens = words((_TRADING_AS.sub("", folded) or folded).replace("&", " and ")) or words(folded)
    while tokens[0] == "the" and len(tokens) > 1:
        tokens = tokens[1:]
    tokens = _without_legal_form(_initials_joined(tokens))
    if dummies.is_placeholder("", "".join(tokens)):
        return dropped(DUMMY)
    in_order = sorted(tokens)
    sounds = " ".join(filter(None, map(phonetic, in_order)))
    atoms = (("org_name", " ".join(tokens)), ("org_name_sorted", " ".join(in_order)), ("org_name_phonetic", sounds))
    return Reading(tuple(atom for atom in atoms if atom[1]))


def _initials_joined(tokens: list[str]) -> list[str]:
    """Runs of single letters run together, so that 's a' and 'b b c' are one word each."""
    joined: list[str] = []
    previous_single = False
    for token in tokens:
        single = len(token) == 1 and token.isalpha()
        if single and previous_single:
            joined[-1] += token
        else:
            joined.append(token)
        previous_single = single
    return joined


def _without_legal_form(tokens: list[str]) -> list[str]:
    """Legal forms off the end, the longest first, as long as a name remains."""
    forms = _legal_forms()
    while True:
        longest = next((n for n in range(min(6, len(tokens) - 1), 0, -1) if tuple(tokens[-n:]) in forms), 0)
        if not longest:
            return tokens
        tokens = tokens[:-longest]


@cache
def _legal_forms() -> frozenset[tuple[str, ...]]:
    """Each legal form as folded words; Cyrillic and Greek ones would fold to common words, so they stay in names."""
    terms = [*_BRITISH_FORMS]
    for group in (terms_by_type, terms_by_country):
        terms += [term for forms in group.values() for term in forms if term.isascii()]
    folded = (tuple(_initials_joined(words(fold(term).replace("&", " and ")))) for term in terms)
    return frozenset(form for form in folded if form and form not in _PLACES)


def company_number(text: str) -> Reading:
    """Atom company_number: eight characters with leading zeros, as Companies House has it (sc012345)."""
    folded = fold(text)
    compacted = compact(folded)
    if not compacted:
        return NOTHING
    if dummies.is_placeholder(folded, compacted):
        return dropped(DUMMY)
    if match := _UK_COMPANY.fullmatch(compacted):
        prefix = match[1] or ""
        compacted = prefix + match[2].zfill(8 - len(prefix))
    if len(compacted) < 4 or dummies.repeated(compacted[-6:]):
        return dropped(NOT_A_COMPANY_NUMBER)
    return Reading((("company_number", compacted),))
