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
_NUMBER = re.compile(r"\d+[a-z]?")
_NUMBER_LETTER = re.compile(r"\b(\d+) ([a-z])\b")
_LEADING_ZEROS = re.compile(r"\b0+(?=\d)")
_UNIT_WORDS = word_set("flat apartment apt unit number no house room suite the")
_LONG_NUMBER = re.compile(r"\d{6}")


def address(house_number: str, street: str) -> tuple[Reading, Reading]:
    """Readings of house number and street; numbers in front of the street serve where no house number is known."""
    house = number(house_number)
    if not house.atoms and (in_front := _number_in_front(street)):
        parts = words(fold(street))
        taken = number(" ".join(parts[:in_front]))
        return Reading(taken.atoms, house.reasons + taken.reasons), road(" ".join(parts[in_front:]))
    return house, road(street)


def _number_in_front(street: str) -> int:
    """How many words at the start of a street are house numbers, none if no word of letters comes after them."""
    parts = words(fold(street))
    count = next((n for n, part in enumerate(parts) if not _NUMBER.fullmatch(part)), len(parts))
    return count if count < len(parts) and len(parts[count]) > 1 else 0


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
