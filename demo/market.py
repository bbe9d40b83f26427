"""The claims of two insurers' books and the rings hidden among them: `python -m demo.market --help`.

A quarter of the rows of each book carry a claim, with people in roles, vehicles, a garage and a solicitor. A few rings
are planted: the same small group, misspelt and in changing roles, with one garage, one solicitor and one phone, turns
up at both insurers. What is planted is returned apart from the claims: it scores the demo and is never filed.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from demo.people import Population, Raw

SEED = 20260301
CLAIM_SHARE = 4  # one row in so many carries a claim
RING_SIZES = (3, 4, 4, 5)
RING_CLAIMS = 2  # claims of a ring at each insurer
NEWCOMER_NEW, NEWCOMER_KNOWN = 50, 10  # customers of the newcomer: its own, and shared with the first book
CLAIM_DAYS = 80  # how long before today the oldest claim was notified
DAYS_A_MONTH = 365.25 / 12
MOTOR_KINDS = ("collision", "collision", "collision", "theft", "injury", "accidental_damage")
HOME_KINDS = ("escape_of_water", "storm", "theft", "fire", "flood")
AMOUNTS = ("0-1k", "1k-5k", "1k-5k", "5k-20k", "20k-100k")
RING_ROLES = ("claimant", "driver", "passenger", "passenger", "witness")

UNSEEN = {"ref", "cluster", "national_id"}  # what an insurer does not know of another's customer

Claim = dict[str, object]


@dataclass(frozen=True)
class Ring:
    """A planted group: how many people, and the references of its claims by insurer."""

    people: int
    claims: dict[str, list[str]]


@dataclass(frozen=True)
class Newcomer:
    """A small insurer's customers, some of them known elsewhere, its claims, and who asks it for a quote."""

    book: list[Raw]
    claims: list[Claim]
    quote: Raw


@dataclass(frozen=True)
class Market:
    """The claims each insurer files, a newcomer to the market, and the truth about the rings among the claims."""

    claims: dict[str, list[Claim]]
    newcomer: Newcomer
    rings: list[Ring]


def invent(books: dict[str, list[Raw]], today: dt.date, *, newcomer: str, seed: int = SEED) -> Market:
    """Return claims for a quarter of each book's rows, the planted rings, and a newcomer of that name.

    `books` maps an insurer to its customers. Rows of one `cluster` are one person, who gives every insurer the same
    phone and mailbox. The quote that the newcomer is asked for comes from someone of the first ring, in disguise.
    """
    draw = _Draw(Population(seed), today)
    claims = {name: [draw.honest(name, row) for row in draw.quarter(rows)] for name, rows in books.items()}
    rings = []
    for size in RING_SIZES:
        people = draw.gang(size)
        rings.append(draw.ring(people, claims))
        if len(rings) == 1:
            quote = draw.disguised(people[0])
    for filed in claims.values():
        draw.random.shuffle(filed)
    known = draw.random.sample(next(iter(books.values())), NEWCOMER_KNOWN)
    return Market(claims, draw.newcomer(newcomer, known, quote), rings)


class _Draw:
    """One run of the generator: the population, the trade's firms, and who is reached where."""

    def __init__(self, population: Population, today: dt.date) -> None:
        self.population = population
        self.random = population.random
        self._today = today
        self._contacts: dict[str, Raw] = {}
        self._counts: dict[str, int] = {}
        self._firms = {
            role: [population.firm(role) for _ in range(count)] for role, count in (("garage", 400), ("solicitor", 250))
        }

    def quarter(self, rows: Sequence[Raw]) -> list[Raw]:
        """Return a quarter of the rows, drawn without repeats."""
        return self.random.sample(rows, len(rows) // CLAIM_SHARE)

    def honest(self, insurer: str, row: Raw) -> Claim:
        """Return an everyday claim of one customer: motor mostly, home now and then."""
        contact = self._contacts.setdefault(row["cluster"], self.population.contact(row))
        claimant = {name: value for name, value in row.items() if name not in {"ref", "cluster"}} | contact
        subjects = [_subject("person", "claimant", claimant)]
        if self.random.random() < 0.15:
            return self._claim(insurer, "home", self.random.choice(HOME_KINDS), subjects)
        subjects += self._bystanders()
        subjects += [_subject("organisation", role, firm) for role, firm in self._firms_of_a_claim()]
        return self._claim(insurer, "motor", self.random.choice(MOTOR_KINDS), subjects)

    def newcomer(self, name: str, known: Sequence[Raw], quote: Raw) -> Newcomer:
        """Return a book of new customers and of `known` ones, and motor claims of about a fifth of the new."""
        new = [self.population.person() for _ in range(NEWCOMER_NEW)]
        old = [{field: row[field] for field in row if field not in UNSEEN} for row in known]
        rows = [{"ref": f"{name[0].upper()}P-{at:04d}"} | row for at, row in enumerate((*new, *old), start=1)]
        claims = [self.honest(name, row | {"cluster": row["ref"]}) for row in rows[:NEWCOMER_NEW:5]]
        return Newcomer(rows, [claim for claim in claims if claim["line"] == "motor"], quote)

    def disguised(self, person: Raw) -> Raw:
        """Return the person with a name misspelt, and a phone and mailbox that nobody has seen."""
        return self.population.slip(person) | self.population.contact(person)

    def gang(self, size: int) -> list[Raw]:
        """Return people who all give one phone number."""
        phone = self.population.person()["phone"]
        return [self.population.person() | {"phone": phone} for _ in range(size)]

    def ring(self, people: Sequence[Raw], claims: dict[str, list[Claim]]) -> Ring:
        """Plant one ring into every insurer's claims and return what was planted."""
        firms = [(role, self.population.firm(role)) for role in self._firms]
        planted: dict[str, list[str]] = {}
        for insurer, filed in claims.items():
            for _ in range(RING_CLAIMS):
                claim = self._staged(insurer, people, firms)
                planted.setdefault(insurer, []).append(str(claim["ref"]))
                filed.append(claim)
        return Ring(len(people), planted)

    def _staged(self, insurer: str, people: Sequence[Raw], firms: Iterable[tuple[str, Raw]]) -> Claim:
        cast = self.random.sample(people, len(people))
        roles = RING_ROLES[: len(cast)]
        subjects = [_subject("person", role, self.population.slip(raw)) for role, raw in zip(roles, cast, strict=True)]
        subjects.append(_subject("vehicle", "insured_vehicle", self.population.vehicle()))
        subjects += [_subject("organisation", role, firm) for role, firm in firms]
        return self._claim(insurer, "motor", "injury", subjects)

    def _bystanders(self) -> list[Raw]:
        subjects = [_subject("vehicle", "insured_vehicle", self.population.vehicle())]
        roles = self.random.choices(("passenger", "witness"), k=self.random.choice((0, 0, 0, 1, 1, 2)))
        if self.random.random() < 0.5:
            subjects.append(_subject("vehicle", "third_party_vehicle", self.population.vehicle()))
            roles.append("driver")
        return subjects + [_subject("person", role, self.population.person()) for role in roles]

    def _firms_of_a_claim(self) -> list[tuple[str, Raw]]:
        chances = {"garage": 0.7, "solicitor": 0.25}
        return [
            (role, self.random.choice(firms)) for role, firms in self._firms.items() if self._happens(chances[role])
        ]

    def _happens(self, chance: float) -> bool:
        return self.random.random() < chance

    def _claim(self, insurer: str, line: str, kind: str, subjects: list[Raw]) -> Claim:
        self._counts[insurer] = self._counts.get(insurer, 0) + 1
        notified = self._today - dt.timedelta(days=self.random.randrange(CLAIM_DAYS))
        incident = notified - dt.timedelta(days=self.random.randrange(14))
        return {
            "ref": f"{insurer[0].upper()}C-{self._counts[insurer]:05d}",
            "class": "claim",
            "line": line,
            "date": notified.isoformat(),
            "claim": {
                "incident_date": incident.isoformat(),
                "notification_date": notified.isoformat(),
                "kind": kind,
                "amount_band": self.random.choice(AMOUNTS),
                "status": self.random.choice(("open", "open", "closed")),
            },
            "subjects": subjects,
        }


def monthly(customers: int, claims: Iterable[Claim]) -> dict[str, int]:
    """Return what an honest insurer declares a month, by line/class: a twelfth of its policies, claims as they come."""
    volumes = {"motor/customer": -(-customers // 12)}
    for line, count in Counter(str(claim["line"]) for claim in claims).items():
        volumes[f"{line}/claim"] = max(1, round(count * DAYS_A_MONTH / CLAIM_DAYS))
    return volumes


def _subject(kind: str, role: str, raw: Raw) -> Raw:
    return {"kind": kind, "role": role} | {name: value for name, value in raw.items() if value}


def write_lines(path: Path, rows: Iterable[object]) -> None:
    """Write one JSON object a line, UTF-8."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def read_rows(path: Path) -> list[Raw]:
    """Return the rows of a CSV file as they stand."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def main() -> None:
    """Write NAME-claims.ndjson for each book given as NAME=FILE.csv, and truth.json, into the folder asked for."""
    parser = argparse.ArgumentParser(prog="python -m demo.market", description=main.__doc__)
    parser.add_argument("books", nargs="+", metavar="NAME=FILE.csv")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--today", type=dt.date.fromisoformat, required=True, help="YYYY-MM-DD: no claim is later")
    parser.add_argument("--seed", type=int, default=SEED)
    given = parser.parse_args()
    books = {name: read_rows(Path(path)) for name, _, path in (book.partition("=") for book in given.books)}
    market = invent(books, given.today, newcomer="newcomer", seed=given.seed)
    given.out.mkdir(parents=True, exist_ok=True)
    for name, claims in market.claims.items():
        write_lines(given.out / f"{name}-claims.ndjson", claims)
    truth = json.dumps([asdict(ring) for ring in market.rings], indent=1)
    (given.out / "truth.json").write_text(truth + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
