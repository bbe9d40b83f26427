"""Envelopes beside the rest of their row.

Revises: 0014
"""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Have PostgreSQL leave the envelopes of new subjects in their rows, three to a page.

    By default it moves what is longer than two kilobytes into pieces of a second table with an index of its own, which
    every look at a candidate reads. What is there stays where it is, and is read as before. No row is touched.
    """
    if op.get_context().dialect.name == "postgresql":
        op.execute("ALTER TABLE subjects SET (toast_tuple_target = 8160)")
        op.execute("ALTER TABLE subjects ALTER COLUMN envelope SET STORAGE EXTERNAL")


def downgrade() -> None:
    """Back to 0014."""
    if op.get_context().dialect.name == "postgresql":
        op.execute("ALTER TABLE subjects ALTER COLUMN envelope SET STORAGE EXTENDED")
        op.execute("ALTER TABLE subjects RESET (toast_tuple_target)")
