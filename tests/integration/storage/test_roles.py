"""Two roles of PostgreSQL with no more rights than they need: the auditor's, and the service's own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count

import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskClient
from sqlalchemy import Engine, LargeBinary, make_url, text
from sqlalchemy.exc import ProgrammingError

from repository.cli import main
from repository.jobs.worker import IntakeWorker
from repository.services import Services
from repository.settings import Settings
from repository.storage.base import Base
from repository.storage.engine import create_engine
from repository.storage.roles import APPENDED, AUDITED, WITHHELD
from tests.integration import test_end_to_end
from tests.support.clock import FakeClock
from tests.support.members import Admissions

pytestmark = pytest.mark.parametrize("store", ["postgresql"], indirect=True)
_numbers = count(1)
_NOT_PERMITTED = "42501"  # insufficient_privilege
_SECRET = "correct horse"


@dataclass(frozen=True, slots=True)
class Role:
    """A role that was just made, with no rights, and the command that gives it some."""

    name: str
    settings: Settings
    engine: Engine

    def grant(self, command: str, *options: str) -> Result:
        """Run the command of the operator."""
        arguments = ["--data-dir", str(self.settings.data_dir), "database", command, self.name, *options]
        return CliRunner().invoke(main, arguments, env={"FRANKPLEDGE_DATABASE_URL": self.settings.database_url})

    @property
    def url(self) -> str:
        """The database, as this role."""
        url = make_url(self.settings.database_url).set(username=self.name, password=_SECRET)
        return url.render_as_string(hide_password=False)

    def may(self, statement: str) -> bool:
        """Whether the role is allowed to."""
        engine = create_engine(self.url)
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql("SET TRANSACTION READ WRITE")  # what the role may is asked, not its default
                connection.exec_driver_sql(statement)
        except ProgrammingError as error:
            if getattr(error.orig, "sqlstate", None) != _NOT_PERMITTED:
                raise
            return False
        finally:
            engine.dispose()
        return True


@contextmanager
def _made(settings: Settings) -> Iterator[Role]:
    """A role of its own, whose name has to be quoted."""
    made = Role(f"frankpledge role {os.getpid()}-{next(_numbers)}", settings, create_engine(settings.database_url))
    with made.engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE ROLE \"{made.name}\" LOGIN PASSWORD '{_SECRET}'")
    yield made
    with made.engine.begin() as connection:
        connection.exec_driver_sql(f'DROP OWNED BY "{made.name}"')
        connection.exec_driver_sql(f'DROP ROLE "{made.name}"')
    made.engine.dispose()


@pytest.fixture
def role(settings: Settings) -> Iterator[Role]:
    """A role without any rights."""
    with _made(settings) as made:
        yield made


def test_every_table_is_decided_on(store: str) -> None:
    """A new table is read by auditors or withheld, on purpose; no column of bytes and no secret is ever read."""
    tables = Base.metadata.tables
    assert {*AUDITED, *WITHHELD} == tables.keys()
    assert not AUDITED.keys() & WITHHELD
    for name, withheld in AUDITED.items():
        assert withheld <= set(tables[name].columns.keys())
        for column in tables[name].columns:
            hidden = isinstance(column.type, LargeBinary) or "secret" in column.name or "digest" in column.name
            named = {"rulebooks.digest", "decisions.rulebook_digest", "models.digest"}  # of what is public
            assert not hidden or column.name in withheld or f"{name}.{column.name}" in named, (name, column.name)


def test_an_auditor_reads_what_was_done_and_nothing_secret(role: Role) -> None:
    """Events, decisions, filings; not the index, envelopes, hashes of secrets, tokens, or a whole table of those."""
    assert not role.may("SELECT id FROM events")
    for _ in range(2):  # it may be repeated
        assert role.grant("grant-auditor").exit_code == 0
    for allowed in ("SELECT * FROM events", "SELECT * FROM decisions", "SELECT id, reference, line FROM filings"):
        assert role.may(allowed)
    for name, withheld in AUDITED.items():
        assert role.may(f'SELECT 1 FROM "{name}"')
        assert not any(role.may(f'SELECT "{column}" FROM "{name}"') for column in withheld)
    assert not any(role.may(f'SELECT 1 FROM "{name}"') for name in WITHHELD)
    for secret in ("SELECT * FROM actors", "SELECT * FROM subjects", "SELECT * FROM screenings", "TABLE hits"):
        assert not role.may(secret)


@pytest.mark.parametrize("what", ["INSERT INTO {} DEFAULT VALUES", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_an_auditor_writes_nothing(role: Role, what: str) -> None:
    """Into no table, of those that are read and those that are not."""
    assert role.grant("grant-auditor").exit_code == 0
    assert not any(role.may(what.format(f'"{name}"')) for name in Base.metadata.tables)
    assert not role.may("UPDATE events SET kind = 'none'")
    assert not role.may("CREATE TABLE own (a INTEGER)")


def test_what_was_granted_before_and_should_not_be_is_taken_back(role: Role) -> None:
    """The rights are those of the list, whatever they were."""
    with role.engine.begin() as connection:
        connection.exec_driver_sql(f'GRANT ALL ON ALL TABLES IN SCHEMA public TO "{role.name}"')
        connection.exec_driver_sql(f'GRANT SELECT (secret_hash) ON actors TO "{role.name}"')
    assert role.may("SELECT secret_hash FROM actors")
    assert role.grant("grant-auditor").exit_code == 0
    assert not role.may("SELECT secret_hash FROM actors")
    assert not role.may("SELECT * FROM key_index")


def test_a_dry_run_prints_the_sql_and_changes_nothing(role: Role) -> None:
    """What it prints is what it would do: run by hand it does the same."""
    printed = role.grant("grant-auditor", "--dry-run")
    assert printed.exit_code == 0
    assert not role.may("SELECT id FROM events")
    with role.engine.begin() as connection:
        connection.execute(text(printed.output))
    assert role.may("SELECT id FROM events")
    assert not role.may("SELECT * FROM key_index")


def test_a_role_that_no_grant_limits_is_refused(role: Role) -> None:
    """A superuser, who owns the tables, and nobody."""
    with role.engine.begin() as connection:
        connection.exec_driver_sql(f'ALTER ROLE "{role.name}" SUPERUSER')
    refused = role.grant("grant-auditor")
    assert (refused.exit_code, "superuser" in refused.output) == (1, True)
    missing = replace(role, name="nobody of that name").grant("grant-service")
    assert (missing.exit_code, "no such role" in missing.output) == (1, True)


ANOTHER_WAY = {
    'GRANT "{other}" TO "{role}"': "by frankpledge role",
    'ALTER ROLE "{role}" NOINHERIT; GRANT "{other}" TO "{role}"': "by frankpledge role",
    "GRANT UPDATE ON members TO PUBLIC": "UPDATE of members (by PUBLIC",
    "GRANT SELECT (secret_hash) ON actors TO PUBLIC": "SELECT of actors (by PUBLIC",
    "GRANT TRUNCATE ON events TO PUBLIC": "TRUNCATE of events",
    "GRANT CREATE ON SCHEMA public TO PUBLIC": "CREATE in the schema",
    'GRANT pg_read_all_data TO "{role}"': "by pg_read_all_data",
    'GRANT pg_write_all_data TO "{role}"': "by pg_write_all_data",
    'GRANT pg_execute_server_program TO "{role}"': "programs of the server",
    'ALTER ROLE "{role}" CREATEROLE': "making roles",
    'ALTER ROLE "{role}" REPLICATION': "replication",
}


def test_rights_by_another_way_are_refused(settings: Settings) -> None:
    """By a role that it is in, inherited or not, by PUBLIC, by a predefined role: said, and nothing was given."""
    direct = text("SELECT count(*) FROM information_schema.column_privileges WHERE grantee = :role")
    with _made(settings) as other:
        assert other.grant("grant-service").exit_code == 0
        for given, named in ANOTHER_WAY.items():
            with _made(settings) as role:
                with role.engine.begin() as connection:
                    connection.exec_driver_sql(given.format(role=role.name, other=other.name))
                refused = role.grant("grant-auditor")
                assert (refused.exit_code, named in " ".join(refused.output.split())) == (1, True), refused.output
                with role.engine.begin() as connection:
                    assert connection.execute(direct, {"role": role.name}).scalar_one() == 0
                    connection.exec_driver_sql("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC")
                    connection.exec_driver_sql("REVOKE ALL (secret_hash) ON actors FROM PUBLIC")
                    connection.exec_driver_sql("REVOKE CREATE ON SCHEMA public FROM PUBLIC")


def test_the_service_is_not_said_to_keep_a_history_that_it_may_rewrite(role: Role) -> None:
    """What PUBLIC gives counts for the service's role, too."""
    with role.engine.begin() as connection:
        connection.exec_driver_sql("GRANT DELETE ON events TO PUBLIC")
    refused = role.grant("grant-service")
    assert (refused.exit_code, "DELETE of events" in refused.output) == (1, True), refused.output


def test_an_auditor_begins_in_transactions_that_only_read(role: Role) -> None:
    """A second bar beside the grants."""
    assert role.grant("grant-auditor").exit_code == 0
    engine = create_engine(role.url)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW transaction_read_only").scalar_one() == "on"
    engine.dispose()


@pytest.mark.parametrize("what", ["CREATE TABLE own (a INTEGER)", "DROP TABLE events", "ALTER TABLE events ADD a TEXT"])
def test_the_service_changes_no_table(role: Role, what: str) -> None:
    """DDL is for the role that migrates."""
    assert role.grant("grant-service").exit_code == 0
    assert not role.may(what)


def test_the_service_rewrites_no_history(role: Role) -> None:
    """Events and decisions are only ever added to, and the version of the tables is only read."""
    assert role.grant("grant-service").exit_code == 0
    for name in APPENDED:
        assert role.may(f"SELECT * FROM {name}")
        assert not role.may(f"DELETE FROM {name}")
        assert not role.may(f"UPDATE {name} SET id = id")
    assert not role.may("DELETE FROM alembic_version")


class TestUnderItsRole:
    """The application, as the role `grant-service` made it."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Iterator[Settings]:
        """Those of an installation whose URL names the role."""
        with _made(settings) as made:
            granted = made.grant("grant-service")
            assert granted.exit_code == 0, granted.output
            yield replace(settings, database_url=made.url)

    def test_the_service_works(
        self, client: FlaskClient, services: Services, member: Admissions, clock: FakeClock
    ) -> None:
        """Log-ins, filings, a batch by COPY, hits, a screening, standings, and the worker's look on the next day."""
        with services.database.reading() as connection:
            assert "frankpledge role" in connection.exec_driver_sql("SELECT current_user").scalar_one()
        test_end_to_end.test_file_batch_screen_and_hits(client, services, member)
        clock.advance(days=1)
        IntakeWorker(services).look_daily()
        checks = ("database", "tables", "operator_secret", "linkage_schema")
        assert client.get("/readyz").get_json()["checks"] == dict.fromkeys(checks, True)
