"""House numbers, streets, towns and countries."""

from __future__ import annotations

import pytest

from frankpledge.standardise.addresses import address, number, road, town
from frankpledge.standardise.countries import country
from frankpledge.standardise.notes import DUMMY, NOT_A_PLACE, UNKNOWN_COUNTRY


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12", "12"),
        ("0012", "12"),
        ("12 A", "12a"),
        ("Flat 3, 12", "3 12"),
        ("No. 7", "7"),
        ("12-14", "12 14"),
        ("Rose Cottage", "rose cottage"),
    ],
)
def test_house_numbers(text: str, expected: str) -> None:
    """Filler words, leading zeros and spacing do not part two writings of a number."""
    assert number(text).atoms == (("house_number", expected),)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("High Street", "high st"),
        ("Saint John's Road", "st johns rd"),
        ("St. Johns Rd.", "st johns rd"),
        ("Street Lane", "street ln"),
        ("Park Avenue North", "park av n"),
        ("pridhamstreet", "pridham st"),
        ("Tenison-Woods Circuit", "tenison woods cct"),
        ("Broadway", "broadway"),
    ],
)
def test_streets(text: str, expected: str) -> None:
    """The type of a street is abbreviated at its end only, also where it lost its space."""
    assert road(text).atoms == (("street", expected),)


def test_a_number_before_the_street_serves_as_house_number() -> None:
    """An address in one column gives both atoms."""
    house, street = address("", "12a, High Street")
    assert house.atoms + street.atoms == (("house_number", "12a"), ("street", "high st"))


def test_a_given_house_number_is_not_overruled() -> None:
    """With a house number of its own column, a number in the street belongs to the street."""
    house, street = address("5", "42 North Street")
    assert house.atoms + street.atoms == (("house_number", "5"), ("street", "42 north st"))


def test_numbered_streets_keep_their_number() -> None:
    """5th Avenue is not house 5."""
    assert address("", "5th Avenue")[0].atoms == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Newcastle-upon-Tyne", "newcastle upon tyne"),
        ("Saint Albans", "st albans"),
        ("St. Albans", "st albans"),
        ("Richmond, Surrey", "richmond"),
        ("westminster | london", "westminster"),
        ("Łódź", "lodz"),
    ],
)
def test_towns(text: str, expected: str) -> None:
    """A town is its first name, folded."""
    assert town(text).atoms == (("town", expected),)


def test_serial_numbers_are_no_towns() -> None:
    """A long number in the town is the key of some other system."""
    assert town("t2288874429").reasons == (NOT_A_PLACE,)


@pytest.mark.parametrize("text", ["n/a", "unknown", "xxx"])
def test_placeholders_are_dropped(text: str) -> None:
    """Placeholders give no address."""
    assert number(text) == road(text) == town(text) == ((), (DUMMY,))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("UK", "gb"), ("U.K.", "gb"), ("Great Britain", "gb"), ("Scotland", "gb"), ("AU", "au"), ("Österreich", "at")],
)
def test_countries(text: str, expected: str) -> None:
    """Codes and names of countries give one code."""
    assert country(text).atoms == (("country", expected),)


def test_unknown_countries_are_noted() -> None:
    """A country nobody knows is dropped with a note."""
    assert country("Atlantis").reasons == (UNKNOWN_COUNTRY,)
