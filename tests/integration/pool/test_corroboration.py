"""What others corroborated: summed up once a day, stored, and the same however it was come by."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from matching.vocabulary import RECORD_CLASSES
from repository.domain.asking import Request
from repository.domain.members import Actor
from repository.domain.standing import LineStanding
from repository.jobs.worker import IntakeWorker
from repository.services import Services, corroboration, entitlements
from repository.services.assessment import Assessments
from repository.services.corroboration import Shares, keep_shares
from repository.storage import ledger
from repository.storage.corroboration import CORROBORATION
from repository.storage.ledger import LEDGER, LedgerRow
from repository.storage.members import find_member
from tests.support.clock import FakeClock
from tests.support.members import Admissions, TestMember

DECLARED = {("motor", record_class): 100 for record_class in RECORD_CLASSES}
PAIRS = [("motor", "claim"), ("motor", "customer"), ("home", "claim")]


def _file(services: Services, who: TestMember, day: date, pair: tuple[str, str], counts: Mapping[str, int]) -> None:
    with services.database.writing() as connection:
        ledger.add(connection, [LedgerRow(who.id, day, *pair, counts)])


def _fill(services: Services, members: list[TestMember], days: int, seed: int) -> None:
    """Some records of the last days, today's among them, of each member: here many, there few."""
    chance, today = random.Random(seed), services.clock().date()  # noqa: S311 - nothing is kept secret here
    with services.database.writing() as connection:
        for who in members:
            for back in range(days):
                accepted = chance.randrange(6)
                met = chance.randint(0, accepted)
                row = LedgerRow(
                    who.id,
                    today - timedelta(days=back),
                    *chance.choice(PAIRS),
                    {"accepted": accepted, "corroborated": met},
                )
                ledger.add(connection, [row])


def _by_hand(services: Services) -> Shares:
    """The shares of today from every row of the ledger."""
    today, rulebook = services.clock().date(), services.rulebook
    first = today - timedelta(days=rulebook.window.days)
    accepted: Counter[tuple[str, str, str]] = Counter()
    met: Counter[tuple[str, str, str]] = Counter()
    with services.database.reading() as connection:
        for row in connection.execute(select(LEDGER)):
            if first <= row.day < today:
                accepted[row.line, row.record_class, row.member_id] += row.accepted
                met[row.line, row.record_class, row.member_id] += row.corroborated
    found: dict[tuple[str, str], dict[str, float]] = {}
    for (line, record_class, member_id), n in accepted.items():
        if n >= rulebook.standing.corroboration_from:
            found.setdefault((line, record_class), {})[member_id] = met[line, record_class, member_id] / n
    return found


def _shares(services: Services) -> Shares:
    with services.database.reading() as connection:
        return corroboration.shares(connection, services.rulebook, services.clock().date())


def _stored(services: Services) -> list[date]:
    with services.database.reading() as connection:
        return sorted(connection.execute(select(CORROBORATION.c.until)).scalars())


def _standing(services: Services, who: TestMember) -> tuple[str, LineStanding]:
    """A member's standing as a process tells it that was just started: its id, and that of line motor."""
    object.__setattr__(services, "assessments", Assessments(services.rulebooks))
    with services.database.read() as session:
        row = find_member(session, who.id)
        assert row is not None
        member, connection = row.as_member(), session.connection()
        actor = Actor(who.client_id, frozenset(), member)
        granted = entitlements.entitled(services, connection, actor, member, Request("standing", None, None, asked=0))
    line = granted.assessed.standing.line("motor")
    assert line is not None
    return granted.assessed.id, line


@pytest.fixture
def members(member: Admissions) -> list[TestMember]:
    """Five members."""
    return [member(name, ("motor", "home"), declared=DECLARED) for name in ("Alpha", "Beta", "Gamma", "Delta", "Eta")]


def test_stored_sums_are_those_of_the_ledger(services: Services, members: list[TestMember], clock: FakeClock) -> None:
    """Day after day, from the day before or after a gap, also where the last days changed after they were summed up."""
    clock.advance(days=200)
    _fill(services, members, 120, seed=1)
    for number, gap in enumerate((1, 1, 5, 1, 40, 2)):
        afresh = _shares(services)
        assert afresh == _by_hand(services) != {}
        keep_shares(services)
        assert _stored(services)[-1] == clock().date()
        assert _shares(services) == afresh
        _file(services, members[number % 5], clock().date() - timedelta(days=1), PAIRS[0], {"accepted": 7})
        assert _shares(services) == afresh != _by_hand(services)
        clock.advance(days=gap)
        _fill(services, members, gap, seed=number)


def test_standings_are_the_same_stored_or_not(
    services: Services, members: list[TestMember], clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker stores the sums of its day; then nobody looks through everyone's ledger."""
    clock.advance(days=200)
    _fill(services, members, 120, seed=2)
    afresh = [_standing(services, each) for each in members]
    assert all(line.met_needed > 0 for _, line in afresh)
    IntakeWorker(services).look_daily()
    monkeypatch.setattr(ledger, "corroborated", None)
    assert [_standing(services, each) for each in members] == afresh


def test_the_next_day_reads_a_few_days_and_forgets_those_before(
    services: Services, members: list[TestMember], clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four days of rows, not a window's; under a rulebook with another window, that window's."""
    read: list[timedelta] = []
    original = ledger.corroborated

    def counted(connection: object, start: date, until: date) -> object:
        read.append(until - start)
        return original(connection, start, until)  # type: ignore[arg-type]

    clock.advance(days=200)
    _fill(services, members, 120, seed=3)
    keep_shares(services)
    for _ in range(3):
        clock.advance(days=1)
        monkeypatch.setattr(ledger, "corroborated", counted)
        read.clear()
        keep_shares(services)
        assert sum(read, timedelta()) == timedelta(days=4)
    assert _stored(services) == [clock().date() - timedelta(days=back) for back in (2, 1, 0)]
    read.clear()
    keep_shares(services)
    assert read == []


def test_a_line_is_compared_by_classes_of_which_the_member_files_nothing(
    services: Services, members: list[TestMember], clock: FakeClock
) -> None:
    """The customers of others have met somebody's: so have claims to, however few of them there are."""
    clock.advance(days=10)
    yesterday = clock().date() - timedelta(days=1)
    _file(services, members[0], yesterday, ("motor", "claim"), {"accepted": 300})
    assert _standing(services, members[0])[1].met_needed == 0
    for other in members[1:4]:
        _file(services, other, yesterday, ("motor", "customer"), {"accepted": 60, "corroborated": 30})
    assert _standing(services, members[0])[1].met_needed == services.rulebook.level.met_from


def test_records_count_as_met_as_far_back_as_the_rulebook_looks(
    services: Services, members: list[TestMember], clock: FakeClock
) -> None:
    """On the last of these days, which lies before all that is judged; on the day after no more."""
    clock.advance(days=500)
    rules = services.rulebook.level
    first = clock().date() - timedelta(days=rules.counted_days)
    _file(services, members[0], first, ("motor", "claim"), {"accepted": 3, "corroborated": 3})
    assert _standing(services, members[0])[1].met == 3
    clock.advance(days=1)
    assert _standing(services, members[0])[1].met == 0
