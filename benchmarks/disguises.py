"""A person who does not want to be known again: the same identity, altered on purpose where a clerk will not look.

What investigators of insurers tell of: day and month exchanged, two digits of a number exchanged, another initial, a
postcode near by, and always a new telephone and a new mailbox.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from random import Random

Raw = dict[str, str]
Alteration = Callable[[Raw, Random], None]

FEWEST, MOST = 1, 3
"""How many alterations, besides telephone and mailbox."""
INITIALS = "ABCDEFGHJKLMNPRSTW"
INWARD = "ABDEFGHJLNPQRSTUWXYZ"
NUMBERS = ("national_id", "driving_licence", "bank_account", "vehicle_registration", "house_number")


def disguise(raw: Raw, random: Random, *, phone: str, email: str) -> Raw:
    """The record of a person who altered it on purpose, with another telephone and another mailbox."""
    altered = raw | {"phone": phone, "email": email}
    for alteration in random.sample(ALTERATIONS, random.randint(FEWEST, MOST)):
        alteration(altered, random)
    return altered


def exchange(text: str, random: Random) -> str:
    """The text with two neighbouring digits exchanged; as it was where no two of them differ."""
    pairs = enumerate(itertools.pairwise(text))
    places = [at for at, (one, other) in pairs if one.isdigit() and other.isdigit() and one != other]
    if not places:
        return text
    at = random.choice(places)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def _birth(raw: Raw, random: Random) -> None:
    year, month, day = raw["date_of_birth"].split("-")
    if int(day) <= 12 and day != month:
        raw["date_of_birth"] = f"{year}-{day}-{month}"
    else:
        raw["date_of_birth"] = f"{year}-{month}-{(int(day) + random.choice((1, 9, 10, 19))) % 28 + 1:02d}"


def _year(raw: Raw, random: Random) -> None:
    year, rest = raw["date_of_birth"].split("-", 1)
    raw["date_of_birth"] = f"{year[:2]}{exchange(year[2:], random)}-{rest}"


def _numbers(raw: Raw, random: Random) -> None:
    for field in NUMBERS:
        raw[field] = exchange(raw[field], random)


def _initial(raw: Raw, random: Random) -> None:
    given = raw["given_name"]
    raw["given_name"] = random.choice((given[:1], f"{random.choice(INITIALS)} {given}"))


def _postcode(raw: Raw, random: Random) -> None:
    outward = raw["postcode"].split(" ")[0]
    raw["postcode"] = f"{outward} {random.randrange(10)}{''.join(random.choices(INWARD, k=2))}"


ALTERATIONS: tuple[Alteration, ...] = (_birth, _year, _numbers, _initial, _postcode)
