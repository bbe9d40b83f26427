"""Names as others write them down, and identities altered on purpose."""

from __future__ import annotations

from random import Random

import pytest

from benchmarks.disguises import disguise, exchange
from benchmarks.spellings import ROMANISED, respell, unaccented

RAW = {
    "given_name": "John", "family_name": "Smith", "date_of_birth": "1980-03-12", "postcode": "LS6 2AB", "phone": "0712",
    "email": "a@mail.example", "national_id": "QQ123456C", "driving_licence": "SMITH1234", "bank_account": "123456 78",
    "vehicle_registration": "AB12 CDE", "house_number": "17",
}  # fmt: skip


def drawn(seed: int) -> Random:
    """A source of chance that can be repeated."""
    return Random(seed)  # noqa: S311 - no secret


@pytest.mark.parametrize(
    ("name", "origin", "among"),
    [
        ("Mohammed", ROMANISED, {"Muhammad", "Mohamed", "Mohammad", "Mohamad"}),
        ("Chaudhry", ROMANISED, {"Choudhury", "Chowdhury", "Chaudhary", "Choudhry", "Chauhry", "Chaudry"}),
        ("Wójcik", "pl_PL", {"Wojcik", "Vojcik", "Woycik"}),
        ("McCrossan", "en_IE", {"Maccrossan"}),
        ("Guneet", "en_IN", {"Gunit"}),
        ("Smith", "en_GB", {"Smith"}),
    ],
)
def test_names_are_respelt_as_their_origin_has_it(name: str, origin: str, among: set[str]) -> None:
    """A name becomes one of the spellings that its language gives, and stays where nothing is known of it."""
    found = {respell(name, origin, drawn(seed)) for seed in range(40)}
    assert found <= among, found - among
    assert found & among


def test_accents_go_and_strokes_too() -> None:
    """Letters with a stroke, which Unicode does not take apart, lose it as well."""
    assert unaccented("Wałęsa Šílá") == "Walesa Sila"


def test_a_disguise_alters_what_a_clerk_does_not_check() -> None:
    """Telephone and mailbox are always new, the family name never; over many people every other field is altered."""
    changed: set[str] = set()
    for seed in range(60):
        altered = disguise(RAW, drawn(seed), phone="0799", email="b@mail.example")
        own = {field for field, value in altered.items() if value != RAW[field]}
        assert {"phone", "email"} < own
        changed |= own
        assert altered["postcode"].startswith("LS6 ")
    assert changed == set(RAW) - {"family_name"}
    assert RAW["phone"] == "0712"


def test_two_different_neighbouring_digits_are_exchanged() -> None:
    """Digits change places with a neighbour that differs; a text with no such pair stays as it is."""
    assert exchange("AB12 C", drawn(1)) == "AB21 C"
    assert exchange("A1B", drawn(1)) == "A1B"
    assert exchange("AB11", drawn(1)) == "AB11"
