"""Dates of birth: whole, partial or impossible, to parts that can be compared one by one.

Two members must read one date alike whatever day they read it, so nothing here knows today's date: the century of a
two-digit year is fixed by `PIVOT`, and there is no age limit.
"""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from frankpledge.standardise import dummies
from frankpledge.standardise.fold import compact, fold
from frankpledge.standardise.notes import (
    CENTURY_ASSUMED,
    DAY_AND_MONTH_SWAPPED,
    DUMMY,
    IMPOSSIBLE_DATE,
    NOT_A_DATE,
    NOTHING,
    Reading,
    dropped,
)

PIVOT = 30
"""Two-digit years below this are 20xx, the others 19xx."""

_MONTH_FIRST = frozenset({"us", "ph", "fm", "pw", "mh"})
_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: n for n, name in enumerate(_MONTH_NAMES, start=1)}
_TIME = re.compile(r"(?<=\d)[t ,]+\d{1,2}:.*$")
_AROUND_SEPARATOR = re.compile(r" ?([-/.]) ?")
_ISO = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
"""What most files write: it takes the short way to what the others take step by step."""
_YMD = re.compile(r"(\d{4})[-/. ](\d{1,2})[-/. ](\d{1,2})")
_DMY = re.compile(r"(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4}|\d{2})")
_YM = re.compile(r"(\d{4})[-/. ](\d{1,2})")
_MY = re.compile(r"(\d{1,2})[-/. ](\d{4})")
_Y = re.compile(r"\d{4}")
_EIGHT = re.compile(r"\d{8}")
_NAMED = re.compile(r"(?:(\d{1,2})(?:st|nd|rd|th)?(?: of)? )?([a-z]{3,9}) (?:(\d{1,2})(?:st|nd|rd|th)? )?(\d{4}|\d{2})")


class Parts(NamedTuple):
    """Year, month and day as written, empty where not given, and what had to be assumed to read them."""

    year: str = ""
    month: str = ""
    day: str = ""
    assumed: tuple[str, ...] = ()


@lru_cache(maxsize=1 << 16)
def date_of_birth(text: str, country: str = "") -> Reading:
    """Atoms dob, dob_y, dob_m, dob_d, dob_md and dob_digits of a date in any usual writing.

    Read are ISO (also with a time), day/month/year with / - . or space (month first where the country writes so),
    eight digits, month names, and the partial forms 1980, 1980-03 and 03/1980. A part that cannot be (month 81) is
    left out and noted, the others stay; 31 February keeps its parts but gives no `dob`. Written with the year last,
    a month above 12 next to a day up to 12 can only be the other order: it is swapped and noted.
    """
    if (match := _ISO.fullmatch(text)) and len(set(text)) > 2:  # one digit over and over is a placeholder
        return _reading(Parts(match[1], match[2], match[3]))
    folded = fold(text)
    compacted = compact(folded)
    if not compacted:
        return NOTHING
    if dummies.is_placeholder(folded, compacted):
        return dropped(DUMMY)
    parts = _split(_AROUND_SEPARATOR.sub(r"\1", _TIME.sub("", folded)).strip(" -/.,"), country)
    if parts is None:
        return dropped(NOT_A_DATE)
    return _reading(parts)


def _split(text: str, country: str) -> Parts | None:
    """The parts as written, in the order the shape of the text tells."""
    if match := _YMD.fullmatch(text):
        return Parts(match[1], match[2], match[3])
    if match := _DMY.fullmatch(text):
        first, second, year = match.groups()
        return _year_last(second, first, year) if country in _MONTH_FIRST else _year_last(first, second, year)
    if _EIGHT.fullmatch(text):
        return _eight_digits(text)
    return _partial(text) or _named_month(text)


def _year_last(day: str, month: str, year: str) -> Parts:
    """Day and month in the country's order, unless only the other order can be."""
    if int(month) > 12 >= int(day):
        return Parts(year, day, month, (DAY_AND_MONTH_SWAPPED,))
    return Parts(year, month, day)


def _eight_digits(text: str) -> Parts:
    """Year first where that is a real date or nothing is, day first where only that is a real date."""
    year_first = Parts(text[:4], text[4:6], text[6:])
    day_first = Parts(text[4:], text[2:4], text[:2])
    return day_first if not _is_real(*_numbers(year_first)) and _is_real(*_numbers(day_first)) else year_first


def _partial(text: str) -> Parts | None:
    if match := _YM.fullmatch(text):
        return Parts(match[1], match[2])
    if match := _MY.fullmatch(text):
        return Parts(match[2], match[1])
    return Parts(text) if _Y.fullmatch(text) else None


def _named_month(text: str) -> Parts | None:
    """'12 mar 1980', '12th march 1980', 'march 12, 1980' or 'mar 1980'."""
    match = _NAMED.fullmatch(" ".join(text.replace(",", " ").replace("-", " ").replace(".", " ").split()))
    if match is None or match[2][:3] not in _MONTHS:
        return None
    return Parts(match[4], str(_MONTHS[match[2][:3]]), match[1] or match[3] or "")


def _numbers(parts: Parts) -> tuple[int, int, int]:
    return int(parts.year), int(parts.month or 0), int(parts.day or 0)


def _is_real(year: int, month: int, day: int) -> bool:
    try:
        return 1000 <= date(year, month, day).year < 2100
    except ValueError:
        return False


def _reading(parts: Parts) -> Reading:
    """Atoms of the parts that can be."""
    year, month, day = _numbers(parts)
    reasons = parts.assumed
    if len(parts.year) == 2:
        year += 2000 if year < PIVOT else 1900
        reasons += (CENTURY_ASSUMED,)
    if (year, month, day) in dummies.DATES:
        return dropped(DUMMY)
    atoms = _atoms(year, month, day)
    if parts.month and parts.day:
        atoms += (("dob_digits", f"{year:04}{month:02}{day:02}"),)
    if len(atoms) < _expected(parts):
        reasons += (IMPOSSIBLE_DATE,)
    return Reading(atoms, reasons)


def _atoms(year: int, month: int, day: int) -> tuple[tuple[str, str], ...]:
    """The whole date if it is real, each part that can be, and the unordered pair of month and day."""
    atoms: list[tuple[str, str]] = []
    if _is_real(year, month, day):
        atoms.append(("dob", f"{year:04}{month:02}{day:02}"))
    if 1000 <= year <= 2099:
        atoms.append(("dob_y", f"{year:04}"))
    if 1 <= month <= 12:
        atoms.append(("dob_m", f"{month:02}"))
    if 1 <= day <= 31:
        atoms.append(("dob_d", f"{day:02}"))
    if 1 <= month <= 12 and 1 <= day <= 31:
        atoms.append(("dob_md", f"{min(month, day):02}{max(month, day):02}"))
    return tuple(atoms)


def _expected(parts: Parts) -> int:
    """How many atoms these parts give when nothing about them is impossible; 00 stands for 'not known'."""
    unknown_month, unknown_day = not int(parts.month or 0), not int(parts.day or 0)
    if unknown_day:
        return (1 if unknown_month else 2) + bool(parts.month and parts.day)
    return 6
