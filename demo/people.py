"""Invented people, vehicles and firms of the United Kingdom, and the slips that are made when they are written down.

Everything is drawn from one seed, so that a demo can be repeated. Phone numbers come from the ranges that Ofcom keeps
for drama, and each is given out once: two people share a number only where the caller says so.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from random import Random

from faker import Faker

Raw = dict[str, str]

DRAMA_NUMBERS = (
    "0113 496 0", "0114 496 0", "0116 496 0", "0117 496 0", "0118 496 0", "0121 496 0", "0131 496 0", "0141 496 0",
    "0151 496 0", "0161 496 0", "020 7946 0", "0191 498 0", "028 9649 6", "029 2018 0", "03069 990 ",
)  # fmt: skip
TOWNS = (
    ("Leeds", "LS"), ("Sheffield", "S"), ("Leicester", "LE"), ("Bristol", "BS"), ("Reading", "RG"), ("Birmingham", "B"),
    ("Edinburgh", "EH"), ("Glasgow", "G"), ("Liverpool", "L"), ("Manchester", "M"), ("Croydon", "CR"),
    ("Newcastle upon Tyne", "NE"), ("Belfast", "BT"), ("Cardiff", "CF"), ("Norwich", "NR"), ("Exeter", "EX"),
    ("Worcester", "WR"), ("Luton", "LU"), ("Bradford", "BD"), ("Bolton", "BL"), ("Derby", "DE"), ("Preston", "PR"),
)  # fmt: skip
STREETS = ("Road", "Street", "Lane", "Avenue", "Close", "Drive", "Gardens", "Terrace", "Crescent")
POSTCODE_LETTERS = "ABDEFGHJLNPQRSTUWXYZ"  # the letters that the inward part of a postcode uses
MARK_LETTERS = "ABCDEFGHJKLMNOPRSTUVWXYZ"  # I and Q are not issued in the last three
AREA_CODES = ("BD", "CA", "DE", "EX", "FN", "GK", "HX", "KM", "LS", "MA", "NK", "OV", "PE", "RA", "SF", "WJ", "YD")
FIRM_NAMES = {
    "garage": ("{} Accident Repair Centre Ltd", "{} & Sons Motors", "{} Bodyshop Limited", "{} Autobody Ltd"),
    "solicitor": ("{} & {} LLP", "{} {} Solicitors Ltd", "{} Legal Limited"),
}
_VIN_VALUES = dict(zip("0123456789ABCDEFGHJKLMNPRSTUVWXYZ", "012345678912345678123457923456789", strict=True))
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


class Population:
    """Draws people, vehicles and firms; the same seed and the same calls give the same answers."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self._faker = Faker("en_GB")
        self._faker.seed_instance(seed)
        numbers = [f"{prefix}{end:03d}" for prefix in DRAMA_NUMBERS for end in range(1000)]
        self.random.shuffle(numbers)
        self._phones: Iterator[str] = iter(numbers)
        self._mailboxes = 0

    def person(self) -> Raw:
        """Return one adult with a full address, a phone number and a mailbox of their own."""
        sex = self.random.choice("mf")
        given = self._faker.first_name_male() if sex == "m" else self._faker.first_name_female()
        born = dt.date(1940, 1, 1) + dt.timedelta(days=self.random.randrange(65 * 365))
        raw = {"given_name": given, "family_name": self._faker.last_name(), "date_of_birth": born.isoformat()}
        return raw | self.address() | {"country": "GB", "sex": sex} | self.contact(raw)

    def address(self) -> Raw:
        """Return house number, street, town and a postcode of that town's area."""
        town, area = self.random.choice(TOWNS)
        inward = str(self.random.randrange(10)) + "".join(self.random.choices(POSTCODE_LETTERS, k=2))
        return {
            "house_number": str(self.random.randrange(1, 180)),
            "street": f"{self._faker.last_name()} {self.random.choice(STREETS)}",
            "town": town,
            "postcode": f"{area}{self.random.randrange(1, 20)} {inward}",
        }

    def contact(self, person: Raw) -> Raw:
        """Return an unused phone number, and a mailbox under a domain that can never exist (RFC 2606)."""
        self._mailboxes += 1
        name = (person.get("given_name") or person.get("family_name") or "someone").replace(" ", "")
        return {"phone": next(self._phones), "email": f"{name.lower()}{self._mailboxes}@post-{name[0].lower()}.example"}

    def vehicle(self) -> Raw:
        """Return a current-style registration mark and a VIN whose check digit is right (ISO 3779, 49 CFR 565)."""
        year = self.random.randrange(9, 26)
        age = year if self.random.random() < 0.5 else year + 50  # registered from March, or from September
        mark = f"{self.random.choice(AREA_CODES)}{age:02d} {''.join(self.random.choices(MARK_LETTERS, k=3))}"
        return {"vehicle_registration": mark, "vin": self._vin()}

    def firm(self, role: str) -> Raw:
        """Return a garage or a firm of solicitors, with company number, address and phone."""
        pattern = self.random.choice(FIRM_NAMES[role])
        name = pattern.format(*(self._faker.last_name() for _ in range(pattern.count("{}"))))
        number = f"{self.random.randrange(1_000_000, 15_000_000):08d}"
        raw = {"organisation_name": name, "company_number": number, "phone": next(self._phones)}
        return raw | self.address()

    def slip(self, raw: Raw) -> Raw:
        """Return the person as another clerk wrote them down: one name misspelt, perhaps a date or number astray."""
        copy = dict(raw)
        field = self.random.choice(("given_name", "family_name"))
        copy[field] = self._misspell(copy[field])
        if self.random.random() < 0.3:
            year, month, day = copy["date_of_birth"].split("-")
            copy["date_of_birth"] = f"{year}-{day}-{month}" if int(day) <= 12 else f"{year}-{month}-01"
        if self.random.random() < 0.3:
            copy["house_number"] = ""
        if copy.get("phone", "").startswith("0") and self.random.random() < 0.5:
            copy["phone"] = "+44 " + copy["phone"][1:]
        return copy

    def _misspell(self, name: str) -> str:
        at = self.random.randrange(1, max(2, len(name) - 1))
        head, tail = name[:at], name[at:]
        swapped = head + tail[1:2] + tail[:1] + tail[2:]
        return self.random.choice((swapped, head + tail[1:], head + tail[:1] + tail))

    def _vin(self) -> str:
        body = [self.random.choice("ABCDEFGHJKLMNPRSTUVWXYZ0123456789") for _ in range(17)]
        total = sum(int(_VIN_VALUES[c]) * w for c, w in zip(body, _VIN_WEIGHTS, strict=True)) % 11
        body[8] = "X" if total == 10 else str(total)
        return "".join(body)
