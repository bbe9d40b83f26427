"""Dates of birth."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frankpledge.standardise.dates import date_of_birth
from frankpledge.standardise.notes import (
    CENTURY_ASSUMED,
    DAY_AND_MONTH_SWAPPED,
    DUMMY,
    IMPOSSIBLE_DATE,
    NOT_A_DATE,
)

MARCH = {
    "dob": "19800312",
    "dob_y": "1980",
    "dob_m": "03",
    "dob_d": "12",
    "dob_md": "0312",
    "dob_digits": "19800312",
}


@pytest.mark.parametrize(
    "text",
    [
        "1980-03-12",
        "1980/3/12",
        "1980-03-12T00:00:00Z",
        "1980-03-12 00:00:00.000",
        "12/03/1980",
        "12.3.1980",
        "12-03-1980 00:00",
        "19800312",
        "12031980",
        "12 Mar 1980",
        "12th March 1980",
        "12-MAR-1980",
        "March 12, 1980",
        " 12 / 03 / 1980 ",
    ],
)
def test_ways_of_writing_a_date(text: str) -> None:
    """Every usual writing of one day gives the same atoms and no note."""
    assert date_of_birth(text) == (tuple(MARCH.items()), ())


@given(st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", fullmatch=True), st.sampled_from(["", "gb", "us"]))
def test_the_short_way_is_the_long_way(text: str, country: str) -> None:
    """What most files write is read as the same date with a time after it is, which takes the long way."""
    assert date_of_birth(text, country) == date_of_birth(f"{text} ", country)


def test_month_first_where_the_country_writes_so() -> None:
    """3/12 is 12 March for a record from the United States."""
    assert dict(date_of_birth("03/12/1980", "us").atoms) == MARCH


def test_a_two_digit_year_is_noted() -> None:
    """The century is assumed by a fixed rule, never by today's date."""
    reading = date_of_birth("12-03-80")
    assert dict(reading.atoms) == MARCH
    assert reading.reasons == (CENTURY_ASSUMED,)
    assert dict(date_of_birth("12-03-29").atoms)["dob_y"] == "2029"


def test_the_only_possible_order_is_taken() -> None:
    """Month 25 with day 3 can only be 25 March; it is read so, and noted."""
    reading = date_of_birth("03/25/1980")
    assert dict(reading.atoms)["dob"] == "19800325"
    assert reading.reasons == (DAY_AND_MONTH_SWAPPED,)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1980", {"dob_y": "1980"}),
        ("1980-03", {"dob_y": "1980", "dob_m": "03"}),
        ("03/1980", {"dob_y": "1980", "dob_m": "03"}),
        ("Mar 1980", {"dob_y": "1980", "dob_m": "03"}),
        ("1980-00-00", {"dob_y": "1980", "dob_digits": "19800000"}),
    ],
)
def test_partial_dates_keep_their_parts(text: str, expected: dict[str, str]) -> None:
    """A year, or a year and month, is worth keeping and no mistake."""
    assert date_of_birth(text) == (tuple(expected.items()), ())


@pytest.mark.parametrize(
    ("text", "absent", "present"),
    [
        ("1980-81-12", {"dob", "dob_m", "dob_md"}, {"dob_y": "1980", "dob_d": "12", "dob_digits": "19808112"}),
        ("1980-02-31", {"dob"}, {"dob_m": "02", "dob_d": "31", "dob_md": "0231"}),
        ("1980-00-29", {"dob", "dob_m"}, {"dob_y": "1980", "dob_d": "29"}),
        ("0050-01-01", {"dob", "dob_y"}, {"dob_m": "01"}),
        ("2980-01-01", {"dob", "dob_y"}, {"dob_m": "01"}),
    ],
)
def test_impossible_parts_are_left_out_and_noted(text: str, absent: set[str], present: dict[str, str]) -> None:
    """What can be is kept, what cannot is dropped with a note."""
    reading = date_of_birth(text)
    atoms = dict(reading.atoms)
    assert not absent & set(atoms)
    assert present.items() <= atoms.items()
    assert reading.reasons == (IMPOSSIBLE_DATE,)


def test_the_29th_of_february_needs_a_leap_year() -> None:
    """1980 had one, 1981 had none."""
    assert "dob" in dict(date_of_birth("1980-02-29").atoms)
    assert "dob" not in dict(date_of_birth("1981-02-29").atoms)


def test_old_births_are_no_mistake() -> None:
    """There is no age limit here."""
    assert dict(date_of_birth("1584-06-01").atoms)["dob"] == "15840601"


@pytest.mark.parametrize("text", ["01/01/1900", "1900-01-01", "9999-12-31", "11/11/1111", "00/00/0000", "unknown"])
def test_dummy_dates_are_dropped(text: str) -> None:
    """Dates that systems fill in agree between strangers, so they are no evidence."""
    assert date_of_birth(text) == ((), (DUMMY,))


def test_a_date_that_systems_and_people_share_is_kept() -> None:
    """The first of January 1970 is the birthday of thousands."""
    assert dict(date_of_birth("1970-01-01").atoms)["dob"] == "19700101"


@pytest.mark.parametrize("text", ["spring", "12/3", "1980-3-12-4", "12 Foo 1980", "-0050-01-0x"])
def test_what_is_no_date_is_noted(text: str) -> None:
    """Text without the shape of a date gives nothing but a note."""
    assert date_of_birth(text) == ((), (NOT_A_DATE,))


@pytest.mark.parametrize("text", ["", "--", " / / "])
def test_missing_dates_pass_silently(text: str) -> None:
    """A dash is how many systems write nothing."""
    assert date_of_birth(text) == ((), ())
