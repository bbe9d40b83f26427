"""A market of motor claims over three years, and rings hidden in it: `python -m benchmarks.rings` finds them again.

The honest part has what looks like a ring and is none: families that claim with each other in all roles, friends and
crews who ride together, shared houses, couples with one account, landlords who pay for tenants, brokers and claims
managers whose telephone, mailbox and client account stand for their customers', courtesy cars and fleets, cars that
are sold, garages and solicitors that a town prefers, repeat claimants, and accidents that both insurers file. All is
drawn from one seed; people and their records come from `benchmarks.market`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from benchmarks.market import LOCALES, Market, Raw
from matching.types import Kind

MEMBERS = ("alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel")
_SHARES = (30, 20, 15, 12, 10, 6, 4, 3)
START, DAYS = dt.date(2023, 1, 1), 3 * 365
GARAGES, SOLICITORS, TOWNS = 600, 300, 400
DESIGNS = ("cast", "paper", "ghost", "passengers", "slam")
FEWEST, MOST = 3, 12
"""Claims of a ring."""
_KINDS = ("collision", "accidental_damage", "theft", "injury", "other")
_INJURY = 0.2


@dataclass(frozen=True, slots=True)
class Cast:
    """A subject of a claim: its kind and role, what the insurer knows of it, and who or what it is."""

    kind: Kind
    role: str
    raw: Raw
    who: str


@dataclass(frozen=True, slots=True)
class Filed:
    """A claim as a member files it. `ring` numbers the ring it is of, from 0."""

    ref: str
    member: str
    on: dt.date
    notified_on: dt.date
    kind: str
    subjects: tuple[Cast, ...]
    ring: int | None = None


@dataclass(slots=True)
class _Home:
    people: list[tuple[str, Raw]]
    town: int
    insurer: str
    mark: str
    friend: _Home | None = None


@dataclass(slots=True)
class _Ring:
    number: int
    design: str
    homes: list[_Home]
    garage: int
    solicitor: int
    contact: Raw
    made: int = 0


class Claimants:
    """Draws the market: so many claims, of which some are of rings."""

    def __init__(self, count: int, rings: int, seed: int = 7) -> None:
        self._count, self._rings = count, rings
        self.market = Market(seed)
        self.random: Random = self.market.random
        self._homes: list[_Home] = []
        self._people = self._refs = 0
        self._brokers = [self._contact("02", number) for number in range(max(5, count // 600))]
        self._managers = [self._contact("03", number) for number in range(max(3, count // 3000))]
        self._courtesy = [self.market.mark() for _ in range(GARAGES * 2)]
        self._fleet = [self.market.mark() for _ in range(400)]
        self._crews: list[list[_Home]] = []

    def claims(self) -> list[Filed]:
        """Return the claims in the order in which they are notified: of rings, and honest ones up to the count."""
        made = [each for number in range(self._rings) for each in self._ring(number)]
        while len(made) < self._count:
            made += self._accident()
        return sorted(made, key=lambda each: (each.notified_on, each.ref))

    def _accident(self) -> Iterator[Filed]:
        """One honest accident, as one insurer or both file it."""
        if self._happens(0.015):
            yield self._outing()
            return
        own, on = self._home(), self._day()
        kind = "injury" if self._happens(_INJURY) else self.random.choice(_KINDS[:3])
        firms = self._firms(own.town, kind)
        party = self._party(own, kind)
        others: list[Cast] = []
        if kind != "theft" and self._happens(0.6):
            other = self._home(again=0.05)
            driver = other.people[0]
            others = [self._person("third_party", driver), _vehicle("third_party_vehicle", other.mark)]
            if self._happens(0.35):
                facing = [self._person("third_party", own.people[0]), _vehicle("third_party_vehicle", own.mark)]
                theirs = self._party(other, kind) + facing + self._firms(other.town, kind)
                said = on + dt.timedelta(days=self.random.randrange(2, 30)) if self._happens(0.03) else on
                yield self._filed(other.insurer, said, kind, theirs, None)  # now and then under another date
        if self._happens(0.12):
            others.append(self._person("witness", self._home(again=0.03).people[0]))
        yield self._filed(own.insurer, on, kind, party + others + firms, None)

    def _party(self, own: _Home, kind: str) -> list[Cast]:
        """Whose claim it is, and who was in the car."""
        holder = own.people[0] if self._happens(0.8) else self.random.choice(own.people)
        contact: Raw = {}
        if self._happens(0.03):
            contact = self._some(self._zipf(self._brokers), phone=0.9, email=0.5, bank_account=0.1)
        elif kind == "injury" and self._happens(0.08):
            contact = self._some(self._zipf(self._managers), phone=0.9, email=0.5, bank_account=0.4)
        role = "policyholder" if self._happens(0.3) else "claimant"
        cast = [self._person(role, holder, contact)]
        handled = contact if self._happens(0.2) else {}  # who handles the claim acts for all who were in the car
        family = [who for who in own.people if who[0] != holder[0] and self._happens(0.22)]
        cast += [self._person(self.random.choice(("passenger", "passenger", "driver")), who, handled) for who in family]
        if self._happens(0.06):
            own.friend = own.friend or self._home(again=0.3)
            role = self.random.choice(("passenger", "driver"))
            cast.append(self._person(role, own.friend.people[0], handled))
        mark = own.mark
        if self._happens(0.03):
            mark = self.random.choice(self._courtesy)
        elif self._happens(0.02):
            mark = self.random.choice(self._fleet)
        return [*cast, _vehicle("insured_vehicle", mark)]

    def _outing(self) -> Filed:
        """Colleagues or friends who ride together, and now and then have an accident: every one a household."""
        if not self._crews or self._happens(0.3):
            self._crews.append([self._home(again=0.05) for _ in range(self.random.randrange(4, 8))])
        crew = self.random.choice(self._crews)
        riders = self.random.sample(crew, self.random.randrange(2, 5))
        kind = "injury" if self._happens(_INJURY) else "collision"
        driver = riders[0]
        cast = [self._person("claimant", driver.people[0])]
        cast += [self._person("passenger", each.people[0]) for each in riders[1:]]
        insurer = crew[0].insurer if self._happens(0.7) else driver.insurer
        mark = crew[0].mark if self._happens(0.5) else driver.mark
        subjects = [*cast, _vehicle("insured_vehicle", mark), *self._firms(crew[0].town, kind)]
        return self._filed(insurer, self._day(), kind, subjects, None)

    def _firms(self, town: int, kind: str) -> list[Cast]:
        firms = []
        if kind != "theft" and self._happens(0.7):
            firms.append(_firm("garage", self._near(town, GARAGES)))
        if self._happens(0.6 if kind == "injury" else 0.1):
            firms.append(_firm("solicitor", self._near(town, SOLICITORS)))
        return firms

    def _near(self, town: int, firms: int) -> int:
        """A firm: of two in three one of the three of the town, or else one that is known everywhere."""
        if self._happens(0.65):
            return (town * 7 + self.random.randrange(3)) % firms
        return int(firms * self.random.random() ** 3)

    def _ring(self, number: int) -> Iterator[Filed]:
        design = DESIGNS[number % len(DESIGNS)]
        size = self.random.randrange(FEWEST, MOST + 1)
        people = max(4, min(9, 3 + size // 2 + self.random.randrange(3)))
        first = self.random.randrange(DAYS - 60)
        span = self.random.randrange(50, min(540, DAYS - first) + 1)
        home = self._home(again=0.0)
        homes = [home, *(self._home(again=0.1) for _ in range(people - 1))]
        contact = {"phone": self.market.phone("07"), "email": f"r{number}{self.random.randrange(10**6)}@mail0.example"}
        contact["bank_account"] = f"{self.random.randrange(10**6):06d} {self.random.randrange(10**8):08d}"
        ring = _Ring(number, design, homes, self._near(home.town, GARAGES), self._near(home.town, SOLICITORS), contact)
        members = self.random.sample(MEMBERS, min(size, self.random.randrange(2, 5)))
        days = sorted(self.random.randrange(span + 1) for _ in range(size))
        make = getattr(self, f"_{design}")
        for at, day in enumerate(days):
            kind = "injury" if self._happens(0.75) else "collision"
            ring.made = at
            subjects = make(ring)
            subjects += [_firm("garage", ring.garage)] if self._happens(0.8) else []
            subjects += [_firm("solicitor", ring.solicitor)] if self._happens(0.8) else []
            on = START + dt.timedelta(days=first + day)
            yield self._filed(members[at % len(members)], on, kind, subjects, number)

    def _cast(self, ring: _Ring) -> list[Cast]:
        """The same people act in one accident after the other, in other roles."""
        roles = ("claimant", "passenger", "third_party", "witness", "passenger")
        people = self.random.sample(ring.homes, min(len(ring.homes), self.random.randrange(3, 6)))
        known = {"phone": ring.contact["phone"]} if ring.number % 2 else {}
        cast = [
            self._person(role, home.people[0], known if self._happens(0.5) else {})
            for role, home in zip(roles, people, strict=False)
        ]
        return [*cast, _vehicle("insured_vehicle", self.market.mark()), _vehicle("third_party_vehicle", people[0].mark)]

    def _paper(self, ring: _Ring) -> list[Cast]:
        """New names each time, with one telephone and one account behind them."""
        fresh = [self._home(again=0.0) for _ in range(3)]
        known = dict(ring.contact)
        cast = [self._person("claimant", fresh[0].people[0], known)]
        cast.append(self._person("passenger", fresh[1].people[0], {"phone": known["phone"]}))
        cast.append(self._person("third_party", fresh[2].people[0]))
        if self._happens(0.5):
            cast.append(self._person("witness", ring.homes[ring.made % 2].people[0]))
        return [*cast, _vehicle("insured_vehicle", self.market.mark())]

    def _ghost(self, ring: _Ring) -> list[Cast]:
        """Customers of one who bought their policies for them, with his own mailbox and account."""
        holder = ring.homes[ring.made % len(ring.homes)] if self._happens(0.3) else self._home(again=0.0)
        known = {name: ring.contact[name] for name in ("email", "bank_account", "phone") if self._happens(0.85)}
        cast = [self._person("policyholder", holder.people[0], known)]
        other = self._home(again=0.05)
        cast.append(self._person("third_party", other.people[0]))
        return [*cast, _vehicle("insured_vehicle", self.market.mark()), _vehicle("third_party_vehicle", other.mark)]

    def _passengers(self, ring: _Ring) -> list[Cast]:
        """Passengers who sat in nobody's car, in everybody's claim."""
        driver = self._home(again=0.05)
        riders = self.random.sample(ring.homes[:5], min(3, len(ring.homes)))
        cast = [self._person("claimant", driver.people[0])]
        cast += [self._person("passenger", home.people[0]) for home in riders]
        return [*cast, _vehicle("insured_vehicle", driver.mark)]

    def _slam(self, ring: _Ring) -> list[Cast]:
        """They brake before strangers, and stand by for each other as witnesses."""
        ours = self.random.sample(ring.homes, min(len(ring.homes), 3))
        victim = self._home(again=0.05)
        roles = ("claimant", "passenger", "witness")
        cast = [self._person(role, home.people[0]) for role, home in zip(roles, ours, strict=False)]
        cast.append(self._person("third_party", victim.people[0]))
        return [*cast, _vehicle("insured_vehicle", ours[0].mark), _vehicle("third_party_vehicle", victim.mark)]

    def _home(self, again: float = 0.12) -> _Home:
        """A household: one that had a claim before, at this chance, or another."""
        if self._homes and self._happens(again):
            return self.random.choice(self._homes)
        locale = self.random.choices(tuple(LOCALES), tuple(LOCALES.values()))[0]
        people = self.market.household(locale)
        if self._happens(0.02):  # a shared house: nobody is related
            address = {name: people[0][name] for name in ("house_number", "street", "town", "postcode")}
            if self._happens(0.3):
                address["bank_account"] = people[0]["bank_account"]
            people += [self.market.household(locale)[0] | address for _ in range(self.random.randrange(2, 5))]
        elif self._happens(0.45):  # couples and families have one account, or one mailbox, often both
            shared = self._some(people[0], bank_account=0.8, email=0.5)
            people = [each | shared if self._happens(0.8) else each for each in people]
        if self._homes and self._happens(
            0.01
        ):  # parents, landlords and employers pay for others, or a digit is mistyped
            others = self.random.choice(self._homes).people[0][1]
            people[0] |= self._some(others, bank_account=0.8, email=0.3)
        named = [(f"p{self._people + place}", raw) for place, raw in enumerate(people)]
        self._people += len(named)
        insurer = self.random.choices(MEMBERS, _SHARES)[0]
        sold = bool(self._homes) and self._happens(0.02)
        mark = self.random.choice(self._homes).mark if sold else people[0]["vehicle_registration"]
        home = _Home(named, _town(people[0]["town"]), insurer, mark)
        self._homes.append(home)
        return home

    def _person(self, role: str, person: tuple[str, Raw], known: Raw | None = None) -> Cast:
        """A person as one insurer writes it down; what the person gave on purpose is known."""
        who, raw = person
        given = known or {}
        record = self.market.record_again(raw) | given
        record["vehicle_registration"] = ""
        return Cast("person", role, self.market.forget(record) | given, who)

    def _contact(self, prefix: str, number: int) -> Raw:
        """How a firm is reached, and its client account."""
        account = f"{self.random.randrange(10**6):06d} {self.random.randrange(10**8):08d}"
        return {
            "phone": self.market.phone(prefix),
            "email": f"desk{prefix}{number}@mail1.example",
            "bank_account": account,
        }

    def _some(self, raw: Raw, **chances: float) -> Raw:
        return {name: raw[name] for name, chance in chances.items() if self._happens(chance)}

    def _filed(self, member: str, on: dt.date, kind: str, subjects: list[Cast], ring: int | None) -> Filed:
        self._refs += 1
        notified = on + dt.timedelta(days=min(self.random.randrange(30), self.random.randrange(30)))
        return Filed(f"C-{self._refs}", member, on, notified, kind, tuple(subjects), ring)

    def _day(self) -> dt.date:
        return START + dt.timedelta(days=self.random.randrange(DAYS))

    def _happens(self, chance: float) -> bool:
        return self.random.random() < chance

    def _zipf(self, firms: Sequence[Raw]) -> Raw:
        return firms[int(len(firms) * self.random.random() ** 2)]


def _town(town: str) -> int:
    """The number of a town, the same in every process."""
    return sum(ord(letter) * place for place, letter in enumerate(town, start=1)) % TOWNS


def _vehicle(role: str, mark: str) -> Cast:
    return Cast("vehicle", role, {"vehicle_registration": mark}, mark)


def _firm(role: str, number: int) -> Cast:
    base = 10_000_000 if role == "garage" else 11_000_000
    raw = {"organisation_name": f"Firm {number} {role} Ltd", "company_number": f"{base + number:08d}"}
    return Cast("organisation", role, raw, f"{role}{number}")
