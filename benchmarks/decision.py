"""What a decision costs, and that filings do not make it dearer: `python -m benchmarks.decision --json`.

Two pools side by side, each of 200 members, 8 lines and 6 classes, 90 days on the ledger and a year of membership: one
with the counters that 100 thousand filings leave, one with those of 10 million. Filings themselves are not there: no
decision reads them. Every member declares as much a year as it filed, so that both pools give the same answer (this is
checked): allowed, with every class at tier 3. With much less than 100 thousand not all of the 9,600 classes count.

CPU of this process in milliseconds, per decision, in blocks of one decision of every member, the pools by turns:
`warm` reads what was asked and decides on a kept standing; `stored` does so and stores the decision, many in one
transaction, whose end waits for the disk; `committed` has a transaction for each; `changed` assesses a member's
standing anew after a filing. `ratio` is the median of the larger pool over that of the smaller, of all decisions and
(lowest, middle, highest) of the rounds.

Once a day: `cold` reads a member's whole ledger to assess its standing, which grows with the days on which it files.
`shares` are what others corroborated of everyone's records: `afresh` from a whole window, `next_day` from those stored
the day before (by the worker, once), `stored` as every process then reads them.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, insert, update

from benchmarks.machine import show
from benchmarks.pool import Asker, quotas
from matching.vocabulary import LINES, RECORD_CLASSES
from repository.domain.asking import Request
from repository.domain.ledger import COUNTS
from repository.domain.members import Actor, Member, Role
from repository.services import Services, entitlements
from repository.services.compose import compose
from repository.services.entitlements import Granted
from repository.services.installation import install
from repository.services.onboarding import admit_member, issue_credential
from repository.settings import Settings
from repository.storage import corroboration, dialect, ledger
from repository.storage.corroboration import Window
from repository.storage.ledger import LEDGER, LedgerRow
from repository.storage.members import MemberRow

DAYS = 90
PAIRS = tuple(itertools.product(LINES, RECORD_CLASSES))
MONTHS = 12  # of membership
REQUEST = Request("screening", "claim_validation", LINES[0])
_INSERT = dialect.Prepared(lambda _name: insert(LEDGER))


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool with its members, and what of it is measured."""

    services: Services
    askers: Sequence[Asker]

    @classmethod
    def make(cls, directory: Path, members: int, filings: int) -> Pool:
        """A pool with the counters of so many filings."""
        settings = Settings.under(directory)
        install(settings)
        services = compose(settings)
        quotas(services)
        askers = admitted(services, members, int(filings / (members * len(PAIRS)) / MONTHS))
        fill(services, askers, filings)
        return cls(services, askers)

    def decide(self, asker: Asker) -> Granted:
        """A decision that is not stored."""
        with self.services.database.reading() as connection:
            return self._entitled(connection, asker)

    def store(self, connection: Connection, asker: Asker) -> None:
        """A decision that is."""
        entitlements.remember(connection, self._entitled(connection, asker))

    def commit(self, asker: Asker) -> None:
        """A decision that is, by itself."""
        with self.services.database.writing() as connection:
            self.store(connection, asker)

    def change(self, asker: Asker) -> None:
        """File something."""
        with self.services.database.writing() as connection:
            row = LedgerRow(asker.member.id, self.services.clock().date(), *PAIRS[0], {"accepted": 1})
            ledger.add(connection, [row])

    def block(self, what: str) -> list[float]:
        """A decision of every member; what each costs."""
        if what == "stored":
            with self.services.database.writing() as connection:
                return spent(lambda asker: self.store(connection, asker), self.askers)
        if what == "changed":
            for asker in self.askers:
                self.change(asker)
        return spent(self.commit if what == "committed" else self.decide, self.askers)

    def _entitled(self, connection: Connection, asker: Asker) -> Granted:
        return entitlements.entitled(self.services, connection, asker.actor, asker.member, REQUEST)


def admitted(services: Services, count: int, per_month: int) -> list[Asker]:
    """Members in every line, that declared so much of every class a year ago."""
    now = services.clock() - timedelta(days=365)
    today = services.clock().date()
    askers = []
    for number in range(count):
        with services.database.write() as session:
            made = admit_member(
                session,
                f"Member {number}",
                LINES,
                now=now,
                agreement_signed_on=today,
                attested_on=today,
                declared=dict.fromkeys(PAIRS, max(1, per_month)),
            )
            credential = issue_credential(session, made.id, ["screener"], now=now)
        member = Member(made.id, f"Member {number}", made.status, frozenset(LINES), today, today, made.number)
        askers.append(Asker(member, Actor(credential.client_id, frozenset({Role.SCREENER}), member)))
    with services.database.write() as session:
        session.execute(update(MemberRow).values(covenant_until=today - timedelta(days=200)))
    return askers


def fill(services: Services, askers: Sequence[Asker], filings: int) -> None:
    """Set the counters as so many filings, spread evenly over members, classes and days, leave them."""
    today = services.clock().date()
    days = [today - timedelta(days=back) for back in range(1, DAYS + 1)]
    places = len(askers) * len(PAIRS) * DAYS
    # Neighbouring counters must not all be the ones with one more: so each next one takes its share of a whole turn.
    upto = (filings * place // places for place in itertools.count(1))
    before = 0
    with services.database.writing() as connection:
        for asker in askers:
            rows = []
            for pair, day in itertools.product(PAIRS, days):
                after = next(upto)
                if after > before:
                    rows.append(_row(asker.member.id, day, pair, after - before))
                before = after
            _INSERT.write(connection, rows)
            ledger.touch(connection, asker.member.id)


def measure(pools: Mapping[str, Pool], rounds: int) -> dict[str, Any]:
    """The figures of the pools, and what they are to each other."""
    told: dict[str, Any] = {name: {"shares": shares(pool)} for name, pool in pools.items()}
    answers = set()
    for name, pool in pools.items():
        pool.decide(pool.askers[0])
        told[name]["cold"] = figures(spent(pool.decide, pool.askers[1:]))
        answers |= {str(entitlements.answer_of(pool.decide(asker).entitlement)["tiers"]) for asker in pool.askers}
        pool.block("stored")
    if answers != {"3" * len(PAIRS)}:
        raise RuntimeError("the pools do not give the same answers, which must not be compared then")
    told["ratio"] = {}
    for what, times in (("warm", rounds), ("stored", rounds), ("committed", rounds // 4), ("changed", 3)):
        found = dict(_by_turns(pools, what, times))
        for name, blocks in found.items():
            told[name][what] = figures(np.concatenate(blocks))
        smaller, larger = (np.array(each) for each in found.values())
        by_round = np.median(larger, axis=1) / np.median(smaller, axis=1)
        told["ratio"][what] = {
            "medians": round(float(np.median(larger) / np.median(smaller)), 3),
            "of_rounds": [round(float(each), 3) for each in np.percentile(by_round, (0, 50, 100))],
        }
    return told


def shares(pool: Pool) -> dict[str, float]:
    """What others corroborated of everyone's records, in CPU milliseconds."""
    services, found = pool.services, {}
    window = Window(services.clock().date(), services.rulebook.window.days)
    before = Window(window.until - timedelta(days=1), window.days)
    with services.database.writing() as connection:
        for name, each in (("afresh", before), ("next_day", window)):
            started = time.process_time()
            sums = corroboration.summed(connection, each)
            found[name] = time.process_time() - started
            corroboration.store(connection, each, *sums)
    with services.database.reading() as connection:
        started = time.process_time()
        corroboration.stored(connection, window)
        found["stored"] = time.process_time() - started
    return {name: round(seconds * 1000, 1) for name, seconds in found.items()}


def spent(do: Callable[[Asker], object], askers: Sequence[Asker]) -> list[float]:
    """The CPU milliseconds of each."""
    found = []
    for asker in askers:
        started = time.process_time_ns()
        do(asker)
        found.append((time.process_time_ns() - started) / 1e6)
    return found


def figures(costs: Any) -> dict[str, float]:
    """Mean, median and the worst hundredth."""
    of = {"mean_ms": np.mean(costs), "p50_ms": np.percentile(costs, 50), "p99_ms": np.percentile(costs, 99)}
    return {name: round(float(each), 4) for name, each in of.items()}


def _by_turns(pools: Mapping[str, Pool], what: str, rounds: int) -> Iterator[tuple[str, list[list[float]]]]:
    """The blocks of each pool; who begins changes from round to round, and the first round only warms up."""
    found: dict[str, list[list[float]]] = {name: [] for name in pools}
    for number in range(rounds + 1):
        for name in list(pools)[:: -1 if number % 2 else 1]:
            block = pools[name].block(what)
            if number:
                found[name].append(block)
    yield from found.items()


def _row(member_id: str, day: date, pair: tuple[str, str], accepted: int) -> dict[str, Any]:
    counts = dict.fromkeys(COUNTS, 0) | {"accepted": accepted, "corroborated": accepted // 2}
    return {"member_id": member_id, "day": day, "line": pair[0], "record_class": pair[1], "last_at": None, **counts}


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=20, help="blocks of one decision of every member")
    parser.add_argument("--filings", type=int, nargs=2, default=[100_000, 10_000_000], help="in each of the two pools")
    parser.add_argument("--json", action="store_true", help="accepted for uniformity; the output is always JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        pools = {
            f"filings_{filings}": Pool.make(Path(directory) / str(number), options.members, filings)
            for number, filings in enumerate(options.filings)
        }
        report = measure(pools, options.rounds)
        for pool in pools.values():
            pool.services.database.close()
    shape = {"members": options.members, "pairs": len(PAIRS), "days": DAYS, "rounds": options.rounds}
    show({"benchmark": "decision", "store": "sqlite", **shape, **report})


if __name__ == "__main__":
    main()
