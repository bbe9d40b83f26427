"""Telephone numbers and email addresses."""

from __future__ import annotations

import pytest

from frankpledge.standardise.contacts import email, phone, plain_uk_number
from frankpledge.standardise.notes import DUMMY, NOT_A_PHONE, NOT_AN_EMAIL


@pytest.mark.parametrize(
    "text",
    [
        "07700 900123",
        "+44 7700 900123",
        "0044 7700900123",
        "+44 (0)7700 900-123",
        "447700900123",
        "07700900123 / 020 1",
    ],
)
def test_uk_numbers_have_one_form(text: str) -> None:
    """Every usual writing of a UK number gives its E.164 digits."""
    assert phone(text).atoms == (("phone", "447700900123"),)


@pytest.mark.parametrize(
    ("text", "country", "expected"),
    [
        ("0491 570 156", "au", "61491570156"),
        ("+61 491 570 156", "", "61491570156"),
        ("01 23 45 67 89", "fr", "33123456789"),
        ("020 7946 0018 ext 12", "", "442079460018"),
        ("7700900123", "gb", "447700900123"),
    ],
)
def test_other_numbers(text: str, country: str, expected: str) -> None:
    """Numbers elsewhere follow the country; an extension is left off."""
    assert phone(text, country).atoms == (("phone", expected),)


def test_the_short_way_leaves_what_it_does_not_know() -> None:
    """Numbers that are not plainly British are the package's business."""
    assert plain_uk_number("+61 491 570 156") == plain_uk_number("0491 570 156", "au") == ""


@pytest.mark.parametrize(
    "text", ["07000000000", "0000000", "01111 111111", "07777 777777", "1234567890", "n/a", "none"]
)
def test_dummy_numbers_are_dropped(text: str) -> None:
    """One digit over and over, or digits along the keyboard, ring nobody."""
    assert phone(text) == ((), (DUMMY,))


@pytest.mark.parametrize("text", ["123", "call me", "+999 12345"])
def test_impossible_numbers_are_noted(text: str) -> None:
    """What cannot be a number is dropped with a note."""
    assert phone(text) == ((), (NOT_A_PHONE,))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ann.Lee@Example.org", "ann.lee@example.org"),
        ("ann+shop@example.org", "ann@example.org"),
        ("A.N.N+x@GoogleMail.com", "ann@gmail.com"),
        ("<ann@example.org>", "ann@example.org"),
        ("mailto:ann@example.org", "ann@example.org"),
        ("ann@example.org; other@example.org", "ann@example.org"),
    ],
)
def test_emails_have_one_form(text: str, expected: str) -> None:
    """Case, tags and the dots of Gmail do not part two writings of a mailbox."""
    assert email(text).atoms == (("email", expected),)


@pytest.mark.parametrize(
    "text", ["test@test.com", "noreply@example.org", "none@none.com", "n/a", "no-email@example.org"]
)
def test_dummy_emails_are_dropped(text: str) -> None:
    """Addresses typed to get past a required field are dropped."""
    assert email(text) == ((), (DUMMY,))


@pytest.mark.parametrize("text", ["ann", "ann@", "@example.org", "ann@localhost", "änn@example.org"])
def test_what_is_no_email_is_noted(text: str) -> None:
    """Text without the shape of an address gives nothing but a note."""
    assert email(text) == ((), (NOT_AN_EMAIL,))
