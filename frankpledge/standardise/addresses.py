"""House numbers, streets and towns."""

from __future__ import annotations

import re
from functools import lru_cache

from frankpledge.standardise import dummies
from frankpledge.standardise.fold import compact, fold, word_set, words
from frankpledge.standardise.notes import DUMMY, NOT_A_PLACE, NOTHING, Reading, dropped, found

STREET_TYPES = {
    "street": "st", "str": "st", "road": "rd", "avenue": "av", "ave": "av", "lane": "ln", "drive": "dr", "drv": "dr",
    "close": "cl", "court": "ct", "crt": "ct", "crescent": "cres", "cresc": "cres", "cr": "cres", "crs": "cres",
    "place": "pl", "square": "sq", "terrace": "terr", "ter": "terr", "tce": "terr", "gardens": "gdns",
    "garden": "gdns", "gdn": "gdns", "grove": "gr", "grv": "gr", "gro": "gr", "park": "pk", "parade": "pde",
    "circuit": "cct", "circ": "cct", "circle": "cir", "highway": "hwy", "boulevard": "bvd", "blvd": "bvd",
    "mount": "mt", "hill": "hl", "green": "gn", "grn": "gn", "way": "wy", "walk": "wlk", "mews": "ms", "view": "vw",
    "rise": "ri", "row": "rw", "yard": "yd", "passage": "psge", "quay": "qy", "wharf": "whf", "bridge": "brg",
    "heights": "hts", "meadow": "mdw", "meadows": "mdws", "cottages": "cotts", "buildings": "bldgs",
    "building": "bldg", "estate": "est", "lodge": "ldg", "villas": "vls", "crossing": "xing", "esplanade": "esp",
    "promenade": "prom", "broadway": "bdwy", "north": "n", "south": "s", "east": "e", "west": "w",
}  # fmt: skip
"""Last words of a street and their canonical abbreviation."""

_GLUED = re.compile(r"(.{3,})(street|avenue|crescent|circuit|terrace|parade)")
_LEADING_NUMBER = re.compile(r"(\d+[a-z]?(?: ?[-/] ?\d+[a-z]?)?)[ ,]+(?=\S*[a-z]{2})")
_NUMBER_LETTER = re.compile(r"\b(\d+) ([a-z])\b")
_LEADING_ZEROS = re.compile(r"\b0+(?=\d)")
_UNIT_WORDS = word_set("flat apartment apt unit number no house room suite the")
_LONG_NUMBER = re.compile(r"\d{6}")


def address(house_number: str, street: str) -> tuple[Reading, Reading]:
    """Readings of house number and street; a number in front of the street serves where no house number is given."""
    if not house_number and (match := _LEADING_NUMBER.match(fold(street))):
        return number(match[1]), road(fold(street)[match.end() :])
    return number(house_number), road(street)


@lru_cache(maxsize=1 << 14)
def number(text: str) -> Reading:
    """Atom house_number: words such as 'flat' and leading zeros off, 12 A made 12a, parts of a flat kept in order."""
    folded = fold(text)
    if not compact(folded):
        return NOTHING
    parts = words(folded)
    kept = " ".join(part for part in parts if part not in _UNIT_WORDS) or " ".join(parts)
    kept = _NUMBER_LETTER.sub(r"\1\2", _LEADING_ZEROS.sub("", kept))
    return dropped(DUMMY) if kept == "0" or _is_dummy(folded) else found("house_number", kept)


@lru_cache(maxsize=1 << 16)
def road(text: str) -> Reading:
    """Atom street: words folded, the last one abbreviated (road is rd), also when it grew on to the one before."""
    folded = fold(text)
    if not compact(folded):
        return NOTHING
    if _is_dummy(folded):
        return dropped(DUMMY)
    parts = ["st" if part == "saint" else part for part in words(folded)]
    if match := _GLUED.fullmatch(parts[-1]):
        parts[-1:] = match.groups()
    last = len(parts) - 1
    if last and parts[last] in {"n", "s", "e", "w", "north", "south", "east", "west"}:
        parts[last] = parts[last][0]
        last -= 1
    if last:
        parts[last] = STREET_TYPES.get(parts[last], parts[last])
    return found("street", " ".join(parts))


@lru_cache(maxsize=1 << 16)
def town(text: str) -> Reading:
    """Atom town: the first of several (before a comma or a bar), saint written st, 'the' and 'city of' off."""
    folded = fold(text)
    if not compact(folded):
        return NOTHING
    if _is_dummy(folded):
        return dropped(DUMMY)
    first = next(part for part in re.split(r"[,|;]", folded) if compact(part))
    if _LONG_NUMBER.search(first):
        return dropped(NOT_A_PLACE)
    return found("town", " ".join("st" if part == "saint" else part for part in words(first)))


def _is_dummy(folded: str) -> bool:
    compacted = compact(folded)
    return dummies.is_placeholder(folded, compacted) and not compacted.isdigit()
