"""What a reader of one field hands back: atoms, and the reasons for whatever it dropped or mended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

DUMMY = "dummy value"
TOO_LONG = "longer than 500 characters"
NOT_A_NAME = "no letters in name"
TITLE_ONLY = "only a title"
IMPOSSIBLE_DATE = "impossible date"
NOT_A_DATE = "not a date"
CENTURY_ASSUMED = "century assumed"
DAY_AND_MONTH_SWAPPED = "day and month swapped"
NOT_A_PLACE = "not a place name"
NOT_A_UK_POSTCODE = "not a UK postcode"
INCOMPLETE_POSTCODE = "incomplete UK postcode"
LETTER_DIGIT_MENDED = "letter and digit confused, mended"
UNKNOWN_COUNTRY = "country not recognised"
NOT_A_PHONE = "not a possible phone number"
NOT_AN_EMAIL = "not an email address"
NO_SORT_CODE = "sort code missing"
BAD_IBAN = "IBAN check digits or structure wrong"
NOT_AN_ACCOUNT = "not a bank account"
NOT_A_REGISTRATION = "not a registration mark"
NOT_A_VIN = "not a vehicle identification number"
NOT_AN_IDENTIFIER = "too short for an identifier"
NOT_A_COMPANY_NUMBER = "not a company number"
SEX_NOT_UNDERSTOOD = "not understood"


@dataclass(frozen=True, slots=True)
class Note:
    """Something dropped or mended in one field. It never carries the value."""

    field: str
    reason: str


class Reading(NamedTuple):
    """The outcome of reading one field: (atom name, value) pairs and reasons for notes, either possibly empty."""

    atoms: tuple[tuple[str, str], ...] = ()
    reasons: tuple[str, ...] = ()


NOTHING = Reading()


def dropped(reason: str) -> Reading:
    """Nothing usable was found, for this reason."""
    return Reading((), (reason,))


def found(name: str, value: str, *reasons: str) -> Reading:
    """One atom was found; an empty value gives a reading without atoms."""
    return Reading(((name, value),) if value else (), reasons)
