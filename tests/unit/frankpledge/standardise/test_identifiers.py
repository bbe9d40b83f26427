"""National identifiers, driving licences and vehicles."""

from __future__ import annotations

import pytest

from frankpledge.standardise.identifiers import driving_licence, national_id
from frankpledge.standardise.notes import DUMMY, NOT_A_REGISTRATION, NOT_A_VIN, NOT_AN_IDENTIFIER
from frankpledge.standardise.vehicles import registration, vin


@pytest.mark.parametrize("text", ["AB 65 43 20 C", "ab654320c", "AB654320"])
def test_national_insurance_numbers_lose_their_suffix(text: str) -> None:
    """The suffix letter is often left out, so it never counts."""
    assert national_id(text).atoms == (("national_id", "ab654320"),)


def test_other_identifiers_are_kept() -> None:
    """Identifiers of other kinds keep their letters and digits."""
    assert national_id("530-42-18").atoms == (("national_id", "5304218"),)


@pytest.mark.parametrize("text", ["QQ123456C", "AB 12 34 56 C", "AB000000A", "0000000", "unknown"])
def test_dummy_identifiers_are_dropped(text: str) -> None:
    """Examples from forms are nobody's number."""
    assert national_id(text) == ((), (DUMMY,))


def test_short_identifiers_are_noted() -> None:
    """Three characters identify nobody."""
    assert national_id("a1") == driving_licence("a1") == ((), (NOT_AN_IDENTIFIER,))


@pytest.mark.parametrize("text", ["MORGA657054SM9IJ", "MORGA 657054 SM9IJ 35", "morga657054sm9ij35"])
def test_driving_licences_lose_their_issue(text: str) -> None:
    """The issue number changes when a card is replaced, the driver does not."""
    assert driving_licence(text).atoms == (("driving_licence", "morga657054sm9ij"),)


@pytest.mark.parametrize("text", ["AB10 CDE", "ab1o cde", "ABIO-CDE", "ABI0CDE"])
def test_registration_marks_fold_lookalikes(text: str) -> None:
    """0 and O, 1 and I are one on a number plate."""
    assert registration(text).atoms == (("registration", "abiocde"),)


@pytest.mark.parametrize(
    ("text", "reason"),
    [("TBA", DUMMY), ("000", DUMMY), ("A", NOT_A_REGISTRATION), ("A" * 5 + "B" * 6, NOT_A_REGISTRATION)],
)
def test_what_is_no_mark_is_noted(text: str, reason: str) -> None:
    """Placeholders and overlong marks are dropped."""
    assert registration(text) == ((), (reason,))


@pytest.mark.parametrize("text", ["WVWZZZ1JZ3W386752", "wvwzzz1jz3w386752", "WVWZZZIJZ3W386752"])
def test_vins_have_no_letter_i(text: str) -> None:
    """I, O and Q cannot stand in a VIN and are read as digits."""
    assert vin(text).atoms == (("vin", "wvwzzz1jz3w386752"),)


@pytest.mark.parametrize(
    ("text", "reason"), [("00000000000000000", DUMMY), ("1234567", NOT_A_VIN), ("W" + "1" * 20, NOT_A_VIN)]
)
def test_what_is_no_vin_is_noted(text: str, reason: str) -> None:
    """Too short, too long or made up of one digit is no VIN."""
    assert vin(text) == ((), (reason,))
