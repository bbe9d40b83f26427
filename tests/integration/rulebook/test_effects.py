"""What another rulebook would change, over the members of a pool."""

from __future__ import annotations

from datetime import timedelta

from repository.domain.members import MemberStatus
from repository.domain.rulebook import Rulebook
from repository.services import Services, rulebook_file
from repository.services.onboarding import change_status
from repository.services.rulebook_effects import Effect, member_effects
from repository.storage import ledger
from repository.storage.ledger import LedgerRow
from tests.support.clock import FakeClock
from tests.support.members import Admissions, TestMember
from tests.support.rulebooks import DEFAULT_RULEBOOK, changed_text

TEXT = rulebook_file.default_text()


def file_claims(services: Services, member: TestMember, days: int, a_day: int = 10) -> None:
    """Claims in motor on each of the last days."""
    today = services.clock().date()
    counts = {"accepted": a_day, "corroborated": a_day}
    each = [LedgerRow(member.id, today - timedelta(days=back), "motor", "claim", counts) for back in range(1, days + 1)]
    with services.database.writing() as connection:
        ledger.add(connection, each)


def effects(services: Services, new: Rulebook) -> list[Effect]:
    """What a rulebook changes against the shipped one."""
    return list(member_effects(services, DEFAULT_RULEBOOK, new))


def test_each_member_is_compared(member: Admissions, clock: FakeClock) -> None:
    """Who files claims sees less under a rulebook with lower tiers; who files nothing is not told of; nor who left."""
    services = member.services
    declared = {("motor", "claim"): 300}
    alpha, beta = member("Alpha", declared=declared), member("Beta", declared=declared)
    gone = member("Gone", declared=declared)
    clock.advance(days=60)
    file_claims(services, alpha, 60)
    file_claims(services, gone, 60)
    with services.database.write() as session:
        change_status(session, gone.id, MemberStatus.WITHDRAWN, now=clock())
    new = rulebook_file.read(changed_text(TEXT, {"tiers.claims": {"proven": 2}, "quota": {"per_accepted": 6.0}}))
    found = effects(services, new)
    assert {each.member.id for each in found} == {alpha.id}
    assert beta.id != alpha.id
    tiers = next(each for each in found if each.what == "tiers")
    assert (tiers.line, tiers.old, tiers.new) == ("motor", {"proven": 3}, {"proven": 2})
    quota = next(each for each in found if each.what == "quota")
    assert (quota.line, quota.old, quota.new) == (None, 3000, 3600)
    assert quota.as_dict() == {
        "member": alpha.id,
        "name": "Alpha",
        "line": None,
        "what": "quota",
        "old": 3000,
        "new": 3600,
    }


def test_nothing_is_kept_of_a_comparison(member: Admissions, clock: FakeClock) -> None:
    """After a comparison the pool's own rulebook is in force as before, and nothing was stored."""
    services = member.services
    alpha = member("Alpha", declared={("motor", "claim"): 300})
    clock.advance(days=60)
    file_claims(services, alpha, 60)
    strict = rulebook_file.read(changed_text(TEXT, {"window": {"accepted_to_ask": 100_000}}))
    assert [(each.what, each.old, each.new) for each in effects(services, strict)] == [("asks", "yes", "R2")]
    assert services.rulebook == DEFAULT_RULEBOOK
    assert len(services.rulebooks.editions()) == 1
