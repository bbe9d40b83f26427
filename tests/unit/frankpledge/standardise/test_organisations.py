"""Organisations."""

from __future__ import annotations

import pytest

from frankpledge.standardise.notes import DUMMY, NOT_A_COMPANY_NUMBER
from frankpledge.standardise.organisations import company_number, name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Acme Widgets Ltd", "acme widgets"),
        ("ACME WIDGETS LIMITED.", "acme widgets"),
        ("The Acme Widgets Company Ltd", "acme widgets"),
        ("Acme Widgets (UK) plc", "acme widgets uk"),
        ("Brûlé & Söhne GmbH & Co. KG", "brule and sohne"),
        ("Smith & Sons", "smith and sons"),
        ("Smith and Sons L.L.P.", "smith and sons"),
        ("Garej Cymru Cyf", "garej cymru"),
        ("Acme Holdings Ltd t/a Quick Claims", "acme holdings"),
        ("B.B. Motors Inc.", "bb motors"),
        ("Ltd", "ltd"),
    ],
)
def test_legal_forms_are_dropped(text: str, expected: str) -> None:
    """An organisation is its name, whatever its legal form, and however that is written."""
    assert dict(name(text).atoms)["org_name"] == expected


def test_sorted_names_ignore_the_order_of_words() -> None:
    """Words in another order give the same sorted name."""
    assert dict(name("Motors Acme Ltd").atoms)["org_name_sorted"] == dict(name("Acme Motors").atoms)["org_name_sorted"]


def test_placeholders_are_dropped() -> None:
    """'Unknown' is no organisation, with or without a legal form."""
    assert name("unknown") == name("The Test Ltd") == ((), (DUMMY,))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1234567", "01234567"), ("01234567", "01234567"), ("SC 12345", "sc012345"), ("oc301234", "oc301234")],
)
def test_company_numbers_are_padded(text: str, expected: str) -> None:
    """Leading zeros that spreadsheets lose come back."""
    assert company_number(text).atoms == (("company_number", expected),)


def test_made_up_company_numbers_are_noted() -> None:
    """One digit over and over is no registered number."""
    assert company_number("SC000000") == ((), (NOT_A_COMPANY_NUMBER,))
    assert company_number("00000000") == ((), (DUMMY,))
