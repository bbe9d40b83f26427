"""${message}.

Revises: ${down_revision | comma,n}
"""
# The version before this one is still running while this runs, and goes on after it. So, in three releases:
#   expand    add tables, columns that may be null or have a constant default, indexes (safely.create_index);
#   migrate   let the service write both, and fill the old rows by a job, some at a time: never UPDATE a whole table here;
#   contract  when no version in use needs the old: safely.require, drop. It goes on the list of exceptions, with the
#             release that stopped using it: tests/integration/storage/test_migration_rule.py.
# On PostgreSQL never: an index on a table with rows but CONCURRENTLY and outside of the transaction, SET NOT NULL
# without a validated check, another type or anything else that rewrites a table, a constraint that is checked at once.
# migrations/safely.py has the ways that hold nobody up. Delete this comment when you have read it.

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    """${message}."""
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """Undo it."""
    ${downgrades if downgrades else "pass"}
