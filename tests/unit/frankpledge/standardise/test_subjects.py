"""Whole subjects."""

from __future__ import annotations

from typing import Any

import pytest

from frankpledge.standardise import Note, organisation, person, vehicle

INVENTED = {
    "given_name": "Dr. Peggy Ann",
    "family_name": "O'Tester-Smith",
    "date_of_birth": "03/09/1980",
    "house_number": "12A",
    "street": "High Street",
    "town": "Droitwich",
    "postcode": "WR9 0AE",
    "country": "UK",
    "phone": "07700 900123",
    "email": "Peggy.Smith+car@googlemail.com",
    "national_id": "AB 65 43 20 C",
    "driving_licence": "MORGA657054SM9IJ 35",
    "bank_account": "GB82 WEST 1234 5698 7654 32",
    "vehicle_registration": "AB10 CDE",
    "sex": "Female",
}


def test_a_person_with_everything() -> None:
    """Each column gives the atoms agreed, and a clean record no notes."""
    assert person(INVENTED) == (
        {
            "country": "gb",
            "given": "peggy ann",
            "given_first": "peggy",
            "given_canonical": "margaret",
            "given_phonetic": "mrkrt",
            "given_other": "ann",
            "family": "otester smith",
            "family_phonetic": "otstrsm0",
            "family_last": "smith",
            "dob": "19800903",
            "dob_y": "1980",
            "dob_m": "09",
            "dob_d": "03",
            "dob_md": "0309",
            "dob_digits": "19800903",
            "sex": "f",
            "town": "droitwich",
            "postcode": "wr90ae",
            "outward": "wr9",
            "sector": "wr90",
            "phone": "447700900123",
            "email": "peggysmith@gmail.com",
            "national_id": "ab654320",
            "driving_licence": "morga657054sm9ij",
            "bank_account": "12345698765432",
            "vehicle_registration": "abiocde",
            "house_number": "12a",
            "street": "high st",
        },
        [],
    )


def test_notes_name_field_and_reason_only() -> None:
    """What was dropped is told without its value."""
    atoms, notes = person({"given_name": "test", "date_of_birth": "1980-81-12", "email": "nowhere"})
    assert "given" not in atoms
    assert notes == [
        Note("given_name", "dummy value"),
        Note("date_of_birth", "impossible date"),
        Note("email", "not an email address"),
    ]


def test_the_country_decides_how_the_rest_is_read() -> None:
    """An Australian record has Australian telephone numbers and postcodes."""
    atoms, notes = person({"country": "Australia", "phone": "0491 570 156", "postcode": "2119"})
    assert atoms == {"country": "au", "phone": "61491570156", "postcode": "2119", "outward": "21"}
    assert notes == []


def test_invented_people_are_dropped() -> None:
    """Each half of Joe Bloggs is a name, the whole is nobody."""
    atoms, notes = person({"given_name": "Joe", "family_name": "Bloggs", "sex": "m"})
    assert atoms == {"sex": "m"}
    assert notes == [Note("given_name", "dummy value"), Note("family_name", "dummy value")]


def test_overlong_values_are_dropped() -> None:
    """A megabyte in a name column costs nothing and swamps nothing."""
    assert person({"family_name": "x y " * 250_000}) == ({}, [Note("family_name", "longer than 500 characters")])


@pytest.mark.parametrize(("text", "expected"), [("M", "m"), ("female", "f"), ("2", "f"), ("non-binary", "x")])
def test_sex(text: str, expected: str) -> None:
    """Words, letters and ISO 5218 codes are understood."""
    assert person({"sex": text})[0] == {"sex": expected}


@pytest.mark.parametrize(("text", "reason"), [("0", "dummy value"), ("male | female", "not understood")])
def test_sex_not_told(text: str, reason: str) -> None:
    """'Not known' and nonsense give a note."""
    assert person({"sex": text}) == ({}, [Note("sex", reason)])


def test_missing_and_mistyped_values_do_no_harm() -> None:
    """None and numbers, as JSON may bring them, are read as nothing and as text."""
    loose: Any = {"given_name": None, "house_number": 12, "postcode": 2119}
    assert person(loose)[0] == {"house_number": "12", "postcode": "2119", "outward": "21"}


def test_vehicles() -> None:
    """A vehicle is its mark and its VIN."""
    atoms, notes = vehicle({"vehicle_registration": "AB10 CDE", "vin": "wvwzzz1jz3w386752", "given_name": "Ann"})
    assert atoms == {"registration": "abiocde", "vin": "wvwzzz1jz3w386752"}
    assert notes == []


def test_organisations() -> None:
    """An organisation is its name and number and where it is reached."""
    atoms, notes = organisation(
        {"organisation_name": "Acme Ltd", "company_number": "1234567", "street": "1 High St", "postcode": "WR9 0AE"}
    )
    assert atoms == {
        "org_name": "acme",
        "org_name_sorted": "acme",
        "org_name_phonetic": "akm",
        "company_number": "01234567",
        "postcode": "wr90ae",
        "outward": "wr9",
        "sector": "wr90",
        "house_number": "1",
        "street": "high st",
    }
    assert notes == []
