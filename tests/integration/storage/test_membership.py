"""The facts that standing reads, the ladder's steps, and members from before there were any of these."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from alembic import command
from sqlalchemy import Connection, event, text

from repository.domain.rulebook import SubscriberClass
from repository.domain.standing import Declared, Grant, Membership, Ramp, Step
from repository.services import grants
from repository.services import membership as lifecycle
from repository.services.lifecycle import Act
from repository.services.migration import configuration
from repository.services.onboarding import admit_member
from repository.storage import membership
from repository.storage.engine import Database, create_engine
from repository.storage.members import MemberRow
from repository.storage.membership import StoredStep
from tests.support.rulebooks import DEFAULT_RULEBOOK

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
TODAY = NOW.date()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty database with all tables."""
    made = Database(create_engine(database_url))
    yield made
    made.close()


def test_the_facts_of_a_new_member(database: Database) -> None:
    """Admitted today, under the longest covenant, with what it declared from today on."""
    declared = {("motor", "claim"): 5, ("motor", "customer"): 80}
    with database.write() as session:
        member = admit_member(session, "Alpha", ["motor"], now=NOW, declared=declared)
        found = membership.facts(session.connection(), member.id)
    assert found == Membership(
        admitted_on=TODAY,
        ramp=Ramp.COVENANT,
        covenant_until=date(2027, 3, 2),
        back_book_on=None,
        declared=(Declared("motor", "claim", TODAY, 5), Declared("motor", "customer", TODAY, 80)),
        grant=None,
    )


def test_the_facts_take_two_statements(database: Database) -> None:
    """They are read with every assessment: two statements, however much was declared."""
    with database.write() as session:
        member = admit_member(session, "Alpha", ["motor"], now=NOW, declared={("motor", "claim"): 5})
    said: list[str] = []
    with database.reading() as connection:
        event.listen(connection, "before_cursor_execute", lambda *call: said.append(call[2]))
        membership.facts(connection, member.id)
    assert len([each for each in said if each.startswith("SELECT")]) == 2


def test_of_declarations_for_one_day_the_last_holds(database: Database) -> None:
    """The history keeps both; those of other days stay beside it, in order."""
    with database.write() as session:
        connection = session.connection()
        member = admit_member(session, "Alpha", ["motor"], now=NOW)
        for since, per_month in ((date(2026, 4, 1), 10), (date(2026, 4, 1), 7), (TODAY, 3)):
            row = membership.declaration(member.id, ("motor", "claim"), (since, per_month), NOW, "act_a")
            membership.add_declarations(connection, [row])
        assert membership.facts(connection, member.id).declared == (
            Declared("motor", "claim", TODAY, 3),
            Declared("motor", "claim", date(2026, 4, 1), 7),
        )
        assert [each["per_month"] for each in membership.declarations(connection, member.id)] == [10, 7, 3]


def test_the_grant_that_was_not_ended_is_the_one(database: Database) -> None:
    """A second grant replaces the first, and a revoked one is gone."""
    rules = DEFAULT_RULEBOOK.subscribers[SubscriberClass.REGULATOR]
    first = Grant(("motor",), ("claim",), ("audit",), 2, 5, TODAY + timedelta(days=10))
    second = Grant(("motor", "home"), ("claim", "proven"), ("audit",), 1, 9, TODAY + timedelta(days=20))
    with database.write() as session:
        connection = session.connection()
        member = admit_member(session, "Regulator", ["motor"], now=NOW)
        row = session.get_one(MemberRow, member.id)
        for wanted in (first, second):
            grants.grant(session, row, Act(NOW), wanted, kind=SubscriberClass.REGULATOR, rules=rules)
        assert membership.facts(connection, member.id).grant == second
        assert row.as_member().subscriber is SubscriberClass.REGULATOR
        assert row.as_member().lines == {"motor", "home"}
        grants.revoke(session, row, Act(NOW, reason="the case is closed"))
        assert membership.facts(connection, member.id).grant is None
        assert row.as_member().subscriber is SubscriberClass.REGULATOR


def test_what_changes_the_facts_is_noticed(database: Database) -> None:
    """Attesting, declaring, suspending and granting each raise the version that kept standings are compared by."""
    with database.write() as session:
        member = admit_member(session, "Alpha", ["motor"], now=NOW)
        row = session.get_one(MemberRow, member.id)
        versions = [_version(session.connection(), member.id)]
        lifecycle.attest(session, row, Act(NOW), TODAY)
        versions.append(_version(session.connection(), member.id))
        lifecycle.agree(session, row, Act(NOW), "2", TODAY)
        versions.append(_version(session.connection(), member.id))
        lifecycle.change_lines(session, row, Act(NOW), ["motor", "pet"])
        versions.append(_version(session.connection(), member.id))
    assert versions == sorted(set(versions))


def test_a_step_is_noted_once(database: Database) -> None:
    """A step is stored by line, and replaced by the next."""
    with database.write() as session:
        connection = session.connection()
        member = admit_member(session, "Alpha", ["motor"], now=NOW)
        assert membership.steps(connection, member.id) == {}
        warned = StoredStep(Step.WARNED, TODAY, date(2026, 2, 20))
        membership.put_step(connection, member.id, "motor", warned)
        assert membership.steps(connection, member.id) == {"motor": warned}
        good = StoredStep(Step.GOOD, TODAY, None)
        membership.put_step(connection, member.id, "motor", good)
        assert membership.steps(connection, member.id) == {"motor": good}


def test_members_from_before_keep_their_access(database_url: str) -> None:
    """Upgrading makes each a member since the day it was added, under a covenant of twelve months from then."""
    config = configuration(database_url)
    command.downgrade(config, "0002")
    database = Database(create_engine(database_url))
    with database.writing() as connection:
        connection.execute(
            text(
                "INSERT INTO members (id, name, number, status, lines, created_at, status_changed_at) VALUES"
                " ('mem_a', 'Alpha', 1, 'active', '[\"motor\"]', :day, :day)"
            ),
            {"day": "2024-02-29 10:00:00+00:00" if connection.dialect.name == "postgresql" else "2024-02-29 10:00:00"},
        )
        connection.execute(
            text(
                "INSERT INTO actors (id, member_id, kind, login, secret_hash, roles, created_at) VALUES"
                " ('act_a', 'mem_a', 'client', 'act_a', '-', '[]', :day)"
            ),
            {"day": "2024-02-29 10:00:00+00:00" if connection.dialect.name == "postgresql" else "2024-02-29 10:00:00"},
        )
    database.close()
    command.upgrade(config, "head")
    with database.reading() as connection:
        found = membership.facts(connection, "mem_a")
    assert found == Membership(date(2024, 2, 29), Ramp.COVENANT, date(2025, 2, 28), None, ())
    database.close()


def _version(connection: Connection, member_id: str) -> int:
    found: int = connection.execute(
        text("SELECT ledger_version FROM members WHERE id = :id"), {"id": member_id}
    ).scalar_one()
    return found
