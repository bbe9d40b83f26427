"""Postcodes."""

from __future__ import annotations

import pytest

from frankpledge.standardise.notes import DUMMY, INCOMPLETE_POSTCODE, LETTER_DIGIT_MENDED, NOT_A_UK_POSTCODE
from frankpledge.standardise.postcodes import postcode


@pytest.mark.parametrize("text", ["WR9 0AE", "wr90ae", " wr9-0ae ", "WR 90 AE"])
def test_uk_postcodes_have_one_form(text: str) -> None:
    """However it is spaced, a UK postcode gives its whole, its outward part and its sector."""
    assert postcode(text) == ((("postcode", "wr90ae"), ("outward", "wr9"), ("sector", "wr90")), ())


@pytest.mark.parametrize(
    ("text", "outward"), [("SW1A 2BJ", "sw1a"), ("M1 1AA", "m1"), ("EC1A1BB", "ec1a"), ("LL13 7YN", "ll13")]
)
def test_outward_parts(text: str, outward: str) -> None:
    """Outward parts of every shape are found."""
    assert dict(postcode(text).atoms)["outward"] == outward


@pytest.mark.parametrize(
    ("text", "expected"), [("WR9 OAE", "wr90ae"), ("0X1 2JD", "ox12jd"), ("SI 2HE", "s12he"), ("SW1A 2B1", "sw1a2bi")]
)
def test_lookalikes_are_mended_and_noted(text: str, expected: str) -> None:
    """O for 0 and the like are put right where only one of them can stand."""
    reading = postcode(text)
    assert dict(reading.atoms)["postcode"] == expected
    assert reading.reasons == (LETTER_DIGIT_MENDED,)


@pytest.mark.parametrize("text", ["WR9", "wr9 xxx"])
def test_an_outward_part_alone_is_kept(text: str) -> None:
    """A damaged inward part leaves the outward one, and a note."""
    assert postcode(text) == ((("outward", "wr9"),), (INCOMPLETE_POSTCODE,))


@pytest.mark.parametrize(
    ("text", "country", "expected", "outward"),
    [
        ("2119", "au", "2119", "21"),
        ("2119", "", "2119", "21"),
        ("75 008", "fr", "75008", "750"),
        ("D02 AF30", "ie", "d02af30", "d02"),
    ],
)
def test_postcodes_elsewhere(text: str, country: str, expected: str, outward: str) -> None:
    """Other postcodes are folded, and their beginning stands for the area."""
    assert postcode(text, country) == ((("postcode", expected), ("outward", outward)), ())


def test_a_foreign_shape_in_the_uk_is_noted() -> None:
    """A record said to be British with a number for a postcode deserves a look."""
    assert postcode("75008", "gb").reasons == (NOT_A_UK_POSTCODE,)


@pytest.mark.parametrize("text", ["AA1 1AA", "ZZ99 3WZ", "0000", "n/a"])
def test_dummy_postcodes_are_dropped(text: str) -> None:
    """Postcodes of no place are dropped."""
    assert postcode(text) == ((), (DUMMY,))
