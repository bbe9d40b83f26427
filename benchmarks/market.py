"""A generated market of customers: households with twins and namesakes, moves, marriages, and clerks' errors.

`rows` yields records in the columns of the kit, with `cluster` naming the true person; `tagged` tells of each also
where the name comes from and whether the person altered it on purpose. All is drawn from one seed. Names are Faker's
lists for seven countries, since its British list alone is too short for a market (500 surnames); addresses, numbers
and marks are made up. `HARD` has spellings of other alphabets and disguised fraudsters besides, which the plain market
has not.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from random import Random
from types import MappingProxyType

from faker import Faker
from nicknames import NickNamer

from benchmarks.disguises import INWARD, disguise
from benchmarks.spellings import ROMANISED, Romanised, respell

Raw = dict[str, str]

COLUMNS = (
    "ref", "cluster", "given_name", "family_name", "date_of_birth", "sex", "house_number", "street", "town",
    "postcode", "phone", "email", "national_id", "driving_licence", "bank_account", "vehicle_registration",
)  # fmt: skip
LOCALES = {"en_GB": 0.35, "en_US": 0.30, "en_AU": 0.10, "en_IE": 0.05, "en_IN": 0.10, "en_NG": 0.05, "pl_PL": 0.05}
MISSING = {
    "given_name": 0.01, "date_of_birth": 0.04, "sex": 0.10, "house_number": 0.08, "street": 0.04, "town": 0.03,
    "postcode": 0.05, "phone": 0.30, "email": 0.40, "national_id": 0.80, "driving_licence": 0.60,
    "bank_account": 0.55, "vehicle_registration": 0.50,
}  # fmt: skip
"""How often an insurer does not know a field."""
NUMBERS = ("house_number", "phone", "bank_account", "national_id", "driving_licence", "postcode")
LETTERS = "abcdefghijklmnopqrstuvwxyz"
SOUNDS = (("ph", "f"), ("ck", "k"), ("y", "i"), ("ie", "y"), ("ee", "ea"), ("ou", "o"), ("s", "z"), ("tt", "t"))
TOWN_ENDINGS = ("ton", "ham", " Green", "ford", "bury", "", " St Mary", "field", "by", "mouth", "wick", "ley")
AREAS = ("LS", "S", "LE", "BS", "RG", "B", "EH", "G", "L", "M", "CR", "NE", "CF", "NR", "EX", "WR", "LU", "BD")


@dataclass(frozen=True, slots=True)
class Habits:
    """Shares of what a market has besides clerks' errors; the plain market has none of it.

    `respelt`: further records whose names are written as heard, or from another alphabet; `romanised`: households with
    names from Arabic letters; `disguised`: further records that the person altered on purpose.
    """

    respelt: float = 0.0
    romanised: float = 0.0
    disguised: float = 0.0


PLAIN = Habits()
HARD = Habits(respelt=0.25, romanised=0.08, disguised=0.03)


@dataclass(frozen=True, slots=True)
class Tagged:
    """A record, the origin of its household's names (a locale), and whether the person altered it on purpose."""

    raw: Raw
    origin: str
    disguised: bool


@dataclass(slots=True)
class _Home:
    address: Raw
    landline: str


class Market:
    """Draws people and the records that insurers keep of them."""

    def __init__(
        self, seed: int, missing: Mapping[str, float] = MappingProxyType(MISSING), habits: Habits = PLAIN
    ) -> None:
        self.random = Random(seed)  # noqa: S311 - a repeatable market, no secret
        self._missing, self._habits = missing, habits
        self._fakers: dict[str, Faker | Romanised] = {ROMANISED: Romanised(seed)}
        for locale in LOCALES:
            faker = self._fakers[locale] = Faker(locale)
            faker.seed_instance(seed)
        self._nicknames = NickNamer()
        self._towns = [self._fakers["en_GB"].last_name() + self.random.choice(TOWN_ENDINGS) for _ in range(400)]
        self._errors: tuple[Callable[[Raw], None], ...] = (
            self._misspell, self._misspell, self._nickname, self._date, self._street, self._swap, self._digit,
        )  # fmt: skip

    def rows(self, people: int, *, copies: float = 1.0) -> Iterator[Raw]:
        """Yield records of so many people, and of whoever else is of the last one's household.

        Each has one record and, on average, `copies` more at other insurers.
        """
        return (tagged.raw for tagged in self.tagged(people, copies=copies))

    def tagged(self, people: int, *, copies: float = 1.0) -> Iterator[Tagged]:
        """Yield what `rows` does, with its tags."""
        made, number = 0, 0
        while made < people:
            origin = self._origin()
            for person in self.household(origin):
                made += 1
                records = [(person, False)]
                records += [self._another(person, origin) for _ in range(self._count(copies))]
                for record, disguised in records:
                    number += 1
                    raw = {"ref": f"r{number}", "cluster": f"p{made}", **self.forget(record)}
                    yield Tagged(raw, origin, disguised)

    def household(self, locale: str) -> list[Raw]:
        """Return one to five people under one roof: singles, couples, children, now and then twins."""
        home = _Home(self._address(), self.phone("01"))
        family = self._fakers[locale].last_name()
        year = self.random.randrange(1935, 2000)
        people = [self._person(locale, family, home, year)]
        if self.random.random() < 0.55:
            other = family if self.random.random() < 0.7 else self._fakers[locale].last_name()
            people.append(self._person(locale, other, home, year + self.random.randrange(-6, 7)))
            for _ in range(self.random.choice((0, 0, 1, 2, 3))):
                child = self._person(locale, family, home, year + self.random.randrange(22, 36))
                people.append(child)
                if self.random.random() < 0.04:
                    twin = self._person(locale, family, home, year)
                    people.append(twin | {"date_of_birth": child["date_of_birth"]})
        return people

    def _origin(self) -> str:
        if self._now_and_then(self._habits.romanised):
            return ROMANISED
        return self.random.choices(tuple(LOCALES), tuple(LOCALES.values()))[0]

    def _now_and_then(self, share: float) -> bool:
        """Whether it is so, at this share; the plain market draws nothing for what it has not."""
        return share > 0.0 and self.random.random() < share

    def _another(self, person: Raw, origin: str) -> tuple[Raw, bool]:
        """A further record of a person, and whether it was altered on purpose; who does that spells well."""
        if self._now_and_then(self._habits.disguised):
            phone, email = self.phone("07"), self._mailbox(person)
            return disguise(person, self.random, phone=phone, email=email), True
        record = self.record_again(person)
        if self._now_and_then(self._habits.respelt):
            for field in ("given_name", "family_name"):
                record[field] = respell(record[field], origin, self.random)
        return record, False

    def record_again(self, person: Raw) -> Raw:
        """Return the same person as another insurer knows them: moved, married, misspelt, with another phone."""
        copy = dict(person)
        if self.random.random() < 0.12:
            copy |= self._address()
        if copy["sex"] == "f" and self.random.random() < 0.06:
            copy["family_name"] = self._fakers["en_GB"].last_name()
        for field, chance, prefix in (("phone", 0.25, "07"),):
            if self.random.random() < chance:
                copy[field] = self.phone(prefix)
        if self.random.random() < 0.25:
            copy["email"] = self._mailbox(copy)
        if self.random.random() < 0.3:
            copy["vehicle_registration"] = self.mark()
        if self.random.random() < 0.01:
            copy["sex"] = "f" if copy["sex"] == "m" else "m"
        for _ in range(self.random.choices((0, 1, 2, 3), (0.35, 0.35, 0.2, 0.1))[0]):
            self.random.choice(self._errors)(copy)
        return copy

    def _count(self, mean: float) -> int:
        whole, part = divmod(mean, 1.0)
        return int(whole) + (self.random.random() < part)

    def _person(self, locale: str, family: str, home: _Home, year: int) -> Raw:
        faker = self._fakers[locale]
        sex = self.random.choice("mf")
        born = dt.date(year, 1, 1) + dt.timedelta(days=self.random.randrange(365))
        raw = {
            "given_name": faker.first_name_male() if sex == "m" else faker.first_name_female(),
            "family_name": family,
            "date_of_birth": born.isoformat(),
            "sex": sex,
            **home.address,
            "phone": home.landline if self.random.random() < 0.25 else self.phone("07"),
            "national_id": f"{''.join(self.random.choices('ABCEGHJKLMNPRSTWXY', k=2))}{self._digits(6)}C",
            "driving_licence": f"{family[:5].upper():9<5}{self._digits(6)}{self._digits(1)}9{self._letters(2)}",
            "bank_account": f"{self._digits(6)} {self._digits(8)}",
            "vehicle_registration": self.mark(),
        }
        raw["email"] = self._mailbox(raw)
        return raw

    def _address(self) -> Raw:
        town = int(len(self._towns) * self.random.random() ** 2)  # a few towns are large, most are small
        faker = self._fakers["en_GB"]
        return {
            "house_number": str(self.random.randrange(1, 200)),
            "street": f"{faker.last_name()} {self.random.choice(('Road', 'Street', 'Lane', 'Avenue', 'Close'))}",
            "town": self._towns[town],
            "postcode": f"{AREAS[town % len(AREAS)]}{self.random.randrange(1, 30)} {self._digits(1)}"
            + "".join(self.random.choices(INWARD, k=2)),
        }

    def phone(self, prefix: str) -> str:
        """Return a telephone number."""
        return f"{prefix}{self.random.choice('123456789')}{self._digits(8)}"

    def _mailbox(self, raw: Raw) -> str:
        return f"{raw['given_name'].split()[0].lower()}{self._digits(6)}@mail{self._digits(1)}.example"

    def mark(self) -> str:
        """Return a registration mark."""
        return f"{self._letters(2)}{self.random.randrange(2, 75):02d} {self._letters(3)}"

    def _digits(self, count: int) -> str:
        return "".join(self.random.choices("0123456789", k=count))

    def _letters(self, count: int) -> str:
        return "".join(self.random.choices("ABCDEFGHJKLMNOPRSTUVWXYZ", k=count))

    def forget(self, raw: Raw) -> Raw:
        """Return a record without what the insurer does not know."""
        return {
            field: "" if self.random.random() < self._missing.get(field, 0.0) else value for field, value in raw.items()
        }

    def _misspell(self, raw: Raw) -> None:
        field = self.random.choice(("given_name", "family_name", "family_name", "town"))
        raw[field] = self._typo(raw[field]) if self.random.random() < 0.6 else self._sound(raw[field])

    def _typo(self, text: str) -> str:
        if len(text) < 3:
            return text
        at = self.random.randrange(1, len(text) - 1)
        letter = self.random.choice(LETTERS)
        return self.random.choice(
            (
                text[:at] + text[at + 1 :],
                text[:at] + letter + text[at:],
                text[:at] + letter + text[at + 1 :],
                text[:at] + text[at + 1] + text[at] + text[at + 2 :],
            )
        )

    def _sound(self, text: str) -> str:
        found = [(a, b) for a, b in SOUNDS if a in text.lower()]
        if not found:
            return self._typo(text)
        old, new = self.random.choice(found)
        return text.lower().replace(old, new, 1)

    def _nickname(self, raw: Raw) -> None:
        found = sorted(self._nicknames.nicknames_of(raw["given_name"].lower()))
        raw["given_name"] = self.random.choice(found) if found else raw["given_name"][:1]

    def _date(self, raw: Raw) -> None:
        year, month, day = raw["date_of_birth"].split("-")
        another = (
            f"{self.random.randrange(1935, 2000)}-{self.random.randrange(1, 13):02d}-{self.random.randrange(1, 29):02d}"
        )
        choices = [f"{year}-{month}-01", f"{year}-01-01", f"{year[:3]}{self._digits(1)}-{month}-{day}", another]
        if int(day) <= 12:
            choices += [f"{year}-{day}-{month}"] * 2
        raw["date_of_birth"] = self.random.choice(choices)

    def _street(self, raw: Raw) -> None:
        raw["street"] = self._typo(raw["street"])

    def _swap(self, raw: Raw) -> None:
        raw["given_name"], raw["family_name"] = raw["family_name"], raw["given_name"]

    def _digit(self, raw: Raw) -> None:
        field = self.random.choice(
            ("house_number", "phone", "bank_account", "national_id", "driving_licence", "postcode")
        )
        at = self.random.randrange(len(raw[field]))
        raw[field] = raw[field][:at] + self._digits(1) + raw[field][at + 1 :]


def main() -> None:
    """Write a market as CSV to standard output."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=10_000, help="the last household is whole")
    parser.add_argument("--copies", type=float, default=1.0, help="further records a person, on average")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hard", action="store_true", help="with respelt names and disguised fraudsters")
    options = parser.parse_args()
    writer = csv.DictWriter(sys.stdout, COLUMNS)
    writer.writeheader()
    market = Market(options.seed, habits=HARD if options.hard else PLAIN)
    writer.writerows(market.rows(options.people, copies=options.copies))


if __name__ == "__main__":
    main()
