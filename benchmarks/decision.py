"""What a decision costs: `python -m benchmarks.decision --json`.

200 members, 8 lines, 6 classes, 90 days on the ledger, first with the counters of 10 thousand filings and then of 10
million: who files more must not make decisions dearer. CPU of this process in milliseconds, per decision: `warm` reads
what was asked and decides on a kept standing; `stored` does so and stores the decision (within one transaction,
whose end waits for the disk); `changed` assesses a member's standing anew after a filing; `cold` reads its whole ledger
for that. `shares` is the look at who corroborates whom, which a process takes once a day.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from collections.abc import Callable, Sequence
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
from repository.services import Services, assessment, entitlements
from repository.services.assessment import Assessments
from repository.services.compose import compose
from repository.services.installation import install
from repository.services.onboarding import admit_member, issue_credential
from repository.settings import Settings
from repository.storage import ledger
from repository.storage.ledger import LEDGER, LedgerRow
from repository.storage.members import MemberRow

DAYS = 90
PAIRS = tuple(itertools.product(LINES, RECORD_CLASSES))


def admitted(services: Services, count: int) -> list[Asker]:
    """Members in every line, that declared every class a year ago."""
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
                declared=dict.fromkeys(PAIRS, 10),
            )
            credential = issue_credential(session, made.id, ["screener"], now=now)
        member = Member(made.id, f"Member {number}", made.status, frozenset(LINES), today, today, made.number)
        askers.append(Asker(member, Actor(credential.client_id, frozenset({Role.SCREENER}), member)))
    with services.database.write() as session:
        session.execute(update(MemberRow).values(covenant_until=today - timedelta(days=200)))
    return askers


def fill(services: Services, askers: Sequence[Asker], filings: int) -> None:
    """Set the counters as so many filings, spread evenly, leave them."""
    today = services.clock().date()
    days = [today - timedelta(days=back) for back in range(1, DAYS + 1)]
    share, rest = divmod(filings, len(askers) * len(PAIRS) * DAYS)
    numbers = itertools.count()
    with services.database.writing() as connection:
        connection.execute(LEDGER.delete())
        for asker in askers:
            rows = [
                _row(asker.member.id, day, pair, share + (next(numbers) % (len(askers) * len(PAIRS) * DAYS) < rest))
                for day in days
                for pair in PAIRS
            ]
            connection.execute(insert(LEDGER), rows)
            ledger.touch(connection, asker.member.id)


def measure(services: Services, askers: Sequence[Asker], decisions: int) -> dict[str, Any]:
    """The figures for the counters as they are."""
    today = services.clock().date()

    request = Request("screening", "claim_validation", LINES[0])

    def decide(asker: Asker) -> None:
        with services.database.reading() as connection:
            entitlements.entitled(services, connection, asker.actor, asker.member, request)

    def store(connection: Connection, asker: Asker) -> None:
        granted = entitlements.entitled(services, connection, asker.actor, asker.member, request)
        entitlements.remember(connection, granted)

    def change(asker: Asker) -> None:
        with services.database.writing() as connection:
            ledger.add(connection, [LedgerRow(asker.member.id, today, *PAIRS[0], {"accepted": 1})])

    object.__setattr__(services, "assessments", Assessments(services.rulebooks))
    started = time.process_time()
    with services.database.reading() as connection:
        assessment.shares(connection, services.rulebook, today)
    shares = (time.process_time() - started) * 1000
    decide(askers[0])
    cold = _each(decide, askers[1:])
    many = list(itertools.islice(itertools.cycle(askers), decisions))
    with services.database.writing() as connection:
        for asker in askers:
            store(connection, asker)
    warm = _each(decide, many)
    with services.database.writing() as connection:
        stored = _each(lambda asker: store(connection, asker), many)
    for asker in askers:
        change(asker)
    changed = _each(decide, askers)
    return {"warm": warm, "stored": stored, "changed": changed, "cold": cold, "shares": round(shares, 1)}


def _each(do: Callable[[Asker], None], askers: Sequence[Asker]) -> dict[str, float]:
    spent = []
    for asker in askers:
        started = time.process_time_ns()
        do(asker)
        spent.append((time.process_time_ns() - started) / 1e6)
    mean = {"mean_ms": round(float(np.mean(spent)), 4)}
    return mean | {f"p{at}_ms": round(float(np.percentile(spent, at)), 4) for at in (50, 99)}


def _row(member_id: str, day: date, pair: tuple[str, str], accepted: int) -> dict[str, Any]:
    counts = dict.fromkeys(COUNTS, 0) | {"accepted": accepted, "corroborated": accepted // 2}
    return {"member_id": member_id, "day": day, "line": pair[0], "record_class": pair[1], "last_at": None, **counts}


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=200)
    parser.add_argument("--decisions", type=int, default=4000)
    parser.add_argument("--filings", type=int, nargs="+", default=[10_000, 10_000_000])
    parser.add_argument("--json", action="store_true", help="accepted for uniformity; the output is always JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        settings = Settings.under(Path(directory) / "pool")
        install(settings)
        services = compose(settings)
        quotas(services)
        askers = admitted(services, options.members)
        report = {}
        for filings in options.filings:
            fill(services, askers, filings)
            report[f"filings_{filings}"] = measure(services, askers, options.decisions)
        services.database.close()
    show({"benchmark": "decision", "members": options.members, "pairs": len(PAIRS), "store": "sqlite", **report})


if __name__ == "__main__":
    main()
