"""No migration holds up a service that runs: the rule of expand, migrate, contract, held on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest
import sqlalchemy as sa
from alembic import op
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from migrations import safely
from repository.services.migration import configuration
from repository.storage.engine import create_engine
from tests.support.migration_rule import against_the_rule

BEFORE_RELEASE = "from before the first release: no pool with rows in it was ever at the version before"
EXCEPTIONS = {
    ("0003", "goes through rows in the program"): BEFORE_RELEASE,
    ("0004", "drop table: not while the version before runs"): BEFORE_RELEASE,
    ("0005", "column added to filings with a constraint that is checked at once"): BEFORE_RELEASE,
    ("0005", "index on filings not made concurrently, outside of a transaction"): BEFORE_RELEASE,
    ("0007", "rename column of decisions: not while the version before runs"): BEFORE_RELEASE,
    ("0007", "column added to screenings with a constraint that is checked at once"): BEFORE_RELEASE,
    ("0007", "index on decisions not made concurrently, outside of a transaction"): BEFORE_RELEASE,
    ("0007", "index not dropped concurrently, outside of a transaction"): BEFORE_RELEASE,
    ("0007", "index on screenings not made concurrently, outside of a transaction"): BEFORE_RELEASE,
    ("0009", "index on filings not made concurrently, outside of a transaction"): BEFORE_RELEASE,
    ("0009", "rows of filings rewritten at once"): BEFORE_RELEASE,
}
"""(migration, what it does against the rule): why it may."""


def _versions() -> dict[str, ModuleType]:
    scripts = ScriptDirectory.from_config(configuration("sqlite://")).walk_revisions()
    return {each.revision: each.module for each in scripts}


def test_migrations_keep_to_the_rule() -> None:
    """Whatever is against it is listed, with a reason; and what is listed is still there."""
    found = {(revision, what) for revision, module in _versions().items() for what in against_the_rule(module.upgrade)}
    assert found == EXCEPTIONS.keys()


def _plain_not_null() -> None:
    op.alter_column("filings", "line", nullable=False)


def _validated_under_its_lock() -> None:
    op.execute("ALTER TABLE filings ADD CONSTRAINT c CHECK (line IS NOT NULL) NOT VALID")
    op.execute("ALTER TABLE filings VALIDATE CONSTRAINT c")


FORBIDDEN: dict[str, Callable[[], object]] = {
    "index": lambda: op.create_index("ix", "filings", ["line"]),
    "concurrently, in a transaction": lambda: op.create_index("ix", "filings", ["line"], postgresql_concurrently=True),
    "unique index in plain SQL": lambda: op.execute("CREATE UNIQUE INDEX ix ON filings (line)"),
    "index dropped": lambda: op.drop_index("ix", "filings"),
    "not null": _plain_not_null,
    "not null in plain SQL": lambda: op.execute('ALTER TABLE "filings" ALTER "line" SET NOT NULL'),
    "validated under the lock": _validated_under_its_lock,
    "type": lambda: op.alter_column("filings", "version", type_=sa.BigInteger()),
    "column that is not null": lambda: op.add_column("filings", sa.Column("new", sa.String(), nullable=False)),
    "column with a volatile default": lambda: op.add_column(
        "filings", sa.Column("new", sa.DateTime(), nullable=False, server_default=sa.func.clock_timestamp())
    ),
    "foreign key": lambda: op.create_foreign_key("fk", "filings", "members", ["line"], ["id"]),
    "check": lambda: op.create_check_constraint("ck", "filings", "version > 0"),
    "unique": lambda: op.create_unique_constraint("uq", "filings", ["line"]),
    "column dropped": lambda: op.drop_column("filings", "line"),
    "column renamed": lambda: op.alter_column("filings", "line", new_column_name="lines"),
    "primary key": lambda: op.execute("ALTER TABLE filings ADD PRIMARY KEY (id)"),
    "table dropped": lambda: op.drop_table("filings"),
    "table renamed": lambda: op.rename_table("filings", "records"),
    "every row rewritten": lambda: op.execute("UPDATE filings SET line = 'motor'"),
    "every row deleted": lambda: op.execute("DELETE FROM filings"),
    "rows read": lambda: op.get_bind().execute(sa.text("SELECT 1")).all(),
}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_what_holds_others_up_is_seen(name: str) -> None:
    """Each of these, planted in a migration, is found."""
    assert against_the_rule(FORBIDDEN[name])


def _new_table_with_index() -> None:
    op.create_table("fresh", sa.Column("id", sa.String(), primary_key=True), sa.Column("line", sa.String()))
    op.create_index("ix_fresh_line", "fresh", ["line"])
    op.execute("INSERT INTO fresh (id) VALUES ('one')")


ALLOWED: dict[str, Callable[[], object]] = {
    "a new table": _new_table_with_index,
    "a column": lambda: op.add_column("filings", sa.Column("new", sa.String())),
    "a column with a constant": lambda: op.add_column(
        "filings", sa.Column("new", sa.Integer(), nullable=False, server_default="0")
    ),
    "an index, safely": lambda: safely.create_index("ix", "filings", ["line"]),
    "no index, safely": lambda: safely.drop_index("ix", "filings"),
    "not null, safely": lambda: safely.require("filings", "line"),
    "how new rows are laid down": lambda: op.execute("ALTER TABLE filings ALTER COLUMN claim SET STORAGE EXTERNAL"),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_what_holds_nobody_up_is_allowed(name: str) -> None:
    """The ways that the rule names pass."""
    assert against_the_rule(ALLOWED[name]) == []


def test_safe_steps_work_on_both_stores_and_may_be_repeated(database_url: str) -> None:
    """An index and a NOT NULL on a table with rows."""
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE busy (id INTEGER PRIMARY KEY, line VARCHAR)")
        connection.exec_driver_sql("INSERT INTO busy VALUES (1, 'motor')")
    for _ in range(2 if engine.dialect.name == "postgresql" else 1):
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"transaction_per_migration": True})
            with Operations.context(context), context.begin_transaction(_per_migration=True):
                safely.create_index("ix_busy_line", "busy", ["line"])
                safely.require("busy", "line")
    with engine.connect() as connection:
        there = sa.inspect(connection)
        assert [each["name"] for each in there.get_indexes("busy")] == ["ix_busy_line"]
        assert {each["name"]: each["nullable"] for each in there.get_columns("busy")}["line"] is False
        assert there.get_check_constraints("busy") == []
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"transaction_per_migration": True})
        with Operations.context(context), context.begin_transaction(_per_migration=True):
            safely.drop_index("ix_busy_line", "busy")
        assert sa.inspect(connection).get_indexes("busy") == []
    engine.dispose()
