"""Names of people."""

from __future__ import annotations

import pytest

from frankpledge.standardise.names import family, given
from frankpledge.standardise.notes import DUMMY, LETTER_DIGIT_MENDED, NOT_A_NAME, TITLE_ONLY


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("O'Brien", "obrien"),
        ("O\u2019Brien", "obrien"),
        ("o brien", "obrien"),
        ("de la Cruz", "delacruz"),
        ("van der Berg", "vanderberg"),
        ("VON MÜLLER", "vonmuller"),
        ("Mc Donald", "mcdonald"),
        ("MacDonald", "macdonald"),
        ("al-Hassan", "alhassan"),
        ("bin Rashid", "binrashid"),
        ("St. John", "stjohn"),
        ("Fitz-Gerald", "fitzgerald"),
        ("Smith-Jones", "smith jones"),
        ("Smith Jones", "smith jones"),
        ("O'Neil - de Souza", "oneil desouza"),
        ("Łukaszewicz", "lukaszewicz"),
        ("Y\u0131ld\u0131z", "yildiz"),
        ("Şahin", "sahin"),
        ("Weiß", "weiss"),
        ("Hughes (1805-1876)", "hughes"),
        ("Carter PhD", "carter"),
        ("Carter Jr.", "carter"),
        ("Carter III", "carter"),
        ("Harrison, 4th Baronet", "harrison"),
    ],
)
def test_family_names_have_one_form(text: str, expected: str) -> None:
    """Apostrophes, particles, hyphens, accents, suffixes and brackets do not part two writings of a family name."""
    assert dict(family(text).atoms)["family"] == expected


def test_a_double_barrelled_name_gives_its_last_part() -> None:
    """Someone who drops the first part of a double-barrelled name can still be met."""
    assert dict(family("Smith-de Souza").atoms)["family_last"] == "desouza"


def test_umlauts_and_their_spelling_out_sound_alike() -> None:
    """Müller, Mueller and Muller share a phonetic code."""
    assert len({dict(family(name).atoms)["family_phonetic"] for name in ("Müller", "Mueller", "Muller")}) == 1


@pytest.mark.parametrize("text", ["Mr John", "Dr. John", "Sir  John", "THE REV. JOHN", "Major John", "Prof Dr John"])
def test_titles_are_dropped(text: str) -> None:
    """What a person is called by others is no part of the name."""
    assert dict(given(text).atoms)["given"] == "john"


@pytest.mark.parametrize(("text", "expected"), [("Earl", "earl"), ("Major", "major"), ("JP", "jp"), ("Md", "md")])
def test_a_title_that_is_a_name_stays_when_alone(text: str, expected: str) -> None:
    """Earl is a given name where nothing follows it."""
    assert dict(given(text).atoms)["given"] == expected


@pytest.mark.parametrize("text", ["Lord", "Senior", "Captain", "Bart"])
def test_surnames_that_are_titles_elsewhere_stay(text: str) -> None:
    """Lord and Senior are family names; only in the given names is a lone Lord a title."""
    assert dict(family(text).atoms)["family"] == text.lower()


@pytest.mark.parametrize("text", ["Lord", "Lady", "Major-General"])
def test_lone_titles_in_the_given_names_are_dropped(text: str) -> None:
    """A title where the given name should be is no given name."""
    assert given(text) == ((), (TITLE_ONLY,))


def test_given_names_split_into_first_and_others() -> None:
    """Hyphens and stops part given names; initials stand alone."""
    atoms = dict(given("Bill-Joe R.").atoms)
    assert atoms["given"] == "bill joe r"
    assert atoms["given_first"] == "bill"
    assert atoms["given_canonical"] == "william"
    assert atoms["given_other"] == "joe r"


def test_initials_are_kept() -> None:
    """J.A. is two initials, and the first is the first given name."""
    atoms = dict(given("J.A.").atoms)
    assert (atoms["given_first"], atoms["given_other"]) == ("j", "a")


def test_a_full_name_in_the_given_column_is_not_split() -> None:
    """Nothing tells which part is the family name, so none is guessed."""
    assert "family" not in dict(given("Anna Maria Kowalska").atoms)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("unknown", DUMMY),
        ("n/a", DUMMY),
        ("XXX", DUMMY),
        ("Mr Test", DUMMY),
        ("Mrs", TITLE_ONLY),
        ("1855)", NOT_A_NAME),
    ],
)
def test_what_is_no_name_is_dropped_with_a_reason(text: str, reason: str) -> None:
    """Placeholders, bare titles and numbers give no atoms, and say why."""
    assert given(text) == family(text) == ((), (reason,))


@pytest.mark.parametrize("text", ["", "  ", "--", "."])
def test_nothing_gives_nothing(text: str) -> None:
    """An empty column is not worth a note."""
    assert family(text) == ((), ())


def test_a_surname_that_looks_like_a_placeholder_stays() -> None:
    """Na is a surname; only n/a is not."""
    assert dict(family("Na").atoms)["family"] == "na"


def test_digits_inside_names_are_mended_and_noted() -> None:
    """A digit typed for the letter under it is read as that letter."""
    reading = family("Hugh3s")
    assert dict(reading.atoms)["family"] == "hughes"
    assert reading.reasons == (LETTER_DIGIT_MENDED,)
