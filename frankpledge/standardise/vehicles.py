"""Registration marks and vehicle identification numbers."""

from __future__ import annotations

from frankpledge.standardise import dummies
from frankpledge.standardise.fold import compact, fold
from frankpledge.standardise.notes import DUMMY, NOT_A_REGISTRATION, NOT_A_VIN, NOTHING, Reading, dropped, found

_LOOKALIKES = str.maketrans("01", "oi")
_VIN_LETTERS = str.maketrans("ioq", "100")


def registration(text: str, atom: str = "registration") -> Reading:
    """The registration mark under the atom name given: no spaces, 0 and 1 read as o and i, as cameras and clerks do.

    Marks of 2 to 10 characters are kept, whatever the country.
    """
    folded = fold(text)
    compacted = compact(folded)
    if not compacted:
        return NOTHING
    mark = compacted.translate(_LOOKALIKES)
    if dummies.is_placeholder(folded, compacted) or dummies.is_placeholder("", mark):
        return dropped(DUMMY)
    return found(atom, mark) if 2 <= len(mark) <= 10 else dropped(NOT_A_REGISTRATION)


def vin(text: str) -> Reading:
    """Atom vin: 17 characters by ISO 3779, which has no I, O or Q (read as 1, 0, 0); older ones 8 or more."""
    folded = fold(text)
    compacted = compact(folded).translate(_VIN_LETTERS)
    if not compacted:
        return NOTHING
    if dummies.is_placeholder(folded, compact(folded)) or dummies.repeated(compacted):
        return dropped(DUMMY)
    return found("vin", compacted) if 8 <= len(compacted) <= 17 else dropped(NOT_A_VIN)
