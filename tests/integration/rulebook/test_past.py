"""What members really filed, judged day by day under a rulebook."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from repository.domain.members import MemberStatus
from repository.services import Services, past
from repository.services.onboarding import change_status
from repository.simulation.running import run
from repository.simulation.summary import Summary, summarise
from repository.storage import ledger
from repository.storage.ledger import LedgerRow
from tests.support.clock import FakeClock
from tests.support.members import Admissions, TestMember
from tests.support.rulebooks import DEFAULT_RULEBOOK

DECLARED = {("motor", "claim"): 300}


def file_claims(services: Services, member: TestMember, days: int) -> None:
    """Ten claims in motor on each of the last days."""
    today = services.clock().date()
    rows = [
        LedgerRow(member.id, today - timedelta(days=back), "motor", "claim", {"accepted": 10}) for back in range(days)
    ]
    with services.database.writing() as connection:
        ledger.add(connection, rows)


def judged(services: Services, days: int) -> dict[tuple[str, str], Summary]:
    """What becomes of each member and line over the last days, under the shipped rulebook."""
    with services.database.read() as session:
        market = past.market(session, days, services.clock().date())
    rows = [summarise(each, DEFAULT_RULEBOOK) for each in run(market, DEFAULT_RULEBOOK, np.random.default_rng(0))]
    return {(row.member, row.line): row for row in rows}


def test_the_past_is_judged_line_by_line(member: Admissions, clock: FakeClock) -> None:
    """Who filed what it declared ends at tier 3 where it did so; who filed nothing is told as that; who left is not."""
    services = member.services
    alpha = member("Alpha", lines=("motor", "home"), declared=DECLARED)
    beta, gone = member("Beta", declared=DECLARED), member("Gone", declared=DECLARED)
    clock.advance(days=60)
    file_claims(services, alpha, 61)
    with services.database.write() as session:
        change_status(session, gone.id, MemberStatus.WITHDRAWN, now=clock())
    rows = judged(services, 100)
    assert {line for who, line in rows if who == alpha.id} == {"motor", "home"}
    assert gone.id not in {who for who, _ in rows}
    motor = rows[alpha.id, "motor"]
    assert (motor.days, motor.steps["good"], motor.tiers["claim"]) == (61, 61, 3)
    assert rows[alpha.id, "home"].tiers["claim"] == 0
    assert rows[beta.id, "motor"].held_from == 0
    assert (motor.group, motor.label) == (alpha.id, "motor")
    assert "Alpha" not in str(rows)


def test_only_the_days_asked_for_are_told(member: Admissions, clock: FakeClock) -> None:
    """A member of sixty days, over the last twenty: they are judged with what it filed before."""
    services = member.services
    alpha = member("Alpha", declared=DECLARED)
    clock.advance(days=60)
    file_claims(services, alpha, 61)
    motor = judged(services, 20)[alpha.id, "motor"]
    assert motor.days == 20
    assert motor.full_share == 1.0
